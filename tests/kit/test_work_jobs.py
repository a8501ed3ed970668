import asyncio
from datetime import timedelta

import pytest

from vezde.kit import ids
from vezde.kit.clock import Clock
from vezde.kit.db import Database
from vezde.kit.work import failures, jobs


class Hands:
    def __init__(self, at):
        self.at = at
        self.clock = Clock(wall=lambda: self.at)


@pytest.fixture
def hands(now):
    return Hands(now)


async def enqueue(database, due_at, *, key=None, number=0):
    async with database.transaction() as db:
        return await jobs.enqueue(
            db, kind="greet", payload={"number": number}, due_at=due_at, key=key
        )


def greeting(seen):
    async def greet(_db, job, _now):
        seen.append(job.payload["number"])

    return {"greet": greet}


async def fail(db, _job, _now):
    await db.execute("DELETE FROM kit.job")
    raise ValueError("anna@example.org")


class TestWorkJobs:
    async def test_works_due_jobs_in_the_order_they_fall_due(self, database, hands, now):
        seen = []
        for number, minutes in enumerate([-1, -5, -3, 1]):
            await enqueue(database, now + timedelta(minutes=minutes), number=number)
        assert await jobs.work_jobs(database, greeting(seen), clock=hands.clock) == 3
        assert seen == [1, 2, 0]

    async def test_tells_the_handler_the_programme_s_now(self, database, hands, now):
        nows = []

        async def greet(_db, _job, at):
            nows.append(at)

        await enqueue(database, now)
        await jobs.work_jobs(database, {"greet": greet}, clock=hands.clock)
        assert nows == [now]

    async def test_leaves_what_it_has_no_handler_for(self, database, hands, now):
        await enqueue(database, now)
        assert await jobs.work_jobs(database, {}, clock=hands.clock) == 0
        async with database.transaction() as db:
            assert await jobs.due(db) == now

    async def test_keeps_one_job_a_key_until_it_is_done(self, database, hands, now):
        assert await enqueue(database, now, key="anna")
        assert not await enqueue(database, now, key="anna")
        await jobs.work_jobs(database, greeting([]), clock=hands.clock)
        assert await enqueue(database, now, key="anna")

    async def test_works_each_job_once_with_parallel_workers(self, fresh, now):
        seen = []

        async def greet(db, job, _now):
            await db.execute("SELECT pg_sleep(0.002)")
            seen.append(job.payload["number"])

        async def worker():
            async with Database(fresh.app, size=2) as own:
                await jobs.work_jobs(own, {"greet": greet}, clock=Clock(wall=lambda: now))

        async with Database(fresh.app, size=2) as database:
            for number in range(30):
                await enqueue(database, now, number=number)
        await asyncio.gather(*(worker() for _ in range(3)))
        assert sorted(seen) == list(range(30))

    async def test_backs_off_by_the_wall_then_parks(self, database, hands, now):
        await enqueue(database, now)
        for pause in failures.BACKOFF:
            assert await jobs.work_jobs(database, {"greet": fail}, clock=hands.clock) == 1
            hands.at += pause - timedelta(seconds=1)
            assert await jobs.work_jobs(database, {"greet": fail}, clock=hands.clock) == 0
            hands.at += timedelta(seconds=1)
        assert await jobs.work_jobs(database, {"greet": fail}, clock=hands.clock) == 1
        hands.at += timedelta(days=365)
        assert await jobs.work_jobs(database, {"greet": fail}, clock=hands.clock) == 0
        async with database.transaction() as db:
            (parked,) = await jobs.parked(db, limit=5)
        assert parked.attempts == 6
        assert parked.error.startswith("ValueError at ")
        assert "anna" not in parked.error

    async def test_holds_up_no_other_job_for_a_poison_one(self, database, hands, now):
        seen = []

        async def greet(_db, job, _now):
            if job.payload["number"] == 0:
                raise ValueError
            seen.append(job.payload["number"])

        await enqueue(database, now - timedelta(days=1), number=0)
        await enqueue(database, now, number=1)
        assert await jobs.work_jobs(database, {"greet": greet}, clock=hands.clock) == 2
        assert seen == [1]

    async def test_tries_again_what_was_unparked(self, database, hands, now):
        await enqueue(database, now)
        for pause in (*failures.BACKOFF, timedelta(0)):
            await jobs.work_jobs(database, {"greet": fail}, clock=hands.clock)
            hands.at += pause
        async with database.transaction() as db:
            (parked,) = await jobs.parked(db, limit=5)
            await jobs.unpark(db, job_id=parked.id, actor="operator:cli")
        seen = []
        assert await jobs.work_jobs(database, greeting(seen), clock=hands.clock) == 1
        assert seen == [0]

    async def test_cannot_unpark_what_is_not_parked(self, db):
        with pytest.raises(jobs.NotParked):
            await jobs.unpark(db, job_id=ids.new(), actor="operator:cli")


class TestDue:
    async def test_answers_the_earliest_job_not_in_back_off(self, database, hands, now):
        await enqueue(database, now + timedelta(days=2))
        await enqueue(database, now)
        await jobs.work_jobs(database, {"greet": fail}, clock=hands.clock)
        async with database.transaction() as db:
            assert await jobs.due(db) == now + timedelta(days=2)
