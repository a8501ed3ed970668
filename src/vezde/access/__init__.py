"""Access: the keys other programs come with, and the answers already given to them.

An *API key* is shown once and known by its hash afterwards; its *scopes* say which routes it opens.
A *stored answer* is what a request with an Idempotency-Key was answered; whoever repeats the
request gets that answer and no second effect.

Invariants:
- the name of a live key is unique; a revoked key opens nothing and is never revived;
- an answer is claimed, and stored, in the very transaction of the effect it answers for: either
  both are there or neither;
- what clients send (their key, the request's fingerprint) is kept as HMACs, the answer sealed.
"""
