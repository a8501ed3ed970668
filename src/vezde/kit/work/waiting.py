"""Wait for an event, end a task: for certain, also on Python 3.11.

Its `asyncio.wait_for` loses a cancellation that arrives together with the result it waits for
(github.com/python/cpython/issues/86296), so nothing here waits by it; the pool does.
"""

import asyncio

ASK_AGAIN_SECONDS = 1.0


async def until(event: asyncio.Event, *, seconds: float) -> bool:
    """Wait for the event, `seconds` at most; whether it is set."""
    waiting = asyncio.ensure_future(event.wait())
    try:
        await asyncio.wait([waiting], timeout=seconds)
    finally:
        waiting.cancel()
    return event.is_set()


async def end(*tasks: "asyncio.Task[None]") -> None:
    """Cancel the tasks, again and again until they have ended, whatever they end with."""
    while running := [task for task in tasks if not task.done()]:
        for task in running:
            task.cancel()
        await asyncio.wait(running, timeout=ASK_AGAIN_SECONDS)
