"""Statements that leave together: psycopg's pipeline at a fraction of its price.

psycopg sends every statement of a pipeline at once and makes a cursor for it; on a short way to the
server that is most of what a statement costs, on both sides. Here statements gather in libpq's
buffer until an answer is wanted or 64 KB are there, and leave by one call. Parameters, results and
prepared statements are psycopg's own: only its cursor is left out.
"""

from collections.abc import Callable, Coroutine, Generator, Hashable, Sequence
from functools import lru_cache
from typing import Any, cast

from psycopg import AsyncConnection, AsyncPipeline, errors, pq
from psycopg._preparing import Prepare
from psycopg._queries import PostgresQuery
from psycopg.abc import Params, PQGen, Query
from psycopg.generators import send

ROLLBACK = b"ROLLBACK"


class Answer:
    """What a statement is answered, once it is; of psycopg's cursor what Vezde uses."""

    __slots__ = ("_pipeline", "_result", "_taken", "query")

    def __init__(self, pipeline: "Gathered", query: Query) -> None:
        self.query = query
        self._pipeline = pipeline
        self._result: Any = None
        self._taken = 0

    async def fetchall(self) -> list[tuple[Any, ...]]:
        return await self.rows(None)

    async def fetchone(self) -> tuple[Any, ...] | None:
        if self._result is None:
            await self._pipeline.answered()
        if self._taken >= self._result.ntuples:
            return None
        self._taken += 1
        tx = self._pipeline.tx
        tx.set_pgresult(self._result)
        row: tuple[Any, ...] = tx.load_row(self._taken - 1, tuple)
        return row

    async def rows(self, row: Callable[..., Any] | None) -> list[Any]:
        """All rows, as `row` objects whose fields are named as the columns, else as tuples."""
        if self._result is None:
            await self._pipeline.answered()
        tx, result = self._pipeline.tx, self._result
        tx.set_pgresult(result)
        make: Callable[[Sequence[Any]], Any] = tuple
        if row is not None:
            names = tuple(result.fname(place) for place in range(result.nfields))
            make = _maker(cast("Hashable", row), names)
        found: list[Any] = tx.load_rows(0, result.ntuples, make)
        return found

    @property
    def rowcount(self) -> int:
        """How many rows; an answer that has not come yet has none to count."""
        assert self._result is not None, "ask for rows of an answer that has come"
        return self._result.command_tuples or 0

    @property
    def statusmessage(self) -> str | None:
        status = self._result.command_status if self._result is not None else None
        return status.decode() if status else None

    # --- What psycopg's pipeline calls when the result comes ---

    @property
    def _conn(self) -> AsyncConnection[Any]:
        return self._pipeline.connection

    def _check_results(self, results: Sequence[Any]) -> None:
        for result in results:
            if result.status == pq.ExecStatus.FATAL_ERROR:
                raise errors.error_from_result(result, encoding=self._pipeline.encoding)
            if result.status == pq.ExecStatus.PIPELINE_ABORTED:
                raise errors.PipelineAborted("a statement before this one failed")

    def _set_results(self, results: Sequence[Any]) -> None:
        (self._result,) = results


class Gathered(AsyncPipeline):
    """A pipeline whose statements wait for the first answer that is asked for, or for the end."""

    def __init__(
        self, connection: AsyncConnection[Any], tx: Any, *, each_for_itself: bool = False
    ) -> None:
        super().__init__(connection)
        self.each_for_itself = each_for_itself
        self.failed = False  # some statement of it did
        self._synced = False
        self.connection = connection
        self.encoding = connection.info.encoding
        self.tx = tx
        self.parking = False

    def ask(self, query: Query, params: Params | None) -> Answer:
        """Put a statement to those that wait to leave."""
        pgconn, prepared = self.pgconn, self.connection._prepared
        asked = PostgresQuery(self.tx)
        asked.convert(query, params)
        prepare, name = prepared.get(asked)
        self._run_queued()
        self._synced = False
        if prepare is Prepare.NO:
            pgconn.send_query_params(
                asked.query, asked.params, param_formats=asked.formats, param_types=asked.types
            )
        else:
            if prepare is Prepare.SHOULD:
                self.result_queue.append(None)
                pgconn.send_prepare(name, asked.query, param_types=asked.types)
            pgconn.send_query_prepared(name, asked.params, param_formats=asked.formats)
        key = prepared.maybe_add_to_cache(asked, prepare, name)
        answer = Answer(self, query)
        pending: Any = (answer, None if key is None else (key, prepare, name))
        self.result_queue.append(pending)
        return answer

    async def answered(self) -> None:
        """Send what waits, and wait until all of it is answered; raises the first error of it."""
        if self.parking:
            await _Parked()
            return
        async with self.connection.lock:
            ended = self.each_for_itself
            await self.connection.wait(self._sync_gen() if ended else self._fetch_gen(flush=True))
            self._synced = ended

    async def let_go(self) -> None:
        """Roll back without forgetting what is prepared, as psycopg does lest tables were dropped.

        Nothing of ours makes or drops any in a pipeline, and whoever is refused again and again
        would have all be planned anew.
        """
        self._run_queued()
        self._synced = False
        self.pgconn.send_query_params(ROLLBACK, None)
        self.result_queue.append(cast("Any", (Answer(self, ROLLBACK), None)))
        await self.answered()

    def _run_queued(self) -> None:
        """Let libpq have what psycopg's own cursors and transactions have queued."""
        while self.command_queue:
            self.command_queue.popleft()()

    # --- psycopg's own: what it is answered, and what would send each statement ---

    def _process_results(self, queued: Any, results: Any) -> None:
        try:
            super()._process_results(queued, results)
        except errors.Error:
            self.failed = True
            raise

    def _communicate_gen(self) -> PQGen[None]:
        self._run_queued()
        return
        yield  # a generator that never waits

    def _sync_gen(self) -> PQGen[None]:
        self._enqueue_sync()
        self._run_queued()
        yield from send(self.pgconn)  # mostly sent by now, as libpq ends a pipeline
        yield from self._fetch_gen(flush=False)

    def _exit_gen(self) -> PQGen[None]:
        if not (self._synced and not self.command_queue and not self.result_queue):
            yield from self._sync_gen()


class Together:
    """Coroutines of one connection whose reads leave together: `await Together(pipeline, …)`.

    Each runs until it wants an answer; then all that they asked is sent at once. Answers their
    results in order; what one raises ends them all.
    """

    def __init__(self, pipeline: Gathered, work: Sequence[Coroutine[Any, Any, Any]]) -> None:
        self.pipeline = pipeline
        self.work = work

    def __await__(self) -> Generator[Any, Any, list[Any]]:
        done: dict[int, Any] = {}
        try:
            yield from self._all(done)
        finally:
            for one in self.work:
                one.close()
        return [done[place] for place in range(len(self.work))]

    def _all(self, done: dict[int, Any]) -> Generator[Any, Any, None]:
        while len(done) < len(self.work):
            for place in range(len(self.work)):
                if place not in done:
                    yield from self._run(place, done)
            if len(done) < len(self.work):
                yield from self._answered()

    def _answered(self) -> Generator[Any, Any, None]:
        yield from self.pipeline.answered().__await__()

    def _run(self, place: int, done: dict[int, Any]) -> Generator[Any, Any, None]:
        """Let one go on until it is parked or done; what else it waits for is the loop's."""
        outer, one = self.pipeline.parking, self.work[place]
        self.pipeline.parking = True
        try:
            asked = one.send(None)
            while asked is not PARKED:
                try:
                    given = yield asked
                except BaseException as error:
                    asked = one.throw(error)
                else:
                    asked = one.send(given)
        except StopIteration as end:
            done[place] = end.value
        finally:
            self.pipeline.parking = outer


class Ahead(Together):
    """Two coroutines of which the second asks its first reads with the first one's.

    It goes on, or fails, only when the first is done; where that raises, what the second has asked
    was asked in vain, and is to be rolled back if it wrote anything.
    """

    def _all(self, done: dict[int, Any]) -> Generator[Any, Any, None]:
        yield from self._run(0, done)
        early, sent = None, False
        try:
            yield from self._run(1, done)
        except Exception as error:
            early = error
        while 0 not in done:
            yield from self._answered()
            sent = True
            yield from self._run(0, done)
        if early is not None:
            raise early
        while 1 not in done:
            if not sent:
                yield from self._answered()
            sent = False
            yield from self._run(1, done)


PARKED = object()


class _Parked:
    def __await__(self) -> Generator[Any, Any, None]:
        yield PARKED


@lru_cache(maxsize=1_000)
def _maker(row: Any, names: tuple[bytes | None, ...]) -> Callable[[Sequence[Any]], Any]:
    """Makes a dataclass of a row's values; by place where the columns are in the fields' order."""
    called = [(name or b"").decode() for name in names]
    fields = list(getattr(row, "__dataclass_fields__", ()))
    if called == fields[: len(called)]:
        return lambda values: row(*values)
    return lambda values: row(**dict(zip(called, values, strict=True)))
