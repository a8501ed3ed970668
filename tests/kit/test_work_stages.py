import asyncio

import pytest

from vezde.kit.clock import Clock
from vezde.kit.errors import Unavailable
from vezde.kit.work import Runner, Stage, Waker


@pytest.fixture
async def waker(fresh):
    async with Waker(fresh.app) as made:
        yield made


class Heap:
    """Work that is taken one piece a run; what is left is `left`."""

    def __init__(self, left=0):
        self.left = left
        self.runs = 0
        self.empty = asyncio.Event()

    async def run(self):
        self.runs += 1
        if self.left == 0:
            self.empty.set()
            return 0
        self.left -= 1
        return 1


async def started(runner, stop):
    task = asyncio.create_task(runner.run(stop))
    await asyncio.sleep(0)
    return task


class TestRunner:
    async def test_works_until_nothing_is_left(self, database, waker):
        heap, stop = Heap(5), asyncio.Event()
        task = await started(Runner(database, [Stage("heap", heap.run)], waker, Clock()), stop)
        await asyncio.wait_for(heap.empty.wait(), 20)
        stop.set()
        await task
        assert heap.left == 0

    async def test_polls_without_a_wake_up(self, database, waker):
        heap, stop = Heap(), asyncio.Event()
        runner = Runner(database, [Stage("heap", heap.run)], waker, Clock(), poll_seconds=0.05)
        task = await started(runner, stop)
        await asyncio.wait_for(heap.empty.wait(), 20)
        heap.left = 3
        heap.empty.clear()
        await asyncio.wait_for(heap.empty.wait(), 20)
        stop.set()
        await task
        assert heap.left == 0

    async def test_is_woken_by_a_commit(self, database, waker):
        heap, stop = Heap(), asyncio.Event()
        database.on_commit = waker.wake
        runner = Runner(database, [Stage("heap", heap.run)], waker, Clock(), poll_seconds=60)
        task = await started(runner, stop)
        await asyncio.wait_for(heap.empty.wait(), 20)
        heap.left = 1
        heap.empty.clear()
        async with database.transaction() as db:
            db.wake("heap")
        await asyncio.wait_for(heap.empty.wait(), 20)
        stop.set()
        await task
        assert heap.left == 0

    async def test_does_not_lose_a_wake_up_during_the_work(self, database, waker):
        runs, again, stop = [], asyncio.Event(), asyncio.Event()

        async def run():
            runs.append(1)
            if len(runs) == 1:
                waker.wake(["heap"])
            else:
                again.set()
            return 0

        runner = Runner(database, [Stage("heap", run)], waker, Clock(), poll_seconds=60)
        task = await started(runner, stop)
        await asyncio.wait_for(again.wait(), 20)
        stop.set()
        await task

    async def test_gathers_what_nobody_waits_for(self, database, waker):
        runs, stop, done = [], asyncio.Event(), asyncio.Event()
        heap = []

        async def run():
            taken = len(heap)
            heap.clear()
            if taken:
                runs.append(taken)
            if sum(runs) == 10:
                done.set()
            return taken

        stage = Stage("heap", run, gather_seconds=0.5, full=100)
        task = await started(Runner(database, [stage], waker, Clock(), poll_seconds=60), stop)
        for _ in range(10):
            heap.append("work")
            waker.wake(["heap"])
            await asyncio.sleep(0.02)
        await asyncio.wait_for(done.wait(), 20)
        stop.set()
        await task
        assert len(runs) <= 2

    async def test_looks_again_only_after_a_full_run(self, database, waker):
        heap, runs, stop, idle = 25, [], asyncio.Event(), asyncio.Event()
        await waker.listening()  # which wakes everything once

        async def run():
            nonlocal heap
            taken = min(heap, 10)
            heap -= taken
            runs.append(taken)
            if taken < 10:
                idle.set()
            return taken

        stage = Stage("heap", run, full=10)
        task = await started(Runner(database, [stage], waker, Clock(), poll_seconds=60), stop)
        await asyncio.wait_for(idle.wait(), 20)
        await asyncio.sleep(0.1)
        assert runs == [10, 10, 5]
        heap = 1
        idle.clear()
        waker.wake(["heap"])
        await asyncio.wait_for(idle.wait(), 20)
        await asyncio.sleep(0.1)
        assert runs == [10, 10, 5, 1]
        stop.set()
        await task

    async def test_goes_on_after_an_error_and_lets_the_others_work(self, database, waker):
        heap, healed, stop, tries = Heap(3), asyncio.Event(), asyncio.Event(), []

        async def run():
            tries.append(1)
            if len(tries) < 3:
                raise Unavailable("no answer")
            healed.set()
            return 0

        runner = Runner(
            database,
            [Stage("ill", run), Stage("heap", heap.run)],
            waker,
            Clock(),
            first_backoff_seconds=0.01,
        )
        task = await started(runner, stop)
        await asyncio.wait_for(asyncio.gather(healed.wait(), heap.empty.wait()), 20)
        stop.set()
        await task

    async def test_says_where_a_stage_failed_and_never_what_it_said(self, database, waker, capsys):
        stop = asyncio.Event()

        async def run():
            stop.set()
            raise ValueError("anna@example.org")

        await (await started(Runner(database, [Stage("ill", run)], waker, Clock()), stop))
        said = capsys.readouterr().out
        assert "ValueError" in said
        assert "anna" not in said

    async def test_lets_a_running_batch_finish_when_stopped(self, database, waker):
        inside, finished, stop = asyncio.Event(), [], asyncio.Event()

        async def run():
            inside.set()
            await asyncio.sleep(0.1)
            finished.append(1)
            return 1

        task = await started(Runner(database, [Stage("slow", run)], waker, Clock()), stop)
        await inside.wait()
        stop.set()
        await asyncio.wait_for(task, 20)
        assert finished == [1]

    async def test_cancels_what_does_not_end_in_time(self, database, waker):
        inside, stop = asyncio.Event(), asyncio.Event()

        async def run():
            inside.set()
            await asyncio.sleep(60)
            return 1

        runner = Runner(database, [Stage("slow", run)], waker, Clock(), grace_seconds=0.1)
        task = await started(runner, stop)
        await inside.wait()
        stop.set()
        await asyncio.wait_for(task, 20)

    async def test_ends_loudly_when_a_loop_is_lost(self, database, waker):
        async def run():
            raise asyncio.CancelledError

        runner = Runner(database, [Stage("lost", run)], waker, Clock())
        with pytest.raises(RuntimeError, match="lost"):
            await asyncio.wait_for(runner.run(asyncio.Event()), 20)
