"""Orders paid in money alone, and what comes back of any order."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from vezde_client import calls
from vezde_client.calls import Call

if TYPE_CHECKING:
    from vezde_client.checkout import Line


@dataclass(frozen=True)
class Earned:
    """Points an order earned; pending ones become active at `active_at`."""

    pending: int
    active: int
    active_at: datetime | None


@dataclass(frozen=True)
class SoldLine:
    line: int
    sku: str
    quantity: Decimal
    points: int
    discount_kopecks: int
    pay_kopecks: int
    earned_points: int


@dataclass(frozen=True)
class Order:
    """An order as it was recorded."""

    order_id: str
    sales_channel: str
    purchase_id: str
    spent_points: int
    earned: Earned
    lines: tuple[SoldLine, ...]


@dataclass(frozen=True)
class ReturnedLine:
    line: int
    quantity: Decimal
    restored_points: int
    reversed_points: int
    refund_kopecks: int


@dataclass(frozen=True)
class Return:
    """What came back: money to refund, points given back, earned points taken back.

    `return_id` is None for an order that was cancelled.
    """

    return_id: str | None
    restored_points: int
    reversed_points: int
    refund_kopecks: int
    lines: tuple[ReturnedLine, ...]


def record(
    order_id: str,
    member_id: str,
    sales_channel: str,
    lines: "Sequence[Line]",
    *,
    paid_kopecks: int,
    ordered_at: datetime,
    paid_at: datetime,
    delivery_kopecks: int = 0,
    key: str | None = None,
) -> Call[Order]:
    """An order paid in money: what it earns. May come late; the same order again answers the same.

    `order_id` is unique in its sales channel.
    """
    body = {
        "order_id": order_id,
        "member_id": member_id,
        "sales_channel": sales_channel,
        "ordered_at": ordered_at,
        "paid_at": paid_at,
        "lines": [asdict(line) for line in lines],
        "paid_kopecks": paid_kopecks,
        "delivery_kopecks": delivery_kopecks,
    }
    return calls.post(Order, "/v1/orders", body, key=key)


def record_quoted(
    order_id: str,
    quote_id: str,
    sales_channel: str,
    lines: "Sequence[Line]",
    *,
    paid_kopecks: int,
    ordered_at: datetime,
    paid_at: datetime,
    delivery_kopecks: int = 0,
    key: str | None = None,
) -> Call[Order]:
    """As `record`, for whoever is signed in on the page: the widget's `quote_id` says who.

    However old the quote, whatever it was of: nothing is spent. Raises `Invalid` for a quote of
    another channel.
    """
    body = {
        "order_id": order_id,
        "quote_id": quote_id,
        "sales_channel": sales_channel,
        "ordered_at": ordered_at,
        "paid_at": paid_at,
        "lines": [asdict(line) for line in lines],
        "paid_kopecks": paid_kopecks,
        "delivery_kopecks": delivery_kopecks,
    }
    return calls.post(Order, "/v1/orders", body, key=key)


def cancel(sales_channel: str, order_id: str, *, key: str | None = None) -> Call[Return]:
    """Everything that is left of the order comes back, the delivery too."""
    return calls.post(Return, f"{_path(sales_channel, order_id)}/cancel", key=key)


def take_back(
    sales_channel: str,
    order_id: str,
    return_id: str,
    quantities: Mapping[int, int | Decimal],
    *,
    returned_at: datetime,
    delivery: bool = False,
    key: str | None = None,
) -> Call[Return]:
    """Some goods come back: how many by line, counted from 1; with `delivery` its price too.

    The same `return_id` again answers the same.
    """
    body = {
        "return_id": return_id,
        "returned_at": returned_at,
        "lines": [{"line": line, "quantity": many} for line, many in quantities.items()],
        "delivery": delivery,
    }
    return calls.post(Return, f"{_path(sales_channel, order_id)}/returns", body, key=key)


def _path(sales_channel: str, order_id: str) -> str:
    return f"/v1/orders/{calls.segment(sales_channel)}/{calls.segment(order_id)}"
