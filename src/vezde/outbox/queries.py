"""What was recorded, what waits, what is stuck."""

from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.outbox.model import FactRow

RECORDED: LiteralString = """
SELECT id, member_id, subject, kind, occurred_at, recorded_at, data
FROM outbox.fact
WHERE recorded_at >= %s AND recorded_at < %s
ORDER BY recorded_at, id
LIMIT %s
"""
REST: LiteralString = "SELECT count(*) FROM outbox.fact_rest"
PARKED: LiteralString = """
SELECT retry.fact_id, retry.reaction, fact.kind, fact.member_id, fact.subject, retry.recorded_at,
       retry.attempts, retry.parked_at, retry.error
FROM outbox.retry
JOIN outbox.fact ON fact.recorded_at = retry.recorded_at AND fact.id = retry.fact_id
WHERE retry.parked_at IS NOT NULL
ORDER BY retry.parked_at, retry.fact_id, retry.reaction
LIMIT %s
"""
BACKLOG: LiteralString = """
SELECT (SELECT count(*) FROM outbox.todo) AS waiting,
       (SELECT min(recorded_at) FROM outbox.todo) AS oldest,
       (SELECT count(*) FROM outbox.retry WHERE parked_at IS NULL) AS retrying,
       (SELECT count(*) FROM outbox.retry WHERE parked_at IS NOT NULL) AS parked
"""

# By the primary key, within the months' partitions.
TALLY: LiteralString = """
SELECT kind, count(*) AS number, coalesce(sum((data ->> 'points')::bigint), 0)::bigint AS points
FROM outbox.fact WHERE recorded_at >= %s AND recorded_at < %s
GROUP BY kind ORDER BY kind
"""
FIRST: LiteralString = "SELECT recorded_at FROM outbox.fact ORDER BY recorded_at LIMIT 1"


@dataclass(frozen=True, slots=True)
class Counted:
    """Facts of a kind, and the points they name together."""

    kind: str
    number: int
    points: int


@dataclass(frozen=True)
class Parked:
    """A reaction that failed on a fact for the last time; `error` is kind and place, no values."""

    fact_id: UUID
    reaction: str
    kind: str
    member_id: UUID | None
    subject: str | None
    recorded_at: datetime
    attempts: int
    parked_at: datetime
    error: str


@dataclass(frozen=True)
class Backlog:
    """How much waits: facts not handed over and since when, reactions in back-off and parked."""

    waiting: int
    oldest: datetime | None
    retrying: int
    parked: int


async def recorded(db: Db, *, since: datetime, until: datetime, limit: int) -> list[FactRow]:
    """Facts with `since <= recorded_at < until`, in order."""
    return await kit_db.fetch_all(db, FactRow, RECORDED, [since, until, limit])


async def tally(db: Db, *, since: datetime, until: datetime) -> list[Counted]:
    """How many facts of each kind were recorded in this time, and how many points they name."""
    return await kit_db.fetch_all(db, Counted, TALLY, [since, until])


async def first(db: Db) -> datetime | None:
    """When the first fact was recorded."""
    found: datetime | None = await kit_db.fetch_value(db, FIRST)
    return found


async def rest(db: Db) -> int:
    """Facts that no month's partition took: a metric, zero in health."""
    return int(await kit_db.fetch_value(db, REST))


async def parked(db: Db, *, limit: int) -> list[Parked]:
    """Reactions that wait for somebody to look, oldest first."""
    return await kit_db.fetch_all(db, Parked, PARKED, [limit])


async def backlog(db: Db) -> Backlog:
    """The outbox's metrics; counts rows, so ask it by the minute."""
    found = await kit_db.fetch_one(db, Backlog, BACKLOG)
    assert found is not None, "aggregates answer one row"
    return found
