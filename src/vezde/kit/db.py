"""PostgreSQL through psycopg: a pool, transactions that wake work when they commit, row helpers.

SQL stands as module constants beside the function that owns it; rows become frozen dataclasses
whose fields are named as the columns.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, LiteralString, Self, TypeVar, cast

import psycopg
from psycopg import AsyncPipeline, AsyncTransaction
from psycopg.abc import PQGen
from psycopg.adapt import Transformer
from psycopg.pq import TransactionStatus
from psycopg.rows import kwargs_row
from psycopg.waiting import Ready, Wait
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from vezde.kit import lists
from vezde.kit.errors import DomainError, Kind, Unavailable
from vezde.kit.lists import Flat
from vezde.kit.pace import Pace
from vezde.kit.pipelines import Ahead, Answer, Gathered, Together

Row = TypeVar("Row")

SUSPICIOUS_SECONDS = 60
# A process has some hundreds of statements; one that is turned out is planned anew each time.
PREPARED = 500
BEGIN: LiteralString = "BEGIN"
COMMIT: LiteralString = "COMMIT"
# A queue is empty when it is vacuumed at night, and a plan made for an empty table reads all of it:
# of some thousand rows, for each of them, in the morning. What has an index goes by it.
PLANNED_ONCE = " -c plan_cache_mode=force_generic_plan -c enable_seqscan=off"
PLANNED_EACH_TIME: LiteralString = "SET LOCAL plan_cache_mode = force_custom_plan"
# Serialization failure, deadlock, lock not available: the same transaction may do well next time.
CONTESTED = frozenset({"40001", "40P01", "55P03"})
GONE = ("08", "57P")  # connection lost, server going down
LOOK_SECONDS = 0.5


class Contested(DomainError):
    """Two transactions wanted the same rows in another order; this one gave way."""

    code = "contested"
    kind = Kind.UNAVAILABLE


class Db(psycopg.AsyncConnection[tuple[Any, ...]]):
    """A connection inside a transaction; `wake` names the work its commit makes ready."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.prepared_max = PREPARED
        self.adapters.register_dumper(list, Flat)
        self._adapter = Transformer(self)
        self.woken: set[str] = set()
        self.pace: Pace | None = None
        self._unwritten: dict[LiteralString, list[Sequence[Any]]] | None = None
        self._watched: tuple[asyncio.AbstractEventLoop, int] | None = None
        self._look: asyncio.TimerHandle | None = None
        self._waiting: asyncio.Future[None] | None = None

    def wake(self, stage: str) -> None:
        """Wake workers of this stage once the transaction is committed; forgotten on rollback."""
        self.woken.add(stage)

    async def wait(
        self, gen: PQGen[Row], interval: float = 0.1, timeout: float | None = None
    ) -> Row:
        """As psycopg's, but the loop watches the socket for as long as the connection lives.

        psycopg has it watch anew, and a timer beside, for each answer: of a short statement that
        was a twentieth of the client's work. Every half a second we look without being told.
        """
        begun: PQGen[Row] = gen
        if timeout is None:
            try:
                wanted = next(gen)
                while wanted == Wait.R:
                    await self._readable()
                    wanted = gen.send(Ready.R)
                begun = cast("PQGen[Row]", _Begun(gen))  # it wants to write, which is rare
            except StopIteration as end:
                found: Row = end.value
                if (pace := self.pace) is not None:
                    self.pace = None  # who is cancelled while it rests rolls back without a rest
                    await pace.rest()
                    self.pace = pace
                return found
            except asyncio.CancelledError as error:
                begun = cast("PQGen[Row]", _Begun(gen, error))  # psycopg cancels the statement
            except BaseException:
                self._unwatch()  # libpq may have closed the socket, and its number is free
                raise
        self._unwatch()
        return await super().wait(begun, interval, timeout)

    async def close(self) -> None:
        """As psycopg's."""
        self._unwatch()
        await super().close()

    async def _readable(self) -> None:
        loop = asyncio.get_running_loop()
        if self._watched is None:
            self._watched = loop, self.pgconn.socket
            loop.add_reader(self.pgconn.socket, self._came)
        if self._look is None:
            self._look = loop.call_later(LOOK_SECONDS, self._late)
        self._waiting = loop.create_future()
        try:
            await self._waiting
        finally:
            self._waiting = None

    def _came(self) -> None:
        if self._waiting is None:
            self._unwatch()  # the server went away, or says what nobody asked: not again and again
        elif not self._waiting.done():
            self._waiting.set_result(None)

    def _late(self) -> None:
        """Look by ourselves: of a server that broke off, uvloop tells once and drops the socket.

        What it had said is read then, and that it will say no more is not.
        """
        self._look = None
        if self._waiting is not None:
            self._unwatch()
            self._came()

    def _unwatch(self) -> None:
        if self._look is not None:
            self._look.cancel()
            self._look = None
        if self._watched is not None:
            loop, socket = self._watched
            self._watched = None
            if not loop.is_closed():
                loop.remove_reader(socket)

    @asynccontextmanager
    async def pipeline(self) -> AsyncIterator[AsyncPipeline]:
        """Statements leave together when an answer is wanted, or at the end."""
        if self._pipeline is None:
            if not self.autocommit and self.info.transaction_status == TransactionStatus.IDLE:
                await super().execute(BEGIN)  # as psycopg's cursors do by themselves
            self._pipeline = Gathered(self, self._adapter)
        async with super().pipeline() as entered:
            yield entered

    async def execute(
        self, query: Any, params: Any = None, **how: Any
    ) -> psycopg.AsyncCursor[tuple[Any, ...]]:
        """As psycopg's; inside a pipeline the statement waits there and so do its errors.

        The answer has of a cursor's methods those that Vezde uses; nothing is to be counted before
        it has come.
        """
        if isinstance(self._pipeline, Gathered) and not how:
            return cast("psycopg.AsyncCursor[tuple[Any, ...]]", self._pipeline.ask(query, params))
        return await super().execute(query, params, **how)

    async def ask_each(self, query: LiteralString, rows: Iterable[Any]) -> list[Answer]:
        """The same statement for each row, all sent before the first answer is read."""
        if isinstance(self._pipeline, Gathered):
            return [self._pipeline.ask(query, row) for row in rows]
        async with self.pipeline():
            return await self.ask_each(query, rows)

    async def append(self, query: LiteralString, rows: Sequence[Sequence[Any]]) -> None:
        """Give rows to a statement that unnests arrays, a column each.

        In `gathered` it leaves once, before the COMMIT, with the rows of all who asked: so it is
        for what nobody of the same transaction reads. Elsewhere it leaves at once.
        """
        if self._unwritten is not None:
            self._unwritten.setdefault(query, []).extend(rows)
        elif rows:
            await self.execute(*lists.asked(query, rows))

    @asynccontextmanager
    async def gathered(self) -> AsyncIterator[None]:
        """A transaction whose BEGIN leaves with the first statements, its COMMIT with the last.

        psycopg's own would wait for both. What raises is rolled back, a statement that failed when
        the pool takes the connection back.
        """
        async with self.pipeline():
            await self.execute(BEGIN)
            self._unwritten = {}
            try:
                yield
                unwritten = self._unwritten
            except Exception:
                if isinstance(self._pipeline, Gathered) and not self._pipeline.failed:
                    with suppress(psycopg.Error):  # of what was asked and is not waited for
                        await self._pipeline.let_go()
                raise
            finally:
                self._unwritten = None
            for query, rows in unwritten.items():
                await self.append(query, rows)
            ended = await self.execute(COMMIT)
        if ended.statusmessage != COMMIT:
            raise psycopg.errors.InFailedSqlTransaction("A statement had failed; nothing is kept")
        await self._forget_prepared()

    @asynccontextmanager
    async def transaction(self, *args: Any, **how: Any) -> AsyncIterator[AsyncTransaction]:
        """As psycopg's; what is appended inside goes or stays with it, so it leaves at once."""
        unwritten, self._unwritten = self._unwritten, None
        try:
            async with super().transaction(*args, **how) as entered:
                yield entered
        finally:
            self._unwritten = unwritten

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """Statements outside a transaction, as cheap as in `gathered`."""
        self._pipeline = pipeline = Gathered(self, self._adapter, each_for_itself=True)
        try:
            async with self.pipeline():
                yield
        except BaseException as error:
            # What failed may never have been prepared. That somebody asked for what is not there is
            # no failure: whoever asks again and again would have all be prepared anew for others.
            if pipeline.failed or not isinstance(error, DomainError):
                self._prepared.clear()
            raise
        await self._forget_prepared()

    async def _forget_prepared(self) -> None:
        """Let the server forget statements that were turned out, as psycopg's cursors do."""
        if self._prepared._to_flush:
            await self.wait(self._prepared.maintain_gen(self))


class _Pool(AsyncConnectionPool[Db]):
    """Lends first what came back last: its plans are in the server's caches still.

    psycopg's own lends in turn, so that of twenty connections each is cold. Rarely used ones are
    closed after a while, as there.
    """

    async def _get_ready_connection(self, timeout: float | None) -> Db | None:
        self._pool.rotate(1)
        return await super()._get_ready_connection(timeout)


class _Begun:
    """A generator of psycopg's that runs already, for who would begin it; `error` comes first."""

    def __init__(self, gen: PQGen[Any], error: BaseException | None = None) -> None:
        self._gen = gen
        self._error = error

    def __next__(self) -> Wait:
        error, self._error = self._error, None
        if error is not None:
            raise error
        return self._gen.send(Ready.NONE)

    def send(self, ready: Ready) -> Wait:
        return self._gen.send(ready)


class Database:
    """The pool of one process.

    `on_commit` receives the names of the stages that a committed transaction woke. `planned_once`
    is for processes whose statements are few, go by keys and come again and again: a connection
    plans each once, not for its parameters every time, which was a fifth of the server's work
    (`fetch_filtered` is for the others), and by an index wherever there is one. `pace` makes that
    of a transaction in bulk.
    """

    def __init__(
        self,
        conninfo: str,
        *,
        size: int = 6,
        timeout_seconds: float = 10,
        planned_once: bool = False,
        pace: Callable[[], Pace | None] = lambda: None,
    ) -> None:
        self._pace = pace
        self.on_commit: Callable[[set[str]], None] = lambda _names: None
        self._suspicious_until = 0.0
        options = "-c timezone=UTC"
        if planned_once:
            options += PLANNED_ONCE
        self.pool = _Pool(
            conninfo,
            connection_class=Db,
            min_size=1,
            max_size=size,
            timeout=timeout_seconds,
            open=False,
            # Transactions are opened by name here, so psycopg opens none by itself.
            kwargs={"prepare_threshold": 2, "options": options, "autocommit": True},
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
    async def transaction(
        self, *, pipeline: bool = False, gives_way: bool = False
    ) -> AsyncIterator[Db]:
        """A connection in a transaction, committed before this block ends.

        With `pipeline` statements are queued and sent together; a fetch or the end sends them, and
        their errors come then. `gives_way`: it is work in bulk (`kit.pace`). Raises `Unavailable`
        when the database does not answer, `Contested` when another transaction was in the way;
        nothing was changed then.
        """
        woken: set[str] = set()
        async with self._lent() as db:
            db.woken = woken
            db.pace = self._pace() if gives_way else None
            try:
                async with db.gathered() if pipeline else db.transaction():
                    yield db
            finally:
                db.pace = None
        if woken:
            self.on_commit(woken)

    @asynccontextmanager
    async def glance(self) -> AsyncIterator[Db]:
        """A connection outside any transaction: each statement stands for itself.

        For one read, or one command of the ledger, which so takes one trip to the server instead of
        three. Raises `Unavailable`.
        """
        async with self._lent() as db, db.alone():
            yield db

    @asynccontextmanager
    async def _lent(self) -> AsyncIterator[Db]:
        try:
            async with self.pool.connection() as db:
                yield db
        except psycopg.errors.PipelineAborted:
            raise  # somebody caught the error before it and went on
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


async def fetch_all(
    db: Db, row: Callable[..., Row], query: LiteralString, params: Any = None
) -> list[Row]:
    """All rows as `row` makes them: a class or a function that takes what the columns are named."""
    if isinstance(db._pipeline, Gathered):
        found: list[Row] = await db._pipeline.ask(query, params).rows(row)
        return found
    async with db.cursor(row_factory=kwargs_row(row)) as cursor:
        await cursor.execute(query, params)
        return await cursor.fetchall()


async def fetch_filtered(
    db: Db, row: Callable[..., Row], query: LiteralString, params: Any = None
) -> list[Row]:
    """As `fetch_all`, of a list with filters that may be left out: planned for these parameters.

    So is whatever else this transaction reads after it.
    """
    await db.execute(PLANNED_EACH_TIME)
    return await fetch_all(db, row, query, params)


async def fetch_one(
    db: Db, row: Callable[..., Row], query: LiteralString, params: Any = None
) -> Row | None:
    """The first row as `row` makes it, or None."""
    if isinstance(db._pipeline, Gathered):
        found = await fetch_all(db, row, query, params)
        return found[0] if found else None
    async with db.cursor(row_factory=kwargs_row(row)) as cursor:
        await cursor.execute(query, params)
        return await cursor.fetchone()


async def fetch_value(db: Db, query: LiteralString, params: Any = None) -> Any:
    """The first column of the first row, or None."""
    row = await (await db.execute(query, params)).fetchone()
    return row[0] if row else None


async def fetch_column(db: Db, query: LiteralString, params: Any = None) -> list[Any]:
    """The first column of all rows."""
    return [row[0] for row in await (await db.execute(query, params)).fetchall()]


async def execute_many(
    db: Db, query: LiteralString, rows: Iterable[Sequence[Any] | Mapping[str, Any]]
) -> None:
    """The same statement for each row, pipelined; does nothing for no rows."""
    batch = list(rows)
    if len(batch) == 1:
        await db.execute(query, batch[0])
    elif batch:
        await db.ask_each(query, batch)


async def together(db: Db, *work: Coroutine[Any, Any, Any]) -> list[Any]:
    """Run coroutines that read by `db`, each for itself; in a pipeline their reads leave together.

    Their results, in order. None may look at what another does; what one raises ends all.
    """
    if isinstance(db._pipeline, Gathered):
        return await Together(db._pipeline, work)
    try:
        return [await one for one in work]
    finally:
        for one in work:
            one.close()


async def ahead(db: Db, first: Coroutine[Any, Any, Any], then: Coroutine[Any, Any, Row]) -> Row:
    """Run `first`, then `then`, and answer what that does; in a pipeline it asks one trip ahead.

    What `then` asks before it waits has been asked when `first` raises: whoever calls rolls back.
    """
    if isinstance(db._pipeline, Gathered):
        _, found = await Ahead(db._pipeline, [first, then])
        return cast("Row", found)
    try:
        await first
        return await then
    finally:
        then.close()


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
