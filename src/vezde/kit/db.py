"""PostgreSQL through psycopg: a pool, transactions that wake work when they commit, row helpers.

SQL stands as module constants beside the function that owns it; rows become frozen dataclasses
whose fields are named as the columns.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, LiteralString, Self, TypeVar

import psycopg
from psycopg.rows import class_row
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from vezde.kit.errors import DomainError, Kind, Unavailable

Row = TypeVar("Row")

SUSPICIOUS_SECONDS = 60
# Serialization failure, deadlock, lock not available: the same transaction may do well next time.
CONTESTED = frozenset({"40001", "40P01", "55P03"})
GONE = ("08", "57P")  # connection lost, server going down


class Contested(DomainError):
    """Two transactions wanted the same rows in another order; this one gave way."""

    code = "contested"
    kind = Kind.UNAVAILABLE


class Db(psycopg.AsyncConnection[tuple[Any, ...]]):
    """A connection inside a transaction; `wake` names the work its commit makes ready."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.woken: set[str] = set()

    def wake(self, stage: str) -> None:
        """Wake workers of this stage once the transaction is committed; forgotten on rollback."""
        self.woken.add(stage)


class Database:
    """The pool of one process.

    `on_commit` receives the names of the stages that a committed transaction woke.
    """

    def __init__(self, conninfo: str, *, size: int = 6, timeout_seconds: float = 10) -> None:
        self.on_commit: Callable[[set[str]], None] = lambda _names: None
        self._suspicious_until = 0.0
        self.pool = AsyncConnectionPool(
            conninfo,
            connection_class=Db,
            min_size=1,
            max_size=size,
            timeout=timeout_seconds,
            open=False,
            kwargs={"prepare_threshold": 2, "options": "-c timezone=UTC"},
            check=self._check,
        )

    async def _check(self, connection: psycopg.AsyncConnection[Any]) -> None:
        """Try a connection before it is lent, but only after one was lost a moment ago.

        A restarted server leaves the pool full of dead connections; trying each every time would
        double the round trips of a short transaction.
        """
        if time.monotonic() < self._suspicious_until:
            await AsyncConnectionPool.check_connection(connection)

    async def open(self) -> None:
        await self.pool.open(wait=True)

    async def close(self) -> None:
        await self.pool.close()

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self.close()

    @asynccontextmanager
    async def transaction(self, *, pipeline: bool = False) -> AsyncIterator[Db]:
        """A connection in a transaction, committed before this block ends.

        With `pipeline` statements are queued and sent together; a fetch or the end sends them.
        Raises `Unavailable` when the database does not answer, `Contested` when another
        transaction was in the way; nothing was changed then.
        """
        woken: set[str] = set()
        try:
            async with self.pool.connection() as db:
                db.woken = woken
                if pipeline:
                    async with db.pipeline(), db.transaction():
                        yield db
                else:
                    async with db.transaction():
                        yield db
        except (PoolTimeout, psycopg.OperationalError) as error:
            state = getattr(error, "sqlstate", None)
            if state in CONTESTED:
                raise Contested(
                    "Others changed the same rows just then; nothing was changed. Try again.",
                    retry_after_seconds=1,
                ) from error
            if state is not None and not state.startswith(GONE):
                raise
            self._suspicious_until = time.monotonic() + SUSPICIOUS_SECONDS
            raise Unavailable(
                "The database does not answer; nothing was changed. Try again in a few seconds.",
                retry_after_seconds=5,
            ) from error
        if woken:
            self.on_commit(woken)


async def fetch_all(db: Db, row: type[Row], query: LiteralString, params: Any = None) -> list[Row]:
    """All rows as `row` objects; the columns' names are the fields' names."""
    async with db.cursor(row_factory=class_row(row)) as cursor:
        await cursor.execute(query, params)
        return await cursor.fetchall()


async def fetch_one(db: Db, row: type[Row], query: LiteralString, params: Any = None) -> Row | None:
    """The first row as a `row` object, or None."""
    async with db.cursor(row_factory=class_row(row)) as cursor:
        await cursor.execute(query, params)
        return await cursor.fetchone()


async def fetch_value(db: Db, query: LiteralString, params: Any = None) -> Any:
    """The first column of the first row, or None."""
    row = await (await db.execute(query, params)).fetchone()
    return row[0] if row else None


async def execute_many(
    db: Db, query: LiteralString, rows: Iterable[Sequence[Any] | Mapping[str, Any]]
) -> None:
    """The same statement for each row, pipelined; does nothing for no rows."""
    batch = list(rows)
    if batch:
        async with db.cursor() as cursor:
            await cursor.executemany(query, batch)


async def connect(conninfo: str, *, autocommit: bool = False) -> Db:
    """One connection outside any pool (migrations, LISTEN)."""
    return await Db.connect(conninfo, autocommit=autocommit, options="-c timezone=UTC")


async def wait_ready(conninfo: str, *, seconds: float) -> None:
    """Return when the server takes a connection; raises `Unavailable` after `seconds`."""
    deadline = asyncio.get_running_loop().time() + seconds
    while True:
        try:
            db = await connect(conninfo)
        except psycopg.OperationalError as error:
            if asyncio.get_running_loop().time() >= deadline:
                raise Unavailable(f"PostgreSQL does not answer after {seconds:g} s") from error
            await asyncio.sleep(0.05)
        else:
            await db.close()
            return
