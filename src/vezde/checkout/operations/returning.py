"""Goods come back: money, points spent and points earned, line by line, exactly."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString

from psycopg.types.json import Jsonb

from vezde.checkout import events, queries
from vezde.checkout.allocating import returned
from vezde.checkout.model import DELIVERY, ReturnedLine, SoldLine, fingerprint
from vezde.checkout.operations import moving
from vezde.checkout.operations.moving import CANCEL, RETURN, Earned
from vezde.checkout.queries import Order, Return
from vezde.kit.db import Db
from vezde.kit.errors import DomainError, Kind
from vezde.members import operations as members
from vezde.outbox import operations as outbox

ADD: LiteralString = """
INSERT INTO checkout.order_return (member_id, order_ref, kind, return_id, returned_at, recorded_at,
    recorded_by, fingerprint, restored_points, expired_points, reversed_points, forgiven_points,
    debt_points, refund_kopecks, lines)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
RETURNED: LiteralString = """
UPDATE checkout.purchase_order SET returned = %s WHERE member_id = %s AND order_ref = %s
"""


class ReturnExists(DomainError):
    """The order has a return of this id with other content."""

    code = "return_exists"
    kind = Kind.CONFLICT


class OverReturned(DomainError):
    """More of a line would come back than was sold; `extra` has what is left of it."""

    code = "over_returned"
    kind = Kind.CONFLICT


class LineMissing(DomainError):
    """The order has no such line."""

    code = "line_missing"
    kind = Kind.INVALID


async def take_back(
    db: Db,
    sales_channel: str,
    order_id: str,
    *,
    return_id: str,
    returned_at: datetime,
    quantities: dict[int, int],
    now: datetime,
    actor: str,
) -> Return:
    """Return `quantities` (millionths by line; `DELIVERY` for its price) of an order.

    The same return again answers the first result. Points spent go back to their lots, points
    earned are taken back as they were given. Raises `OrderMissing`, `ReturnExists`, `LineMissing`,
    `OverReturned`, and `DebtForbidden` where the programme forbids debts.
    """
    order = await _locked(db, sales_channel, order_id)
    same = fingerprint(sorted(quantities.items()), returned_at.timestamp())
    before = await queries.returns(db, order.member_id, order.order_ref)
    for one in before:
        if (one.kind, one.return_id) == (RETURN, return_id):
            if one.fingerprint != same:
                raise ReturnExists(
                    f"The order has a return «{return_id}» already, with other content. Give this "
                    "one its own return_id."
                )
            return one
    wanted = _Wanted(RETURN, return_id, returned_at, same)
    return await _back(db, order, before, quantities, wanted, now=now, actor=actor)


async def cancel(db: Db, sales_channel: str, order_id: str, *, now: datetime, actor: str) -> Return:
    """Return all that is left of an order, its delivery too; done before, the same answer.

    Raises `OrderMissing`, and `DebtForbidden` where the programme forbids debts.
    """
    order = await _locked(db, sales_channel, order_id)
    before = await queries.returns(db, order.member_id, order.order_ref)
    for one in before:
        if one.kind == CANCEL:
            return one
    left = {
        line.line: line.quantity_micro - order.returned.get(line.line, 0) for line in order.lines
    }
    quantities = {line: micro for line, micro in left.items() if micro > 0}
    wanted = _Wanted(CANCEL, CANCEL, now, fingerprint(CANCEL))
    return await _back(db, order, before, quantities, wanted, now=now, actor=actor)


@dataclass(frozen=True, slots=True)
class _Wanted:
    kind: str
    return_id: str
    returned_at: datetime
    fingerprint: bytes


async def _locked(db: Db, sales_channel: str, order_id: str) -> Order:
    """The order, nobody else's to return until this ends; members may be merged meanwhile."""
    while True:
        member_id, order_ref = await queries.find_order(db, sales_channel, order_id)
        await members.present(db, [member_id])
        order = await queries.order(db, member_id, order_ref, lock=True)
        if order is not None:
            return order


async def _back(
    db: Db,
    order: Order,
    before: Sequence[Return],
    quantities: dict[int, int],
    wanted: _Wanted,
    *,
    now: datetime,
    actor: str,
) -> Return:
    _check(order, quantities)
    earned = await moving.earned_by(db, order)
    until = {line: order.returned.get(line, 0) + micro for line, micro in quantities.items()}
    lines = tuple(
        _line(line, quantities[line.line], before, until[line.line], earned[line.line])
        for line in order.lines
        if line.line in quantities
    )
    done = Return(
        wanted.kind,
        wanted.return_id,
        wanted.returned_at,
        now,
        wanted.fingerprint,
        restored_points=sum(line.restored for line in lines),
        expired_points=0,
        reversed_points=sum(line.reversed for line in lines),
        forgiven_points=0,
        debt_points=0,
        refund_kopecks=sum(line.refund_kopecks for line in lines),
        lines=lines,
    )
    if done.restored_points or done.reversed_points:
        done = await moving.move(db, order, done, before, earned, now=now, actor=actor)
    await db.execute(ADD, _row(order, done, actor))
    all_back = {str(line): micro for line, micro in {**order.returned, **until}.items()}
    await db.execute(RETURNED, [Jsonb(all_back), order.member_id, order.order_ref])
    await outbox.record(db, [_fact(order, done, now)])
    return done


def _check(order: Order, quantities: dict[int, int]) -> None:
    sold = {line.line: line for line in order.lines}
    for number, micro in quantities.items():
        line = sold.get(number)
        if line is None or line.quantity_micro == 0:
            what = "was sold without delivery" if number == DELIVERY else f"has no line {number}"
            raise LineMissing(f"The order {what}; lines are numbered as they were sent, from 1.")
        left = line.quantity_micro - order.returned.get(number, 0)
        if micro > left:
            raise OverReturned(
                f"Of line {number} only {left / 1_000_000:g} are left to return.",
                extra={"line": number, "left": left / 1_000_000},
            )


def _line(
    line: SoldLine,
    micro: int,
    before: Sequence[Return],
    until: int,
    earned: Sequence[Earned],
) -> ReturnedLine:
    """What `micro` more of a line give back, `until` of it in all."""
    earlier = [one for back in before for one in back.lines if one.line == line.line]

    def due(total: int, given: int) -> int:
        return returned(total, part=until, whole=line.quantity_micro) - given

    return ReturnedLine(
        line=line.line,
        quantity_micro=micro,
        restored=due(line.points, sum(one.restored for one in earlier)),
        reversed=due(sum(one.part.points for one in earned), sum(one.reversed for one in earlier)),
        refund_kopecks=due(line.pay_kopecks, sum(one.refund_kopecks for one in earlier)),
    )


def _row(order: Order, done: Return, actor: str) -> list[Any]:
    lines = [
        [line.line, line.quantity_micro, line.restored, line.reversed, line.refund_kopecks]
        for line in done.lines
    ]
    return [
        order.member_id,
        order.order_ref,
        done.kind,
        done.return_id,
        done.returned_at,
        done.recorded_at,
        actor,
        done.fingerprint,
        done.restored_points,
        done.expired_points,
        done.reversed_points,
        done.forgiven_points,
        done.debt_points,
        done.refund_kopecks,
        Jsonb(lines),
    ]


def _fact(order: Order, done: Return, now: datetime) -> Any:
    back = {
        "sales_channel": order.sales_channel,
        "order_id": order.order_id,
        "purchase_id": str(order.purchase_id),
        "restored_points": done.restored_points,
        "reversed_points": done.reversed_points,
        "refund_kopecks": done.refund_kopecks,
    }
    if done.kind == RETURN:
        back["return_id"] = done.return_id
    return events.returned(done.kind, order.member_id, back, occurred_at=done.returned_at, now=now)
