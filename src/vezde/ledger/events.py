"""Facts of the ledger, for those above who move points and for the sweep."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from vezde.kit import ids
from vezde.ledger.model import Entry, EntryKind
from vezde.outbox.model import FactRow

ACTIVATED = "points.activated/1"
SPENT = "points.spent/1"
REVERSED = "points.reversed/1"
RESTORED = "points.restored/1"
ADJUSTED = "points.adjusted/1"
EXPIRED = "points.expired/1"
HOLD_EXPIRED = "points.hold_expired/1"


def spent(
    member_id: UUID, *, seq: int, points: int, occurred_at: datetime, now: datetime, **ids_: str
) -> FactRow:
    """Points were spent for good; `ids_` name what for (`order_id`, `purchase_id`)."""
    return _fact(SPENT, member_id, occurred_at, now, {"seq": seq, "points": points, **ids_})


def reversed_(
    member_id: UUID,
    *,
    seq: int,
    points: int,
    debt: int,
    forgiven: int,
    occurred_at: datetime,
    now: datetime,
    **ids_: str,
) -> FactRow:
    """Points of an accrual were taken back; `debt` of them are owed, `forgiven` were let go."""
    numbers = {"seq": seq, "points": points, "debt": debt, "forgiven": forgiven}
    return _fact(REVERSED, member_id, occurred_at, now, {**numbers, **ids_})


def restored(
    member_id: UUID,
    *,
    seq: int,
    points: int,
    expired: int,
    occurred_at: datetime,
    now: datetime,
    **ids_: str,
) -> FactRow:
    """Points of a redemption came back; `expired` of them were over and went at once."""
    numbers = {"seq": seq, "points": points, "expired": expired}
    return _fact(RESTORED, member_id, occurred_at, now, {**numbers, **ids_})


def adjusted(
    member_id: UUID, *, adjustment_id: UUID, seq: int, points: int, now: datetime
) -> FactRow:
    """An operator gave points, or (negative) took them."""
    data = {"adjustment_id": str(adjustment_id), "seq": seq, "points": points}
    return _fact(ADJUSTED, member_id, now, now, data)


def by_time(entries: Iterable[Entry], *, now: datetime) -> list[FactRow]:
    """What time did that others want to know: points active, points expired, holds that ended.

    What became active at one instant is told together, however many lots it was.
    """
    kinds = {EntryKind.EXPIRE: EXPIRED, EntryKind.RELEASE: HOLD_EXPIRED}
    entries = tuple(entries)
    return [
        *_activated(entries, now),
        *(
            _fact(
                kinds[one.kind],
                one.member_id,
                one.occurred_at,
                now,
                {"seq": one.seq, "points": abs(one.points)},
            )
            for one in entries
            if one.kind in kinds
        ),
    ]


def _activated(entries: Iterable[Entry], now: datetime) -> list[FactRow]:
    together: dict[tuple[UUID, datetime], list[Entry]] = {}
    for one in entries:
        if one.kind is EntryKind.ACTIVATE and one.points:
            together.setdefault((one.member_id, one.occurred_at), []).append(one)
    return [
        _fact(
            ACTIVATED,
            member_id,
            at,
            now,
            {"seq": lots[-1].seq, "points": sum(one.points for one in lots)},
        )
        for (member_id, at), lots in together.items()
    ]


def _fact(
    kind: str, member_id: UUID, occurred_at: datetime, now: datetime, data: dict[str, Any]
) -> FactRow:
    return FactRow(
        id=ids.new(),
        member_id=member_id,
        subject=None,
        kind=kind,
        occurred_at=occurred_at,
        recorded_at=now,
        data=data,
    )
