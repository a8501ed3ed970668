import asyncio
from datetime import timedelta

import pytest

from vezde.kit.clock import Clock
from vezde.kit.db import Database
from vezde.kit.work import Runner, Stage, Waker, jobs, pause, sandbox, timetable
from vezde.kit.work.timetable import Tick
from vezde.outbox import operations as outbox_ops

DAILY = Tick("daily", 86_400, calendar=True)


@pytest.fixture
def clock(now):
    """A sandbox whose wall stands still."""
    return Clock(sandbox=True, wall=lambda: now)


@pytest.fixture
def life(database, clock):
    """Stages over the jobs and the timetable that note what ran and when."""

    class Life:
        def __init__(self):
            self.diary = []
            self.jobs = {"greet": self.greet, "chain": self.chain}
            self.ticks = {"daily": self.daily}
            self.stages = [
                Stage("jobs", self.run_jobs, jobs.due),
                Stage("timetable", self.run_ticks, timetable.due),
            ]

        async def run_jobs(self):
            return await jobs.work_jobs(database, self.jobs, clock=clock)

        async def run_ticks(self):
            return await timetable.work_timetable(database, self.ticks, clock=clock)

        async def greet(self, _db, job, now):
            self.diary.append((job.payload["who"], now))

        async def chain(self, db, job, now):
            self.diary.append((job.kind, now))
            await jobs.enqueue(
                db, kind="greet", payload={"who": "boris"}, due_at=now + timedelta(days=2)
            )

        async def daily(self, _db, now):
            self.diary.append(("daily", now))

    return Life()


async def enqueue(database, kind, due_at, **payload):
    async with database.transaction() as db:
        await jobs.enqueue(db, kind=kind, payload=payload, due_at=due_at)


async def programme(database, clock):
    async with database.transaction() as db:
        return await clock.programme(db)


class TestAdvance:
    async def test_moves_the_clock(self, database, clock, now):
        until = now + timedelta(days=30)
        assert await sandbox.advance(database, clock, [], until=until) == until
        assert await programme(database, clock) == until

    async def test_visits_due_rows_in_order_each_at_its_own_time(self, database, clock, life, now):
        days = [9, 3, 6]
        for day in days:
            await enqueue(database, "greet", now + timedelta(days=day), who=day)
        await enqueue(database, "greet", now + timedelta(days=31), who=31)
        await sandbox.advance(database, clock, life.stages, until=now + timedelta(days=30))
        assert life.diary == [(day, now + timedelta(days=day)) for day in sorted(days)]

    async def test_visits_what_only_arises_on_the_way(self, database, clock, life, now):
        await enqueue(database, "chain", now + timedelta(days=1))
        await sandbox.advance(database, clock, life.stages, until=now + timedelta(days=3))
        assert life.diary == [
            ("chain", now + timedelta(days=1)),
            ("boris", now + timedelta(days=3)),
        ]

    async def test_is_never_late_by_a_part_of_a_second(self, database, clock, life, now):
        due = now + timedelta(seconds=5, microseconds=1)
        await enqueue(database, "greet", due, who="anna")
        await sandbox.advance(database, clock, life.stages, until=due)
        assert life.diary == [("anna", now + timedelta(seconds=6))]

    async def test_stops_at_each_calendar_tick(self, database, clock, life, now):
        async with database.transaction() as db:
            await timetable.install(db, [DAILY], now=now)
        await sandbox.advance(database, clock, life.stages, until=now + timedelta(days=5))
        first = DAILY.following(now)
        assert life.diary == [("daily", first + timedelta(days=day)) for day in range(5)]

    async def test_runs_housekeeping_once_for_the_whole_jump(self, database, clock, life, now):
        async with database.transaction() as db:
            await timetable.install(db, [Tick("daily", 60)], now=now)
        await sandbox.advance(database, clock, life.stages, until=now + timedelta(days=5))
        await sandbox.drain(life.stages)
        assert len(life.diary) == 1

    async def test_refuses_to_go_back(self, database, clock, now):
        await sandbox.advance(database, clock, [], until=now + timedelta(days=1))
        with pytest.raises(sandbox.ClockBackwards):
            await sandbox.advance(database, clock, [], until=now)
        assert await programme(database, clock) == now + timedelta(days=1)

    async def test_refuses_outside_a_sandbox(self, database, now):
        with pytest.raises(sandbox.NotASandbox):
            await sandbox.advance(database, Clock(), [], until=now + timedelta(days=9999))

    async def test_names_a_stage_that_leaves_its_work_undone(self, database, clock, now):
        async def idle():
            return 0

        async def always_due(_db):
            return now + timedelta(hours=1)

        with pytest.raises(sandbox.StageStuck, match="lazy"):
            await sandbox.advance(
                database, clock, [Stage("lazy", idle, always_due)], until=now + timedelta(days=1)
            )

    async def test_does_not_wait_for_back_off(self, database, clock, life, now):
        async def fail(_db, _job, _now):
            raise ValueError

        life.jobs["greet"] = fail
        await enqueue(database, "greet", now + timedelta(days=1), who="anna")
        until = now + timedelta(days=2)
        assert await sandbox.advance(database, clock, life.stages, until=until) == until

    async def test_prepares_the_months_it_goes_through(self, database, clock, now):
        async def open_months(db, start, end):
            await outbox_ops.open_months(db, first=start, last=end)

        await sandbox.advance(
            database, clock, [], until=now + timedelta(days=60), before_move=open_months
        )
        async with database.transaction() as db:
            assert await outbox_ops.open_months(db, first=now, last=now + timedelta(days=60)) == 0

    async def test_pauses_the_workers_of_every_process(self, fresh, clock, now):
        running, moving, stop = 0, False, asyncio.Event()
        overlaps = []

        async def busy():
            nonlocal running
            overlaps.append(moving)
            running += 1
            await asyncio.sleep(0.005)
            running -= 1
            return 1  # never idle: the lock must be fair

        async def look():
            nonlocal moving
            moving = True
            assert running == 0
            await asyncio.sleep(0.1)
            moving = False
            return 0

        async def worker():
            async with Database(fresh.app, size=2) as own, Waker(fresh.app) as waker:
                stages = [Stage(f"busy.{number}", busy) for number in range(3)]
                await Runner(own, stages, waker, clock).run(stop)

        workers = [asyncio.create_task(worker()) for _ in range(2)]
        async with Database(fresh.app, size=2) as own:
            while len(overlaps) < 20:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            looking = sandbox.advance(
                own, clock, [Stage("look", look)], until=now + timedelta(days=1)
            )
            await asyncio.wait_for(looking, 20)
            before = len(overlaps)
            await asyncio.sleep(0.2)
        stop.set()
        await asyncio.gather(*workers)
        assert not any(overlaps)
        assert len(overlaps) > before

    async def test_lets_work_without_a_calendar_go_on(self, fresh, database, clock, now):
        went_on, stop = asyncio.Event(), asyncio.Event()

        async def call():
            went_on.set()
            return 0

        async with Waker(fresh.app) as waker, pause.alone(database):
            stage = Stage("calls", call, pauses=False)
            running = asyncio.create_task(Runner(database, [stage], waker, clock).run(stop))
            await asyncio.wait_for(went_on.wait(), 20)
            stop.set()
            await running

    async def test_stops_a_paused_worker_without_waiting_for_the_move(
        self, fresh, database, clock, now
    ):
        stop = asyncio.Event()

        async def never():
            raise AssertionError

        async with Waker(fresh.app) as waker, pause.alone(database):
            runner = Runner(database, [Stage("paused", never)], waker, clock, grace_seconds=0.1)
            running = asyncio.create_task(runner.run(stop))
            await asyncio.sleep(0.1)
            stop.set()
            await asyncio.wait_for(running, 20)


class TestDrain:
    async def test_counts_what_was_done(self, database, life, now):
        await enqueue(database, "greet", now, who="anna")
        await enqueue(database, "greet", now + timedelta(days=1), who="boris")
        assert await sandbox.drain(life.stages) == 1

    async def test_repeats_until_every_stage_is_idle(self):
        left, log = {"a": 1, "b": 2}, []

        def stage(name, other):
            async def run():
                if not left[name]:
                    return 0
                left[name] -= 1
                log.append(name)
                if len(log) < 4:
                    left[other] += 1
                return 1

            return Stage(name, run)

        total = await sandbox.drain([stage("a", "b"), stage("b", "a")])
        assert total == len(log) == 6
        assert left == {"a": 0, "b": 0}

    async def test_names_a_stage_without_end(self, monkeypatch):
        monkeypatch.setattr(sandbox, "MOST_BATCHES", 50)

        async def run():
            return 1

        with pytest.raises(sandbox.StageStuck, match="endless"):
            await sandbox.drain([Stage("endless", run)])

    async def test_names_stages_that_feed_each_other(self, monkeypatch):
        monkeypatch.setattr(sandbox, "MOST_ROUNDS", 50)
        left = {"ping": 1, "pong": 0}

        def stage(name, other):
            async def run():
                if not left[name]:
                    return 0
                left[name] -= 1
                left[other] += 1
                return 1

            return Stage(name, run)

        with pytest.raises(sandbox.StageStuck, match="ping, pong"):
            await sandbox.drain([stage("ping", "pong"), stage("pong", "ping")])
