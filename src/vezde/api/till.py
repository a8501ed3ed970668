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
from vezde.api import names, origins
from vezde.api.callers import TILL_COOKIE, till
from vezde.api.tools import Tools, tools
from vezde.api.widget import EVEN_SECONDS, SummaryPointsOut, points_out
from vezde.kit.db import Db
from vezde.members import identities
from vezde.members import operations as members_ops
from vezde.members import queries as members
from vezde.members.model import no_such_member
from vezde.messaging.model import View

router = APIRouter(tags=["till"])
OnShift = Annotated[Shift, Depends(till)]
Using = Annotated[Tools, Depends(tools)]


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
