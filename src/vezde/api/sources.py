"""Links, their QR codes, and what came of each source."""

import json
from datetime import date, datetime, time, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict

from vezde.access.model import Key, Scope
from vezde.api.callers import scope
from vezde.api.once import Done, once
from vezde.api.pages import BadCursor, Cursor, Limit, Page, cursor_of, page
from vezde.api.tools import Tools, tools
from vezde.kit.db import Db
from vezde.members import operations
from vezde.members.links import printing, queries
from vezde.members.links.model import CountedLink, Door, Doors, Funnel, NewLink, Period
from vezde.program import queries as program

router = APIRouter(tags=["sources"])
Caller = Annotated[Key, Depends(scope(Scope.MEMBERS))]
Using = Annotated[Tools, Depends(tools)]
Day = Annotated[date | None, Query(ge=date(2000, 1, 1), le=date(2999, 12, 31))]


class LinkIn(BaseModel):
    """Where people come from (`blogger-17`), and the door the link leads to."""

    model_config = ConfigDict(extra="forbid")
    source: str
    campaign: str | None = None
    medium: str | None = None
    door: Door = Door.TELEGRAM
    note: str | None = None

    def given(self) -> NewLink:
        return NewLink(self.source, self.campaign, self.medium, self.door, self.note)


class LinkOut(BaseModel):
    """A link; `url` is what is posted and printed, `leads_to` where it sends people just now.

    `scans` is how often people opened it, `previews` how often programs did.
    """

    code: str
    url: str
    leads_to: str | None
    source: str
    campaign: str | None
    medium: str | None
    door: str
    note: str | None
    scans: int
    previews: int
    created_at: datetime
    archived_at: datetime | None


class SourceOut(BaseModel):
    """A source's funnel; every step counts members who took it after they came."""

    source: str
    campaign: str | None
    scans: int
    starts: int
    enrolled: int
    consented: int
    first_receipts: int
    accepted: int
    points: int


def link_out(link: CountedLink, doors: Doors) -> LinkOut:
    return LinkOut(
        code=link.code,
        url=doors.url(link.code),
        leads_to=doors.target(link.door, link.code),
        source=link.source,
        campaign=link.campaign,
        medium=link.medium,
        door=link.door,
        note=link.note,
        scans=link.scans,
        previews=link.previews,
        created_at=link.created_at,
        archived_at=link.archived_at,
    )


def source_out(funnel: Funnel) -> SourceOut:
    return SourceOut(
        source=funnel.source,
        campaign=funnel.campaign,
        scans=funnel.scans,
        starts=funnel.starts,
        enrolled=funnel.enrolled,
        consented=funnel.consented,
        first_receipts=funnel.first_receipts,
        accepted=funnel.accepted,
        points=funnel.points,
    )


@router.post("/v1/links", status_code=201, response_model=LinkOut)
async def create(request: Request, given: LinkIn, caller: Caller, using: Using) -> Response:
    """Make a link; with `leads_to` null it asks to come later until its door has an address."""

    async def work(db: Db, now: datetime) -> Done:
        made = await operations.create_link(db, given.given(), now=now, actor=caller.actor)
        return Done(201, link_out(await queries.link(db, made.code), using.doors))

    return await once(request, caller, given, work)


@router.get("/v1/links")
async def listed(
    _caller: Caller,
    using: Using,
    archived: bool = False,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[LinkOut]:
    """Links, the newest first; `archived=true` shows those put away too."""
    async with using.database.transaction() as db:
        rows = await queries.links(
            db, archived=archived, limit=limit + 1, before=_before(cursor_of(cursor))
        )
    return page(
        rows,
        limit,
        show=lambda link: link_out(link, using.doors),
        position=lambda link: f"{link.created_at.isoformat()} {link.code}",
    )


@router.get("/v1/links/{code}")
async def one(code: str, _caller: Caller, using: Using) -> LinkOut:
    """A link with its scans."""
    async with using.database.transaction() as db:
        return link_out(await queries.link(db, code), using.doors)


@router.post("/v1/links/{code}/archive", response_model=LinkOut)
async def archive(request: Request, code: str, caller: Caller, using: Using) -> Response:
    """Put a link away: it leaves the list, and goes on to work wherever it is printed."""

    async def work(db: Db, now: datetime) -> Done:
        await operations.archive_link(db, code, now=now, actor=caller.actor)
        return Done(200, link_out(await queries.link(db, code), using.doors))

    return await once(request, caller, None, work)


@router.get(
    "/v1/links/{code}/qr.png",
    response_class=Response,
    responses={200: {"content": {"image/png": {}}}},
)
async def png(code: str, _caller: Caller, using: Using) -> Response:
    """The link as a QR code for print: 1,000 pixels a side or more, quiet zone included."""
    return Response(printing.png(await _url(code, using)), media_type="image/png")


@router.get(
    "/v1/links/{code}/qr.svg",
    response_class=Response,
    responses={200: {"content": {"image/svg+xml": {}}}},
)
async def svg(code: str, _caller: Caller, using: Using) -> Response:
    """The link as a QR code of any size, quiet zone included."""
    return Response(printing.svg(await _url(code, using)), media_type="image/svg+xml")


@router.get("/v1/sources")
async def sources(
    _caller: Caller,
    using: Using,
    since: Day = None,
    until: Day = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[SourceOut]:
    """What came of each source and campaign: scans and newcomers of the days `since` to `until`.

    Days are the programme's, both included. Newcomers count by the day they came, their steps up
    to now.
    """
    async with using.database.transaction() as db:
        zone = await _zone(db, using)
        rows = await queries.funnel(
            db,
            period=_period(since, until, zone),
            limit=limit + 1,
            after=_after(cursor_of(cursor)),
        )
    return page(
        rows,
        limit,
        show=source_out,
        position=lambda found: json.dumps([found.source, found.campaign or ""]),
    )


async def _url(code: str, using: Tools) -> str:
    async with using.database.transaction() as db:
        return using.doors.url((await queries.link(db, code)).code)


async def _zone(db: Db, using: Tools) -> ZoneInfo:
    """The programme's zone, whose midnight ends a day."""
    return (await program.programmes(db)).at(await using.clock.programme(db)).zone


def _period(since: date | None, until: date | None, zone: ZoneInfo) -> Period:
    def midnight(day: date) -> datetime:
        return datetime.combine(day, time(), tzinfo=zone)

    return Period(
        first=since,
        last=until,
        since=midnight(since) if since else None,
        until=midnight(until + timedelta(days=1)) if until else None,
    )


def _before(position: str | None) -> tuple[datetime, str] | None:
    if position is None:
        return None
    at, _, code = position.partition(" ")
    try:
        return datetime.fromisoformat(at), code
    except ValueError as error:
        raise BadCursor("Take the cursor from next_cursor of the page before.") from error


def _after(position: str | None) -> tuple[str, str]:
    if position is None:
        return "", ""
    try:
        source, campaign = json.loads(position)
        return str(source), str(campaign)
    except (TypeError, ValueError) as error:
        raise BadCursor("Take the cursor from next_cursor of the page before.") from error
