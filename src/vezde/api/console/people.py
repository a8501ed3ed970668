"""Who works here: invited, given another role, gone; and what everybody did."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from vezde.access import operations as access
from vezde.access import queries as access_queries
from vezde.access.staff import JournalEntry, Operator, Right, Role, Shift, console_link
from vezde.api import names, operators
from vezde.api.callers import right
from vezde.api.console.sessions import PATH
from vezde.api.once import Done, Till, once
from vezde.api.pages import Cursor, Limit, Page, page
from vezde.api.tools import Tools, tools
from vezde.kit.db import Db

router = APIRouter(tags=["console"])
Manager = Annotated[Shift, Depends(right(Right.PEOPLE))]
Reader = Annotated[Shift, Depends(right(Right.JOURNAL))]
Using = Annotated[Tools, Depends(tools)]


class PersonIn(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: Annotated[str, Field(max_length=200)]
    role: Role
    phone: Annotated[str, Field(max_length=40)] | None = None


class RoleIn(BaseModel):
    model_config = ConfigDict(extra="forbid")
    role: Role


class PersonOut(BaseModel):
    id: str
    name: str
    role: Role
    since: datetime
    left_at: datetime | None


class PeopleOut(BaseModel):
    items: list[PersonOut]


class InvitationOut(BaseModel):
    """A link that signs them in once, shown this once."""

    person: PersonOut
    link: str
    expires_at: datetime


class EntryOut(BaseModel):
    """What somebody did; `details` are ids and numbers, of changes also before and after."""

    id: str
    who: str
    what: str
    at: datetime
    member_id: str | None
    details: dict[str, Any]


@router.get(f"{PATH}/people")
async def listed(_shift: Manager, using: Using) -> PeopleOut:
    """Everybody, those who left too, oldest first."""
    async with using.database.transaction() as db:
        found = await access_queries.operators(db)
    return PeopleOut(items=[_shown(one) for one in found])


@router.post(f"{PATH}/people", status_code=201, response_model=PersonOut)
async def take_on(request: Request, given: PersonIn, shift: Manager, using: Using) -> Response:
    """A new account; they sign in by a link or, with a phone, by codes."""

    async def work(db: Db, now: datetime) -> Done:
        made = await access.take_on(
            db, **given.model_dump(), vault=using.vault, now=now, actor=shift.operator.actor
        )
        await _noted(db, shift, "person_taken_on", made, now, after={"role": made.role})
        return Done(201, _shown(made))

    return await once(request, Till(shift.operator.operator_id), given, work)


@router.post(f"{PATH}/people/{{operator_id}}/link", status_code=201, response_model=InvitationOut)
async def invite(request: Request, operator_id: str, shift: Manager, using: Using) -> Response:
    """A one-time link for them; the one before is void."""

    async def work(db: Db, now: datetime) -> Done:
        internal = names.operator_id(operator_id)
        secret, expires = await access.invite(db, internal, wall=using.clock.wall())
        person = await access.operator(db, internal)
        await _noted(db, shift, "person_invited", person, now)
        link = console_link(using.doors.public_url, secret)
        return Done(201, InvitationOut(person=_shown(person), link=link, expires_at=expires))

    return await once(request, Till(shift.operator.operator_id), None, work)


@router.put(f"{PATH}/people/{{operator_id}}/role")
async def change_role(operator_id: str, given: RoleIn, shift: Manager, using: Using) -> PersonOut:
    """Another role, at once, also where they are signed in."""
    async with using.database.transaction() as db:
        now = await using.clock.programme(db)
        before, after = await access.change_role(
            db, names.operator_id(operator_id), given.role, by=shift.operator
        )
        await _noted(
            db, shift, "role_changed", after, now, {"role": before.role}, {"role": after.role}
        )
    return _shown(after)


@router.delete(f"{PATH}/people/{{operator_id}}", status_code=204)
async def leave(operator_id: str, shift: Manager, using: Using) -> Response:
    """They left: their sessions, codes and links end at once."""
    async with using.database.transaction() as db:
        now = await using.clock.programme(db)
        gone = await access.leave(
            *(db, names.operator_id(operator_id)),
            now=now,
            actor=shift.operator.actor,
            by=shift.operator,
        )
        await _noted(db, shift, "person_left", gone, now)
    return Response(status_code=204)


@router.get(f"{PATH}/journal")
async def journal(
    _shift: Reader,
    using: Using,
    operator_id: str | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[EntryOut]:
    """Who did what and when, newest first."""
    before = operators.position(cursor)
    async with using.database.transaction() as db:
        rows = await access_queries.journal(
            db,
            operator_id=names.operator_id(operator_id) if operator_id else None,
            before=before,
            limit=limit + 1,
        )
        known = {one.operator_id: one.name for one in await access_queries.operators(db)}
    return page(
        rows,
        limit,
        show=lambda one: _entry(one, known[one.operator_id]),
        position=operators.entry_id,
    )


def _shown(one: Operator) -> PersonOut:
    return PersonOut(
        id=names.operator(one.operator_id),
        name=one.name,
        role=one.role,
        since=one.created_at,
        left_at=one.left_at,
    )


def _entry(one: JournalEntry, who: str) -> EntryOut:
    return EntryOut(
        id=operators.entry_id(one),
        who=who,
        what=one.what,
        at=one.at,
        member_id=names.member(one.member_id) if one.member_id else None,
        details=one.details,
    )


async def _noted(
    db: Db,
    shift: Shift,
    what: str,
    person: Operator,
    now: datetime,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    details: dict[str, Any] = {"operator_id": names.operator(person.operator_id)}
    if before is not None:
        details["before"] = before
    if after is not None:
        details["after"] = after
    await access.note(db, shift.operator, what, now=now, details=details)
