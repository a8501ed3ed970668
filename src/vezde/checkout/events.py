"""Facts of checkout."""

from datetime import datetime
from typing import Any
from uuid import UUID

from vezde.kit import ids
from vezde.outbox.model import FactRow
from vezde.program.model import ORDER_RECORDED

HELD = "points.held/1"
RELEASED = "points.released/1"
SPENT = "points.spent/1"
RECORDED = ORDER_RECORDED
RETURNED = "order.returned/1"
CANCELLED = "order.cancelled/1"


def held(member_id: UUID, hold_id: UUID, *, points: int, channel: str, now: datetime) -> FactRow:
    """Points are reserved for an order."""
    data = {"hold_id": str(hold_id), "points": points, "sales_channel": channel}
    return _fact(HELD, member_id, data, occurred_at=now, now=now)


def released(member_id: UUID, hold_id: UUID, *, points: int, now: datetime) -> FactRow:
    """The shop gave up a hold; its points are free again."""
    data = {"hold_id": str(hold_id), "points": points}
    return _fact(RELEASED, member_id, data, occurred_at=now, now=now)


def spent(
    member_id: UUID, order: dict[str, Any], *, points: int, occurred_at: datetime, now: datetime
) -> FactRow:
    """Points paid for an order; `order` has its sales_channel, order_id, purchase_id."""
    return _fact(SPENT, member_id, {**order, "points": points}, occurred_at=occurred_at, now=now)


def recorded(
    member_id: UUID, order: dict[str, Any], *, occurred_at: datetime, now: datetime
) -> FactRow:
    """An order is recorded; `order` has what it was paid and earned, too."""
    return _fact(RECORDED, member_id, order, occurred_at=occurred_at, now=now)


def returned(
    kind: str, member_id: UUID, back: dict[str, Any], *, occurred_at: datetime, now: datetime
) -> FactRow:
    """Goods of an order came back, or (kind `cancel`) all that was left of it."""
    name = CANCELLED if kind == "cancel" else RETURNED
    return _fact(name, member_id, back, occurred_at=occurred_at, now=now)


def _fact(
    kind: str, member_id: UUID, data: dict[str, Any], *, occurred_at: datetime, now: datetime
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
