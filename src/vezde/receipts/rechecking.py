"""The stage that asks for receipts once more, within what providers may be asked anyway."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

import structlog

from vezde.kit import ids
from vezde.kit.clock import Clock
from vezde.kit.db import Database, Db
from vezde.kit.errors import DomainError, Unavailable
from vezde.kit.work import failures
from vezde.receipts import asking, queries, standing
from vezde.receipts.operations import providing, rechecking
from vezde.receipts.operations.rechecking import Due
from vezde.receipts.providers.protocol import Answer, Provider, Query
from vezde.receipts.work import unnamed

log = structlog.get_logger(__name__)

LEASE_SECONDS = 120
ASK_AT_ONCE = 8
LAPSE_AT_ONCE = 200


async def recheck_once(
    database: Database,
    providers: Sequence[Provider],
    *,
    clock: Clock,
    person: Callable[[UUID], str] = unnamed,
) -> int:
    """Ask for a few receipts again, and end the asking for those whose hold is over; how many.

    New receipts go first: a provider that has used four fifths of its day is not asked again for
    old ones.
    """
    token = ids.new()
    async with database.transaction(pipeline=True) as db:
        now, wall = await clock.programme(db), clock.wall()
        ended = await rechecking.lapse(db, now=now, limit=LAPSE_AT_ONCE)
        spared = await _spared(db, providers, wall=wall)
        limit = min(ASK_AT_ONCE, sum(free for _, free in spared))
        due = await rechecking.lease(
            db, token=token, now=now, wall=wall, seconds=LEASE_SECONDS, limit=limit
        )
        names = [one.name for one, _ in spared]
        given = (
            await providing.reserve(db, names, wanted=len(due), now=now, wall=wall) if due else {}
        )
    if not due:
        return ended
    asked = asking.Round(
        [one for one, _ in spared], given, wall=wall, seconds=LEASE_SECONDS * 3 / 4
    )
    async with asyncio.TaskGroup() as group:
        calls = [group.create_task(_ask(asked, one, person)) for one in due]
    for one, call in zip(due, calls, strict=True):
        await _finish(database, one, call.result(), token=token, clock=clock)
    if tallies := asked.tallies:
        async with database.transaction(pipeline=True) as db:
            now, wall = await clock.programme(db), clock.wall()
            await providing.note(db, tallies, now=now, wall=wall, jitter=failures.jitter())
    return ended + len(due)


async def next_recheck(db: Db, *, providers: Sequence[Provider], clock: Clock) -> datetime | None:
    """When the next is due; while nobody may be asked only the ends of holds wake the stage."""
    if await _spared(db, providers, wall=clock.wall()):
        return await rechecking.next_due(db)
    return await rechecking.next_end(db)


async def _spared(
    db: Db, providers: Sequence[Provider], *, wall: datetime
) -> list[tuple[Provider, int]]:
    """Providers that may be asked for old receipts, and for how many."""
    if not providers:
        return []
    stood = await queries.providers(db, [one.name for one in providers], wall=wall)
    by_name = {one.name: one for one in stood}
    found = []
    for provider in providers:
        one = by_name[provider.name]
        free = standing.allowed(one, ASK_AT_ONCE, wall=wall) if one.running_out is None else 0
        if free:
            found.append((provider, free))
    return found


async def _ask(asked: asking.Round, due: Due, person: Callable[[UUID], str]) -> Answer:
    _, answer = await asked.consult(Query(due.known().qr, 0, person(due.member_id)))
    return answer


async def _finish(
    database: Database, due: Due, answer: Answer, *, token: UUID, clock: Clock
) -> None:
    """Each in a transaction of its own; one that fails is asked for again after its lease."""
    try:
        async with database.transaction() as db:
            now, wall = await clock.programme(db), clock.wall()
            await rechecking.finish(
                db, due, answer, token=token, now=now, wall=wall, jitter=failures.jitter()
            )
    except Unavailable:
        raise
    except DomainError as error:
        said = failures.describe(error)
        log.warning("recheck_failed", receipt_id=str(due.receipt_id), error=said)
