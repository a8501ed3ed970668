"""Paying with points: quotes, and holds that become orders."""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from vezde.access.model import Key, Scope
from vezde.api import baskets, bodies, names
from vezde.api.baskets import Channel, Kopecks, Lines, Number
from vezde.api.callers import scope
from vezde.api.once import Done, once
from vezde.api.orders import order_out
from vezde.api.quick import QuickRoute
from vezde.api.tools import Tools, tools
from vezde.checkout import operations, queries
from vezde.checkout.model import Basket, HoldState
from vezde.checkout.queries import Hold
from vezde.kit.db import Db

router = APIRouter(tags=["checkout"])
quick = APIRouter(tags=["checkout"], route_class=QuickRoute)
Caller = Annotated[Key, Depends(scope(Scope.CHECKOUT))]
Using = Annotated[Tools, Depends(tools)]

MOST_TTL_SECONDS = 30 * 86_400
Ttl = Annotated[int, Field(ge=1, le=MOST_TTL_SECONDS)]


class QuoteIn(BaseModel):
    """What a member is about to buy."""

    model_config = ConfigDict(extra="forbid")
    member_id: str
    sales_channel: Channel
    lines: Lines
    delivery_kopecks: Kopecks = 0


class QuotedLineOut(BaseModel):
    line: int
    max_points: int
    earn_points: int


class ReasonOut(BaseModel):
    code: str
    line: int | None
    because: str


class QuoteOut(BaseModel):
    """What points can pay: of each line its share of `max_points` and of `earn_points`.

    `earn_points` is what the order earns when no points pay for it. `benefits` are none yet.
    """

    quote_id: str
    expires_at: datetime
    point_value_kopecks: int
    min_points: int
    max_points: int
    earn_points: int
    lines: list[QuotedLineOut]
    benefits: list[str] = []
    reasons: list[ReasonOut]


class HoldIn(BaseModel):
    """The quote's lines again, and how many points pay."""

    model_config = ConfigDict(extra="forbid")
    quote_id: Annotated[str, Field(max_length=1_000)]
    lines: Lines
    points: Annotated[int, Field(ge=1, le=10**12)]
    ttl_seconds: Ttl = 1_800


class HeldLineOut(BaseModel):
    line: int
    points: int
    discount_kopecks: int
    pay_kopecks: int


class HeldDeliveryOut(BaseModel):
    points: int
    discount_kopecks: int
    pay_kopecks: int


class HoldOut(BaseModel):
    """Points held for a basket, and what is left to pay, by line and in all."""

    hold_id: str
    member_id: str
    sales_channel: str
    state: HoldState
    points: int
    point_value_kopecks: int
    pay_kopecks: int
    lines: list[HeldLineOut]
    delivery: HeldDeliveryOut
    expires_at: datetime


class CommitIn(BaseModel):
    """The shop's number of the order, when it was paid; `lines` left out are the hold's."""

    model_config = ConfigDict(extra="forbid")
    order_id: Number
    paid_at: datetime
    lines: Lines | None = None


class ExtendIn(BaseModel):
    """For how long from now the points stay held."""

    model_config = ConfigDict(extra="forbid")
    ttl_seconds: Ttl


def hold_out(hold: Hold, now: datetime) -> HoldOut:
    *goods, delivery = hold.shares
    return HoldOut(
        hold_id=names.hold(hold.member_id, hold.hold_id),
        member_id=names.member(hold.member_id),
        sales_channel=hold.sales_channel,
        state=operations.shown_state(hold, now),
        points=hold.points,
        point_value_kopecks=hold.point_value_kopecks,
        pay_kopecks=hold.pay_kopecks,
        lines=[
            HeldLineOut(
                line=share.line,
                points=share.points,
                discount_kopecks=share.discount_kopecks,
                pay_kopecks=share.pay_kopecks,
            )
            for share in goods
        ],
        delivery=HeldDeliveryOut(
            points=delivery.points,
            discount_kopecks=delivery.discount_kopecks,
            pay_kopecks=delivery.pay_kopecks,
        ),
        expires_at=hold.expires_at,
    )


@quick.post("/v1/checkout/quotes", response_model=QuoteOut)
async def quote(asked: QuoteIn, _caller: Caller, using: Using) -> Response:
    """What points can pay of a basket and what it would earn; nothing is kept."""
    basket = Basket(
        names.member_id(asked.member_id),
        asked.sales_channel,
        baskets.lines(asked.lines),
        asked.delivery_kopecks,
    )
    async with using.database.glance() as db:
        now = await using.clock.programme(db)
        found = await operations.quote(db, basket, vault=using.vault, now=now)
    shown = QuoteOut.model_validate(found.to_json())
    return Response(shown.model_dump_json(), media_type="application/json")


@quick.post("/v1/checkout/holds", status_code=201)
async def hold(request: Request, asked: HoldIn, caller: Caller, using: Using) -> Response:
    """Reserve points for a quoted basket; needs an Idempotency-Key."""

    async def work(db: Db, now: datetime) -> Done:
        made = await operations.hold(
            db,
            asked.quote_id,
            baskets.lines(asked.lines),
            points=asked.points,
            ttl=timedelta(seconds=asked.ttl_seconds),
            vault=using.vault,
            now=now,
            actor=caller.actor,
        )
        return Done(201, hold_out(made, now), made.member_id)

    return await once(request, caller, asked, work, required=True, pipeline=True)


@router.get("/v1/checkout/holds/{hold_id}")
async def one(hold_id: str, _caller: Caller, using: Using) -> HoldOut:
    """A hold as it is by now."""
    async with using.database.transaction() as db:
        now = await using.clock.programme(db)
        found = await queries.shown_hold(db, *names.hold_ids(hold_id))
    return hold_out(found, now)


@quick.post("/v1/checkout/holds/{hold_id}/commit")
async def commit(
    request: Request, hold_id: str, asked: CommitIn, caller: Caller, using: Using
) -> Response:
    """The order is paid: its points are spent, the money earns. The same again answers the same."""
    member_id, internal = names.hold_ids(hold_id)
    paid_at = bodies.instant("paid_at", asked.paid_at)

    async def work(db: Db, now: datetime) -> Done:
        order = await operations.commit(
            db,
            member_id,
            internal,
            order_id=asked.order_id,
            paid_at=paid_at,
            lines=None if asked.lines is None else baskets.lines(asked.lines),
            vault=using.vault,
            now=now,
            actor=caller.actor,
        )
        return Done(200, order_out(order), order.member_id)

    return await once(request, caller, asked, work, pipeline=True)


@router.post("/v1/checkout/holds/{hold_id}/extend")
async def extend(request: Request, hold_id: str, asked: ExtendIn, caller: Caller) -> Response:
    """Keep the points held for so long from now; never shorter than they are."""
    member_id, internal = names.hold_ids(hold_id)

    async def work(db: Db, now: datetime) -> Done:
        ttl = timedelta(seconds=asked.ttl_seconds)
        found = await operations.extend(
            db, member_id, internal, ttl=ttl, now=now, actor=caller.actor
        )
        return Done(200, hold_out(found, now), found.member_id)

    return await once(request, caller, asked, work)


@router.post("/v1/checkout/holds/{hold_id}/cancel")
async def cancel(request: Request, hold_id: str, caller: Caller) -> Response:
    """Give up a hold: its points are free again. A committed one is refused."""
    member_id, internal = names.hold_ids(hold_id)

    async def work(db: Db, now: datetime) -> Done:
        found = await operations.cancel_hold(db, member_id, internal, now=now, actor=caller.actor)
        return Done(200, hold_out(found, now), found.member_id)

    return await once(request, caller, None, work)


router.include_router(quick)
