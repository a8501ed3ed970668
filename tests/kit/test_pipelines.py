"""Statements that leave together: the same answers, errors and guarantees, by fewer trips."""

import asyncio
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest

from vezde.kit import db as kit_db
from vezde.kit.db import Database, Db
from vezde.kit.errors import Unavailable
from vezde.kit.lists import FEW

ADD = "INSERT INTO outbox.subscription (kind) VALUES (%s)"
KINDS = "SELECT kind FROM outbox.subscription WHERE kind LIKE 'test.%%' ORDER BY kind"
PAIR = "SELECT %s::integer AS first, %s::text AS second"
QUOTIENT = "SELECT 1 / %s::integer"
TURNED = "SELECT %s::text AS second, %s::integer AS first"


@dataclass(frozen=True)
class Pair:
    first: int
    second: str


class Trips:
    """How often a connection waited for its server."""

    def __init__(self, db: Db, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        waits = db.wait

        async def counted(*args: Any, **kwargs: Any) -> Any:
            self.count += 1
            return await waits(*args, **kwargs)

        monkeypatch.setattr(db, "wait", counted)


async def kept(database: Database) -> list[str]:
    async with database.transaction() as db:
        return [row[0] for row in await (await db.execute(KINDS)).fetchall()]


class TestAnswers:
    async def test_are_each_statements_own(self, database: Database):
        async with database.transaction(pipeline=True) as db:
            asked = [await db.execute(PAIR, [number, "x"]) for number in range(20)]
            found = [await one.fetchone() for one in reversed(asked)]
        assert found == [(number, "x") for number in reversed(range(20))]

    async def test_come_by_one_trip(self, database: Database, monkeypatch: pytest.MonkeyPatch):
        async with database.transaction(pipeline=True) as db:
            trips = Trips(db, monkeypatch)
            asked = [await db.execute(PAIR, [number, "x"]) for number in range(20)]
            for one in asked:
                await one.fetchall()
        assert trips.count == 2 + 1  # entering and leaving a pipeline wait for nothing by entering

    async def test_are_rows_whatever_the_order_of_columns(self, database: Database):
        async with database.transaction(pipeline=True) as db:
            assert await kit_db.fetch_one(db, Pair, PAIR, [1, "a"]) == Pair(1, "a")
            assert await kit_db.fetch_all(db, Pair, TURNED, ["b", 2]) == [Pair(2, "b")]
            assert await kit_db.fetch_value(db, PAIR, [3, "c"]) == 3

    async def test_of_a_glance_need_no_transaction(self, database: Database):
        async with database.glance() as db:
            assert await kit_db.fetch_value(db, PAIR, [3, "c"]) == 3
            assert db.info.transaction_status == psycopg.pq.TransactionStatus.IDLE


async def run(database: Database, *asked: tuple[Any, list[Any]], answer: bool = False) -> None:
    """One transaction of these statements; with `answer` the last one's is wanted."""
    async with database.transaction(pipeline=True) as db:
        for query, parameters in asked:
            last = await db.execute(query, parameters)
        if answer:
            await last.fetchall()


class TestFailures:
    async def test_come_with_the_next_answer_and_nothing_is_kept(self, database: Database):
        asked = [(ADD, ["test.a/1"]), (ADD, ["test.a/1"]), (PAIR, [1, "a"])]
        with pytest.raises(psycopg.errors.UniqueViolation):
            await run(database, *asked, answer=True)
        assert await kept(database) == []

    async def test_come_with_the_commit_and_nothing_is_kept(self, database: Database):
        with pytest.raises(psycopg.errors.UniqueViolation):
            await run(database, (ADD, ["test.a/1"]), (ADD, ["test.a/1"]))
        assert await kept(database) == []

    async def test_that_were_caught_never_pass_for_a_commit(self, database: Database):
        async def careless() -> None:
            async with database.transaction(pipeline=True) as db:
                await db.execute(ADD, ["test.a/1"])
                with pytest.raises(psycopg.errors.DivisionByZero):
                    await kit_db.fetch_value(db, QUOTIENT, [0])
                await db.execute(ADD, ["test.b/1"])

        with pytest.raises(psycopg.Error):
            await careless()
        assert await kept(database) == []

    async def test_of_ours_roll_back_what_has_not_left_yet(self, database: Database):
        async def failing() -> None:
            async with database.transaction(pipeline=True) as db:
                await db.execute(ADD, ["test.a/1"])
                raise LookupError

        with pytest.raises(LookupError):
            await failing()
        assert await kept(database) == []

    async def test_leave_the_connection_usable(self, fresh: Any):
        async with Database(fresh.app, size=1) as database:
            for _ in range(5):  # before and after statements are prepared
                with pytest.raises(psycopg.errors.DivisionByZero):
                    async with database.glance() as db:
                        await kit_db.fetch_value(db, QUOTIENT, [0])
                with pytest.raises(psycopg.errors.DivisionByZero):
                    await run(database, (PAIR, [1, "a"]), (QUOTIENT, [0]), answer=True)
                async with database.glance() as db:
                    assert await kit_db.fetch_value(db, QUOTIENT, [1]) == 1

    async def test_a_cancelled_one_keeps_nothing(self, fresh: Any):
        async with Database(fresh.app, size=1) as database:

            async def slow() -> None:
                async with database.transaction(pipeline=True) as db:
                    await db.execute(ADD, ["test.a/1"])
                    await kit_db.fetch_value(db, "SELECT pg_sleep(%s)", [30])

            task = asyncio.create_task(slow())
            await asyncio.sleep(0.3)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert await kept(database) == []

    async def test_a_lost_server_is_unavailable(self, server: Any, database: Database):
        async def losing() -> None:
            async with database.transaction(pipeline=True) as db:
                await db.execute(ADD, ["test.a/1"])
                pid = db.info.backend_pid
                with psycopg.connect(server.superuser, autocommit=True) as other:
                    other.execute("SELECT pg_terminate_backend(%s)", [pid])
                await kit_db.fetch_value(db, PAIR, [1, "a"])

        with pytest.raises(Unavailable):
            await losing()
        assert await kept(database) == []


class TestWithoutAutocommit:
    async def test_a_pipeline_begins_a_transaction(self, fresh: Any, database: Database):
        async with await kit_db.connect(fresh.app) as db:
            await kit_db.execute_many(db, ADD, [["test.a/1"], ["test.b/1"]])
            await db.rollback()
        assert await kept(database) == []


class TestTogether:
    async def test_reads_of_several_leave_by_one_trip(
        self, database: Database, monkeypatch: pytest.MonkeyPatch
    ):
        async with database.transaction(pipeline=True) as db:
            trips = Trips(db, monkeypatch)
            found = await kit_db.together(
                db,
                kit_db.fetch_value(db, PAIR, [1, "a"]),
                twice(db),
                kit_db.together(
                    db,
                    kit_db.fetch_value(db, PAIR, [4, "d"]),
                    kit_db.fetch_one(db, Pair, PAIR, [5, "e"]),
                ),
            )
            assert trips.count == 2
        assert found == [1, 5, [4, Pair(5, "e")]]

    async def test_is_the_same_outside_a_pipeline(self, db: Db):
        assert await kit_db.together(db, twice(db), twice(db)) == [5, 5]

    async def test_what_one_raises_ends_the_others(self, database: Database):
        ended = []

        async def other(db: Db) -> None:
            try:
                await kit_db.fetch_value(db, PAIR, [1, "a"])
                await kit_db.fetch_value(db, PAIR, [1, "a"])
            finally:
                ended.append("other")

        async def refusing(db: Db) -> None:
            await kit_db.fetch_value(db, PAIR, [1, "a"])
            raise LookupError

        with pytest.raises(LookupError):
            async with database.transaction(pipeline=True) as db:
                await kit_db.together(db, other(db), refusing(db))
        assert ended == ["other"]

    async def test_outside_a_pipeline_leaves_nothing_waiting_either(self, database: Database):
        async def refusing(_db: Db) -> None:
            raise LookupError

        with pytest.raises(LookupError):  # of a coroutine nobody waits for Python would warn
            async with database.transaction() as db:
                await kit_db.together(db, refusing(db), twice(db))

    async def test_waits_for_other_things_too(self, database: Database):
        async def patient(db: Db) -> Any:
            await asyncio.sleep(0.01)
            return await kit_db.fetch_value(db, PAIR, [7, "g"])

        async with database.transaction(pipeline=True) as db:
            assert await kit_db.together(db, patient(db), twice(db)) == [7, 5]


class TestAhead:
    async def test_first_reads_of_the_second_leave_with_the_first(
        self, database: Database, monkeypatch: pytest.MonkeyPatch
    ):
        async with database.transaction(pipeline=True) as db:
            trips = Trips(db, monkeypatch)
            assert await kit_db.ahead(db, kit_db.fetch_value(db, PAIR, [1, "a"]), twice(db)) == 5
            assert trips.count == 2

    async def test_the_second_goes_on_only_when_the_first_is_done(self, database: Database):
        order = []

        async def first(db: Db) -> None:
            for number in range(3):
                await kit_db.fetch_value(db, PAIR, [number, "a"])
            order.append("first")

        async def then(db: Db) -> str:
            await kit_db.fetch_value(db, PAIR, [1, "a"])
            order.append("then")
            return "done"

        async with database.transaction(pipeline=True) as db:
            assert await kit_db.ahead(db, first(db), then(db)) == "done"
        assert order == ["first", "then"]

    @pytest.mark.parametrize("pipeline", [True, False])
    async def test_what_the_first_raises_is_raised_whatever_the_second_does(
        self, database: Database, pipeline: bool
    ):
        async def refusing(db: Db) -> None:
            await kit_db.fetch_value(db, PAIR, [1, "a"])
            await kit_db.fetch_value(db, PAIR, [1, "a"])
            raise LookupError

        async def early(db: Db) -> None:
            await db.execute(ADD, ["test.ahead"])
            raise ValueError

        with pytest.raises(LookupError):
            async with database.transaction(pipeline=pipeline) as db:
                await kit_db.ahead(db, refusing(db), early(db))
        assert await kept(database) == []

    async def test_what_the_second_raises_too_early_comes_in_its_turn(self, database: Database):
        async def early() -> None:
            raise ValueError

        with pytest.raises(ValueError):
            async with database.transaction(pipeline=True) as db:
                await kit_db.ahead(db, twice(db), early())

    async def test_a_first_that_asks_nothing(self, database: Database):
        async def nothing() -> None: ...

        async with database.transaction(pipeline=True) as db:
            assert await kit_db.ahead(db, nothing(), twice(db)) == 5
            assert await kit_db.ahead(db, twice(db), nothing()) is None


class TestRefused:
    PREPARED = "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%first%'"

    async def refused(self, database: Database, *, failing: bool = False) -> None:
        async with database.transaction(pipeline=True) as db:
            await db.execute(ADD, ["test.refused"])
            await kit_db.fetch_value(db, PAIR, [1, "a"])
            if failing:
                await db.execute(QUOTIENT, [0])  # asked, and nobody waits for it
            raise LookupError

    @pytest.mark.parametrize("failing", [False, True])
    async def test_is_rolled_back(self, database: Database, failing: bool):
        with pytest.raises(LookupError):
            await self.refused(database, failing=failing)
        assert await kept(database) == []

    async def test_keeps_what_is_prepared(self, fresh: Any):
        async with Database(fresh.app, size=1) as database:
            for _ in range(4):
                with pytest.raises(LookupError):
                    await self.refused(database)
            async with database.transaction() as db:
                assert await kit_db.fetch_value(db, self.PREPARED) == 1


class TestAppended:
    ROWS = (
        "INSERT INTO outbox.subscription (kind) SELECT kind FROM unnest(%s::text[]) AS one (kind)"
    )

    async def test_rows_of_a_pipeline_leave_once_before_its_end(self, database: Database):
        async with database.transaction(pipeline=True) as db:
            await db.append(self.ROWS, [("test.a",)])
            await db.append(self.ROWS, [("test.b",), ("test.c",)])
            assert await (await db.execute(KINDS)).fetchall() == []
        assert await kept(database) == ["test.a", "test.b", "test.c"]

    async def test_elsewhere_they_leave_at_once(self, database: Database):
        async with database.transaction() as db:
            await db.append(self.ROWS, [("test.a",)])
            assert await (await db.execute(KINDS)).fetchall() == [("test.a",)]

    @pytest.mark.parametrize("count", range(1, FEW + 3))
    async def test_few_and_many_are_written_alike(self, database: Database, count: int):
        kinds = [f"test.{number:02}" for number in range(count)]
        async with database.transaction(pipeline=True) as db:
            await db.append(self.ROWS, [(kind,) for kind in kinds])
        assert await kept(database) == kinds

    async def test_they_go_with_what_raises(self, database: Database):
        with pytest.raises(psycopg.DataError):
            await self.in_vain(database)
        async with database.transaction(pipeline=True) as db:
            await db.append(self.ROWS, [("test.b",)])
        assert await kept(database) == ["test.b"]

    async def test_inside_a_savepoint_they_stay_or_go_with_it(self, database: Database):
        async with database.transaction() as db:
            await db.append(self.ROWS, [("test.a",)])
            with pytest.raises(psycopg.DataError):
                await self.in_vain_inside(db)
            async with db.transaction():
                await db.append(self.ROWS, [("test.c",)])
        assert await kept(database) == ["test.a", "test.c"]

    async def in_vain(self, database: Database) -> None:
        async with database.transaction(pipeline=True) as db:
            await db.append(self.ROWS, [("test.a",)])
            await kit_db.fetch_value(db, QUOTIENT, [0])

    async def in_vain_inside(self, db: Db) -> None:
        async with db.transaction():
            await db.append(self.ROWS, [("test.b",)])
            await kit_db.fetch_value(db, QUOTIENT, [0])


async def twice(db: Db) -> int:
    first = await kit_db.fetch_value(db, PAIR, [2, "b"])
    return int(first + await kit_db.fetch_value(db, PAIR, [3, "c"]))
