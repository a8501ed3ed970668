"""Signing in to the console, and out."""

from datetime import datetime
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, model_validator

from vezde.access import doors
from vezde.access import operations as access
from vezde.access.doors import Attempt
from vezde.access.staff import Door, Right, Role, Shift
from vezde.api import names, origins
from vezde.api.callers import CONSOLE_COOKIE, console
from vezde.api.tools import Tools, tools
from vezde.kit.db import Db
from vezde.program import queries as program

router = APIRouter(tags=["console"])
OnShift = Annotated[Shift, Depends(console)]
Using = Annotated[Tools, Depends(tools)]
PATH = "/v1/console"


class EnterIn(BaseModel):
    """The secret of a one-time link, or a one-time code."""

    model_config = ConfigDict(extra="forbid")
    link: Annotated[str, Field(max_length=100)] | None = None
    code: Annotated[str, Field(max_length=40)] | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> "EnterIn":
        if (self.link is None) == (self.code is None):
            raise ValueError("give a link or a code")
        return self


class MyselfOut(BaseModel):
    id: str
    name: str
    role: Role
    rights: list[Right]


class SessionOut(BaseModel):
    """Who is signed in, until when, and what the pages are of."""

    operator: MyselfOut
    expires_at: datetime
    programme: str | None
    timezone: str
    now: datetime
    sandbox: bool


@router.post(f"{PATH}/sessions", status_code=201, response_model=SessionOut)
async def sign_in(request: Request, given: EnterIn, using: Using) -> Response:
    """Sign in by a one-time link or code; the cookie is good for twelve hours."""
    origins.refuse_foreign(request, using.doors.public_url)
    wall = using.clock.wall()
    attempts = [Attempt(doors.SHIFTS_OF_CALLER, origins.caller_address(request))]
    if given.code is not None:
        attempts.append(Attempt(doors.SHIFTS, "all"))
    async with using.database.transaction() as db:
        await access.spend(db, attempts, vault=using.vault, wall=wall)
    async with using.database.transaction() as db:
        now = await using.clock.programme(db)
        if given.link is not None:
            token, shift = await access.open_by_invitation(db, given.link, now=now, wall=wall)
        else:
            token, shift = await access.open_shift(
                *(db, given.code or ""), vault=using.vault, now=now, wall=wall, door=Door.CONSOLE
            )
        shown = await _shown(db, shift, using, now)
    answer = JSONResponse(shown.model_dump(mode="json"), status_code=201)
    answer.set_cookie(
        CONSOLE_COOKIE,
        token,
        max_age=int(doors.SHIFT.total_seconds()),
        path=PATH,
        secure=urlsplit(using.doors.public_url).scheme == "https",
        httponly=True,
        samesite="strict",
    )
    return answer


@router.get(f"{PATH}/session")
async def session(shift: OnShift, using: Using) -> SessionOut:
    """Who is signed in here, and what they may do."""
    async with using.database.transaction() as db:
        return await _shown(db, shift, using, await using.clock.programme(db))


@router.delete(f"{PATH}/session", status_code=204)
async def sign_out(shift: OnShift, using: Using) -> Response:
    """The session is over."""
    async with using.database.transaction() as db:
        await access.end_shift(db, shift, now=await using.clock.programme(db))
    answer = Response(status_code=204)
    answer.delete_cookie(CONSOLE_COOKIE, path=PATH, httponly=True, samesite="strict")
    return answer


async def _shown(db: Db, shift: Shift, using: Tools, now: datetime) -> SessionOut:
    who = shift.operator
    programme = (
        (await program.programmes(db)).at(now) if await program.in_force(db, at=now) else None
    )
    return SessionOut(
        operator=MyselfOut(
            id=names.operator(who.operator_id),
            name=who.name,
            role=who.role,
            rights=sorted(who.rights),
        ),
        expires_at=shift.expires_wall,
        programme=programme.name if programme else None,
        timezone=str(programme.zone) if programme else "Europe/Moscow",
        now=now,
        sandbox=using.sandbox is not None,
    )
