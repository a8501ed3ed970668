"""Outgoing webhooks: facts told to other people's addresses, signed as Standard Webhooks.

A *webhook* is an address with the kinds it wants and a secret. A *delivery* is one fact for one
webhook: it waits, is delivered, or has failed; its id is the fact's, so however often it is sent,
the receiver sees the same `webhook-id`. Its body is rendered from the fact at each attempt: facts
are append-only, so nothing is copied, and nothing but ids and numbers leaves.

Invariants: a delivery is written in the transaction that hands the fact over; it is sent at least
once until it is taken or 14 days are over (a worker that dies between the answer and its note
sends again, under the same id); the order is not kept. No connection to the database is in hand
while an address is called. Everything here goes by the wall, so a sandbox jump ages no delivery.
"""
