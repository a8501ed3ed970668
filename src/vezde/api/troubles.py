"""What was given up on: looked at, tried again, dropped."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel

from vezde.access.model import Key, Scope
from vezde.api import names
from vezde.api.callers import scope
from vezde.api.once import Done, once
from vezde.api.pages import BadCursor, Cursor, Limit, Page, cursor_of, page
from vezde.api.problems import Malformed
from vezde.api.tools import Tools, tools
from vezde.kit import troubles
from vezde.kit.db import Db
from vezde.kit.troubles import Place, Source, Trouble

router = APIRouter(tags=["running"])
Caller = Annotated[Key, Depends(scope(Scope.TROUBLES))]
Using = Annotated[Tools, Depends(tools)]
OfKind = Annotated[
    str | None,
    Query(description="update, send, reaction, delivery, job, receipt or provider; none: all"),
]


class TroubleOut(BaseModel):
    """`about` says on what, `because` why: codes, kinds and places, never what a person wrote."""

    id: str
    kind: str
    about: str
    because: str | None
    attempts: int | None
    member_id: str | None
    at: datetime
    can_retry: bool
    can_drop: bool


class RetriedOut(BaseModel):
    """It waits to be worked again; whether that went well is seen in the list."""

    id: str
    kind: str


def trouble_out(sources: tuple[Source, ...], one: Trouble) -> TroubleOut:
    source = next(each for each in sources if each.kind == one.kind)
    row = one.row
    return TroubleOut(
        id=names.trouble(one.kind, row.first, row.second),
        kind=one.kind,
        about=row.about,
        because=row.because,
        attempts=row.attempts,
        member_id=names.member(row.member_id) if row.member_id else None,
        at=row.at,
        can_retry=not isinstance(source.retry, str),
        can_drop=not isinstance(source.drop, str),
    )


@router.get("/v1/troubles")
async def listed(
    _caller: Caller, using: Using, kind: OfKind = None, limit: Limit = 50, cursor: Cursor = None
) -> Page[TroubleOut]:
    """What was given up on, the newest first: it waits for somebody to look."""
    if kind is not None and kind not in {one.kind for one in using.troubles}:
        known = ", ".join(one.kind for one in using.troubles)
        raise Malformed(f"There is no such kind; there are {known}.")
    before = place_of(cursor)
    async with using.database.transaction() as db:
        rows = await troubles.listed(db, using.troubles, kind=kind, before=before, limit=limit + 1)
    return page(
        rows,
        limit,
        show=lambda one: trouble_out(using.troubles, one),
        position=lambda one: position_of(one.place),
    )


@router.post("/v1/troubles/{trouble_id}/retry", status_code=202, response_model=RetriedOut)
async def retry(request: Request, trouble_id: str, caller: Caller, using: Using) -> Response:
    """Try it again from the first attempt; some kinds cannot be: 422 `not_retriable`."""
    source, first, second = found(using.troubles, trouble_id)

    async def work(db: Db, _now: datetime) -> Done:
        wall = using.clock.wall()
        await troubles.retry(db, source, first, second, wall=wall, actor=caller.actor)
        return Done(202, RetriedOut(id=trouble_id, kind=source.kind))

    return await once(request, caller, None, work)


@router.delete("/v1/troubles/{trouble_id}", status_code=204)
async def drop(trouble_id: str, caller: Caller, using: Using) -> None:
    """Have done with it: it leaves the list and is not tried again."""
    source, first, second = found(using.troubles, trouble_id)
    async with using.database.transaction() as db:
        wall = using.clock.wall()
        await troubles.drop(db, source, first, second, wall=wall, actor=caller.actor)


def found(sources: tuple[Source, ...], trouble_id: str) -> tuple[Source, UUID, UUID]:
    """Whose trouble an id names; raises `UnknownId`, `TroubleMissing`."""
    kind, first, second = names.trouble_key(trouble_id)
    source = next((one for one in sources if one.kind == kind), None)
    if source is None:
        raise troubles.TroubleMissing
    return source, first, second


def position_of(place: Place) -> str:
    return f"{place.at.isoformat()} {place.kind} {place.first} {place.second}"


def place_of(cursor: str | None) -> Place | None:
    position = cursor_of(cursor)
    if position is None:
        return None
    try:
        at, kind, first, second = position.split(" ")
        place = Place(datetime.fromisoformat(at), kind, UUID(first), UUID(second))
        aware = place.at.tzinfo is not None
    except ValueError:
        aware = False
    if not aware:
        raise BadCursor("Take the cursor from next_cursor of the page before.")
    return place
