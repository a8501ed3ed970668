"""Orders of the brand's own site and tills, and what comes back of them."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from vezde.access.model import Key, Scope
from vezde.api import baskets, bodies, names
from vezde.api.baskets import Channel, Kopecks, Lines, Number, Quantity
from vezde.api.callers import scope
from vezde.api.once import Done, once
from vezde.api.problems import Malformed
from vezde.api.tools import Tools, tools
from vezde.checkout import operations, queries
from vezde.checkout.model import DELIVERY, Basket, ReturnedLine
from vezde.checkout.operations.moving import CANCEL
from vezde.checkout.queries import Order, Return
from vezde.kit import money
from vezde.kit.db import Db

router = APIRouter(tags=["checkout"])
Caller = Annotated[Key, Depends(scope(Scope.CHECKOUT))]
Using = Annotated[Tools, Depends(tools)]
ChannelPath = Annotated[str, Path(max_length=60)]
NumberPath = Annotated[str, Path(max_length=100)]


class OrderStatus(StrEnum):
    """What is left of an order."""

    RECORDED = "recorded"
    PARTLY_RETURNED = "partly_returned"
    RETURNED = "returned"
    CANCELLED = "cancelled"


class OrderIn(BaseModel):
    """An order that is paid, in money alone; points pay by a hold and its commit.

    Whose it is says `member_id`, or the `quote_id` that the widget gave the page.
    """

    model_config = ConfigDict(extra="forbid")
    order_id: Number
    member_id: str | None = None
    quote_id: Annotated[str | None, Field(max_length=1_000)] = None
    sales_channel: Channel
    ordered_at: datetime
    paid_at: datetime
    lines: Lines
    paid_kopecks: Kopecks
    delivery_kopecks: Kopecks = 0

    @model_validator(mode="before")
    @classmethod
    def _no_points(cls, given: Any) -> Any:
        if isinstance(given, dict) and "points" in given:
            raise PydanticCustomError(
                "offline_burning",
                "Points cannot pay for an order that is paid already. Ask for a quote, hold the "
                "points and commit the hold; without a connection take money only.",
            )
        return given

    @model_validator(mode="after")
    def _one_buyer(self) -> "OrderIn":
        if (self.member_id is None) == (self.quote_id is None):
            raise PydanticCustomError(
                "one_buyer", "Say whose order it is by one of both: member_id, or quote_id."
            )
        return self


class ReturnLineIn(BaseModel):
    """How many of a line came back; `line` counts from 1."""

    model_config = ConfigDict(extra="forbid")
    line: Annotated[int, Field(ge=1, le=baskets.MOST_LINES)]
    quantity: Quantity


class ReturnIn(BaseModel):
    """What came back at once; with `delivery` its price is given back, too."""

    model_config = ConfigDict(extra="forbid")
    return_id: Number
    returned_at: datetime
    lines: Annotated[list[ReturnLineIn], Field(min_length=1, max_length=baskets.MOST_LINES)]
    delivery: bool = False


class EarnedOut(BaseModel):
    pending: int
    active: int
    active_at: datetime | None


class SoldLineOut(BaseModel):
    line: int
    sku: str
    quantity: int | float
    points: int
    discount_kopecks: int
    pay_kopecks: int
    earned_points: int


class DeliveryOut(BaseModel):
    points: int
    discount_kopecks: int
    pay_kopecks: int


class OrderOut(BaseModel):
    """An order as it was recorded: what points paid, what the money earned."""

    order_id: str
    sales_channel: str
    member_id: str
    purchase_id: str
    hold_id: str | None
    spent_points: int
    earned: EarnedOut
    paid_kopecks: int
    lines: list[SoldLineOut]
    delivery: DeliveryOut
    ordered_at: datetime
    paid_at: datetime
    recorded_at: datetime


class ReturnedLineOut(BaseModel):
    line: int
    quantity: int | float
    restored_points: int
    reversed_points: int
    refund_kopecks: int


class ReturnedDeliveryOut(BaseModel):
    restored_points: int
    refund_kopecks: int


class ReturnOut(BaseModel):
    """What came back: money to refund, points given back, earned points taken back.

    Of the restored `expired_points` had passed their date; of the reversed `forgiven_points` were
    spent already and let go, `debt_points` are owed. `return_id` is null for a cancelled order.
    """

    return_id: str | None
    restored_points: int
    expired_points: int
    reversed_points: int
    forgiven_points: int
    debt_points: int
    refund_kopecks: int
    lines: list[ReturnedLineOut]
    delivery: ReturnedDeliveryOut | None
    returned_at: datetime


class ShownOrderOut(OrderOut):
    """An order with all that came back of it."""

    status: OrderStatus
    returns: list[ReturnOut]


def order_out(order: Order, *, at: datetime | None = None) -> OrderOut:
    """The order's answer; `earned` as it was when it was recorded, or is by `at`."""
    return OrderOut(**_shown(order, at or order.recorded_at))


def _shown(order: Order, at: datetime) -> dict[str, Any]:
    *goods, delivery = order.lines
    waits = order.active_at is not None and order.active_at > at
    return {
        "order_id": order.order_id,
        "sales_channel": order.sales_channel,
        "member_id": names.member(order.member_id),
        "purchase_id": names.purchase(order.member_id, order.purchase_id),
        "hold_id": names.hold(order.member_id, order.hold_id) if order.hold_id else None,
        "spent_points": order.spent_points,
        "earned": EarnedOut(
            pending=order.earned_points if waits else 0,
            active=0 if waits else order.earned_points,
            active_at=order.active_at,
        ),
        "paid_kopecks": order.paid_kopecks,
        "lines": [
            SoldLineOut(
                line=line.line,
                sku=line.sku or "",
                quantity=money.quantity_number(line.quantity_micro),
                points=line.points,
                discount_kopecks=line.discount_kopecks,
                pay_kopecks=line.pay_kopecks,
                earned_points=line.earned,
            )
            for line in goods
        ],
        "delivery": DeliveryOut(
            points=delivery.points,
            discount_kopecks=delivery.discount_kopecks,
            pay_kopecks=delivery.pay_kopecks,
        ),
        "ordered_at": order.ordered_at,
        "paid_at": order.paid_at,
        "recorded_at": order.recorded_at,
    }


def return_out(back: Return) -> ReturnOut:
    delivery = next((line for line in back.lines if line.line == DELIVERY), None)
    return ReturnOut(
        return_id=None if back.kind == CANCEL else back.return_id,
        restored_points=back.restored_points,
        expired_points=back.expired_points,
        reversed_points=back.reversed_points,
        forgiven_points=back.forgiven_points,
        debt_points=back.debt_points,
        refund_kopecks=back.refund_kopecks,
        lines=[_returned(line) for line in back.lines if line.line != DELIVERY],
        delivery=None
        if delivery is None
        else ReturnedDeliveryOut(
            restored_points=delivery.restored, refund_kopecks=delivery.refund_kopecks
        ),
        returned_at=back.returned_at,
    )


def _returned(line: ReturnedLine) -> ReturnedLineOut:
    return ReturnedLineOut(
        line=line.line,
        quantity=money.quantity_number(line.quantity_micro),
        restored_points=line.restored,
        reversed_points=line.reversed,
        refund_kopecks=line.refund_kopecks,
    )


@router.post("/v1/orders", status_code=201)
async def record(request: Request, given: OrderIn, caller: Caller, using: Using) -> Response:
    """Record an order paid in money; late ones are priced as of `paid_at`."""
    ordered_at = bodies.instant("ordered_at", given.ordered_at)
    paid_at = bodies.instant("paid_at", given.paid_at)
    lines = baskets.lines(given.lines)
    named = names.member_id(given.member_id) if given.member_id is not None else None

    async def work(db: Db, now: datetime) -> Done:
        member_id = named or await operations.buyer(
            db, given.quote_id or "", given.sales_channel, vault=using.vault
        )
        order = await operations.record(
            db,
            given.order_id,
            Basket(member_id, given.sales_channel, lines, given.delivery_kopecks),
            paid_kopecks=given.paid_kopecks,
            ordered_at=ordered_at,
            paid_at=paid_at,
            now=now,
            actor=caller.actor,
        )
        return Done(201, order_out(order), order.member_id)

    return await once(request, caller, given, work, pipeline=True)


@router.get("/v1/orders/{sales_channel}/{order_id}")
async def one(
    sales_channel: ChannelPath, order_id: NumberPath, _caller: Caller, using: Using
) -> ShownOrderOut:
    """An order with what came back of it."""
    async with using.database.transaction() as db:
        now = await using.clock.programme(db)
        order, returns = await queries.shown_order(db, sales_channel, order_id)
    return ShownOrderOut(
        **_shown(order, now),
        status=_status(order, returns),
        returns=[return_out(back) for back in returns],
    )


@router.post("/v1/orders/{sales_channel}/{order_id}/cancel")
async def cancel(
    request: Request, sales_channel: ChannelPath, order_id: NumberPath, caller: Caller
) -> Response:
    """Give back all that is left of an order, the delivery too."""

    async def work(db: Db, now: datetime) -> Done:
        back = await operations.cancel_order(
            db, sales_channel, order_id, now=now, actor=caller.actor
        )
        return Done(200, return_out(back))

    return await once(request, caller, None, work)


@router.post("/v1/orders/{sales_channel}/{order_id}/returns")
async def take_back(
    request: Request,
    sales_channel: ChannelPath,
    order_id: NumberPath,
    given: ReturnIn,
    caller: Caller,
) -> Response:
    """Some goods of an order came back; the same `return_id` again answers the same."""
    returned_at = bodies.instant("returned_at", given.returned_at)
    quantities = _quantities(given)

    async def work(db: Db, now: datetime) -> Done:
        back = await operations.take_back(
            db,
            sales_channel,
            order_id,
            return_id=given.return_id,
            returned_at=returned_at,
            quantities=quantities,
            now=now,
            actor=caller.actor,
        )
        return Done(200, return_out(back))

    return await once(request, caller, given, work)


def _quantities(given: ReturnIn) -> dict[int, int]:
    """Millionths by line; the delivery is one whole thing."""
    quantities: dict[int, int] = {}
    for one in given.lines:
        if one.line in quantities:
            raise Malformed(f"Line {one.line} stands twice; send each line once.")
        quantities[one.line] = money.micro(one.quantity)
    if given.delivery:
        quantities[DELIVERY] = money.MILLION
    return quantities


def _status(order: Order, returns: list[Return]) -> OrderStatus:
    if any(back.kind == CANCEL for back in returns):
        return OrderStatus.CANCELLED
    left = [line.quantity_micro - order.returned.get(line.line, 0) for line in order.goods]
    if not any(left):
        return OrderStatus.RETURNED
    return OrderStatus.PARTLY_RETURNED if returns else OrderStatus.RECORDED
