"""Waiting for something to change, from whichever event loop, while threads change it."""

import asyncio
import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class Bell:
    """Rung under the lock; `until` looks again after every ring."""

    def __init__(self, lock: threading.RLock) -> None:
        self._lock = lock
        self._waiting: set[asyncio.Future[None]] = set()

    def ring(self) -> None:
        """Wake everybody who waits; call it holding the lock."""
        waiting, self._waiting = self._waiting, set()
        for future in waiting:
            loop = future.get_loop()
            if not loop.is_closed():
                loop.call_soon_threadsafe(_wake, future)

    async def until(self, look: Callable[[], T | None], seconds: float) -> T | None:
        """What `look` finds, called under the lock; None when it found nothing in time."""
        deadline = time.monotonic() + seconds
        while True:
            with self._lock:
                found = look()
                if found is not None:
                    return found
                future = asyncio.get_running_loop().create_future()
                self._waiting.add(future)
            try:
                async with asyncio.timeout(max(0, deadline - time.monotonic())):
                    await future
            except TimeoutError:
                return None
            finally:
                with self._lock:
                    self._waiting.discard(future)


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
