"""Stages and the runner that keeps them going in a worker process."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from vezde.kit.clock import Clock
from vezde.kit.db import Database, Db
from vezde.kit.work import failures, waiting
from vezde.kit.work.pause import Turnstile
from vezde.kit.work.wake import Waker

log = structlog.get_logger("vezde.work")

LONGEST_BACKOFF_SECONDS = 60.0


@dataclass(frozen=True)
class Stage:
    """One kind of work.

    `run` claims a batch, works it, commits, and returns how many it did; fewer than `full` means
    that there is no more, and that the next run waits to be woken, a second at most. `due`
    answers the next programme instant at which anything of it falls due, leaving out what waits
    for the wall (back-off) or for nobody (parked); a sandbox jump stops there. `pauses` is False
    for work without a calendar, which goes on while a sandbox moves the clock.

    Work that nobody waits for by the millisecond is gathered: once it is woken the next run waits
    `gather_seconds`, since a batch costs little more than one.
    """

    name: str
    run: Callable[[], Awaitable[int]]
    due: Callable[[Db], Awaitable[datetime | None]] | None = None
    pauses: bool = True
    gather_seconds: float = 0.0
    full: int = 1


class Runner:
    """Keeps the stages of one process going, each in a loop of its own."""

    def __init__(
        self,
        database: Database,
        stages: Sequence[Stage],
        waker: Waker,
        clock: Clock,
        *,
        poll_seconds: float = 1.0,
        grace_seconds: float = 20.0,
        first_backoff_seconds: float = 1.0,
    ) -> None:
        self._stages = tuple(stages)
        self._waker = waker
        self._poll_seconds = poll_seconds
        self._grace_seconds = grace_seconds
        self._first_backoff_seconds = first_backoff_seconds
        self._turnstile = Turnstile(database) if clock.sandbox else None

    async def run(self, stop: asyncio.Event) -> None:
        """Run until `stop` is set; a running batch gets `grace_seconds`, then it is cancelled.

        A stage that raises is logged and tried again after 1 s, 2 s … 60 s; nothing it raises
        ends this.
        """
        loops = [
            asyncio.create_task(self._loop(stage, stop), name=stage.name) for stage in self._stages
        ]
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait([stopping, *loops], return_when=asyncio.FIRST_COMPLETED)
            if not stopping.done():
                ended = [task.get_name() for task in loops if task.done()]
                raise RuntimeError(f"the loops of {', '.join(ended)} ended by themselves")
            await self._finish(loops)
        finally:
            stopping.cancel()
            await waiting.end(*loops)
            if self._turnstile:
                await self._turnstile.close()

    async def _finish(self, loops: list[asyncio.Task[None]]) -> None:
        if not loops:
            return
        self._waker.wake_here(stage.name for stage in self._stages)
        _done, late = await asyncio.wait(loops, timeout=self._grace_seconds)
        if late:
            log.warning("cancelled at stop", stages=sorted(task.get_name() for task in late))

    async def _loop(self, stage: Stage, stop: asyncio.Event) -> None:
        failed = 0
        with self._waker.watch(stage.name) as woken:
            while not stop.is_set():
                woken.clear()  # before the work: a wake-up during it counts
                try:
                    done = await self._run_once(stage, stop)
                except Exception as error:
                    failed += 1
                    said = failures.describe(error)
                    log.error("stage failed", stage=stage.name, error=said)  # noqa: TRY400 (messages may name a person)
                    await self._back_off(failed, stop)
                    continue
                failed = 0
                if done < stage.full:
                    await waiting.until(woken, seconds=self._poll_seconds)
                    if stage.gather_seconds:
                        await waiting.until(stop, seconds=stage.gather_seconds)

    async def _run_once(self, stage: Stage, stop: asyncio.Event) -> int:
        if self._turnstile is None or not stage.pauses:
            return await stage.run()
        async with self._turnstile.inside():
            return 0 if stop.is_set() else await stage.run()

    async def _back_off(self, failed: int, stop: asyncio.Event) -> None:
        seconds = self._first_backoff_seconds * 2 ** min(failed - 1, 10)
        await waiting.until(stop, seconds=min(seconds, LONGEST_BACKOFF_SECONDS))
