"""The connection: lists as PostgreSQL takes them, statements planned once where that is asked."""

from uuid import UUID, uuid4

import pytest

from vezde.kit.db import Database

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
            ("text[]", ["", "null", 'a"b', "a,b", "{}", "\\", " ", "чек", None]),
        ],
    )
    @pytest.mark.parametrize("pipeline", [False, True])
    async def test_come_back_as_they_were(self, database: Database, sql_type, given, pipeline):
        async with database.transaction(pipeline=pipeline) as db:
            asked = await db.execute(f"SELECT %s::{sql_type}".encode(), [given])
            assert await asked.fetchone() == (given,)

    async def test_of_two_kinds_are_refused(self, database: Database):
        with pytest.raises(Exception, match="mixed types"):
            async with database.transaction() as db:
                await db.execute("SELECT %s::text[]", [[1, uuid4()]])


class TestPlans:
    async def test_are_made_once_where_that_is_asked(self, fresh):
        generic, custom = await plans(fresh.app, planned_once=True)
        assert (generic > 0, custom) == (True, 0)

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
