"""Who confirms a receipt: each module asks one provider for the document behind a QR.

A *query* is the QR's fields and how often they were asked for in vain; an *answer* is a verdict
and, when found, the document, already compared with the QR. A provider never raises for what its
vendor does and keeps nothing of the person. When to ask again: `schedule`.
"""
