"""Paying with points: a quote says how many can pay, a hold reserves them, a commit spends them."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from vezde_client import calls
from vezde_client.calls import Call
from vezde_client.orders import Order


@dataclass(frozen=True)
class Line:
    """A line of a basket; prices in kopecks a unit, quantities of at most six decimals.

    `min_price_kopecks` is the least money the shop takes for a unit; `earnable` and `burnable`
    False keep the line out of the programme on that side.
    """

    sku: str
    quantity: int | Decimal
    price_kopecks: int
    min_price_kopecks: int = 0
    earnable: bool = True
    burnable: bool = True


@dataclass(frozen=True)
class QuotedLine:
    line: int
    max_points: int
    earn_points: int


@dataclass(frozen=True)
class Reason:
    """Why something cannot be paid with points, or earns none; of a line, or of the order."""

    code: str
    because: str
    line: int | None


@dataclass(frozen=True)
class Quote:
    """What points can pay of a basket and what it would earn; signed, nothing is reserved."""

    quote_id: str
    expires_at: datetime
    point_value_kopecks: int
    max_points: int
    earn_points: int
    lines: tuple[QuotedLine, ...]
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class HeldLine:
    """What points take off a line and what is left to pay: the numbers of the fiscal receipt."""

    line: int
    points: int
    discount_kopecks: int
    pay_kopecks: int


@dataclass(frozen=True)
class HeldDelivery:
    points: int
    discount_kopecks: int
    pay_kopecks: int


@dataclass(frozen=True)
class Hold:
    """Points reserved for an order; `state`: open, committed, cancelled or expired."""

    hold_id: str
    member_id: str
    sales_channel: str
    state: str
    points: int
    point_value_kopecks: int
    pay_kopecks: int
    lines: tuple[HeldLine, ...]
    delivery: HeldDelivery
    expires_at: datetime


def quote(
    member_id: str,
    sales_channel: str,
    lines: Sequence[Line],
    *,
    delivery_kopecks: int = 0,
) -> Call[Quote]:
    """What points can pay of this basket."""
    body = {
        "member_id": member_id,
        "sales_channel": sales_channel,
        "lines": written(lines),
        "delivery_kopecks": delivery_kopecks,
    }
    return calls.post(Quote, "/v1/checkout/quotes", body)


def hold(
    quote_id: str,
    lines: Sequence[Line],
    points: int,
    *,
    ttl_seconds: int = 1_800,
    key: str | None = None,
) -> Call[Hold]:
    """Reserve points for the quoted basket; `lines` are the shop's own, not the browser's.

    A `key` of the basket (not a fresh one) makes it safe over a restart of the shop's server.
    Raises `PriceChanged` or `QuoteExpired` with a fresh `quote`, `InsufficientPoints`.
    """
    body = {
        "quote_id": quote_id,
        "lines": written(lines),
        "points": points,
        "ttl_seconds": ttl_seconds,
    }
    return calls.post(Hold, "/v1/checkout/holds", body, key=key)


def hold_as_it_is(hold_id: str) -> Call[Hold]:
    return calls.get(Hold, _path(hold_id))


def commit(
    hold_id: str,
    order_id: str,
    paid_at: datetime,
    *,
    lines: Sequence[Line] | None = None,
    key: str | None = None,
) -> Call[Order]:
    """The order is paid: spend its points, earn on its money. The same again answers the same.

    `lines` only if the order became smaller since. Raises `HoldExpired`, `HoldClosed`,
    `PriceChanged`.
    """
    body: dict[str, Any] = {"order_id": order_id, "paid_at": paid_at}
    if lines is not None:
        body["lines"] = written(lines)
    return calls.post(Order, f"{_path(hold_id)}/commit", body, key=key)


def extend(hold_id: str, ttl_seconds: int, *, key: str | None = None) -> Call[Hold]:
    """Keep the points for so long from now."""
    return calls.post(Hold, f"{_path(hold_id)}/extend", {"ttl_seconds": ttl_seconds}, key=key)


def cancel(hold_id: str, *, key: str | None = None) -> Call[Hold]:
    """Give the points back. Raises `HoldClosed` when the order was committed."""
    return calls.post(Hold, f"{_path(hold_id)}/cancel", key=key)


def written(lines: Sequence[Line]) -> list[dict[str, Any]]:
    """Lines as the contract has them."""
    return [asdict(line) for line in lines]


def _path(hold_id: str) -> str:
    return f"/v1/checkout/holds/{calls.segment(hold_id)}"
