"""The stages that work the inbox: events of many chats in one transaction, one of each chat.

A batch is claimed, read in a few statements, answered and committed together. If anything of it
fails, nothing of it was done, and each of its events is worked alone: the one that fails alone is
tried again, then parked. What claims or merges what others may want is worked alone at once, so
that batches never wait for each other.

An event whose file has to be fetched is leased: committed, fetched and read beside everything else,
then answered in a transaction of its own if the lease still holds. Meanwhile its chat waits and the
others do not.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

import structlog

from vezde.bot import chats, inbox, talks, telegram
from vezde.bot.conversation import core, doors, showing, starting
from vezde.bot.conversation.showing import Reading
from vezde.bot.conversation.talk import Talk
from vezde.bot.inbox import Waiting
from vezde.bot.model import Incoming, Said, Sent, Shared, Started, Tapped
from vezde.bot.talks import Event
from vezde.kit.clock import Clock
from vezde.kit.db import Contested, Database, Db
from vezde.kit.errors import DomainError, Kind, Unavailable
from vezde.kit.vault import Vault
from vezde.kit.work import failures, jobs
from vezde.members import operations as members
from vezde.members import queries as member_queries
from vezde.members.operations import Step
from vezde.messaging import operations as messaging
from vezde.messaging.model import Outgoing, Purpose, Tap, View
from vezde.receipts.qr import images

log = structlog.get_logger(__name__)

FILES = "bot.files"
# Batches side by side, so that one works while another's commit is written.
AT_ONCE, CHATS_AT_ONCE = 2, 24
BATCHES_OF_A_RUN, ALONE_AT_ONCE = 20, 4
# Files that one process fetches side by side; with all in hand others wait a moment.
FILES_AT_ONCE, NO_ROOM_SECONDS = 16, 0.2
# How long a chat waits for a worker that died with its file, and what a file may take.
LEASE_SECONDS, FETCH_SECONDS = 30.0, 25.0
PAUSES = (timedelta(seconds=1), timedelta(seconds=5))


class Files(Protocol):
    """A messenger that hands over files: `messaging.transports.telegram`."""

    async def get_file(self, file_id: str) -> bytes: ...


@dataclass(frozen=True)
class Wanted:
    """A file to fetch, and the lease of the event that it came with."""

    event: Waiting
    lease: UUID
    file: Sent


@dataclass
class Worker:
    """Works events; `files` are messengers by channel, `steps` what merging and forgetting do."""

    database: Database
    clock: Clock
    vault: Vault
    files: Mapping[str, Files]
    steps: Sequence[Step]
    fetching: set[asyncio.Task[None]] = field(default_factory=set)

    async def run(self) -> int:
        """Work what is due, for a while; how many events."""
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._until_idle()) for _ in range(AT_ONCE)]
        return sum(task.result() for task in tasks)

    async def finish_files(self) -> int:
        """Wait for the files under way, so that who stops this process waits for them too."""
        under_way = set(self.fetching)
        if under_way:
            await asyncio.wait(under_way)
        return len(under_way)

    async def _until_idle(self) -> int:
        done = 0
        for _ in range(BATCHES_OF_A_RUN):
            worked = await self.once()
            if not worked:
                break
            done += worked
        return done

    async def once(self) -> int:
        """Work the first events of some chats; how many."""
        events: list[Waiting] = []
        alone: list[Waiting] = []
        wanted: list[Wanted] = []
        try:
            async with self.database.transaction(pipeline=True) as db:
                wall = self.clock.wall()
                events = alone = await inbox.claim(db, wall=wall, limit=CHATS_AT_ONCE)
                together, alone = self._sorted(events)
                wanted = await self._work(db, together)
        except Unavailable:
            raise
        except Exception as error:
            log.warning("batch of events failed", error=failures.describe(error))
            alone, wanted = events, []
        self._fetch(wanted)
        room = asyncio.Semaphore(ALONE_AT_ONCE)
        async with asyncio.TaskGroup() as group:
            for event in alone:
                group.create_task(self._alone(event, room))
        return len(events)

    def _sorted(self, events: Sequence[Waiting]) -> tuple[list[Event], list[Waiting]]:
        """What may be worked together, and the rest."""
        together, alone = [], []
        for event in events:
            incoming = self._incoming(event) if not event.attempts else None
            if incoming is None or _is_for_itself(incoming):
                alone.append(event)
            else:
                together.append((event, incoming))
        return together, alone

    def _incoming(self, event: Waiting) -> Incoming | None:
        """What the event says; None when it cannot be read, which is told when it is worked."""
        try:
            return telegram.meaning(event.payload(self.vault))
        except (DomainError, ValueError):
            return None

    async def _alone(self, event: Waiting, room: asyncio.Semaphore) -> None:
        try:
            async with room, self.database.transaction() as db:
                wall = self.clock.wall()
                claimed = await inbox.claim_of(db, event.bot, event.chat, wall=wall)
                wanted = await self._try(db, claimed) if claimed is not None else []
        except Contested:  # it is due still
            log.info("event gave way", event_id=str(event.event_id))
        else:
            self._fetch(wanted)

    async def _try(
        self, db: Db, event: Waiting, reading: Reading | None = None
    ) -> Sequence[Wanted]:
        """Answer the event, or note that it failed."""
        if event.attempts > len(PAUSES):
            await self._failed(db, event, "worker died")
            return []
        try:
            async with db.transaction():
                incoming = telegram.meaning(event.payload(self.vault))
                return await self._work(db, [(event, incoming)], reading)
        except (Unavailable, Contested):
            raise
        except Exception as error:
            await self._failed(db, event, failures.describe(error))
        return []

    async def _work(
        self, db: Db, events: Sequence[Event], reading: Reading | None = None
    ) -> list[Wanted]:
        """Answer events of different chats; the files wanted before some can be answered."""
        if not events:
            return []
        wanted: list[Wanted] = []
        done: list[Waiting] = []
        say: list[Outgoing | Tap] = []
        steps = self.steps
        talking = await talks.read(db, events, clock=self.clock, vault=self.vault, steps=steps)
        for event, incoming in events:
            talk = talking.get(event.event_id)
            if talk is not None and reading is None and core.needs_reading(talk, incoming.event):
                assert isinstance(incoming.event, Sent), "only files are read"
                wanted += await self._lease(db, event, incoming.event, talk, len(wanted))
                continue
            held = False
            if talk is not None:
                answer = await core.answer(db, talk, incoming.event, reading)
                say += answer.say
                held = answer.hold
                if answer.let_go:
                    await inbox.let_go(db, event.bot, event.chat, wall=talk.wall)
            if held:
                await inbox.hold(db, event)
            else:
                done.append(event)
        await self._say(db, say, talking.values())
        await inbox.done(db, done)
        return wanted

    async def _lease(
        self, db: Db, event: Waiting, file: Sent, talk: Talk, taken: int
    ) -> list[Wanted]:
        if len(self.fetching) + taken >= FILES_AT_ONCE:
            await inbox.postpone(db, event, seconds=NO_ROOM_SECONDS, wall=talk.wall)
            return []
        lease = await inbox.lease(db, event, seconds=LEASE_SECONDS, wall=talk.wall)
        db.wake(FILES)
        return [Wanted(event, lease, file)]

    def _fetch(self, wanted: Iterable[Wanted]) -> None:
        for one in wanted:
            task = asyncio.create_task(self._answer_file(one))
            self.fetching.add(task)
            task.add_done_callback(self.fetching.discard)

    async def _answer_file(self, one: Wanted) -> None:
        """Get and read the file, with no transaction open, then answer its event."""
        try:
            reading, error = await self._read(one)
            async with self.database.transaction() as db:
                if not await inbox.is_mine(db, one.event, one.lease):
                    log.warning("event answered too late", event_id=str(one.event.event_id))
                elif reading is None:
                    await self._failed(db, one.event, error)
                else:
                    await self._try(db, one.event, reading)
        except Exception as broken:  # its lease runs out, then it is worked again
            said = failures.describe(broken)
            log.error("file not answered", event_id=str(one.event.event_id), error=said)  # noqa: TRY400 (messages may name a person)

    async def _read(self, one: Wanted) -> tuple[Reading | None, str]:
        """What is in the file; None and why when it is to be tried again."""
        files = self.files[inbox.channel_of(one.event.bot)]
        try:
            async with asyncio.timeout(FETCH_SECONDS):
                content = await files.get_file(one.file.file_id)
                return Reading(await asyncio.to_thread(images.fiscal, content)), ""
        except DomainError as refused:
            if refused.kind in {Kind.INVALID, Kind.MISSING}:
                return showing.unread(refused), ""
            return None, failures.describe(refused)
        except Exception as broken:
            return None, failures.describe(broken)

    async def _failed(self, db: Db, event: Waiting, error: str) -> None:
        """Try again in a moment; after the last time park it and tell the person."""
        tried = event.attempts
        wall = self.clock.wall()
        again = wall + PAUSES[tried] if tried < len(PAUSES) else None
        log.warning("event failed", event_id=str(event.event_id), error=error, parked=again is None)
        await inbox.failed(db, event, again=again, error=error, wall=wall)
        if again is None:
            await self._say_sorry(db, event)

    async def _say_sorry(self, db: Db, event: Waiting) -> None:
        chat = await chats.of_chat(db, inbox.channel_of(event.bot), event.chat)
        if chat is None:  # nobody to tell: not even their first message could be taken in
            return
        key = f"{event.bot}/{event.event_key}/sorry"
        sorry = Outgoing(
            chat.member_id,
            chat.channel,
            key,
            Purpose.REPLY,
            View("sorry"),
            address=chat.opened(self.vault),
        )
        now = await self.clock.programme(db)
        await messaging.reserve(
            db, [sorry], vault=self.vault, now=now, wall=self.clock.wall(), actor="system"
        )

    async def _say(self, db: Db, say: Sequence[Outgoing | Tap], talking: Iterable[Talk]) -> None:
        talk = next(iter(talking), None)
        if talk is None:
            return
        await messaging.reserve(
            db,
            say,
            vault=self.vault,
            now=talk.now,
            wall=talk.wall,
            actor=f"bot:{talk.chat.channel}",
            points_name=talk.programme.points_name,
        )

    # --- leaving -------------------------------------------------------------------------------

    async def forget(self, db: Db, job: jobs.Job, now: datetime) -> None:
        """The job that erases who left, a moment after the farewell."""
        member_id = await member_queries.surviving(db, UUID(job.payload["member_id"]))
        await members.forget(db, member_id, steps=self.steps, now=now, actor=f"member:{member_id}")


STEP = Step("bot", chats.merge, chats.forget)


def _is_for_itself(incoming: Incoming) -> bool:
    """Merges members, claims a receipt, or answers at a door: others may want the same rows."""
    match incoming.event:
        case Shared():
            return True
        case Said(text):
            return starting.is_receipt(text) or text.startswith("/card")
        case Started(payload):
            return doors.is_login(payload)
        case Tapped(action):
            return action.partition(":")[0] in doors.ACTIONS
    return False
