"""Today: what happened by day, what waits, what went wrong; and the weekly letter of it."""

from datetime import date, datetime, time, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel

from vezde.access.staff import Right, Shift
from vezde.api.callers import right
from vezde.api.console.sessions import PATH
from vezde.api.providers import ProviderOut, provider_out
from vezde.api.tools import Tools, tools
from vezde.insights import letter as letters
from vezde.insights import model
from vezde.insights import queries as insights
from vezde.insights.letter import Letter, Week
from vezde.insights.model import CHANNEL, FACTS, SHOP, STATUS, Tally
from vezde.kit import troubles
from vezde.kit.db import Db
from vezde.kit.i18n import Locale
from vezde.members.links import queries as links
from vezde.members.links.model import Period
from vezde.program import queries as program
from vezde.purchases import queries as purchases
from vezde.receipts import disputes, looks, quarantine, section
from vezde.receipts import queries as receipts
from vezde.receipts.operations import rechecking

router = APIRouter(tags=["console"])
Reader = Annotated[Shift, Depends(right(Right.TODAY))]
Using = Annotated[Tools, Depends(tools)]
Days = Annotated[int, Query(ge=7, le=92)]
MOST_SOURCES = 20
# The letter comes from nobody's page: its styles are its own, and nothing in it may run.
LETTER_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
CHANNEL_NAMES = {
    "wildberries": "Wildberries",
    "ozon": "Ozon",
    "yandex_market": "Яндекс Маркет",
    "megamarket": "Мегамаркет",
    "lamoda": "Lamoda",
    "goldapple": "Золотое яблоко",
    "letu": "Лэтуаль",
    "rivegauche": "Рив Гош",
    "podrygka": "Подружка",
    "magnit_cosmetic": "Магнит Косметик",
}


class DayOut(BaseModel):
    """A day's figures; points are what was given, spent and what ran out."""

    day: date
    members: int
    receipts: dict[str, int]
    accrued: int
    spent: int
    expired: int


class PlaceSumOut(BaseModel):
    name: str
    receipts: int
    total_kopecks: int


class SourceOut(BaseModel):
    source: str
    campaign: str | None
    scans: int
    enrolled: int
    accepted: int


class WaitingOut(BaseModel):
    lines: int
    since: datetime | None
    late: bool


class OpenOut(BaseModel):
    """What waits for a person: how many, since when the first, and whether a promise is broken."""

    number: int
    since: datetime | None
    late: bool


class FiguresOut(BaseModel):
    """Days oldest first, the last is today so far; channels and shops of all these days together.

    `members` is everybody who ever came; an empty name is what is not known, or the rest; `held`
    is counted up to ten thousand.
    """

    days: list[DayOut]
    channels: list[PlaceSumOut]
    shops: list[PlaceSumOut]
    sources: list[SourceOut]
    waiting: WaitingOut
    held: OpenOut
    disputes: OpenOut
    troubles: dict[str, int]
    providers: list[ProviderOut]


class LetterOut(BaseModel):
    subject: str
    text: str
    html: str


@router.get(f"{PATH}/today")
async def today(_shift: Reader, using: Using, days: Days = 28) -> FiguresOut:
    """The figures of so many days, today's as they are so far."""
    async with using.database.transaction() as db:
        now = await using.clock.programme(db)
        last = await insights.today(db, now)
        first = last - timedelta(days=days - 1)
        found = await insights.days(db, first, last, now=now)
        sums = model.figures(found, first, last)
        place = await insights.zone(db, now)
        since = datetime.combine(first, time(), place)
        period = Period(first, last, since, now + timedelta(seconds=1))
        sources = await links.funnel(db, period=period, limit=MOST_SOURCES)
        providers = await receipts.providers(db, using.providers, wall=using.clock.wall())
        return FiguresOut(
            days=_days(found, first, days),
            channels=_places(sums, CHANNEL),
            shops=_places(sums, SHOP),
            sources=[
                SourceOut(
                    source=one.source,
                    campaign=one.campaign,
                    scans=one.scans,
                    enrolled=one.enrolled,
                    accepted=one.accepted,
                )
                for one in sources
            ],
            waiting=await _waiting(db, now),
            held=await _held(db, now),
            disputes=await _disputes(db, now),
            troubles=await troubles.counted(db, using.troubles),
            providers=[provider_out(one, using.clock.wall()) for one in providers],
        )


@router.get(f"{PATH}/letter")
async def letter(_shift: Reader, using: Using, locale: Locale = Locale.RU) -> LetterOut:
    """The letter of the last whole week, as it would be sent."""
    made = await _letter(using, locale)
    return LetterOut(subject=made.subject, text=made.text, html=made.html)


@router.get(f"{PATH}/letter.html")
async def letter_html(_shift: Reader, using: Using, locale: Locale = Locale.RU) -> Response:
    """The same letter to be looked at in a browser."""
    made = await _letter(using, locale)
    headers = {
        "Content-Security-Policy": LETTER_POLICY,
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }
    return Response(made.html, headers=headers, media_type="text/html; charset=utf-8")


async def _letter(using: Tools, locale: Locale) -> Letter:
    async with using.database.transaction() as db:
        now = await using.clock.programme(db)
        wrong = sum((await troubles.counted(db, using.troubles)).values())
        return letters.letter(await week(db, now=now, troubles=wrong), locale=locale)


async def week(db: Db, *, now: datetime, troubles: int) -> Week:
    """The last whole week and the one before it, with what waits now."""
    current = await insights.today(db, now)
    first, last = model.week_before(current)
    earlier, _ = model.week_before(current, 1)
    found = await insights.days(db, earlier, last, now=now)
    waiting = await _waiting(db, now)
    return Week(
        programme=(await program.programmes(db)).at(now).name or "Vezde",
        now=model.figures(found, first, last),
        before=model.figures(found, earlier, first - timedelta(days=1)),
        waiting=waiting.lines,
        late=waiting.late,
        troubles=troubles,
        channels=CHANNEL_NAMES,
    )


async def _held(db: Db, now: datetime) -> OpenOut:
    found = await quarantine.waiting(db)
    first = found.first_promised_at
    return OpenOut(number=found.receipts, since=found.since, late=first is not None and first < now)


async def _disputes(db: Db, now: datetime) -> OpenOut:
    """Those of receipts, of packs, and receipts that were asked for again in vain: one page."""
    counted = (
        await disputes.open_ones(db),
        await purchases.open_pack_disputes(db),
        await rechecking.open_ones(db),
    )
    number = sum(count for count, _ in counted)
    since = min((at for _, at in counted if at), default=None)
    late = since is not None and since + await _promised(db, now) < now
    return OpenOut(number=number, since=since, late=late)


async def _promised(db: Db, now: datetime) -> timedelta:
    return timedelta(hours=(await section.in_force(db, now)).promised_hours)


async def _waiting(db: Db, now: datetime) -> WaitingOut:
    promised = await _promised(db, now)
    kinds = await looks.counted(db)
    since = min((one.since for one in kinds), default=None)
    return WaitingOut(
        lines=sum(one.lines for one in kinds),
        since=since,
        late=since is not None and since + promised < now,
    )


def _days(found: list[Tally], first: date, count: int) -> list[DayOut]:
    shown = []
    for ahead in range(count):
        day = first + timedelta(days=ahead)
        one = model.figures(found, day, day)
        shown.append(
            DayOut(
                day=day,
                members=one.of(FACTS, letters.ENROLLED).number,
                receipts={name: sums.number for name, sums in one.by.get(STATUS, {}).items()},
                accrued=one.of(FACTS, letters.ACCRUED).amount,
                spent=one.of(FACTS, letters.SPENT).amount,
                expired=one.of(FACTS, letters.EXPIRED).amount,
            )
        )
    return shown


def _places(sums: model.Figures, what: str) -> list[PlaceSumOut]:
    places = [
        PlaceSumOut(name=name, receipts=one.number, total_kopecks=one.amount)
        for name, one in sums.by.get(what, {}).items()
    ]
    return sorted(places, key=lambda one: (one.name == "", -one.receipts, one.name))
