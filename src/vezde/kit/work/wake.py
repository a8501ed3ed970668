"""Wake-ups: events inside a process, NOTIFY between processes.

A committed transaction names the stages it made ready; they start at once in this process and,
by one NOTIFY at most every 50 ms, in the others. What the process begins itself the others leave
to it for a moment: a batch costs little more than one, and two who share it make two of it. A lost
wake-up costs a second, nothing more: every stage polls.
"""

import asyncio
import contextlib
from collections.abc import Iterable, Iterator
from typing import LiteralString, Self
from uuid import uuid4

import psycopg
import structlog

from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.kit.work import failures, waiting

log = structlog.get_logger("vezde.work")

LISTEN: LiteralString = "LISTEN vezde_wake"
NOTIFY: LiteralString = "SELECT pg_notify('vezde_wake', %s)"
EVERYBODY = "-"  # as the origin: also the process that sent it
BEGUN = "~"  # before a name: the origin has begun with it
HEAD_START_SECONDS = 0.2
RECONNECT_SECONDS = 0.5
MOST_NAMES = 100  # a payload is at most 8000 bytes


class Waker:
    """The wake-ups of one process; `database.on_commit = waker.wake` connects it.

    Used as an async context manager: two connections of its own, one that listens and one that
    notifies, both come back by themselves after the server was away.
    """

    def __init__(self, conninfo: str, *, every_seconds: float = 0.05) -> None:
        self._conninfo = conninfo
        self._every_seconds = every_seconds
        self._origin = uuid4().hex
        self._watched: dict[str, list[asyncio.Event]] = {}
        self._outgoing: set[str] = set()
        self._later: dict[str, asyncio.TimerHandle] = {}
        self._something = asyncio.Event()
        self._listening = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._notify())]
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await waiting.end(*self._tasks)
        self._tasks = []
        for timer in self._later.values():
            timer.cancel()
        self._later.clear()

    async def listening(self) -> None:
        """Return once this process hears the others."""
        await self._listening.wait()

    @contextlib.contextmanager
    def watch(self, name: str) -> Iterator[asyncio.Event]:
        """An event set by every wake-up of `name`; clear it before looking for work."""
        event = asyncio.Event()
        self._watched.setdefault(name, []).append(event)
        try:
            yield event
        finally:
            self._watched[name].remove(event)
            if not self._watched[name]:
                del self._watched[name]

    def wake(self, names: Iterable[str]) -> None:
        """Wake these here at once and in every other process within 50 ms; never blocks.

        Those that are watched here the others come to 200 ms later, if there is anything left.
        """
        woken = set(names)
        self.wake_here(woken)
        self._outgoing |= woken
        self._something.set()

    def wake_here(self, names: Iterable[str]) -> None:
        """Wake these in this process only."""
        for name in names:
            for event in self._watched.get(name, ()):
                event.set()

    async def _listen(self) -> None:
        while True:
            try:
                async with await kit_db.connect(self._conninfo, autocommit=True) as db:
                    await self._hear(db)
            except psycopg.OperationalError as error:
                log.warning("wake-ups of other processes not heard", error=failures.describe(error))
            self._listening.clear()
            await asyncio.sleep(RECONNECT_SECONDS)

    async def _hear(self, db: Db) -> None:
        await db.execute(LISTEN)
        self._listening.set()
        self.wake_here(list(self._watched))  # whatever was said while nobody listened
        async for note in db.notifies():
            origin, *names = note.payload.split(" ")
            if origin != self._origin:
                self.wake_here(name for name in names if not name.startswith(BEGUN))
                self._wake_later(name.removeprefix(BEGUN) for name in names if name[:1] == BEGUN)

    def _wake_later(self, names: Iterable[str]) -> None:
        loop = asyncio.get_running_loop()
        for name in set(names) - self._later.keys():
            self._later[name] = loop.call_later(HEAD_START_SECONDS, self._head_start_over, name)

    def _head_start_over(self, name: str) -> None:
        del self._later[name]
        self.wake_here([name])

    async def _notify(self) -> None:
        while True:
            try:
                async with await kit_db.connect(self._conninfo, autocommit=True) as db:
                    await self._tell(db)
            except psycopg.OperationalError as error:
                log.warning("other processes not woken", error=failures.describe(error))
            await asyncio.sleep(RECONNECT_SECONDS)

    async def _tell(self, db: Db) -> None:
        while True:
            if not self._outgoing:  # else: what the last connection failed to say
                self._something.clear()
                await self._something.wait()
            outgoing = sorted(self._outgoing)
            for start in range(0, len(outgoing), MOST_NAMES):
                names = outgoing[start : start + MOST_NAMES]
                said = [f"{BEGUN}{one}" if one in self._watched else one for one in names]
                await db.execute(NOTIFY, [payload(said, origin=self._origin)])
                self._outgoing.difference_update(names)
            await asyncio.sleep(self._every_seconds)


def payload(names: Iterable[str], *, origin: str = EVERYBODY) -> str:
    """What a NOTIFY says: who sent it, then the names to wake."""
    return " ".join([origin, *names])
