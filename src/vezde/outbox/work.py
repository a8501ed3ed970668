"""Hand facts to their reactions: in order for each member, with nobody held up by a failure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

import structlog

from vezde.kit import db as kit_db
from vezde.kit.clock import Clock
from vezde.kit.db import Database, Db
from vezde.kit.work import Stage, failures
from vezde.outbox import model
from vezde.outbox.model import FactRow, Reaction

log = structlog.get_logger("vezde.outbox")

LANES_AT_ONCE, FACTS_AT_ONCE = 16, 200
# Facts are told to people and to other systems, not counted on: batches may grow.
GATHER_SECONDS = 0.2

# The lanes whose facts wait longest. Two workers never hold the same lane, so a member's facts
# are never handed over by two at a time.
CLAIM_LANES: LiteralString = """
SELECT lane.lane
FROM outbox.lane
CROSS JOIN LATERAL (
    SELECT todo.recorded_at FROM outbox.todo
    WHERE todo.lane = lane.lane ORDER BY todo.recorded_at, todo.fact_id LIMIT 1
) AS oldest
ORDER BY oldest.recorded_at, lane.lane
LIMIT %s
FOR UPDATE OF lane SKIP LOCKED
"""
# Order within a lane is (recorded_at, id) of the rows that are visible. A row of another
# transaction may become visible later with an earlier time, but not of the same member: facts of
# a member are written under its account's lock, one transaction after the other. LIMIT 1 keeps
# the look-up of a fact a look-up, in its month only.
TAKE: LiteralString = """
WITH taken AS (
    SELECT first.ctid AS place
    FROM unnest(%s::smallint[]) AS claimed (lane)
    CROSS JOIN LATERAL (
        SELECT todo.ctid FROM outbox.todo
        WHERE todo.lane = claimed.lane ORDER BY todo.recorded_at, todo.fact_id LIMIT %s
    ) AS first
), gone AS (
    DELETE FROM outbox.todo USING taken
    WHERE todo.ctid = taken.place
    RETURNING todo.recorded_at, todo.fact_id
)
SELECT fact.id, fact.member_id, fact.subject, fact.kind, fact.occurred_at, fact.recorded_at,
       fact.data
FROM gone
CROSS JOIN LATERAL (
    SELECT * FROM outbox.fact
    WHERE fact.recorded_at = gone.recorded_at AND fact.id = gone.fact_id LIMIT 1
) AS fact
"""
TRY_LATER: LiteralString = """
INSERT INTO outbox.retry (fact_id, reaction, recorded_at, attempts, next_try, error)
VALUES (%s, %s, %s, 1, %s, %s)
"""
CLAIM_RETRIES: LiteralString = """
SELECT retry.reaction, retry.attempts, fact.id, fact.member_id, fact.subject, fact.kind,
       fact.occurred_at, fact.recorded_at, fact.data
FROM (
    SELECT reaction, attempts, fact_id, recorded_at FROM outbox.retry
    WHERE parked_at IS NULL AND next_try <= %s
    ORDER BY next_try, fact_id, reaction
    LIMIT %s
    FOR UPDATE SKIP LOCKED
) AS retry
CROSS JOIN LATERAL (
    SELECT * FROM outbox.fact
    WHERE fact.recorded_at = retry.recorded_at AND fact.id = retry.fact_id LIMIT 1
) AS fact
"""
SUCCEEDED: LiteralString = "DELETE FROM outbox.retry WHERE fact_id = %s AND reaction = %s"
FAILED_AGAIN: LiteralString = """
UPDATE outbox.retry SET attempts = %s, next_try = coalesce(%s, next_try), parked_at = %s, error = %s
WHERE fact_id = %s AND reaction = %s
"""


class ReactionGone(Exception):
    """The reaction that failed on a fact is not part of this version any more."""


@dataclass(frozen=True)
class _Retry:
    reaction: str
    attempts: int
    id: UUID
    member_id: UUID | None
    subject: str | None
    kind: str
    occurred_at: datetime
    recorded_at: datetime
    data: dict[str, Any]

    @property
    def fact(self) -> FactRow:
        return FactRow(
            self.id,
            self.member_id,
            self.subject,
            self.kind,
            self.occurred_at,
            self.recorded_at,
            self.data,
        )


def stages(database: Database, reactions: Sequence[Reaction], *, clock: Clock) -> list[Stage]:
    """The outbox's stages for a worker; facts are due at once, so nothing falls due later."""

    async def hand() -> int:
        return await hand_over(database, reactions, clock=clock, limit=FACTS_AT_ONCE)

    async def again() -> int:
        return await retry_due(database, reactions, clock=clock, limit=50)

    lane_full = FACTS_AT_ONCE // LANES_AT_ONCE
    return [
        Stage(model.HAND_OVER, hand, gather_seconds=GATHER_SECONDS, full=lane_full),
        Stage(model.RETRY, again),
    ]


async def hand_over(
    database: Database, reactions: Sequence[Reaction], *, clock: Clock, limit: int
) -> int:
    """Give up to `limit` waiting facts to their reactions; how many facts.

    One transaction; each reaction in a savepoint, so one that raises undoes only itself and is
    tried again later by `retry_due`, while this member's next facts go on.
    """
    by_kind = _by_kind(reactions)
    async with database.transaction() as db:
        lanes = await (await db.execute(CLAIM_LANES, [LANES_AT_ONCE])).fetchall()
        if not lanes:
            return 0
        take = [[row[0] for row in lanes], max(1, limit // len(lanes))]
        facts = await kit_db.fetch_all(db, FactRow, TAKE, take)
        in_order = sorted(facts, key=_members_in_order)
        done = await _react_by_the_batch(db, reactions, in_order)
        failed = False
        for fact in in_order:
            for reaction in by_kind.get(fact.kind, ()):
                if reaction.name in done:
                    continue
                error = await _react(db, reaction, fact)
                if error is not None:
                    await _try_later(db, reaction, fact, error, wall=clock.wall())
                    failed = True
        if failed:
            db.wake(model.RETRY)
    return len(facts)


async def _react_by_the_batch(
    db: Db, reactions: Sequence[Reaction], facts: Sequence[FactRow]
) -> set[str]:
    """Give the facts to the reactions that take them all at once; the names of those that did."""
    done = set()
    for reaction in reactions:
        mine = [fact for fact in facts if fact.kind in reaction.kinds]
        if reaction.run_all is None or not mine:
            continue
        try:
            async with db.transaction():
                await reaction.run_all(db, mine)
        except Exception as error:
            said = failures.describe(error)
            log.warning("batch of a reaction failed", reaction=reaction.name, error=said)
        else:
            done.add(reaction.name)
    return done


async def _try_later(
    db: Db, reaction: Reaction, fact: FactRow, error: Exception, *, wall: datetime
) -> None:
    again = failures.next_try(1, wall=wall)
    said = failures.describe(error)
    await db.execute(TRY_LATER, [fact.id, reaction.name, fact.recorded_at, again, said])


async def retry_due(
    database: Database, reactions: Sequence[Reaction], *, clock: Clock, limit: int
) -> int:
    """Try again what failed and whose back-off is over; how many.

    After 5 s, 30 s, 5 min, 1 h and 6 h it is parked: shown by `queries.parked`.
    """
    by_name = {reaction.name: reaction for reaction in reactions}
    async with database.transaction() as db:
        wall = clock.wall()
        rows = await kit_db.fetch_all(db, _Retry, CLAIM_RETRIES, [wall, limit])
        for row in sorted(rows, key=lambda row: _members_in_order(row.fact)):
            reaction = by_name.get(row.reaction)
            if reaction is None:
                await _failed_again(db, row, ReactionGone(), wall=wall, park=True)
                continue
            error = await _react(db, reaction, row.fact)
            if error is None:
                await db.execute(SUCCEEDED, [row.id, row.reaction])
            else:
                await _failed_again(db, row, error, wall=wall)
    return len(rows)


def _by_kind(reactions: Sequence[Reaction]) -> dict[str, list[Reaction]]:
    found: dict[str, list[Reaction]] = {}
    for reaction in reactions:
        for kind in reaction.kinds:
            found.setdefault(kind, []).append(reaction)
    return found


def _members_in_order(fact: FactRow) -> tuple[bytes, str, datetime, bytes]:
    """Each member's facts in their order; the members by id, as everybody locks accounts."""
    member = fact.member_id.bytes if fact.member_id else b""
    return member, fact.subject or "" if not member else "", fact.recorded_at, fact.id.bytes


async def _react(db: Db, reaction: Reaction, fact: FactRow) -> Exception | None:
    try:
        async with db.transaction():
            await reaction.run(db, fact)
    except Exception as error:
        said = failures.describe(error)
        log.warning("reaction failed", reaction=reaction.name, fact=str(fact.id), error=said)
        return error
    return None


async def _failed_again(
    db: Db, row: _Retry, error: Exception, *, wall: datetime, park: bool = False
) -> None:
    tried = row.attempts + 1
    again = None if park else failures.next_try(tried, wall=wall)
    parked_at = wall if again is None else None
    said = failures.describe(error)
    params = [tried, again, parked_at, said, row.id, row.reaction]
    await db.execute(FAILED_AGAIN, params)
