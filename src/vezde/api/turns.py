"""Requests take turns: a process works at few of them at once, the others wait before they begin.

A process has one core. Of twenty requests begun together all end late, and each holds its
connection and its locks as long; one after the other they end when their turn comes. It is for
those of several trips to the database; a read of one trip would only wait behind them.
"""

import asyncio
from types import TracebackType

AT_ONCE = 3
# Who has not ended by then waits for something else than the core (a lock, the disk), so that
# others may go on meanwhile.
SECONDS = 0.05


class Turns:
    """The turns of one process: `async with turns.next():` around what is worked."""

    def __init__(self, at_once: int = AT_ONCE, *, seconds: float = SECONDS) -> None:
        self._free = asyncio.Semaphore(at_once)
        self._seconds = seconds

    def next(self) -> "Turn":
        return Turn(self._free, self._seconds)


class Turn:
    """Waits in order of arrival; given back at the end, or when it has taken too long."""

    def __init__(self, free: asyncio.Semaphore, seconds: float) -> None:
        self._free = free
        self._seconds = seconds
        self._held = False
        self._timer: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> None:
        await self._free.acquire()
        self._held = True
        self._timer = asyncio.get_running_loop().call_later(self._seconds, self._give_back)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._timer is not None, "entered"
        self._timer.cancel()
        self._give_back()

    def _give_back(self) -> None:
        if self._held:
            self._held = False
            self._free.release()
