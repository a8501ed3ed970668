"""Personal addresses of members, and the letters that come to them.

A *mailbox* is the part before the @ of a member's own address, which they put into a marketplace's
profile once; what the marketplace then sends registers itself. A letter is kept before its sender
is told so, worked once, and then erased. Who sent it proves nothing: the fiscal check does.
"""
