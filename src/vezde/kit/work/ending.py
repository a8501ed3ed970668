"""End background tasks for certain."""

import asyncio

ASK_AGAIN_SECONDS = 1.0


async def end(*tasks: "asyncio.Task[None]") -> None:
    """Cancel the tasks until they have ended, whatever they end with.

    Once is not enough: `asyncio.wait_for` of Python 3.11 loses a cancellation that arrives
    together with the result it waits for (github.com/python/cpython/issues/86296), and the pool
    waits for its connections by it.
    """
    while running := [task for task in tasks if not task.done()]:
        for task in running:
            task.cancel()
        await asyncio.wait(running, timeout=ASK_AGAIN_SECONDS)
