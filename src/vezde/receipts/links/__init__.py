"""Links to pages of receipts, as tills' operators and marketplaces give them out.

A link proves nothing: of the address and the page come the fiscal key, the date and the sum, and
a provider confirms them. Only hosts named here are ever asked.
"""
