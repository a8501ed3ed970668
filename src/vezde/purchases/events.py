"""Facts of purchases."""

from datetime import datetime
from uuid import UUID

from vezde.kit import ids
from vezde.outbox.model import FactRow
from vezde.purchases.model import Document, Linked

RECORDED = "purchase.recorded/1"
LINES_RECOGNISED = "purchase.lines_recognised/1"
LINE_RETRACTED = "purchase.line_retracted/1"
ADVANCE_SETTLED = "purchase.advance_settled/1"
RETURNED = "purchase.returned/1"


def recorded(linked: Linked, *, now: datetime) -> FactRow:
    """A document joined a purchase (a new one or an older one)."""
    document = linked.document
    return FactRow(
        id=ids.new(),
        member_id=document.member_id,
        subject=None,
        kind=RECORDED,
        occurred_at=document.occurred_at,
        recorded_at=now,
        data={
            "purchase_id": str(linked.purchase_id),
            **_named(document),
            "sales_channel": document.sales_channel,
            "total_kopecks": document.total_kopecks,
            "ours_kopecks": sum(line.sum_kopecks for line in document.lines if line.skus),
            "skus": sorted({line.sku for line in document.lines if line.sku}),
        },
    )


def _named(document: Document) -> dict[str, str]:
    if document.order_id is not None:
        return {"order_id": document.order_id}
    return {"receipt_id": str(document.receipt_id)}


def advance_settled(document: Document, receipt_id: UUID, *, now: datetime) -> FactRow:
    """An order of the shop says that what an advance receipt paid for is bought."""
    return FactRow(
        id=ids.new(),
        member_id=document.member_id,
        subject=None,
        kind=ADVANCE_SETTLED,
        occurred_at=document.occurred_at,
        recorded_at=now,
        data={"receipt_id": str(receipt_id), "order_id": document.order_id},
    )


def returned(
    member_id: UUID,
    receipt_id: UUID,
    purchase_id: UUID,
    line: int,
    points: int,
    *,
    because: str,
    now: datetime,
) -> FactRow:
    """Points of a line were taken back; below zero: given again, as less of it came back.

    `because`: `documents` (receipts of a return), `superseded` (another document of the purchase
    is the one that earns), `seller_report`, `marking`, `disputed` (the receipt is another
    member's), `rechecked` (held back until a person has looked, or given again after it).
    """
    return FactRow(
        id=ids.new(),
        member_id=member_id,
        subject=None,
        kind=RETURNED,
        occurred_at=now,
        recorded_at=now,
        data={
            "purchase_id": str(purchase_id),
            "receipt_id": str(receipt_id),
            "line": line,
            "points": points,
            "because": because,
        },
    )


def lines_recognised(
    member_id: UUID,
    receipt_id: UUID,
    purchase_id: UUID,
    lines: list[int],
    *,
    occurred_at: datetime,
    now: datetime,
) -> FactRow:
    """Lines of a purchase were recognised after it had been recorded."""
    return FactRow(
        id=ids.new(),
        member_id=member_id,
        subject=None,
        kind=LINES_RECOGNISED,
        occurred_at=occurred_at,
        recorded_at=now,
        data={"purchase_id": str(purchase_id), "receipt_id": str(receipt_id), "lines": lines},
    )


def line_retracted(
    member_id: UUID,
    receipt_id: UUID,
    purchase_id: UUID,
    line: int,
    points: int,
    *,
    now: datetime,
) -> FactRow:
    """A line turned out not to be what it was taken for; its points were taken back."""
    return FactRow(
        id=ids.new(),
        member_id=member_id,
        subject=None,
        kind=LINE_RETRACTED,
        occurred_at=now,
        recorded_at=now,
        data={
            "purchase_id": str(purchase_id),
            "receipt_id": str(receipt_id),
            "line": line,
            "points": points,
        },
    )
