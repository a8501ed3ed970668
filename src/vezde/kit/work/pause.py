"""The work lock of a sandbox: stages hold it shared while they run, who moves the clock alone.

Two advisory locks. WORK is the lock itself. GATE makes it fair: a process holds WORK shared as
long as any of its stages runs, which may be always, so whoever wants WORK alone first closes GATE
and lets the stages inside finish. A stage enters through GATE and lets it go at once.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import LiteralString

import psycopg

from vezde.kit import db as kit_db
from vezde.kit.db import Database, Db

GATE, WORK = 7_386_003, 7_386_004
TRY_SHARED: LiteralString = "SELECT pg_try_advisory_lock_shared(%s)"
LOCK_SHARED: LiteralString = "SELECT pg_advisory_lock_shared(%s)"
UNLOCK_SHARED: LiteralString = "SELECT pg_advisory_unlock_shared(%s)"
LOCK_ALONE: LiteralString = "SELECT pg_advisory_lock(%s)"
LOOK_AGAIN_SECONDS = 0.02


class Turnstile:
    """The shared side for all stages of one process, over one connection."""

    def __init__(self, database: Database) -> None:
        self._conninfo = _conninfo(database)
        self._db: Db | None = None
        self._entering = asyncio.Lock()

    @asynccontextmanager
    async def inside(self) -> AsyncIterator[None]:
        """Wait while the clock is being moved, then keep it from being moved."""
        async with self._entering:
            db = await self._enter()
        try:
            yield
        finally:
            if not db.closed:  # a lost connection has let its locks go
                await db.execute(UNLOCK_SHARED, [WORK])

    async def close(self) -> None:
        if self._db is not None:
            await self._db.close()

    async def _enter(self) -> Db:
        if self._db is None or self._db.closed:
            self._db = await kit_db.connect(self._conninfo, autocommit=True)
        db = self._db
        try:
            # Polled: waiting inside PostgreSQL would keep the stages inside from leaving.
            while not await kit_db.fetch_value(db, TRY_SHARED, [GATE]):  # noqa: ASYNC110
                await asyncio.sleep(LOOK_AGAIN_SECONDS)
            # Granted at once: who holds or awaits WORK alone has closed GATE before.
            await db.execute(LOCK_SHARED, [WORK])
            await db.execute(UNLOCK_SHARED, [GATE])
        except (psycopg.OperationalError, asyncio.CancelledError):
            await db.close()  # what it holds by now is not known
            raise
        return db


@asynccontextmanager
async def alone(database: Database) -> AsyncIterator[None]:
    """Stages of every process finish what they do and pause until this block ends."""
    async with await kit_db.connect(_conninfo(database), autocommit=True) as db:
        await db.execute(LOCK_ALONE, [GATE])
        await db.execute(LOCK_ALONE, [WORK])
        yield  # closing the connection opens both


def _conninfo(database: Database) -> str:
    conninfo = database.pool.conninfo
    assert isinstance(conninfo, str), "Database is made from a conninfo text"
    return conninfo
