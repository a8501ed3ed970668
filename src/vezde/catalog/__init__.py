"""What the brand sells, and how a line of anybody's receipt is recognised as one of its products.

Vocabulary: a *product* is one article (SKU) with its names, size, shade and codes; an *archived*
product left the catalogue: its row stays for the past, lines no longer match it, the next import
that names it brings it back. An *alias* is what one seller prints for a product, learned from a
person's decision, or the decision that a name is surely not ours. A *match* is certain (points at
once), doubtful (a person looks) or none.

Invariants: a SKU is one product for ever; no two live products share a GTIN; whatever changes what
the matcher answers changes the catalogue's stamp in the same transaction.
"""
