"""The brand's people: taken on, gone, and what they did."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from vezde.access import operations as access
from vezde.access import queries as access_queries
from vezde.access.model import Key, Scope
from vezde.access.staff import JournalEntry, Operator
from vezde.api import names
from vezde.api.callers import scope
from vezde.api.once import Done, once
from vezde.api.pages import BadCursor, Cursor, Limit, Page, cursor_of, page
from vezde.api.tools import Tools, tools
from vezde.kit import ids
from vezde.kit.db import Db
from vezde.members import queries as members

router = APIRouter(tags=["operators"])
Caller = Annotated[Key, Depends(scope(Scope.OPERATORS))]
Using = Annotated[Tools, Depends(tools)]
Word = Annotated[str, Field(pattern="^[a-z][a-z0-9_]{0,39}$")]


class OperatorIn(BaseModel):
    """`telegram` is the account's number; sales at their till are of `sales_channel`."""

    model_config = ConfigDict(extra="forbid")
    name: str
    role: str
    phone: Annotated[str, Field(max_length=40)] | None = None
    telegram: Annotated[str, Field(max_length=20)] | None = None
    sales_channel: Word = "own_shop"


class OperatorOut(BaseModel):
    """An operator; how they are reached is shown to nobody."""

    id: str
    name: str
    role: str
    sales_channel: str
    created_at: datetime
    left_at: datetime | None


class CodeOut(BaseModel):
    """A one-time code to sign in by, shown this once."""

    code: str
    expires_at: datetime


class NewOperatorOut(OperatorOut):
    code: str
    expires_at: datetime


class OperatorsOut(BaseModel):
    items: list[OperatorOut]


class JournalOut(BaseModel):
    """What an operator did; `details` are ids and numbers."""

    id: str
    operator_id: str
    what: str
    at: datetime
    member_id: str | None
    details: dict[str, Any]


@router.post("/v1/operators", status_code=201, response_model=NewOperatorOut)
async def take_on(request: Request, given: OperatorIn, caller: Caller, using: Using) -> Response:
    """A new operator and their first one-time code."""

    async def work(db: Db, now: datetime) -> Done:
        made = await access.take_on(
            db, **given.model_dump(), vault=using.vault, now=now, actor=caller.actor
        )
        code, expires = await access.operator_code(
            db, made.operator_id, vault=using.vault, wall=using.clock.wall()
        )
        shown = operator_out(made).model_dump()
        return Done(201, NewOperatorOut(**shown, code=code, expires_at=expires))

    return await once(request, caller, given, work)


@router.get("/v1/operators")
async def listed(_caller: Caller, using: Using) -> OperatorsOut:
    """Every operator, those who left too, oldest first."""
    async with using.database.transaction() as db:
        found = await access_queries.operators(db)
    return OperatorsOut(items=[operator_out(one) for one in found])


@router.get("/v1/operators/journal")
async def journal(
    _caller: Caller,
    using: Using,
    operator_id: str | None = None,
    member_id: str | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[JournalOut]:
    """Who did what about whom, newest first; of a member also under ids from before a merge."""
    before = position(cursor)
    async with using.database.transaction() as db:
        about = None
        if member_id is not None:
            asked = names.member_id(member_id)
            about = [asked, *(await members.former(db, [asked])).get(asked, [])]
        entries = await access_queries.journal(
            db,
            operator_id=names.operator_id(operator_id) if operator_id else None,
            member_ids=about,
            before=before,
            limit=limit + 1,
        )
    return page(entries, limit, show=_entry_out, position=entry_id)


@router.post("/v1/operators/{operator_id}/code", status_code=201, response_model=CodeOut)
async def code(request: Request, operator_id: str, caller: Caller, using: Using) -> Response:
    """A new one-time code; the one before is not good any more."""

    async def work(db: Db, _now: datetime) -> Done:
        made, expires = await access.operator_code(
            db, names.operator_id(operator_id), vault=using.vault, wall=using.clock.wall()
        )
        return Done(201, CodeOut(code=made, expires_at=expires))

    return await once(request, caller, None, work)


@router.delete("/v1/operators/{operator_id}", status_code=204)
async def leave(operator_id: str, caller: Caller, using: Using) -> Response:
    """The operator left: their sessions and codes end at once."""
    async with using.database.transaction() as db:
        now = await using.clock.programme(db)
        await access.leave(db, names.operator_id(operator_id), now=now, actor=caller.actor)
    return Response(status_code=204)


def operator_out(one: Operator) -> OperatorOut:
    return OperatorOut(
        id=names.operator(one.operator_id),
        name=one.name,
        role=one.role,
        sales_channel=one.sales_channel,
        created_at=one.created_at,
        left_at=one.left_at,
    )


def _entry_out(one: JournalEntry) -> JournalOut:
    return JournalOut(
        id=entry_id(one),
        operator_id=names.operator(one.operator_id),
        what=one.what,
        at=one.at,
        member_id=names.member(one.member_id) if one.member_id else None,
        details=one.details,
    )


def entry_id(one: JournalEntry) -> str:
    return ids.public(names.JOURNAL, one.entry_id)


def position(cursor: str | None) -> Any:
    text = cursor_of(cursor)
    if text is None:
        return None
    try:
        return ids.parse(names.JOURNAL, text)[0]
    except ids.UnknownId as error:
        raise BadCursor("Take the cursor from next_cursor of the page before.") from error
