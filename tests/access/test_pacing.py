import asyncio
from datetime import timedelta

import pytest

from vezde.access import operations
from vezde.access.doors import Attempt, Pace, TooOften

THREE = Pace("three an hour", 3, timedelta(hours=1))
FIVE = Pace("five an hour", 5, timedelta(hours=1))


async def spend(db, vault, wall, *subjects, pace=THREE):
    await operations.spend(db, [Attempt(pace, one) for one in subjects], vault=vault, wall=wall)


class TestSpend:
    async def test_lets_a_burst_through_and_then_one_at_a_time(self, db, vault, now):
        for _ in range(3):
            await spend(db, vault, now, "anna")
        with pytest.raises(TooOften) as caught:
            await spend(db, vault, now, "anna")
        assert caught.value.retry_after_seconds == pytest.approx(1200, abs=1)
        await spend(db, vault, now + timedelta(minutes=20), "anna")
        with pytest.raises(TooOften):
            await spend(db, vault, now + timedelta(minutes=21), "anna")

    async def test_counts_each_subject_and_each_pace_by_itself(self, db, vault, now):
        for _ in range(3):
            await spend(db, vault, now, "anna")
        await spend(db, vault, now, "boris")
        await spend(db, vault, now, "anna", pace=FIVE)

    async def test_keeps_nobody_in_clear(self, db, vault, now):
        await spend(db, vault, now, "+79000000001")
        row = await (await db.execute("SELECT p::text FROM access.pace p")).fetchone()
        assert "79000000001" not in row[0]

    async def test_is_shared_by_all_connections(self, database, vault, now):
        async def one(order) -> bool:
            try:
                async with database.transaction() as db:
                    await spend(db, vault, now, *order)
            except TooOften:
                return False
            return True

        orders = [("anna", "boris"), ("boris", "anna")] * 6
        assert sum(await asyncio.gather(*map(one, orders))) == 3
