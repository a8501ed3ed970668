import asyncio

from vezde.kit.work import ending


class TestEnd:
    async def test_ends_a_task_that_loses_its_first_cancellation(self, monkeypatch):
        monkeypatch.setattr(ending, "ASK_AGAIN_SECONDS", 0.01)
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
        await asyncio.wait_for(ending.end(task), 5)
        assert task.cancelled()

    async def test_does_not_mind_what_a_task_ended_with(self):
        async def ill():
            raise ValueError

        task = asyncio.create_task(ill())
        await asyncio.sleep(0)
        await ending.end(task)
        assert task.done()
        assert isinstance(task.exception(), ValueError)
