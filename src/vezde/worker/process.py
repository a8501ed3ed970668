"""Run stages, show that they run, stop when asked."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Sequence

from vezde.kit.clock import Clock
from vezde.kit.db import Database
from vezde.kit.work import Runner, Stage, Waker, heartbeat

# Below what the supervisor gives its children before it kills them.
GRACE_SECONDS = 6
SIGNALS = (signal.SIGTERM, signal.SIGINT)


async def run(
    stages: Sequence[Stage], database: Database, waker: Waker, clock: Clock, stop: asyncio.Event
) -> None:
    """Work the stages until `stop` is set, seen by `heartbeat.alive` meanwhile."""
    runner = Runner(database, stages, waker, clock, grace_seconds=GRACE_SECONDS)
    async with heartbeat.beating(database, [stage.name for stage in stages], wall=clock.wall):
        await runner.run(stop)


async def until_signalled(work: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    """Run `work(stop)`; the first SIGTERM or SIGINT sets `stop`, the next cancels the work.

    Call it as the main task: `asyncio.run(process.until_signalled(work))`.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    working = asyncio.ensure_future(work(stop))

    def asked() -> None:
        if stop.is_set():
            working.cancel()
        stop.set()

    for number in SIGNALS:
        loop.add_signal_handler(number, asked)
    try:
        await working
    finally:
        for number in SIGNALS:
            loop.remove_signal_handler(number)
