"""What the brand says to a member: texts, a ledger of sends, transports.

Vocabulary: a *view* is what a message says, free of any messenger: a text key with variables, and
buttons. An *outgoing* is a view for a member over a channel, under a key that is sent once. A
*slot* names one message that is edited as its story goes on. A *send* is a row: reserved (consent
and texts checked, committed), sending (leased), then sent, refused, superseded, or *unknown*.

Invariants: a send is reserved and committed before any vendor is called; what may have been sent is
never sent again where the vendor cannot tell doubles, it is unknown and counted; the sends of one
chat go in order; no text with a broken variable is ever sent.
"""
