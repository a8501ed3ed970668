"""The connection: lists as PostgreSQL takes them, waiting, statements planned once if asked."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, LiteralString
from uuid import UUID, uuid4

import psycopg
import pytest
import uvloop
from hypothesis import given as given_any
from hypothesis import strategies as st

from vezde.kit import db as kit_db
from vezde.kit.db import Database
from vezde.kit.errors import DomainError, Unavailable
from vezde.kit.lists import Flat

PLANS = """
SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE statement LIKE '%outbox.todo%'
"""
DUE = "SELECT fact_id FROM outbox.todo WHERE lane = ANY(%s::smallint[])"


class TestLists:
    @pytest.mark.parametrize(
        ("sql_type", "given"),
        [
            ("uuid[]", []),
            ("uuid[]", [UUID(int=0), uuid4(), UUID(int=2**128 - 1)]),
            ("uuid[]", [uuid4(), None]),
            ("bigint[]", []),
            ("bigint[]", [0, -1, 32_767, 32_768, -(2**63), 2**63 - 1]),
            ("bigint[]", [1, None, 3]),
            ("smallint[]", [-32_768, 32_767]),
            ("bigint[]", [[1, 2], [3, 4]]),
            ("boolean[]", [True, False, None]),
            ("text[]", ["", "null", 'a"b', "a,b", "{}", "\\", " ", "чек", None, "NULL"]),
            ("text[]", [[["a", 'b"']], [["\\", "d"]]]),
            ("text[]", [None, None]),
            ("bytea[]", [b"", b"\x00\xff", b'"\\{},', None]),
            ("timestamptz[]", [datetime(1999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), None]),
            ("timestamptz[]", [datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)]),
            ("timestamp[]", [datetime(2026, 2, 28, 1, 2, 3)]),
        ],
    )
    @pytest.mark.parametrize("pipeline", [False, True])
    async def test_come_back_as_they_were(self, database: Database, sql_type, given, pipeline):
        async with database.transaction(pipeline=pipeline) as db:
            asked = await db.execute(f"SELECT %s::{sql_type}".encode(), [given])
            assert await asked.fetchone() == (given,)

    @given_any(
        given=st.lists(st.none() | st.text(st.characters(codec="utf-8", exclude_characters="\0")))
    )
    def test_of_any_text_are_written_as_the_server_reads_them(self, server, given):
        with psycopg.connect(server.superuser, autocommit=True) as db:
            db.adapters.register_dumper(list, Flat)
            assert db.execute("SELECT %s::text[]", [given]).fetchone() == (given,)

    async def test_of_text_that_cannot_be_kept_are_refused(self, database: Database):
        with pytest.raises(psycopg.DataError, match="NUL"):
            async with database.transaction() as db:
                await db.execute("SELECT %s::text[]", [["a\0b"]])

    async def test_of_two_kinds_are_refused(self, database: Database):
        with pytest.raises(Exception, match="mixed types"):
            async with database.transaction() as db:
                await db.execute("SELECT %s::text[]", [[1, uuid4()]])


class TestPlans:
    async def test_are_made_once_where_that_is_asked(self, fresh):
        generic, custom = await plans(fresh.app, planned_once=True)
        assert (generic > 0, custom) == (True, 0)

    async def test_of_filtered_lists_are_made_for_their_parameters(self, fresh):
        async with Database(fresh.app, size=1, planned_once=True) as database:
            for lane in range(12):
                async with database.transaction() as db:
                    assert await kit_db.fetch_filtered(db, dict, DUE, [[lane]]) == []
            async with database.transaction() as db:
                row = await (await db.execute(PLANS)).fetchone()
                mode = await kit_db.fetch_value(db, "SHOW plan_cache_mode")
        assert row is not None
        assert (row[0], row[1] > 5, mode) == (0, True, "force_generic_plan")

    async def test_made_while_a_queue_is_empty_do_not_read_all_of_it(self, fresh):
        db = await kit_db.connect(fresh.owner, autocommit=True)
        async with db:
            await db.execute("VACUUM ANALYZE outbox.todo")
        assert "Seq Scan" in await plan(fresh.app, planned_once=False)
        assert "Seq Scan" not in await plan(fresh.app, planned_once=True)

    async def test_are_made_for_the_parameters_elsewhere(self, fresh):
        _, custom = await plans(fresh.app, planned_once=False)
        assert custom >= 5  # PostgreSQL compares only then


async def plans(conninfo: str, *, planned_once: bool) -> tuple[int, int]:
    """Generic and custom plans of a statement that was run a dozen times."""
    async with Database(conninfo, size=1, planned_once=planned_once) as database:
        for lane in range(12):
            async with database.transaction() as db:
                await db.execute(DUE, [[lane]])
        async with database.transaction() as db:
            row = await (await db.execute(PLANS)).fetchone()
    assert row is not None, "it was prepared"
    return row


async def plan(conninfo: str, *, planned_once: bool) -> str:
    async with (
        Database(conninfo, size=1, planned_once=planned_once) as database,
        database.transaction() as db,
    ):
        rows = await (await db.execute(f"EXPLAIN {DUE}", [[1]])).fetchall()
    return "\n".join(row[0] for row in rows)


TYPED = "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%pg_typeof%'"


class TestListsOfAnyValues:
    async def test_are_of_the_type_that_the_statement_says(self, database: Database):
        """By their values they would be smallint[], integer[] or unknown, each planned anew."""
        query = "SELECT pg_typeof(%s::bigint[])::text, pg_typeof(%s::boolean[])::text"
        async with Database(database.pool.conninfo, size=1) as one:
            for given in ([1], [1, None], [10**12], [None], []):
                async with one.transaction() as db:
                    row = await (await db.execute(query, [given, [True, None]])).fetchone()
                assert row == ("bigint[]", "boolean[]")
            async with one.transaction() as db:
                assert await kit_db.fetch_value(db, TYPED) == 1


TERMINATE = "SELECT pg_terminate_backend(%s)"
PID = "SELECT pg_backend_pid()"
ASLEEP = """
SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'SELECT pg_sleep%'
"""


# Of a server that broke off, uvloop tells otherwise than asyncio's own loop does.
LOOPS = pytest.mark.parametrize(
    "loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"]
)


def run(work: Coroutine[Any, Any, None], loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(work)


class TestWaiting:
    async def test_a_statement_that_nobody_waits_for_any_more_is_cancelled(
        self, database: Database
    ):
        async with database.glance() as db:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await kit_db.fetch_value(db, "SELECT pg_sleep(60)::text")
        async with database.transaction() as db:
            assert await kit_db.fetch_value(db, ASLEEP) == 0

    @LOOPS
    def test_a_connection_lost_while_idle_is_replaced(self, fresh, loop):
        """Its socket's number goes to the next connection, which must be watched for itself."""

        async def lose() -> None:
            async with asyncio.timeout(20), Database(fresh.app, size=1) as database:
                for _ in range(3):
                    async with database.transaction() as db:
                        pid = await kit_db.fetch_value(db, PID)
                    await terminated(fresh.app, pid)
                    await asyncio.sleep(0.05)
                    with suppress(Unavailable):  # later ones are tried before they are lent
                        async with database.transaction() as db:
                            await kit_db.fetch_value(db, PID)
                    async with database.transaction() as db:
                        assert await kit_db.fetch_value(db, PID) != pid

        run(lose(), loop)

    @LOOPS
    def test_a_connection_lost_while_it_is_asked_is_replaced(self, fresh, loop):
        async def lose() -> None:
            async with asyncio.timeout(20), Database(fresh.app, size=1) as database:
                for _ in range(3):
                    with pytest.raises(Unavailable):
                        await terminated_meanwhile(database, fresh.app)
                    async with database.transaction() as db:
                        assert await kit_db.fetch_value(db, "SELECT 1") == 1

        run(lose(), loop)

    async def test_more_than_a_socket_takes_at_once_is_sent(self, database: Database):
        text = "x" * 20_000_000
        async with asyncio.timeout(60), database.transaction() as db:
            assert await kit_db.fetch_value(db, "SELECT length(%s::text)", [text]) == len(text)
        async with asyncio.timeout(60), database.transaction(pipeline=True) as db:
            assert await kit_db.fetch_value(db, "SELECT %s::text", [text]) == text

    async def test_what_the_server_says_unasked_is_not_heard_over_and_over(self, fresh):
        async with Database(fresh.app, size=1) as database:
            async with database.transaction() as db:
                await db.execute("LISTEN test_unasked")
                connection = db
            other = await kit_db.connect(fresh.owner, autocommit=True)
            async with other:
                await other.execute("NOTIFY test_unasked")
            await asyncio.sleep(0.1)
            assert connection._watched is None
            async with database.transaction() as db:
                assert await kit_db.fetch_value(db, "SELECT 1") == 1

    async def test_the_connection_that_came_back_last_is_lent_first(self, fresh):
        async with Database(fresh.app, size=3) as database:
            async with database.glance() as one, database.glance() as two:
                pids = [await kit_db.fetch_value(one, PID), await kit_db.fetch_value(two, PID)]
            for _ in range(3):
                async with database.glance() as db:
                    assert await kit_db.fetch_value(db, PID) == pids[0]


async def terminated_meanwhile(database: Database, conninfo: str) -> None:
    async with asyncio.timeout(10), database.transaction() as db:
        pid = await kit_db.fetch_value(db, PID)
        asleep = kit_db.fetch_value(db, "SELECT pg_sleep(60)::text")
        await asyncio.gather(asleep, terminated(conninfo, pid))


async def terminated(conninfo: str, pid: int) -> None:
    other = await kit_db.connect(conninfo, autocommit=True)
    async with other:
        await other.execute(TERMINATE, [pid])


class TestGlance:
    async def test_keeps_what_is_prepared_though_what_is_asked_for_is_not_there(self, fresh):
        async with Database(fresh.app, size=1) as database:
            for _ in range(3):
                async with database.glance() as db:
                    await db.execute(DUE, [[1]])
            with pytest.raises(Missing):
                await in_vain(database, DUE, [[1]])
            assert await prepared(database) == 1

    async def test_prepares_anew_after_a_statement_that_failed(self, fresh):
        async with Database(fresh.app, size=1) as database:
            for _ in range(3):
                async with database.glance() as db:
                    await db.execute(DUE, [[1]])
            with pytest.raises(psycopg.DataError):
                async with database.glance() as db:
                    await kit_db.fetch_value(db, "SELECT 1 / %s", [0])
            with pytest.raises(Missing):
                await in_vain(database, "SELECT 1 / %s", [0])
            for _ in range(3):
                async with database.glance() as db:
                    assert await kit_db.fetch_column(db, DUE, [[1]]) == []


class Missing(DomainError):
    code = "missing"


async def in_vain(database: Database, query: LiteralString, params: list[Any]) -> None:
    async with database.glance() as db:
        await db.execute(query, params)
        raise Missing("There is no such thing")


async def prepared(database: Database) -> int:
    """Statements of this module that the server keeps prepared."""
    async with database.transaction() as db:
        await db.execute("SELECT 1")  # what was given up is let go of by the next statement
        asked = (
            "SELECT count(*) FROM pg_prepared_statements WHERE statement = replace(%s, '%%s', '$1')"
        )
        return await kit_db.fetch_value(db, asked, [DUE])
