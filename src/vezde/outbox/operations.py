"""Write facts, say which kinds somebody waits for, let a parked reaction try again."""

import json
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import LiteralString
from uuid import UUID

import structlog

from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.kit.errors import DomainError, Kind
from vezde.outbox import model
from vezde.outbox.model import FactRow

log = structlog.get_logger("vezde.outbox")

# The todo row only where somebody waits: a reaction, or a webhook, which may have come this minute.
RECORD: LiteralString = """
WITH given AS (
    SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::text[], %s::text[], %s::timestamptz[],
        %s::timestamptz[], %s::text[], %s::smallint[])
        AS given (id, member_id, subject, kind, occurred_at, recorded_at, data, lane)
), fact AS (
    INSERT INTO outbox.fact (id, member_id, subject, kind, occurred_at, recorded_at, data)
    SELECT id, member_id, subject, kind, occurred_at, recorded_at, data::jsonb FROM given
)
INSERT INTO outbox.todo (lane, recorded_at, fact_id)
SELECT given.lane, given.recorded_at, given.id
FROM given
WHERE EXISTS (SELECT FROM outbox.subscription AS wanted WHERE wanted.kind = given.kind)
   OR EXISTS (SELECT FROM outbox.webhook_kind AS wanted WHERE wanted.kind IN (given.kind, '*'))
"""
SUBSCRIBE: LiteralString = """
INSERT INTO outbox.subscription (kind)
SELECT unnest(%s::text[]) ON CONFLICT (kind) DO NOTHING
"""
UNSUBSCRIBE: LiteralString = "DELETE FROM outbox.subscription WHERE kind <> ALL(%s::text[])"
OPEN_MONTHS: LiteralString = "SELECT outbox.open_months(%s, %s)"
UNPARK: LiteralString = """
UPDATE outbox.retry SET attempts = 0, next_try = %s, parked_at = NULL
WHERE fact_id = %s AND reaction = %s AND parked_at IS NOT NULL
RETURNING fact_id
"""

_dump = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class NotParked(DomainError):
    code = "not_parked"
    kind = Kind.MISSING


async def record(db: Db, facts: Sequence[FactRow]) -> None:
    """Append the facts; those of subscribed kinds are handed to their reactions after the commit.

    In a pipeline all facts of the transaction are written at its end: nothing of it reads them.
    """
    if not facts:
        return
    rows = [
        (
            fact.id,
            fact.member_id,
            fact.subject,
            fact.kind,
            fact.occurred_at,
            fact.recorded_at,
            _dump(fact.data),
            model.lane(fact),
        )
        for fact in facts
    ]
    await db.append(RECORD, rows)
    db.wake(model.HAND_OVER)


async def subscribe(db: Db, kinds: Collection[str]) -> None:
    """Make `kinds` the kinds that get todo rows, exactly; facts of the past are not caught up.

    What webhooks want gets them besides.
    """
    wanted = sorted(kinds)
    await db.execute(SUBSCRIBE, [wanted])
    await db.execute(UNSUBSCRIBE, [wanted])


async def open_months(db: Db, *, first: datetime, last: datetime) -> int:
    """Make the fact partitions of every month from `first` to `last`; returns how many were new."""
    first, last = first.astimezone(UTC), last.astimezone(UTC)
    months = (last.year - first.year) * 12 + last.month - first.month + 1
    made = await kit_db.fetch_value(db, OPEN_MONTHS, [first, max(months, 1)])
    return int(made)


async def unpark(db: Db, *, fact_id: UUID, reaction: str, wall: datetime, actor: str) -> None:
    """Give a parked fact to its reaction again, from the first attempt; raises `NotParked`."""
    if await kit_db.fetch_value(db, UNPARK, [wall, fact_id, reaction]) is None:
        raise NotParked(f"Nothing of {reaction} is parked for {fact_id}; list what is parked first")
    log.info("reaction unparked", fact=str(fact_id), reaction=reaction, actor=actor)
    db.wake(model.RETRY)
