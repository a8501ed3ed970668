"""Facts of receipts: registered, then one kind for each status it may come to."""

from datetime import datetime
from typing import Any
from uuid import UUID

from vezde.kit import ids
from vezde.outbox.model import FactRow
from vezde.receipts.model import Reason, Status


def came_to(
    status: Status,
    *,
    member_id: UUID,
    receipt_id: UUID,
    occurred_at: datetime | None,
    now: datetime,
    reason: Reason | None = None,
    purchase_id: UUID | None = None,
    points: int = 0,
) -> FactRow:
    """`receipt.accepted/1` and its like: ids, the reason's code and points, never a name.

    A receipt that begins to be checked is `receipt.registered/1`.
    """
    what = "registered" if status is Status.CHECKING else status
    data: dict[str, Any] = {"receipt_id": str(receipt_id)}
    if reason is not None:
        data["reason"] = str(reason)
    if purchase_id is not None:
        data["purchase_id"] = str(purchase_id)
    if points:
        data["points"] = points
    return FactRow(
        id=ids.new(),
        member_id=member_id,
        subject=None,
        kind=f"receipt.{what}/1",
        occurred_at=occurred_at or now,
        recorded_at=now,
        data=data,
    )


DELAYED = "receipt.delayed/1"


def delayed(*, member_id: UUID, receipt_id: UUID, now: datetime) -> FactRow:
    """The document is not there yet; it is asked for again for up to a month."""
    return FactRow(
        id=ids.new(),
        member_id=member_id,
        subject=None,
        kind=DELAYED,
        occurred_at=now,
        recorded_at=now,
        data={"receipt_id": str(receipt_id)},
    )


PAUSED, RESUMED, RUNNING_OUT = (
    "provider.paused/1",
    "provider.resumed/1",
    "provider.running_out/1",
)


def of_provider(kind: str, told: dict[str, Any], *, now: datetime) -> FactRow:
    """A provider is paused (`because`), works again, or its day runs out (`what, used, most`)."""
    return FactRow(
        id=ids.new(),
        member_id=None,
        subject=told["provider"],
        kind=kind,
        occurred_at=now,
        recorded_at=now,
        data=told,
    )


DISPUTED, QUESTIONED, RESOLVED = (
    "receipt.disputed/1",
    "receipt.questioned/1",
    "receipt.dispute_resolved/1",
)


def disputed(*, member_id: UUID, receipt_id: UUID, dispute_id: UUID, now: datetime) -> FactRow:
    """A member has a proof that a receipt which was refused as another's is theirs."""
    told = {"receipt_id": str(receipt_id), "dispute_id": str(dispute_id)}
    return _of_dispute(DISPUTED, member_id, told, now)


def questioned(*, member_id: UUID, receipt_id: UUID, now: datetime) -> FactRow:
    """Somebody else says that this member's receipt is theirs; never who."""
    return _of_dispute(QUESTIONED, member_id, {"receipt_id": str(receipt_id)}, now)


def resolved(
    *,
    member_id: UUID,
    receipt_id: UUID,
    outcome: str,
    now: datetime,
    dispute_id: UUID | None = None,
) -> FactRow:
    """A dispute is over, for one of the two: `dispute_id` is told to the claimant alone."""
    told = {"receipt_id": str(receipt_id), "outcome": outcome}
    if dispute_id is not None:
        told["dispute_id"] = str(dispute_id)
    return _of_dispute(RESOLVED, member_id, told, now)


def _of_dispute(kind: str, member_id: UUID, told: dict[str, Any], now: datetime) -> FactRow:
    return FactRow(
        id=ids.new(),
        member_id=member_id,
        subject=None,
        kind=kind,
        occurred_at=now,
        recorded_at=now,
        data=told,
    )


WITHHELD, RECHECKED = "receipt.withheld/1", "receipt.rechecked/1"


def withheld(*, member_id: UUID, receipt_id: UUID, now: datetime) -> FactRow:
    """Points of a receipt are held back: its document is gone or changed; a person looks."""
    return _of_dispute(WITHHELD, member_id, {"receipt_id": str(receipt_id)}, now)


def rechecked(*, member_id: UUID, receipt_id: UUID, outcome: str, now: datetime) -> FactRow:
    """A person looked: `released`, the points are there again, or `declined`."""
    told = {"receipt_id": str(receipt_id), "outcome": outcome}
    return _of_dispute(RECHECKED, member_id, told, now)
