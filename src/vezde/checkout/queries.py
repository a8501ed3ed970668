"""What can be asked of checkout: holds, orders and their returns."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from vezde.checkout.model import (
    DELIVERY,
    BasketLine,
    HoldState,
    ReturnedLine,
    Share,
    SoldLine,
)
from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.kit.errors import DomainError, Kind
from vezde.members import queries as members

HOLD: LiteralString = """
SELECT member_id, hold_id, sales_channel, points, point_value_kopecks, pay_kopecks, lines, state,
    held_at, expires_at, order_ref
FROM checkout.hold WHERE member_id = %s AND hold_id = %s
"""
HOLD_LOCKED: LiteralString = """
SELECT member_id, hold_id, sales_channel, points, point_value_kopecks, pay_kopecks, lines, state,
    held_at, expires_at, order_ref
FROM checkout.hold WHERE member_id = %s AND hold_id = %s FOR UPDATE
"""
OWNER: LiteralString = """
SELECT member_id, order_ref FROM checkout.order_claim WHERE sales_channel = %s AND order_id = %s
"""
ORDER: LiteralString = """
SELECT member_id, order_ref, sales_channel, order_id, purchase_id, hold_id, account_id, spent_seq,
    spent_points, earned_points, active_at, paid_kopecks, ordered_at, paid_at, recorded_at,
    fingerprint, lines, returned
FROM checkout.purchase_order WHERE member_id = %s AND order_ref = %s
"""
BY_NUMBER: LiteralString = """
SELECT o.member_id, o.order_ref, o.sales_channel, o.order_id, o.purchase_id, o.hold_id,
    o.account_id, o.spent_seq, o.spent_points, o.earned_points, o.active_at, o.paid_kopecks,
    o.ordered_at, o.paid_at, o.recorded_at, o.fingerprint, o.lines, o.returned
FROM checkout.order_claim c
JOIN checkout.purchase_order o ON o.member_id = c.member_id AND o.order_ref = c.order_ref
WHERE c.sales_channel = %s AND c.order_id = %s
"""
ORDER_LOCKED: LiteralString = """
SELECT member_id, order_ref, sales_channel, order_id, purchase_id, hold_id, account_id, spent_seq,
    spent_points, earned_points, active_at, paid_kopecks, ordered_at, paid_at, recorded_at,
    fingerprint, lines, returned
FROM checkout.purchase_order WHERE member_id = %s AND order_ref = %s FOR UPDATE
"""
RETURNS: LiteralString = """
SELECT kind, return_id, returned_at, recorded_at, fingerprint, restored_points, expired_points,
    reversed_points, forgiven_points, debt_points, refund_kopecks, lines
FROM checkout.order_return WHERE member_id = %s AND order_ref = %s
ORDER BY recorded_at, return_id
"""

OPEN: LiteralString = """
SELECT count(*), coalesce(sum(points), 0)::bigint FROM checkout.hold
WHERE state = 'open' AND expires_at > %s
"""


class HoldMissing(DomainError):
    code = "hold_missing"
    kind = Kind.MISSING


class OrderMissing(DomainError):
    """No such order was recorded in this sales channel."""

    code = "order_not_found"
    kind = Kind.MISSING


@dataclass(frozen=True, slots=True)
class Hold:
    """Points held for a basket; `shares` are by line, the delivery's last."""

    member_id: UUID
    hold_id: UUID
    sales_channel: str
    points: int
    point_value_kopecks: int
    pay_kopecks: int
    lines: tuple[BasketLine, ...]
    delivery_kopecks: int
    shares: tuple[Share, ...]
    state: HoldState
    held_at: datetime
    expires_at: datetime
    order_ref: UUID | None


@dataclass(frozen=True, slots=True)
class Order:
    """An order as it was recorded; the delivery is the last of `lines`.

    `account_id` and `spent_seq` name the ledger's entry by which points paid; `returned` is, by
    line, how many millionths came back.
    """

    member_id: UUID
    order_ref: UUID
    sales_channel: str
    order_id: str
    purchase_id: UUID
    hold_id: UUID | None
    account_id: UUID
    spent_seq: int | None
    spent_points: int
    earned_points: int
    active_at: datetime | None
    paid_kopecks: int
    ordered_at: datetime
    paid_at: datetime
    recorded_at: datetime
    fingerprint: bytes
    lines: tuple[SoldLine, ...]
    returned: dict[int, int]

    @property
    def goods(self) -> tuple[SoldLine, ...]:
        return tuple(line for line in self.lines if line.line != DELIVERY)


@dataclass(frozen=True, slots=True)
class Return:
    """What came back of an order at once, and what became of its points.

    Of `reversed_points` `forgiven_points` were spent already and let go, `debt_points` are owed;
    of `restored_points` `expired_points` had passed their date and went at once.
    """

    kind: str
    return_id: str
    returned_at: datetime
    recorded_at: datetime
    fingerprint: bytes
    restored_points: int
    expired_points: int
    reversed_points: int
    forgiven_points: int
    debt_points: int
    refund_kopecks: int
    lines: tuple[ReturnedLine, ...]


async def hold(db: Db, member_id: UUID, hold_id: UUID, *, lock: bool = False) -> Hold:
    """A hold of this very member; raises `HoldMissing`."""
    found = await find_hold(db, member_id, hold_id, lock=lock)
    if found is None:
        raise HoldMissing("There is no such hold; take hold_id from the answer that made it.")
    return found


async def find_hold(db: Db, member_id: UUID, hold_id: UUID, *, lock: bool = False) -> Hold | None:
    """A hold of this very member; None when there is none."""
    row = await kit_db.fetch_one(db, _HoldRow, HOLD_LOCKED if lock else HOLD, [member_id, hold_id])
    return row.hold() if row else None


async def shown_hold(db: Db, member_id: UUID, hold_id: UUID) -> Hold:
    """A hold by the id it was given, whoever's it is by now; raises `HoldMissing`."""
    return await hold(db, await members.surviving(db, member_id), hold_id)


async def open_holds(db: Db, *, now: datetime) -> tuple[int, int]:
    """How many holds wait for their orders, and of how many points."""
    row = await (await db.execute(OPEN, [now])).fetchone()
    assert row is not None, "an aggregate has a row"
    return row[0], row[1]


async def find_order(db: Db, sales_channel: str, order_id: str) -> tuple[UUID, UUID]:
    """(member, order) of the shop's number; raises `OrderMissing`."""
    row = await (await db.execute(OWNER, [sales_channel, order_id])).fetchone()
    if row is None:
        raise _missing(sales_channel, order_id)
    return row[0], row[1]


def _missing(sales_channel: str, order_id: str) -> OrderMissing:
    return OrderMissing(
        f"No order «{order_id[:60]}» of {sales_channel[:60]} is recorded. Send the order first, "
        "then this again."
    )


async def order(db: Db, member_id: UUID, order_ref: UUID, *, lock: bool = False) -> Order | None:
    """An order of this very member."""
    asked = [member_id, order_ref]
    row = await kit_db.fetch_one(db, _OrderRow, ORDER_LOCKED if lock else ORDER, asked)
    return row.order() if row else None


async def shown_order(db: Db, sales_channel: str, order_id: str) -> tuple[Order, list[Return]]:
    """An order by the shop's number, with what came back of it; raises `OrderMissing`."""
    row = await kit_db.fetch_one(db, _OrderRow, BY_NUMBER, [sales_channel, order_id])
    if row is None:
        raise _missing(sales_channel, order_id)
    return row.order(), await returns(db, row.member_id, row.order_ref)


async def returns(db: Db, member_id: UUID, order_ref: UUID) -> list[Return]:
    """All that came back of an order, in the order it was recorded."""
    rows = await kit_db.fetch_all(db, _ReturnRow, RETURNS, [member_id, order_ref])
    return [row.found() for row in rows]


@dataclass(frozen=True)
class _HoldRow:
    member_id: UUID
    hold_id: UUID
    sales_channel: str
    points: int
    point_value_kopecks: int
    pay_kopecks: int
    lines: list[list[Any]]
    state: str
    held_at: datetime
    expires_at: datetime
    order_ref: UUID | None

    def hold(self) -> Hold:
        *goods, delivery = self.lines
        return Hold(
            self.member_id,
            self.hold_id,
            self.sales_channel,
            self.points,
            self.point_value_kopecks,
            self.pay_kopecks,
            tuple(BasketLine(*line[:7]) for line in goods),
            delivery[3],
            tuple(Share(line[0], *line[7:]) for line in self.lines),
            HoldState(self.state),
            self.held_at,
            self.expires_at,
            self.order_ref,
        )


@dataclass(frozen=True)
class _OrderRow:
    member_id: UUID
    order_ref: UUID
    sales_channel: str
    order_id: str
    purchase_id: UUID
    hold_id: UUID | None
    account_id: UUID
    spent_seq: int | None
    spent_points: int
    earned_points: int
    active_at: datetime | None
    paid_kopecks: int
    ordered_at: datetime
    paid_at: datetime
    recorded_at: datetime
    fingerprint: bytes
    lines: list[list[Any]]
    returned: dict[str, int]

    def order(self) -> Order:
        return Order(
            self.member_id,
            self.order_ref,
            self.sales_channel,
            self.order_id,
            self.purchase_id,
            self.hold_id,
            self.account_id,
            self.spent_seq,
            self.spent_points,
            self.earned_points,
            self.active_at,
            self.paid_kopecks,
            self.ordered_at,
            self.paid_at,
            self.recorded_at,
            self.fingerprint,
            tuple(SoldLine(*line) for line in self.lines),
            {int(line): micro for line, micro in self.returned.items()},
        )


@dataclass(frozen=True)
class _ReturnRow:
    kind: str
    return_id: str
    returned_at: datetime
    recorded_at: datetime
    fingerprint: bytes
    restored_points: int
    expired_points: int
    reversed_points: int
    forgiven_points: int
    debt_points: int
    refund_kopecks: int
    lines: list[list[int]]

    def found(self) -> Return:
        return Return(
            self.kind,
            self.return_id,
            self.returned_at,
            self.recorded_at,
            self.fingerprint,
            self.restored_points,
            self.expired_points,
            self.reversed_points,
            self.forgiven_points,
            self.debt_points,
            self.refund_kopecks,
            _returned_lines(self.lines),
        )


def _returned_lines(rows: Sequence[Sequence[int]]) -> tuple[ReturnedLine, ...]:
    return tuple(ReturnedLine(*row) for row in rows)
