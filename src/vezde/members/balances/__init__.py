"""Opening balances: members with the points they had elsewhere, from a CSV of any length.

A *row* is one person and points of one date. Rows are read one after another, never the whole file;
a row that says something impossible is named and stops nobody. The same file again changes nothing:
a row's key is its `id`, else who it is about and until when its points are valid.
"""
