"""Balances and history."""

from dataclasses import dataclass
from datetime import datetime

from vezde_client import calls, reading
from vezde_client.calls import Call, Page


@dataclass(frozen=True)
class Expiry:
    points: int
    at: datetime


@dataclass(frozen=True)
class Balance:
    """`active` can be spent, `held` waits for an order, `pending` becomes active later."""

    active: int
    pending: int
    held: int
    debt: int
    next_expiry: Expiry | None
    point_value_kopecks: int


@dataclass(frozen=True)
class Entry:
    """A movement; `points` is signed, `title` is for the member to read."""

    id: str
    kind: str
    points: int
    active_after: int
    pending_after: int
    occurred_at: datetime
    recorded_at: datetime
    title: str


def balance(member_id: str, *, as_of: datetime | None = None) -> Call[Balance]:
    """Now, or as it was known at `as_of`."""
    path = f"/v1/members/{calls.segment(member_id)}/points"
    return calls.get(Balance, path, {"as_of": reading.instant(as_of) if as_of else None})


def history(member_id: str, *, limit: int = 50) -> Call[Page[Entry]]:
    """Movements, newest first, `limit` (at most 200) a page."""
    path = f"/v1/members/{calls.segment(member_id)}/history"
    return calls.pages(Entry, path, {"limit": str(limit)})
