"""Keys looked up a moment ago: of whoever calls a hundred times a second, one look is enough."""

import time
from collections.abc import Callable

from vezde.access import operations, queries
from vezde.access.model import Key, secret_hash
from vezde.kit.clock import Clock
from vezde.kit.db import Database

# For how long a key that was revoked meanwhile still opens what it opened.
SECONDS = 1.0
MOST = 1_000


class Keys:
    """The live keys that one process met in the last second, by the hashes of their texts.

    What is not a live key is looked up each time.
    """

    def __init__(
        self, *, seconds: float = SECONDS, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._seconds = seconds
        self._now = now
        self._met: dict[bytes, tuple[Key, float]] = {}

    async def by_text(self, text: str, *, database: Database, clock: Clock) -> Key:
        """As `access.queries.key_by_text`, noting that the key was used."""
        place, now = secret_hash(text), self._now()
        met = self._met.get(place)
        if met is not None and now < met[1]:
            return met[0]
        async with database.glance() as db:
            key = await queries.key_by_text(db, text)
            await operations.touch_key(db, key, wall=clock.wall())
        if len(self._met) >= MOST:
            self._met.clear()
        self._met[place] = key, now + self._seconds
        return key
