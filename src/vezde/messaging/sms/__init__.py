"""SMS: short texts to a phone, for where no messenger reaches.

Vocabulary: an *SMS* is a row of its own ledger, because some go to people who are no members yet
and all cost money. It is reserved and committed before the gateway is called, then *sent*,
*failed* with a reason, or *unknown*: then the gateway is asked whether it has our id, and only when
it says no it is sent again. A *segment* is what is paid for. *Delivery* is what operators report.

Invariants: the same key is sent once; no more than the day's cap is reserved; nothing is sent once
it is useless; phone and text are sealed and go when nothing is to be asked about them any more.
"""
