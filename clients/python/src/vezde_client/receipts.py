"""Receipts: handed in by what their QR code says, as a document or as a picture."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from vezde_client import calls
from vezde_client.calls import Call, Page


@dataclass(frozen=True)
class Reason:
    """Why it is not (yet) accepted; `text` is for the member to read."""

    code: str
    text: str


@dataclass(frozen=True)
class Seller:
    inn: str | None
    name: str | None
    kind: str
    sales_channel: str


@dataclass(frozen=True)
class Match:
    method: str
    score: Decimal | None


@dataclass(frozen=True)
class ReceiptLine:
    line: int
    name: str | None
    quantity: Decimal
    sum_kopecks: int
    product_sku: str | None
    match: Match | None
    points: int


@dataclass(frozen=True)
class ReceiptPoints:
    pending: int
    active: int
    active_at: datetime | None


@dataclass(frozen=True)
class Receipt:
    """`status`: checking, awaiting_settlement, accepted, in_review or rejected.

    `wall_time` is the time as printed, without a zone; `purchased_at` the instant.
    """

    id: str
    member_id: str
    status: str
    reason: Reason | None
    seller: Seller | None
    purchased_at: datetime | None
    wall_time: str | None
    total_kopecks: int | None
    lines: tuple[ReceiptLine, ...]
    points: ReceiptPoints
    purchase_id: str | None
    first_receipt_id: str | None
    registered_at: datetime


def submit_qr(member_id: str, qr: str, *, key: str | None = None) -> Call[Receipt]:
    """The text of its QR code: `t=…&s=…&fn=…&i=…&fp=…&n=1`."""
    return calls.post(Receipt, "/v1/receipts", {"member_id": member_id, "qr": qr}, key=key)


def submit_document(
    member_id: str, document: Mapping[str, Any] | Sequence[Any], *, key: str | None = None
) -> Call[Receipt]:
    """The document as JSON, numbers as int or Decimal.

    It is taken for true only from a key with the scope `receipts:verified`.
    """
    body = {"member_id": member_id, "document": document}
    return calls.post(Receipt, "/v1/receipts", body, key=key)


def submit_picture(member_id: str, picture: bytes, *, key: str | None = None) -> Call[Receipt]:
    """A photograph or a screenshot with the QR code on it, up to 20 MB."""
    return calls.post(Receipt, "/v1/receipts", {"member_id": member_id}, file=picture, key=key)


def receipt(receipt_id: str) -> Call[Receipt]:
    """What became of it; raises `Missing`."""
    return calls.get(Receipt, f"/v1/receipts/{calls.segment(receipt_id)}")


def listed(
    *, member_id: str | None = None, status: str | None = None, limit: int = 50
) -> Call[Page[Receipt]]:
    """Newest first, `limit` (at most 200) a page."""
    asked = {"member_id": member_id, "status": status, "limit": str(limit)}
    return calls.pages(Receipt, "/v1/receipts", asked)
