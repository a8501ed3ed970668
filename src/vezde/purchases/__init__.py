"""What happened, as opposed to the papers about it: a purchase and the documents that prove it.

A marketplace order gives an advance receipt, then one or more settlement receipts; a sale on
credit gives a hand-over receipt, then receipts for the instalments. Nothing in them names the
others, so documents are linked here by shop, supplier, goods and money into one *purchase*.

An order that the brand's own shop reports is a document, too; it and a receipt for the same goods
*meet* by product, money, place and time.

Vocabulary: a *document* is one fiscal receipt (or order) with lines; a line *waits* (paid, not yet
handed over), *earns* (settled), or is *covered* (its purchase has earned for these goods already).
Advances never price; the settlement document is the pricing unit.

Invariants: a document belongs to one purchase; goods of one purchase earn once, whatever order
the documents come in; a line priced once is never priced again.
"""
