import asyncio
from datetime import datetime

import psycopg
import pytest

from conftest import TestDatabase
from vezde.kit import db as kit_db
from vezde.kit import emptying
from vezde.kit.db import Database, Db
from vezde.kit.errors import Unavailable
from vezde.outbox import operations as outbox
from vezde.outbox.model import FactRow

SCHEMAS, KEPT = {"outbox", "kit"}, {"outbox.lane", "kit.migration", "kit.clock"}


def fact(number: int, now: datetime) -> FactRow:
    from vezde.kit import ids

    return FactRow(ids.new(), None, str(number), "thing.happened/1", now, now, {})


@pytest.fixture
async def filled(database: Database, now: datetime) -> Database:
    async with database.transaction() as db:
        await outbox.open_months(db, first=now, last=now)
        await outbox.subscribe(db, ["thing.happened/1"])
        await outbox.record(db, [fact(number, now) for number in range(3)])
        await db.execute("UPDATE kit.clock SET offset_seconds = 86400")
    return database


async def counts(database: Database) -> dict[str, int]:
    found = {}
    async with database.transaction() as db:
        for table in ("fact", "todo", "subscription", "lane"):
            query = f"SELECT count(*) FROM outbox.{table}".encode()
            row = await (await db.execute(query)).fetchone()  # type: ignore[call-overload]
            found[table] = row[0]
        found["offset"] = await kit_db.fetch_value(db, "SELECT offset_seconds FROM kit.clock")
    return found


async def nothing(_db: Db) -> None:
    """Begin with empty tables."""


class TestBeginAnew:
    async def test_empties_all_but_what_is_kept(
        self, filled: Database, fresh: TestDatabase
    ) -> None:
        assert await counts(filled) == {
            "fact": 3,
            "todo": 3,
            "subscription": 1,
            "lane": 64,
            "offset": 86_400,
        }
        await emptying.begin_anew(fresh.owner, schemas=SCHEMAS, kept=KEPT, begin=nothing)
        assert await counts(filled) == {
            "fact": 0,
            "todo": 0,
            "subscription": 0,
            "lane": 64,
            "offset": 0,
        }

    async def test_answers_what_begin_answers_and_keeps_what_it_wrote(
        self, filled: Database, fresh: TestDatabase, now: datetime
    ) -> None:
        async def begin(db: Db) -> str:
            await outbox.record(db, [fact(9, now)])
            return "begun"

        said = await emptying.begin_anew(fresh.owner, schemas=SCHEMAS, kept=KEPT, begin=begin)
        assert said == "begun"
        assert (await counts(filled))["fact"] == 1

    async def test_changes_nothing_when_begin_fails(
        self, filled: Database, fresh: TestDatabase
    ) -> None:
        before = await counts(filled)

        async def begin(_db: Db) -> None:
            raise ValueError("no")

        with pytest.raises(ValueError, match="no"):
            await emptying.begin_anew(fresh.owner, schemas=SCHEMAS, kept=KEPT, begin=begin)
        assert await counts(filled) == before

    async def test_waits_for_what_is_being_worked_on(
        self, filled: Database, fresh: TestDatabase, now: datetime
    ) -> None:
        async with filled.transaction() as db:
            await outbox.record(db, [fact(7, now)])
            work = asyncio.create_task(
                emptying.begin_anew(fresh.owner, schemas=SCHEMAS, kept=KEPT, begin=nothing)
            )
            await asyncio.sleep(0.8)
            assert not work.done()
        await work
        assert (await counts(filled))["fact"] == 0

    async def test_gives_up_and_says_so(
        self,
        filled: Database,
        fresh: TestDatabase,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(emptying, "ATTEMPTS", 1)
        async with filled.transaction() as db:
            await db.execute("SELECT * FROM outbox.fact")
            with pytest.raises(Unavailable, match="nothing was changed"):
                await emptying.begin_anew(fresh.owner, schemas=SCHEMAS, kept=KEPT, begin=nothing)
        assert (await counts(filled))["fact"] == 3

    async def test_is_not_for_the_application(self, filled: Database, fresh: TestDatabase) -> None:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await emptying.begin_anew(fresh.app, schemas=SCHEMAS, kept=KEPT, begin=nothing)
