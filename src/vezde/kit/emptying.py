"""Empty a sandbox's tables and begin anew, in one transaction of the owner's login."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from typing import LiteralString, TypeVar

import psycopg
from psycopg import sql

from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.kit.errors import Unavailable

Answer = TypeVar("Answer")

# Partitions go with their table.
TABLES: LiteralString = """
SELECT namespace.nspname, class.relname
FROM pg_class class JOIN pg_namespace namespace ON namespace.oid = class.relnamespace
WHERE namespace.nspname = ANY(%s) AND class.relkind IN ('r', 'p') AND NOT class.relispartition
ORDER BY 1, 2
"""
# Shorter than PostgreSQL's deadlock_timeout (1 s): it is we who step back, never a request.
PATIENCE: LiteralString = "SELECT set_config('lock_timeout', '500ms', true)"
NO_LIMIT: LiteralString = "SELECT set_config('lock_timeout', '0', true)"
REWIND: LiteralString = "UPDATE kit.clock SET offset_seconds = 0"
ATTEMPTS, PAUSE_SECONDS = 20, 0.1


async def begin_anew(
    owner_conninfo: str,
    *,
    schemas: Collection[str],
    kept: Collection[str],
    begin: Callable[[Db], Awaitable[Answer]],
) -> Answer:
    """Empty every table of these schemas but `kept` ("schema.table"), set the clock's offset to 0.

    `begin(db)` writes what is to be there then, in the same transaction: others see the old state
    or the new one. Raises what `begin` raises, and `Unavailable` when the tables are never free.
    """
    async with await kit_db.connect(owner_conninfo, autocommit=True) as db:
        for _ in range(ATTEMPTS):
            try:
                async with db.transaction():
                    await _empty(db, schemas, kept)
                    return await begin(db)
            except psycopg.errors.LockNotAvailable:
                await asyncio.sleep(PAUSE_SECONDS)
    raise Unavailable(
        "Requests that are being worked on hold the tables; nothing was changed. Try again in a "
        "few seconds.",
        retry_after_seconds=5,
    )


async def _empty(db: Db, schemas: Collection[str], kept: Collection[str]) -> None:
    await db.execute(PATIENCE)
    found = await (await db.execute(TABLES, [sorted(schemas)])).fetchall()
    emptied = [
        sql.Identifier(schema, table) for schema, table in found if f"{schema}.{table}" not in kept
    ]
    await db.execute(sql.SQL("TRUNCATE {}").format(sql.SQL(", ").join(emptied)))
    await db.execute(REWIND)
    await db.execute(NO_LIMIT)
