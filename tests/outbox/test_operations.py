from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
import pytest

from vezde.kit import ids
from vezde.kit.db import Db
from vezde.outbox import model, operations, queries
from vezde.outbox.model import FactRow

ANNA = UUID("01930000-0000-7000-8000-0000000000a1")
NOVEMBER = datetime(2026, 11, 1, tzinfo=UTC)
DECEMBER = datetime(2026, 12, 1, tzinfo=UTC)


def fact(now: datetime, *, kind: str = "purchase.recorded/1", points: int = 7) -> FactRow:
    return FactRow(ids.new(), ANNA, None, kind, now - timedelta(days=1), now, {"points": points})


async def todo(db: Db) -> int:
    row = await (await db.execute("SELECT count(*) FROM outbox.todo")).fetchone()
    return row[0]


class TestRecord:
    async def test_keeps_every_field(self, db, now):
        written = fact(now)
        await operations.record(db, [written])
        assert await queries.recorded(db, since=now, until=now + timedelta(1), limit=10) == [
            written
        ]

    async def test_gives_work_only_for_subscribed_kinds(self, db, now):
        await operations.subscribe(db, ["purchase.recorded/1"])
        await operations.record(db, [fact(now), fact(now, kind="program.published/1")])
        assert await todo(db) == 1
        assert db.woken == {model.HAND_OVER}

    async def test_refuses_a_kind_without_a_version(self, db, now):
        with pytest.raises(psycopg.errors.CheckViolation):
            await operations.record(db, [fact(now, kind="purchase.recorded")])

    async def test_works_inside_a_pipeline(self, database, now):
        async with database.transaction(pipeline=True) as db:
            await operations.record(db, [fact(now) for _ in range(5)])
        async with database.transaction() as db:
            assert await queries.rest(db) == 5

    @pytest.mark.parametrize(
        "verb", ["UPDATE outbox.fact SET kind = 'a.b/1'", "DELETE FROM outbox.fact"]
    )
    async def test_cannot_be_undone_by_the_application(self, db, verb):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await db.execute(verb)


class TestSubscribe:
    async def test_leaves_exactly_the_wanted_kinds(self, db, now):
        await operations.subscribe(db, ["a.b/1", "a.c/1"])
        await operations.subscribe(db, ["a.c/1", "a.d/1"])
        rows = await (
            await db.execute("SELECT kind FROM outbox.subscription ORDER BY 1")
        ).fetchall()
        assert [row[0] for row in rows] == ["a.c/1", "a.d/1"]

    async def test_of_nothing_leaves_nothing(self, db, now):
        await operations.subscribe(db, ["a.b/1"])
        await operations.subscribe(db, [])
        await operations.record(db, [fact(now, kind="a.b/1")])
        assert await todo(db) == 0


class TestOpenMonths:
    async def test_makes_each_month_once(self, db, now):
        assert await operations.open_months(db, first=now, last=now + timedelta(60)) == 3
        assert await operations.open_months(db, first=now, last=now + timedelta(60)) == 0

    async def test_takes_facts_out_of_the_default_partition(self, db, now):
        await operations.record(db, [fact(now), fact(now + timedelta(40))])
        assert await queries.rest(db) == 2
        await operations.open_months(db, first=now, last=now)
        assert await queries.rest(db) == 1
        assert len(await queries.recorded(db, since=NOVEMBER, until=DECEMBER, limit=9)) == 1

    async def test_puts_the_last_instant_of_a_month_into_it(self, db, now):
        await operations.open_months(db, first=now, last=now)
        last = DECEMBER - timedelta(microseconds=1)
        await operations.record(db, [fact(last)])
        assert await queries.rest(db) == 0
        await operations.record(db, [fact(DECEMBER)])
        assert await queries.rest(db) == 1

    async def test_lets_two_processes_open_the_same_month(self, database, now):
        import asyncio

        async def opened() -> int:
            async with database.transaction() as db:
                return await operations.open_months(db, first=now, last=now)

        assert sorted(await asyncio.gather(*(opened() for _ in range(4)))) == [0, 0, 0, 1]
