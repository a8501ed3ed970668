import asyncio
import os
import signal
import sys
import textwrap

import pytest

from vezde.kit.clock import Clock, utc_now
from vezde.kit.work import Stage, Waker, heartbeat
from vezde.worker import process

SCRIPT = textwrap.dedent("""
    import asyncio, sys
    from vezde.kit.clock import Clock
    from vezde.kit.db import Database
    from vezde.kit.work import Stage, Waker
    from vezde.worker import process

    async def slow():
        print("working", flush=True)
        await asyncio.sleep(float(sys.argv[2]))
        print("finished", flush=True)
        return 0

    async def work(stop):
        async with Database(sys.argv[1]) as database, Waker(sys.argv[1]) as waker:
            await process.run([Stage("slow", slow)], database, waker, Clock(), stop)

    asyncio.run(process.until_signalled(work))
""")


async def start(fresh, seconds):
    started = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        SCRIPT,
        fresh.app,
        str(seconds),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": "src"},
    )
    assert await asyncio.wait_for(started.stdout.readline(), 20) == b"working\n"
    return started


class TestRun:
    async def test_works_its_stages_and_is_seen(self, fresh, database):
        seen, stop = [], asyncio.Event()

        async def look():
            async with database.transaction() as db:
                seen.extend(await heartbeat.alive(db, wall=utc_now()))
            stop.set()
            return 0

        async with Waker(fresh.app) as waker:
            await process.run([Stage("look", look)], database, waker, Clock(), stop)
        assert [worker.stages for worker in seen] == [["look"]]
        async with database.transaction() as db:
            assert await heartbeat.alive(db, wall=utc_now()) == []


class TestUntilSignalled:
    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    async def test_finishes_the_batch_and_leaves(self, fresh, number):
        worker = await start(fresh, 0.3)
        worker.send_signal(number)
        said, _ = await asyncio.wait_for(worker.communicate(), 20)
        assert said == b"finished\n"
        assert worker.returncode == 0

    async def test_does_not_finish_when_asked_twice(self, fresh):
        worker = await start(fresh, 60)
        worker.send_signal(signal.SIGTERM)
        await asyncio.sleep(0.2)
        worker.send_signal(signal.SIGTERM)
        said, _ = await asyncio.wait_for(worker.communicate(), 10)
        assert said == b""
        assert worker.returncode != 0
