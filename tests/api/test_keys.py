"""Keys met a moment ago are not looked up again, and no longer than that."""

from datetime import datetime

import pytest

from vezde.access import operations, queries
from vezde.access.model import Unauthenticated
from vezde.api import keys
from vezde.api.keys import Keys
from vezde.kit.clock import Clock
from vezde.kit.db import Database


class Watch:
    """A second hand that the test moves."""

    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


async def created(database: Database, now: datetime) -> str:
    async with database.transaction() as db:
        text, _ = await operations.create_key(
            db, name="shop", scopes=["checkout"], now=now, actor="test"
        )
        return text


async def revoke(database: Database, text: str, now: datetime) -> None:
    async with database.transaction() as db:
        key = await queries.key_by_text(db, text)
        await operations.revoke_key(db, key.key_id, now=now, actor="test")


async def test_a_revoked_key_opens_for_a_second_at_most(database: Database, now: datetime):
    text, watch = await created(database, now), Watch()
    met = Keys(now=watch)
    first = await met.by_text(text, database=database, clock=Clock())
    await revoke(database, text, now)
    watch.seconds = keys.SECONDS / 2
    assert await met.by_text(text, database=database, clock=Clock()) == first
    watch.seconds = keys.SECONDS
    with pytest.raises(Unauthenticated):
        await met.by_text(text, database=database, clock=Clock())


async def test_using_a_key_does_not_make_it_last(database: Database, now: datetime):
    text, watch = await created(database, now), Watch()
    met = Keys(now=watch)
    await met.by_text(text, database=database, clock=Clock())
    await revoke(database, text, now)
    for tenth in range(10):
        watch.seconds = keys.SECONDS * tenth / 10
        await met.by_text(text, database=database, clock=Clock())
    watch.seconds = keys.SECONDS
    with pytest.raises(Unauthenticated):
        await met.by_text(text, database=database, clock=Clock())


async def test_what_is_no_key_is_looked_up_each_time(database: Database, now: datetime):
    text = await created(database, now)
    met = Keys(now=Watch())
    for wrong in ("", text[:-1], text[:-1] + ("A" if text[-1] != "A" else "B")):
        for _ in range(2):
            with pytest.raises(Unauthenticated):
                await met.by_text(wrong, database=database, clock=Clock())
    assert await met.by_text(text, database=database, clock=Clock())


async def test_they_are_so_many_at_most(
    database: Database, now: datetime, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(keys, "MOST", 1)
    met = Keys(now=Watch())
    async with database.transaction() as db:
        texts = [
            (await operations.create_key(db, name=name, scopes=["all"], now=now, actor="test"))[0]
            for name in ("one", "two")
        ]
    for text in texts * 2:
        assert (await met.by_text(text, database=database, clock=Clock())).name in {"one", "two"}
    assert len(met._met) == 1
