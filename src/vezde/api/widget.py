"""The widget of the brand's site: a visitor signs in, sees their points, chooses how many to spend.

A page is not trusted with prices: it may only ask what could be paid and hand that on to the shop's
server, which holds and commits with its secret key.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from vezde.access import doors
from vezde.access import operations as access
from vezde.access.doors import Attempt, How, Session
from vezde.access.operations import entering
from vezde.access.operations.entering import Asked
from vezde.access.operations.signing_in import Begun
from vezde.access.operations.telling import By
from vezde.api import baskets, origins
from vezde.api.baskets import Kopecks, Lines
from vezde.api.callers import PageCaller, member_session, page
from vezde.api.checkout import QuoteOut
from vezde.api.points import ExpiryOut
from vezde.api.tools import Tools, tools
from vezde.checkout import operations as checkout
from vezde.checkout.model import Basket
from vezde.kit.db import Db
from vezde.kit.errors import DomainError, Kind
from vezde.ledger import queries as ledger
from vezde.members import identities
from vezde.members import queries as members
from vezde.members.links.model import Door
from vezde.program import queries as program

router = APIRouter(tags=["widget"])
Caller = Annotated[PageCaller, Depends(page)]
SignedIn = Annotated[Session, Depends(member_session)]
Using = Annotated[Tools, Depends(tools)]

# Every answer to a phone takes as long, so that a clock does not tell a member from a stranger.
EVEN_SECONDS = 0.2


class MessengerClosed(DomainError):
    """This installation has no such messenger to sign in by."""

    code = "messenger_closed"
    kind = Kind.REFUSED


class DocumentOut(BaseModel):
    """A document to agree to; `url` null: the words shown are the whole text."""

    version: str
    url: str | None


class WidgetOut(BaseModel):
    """What the widget draws itself by; `sms`: whether codes may come by SMS."""

    brand: str
    point_value_kopecks: int
    sales_channel: str
    enrols: bool
    consent: DocumentOut
    messengers: list[str]
    sms: bool


class SignInIn(BaseModel):
    """A phone, or a messenger; `locale` is for who has none yet."""

    model_config = ConfigDict(extra="forbid")
    phone: Annotated[str, Field(max_length=40)] | None = None
    messenger: Literal["telegram"] | None = None
    by: By | None = None
    locale: Literal["ru", "en"] | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> "SignInIn":
        if (self.phone is None) == (self.messenger is None):
            raise ValueError("give a phone or a messenger")
        return self


class SignInOut(BaseModel):
    """A sign-in begun; `sign_in_id` is a secret of the page's.

    `how` code: ask for the six digits, `again_at` another may be asked for. `how` link: open `url`
    or show it as a QR code, and `number` beside it.
    """

    sign_in_id: str
    how: How
    expires_at: datetime
    digits: int | None = None
    again_at: datetime | None = None
    url: str | None = None
    number: int | None = None


class StateOut(BaseModel):
    how: How
    state: doors.State
    expires_at: datetime


class ConsentGiven(BaseModel):
    model_config = ConfigDict(extra="forbid")
    document_version: Annotated[str, Field(max_length=100)]
    text_sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None


class EnterIn(BaseModel):
    """The code of a sign-in by phone; consent of who becomes a member by it."""

    model_config = ConfigDict(extra="forbid")
    code: Annotated[str, Field(max_length=40)] | None = None
    consent: ConsentGiven | None = None


class SummaryPointsOut(BaseModel):
    active: int
    pending: int
    held: int
    next_expiry: ExpiryOut | None
    point_value_kopecks: int


class SummaryOut(BaseModel):
    """A member as they see themselves on the site."""

    name: str | None
    level: str | None = None
    points: SummaryPointsOut


class WidgetQuoteIn(BaseModel):
    """The basket as the page knows it; the shop's server holds by its own."""

    model_config = ConfigDict(extra="forbid")
    lines: Lines
    delivery_kopecks: Kopecks = 0


class SessionOut(BaseModel):
    member: SummaryOut
    expires_at: datetime


class EnteredOut(SessionOut):
    """A session just opened; the token is shown this once."""

    token: str


@router.get("/v1/widget")
async def widget(caller: Caller, using: Using) -> WidgetOut:
    """What the widget draws itself by."""
    async with using.database.transaction() as db:
        now = await using.clock.programme(db)
        programme = (await program.programmes(db)).at(now)
        document = await using.document(db, now)
    return WidgetOut(
        brand=programme.name or "",
        point_value_kopecks=programme.point_value_kopecks,
        sales_channel=caller.page.sales_channel,
        enrols=caller.page.enrols,
        consent=DocumentOut(version=document.version, url=document.url),
        messengers=[
            one for one in using.channels.messengers if _start(using, "login-") is not None
        ],
        sms=using.channels.sms_per_day > 0,
    )


@router.post("/v1/widget/sign-ins", status_code=202, response_model_exclude_none=True)
async def begin(request: Request, given: SignInIn, caller: Caller, using: Using) -> SignInOut:
    """Begin a sign-in by phone or by a link into a messenger."""
    if given.phone is None:
        return await _by_link(request, caller, using)
    even = asyncio.create_task(asyncio.sleep(EVEN_SECONDS))
    try:
        begun = await _by_phone(request, given, caller, using)
        await even
    finally:
        even.cancel()
    wall = using.clock.wall()
    return SignInOut(
        sign_in_id=begun.handle,
        how=How.CODE,
        expires_at=begun.expires_wall,
        digits=doors.CODE_DIGITS,
        again_at=wall + doors.AGAIN_AFTER,
    )


@router.get("/v1/widget/sign-ins/{sign_in_id}")
async def state(sign_in_id: str, caller: Caller, using: Using) -> StateOut:
    """Where a sign-in is; a page with a link asks every two seconds."""
    async with using.database.transaction() as db:
        found = await access.sign_in(
            db,
            sign_in_id,
            key=caller.key,
            origin=caller.origin,
            vault=using.vault,
            wall=using.clock.wall(),
        )
    return StateOut(how=found.how, state=found.state, expires_at=found.expires_wall)


@router.post("/v1/widget/sign-ins/{sign_in_id}/session", status_code=201)
async def enter(
    request: Request, sign_in_id: str, given: EnterIn, caller: Caller, using: Using
) -> EnteredOut:
    """The session of a proved sign-in, once: by the code, or after the tap in the messenger."""
    wall = using.clock.wall()
    page_of: dict[str, Any] = {
        "key": caller.key,
        "origin": caller.origin,
        "vault": using.vault,
        "wall": wall,
    }
    if given.code is not None:
        await _spend(using, [Attempt(doors.TRIES_OF_CALLER, origins.caller_address(request))], wall)
        async with using.database.transaction() as db:
            tried = await access.try_code(db, sign_in_id, given.code, **page_of)
        if isinstance(tried, DomainError):
            raise tried
    agreed = given.consent
    async with using.database.transaction() as db:
        now = await using.clock.programme(db)
        found = await access.sign_in(db, sign_in_id, **page_of)
        if found.how is How.CODE and given.code is None:
            raise doors.WrongCode("Send the code that was told to the phone's owner")
        token, session = await access.enter(
            db,
            found,
            entering.Consent(agreed.document_version, agreed.text_sha256) if agreed else None,
            key=caller.key,
            document=await using.document(db, now),
            vault=using.vault,
            now=now,
            wall=wall,
        )
        shown = await _shown(db, session, using, now)
    return EnteredOut(token=token, **dict(shown))


@router.get("/v1/widget/session")
async def session(signed_in: SignedIn, using: Using) -> SessionOut:
    """Who is signed in on this page, with their points."""
    async with using.database.transaction() as db:
        return await _shown(db, signed_in, using, await using.clock.programme(db))


@router.post("/v1/widget/quotes")
async def quote(
    given: WidgetQuoteIn, caller: Caller, signed_in: SignedIn, using: Using
) -> QuoteOut:
    """What points could pay of a basket; its `quote_id` is for the shop's server to hold by."""
    basket = Basket(
        signed_in.member_id,
        caller.page.sales_channel,
        baskets.lines(given.lines),
        given.delivery_kopecks,
    )
    async with using.database.transaction() as db:
        now = await using.clock.programme(db)
        found = await checkout.quote(db, basket, vault=using.vault, now=now)
    return QuoteOut.model_validate(found.to_json())


@router.delete("/v1/widget/session", status_code=204)
async def leave(signed_in: SignedIn, using: Using) -> Response:
    """Sign out on this page."""
    async with using.database.transaction() as db:
        await access.end_session(db, signed_in)
    return Response(status_code=204)


async def _by_phone(request: Request, given: SignInIn, caller: PageCaller, using: Tools) -> Begun:
    wall = using.clock.wall()
    number = identities.phone(given.phone or "")
    attempts = [
        Attempt(doors.CODES_OF_PHONE, number),
        Attempt(doors.CODES_OF_CALLER, origins.caller_address(request)),
        Attempt(doors.CODES_OF_ORIGIN, f"{caller.key.key_id} {caller.origin}"),
    ]
    await _spend(using, attempts, wall)
    asked = Asked(caller.key, caller.origin, number, given.by, given.locale)
    async with using.database.transaction() as db:
        return await access.ask_code(
            db,
            asked,
            channels=using.channels,
            vault=using.vault,
            now=await using.clock.programme(db),
            wall=wall,
        )


async def _by_link(request: Request, caller: PageCaller, using: Tools) -> SignInOut:
    wall = using.clock.wall()
    if _start(using, "login-") is None or not using.channels.messengers:
        raise MessengerClosed("Signing in by Telegram is not open here; sign in by phone")
    await _spend(using, [Attempt(doors.LINKS_OF_CALLER, origins.caller_address(request))], wall)
    async with using.database.transaction() as db:
        begun = await access.begin_by_link(db, key=caller.key, origin=caller.origin, wall=wall)
    return SignInOut(
        sign_in_id=begun.handle,
        how=How.LINK,
        expires_at=begun.expires_wall,
        url=_start(using, begun.link or ""),
        number=begun.number,
    )


def _start(using: Tools, payload: str) -> str | None:
    """The address that starts the bot with this payload; None while it has none."""
    target = using.doors.target(Door.TELEGRAM, payload)
    return f"{using.doors.public_url}{target}" if target and target.startswith("/") else target


async def _spend(using: Tools, attempts: Sequence[Attempt], wall: datetime) -> None:
    """Count attempts, committed whatever becomes of them."""
    async with using.database.transaction() as db:
        await access.spend(db, attempts, vault=using.vault, wall=wall)


async def _shown(db: Db, session: Session, using: Tools, now: datetime) -> SessionOut:
    person = await members.member(db, session.member_id, vault=using.vault)
    return SessionOut(
        member=SummaryOut(
            name=person.name, points=await points_out(db, session.member_id, now=now)
        ),
        expires_at=session.expires_wall,
    )


async def points_out(db: Db, member_id: UUID, *, now: datetime) -> SummaryPointsOut:
    """A member's points as pages show them."""
    points = await ledger.points(db, member_id, as_of=now)
    programme = (await program.programmes(db)).at(now)
    due = points.next_expiry
    return SummaryPointsOut(
        active=points.active,
        pending=points.pending,
        held=points.held,
        next_expiry=ExpiryOut(points=due.points, at=due.at) if due else None,
        point_value_kopecks=programme.point_value_kopecks,
    )
