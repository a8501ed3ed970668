"""Who is asked for documents: how they do, what they cost, paused and resumed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict

from vezde.access.model import Key, Scope
from vezde.api.callers import scope
from vezde.api.once import Done, once
from vezde.api.tools import Tools, tools
from vezde.kit.db import Db
from vezde.receipts import queries, standing
from vezde.receipts.operations import providing
from vezde.receipts.standing import Standing

router = APIRouter(tags=["providers"])
Caller = Annotated[Key, Depends(scope(Scope.PROVIDERS))]
Using = Annotated[Tools, Depends(tools)]
LIMITS = ("place", "price_kopecks", "asks_per_day", "budget_kopecks_per_day")


class PausedOut(BaseModel):
    """Why it is not asked and since when; `until` null: until somebody resumes it."""

    code: Literal["outage", "quota", "refused", "distrusted", "operator", "asks", "budget"]
    note: str | None
    by: str
    since: datetime | None
    until: datetime | None


class TodayOut(BaseModel):
    """Of the vendors' day, which is Moscow's; an ask counts before it is made."""

    asked: int
    found: int
    failed: int
    spent_kopecks: int


class ProviderOut(BaseModel):
    """A provider; `status` is `probing` while one ask tries whether a pause may end.

    `left` is how many asks the day still has by number and by money; null: no limit. `spared`:
    they are for members whose receipts were found before, as most of today's were for nothing.
    """

    name: str
    status: Literal["working", "probing", "paused"]
    paused: PausedOut | None
    place: int | None
    price_kopecks: int
    asks_per_day: int | None
    budget_kopecks_per_day: int | None
    today: TodayOut
    left: int | None
    running_out: standing.Limit | None
    spared: bool


class ProvidersOut(BaseModel):
    """In the order in which they are asked."""

    items: list[ProviderOut]


class ChangesIn(BaseModel):
    """What is to change; what is left out stays, null is no limit.

    `working` resumes whatever the pause was for; `paused` pauses, until an instant or for good.
    """

    model_config = ConfigDict(extra="forbid")
    status: Literal["working", "paused"] | None = None
    note: str = ""
    until: AwareDatetime | None = None
    place: int | None = None
    price_kopecks: int | None = None
    asks_per_day: int | None = None
    budget_kopecks_per_day: int | None = None

    @property
    def limits(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in LIMITS if name in self.model_fields_set}


@router.get("/v1/providers")
async def listed(_caller: Caller, using: Using) -> ProvidersOut:
    """Every provider this installation asks, in their order, with what today has cost."""
    wall = using.clock.wall()
    async with using.database.transaction() as db:
        found = await queries.providers(db, using.providers, wall=wall)
    return ProvidersOut(items=[provider_out(one, wall) for one in found])


@router.patch("/v1/providers/{name}", response_model=ProviderOut)
async def change(
    request: Request, name: str, given: ChangesIn, caller: Caller, using: Using
) -> Response:
    """Pause or resume it, price it, limit its day, put it in another place."""

    async def work(db: Db, now: datetime) -> Done:
        wall = using.clock.wall()
        one = await changed(
            db, using.providers, name, given, now=now, wall=wall, actor=caller.actor
        )
        return Done(200, provider_out(one, wall))

    return await once(request, caller, given, work)


async def changed(
    db: Db,
    known: Sequence[str],
    name: str,
    given: ChangesIn,
    *,
    now: datetime,
    wall: datetime,
    actor: str,
) -> Standing:
    """Carry out what is given; raises `ProviderUnknown`, `InvalidProvider`."""
    if name in known:
        await providing.install(db, [name])
    one = await providing.configure(db, name, given.limits, wall=wall, actor=actor)
    if given.status == "paused":
        return await providing.pause(
            db, name, note=given.note, until=given.until, now=now, wall=wall, actor=actor
        )
    if given.status == "working":
        return await providing.resume(db, name, now=now, wall=wall, actor=actor)
    return one


def provider_out(one: Standing, wall: datetime) -> ProviderOut:
    return ProviderOut(
        name=one.name,
        status=standing.status(one, wall=wall),
        paused=_paused(one, wall),
        place=one.place,
        price_kopecks=one.price_kopecks,
        asks_per_day=one.asks_per_day,
        budget_kopecks_per_day=one.budget_kopecks_per_day,
        today=TodayOut(
            asked=one.asked,
            found=one.found,
            failed=one.failed,
            spent_kopecks=one.spent_kopecks,
        ),
        left=one.left,
        running_out=one.running_out,
        spared=one.spared,
    )


def _paused(one: Standing, wall: datetime) -> PausedOut | None:
    """A pause, else the limit of the day that is used up."""
    if one.paused_because is not None:
        return PausedOut.model_validate(
            {
                "code": one.paused_because,
                "note": one.paused_note or None,
                "by": one.paused_by,
                "since": one.paused_wall,
                "until": one.until_wall,
            }
        )
    if one.used_up is None:
        return None
    until = standing.next_day(wall)
    return PausedOut(code=one.used_up.value, note=None, by="system", since=None, until=until)
