"""One-off jobs: rows due at a programme time, worked one transaction each.

A job only touches the database, in the transaction that claims it: it is done exactly once. What
asks a vendor belongs to a leased stage of its domain, which a job may feed.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

import structlog
from psycopg.types.json import Jsonb

from vezde.kit import db as kit_db
from vezde.kit import ids
from vezde.kit.clock import Clock
from vezde.kit.db import Database, Db
from vezde.kit.errors import DomainError, Kind
from vezde.kit.work import failures

log = structlog.get_logger("vezde.work")

STAGE = "kit.jobs"

ENQUEUE: LiteralString = """
INSERT INTO kit.job (id, kind, payload, due_at, key, attempts)
VALUES (%s, %s, %s, %s, %s, 0)
ON CONFLICT (key) DO NOTHING
RETURNING id
"""
CLAIM: LiteralString = """
SELECT id, kind, payload, due_at, key, attempts FROM kit.job
WHERE parked_at IS NULL AND due_at <= %(now)s
  AND (next_try IS NULL OR next_try <= %(wall)s) AND kind = ANY(%(kinds)s)
ORDER BY due_at, id
LIMIT 1
FOR UPDATE SKIP LOCKED
"""
DONE: LiteralString = "DELETE FROM kit.job WHERE id = %s"
FAILED: LiteralString = """
UPDATE kit.job SET attempts = %s, next_try = %s, parked_at = %s, error = %s WHERE id = %s
"""
# A job that failed waits for the wall, not for the programme.
DUE: LiteralString = "SELECT min(due_at) FROM kit.job WHERE parked_at IS NULL AND attempts = 0"
PARKED: LiteralString = """
SELECT id, kind, key, due_at, attempts, parked_at, error FROM kit.job
WHERE parked_at IS NOT NULL ORDER BY parked_at, id LIMIT %s
"""
UNPARK: LiteralString = """
UPDATE kit.job SET attempts = 0, next_try = NULL, parked_at = NULL
WHERE id = %s AND parked_at IS NOT NULL
RETURNING id
"""


class NotParked(DomainError):
    code = "not_parked"
    kind = Kind.MISSING


@dataclass(frozen=True)
class Job:
    """`payload` holds ids and numbers only; `attempts` counts the failures so far."""

    id: UUID
    kind: str
    payload: dict[str, Any]
    due_at: datetime
    key: str | None
    attempts: int


@dataclass(frozen=True)
class Parked:
    """A job that failed for the last time; `error` is kind and place, no values."""

    id: UUID
    kind: str
    key: str | None
    due_at: datetime
    attempts: int
    parked_at: datetime
    error: str


# Handler(db, job, now): works in the claiming transaction and never commits.
Handler = Callable[[Db, Job, datetime], Awaitable[None]]


async def enqueue(
    db: Db, *, kind: str, payload: dict[str, Any], due_at: datetime, key: str | None = None
) -> bool:
    """Have `kind` worked at `due_at` (programme time); False: a job of this `key` waits already."""
    row = [ids.new(), kind, Jsonb(payload), due_at, key]
    db.wake(STAGE)
    return await kit_db.fetch_value(db, ENQUEUE, row) is not None


async def work_jobs(
    database: Database, handlers: Mapping[str, Handler], *, clock: Clock, limit: int = 50
) -> int:
    """Work due jobs of these kinds, earliest first, each in its own transaction; how many.

    A handler that raises undoes its own writes; the job is tried again after `failures.BACKOFF`,
    then parked.
    """
    for done in range(limit):
        async with database.transaction() as db:
            if not await _work_one(db, handlers, clock):
                return done
    return limit


async def due(db: Db) -> datetime | None:
    """The earliest programme instant at which a job not yet tried falls due."""
    found: datetime | None = await kit_db.fetch_value(db, DUE)
    return found


async def parked(db: Db, *, limit: int) -> list[Parked]:
    """Jobs that wait for somebody to look, oldest first."""
    return await kit_db.fetch_all(db, Parked, PARKED, [limit])


async def unpark(db: Db, *, job_id: UUID, actor: str) -> None:
    """Try a parked job again from the beginning; raises `NotParked`."""
    if await kit_db.fetch_value(db, UNPARK, [job_id]) is None:
        raise NotParked(f"No parked job {job_id}; list the parked ones to see their ids")
    log.info("job unparked", job=str(job_id), actor=actor)
    db.wake(STAGE)


async def _work_one(db: Db, handlers: Mapping[str, Handler], clock: Clock) -> bool:
    now, wall = await clock.programme(db), clock.wall()
    claim = {"now": now, "wall": wall, "kinds": list(handlers)}
    job = await kit_db.fetch_one(db, Job, CLAIM, claim)
    if job is None:
        return False
    try:
        async with db.transaction():
            await handlers[job.kind](db, job, now)
    except Exception as error:
        tried = job.attempts + 1
        again = failures.next_try(tried, wall=wall)
        said = failures.describe(error)
        log.warning("job failed", job=str(job.id), kind=job.kind, error=said, parked=again is None)
        await db.execute(FAILED, [tried, again, None if again else wall, said, job.id])
    else:
        await db.execute(DONE, [job.id])
    return True
