"""Vezde for a shop's server: members, points, paying with points, orders, returns, receipts.

What is to be done is a value, a `Call`; a client sends it. The calls are the same for both clients:

    with Vezde("https://loyalty.example.ru", key) as vezde:
        quote = vezde.send(checkout.quote(member_id, "own_site", lines))

    async with AsyncVezde("https://loyalty.example.ru", key) as vezde:
        quote = await vezde.send(checkout.quote(member_id, "own_site", lines))

Money is in kopecks, points are whole, both int; quantities are int or Decimal, never float.
Every POST carries an Idempotency-Key made with its call, so a call sent again happens once.
"""

from vezde_client import checkout, members, orders, points, receipts, webhooks
from vezde_client.calls import Call, Page
from vezde_client.clients import AsyncVezde, Vezde
from vezde_client.errors import (
    Conflict,
    Exhausted,
    FieldProblem,
    Forbidden,
    HoldClosed,
    HoldExpired,
    InsufficientPoints,
    Invalid,
    MemberExists,
    MemberMerged,
    Missing,
    PriceChanged,
    Problem,
    QuoteExpired,
    Refused,
    Unauthenticated,
    Unavailable,
    Unreachable,
    Unreadable,
    VezdeError,
)
from vezde_client.retrying import Retrying

__all__ = [
    "AsyncVezde",
    "Call",
    "Conflict",
    "Exhausted",
    "FieldProblem",
    "Forbidden",
    "HoldClosed",
    "HoldExpired",
    "InsufficientPoints",
    "Invalid",
    "MemberExists",
    "MemberMerged",
    "Missing",
    "Page",
    "PriceChanged",
    "Problem",
    "QuoteExpired",
    "Refused",
    "Retrying",
    "Unauthenticated",
    "Unavailable",
    "Unreachable",
    "Unreadable",
    "Vezde",
    "VezdeError",
    "checkout",
    "members",
    "orders",
    "points",
    "receipts",
    "webhooks",
]
