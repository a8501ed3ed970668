"""Our own loop of long polls: updates are in the inbox, committed, before the offset moves.

One poller a bot in the whole installation: whoever holds an advisory lock on a connection of its
own. The others wait for it to be free.
"""

import asyncio
import zlib
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, LiteralString, Protocol

import psycopg
import structlog

from vezde.bot import inbox, telegram
from vezde.kit import db as kit_db
from vezde.kit.clock import Clock
from vezde.kit.db import Database
from vezde.kit.vault import Vault
from vezde.kit.work import failures, waiting

log = structlog.get_logger(__name__)

POLL_SECONDS = 25.0
TURN_SECONDS = 5.0
# After some came: a poll costs as much for one update as for ten, and a flood comes one by one.
GATHER_SECONDS = 0.12
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 30.0
LOCK_SPACE = 0x626F74  # "bot"
STILL_HERE: LiteralString = "SELECT 1"
LOCK: LiteralString = "SELECT pg_try_advisory_lock(%s, %s)"


class Updates(Protocol):
    """A messenger that hands over updates by long poll."""

    async def get_updates(self, offset: int | None, *, timeout: float) -> Sequence[Any]: ...


@dataclass
class Poller:
    """Takes a bot's updates in; `bot` is like `telegram:7000000001`.

    `prepare` is called before the first poll: while a webhook is set Telegram answers none.
    """

    bot: str
    messenger: Updates
    database: Database
    conninfo: str = field(repr=False)
    vault: Vault
    clock: Clock
    prepare: Callable[[], Awaitable[None]]
    poll_seconds: float = POLL_SECONDS
    offset: int | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Poll until `stop` is set; nothing that Telegram or the database does ends this."""
        failed = 0
        while not stop.is_set():
            try:
                async with await kit_db.connect(self.conninfo, autocommit=True) as guard:
                    if await kit_db.fetch_value(guard, LOCK, [LOCK_SPACE, self._number()]):
                        failed = 0
                        await self._poll(guard, stop)
                    else:
                        await waiting.until(stop, seconds=TURN_SECONDS)
            except psycopg.OperationalError as error:
                failed += 1
                log.warning("poller lost its lock", error=failures.describe(error))
                await waiting.until(stop, seconds=_pause(failed))

    async def _poll(self, guard: kit_db.Db, stop: asyncio.Event) -> None:
        failed, prepared = 0, False
        while not stop.is_set():
            await guard.execute(STILL_HERE)  # raises when the lock went with its connection
            asking = asyncio.create_task(self.once() if prepared else self._begin())
            stopping = asyncio.create_task(stop.wait())
            await asyncio.wait((asking, stopping), return_when=asyncio.FIRST_COMPLETED)
            stopping.cancel()
            if not asking.done():
                asking.cancel()
                await asyncio.wait((asking,))
                return
            try:
                if asking.result():
                    await waiting.until(stop, seconds=GATHER_SECONDS)
                failed, prepared = 0, True
            except Exception as error:
                failed += 1
                log.warning("poll failed", error=failures.describe(error), failed=failed)
                await waiting.until(stop, seconds=_pause(failed))

    async def _begin(self) -> int:
        await self.prepare()
        return 0

    async def once(self) -> int:
        """One long poll: take in what came, then move the offset; how many came.

        An update that cannot be kept is tried again; one without an id ends nothing.
        """
        raws = list(await self.messenger.get_updates(self.offset, timeout=self.poll_seconds))
        if not raws:
            return 0
        updates = [one for raw in raws if (one := telegram.received(raw)) is not None]
        if len(updates) < len(raws):
            log.warning("updates without an id", count=len(raws) - len(updates))
        updates.sort(key=lambda one: int(one.key))
        async with self.database.transaction() as db:
            wall = self.clock.wall()
            fates = await inbox.take(db, self.bot, updates, vault=self.vault, wall=wall)
        odd = Counter(str(fate) for fate in fates if fate is not inbox.Fate.TAKEN)
        if odd:
            log.info("updates not taken", **odd)
        if not updates:
            raise ValueError("none of the updates has an id")  # the pause, or we would ask for ever
        # Telegram begins anew anywhere after a quiet week: the last one of now counts.
        self.offset = int(updates[-1].key) + 1
        return len(raws)

    def _number(self) -> int:
        return zlib.crc32(self.bot.encode()) - 2**31


def _pause(failed: int) -> float:
    longest = min(FIRST_PAUSE_SECONDS * 2 ** min(failed - 1, 10), LONGEST_PAUSE_SECONDS)
    return float(longest * (1 - failures.jitter() / 4))
