"""Signals: what makes a receipt look as if nobody had bought anything, and by how much.

Vocabulary: a *signal* looks at one thing, and gives a *finding*: a score with the facts it saw.
Scores add up; from the programme's threshold on the receipt is *held* for a person to look at. A
*shop* is a seller at an address; what is bought at a distance has none. A *subject* is one of the
federation, by its code. *Past* are the member's receipts that signals have looked at before.

Invariants: signals judge a receipt, never a member, and touch no other receipt; what is not known
says nothing; more past receipts never lower a score, and their order does not matter; the
benchmark and the intake call the same `scoring.assess`.
"""
