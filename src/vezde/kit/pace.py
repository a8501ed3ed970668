"""Work in bulk gives way to what somebody waits for, while cores are short.

A batch of receipts and a customer at a till want the same cores. The system deals them out evenly,
so that a hundred receipts at once held up every checkout beside them. Here a transaction in bulk
rests after each trip to the server as long as the trip took, hence takes half of a core at most.
"""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

# What the thread that asks has had, in ns: time on a core, time it was ready and had none
# (https://docs.kernel.org/scheduler/sched-stats.html). Of Linux alone; elsewhere nothing rests.
ACCOUNT = Path("/proc/thread-self/schedstat")
# Beside checkouts on two busy cores the wait is as long as the work; two workers that have the
# cores to themselves wait for each other for a quarter of it, and are not to.
SHORT = 0.5
# Of a transaction: its rows are locked meanwhile, and somebody may want those.
MOST_SECONDS = 0.5


def account() -> tuple[int, int] | None:
    """What this thread has run and has waited for a core, ns; None where nobody counts."""
    try:
        ran, waited, _turns = ACCOUNT.read_bytes().split()
    except (OSError, ValueError):
        return None
    return int(ran), int(waited)


class Pace:
    """Of one transaction. `counted` answers as `account`."""

    def __init__(self, counted: Callable[[], tuple[int, int] | None] = account) -> None:
        self._counted = counted
        self._first = counted()
        self._left = MOST_SECONDS
        self._since = time.monotonic()

    async def rest(self) -> None:
        """Rest as long as was worked since the last time, if cores have been short so far."""
        if self._are_short():
            seconds = min(time.monotonic() - self._since, self._left)
            self._left -= seconds
            await asyncio.sleep(seconds)
        self._since = time.monotonic()

    def _are_short(self) -> bool:
        counted = self._counted() if self._left > 0 else None
        if counted is None or self._first is None:
            return False
        ran, waited = (now - first for now, first in zip(counted, self._first, strict=True))
        return waited > ran * SHORT
