"""An order is recorded: its number claimed, its goods a purchase, its points earned."""

from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, LiteralString
from uuid import UUID

from psycopg.types.json import Jsonb

from vezde.checkout import events, queries, quoting
from vezde.checkout.model import DELIVERY, Basket, Share, SoldLine
from vezde.checkout.operations.pricing import Setting
from vezde.checkout.queries import Order
from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.kit.errors import DomainError, Kind
from vezde.ledger.operations import Spent
from vezde.outbox import operations as outbox
from vezde.program.decide import CLOCKS_DIFFER_BY
from vezde.program.model import Decision
from vezde.purchases import operations as purchases

CLAIM: LiteralString = """
INSERT INTO checkout.order_claim (sales_channel, order_id, member_id, order_ref)
VALUES (%s, %s, %s, %s)
ON CONFLICT DO NOTHING RETURNING order_ref
"""
ADD: LiteralString = """
INSERT INTO checkout.purchase_order (member_id, order_ref, sales_channel, order_id, purchase_id,
    hold_id, account_id, spent_seq, spent_points, earned_points, active_at, paid_kopecks, version,
    ordered_at, paid_at, recorded_at, recorded_by, fingerprint, lines, returned)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, '{}')
"""

# A shop's clock and ours; what is further ahead is a mistyped date.
CLOCK_SLACK = timedelta(minutes=15)


class OrderExists(DomainError):
    """The sales channel has an order of this number with other content."""

    code = "order_exists"
    kind = Kind.CONFLICT


class PaidInFuture(DomainError):
    """The order was paid at a time that has not come yet."""

    code = "paid_in_future"
    kind = Kind.REFUSED


@dataclass(frozen=True, slots=True)
class NewOrder:
    """An order about to be recorded; `shares` are by line, the delivery's last.

    `ordered_at` and `paid_at` are the shop's; `paid_at` picks the programme's version. `hold_id`
    belongs to an order that points paid in part.
    """

    order_ref: UUID
    order_id: str
    basket: Basket
    shares: Sequence[Share]
    ordered_at: datetime
    paid_at: datetime
    fingerprint: bytes
    hold_id: UUID | None = None

    @property
    def number(self) -> tuple[str, str]:
        return self.basket.sales_channel, self.order_id


def check_paid_at(paid_at: datetime, *, now: datetime) -> None:
    """Raises `PaidInFuture`."""
    if paid_at > now + CLOCKS_DIFFER_BY:
        raise PaidInFuture("paid_at has not come yet. Send the time of the payment, in UTC.")


async def known(
    db: Db, sales_channel: str, order_id: str, *, member_id: UUID, order_ref: UUID, same: bytes
) -> Order | None:
    """Claim the shop's number for this order; an order recorded before under it, else None.

    Waits for whoever records it at this moment. Raises `OrderExists` when it is another order.
    """
    number = [sales_channel, order_id]
    cursor = await db.execute(CLAIM, [*number, member_id, order_ref])
    if await cursor.fetchone() is not None:
        return None
    found = await queries.order(db, *await queries.find_order(db, *number))
    if found is None or found.member_id != member_id or found.fingerprint != same:
        raise OrderExists(
            f"{sales_channel} has an order «{order_id}» already, with other content. Give this "
            "one its own number, or send the first one as it was."
        )
    return found


async def keep(
    db: Db,
    new: NewOrder,
    found: Setting,
    *,
    spending: Coroutine[Any, Any, Spent] | None = None,
    now: datetime,
    actor: str,
) -> Order:
    """Spend the order's points, if any, record it, whose number is claimed, and let it earn."""
    document = quoting.purchase_document(
        new.basket,
        list(new.shares),
        found.rules,
        found.products,
        order_ref=new.order_ref,
        at=new.paid_at,
        now=now,
        zone=found.programme.zone,
        order_id=new.order_id,
        proof={"order_id": new.order_id, "order_ref": str(new.order_ref)},
    )
    if spending is None:
        spent, (recorded,) = None, await purchases.record(db, [document], now=now, actor=actor)
    else:
        # Spending is asked first, so the account is locked and points of this order come too late
        # to pay for it.
        spent, (recorded,) = await kit_db.together(
            db, spending, purchases.record(db, [document], now=now, actor=actor, held=True)
        )
    order = _order(new, spent, recorded.purchase_id, recorded.decision, now)
    await db.execute(ADD, _row(order, found.programme.version, actor))
    await outbox.record(db, _facts(order, now))
    return order


def _order(
    new: NewOrder,
    spent: Spent | None,
    purchase_id: UUID,
    decision: Decision | None,
    now: datetime,
) -> Order:
    earned: dict[int, int] = {}
    for part in decision.parts if decision else ():
        earned[part.line] = earned.get(part.line, 0) + part.points
    return Order(
        member_id=new.basket.member_id,
        order_ref=new.order_ref,
        sales_channel=new.basket.sales_channel,
        order_id=new.order_id,
        purchase_id=purchase_id,
        hold_id=new.hold_id,
        account_id=new.basket.member_id,
        spent_seq=spent.seq if spent else None,
        spent_points=spent.points if spent else 0,
        earned_points=decision.points if decision else 0,
        active_at=decision.active_at if decision else None,
        paid_kopecks=sum(share.pay_kopecks for share in new.shares),
        ordered_at=new.ordered_at,
        paid_at=new.paid_at,
        recorded_at=now,
        fingerprint=new.fingerprint,
        lines=_sold(new, earned),
        returned={},
    )


def _sold(new: NewOrder, earned: dict[int, int]) -> tuple[SoldLine, ...]:
    *goods, delivery = new.shares
    lines = [
        SoldLine(
            line.line,
            line.sku,
            line.quantity_micro,
            line.price_kopecks,
            line.sum_kopecks,
            share.points,
            share.discount_kopecks,
            share.pay_kopecks,
            earned.get(line.line, 0),
        )
        for line, share in zip(new.basket.lines, goods, strict=True)
    ]
    price = new.basket.delivery_kopecks
    shared = (delivery.points, delivery.discount_kopecks, delivery.pay_kopecks)
    return (*lines, SoldLine(DELIVERY, None, 1_000_000 if price else 0, price, price, *shared, 0))


def _row(order: Order, version: int, actor: str) -> list[Any]:
    return [
        order.member_id,
        order.order_ref,
        order.sales_channel,
        order.order_id,
        order.purchase_id,
        order.hold_id,
        order.account_id,
        order.spent_seq,
        order.spent_points,
        order.earned_points,
        order.active_at,
        order.paid_kopecks,
        version,
        order.ordered_at,
        order.paid_at,
        order.recorded_at,
        actor,
        order.fingerprint,
        Jsonb([_line(line) for line in order.lines]),
    ]


def _line(line: SoldLine) -> list[Any]:
    return [
        line.line,
        line.sku,
        line.quantity_micro,
        line.price_kopecks,
        line.sum_kopecks,
        line.points,
        line.discount_kopecks,
        line.pay_kopecks,
        line.earned,
    ]


def _facts(order: Order, now: datetime) -> list[Any]:
    named = {
        "sales_channel": order.sales_channel,
        "order_id": order.order_id,
        "purchase_id": str(order.purchase_id),
    }
    told = {
        **named,
        "paid_kopecks": order.paid_kopecks,
        "spent_points": order.spent_points,
        "earned_points": order.earned_points,
    }
    who, at = order.member_id, order.paid_at
    facts = [events.recorded(who, told, occurred_at=at, now=now)]
    if order.spent_points:
        facts.insert(
            0, events.spent(who, named, points=order.spent_points, occurred_at=at, now=now)
        )
    return facts
