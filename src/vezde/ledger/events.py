"""Facts of the ledger: what operators and time do to points."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from vezde.kit import ids
from vezde.ledger.model import Entry, EntryKind
from vezde.outbox.model import FactRow

ACTIVATED = "points.activated/1"
ADJUSTED = "points.adjusted/1"
EXPIRED = "points.expired/1"
HOLD_EXPIRED = "points.hold_expired/1"


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
