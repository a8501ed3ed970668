"""The till: an operator signs in by a short code, finds members, and takes points for them."""

import asyncio
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import urlsplit
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, model_validator

from vezde.access import doors
from vezde.access import operations as access
from vezde.access.doors import Attempt
from vezde.access.operations import staffing, telling
from vezde.access.operations.telling import Message, Way
from vezde.access.staff import Shift
from vezde.api import baskets, names, origins
from vezde.api.baskets import Kopecks, Lines, Number
from vezde.api.callers import TILL_COOKIE, till
from vezde.api.checkout import QuoteOut
from vezde.api.once import Done, Till, once
from vezde.api.tools import Tools, tools
from vezde.api.widget import EVEN_SECONDS, SummaryPointsOut, points_out
from vezde.checkout import operations as checkout
from vezde.checkout.model import Basket, BasketLine
from vezde.checkout.operations import paying
from vezde.checkout.operations.paying import Payment, PaymentState
from vezde.kit import ids
from vezde.kit.db import Db
from vezde.kit.money import MILLION
from vezde.members import identities
from vezde.members import operations as members_ops
from vezde.members import queries as members
from vezde.members.model import no_such_member
from vezde.messaging.model import View
from vezde.program import queries as program

router = APIRouter(tags=["till"])
OnShift = Annotated[Shift, Depends(till)]
Using = Annotated[Tools, Depends(tools)]
SUM_ALONE = "-"  # the line of a till that knows the sum alone


class AskCodeIn(BaseModel):
    model_config = ConfigDict(extra="forbid")
    phone: Annotated[str, Field(max_length=40)]


class AskedOut(BaseModel):
    """The same whoever has the phone."""

    expires_at: datetime


class ShiftIn(BaseModel):
    """`bearer`: a token instead of the cookie, for programs that are no pages."""

    model_config = ConfigDict(extra="forbid")
    code: Annotated[str, Field(max_length=40)]
    bearer: bool = False


class WhoOut(BaseModel):
    id: str
    name: str
    role: str


class ShiftOut(BaseModel):
    operator: WhoOut
    expires_at: datetime


class NewShiftOut(ShiftOut):
    token: str | None = None


class FindIn(BaseModel):
    """A member by phone, or by the code of their card."""

    model_config = ConfigDict(extra="forbid")
    phone: Annotated[str, Field(max_length=40)] | None = None
    card: Annotated[str, Field(max_length=40)] | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> "FindIn":
        if (self.phone is None) == (self.card is None):
            raise ValueError("give a phone or a card")
        return self


class TillMemberOut(BaseModel):
    """A member as a cashier sees them; `confirms_by` is how they can agree to a payment."""

    member_id: str
    name: str | None
    level: str | None = None
    points: SummaryPointsOut
    confirms_by: str | None


@router.post("/v1/till/codes", status_code=202)
async def ask_code(request: Request, given: AskCodeIn, using: Using) -> AskedOut:
    """Send an operator a one-time code, by the bot they are in or by SMS."""
    origins.refuse_foreign(request, using.doors.public_url)
    even = asyncio.create_task(asyncio.sleep(EVEN_SECONDS))
    wall = using.clock.wall()
    try:
        number = identities.phone(given.phone)
        async with using.database.transaction() as db:
            attempts = [
                Attempt(doors.CODES_OF_PHONE, f"operator {number}"),
                Attempt(doors.CODES_OF_CALLER, origins.caller_address(request)),
            ]
            await access.spend(db, attempts, vault=using.vault, wall=wall)
        async with using.database.transaction() as db:
            await _tell_operator(db, number, using, wall)
        await even
    finally:
        even.cancel()
    return AskedOut(expires_at=wall + doors.OPERATOR_CODE_TTL)


@router.post("/v1/till/sessions", status_code=201, response_model=NewShiftOut)
async def sign_in(request: Request, given: ShiftIn, using: Using) -> Response:
    """Sign in by a one-time code; the cookie, or with `bearer` the token, is good for a shift."""
    origins.refuse_foreign(request, using.doors.public_url)
    wall = using.clock.wall()
    async with using.database.transaction() as db:
        attempts = [
            Attempt(doors.SHIFTS_OF_CALLER, origins.caller_address(request)),
            Attempt(doors.SHIFTS, "all"),
        ]
        await access.spend(db, attempts, vault=using.vault, wall=wall)
    async with using.database.transaction() as db:
        now = await using.clock.programme(db)
        token, shift = await access.open_shift(
            db, given.code, vault=using.vault, now=now, wall=wall
        )
    shown = NewShiftOut(**dict(_shift_out(shift)), token=token if given.bearer else None)
    answer = JSONResponse(shown.model_dump(mode="json", exclude_none=True), status_code=201)
    if not given.bearer:
        answer.set_cookie(
            TILL_COOKIE,
            token,
            max_age=int(doors.SHIFT.total_seconds()),
            path="/v1/till",
            secure=urlsplit(using.doors.public_url).scheme == "https",
            httponly=True,
            samesite="strict",
        )
    return answer


@router.get("/v1/till/session")
async def session(shift: OnShift) -> ShiftOut:
    """Who is signed in at this till."""
    return _shift_out(shift)


@router.delete("/v1/till/session", status_code=204)
async def sign_out(shift: OnShift, using: Using) -> Response:
    """The shift is over."""
    async with using.database.transaction() as db:
        await access.end_shift(db, shift, now=await using.clock.programme(db))
    answer = Response(status_code=204)
    answer.delete_cookie(TILL_COOKIE, path="/v1/till", httponly=True, samesite="strict")
    return answer


class TillLines(BaseModel):
    """What is bought: lines, or the sum alone; without lines nothing is earned."""

    model_config = ConfigDict(extra="forbid")
    lines: Lines | None = None
    total_kopecks: Kopecks | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> "TillLines":
        if (self.lines is None) == (self.total_kopecks is None):
            raise ValueError("give lines or total_kopecks")
        return self

    def basket(self) -> tuple[BasketLine, ...]:
        if self.lines is not None:
            return baskets.lines(self.lines)
        return (BasketLine(1, SUM_ALONE, MILLION, self.total_kopecks or 0, earnable=False),)


class TillQuoteIn(TillLines):
    member_id: str


class PaymentIn(TillQuoteIn):
    """So many points; `order_id` is the till's own number, else one is made."""

    points: Annotated[int, Field(ge=1, le=10**12)]
    order_id: Number | None = None


class PayCodeIn(BaseModel):
    model_config = ConfigDict(extra="forbid")
    code: Annotated[str, Field(max_length=40)]


class EarnedOut(BaseModel):
    points: int
    active_at: datetime | None


class PaymentOut(BaseModel):
    """A payment with points; `asked_by` is bot or sms, `earned` there once it is paid."""

    id: str
    member_id: str
    state: PaymentState
    points: int
    pay_kopecks: int
    asked_by: str
    order_id: str
    expires_at: datetime
    earned: EarnedOut | None = None


@router.post("/v1/till/members")
async def find(given: FindIn, shift: OnShift, using: Using) -> TillMemberOut:
    """A member by phone or by card, with what a cashier may know; the journal has who looked."""
    wall = using.clock.wall()
    number = identities.phone(given.phone) if given.phone is not None else None
    pace = doors.FINDS_OF_TILL if number is not None else doors.CARDS_OF_TILL
    async with using.database.transaction() as db:
        attempt = Attempt(pace, str(shift.operator.operator_id))
        await access.spend(db, [attempt], vault=using.vault, wall=wall)
    async with using.database.transaction() as db:
        now = await using.clock.programme(db)
        if number is not None:
            member_id = (await members.ids_by_phone(db, [number], vault=using.vault)).get(number)
        else:
            member_id = await access.read_card(db, given.card or "", vault=using.vault, wall=wall)
        if member_id is None or not await members_ops.present(db, [member_id]):
            raise no_such_member()
        how = {"by": "phone" if number is not None else "card"}
        await access.note(
            db, shift.operator, "member_found", now=now, member_id=member_id, details=how
        )
        return await till_member(db, member_id, using, now)


@router.post("/v1/till/quotes")
async def quote(given: TillQuoteIn, shift: OnShift, using: Using) -> QuoteOut:
    """What points can pay here and now; nothing is kept."""
    async with using.database.transaction() as db:
        now = await using.clock.programme(db)
        found = await _quoted(db, given, shift, using, now)
    return QuoteOut.model_validate(found.to_json())


@router.post("/v1/till/payments", status_code=201, response_model=PaymentOut)
async def ask(request: Request, given: PaymentIn, shift: OnShift, using: Using) -> Response:
    """Hold the points and ask the member, in the bot or by an SMS code."""
    wall = using.clock.wall()
    member_id = names.member_id(given.member_id)
    async with using.database.transaction() as db:
        attempt = Attempt(doors.PAYMENTS_OF_MEMBER, str(member_id))
        await access.spend(db, [attempt], vault=using.vault, wall=wall)

    async def work(db: Db, now: datetime) -> Done:
        quoted = await _quoted(db, given, shift, using, now)
        programme = (await program.programmes(db)).at(now)
        wanted = paying.Wanted(
            quoted.quote_id,
            given.basket(),
            given.points,
            given.order_id or f"till-{ids.new()}",
            programme.name or "Vezde",
        )
        made = await checkout.ask_payment(
            db,
            member_id,
            wanted,
            channels=using.channels,
            points_name=programme.points_name,
            vault=using.vault,
            now=now,
            wall=wall,
            actor=shift.operator.actor,
        )
        await _noted(db, shift, "payment_asked", made, now)
        return Done(201, payment_out(made), member_id)

    return await once(request, Till(shift.operator.operator_id), given, work)


@router.get("/v1/till/payments/{payment_id}")
async def payment(payment_id: str, _shift: OnShift, using: Using) -> PaymentOut:
    """A payment as it is by now; a till asks every second."""
    async with using.database.transaction() as db:
        found = await checkout.payment(
            db, *names.pair(names.PAYMENT, payment_id), wall=using.clock.wall()
        )
    return payment_out(found)


@router.post("/v1/till/payments/{payment_id}/code")
async def confirm(payment_id: str, given: PayCodeIn, shift: OnShift, using: Using) -> PaymentOut:
    """The code that the member read out: the points are spent."""
    wall = using.clock.wall()
    member_id, name = names.pair(names.PAYMENT, payment_id)
    async with using.database.transaction() as db:
        wrong = await access.try_approval(
            db, member_id, name, given.code, vault=using.vault, wall=wall
        )
    if wrong is not None:
        raise wrong
    async with using.database.transaction() as db:
        now = await using.clock.programme(db)
        paid = await checkout.pay(
            db,
            member_id,
            name,
            how="code",
            vault=using.vault,
            now=now,
            wall=wall,
            actor=shift.operator.actor,
        )
        await _noted(db, shift, "payment_confirmed", paid, now)
    return payment_out(paid)


@router.post("/v1/till/payments/{payment_id}/cancel")
async def cancel(payment_id: str, shift: OnShift, using: Using) -> PaymentOut:
    """Take it back before it is paid: the points are free."""
    async with using.database.transaction() as db:
        now = await using.clock.programme(db)
        found = await checkout.give_up(
            db,
            *names.pair(names.PAYMENT, payment_id),
            declined=False,
            how="till",
            now=now,
            wall=using.clock.wall(),
            actor=shift.operator.actor,
        )
        await _noted(db, shift, "payment_cancelled", found, now)
    return payment_out(found)


def payment_out(one: Payment) -> PaymentOut:
    earned = one.order
    return PaymentOut(
        id=ids.public(names.PAYMENT, one.member_id, one.payment_id),
        member_id=names.member(one.member_id),
        state=one.state,
        points=one.points,
        pay_kopecks=one.pay_kopecks,
        asked_by=one.asked_by,
        order_id=one.order_id,
        expires_at=one.expires_wall,
        earned=EarnedOut(points=earned.earned_points, active_at=earned.active_at)
        if earned
        else None,
    )


async def _quoted(
    db: Db, given: TillQuoteIn, shift: Shift, using: Tools, now: datetime
) -> checkout.Quote:
    basket = Basket(names.member_id(given.member_id), shift.operator.sales_channel, given.basket())
    return await checkout.quote(db, basket, vault=using.vault, now=now)


async def _noted(db: Db, shift: Shift, what: str, one: Payment, now: datetime) -> None:
    details = {"payment_id": str(one.payment_id), "points": one.points}
    await access.note(db, shift.operator, what, now=now, member_id=one.member_id, details=details)


async def till_member(db: Db, member_id: UUID, using: Tools, now: datetime) -> TillMemberOut:
    """A member as a cashier sees them."""
    person = await members.member(db, member_id, vault=using.vault)
    way = await telling.way(db, member_id, phone=None, channels=using.channels, vault=using.vault)
    return TillMemberOut(
        member_id=names.member(member_id),
        name=person.name,
        points=await points_out(db, member_id, now=now),
        confirms_by=_confirms(way),
    )


def _confirms(way: Way | None) -> str | None:
    if way is None:
        return None
    return "bot" if way.channel is not None else "sms"


async def _tell_operator(db: Db, number: str, using: Tools, wall: datetime) -> None:
    found = await staffing.operator_by_phone(db, number, vault=using.vault)
    if found is None:
        return
    operator_id, contact = found
    member_id: UUID | None = None
    if contact.telegram is not None and "telegram" in using.channels.messengers:
        person = await members.find(db, vault=using.vault, kind="telegram", value=contact.telegram)
        member_id = person.member_id if person else None
    way = await telling.way(db, member_id, phone=number, channels=using.channels, vault=using.vault)
    if way is None:
        return
    code, expires = await access.operator_code(db, operator_id, vault=using.vault, wall=wall)
    said: dict[str, Any] = {"code": doors.shown(code)}
    key = f"operator/{operator_id}/{wall.isoformat()}"
    await telling.tell(
        db,
        way,
        Message(key, View("operator_code", said), "operator_sms", useless=expires),
        member_id=member_id,
        channels=using.channels,
        vault=using.vault,
        now=await using.clock.programme(db),
        wall=wall,
        actor="system",
    )


def _shift_out(shift: Shift) -> ShiftOut:
    who = shift.operator
    return ShiftOut(
        operator=WhoOut(id=names.operator(who.operator_id), name=who.name, role=who.role),
        expires_at=shift.expires_wall,
    )
