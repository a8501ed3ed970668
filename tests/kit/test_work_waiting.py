import asyncio

from vezde.kit.work import waiting


class TestUntil:
    async def test_tells_whether_the_event_came(self):
        event = asyncio.Event()
        assert not await waiting.until(event, seconds=0.01)
        asyncio.get_running_loop().call_later(0.01, event.set)
        assert await waiting.until(event, seconds=5)

    async def test_never_loses_a_cancellation_that_comes_with_the_event(self):
        event = asyncio.Event()
        task = asyncio.create_task(waiting.until(event, seconds=5))
        await asyncio.sleep(0.01)
        event.set()
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()


class TestEnd:
    async def test_ends_a_task_that_loses_its_first_cancellation(self, monkeypatch):
        monkeypatch.setattr(waiting, "ASK_AGAIN_SECONDS", 0.01)
        lost = []

        async def deaf():
            while True:
                try:
                    await asyncio.sleep(60)
                except asyncio.CancelledError:
                    if lost:
                        raise
                    lost.append(1)

        task = asyncio.create_task(deaf())
        await asyncio.sleep(0)
        await asyncio.wait_for(waiting.end(task), 5)
        assert task.cancelled()

    async def test_does_not_mind_what_a_task_ended_with(self):
        async def ill():
            raise ValueError

        task = asyncio.create_task(ill())
        await asyncio.sleep(0)
        await waiting.end(task)
        assert task.done()
        assert isinstance(task.exception(), ValueError)
