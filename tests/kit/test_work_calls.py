import asyncio
import os
import signal
import statistics
import subprocess
import sys
import textwrap
from datetime import timedelta

import pytest

from vezde.kit.clock import Clock, utc_now
from vezde.kit.db import Database
from vezde.kit.errors import DomainError, FieldError, Kind, Unavailable
from vezde.kit.work import Runner, Stage, Waker, calls


class Unreadable(DomainError):
    code = "unreadable_image"
    kind = Kind.REFUSED


async def upper(payload, _call_id):
    return payload.upper()


@pytest.fixture
async def waker(fresh):
    async with Waker(fresh.app) as made:
        await made.listening()
        yield made


@pytest.fixture
def working(fresh):
    """`async with working(handlers)`: a worker with a pool and a waker of its own."""

    class Working:
        def __init__(self, handlers, **options):
            self.handlers, self.options = handlers, options

        async def __aenter__(self):
            self.database, self.waker = Database(fresh.app, size=3), Waker(fresh.app)
            await self.database.__aenter__()
            await self.waker.__aenter__()
            await self.waker.listening()
            self.stop = asyncio.Event()
            stage = Stage(calls.STAGE, self.run, pauses=False)
            runner = Runner(self.database, [stage], self.waker, Clock())
            self.task = asyncio.create_task(runner.run(self.stop))

        async def run(self):
            return await calls.work_calls(self.database, self.handlers, **self.options)

        async def __aexit__(self, *exc):
            self.stop.set()
            await self.task
            await self.waker.__aexit__(*exc)
            await self.database.__aexit__(*exc)

    return Working


async def rows(database):
    async with database.transaction() as db:
        return (await (await db.execute("SELECT count(*) FROM kit.call")).fetchone())[0]


async def until_waiting(database, number):
    while await rows(database) < number:  # noqa: ASYNC110 (the rows are written elsewhere)
        await asyncio.sleep(0.01)


async def ask(database, waker, payload=b"anna", *, seconds=10.0, **options):
    return await calls.request(
        database, waker, "upper", payload, timeout_seconds=seconds, **options
    )


class TestRequest:
    async def test_answers_with_what_a_worker_made(self, database, waker, working):
        async with working({"upper": upper}):
            assert await ask(database, waker) == b"ANNA"
        assert await rows(database) == 0

    async def test_answers_many_at_a_time_each_its_own(self, database, waker, working):
        async with working({"upper": upper}), working({"upper": upper}):
            names = [f"person {number}" for number in range(40)]
            answers = await asyncio.gather(*(ask(database, waker, name.encode()) for name in names))
        assert answers == [name.upper().encode() for name in names]

    async def test_costs_a_few_milliseconds(self, database, waker, working):
        loop, taken = asyncio.get_running_loop(), []
        async with working({"upper": upper}):
            await ask(database, waker)
            for _ in range(20):
                started = loop.time()
                await ask(database, waker)
                taken.append(loop.time() - started)
        assert statistics.median(taken) < 0.04  # below the 50 ms of a lost wake-up

    async def test_raises_what_the_handler_refused(self, database, waker, working):
        async def refuse(_payload, _call_id):
            raise Unreadable(
                "Take the picture again", errors=(FieldError("image", "dark", "Too dark"),)
            )

        async with working({"upper": refuse}):
            with pytest.raises(DomainError, match="Take the picture again") as caught:
                await ask(database, waker)
        assert (caught.value.code, caught.value.kind) == ("unreadable_image", Kind.REFUSED)
        assert caught.value.errors == (FieldError("image", "dark", "Too dark"),)
        assert await rows(database) == 0

    async def test_tries_three_times_what_breaks(self, database, waker, working):
        tries = []

        async def broken(_payload, call_id):
            tries.append(call_id)
            raise ValueError

        async with working({"upper": broken}):
            with pytest.raises(Unavailable, match="failed several times"):
                await ask(database, waker)
        assert len(tries) == 3
        assert len(set(tries)) == 1

    async def test_gives_up_when_nobody_works(self, database, waker):
        with pytest.raises(Unavailable, match="in time"):
            await ask(database, waker, seconds=0.2)
        assert await rows(database) == 0

    async def test_refuses_when_too_many_wait(self, database, waker):
        waiting = [asyncio.create_task(ask(database, waker, seconds=2)) for _ in range(3)]
        await until_waiting(database, 3)
        with pytest.raises(calls.Busy) as caught:
            await ask(database, waker, most_waiting=3)
        assert caught.value.retry_after_seconds
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

    async def test_tells_when_the_question_was_lost(self, database, waker):
        asking = asyncio.create_task(ask(database, waker))
        await until_waiting(database, 1)
        async with database.transaction() as db:
            await db.execute("DELETE FROM kit.call")
        with pytest.raises(Unavailable, match="lost"):
            await asking

    async def test_finds_the_answer_without_any_wake_up(self, fresh, database, working):
        deaf = Waker(fresh.app)  # never entered: hears nobody
        async with working({"upper": upper}):
            assert await ask(database, deaf) == b"ANNA"


class TestWorkCalls:
    async def test_gives_up_work_that_killed_three_workers(self, database, waker):
        asking = asyncio.create_task(ask(database, waker))
        await until_waiting(database, 1)
        times = [utc_now() - timedelta(minutes=number) for number in (9, 6, 3)]

        async def die(_payload, _call_id):
            raise KeyboardInterrupt  # nothing is written after it, as after kill -9

        for at in times:
            with pytest.raises(KeyboardInterrupt):
                await calls.work_calls(database, {"upper": die}, wall=lambda at=at: at)
        assert await calls.work_calls(database, {"upper": upper}) == 0
        with pytest.raises(Unavailable, match="failed several times"):
            await asking

    async def test_throws_away_an_answer_that_comes_after_the_lease(self, database, waker):
        begun, end = asyncio.Event(), asyncio.Event()

        async def slow(_payload, _call_id):
            begun.set()
            await end.wait()
            return b"late"

        asking = asyncio.create_task(ask(database, waker))
        await until_waiting(database, 1)
        first = asyncio.create_task(calls.work_calls(database, {"upper": slow}, lease_seconds=0.01))
        await begun.wait()
        await asyncio.sleep(0.05)
        taken = asyncio.create_task(calls.work_calls(database, {"upper": upper}))
        await taken
        end.set()
        await first
        assert await asking == b"ANNA"

    async def test_sweeps_what_nobody_waits_for(self, database, waker):
        asking = asyncio.create_task(ask(database, waker, seconds=5))
        await until_waiting(database, 1)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        await calls.work_calls(database, {"upper": upper})
        assert await rows(database) == 1
        later = utc_now() + timedelta(minutes=2)
        assert await calls.work_calls(database, {"upper": upper}, wall=lambda: later) == 0
        assert await rows(database) == 0

    async def test_takes_over_from_a_process_that_was_killed(self, fresh, database, waker, working):
        script = textwrap.dedent("""
            import asyncio, sys, time
            from vezde.kit.db import Database
            from vezde.kit.work import calls

            async def hang(payload, call_id):
                print("taken", flush=True)
                time.sleep(60)

            async def main():
                async with Database(sys.argv[1]) as database:
                    while True:
                        await calls.work_calls(database, {"upper": hang}, lease_seconds=0.5)
                        await asyncio.sleep(0.02)

            asyncio.run(main())
        """)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", script, fresh.app, stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": "src"},
        )  # fmt: skip
        asking = asyncio.create_task(ask(database, waker, seconds=30))
        assert await asyncio.wait_for(process.stdout.readline(), 20) == b"taken\n"
        process.send_signal(signal.SIGKILL)
        await process.wait()
        async with working({"upper": upper}):
            assert await asking == b"ANNA"


class TestSweep:
    async def test_is_nothing_without_calls(self, db):
        assert await calls.sweep(db, wall=utc_now()) == 0
