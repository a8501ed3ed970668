"""Baskets, the programme's rules of paying with points, holds and orders."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from vezde.kit import money
from vezde.kit.money import MILLION, Rounding
from vezde.ledger.model import Debt

DELIVERY = 0  # its number among the lines of an order


class HoldState(StrEnum):
    """What became of a hold; `expired` is an open one whose time is over."""

    OPEN = "open"
    COMMITTED = "committed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class BasketLine:
    """A line as the shop sends it; prices are of a unit.

    `earnable` and `burnable` False: the shop keeps the line out of the programme on that side.
    """

    line: int
    sku: str
    quantity_micro: int
    price_kopecks: int
    min_price_kopecks: int = 0
    earnable: bool = True
    burnable: bool = True

    @property
    def sum_kopecks(self) -> int:
        """What the line costs; a fraction of a kopeck rounds half up."""
        return money.divide(self.quantity_micro * self.price_kopecks, MILLION, Rounding.HALF_UP)

    @property
    def floor_kopecks(self) -> int:
        """The least money the shop takes for the line; never more than it costs."""
        least = money.divide(self.quantity_micro * self.min_price_kopecks, MILLION, Rounding.CEIL)
        return min(least, self.sum_kopecks)


@dataclass(frozen=True, slots=True)
class Basket:
    """What a member is about to buy, lines in their order."""

    member_id: UUID
    sales_channel: str
    lines: tuple[BasketLine, ...]
    delivery_kopecks: int = 0

    @property
    def goods_kopecks(self) -> int:
        return sum(line.sum_kopecks for line in self.lines)

    @property
    def total_kopecks(self) -> int:
        return self.goods_kopecks + self.delivery_kopecks


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of an order points may pay; None is no limit."""

    share_bp: int
    line_floor_kopecks: int
    delivery: bool
    min_points: int | None
    max_points: int | None


@dataclass(frozen=True, slots=True)
class Change:
    """What a sales channel says otherwise; None is as in general."""

    share_bp: int | None
    line_floor_kopecks: int | None
    delivery: bool | None
    min_points: int | None
    max_points: int | None


@dataclass(frozen=True, slots=True)
class Rules:
    """The sections `burning` and `returns` of one version, ready to use.

    `excluded_categories` and `excluded_tags` are case-folded. `grace_days` 0: restored points whose
    date has passed go at once.
    """

    general: Limits
    channels: Mapping[str, Change]
    excluded_skus: frozenset[str]
    excluded_categories: frozenset[str]
    excluded_tags: frozenset[str]
    earn_on_points: bool
    grace_days: int
    debt: Debt

    def limits(self, sales_channel: str) -> Limits:
        """The limits there."""
        change = self.channels.get(sales_channel)
        return self.general if change is None else _changed(self.general, change)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something cannot be paid with points, or earns none: a stable code and a sentence."""

    code: str
    because: str
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Share:
    """A line's part of the points, what they take off its price, what is left to pay."""

    line: int
    points: int
    discount_kopecks: int
    pay_kopecks: int


@dataclass(frozen=True, slots=True)
class SoldLine:
    """A line of an order; `points` were spent on it and `earned` by it, `pay_kopecks` is money."""

    line: int
    sku: str | None
    quantity_micro: int
    price_kopecks: int
    sum_kopecks: int
    points: int
    discount_kopecks: int
    pay_kopecks: int
    earned: int


@dataclass(frozen=True, slots=True)
class ReturnedLine:
    """What a return gives back for a line: money, points spent on it, points it had earned."""

    line: int
    quantity_micro: int
    restored: int
    reversed: int
    refund_kopecks: int


def canonical_lines(lines: Sequence[BasketLine]) -> list[list[Any]]:
    """Lines as plain JSON values: what makes two baskets the same."""
    return [
        [
            one.line,
            one.sku,
            one.quantity_micro,
            one.price_kopecks,
            one.min_price_kopecks,
            one.earnable,
            one.burnable,
        ]
        for one in lines
    ]


def fingerprint(*content: Any) -> bytes:
    """SHA-256 of plain JSON values: equal ones are the same command."""
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).digest()


def state_at(state: HoldState, expires_at: datetime, now: datetime) -> HoldState:
    """The state as it is shown: a hold ends with its time, whether or not anybody wrote it down."""
    return HoldState.EXPIRED if state is HoldState.OPEN and expires_at <= now else state


def _changed(limits: Limits, change: Change) -> Limits:
    def given(new: int | None, old: int) -> int:
        return old if new is None else new

    return Limits(
        share_bp=given(change.share_bp, limits.share_bp),
        line_floor_kopecks=given(change.line_floor_kopecks, limits.line_floor_kopecks),
        delivery=limits.delivery if change.delivery is None else change.delivery,
        min_points=limits.min_points if change.min_points is None else change.min_points,
        max_points=limits.max_points if change.max_points is None else change.max_points,
    )
