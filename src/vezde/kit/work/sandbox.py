"""Move the programme's clock of a sandbox, working off all that falls due, each at its own time."""

import itertools
import math
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import LiteralString

from vezde.kit.clock import Clock
from vezde.kit.db import Database, Db
from vezde.kit.errors import DomainError, Kind
from vezde.kit.work import pause
from vezde.kit.work.stages import Stage

# Never back: what was recorded has its times.
MOVE: LiteralString = """
UPDATE kit.clock SET offset_seconds = greatest(offset_seconds, %s)
"""
FARTHEST = datetime(2190, 1, 1, tzinfo=UTC)  # expiries and partitions have room beyond
MOST_BATCHES = 100_000  # of one stage without going idle
LONGEST_MOVE = timedelta(days=3_660)  # ten years
MOST_ROUNDS = 1_000  # of all stages at one instant


class ClockBackwards(DomainError):
    code = "clock_backwards"
    kind = Kind.CONFLICT


class TooFarAhead(DomainError):
    """Further than partitions are made and day by day is worked for."""

    code = "too_far_ahead"
    kind = Kind.INVALID


class NotASandbox(DomainError):
    code = "not_a_sandbox"
    kind = Kind.REFUSED


class StageStuck(DomainError):
    """A stage does not come to an end; a fault of the stage, not of the caller."""

    code = "stage_stuck"
    kind = Kind.CONFLICT


# before_move(db, from, to): called once, in a transaction before anything moves (fact partitions).
BeforeMove = Callable[[Db, datetime, datetime], Awaitable[object]]


async def advance(
    database: Database,
    clock: Clock,
    stages: Sequence[Stage],
    *,
    until: datetime,
    before_move: BeforeMove | None = None,
) -> datetime:
    """Move the programme's now to `until`, stopping at every instant a stage has something due.

    Workers of all processes pause meanwhile. The clock moves by whole seconds and is never late:
    at a stop, now is up to a second past what is due. Returns the programme's now.
    Raises `ClockBackwards`, `TooFarAhead`, `NotASandbox`, `StageStuck`.
    """
    if not clock.sandbox:
        raise NotASandbox("Only a sandbox moves its clock; start Vezde with VEZDE_SANDBOX=1")
    async with pause.alone(database):
        async with database.transaction() as db:
            start = await clock.programme(db)
            if until < start:
                raise ClockBackwards(
                    f"The clock shows {start:%Y-%m-%dT%H:%M:%SZ} and only goes ahead; "
                    "to go back, reset the sandbox"
                )
            if until > min(start + LONGEST_MOVE, FARTHEST):
                raise TooFarAhead(
                    f"A move is ten years at most, and none goes past {FARTHEST:%Y}; "
                    "move less, or reset the sandbox"
                )
            if before_move:
                await before_move(db, start, until)
        await _work_off(database, clock, stages, until)
        return await _move(database, clock, until)


async def drain(stages: Sequence[Stage]) -> int:
    """Run all stages, in order and again, until none has anything to do; how much they did.

    Raises `StageStuck` naming a stage that never goes idle.
    """
    total = idle = 0
    did: dict[str, int] = {}
    for stage in itertools.islice(itertools.cycle(stages), MOST_ROUNDS * len(stages)):
        done = did[stage.name] = await _empty(stage)
        total += done
        idle = 1 if done else idle + 1
        if idle == len(stages):
            return total
    if stages:
        names = ", ".join(name for name, done in did.items() if done)
        raise StageStuck(f"The stages {names} give each other work without end")
    return total


async def _work_off(
    database: Database, clock: Clock, stages: Sequence[Stage], until: datetime
) -> None:
    stopped_at: datetime | None = None
    while True:
        await drain(stages)
        async with database.transaction() as db:
            next_stop = await _earliest(db, stages)
        if next_stop is None or next_stop[0] > until:
            return
        due, stage = next_stop
        if stopped_at is not None and due <= stopped_at:
            raise StageStuck(
                f"The stage {stage.name} has something due at {due.isoformat()} that it does not do"
            )
        await _move(database, clock, due)
        stopped_at = due


async def _earliest(db: Db, stages: Sequence[Stage]) -> tuple[datetime, Stage] | None:
    found: tuple[datetime, Stage] | None = None
    for stage in stages:
        due = await stage.due(db) if stage.due else None
        if due is not None and (found is None or due < found[0]):
            found = due, stage
    return found


async def _move(database: Database, clock: Clock, to: datetime) -> datetime:
    async with database.transaction() as db:
        await db.execute(MOVE, [math.ceil((to - clock.wall()).total_seconds())])
        return await clock.programme(db)


async def _empty(stage: Stage) -> int:
    total = 0
    for _ in range(MOST_BATCHES):
        done = await stage.run()
        if done == 0:
            return total
        total += done
    raise StageStuck(f"The stage {stage.name} never goes idle")
