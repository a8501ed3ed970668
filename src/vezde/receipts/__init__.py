"""Receipts: shown by a member, claimed, checked, settled into purchases, or answered why not.

Vocabulary: a *fiscal document* is what a till signed and a provider confirms; a *receipt* is a
member's showing of it. (fn, fd) of a document is *claimed* by one receipt: provisionally until the
document is verified, then for good. A *provider* is asked for documents; a *check* is that asking.

Invariants: a document belongs to one member, whatever the number of those who show it; what a
member sends is never evidence; a check ends exactly once; a rejection releases the claim only when
it doubts the document itself.
"""
