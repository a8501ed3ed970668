"""The timetable: work that comes round, one row a name, in programme time.

A tick that was missed (the machine was off, the sandbox jumped over it) is not made up for: the
work runs once and its next time is ahead of now.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import LiteralString

import structlog

from vezde.kit import db as kit_db
from vezde.kit.clock import Clock
from vezde.kit.db import Database, Db
from vezde.kit.work import failures

log = structlog.get_logger("vezde.work")

STAGE = "kit.timetable"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# LEAST: after a sandbox's reset the clock is back, and no entry may wait for the old future.
SET: LiteralString = """
INSERT INTO kit.timetable
    (name, period_seconds, offset_seconds, calendar, next_at, attempts)
VALUES (%s, %s, %s, %s, %s, 0)
ON CONFLICT (name) DO UPDATE SET
    period_seconds = excluded.period_seconds,
    offset_seconds = excluded.offset_seconds,
    calendar = excluded.calendar,
    next_at = least(timetable.next_at, excluded.next_at)
"""
DROP_OTHERS: LiteralString = "DELETE FROM kit.timetable WHERE name <> ALL(%s::text[])"
CLAIM: LiteralString = """
SELECT name, period_seconds, offset_seconds, calendar, attempts FROM kit.timetable
WHERE next_at <= %(now)s AND (next_try IS NULL OR next_try <= %(wall)s)
  AND name = ANY(%(names)s)
ORDER BY next_at, name
LIMIT 1
FOR UPDATE SKIP LOCKED
"""
DONE: LiteralString = """
UPDATE kit.timetable SET next_at = %s, attempts = 0, next_try = NULL, error = NULL WHERE name = %s
"""
FAILED: LiteralString = """
UPDATE kit.timetable SET attempts = %s, next_try = %s, error = %s WHERE name = %s
"""
DUE: LiteralString = "SELECT min(next_at) FROM kit.timetable WHERE calendar AND attempts = 0"
FAILING: LiteralString = """
SELECT name, next_at, attempts, error FROM kit.timetable WHERE attempts > 0 ORDER BY name
"""


@dataclass(frozen=True)
class Tick:
    """Every `period_seconds` at `offset_seconds` past, counted from 1970 in UTC.

    `calendar`: a sandbox jump stops at each of its times (the daily reminder does want that, the
    sweep of old answers does not).
    """

    name: str
    period_seconds: int
    offset_seconds: int = 0
    calendar: bool = False

    def following(self, now: datetime) -> datetime:
        """The first of its times after `now`."""
        past = int((now - EPOCH).total_seconds()) - self.offset_seconds
        steps = past // self.period_seconds + 1
        return EPOCH + timedelta(seconds=steps * self.period_seconds + self.offset_seconds)


@dataclass(frozen=True)
class Failing:
    """A tick whose last run failed; it goes on being tried."""

    name: str
    next_at: datetime
    attempts: int
    error: str


@dataclass(frozen=True)
class _Claimed:
    name: str
    period_seconds: int
    offset_seconds: int
    calendar: bool
    attempts: int


# Handler(db, now): works in the claiming transaction and never commits.
Handler = Callable[[Db, datetime], Awaitable[None]]


async def install(db: Db, ticks: Sequence[Tick], *, now: datetime) -> None:
    """Make `ticks` the whole timetable; times already set stay, unless sooner ones are due."""
    await db.execute(DROP_OTHERS, [[tick.name for tick in ticks]])
    rows = [
        (tick.name, tick.period_seconds, tick.offset_seconds, tick.calendar, tick.following(now))
        for tick in ticks
    ]
    await kit_db.execute_many(db, SET, rows)
    db.wake(STAGE)


async def work_timetable(
    database: Database, handlers: Mapping[str, Handler], *, clock: Clock
) -> int:
    """Run each of these ticks that is due, once, in a transaction of its own; how many.

    One that raises undoes its own writes and is tried again after `failures.BACKOFF`, the last
    pause for ever: a tick is never parked.
    """
    done = 0
    while done < len(handlers):
        async with database.transaction() as db:
            if not await _work_one(db, handlers, clock):
                break
        done += 1
    return done


async def due(db: Db) -> datetime | None:
    """The earliest time of a calendar tick that is not in back-off."""
    found: datetime | None = await kit_db.fetch_value(db, DUE)
    return found


async def failing(db: Db) -> list[Failing]:
    """Ticks in back-off."""
    return await kit_db.fetch_all(db, Failing, FAILING)


async def _work_one(db: Db, handlers: Mapping[str, Handler], clock: Clock) -> bool:
    now, wall = await clock.programme(db), clock.wall()
    claim = {"now": now, "wall": wall, "names": list(handlers)}
    claimed = await kit_db.fetch_one(db, _Claimed, CLAIM, claim)
    if claimed is None:
        return False
    tick = Tick(claimed.name, claimed.period_seconds, claimed.offset_seconds, claimed.calendar)
    try:
        async with db.transaction():
            await handlers[tick.name](db, now)
    except Exception as error:
        tried = min(claimed.attempts + 1, 1000)
        again = failures.next_try(min(tried, len(failures.BACKOFF)), wall=wall)
        said = failures.describe(error)
        log.warning("tick failed", tick=tick.name, error=said)
        await db.execute(FAILED, [tried, again, said, tick.name])
    else:
        await db.execute(DONE, [tick.following(now), tick.name])
    return True
