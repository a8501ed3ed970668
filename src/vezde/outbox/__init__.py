"""Facts and who reacts to them: what happened is written with the change, worked off afterwards.

A *fact* is append-only, of a versioned kind (`purchase.recorded/1`), holds ids and numbers only.
A *reaction* is what another domain does about facts of some kinds, in a transaction of its own.
A *lane* is one of 64 queues; a member's facts are all in one lane and are handed over in order.

Invariants: a fact of a subscribed kind and its todo row commit together; a fact is handed to each
reaction until it succeeds or is *parked* where somebody sees it; one failing reaction holds up
neither the member's later facts nor the other reactions.
"""
