"""Which worker processes are alive, by the wall: a row each, touched every 5 s."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import LiteralString
from uuid import UUID

import structlog

from vezde.kit import db as kit_db
from vezde.kit import ids
from vezde.kit.clock import utc_now
from vezde.kit.db import Database, Db
from vezde.kit.errors import DomainError
from vezde.kit.work import failures, waiting

log = structlog.get_logger("vezde.work")

EVERY_SECONDS = 5.0
ALIVE_FOR = timedelta(seconds=20)  # three beats missed and a slow batch
KEEP_DEAD = timedelta(hours=1)

BEAT: LiteralString = """
INSERT INTO kit.worker (id, started_at, seen_at, stages) VALUES (%s, %s, %s, %s)
ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at
"""
GONE: LiteralString = "DELETE FROM kit.worker WHERE id = %s"
SWEEP: LiteralString = "DELETE FROM kit.worker WHERE seen_at < %s"
ALIVE: LiteralString = """
SELECT id, started_at, seen_at, stages FROM kit.worker WHERE seen_at > %s ORDER BY started_at, id
"""


@dataclass(frozen=True)
class Worker:
    """One process that works these stages."""

    id: UUID
    started_at: datetime
    seen_at: datetime
    stages: list[str]


async def alive(db: Db, *, wall: datetime) -> list[Worker]:
    """Workers seen within the last 20 s, oldest first."""
    return await kit_db.fetch_all(db, Worker, ALIVE, [wall - ALIVE_FOR])


@contextlib.asynccontextmanager
async def beating(
    database: Database,
    stages: Sequence[str],
    *,
    wall: Callable[[], datetime] = utc_now,
    every_seconds: float = EVERY_SECONDS,
) -> AsyncIterator[UUID]:
    """Show this process as a worker of these stages until the block ends."""
    me, started_at = ids.new(), wall()
    await _beat(database, me, started_at, stages, wall())
    task = asyncio.create_task(_keep(database, me, started_at, stages, wall, every_seconds))
    try:
        yield me
    finally:
        await waiting.end(task)
        with contextlib.suppress(DomainError):  # the row ages anyway
            async with database.transaction() as db:
                await db.execute(GONE, [me])


async def _keep(
    database: Database,
    me: UUID,
    started_at: datetime,
    stages: Sequence[str],
    wall: Callable[[], datetime],
    every_seconds: float,
) -> None:
    while True:
        await asyncio.sleep(every_seconds)
        try:
            await _beat(database, me, started_at, stages, wall())
        except Exception as error:
            log.warning("heartbeat not written", error=failures.describe(error))


async def _beat(
    database: Database, me: UUID, started_at: datetime, stages: Sequence[str], seen_at: datetime
) -> None:
    async with database.transaction() as db:
        await db.execute(BEAT, [me, started_at, seen_at, list(stages)])
        await db.execute(SWEEP, [seen_at - KEEP_DEAD])
