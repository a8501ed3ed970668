"""Work in bulk gives way to what somebody waits for, while cores are short.

A batch of receipts and a customer at a till want the same cores. The system deals them out evenly,
so that a hundred receipts at once held up every checkout beside them. While a till is waiting, a
transaction in bulk rests after each trip to the server as long as the trip took, up to an end.
With nobody waiting it never rests.
"""

import asyncio
import mmap
import os
import time
from collections.abc import Callable
from pathlib import Path

import structlog

# What the thread that asks has had, in ns: time on a core, time it was ready and had none
# (https://docs.kernel.org/scheduler/sched-stats.html). Of Linux alone; elsewhere nothing rests.
ACCOUNT = Path("/proc/thread-self/schedstat")
# Of waiting for a core to having one: a seventh with cores to spare, a half and more beside tills
# that keep two cores busy.
SHORT = 0.4
FRESH_SECONDS = 0.1
# Of a transaction: its rows are locked meanwhile, and somebody may want those.
MOST_SECONDS = 0.5

log = structlog.get_logger(__name__)


class Mark:
    """When somebody last began to wait, known to all processes of a machine that open `path`.

    Eight bytes of shared memory: writing them costs less than any call of the system. Without a
    path, or where the file cannot be had, the mark is this process's own.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._moment = memoryview(_shared(path)).cast("q")

    @property
    def moment(self) -> int:
        """When that was, ns of the machine's monotonic clock; 0: never."""
        return int(self._moment[0])

    def set(self) -> None:
        """Somebody waits."""
        self._moment[0] = time.monotonic_ns()

    def is_fresh(self) -> bool:
        """Whether somebody began to wait just now."""
        # A moment to come is of before the machine was started again.
        return 0 <= time.monotonic_ns() - self.moment < FRESH_SECONDS * 1e9


def _shared(path: Path | None) -> mmap.mmap:
    if path is None:
        return mmap.mmap(-1, mmap.PAGESIZE)
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.ftruncate(descriptor, mmap.PAGESIZE)
            return mmap.mmap(descriptor, mmap.PAGESIZE)
        finally:
            os.close(descriptor)
    except OSError as error:
        log.info("mark_not_shared", path=str(path), reason=str(error))
        return _shared(None)


def account() -> tuple[int, int] | None:
    """What this thread has run and has waited for a core, ns; None where nobody counts."""
    try:
        ran, waited, _turns = ACCOUNT.read_bytes().split()
    except (OSError, ValueError):
        return None
    return int(ran), int(waited)


class Pace:
    """Of one transaction. `counted` answers as `account`."""

    def __init__(self, mark: Mark, counted: Callable[[], tuple[int, int] | None] = account) -> None:
        self._mark = mark
        self._counted = counted
        self._first = counted()
        self._left = MOST_SECONDS
        self._since = time.monotonic()

    async def rest(self) -> None:
        """Rest as long as was worked since the last time, if that helps anybody."""
        if self._left > 0 and self._mark.is_fresh() and self._are_short():
            seconds = min(time.monotonic() - self._since, self._left)
            self._left -= seconds
            await asyncio.sleep(seconds)
        self._since = time.monotonic()

    def _are_short(self) -> bool:
        counted = self._counted()
        if counted is None or self._first is None:
            return False
        ran, waited = (now - first for now, first in zip(counted, self._first, strict=True))
        return waited > ran * SHORT
