"""The stages that work the inbox: events of many chats in one transaction, one of each chat.

A batch is claimed, read in a few statements, answered and committed together. If anything of it
fails, nothing of it was done, and each of its events is worked alone: the one that fails alone is
tried again, then parked. Members and receipts are taken in their order, so that batches never stop
each other; a phone that somebody has, which may merge members, is worked alone.

An event whose file has to be fetched is leased: the file is fetched and read beside everything else
and, once that is committed, answered with others that came meanwhile, if the lease still holds. Its
chat waits for it and no other does.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol
from uuid import UUID

import structlog

from vezde.bot import chats, inbox, talks, telegram
from vezde.bot.chats import Chat
from vezde.bot.conversation import core, doors, phone
from vezde.bot.conversation.talk import Talk
from vezde.bot.inbox import Waiting
from vezde.bot.model import Incoming, Said, Sent, Shared, Started, Tapped
from vezde.bot.talks import Event
from vezde.bot.taps import Answers, Taps
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
from vezde.receipts.reading.model import Findings, failed
from vezde.receipts.reading.reader import Reader, of_text

log = structlog.get_logger(__name__)

FILES = "bot.files"
# Batches side by side, so that one works while another's commit is written.
AT_ONCE, CHATS_AT_ONCE = 2, 64
BATCHES_OF_A_RUN, ALONE_AT_ONCE = 20, 4
# Files that one process fetches side by side, and those in its hands; others wait a moment more.
FETCHED_AT_ONCE, FILES_AT_ONCE, NO_ROOM_SECONDS = 16, 32, 0.2
# What a file may take, and how long a chat waits for a worker that died with its file: another
# may have been fetched before it.
FETCH_SECONDS, LEASE_SECONDS = 25.0, 60.0
GATHER_SECONDS = 0.05
PAUSES = (timedelta(seconds=1), timedelta(seconds=5))


NOTHING_READ: Mapping[UUID, Findings] = {}


class Messenger(Answers, Protocol):
    """Answers taps and hands over files: `messaging.transports.telegram`."""

    async def get_file(self, file_id: str) -> bytes: ...


@dataclass(frozen=True)
class Wanted:
    """A file or a text with links to fetch, and the lease of the event that it came with."""

    event: Waiting
    lease: UUID
    what: Sent | Said


@dataclass(frozen=True)
class Read:
    """What came of a file; without a reading `error` says why it is to be tried again."""

    wanted: Wanted
    reading: Findings | None = None
    error: str = ""

    @property
    def event(self) -> Waiting:
        return self.wanted.event

    @property
    def lease(self) -> UUID:
        return self.wanted.lease


@dataclass(frozen=True)
class Next:
    """What is to be done when the transaction is committed."""

    fetch: Sequence[Wanted] = ()
    taps: Sequence[Tap] = ()


@dataclass
class Worker:
    """Works events; `messengers` by channel, `steps` what merging and forgetting do."""

    database: Database
    clock: Clock
    vault: Vault
    messengers: Mapping[str, Messenger]
    steps: Sequence[Step]
    reader: Reader
    mail_domain: str | None = None
    fetching: set[asyncio.Task[Read]] = field(default_factory=set)
    # Begun by transactions that are under way, by lease; what one that failed had begun is never
    # answered, and forgotten when the lease would have ended.
    begun: dict[UUID, asyncio.Task[Read]] = field(default_factory=dict)
    taps: Taps = field(init=False)
    room: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self.taps = Taps(self.messengers, self._answer_later)
        self.room = asyncio.Semaphore(FETCHED_AT_ONCE)

    async def run(self) -> int:
        """Work what is due, for a while, side by side once it is more than a batch; how many."""
        done = await self.once()
        if done < CHATS_AT_ONCE:
            return done
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._while_full()) for _ in range(AT_ONCE)]
        return done + sum(task.result() for task in tasks)

    async def answer_files(self) -> int:
        """Answer events whose files have come, until none is under way; how many.

        A stage of its own, so that who stops this process waits for them.
        """
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._until_answered()) for _ in range(AT_ONCE)]
        return sum(task.result() for task in tasks)

    async def _until_answered(self) -> int:
        done = 0
        while self.fetching:
            await asyncio.wait(self.fetching, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.sleep(GATHER_SECONDS)
            come = [task for task in self.fetching if task.done()]
            self.fetching.difference_update(come)
            if come:  # the other has not taken them meanwhile
                await self._answer_files([task.result() for task in come])
                done += len(come)
        return done

    async def _while_full(self) -> int:
        done = 0
        for _ in range(BATCHES_OF_A_RUN):
            worked = await self.once()
            done += worked
            if worked < CHATS_AT_ONCE:
                break
        return done

    async def once(self) -> int:
        """Work the first events of some chats; how many."""
        events: list[Waiting] = []
        alone: list[Waiting] = []
        then = Next()
        try:
            async with self.database.transaction(pipeline=True) as db:
                wall = self.clock.wall()
                events = alone = await inbox.claim(db, wall=wall, limit=CHATS_AT_ONCE)
                together, alone = await self._sorted(db, events)
                then = await self._work(db, together)
        except Unavailable:
            raise
        except Exception as error:
            log.warning("batch of events failed", error=failures.describe(error))
            alone, then = events, Next()
        self._go_on(then)
        room = asyncio.Semaphore(ALONE_AT_ONCE)
        async with asyncio.TaskGroup() as group:
            for event in alone:
                group.create_task(self._alone(event, room))
        return len(events)

    async def _sorted(self, db: Db, events: Sequence[Waiting]) -> tuple[list[Event], list[Waiting]]:
        """What may be worked together, and the rest."""
        read = [(event, None if event.attempts else self._incoming(event)) for event in events]
        contacts = {
            event.event_id: incoming.event
            for event, incoming in read
            if incoming is not None and isinstance(incoming.event, Shared)
        }
        merging = await phone.merging(db, contacts, vault=self.vault)
        together, alone = [], []
        for event, incoming in read:
            if incoming is None or event.event_id in merging or _is_for_itself(incoming):
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
                then = await self._try(db, claimed) if claimed is not None else Next()
        except Contested:  # it is due still
            log.info("event gave way", event_id=str(event.event_id))
        else:
            self._go_on(then)

    async def _try(
        self, db: Db, event: Waiting, readings: Mapping[UUID, Findings] = NOTHING_READ
    ) -> Next:
        """Answer the event, or note that it failed."""
        if event.attempts > len(PAUSES):
            await self._failed(db, event, "worker died")
            return Next()
        try:
            async with db.transaction():
                incoming = telegram.meaning(event.payload(self.vault))
                return await self._work(db, [(event, incoming)], readings)
        except (Unavailable, Contested):
            raise
        except Exception as error:
            await self._failed(db, event, failures.describe(error))
        return Next()

    async def _work(
        self, db: Db, events: Sequence[Event], readings: Mapping[UUID, Findings] = NOTHING_READ
    ) -> Next:
        """Answer events of different chats, but those that want files first."""
        if not events:
            return Next()
        wanted: list[Wanted] = []
        done: list[Waiting] = []
        say: list[Outgoing | Tap] = []
        places: list[tuple[Chat, str, dict[str, Any]]] = []
        steps = self.steps
        talking = await talks.read(
            db,
            events,
            clock=self.clock,
            vault=self.vault,
            steps=steps,
            mail_domain=self.mail_domain,
        )
        answered: list[Waiting] = []
        asked: list[core.Asked] = []
        for event, incoming in sorted(events, key=partial(_claims, readings)):
            talk, reading = talking.get(event.event_id), readings.get(event.event_id)
            if talk is None:
                done.append(event)
            elif reading is None and core.needs_reading(talk, incoming.event):
                assert isinstance(incoming.event, Sent | Said), "only files and links are read"
                wanted += await self._lease(db, event, incoming.event, talk)
            else:
                answered.append(event)
                asked.append((talk, incoming.event, reading))
        answers = await core.answer(db, asked)
        for event, (talk, _, _), answer in zip(answered, asked, answers, strict=True):
            say += answer.say
            if answer.place is not None:
                places.append((talk.chat, answer.place.state, answer.place.data))
            if answer.let_go:
                await inbox.let_go(db, event.bot, event.chat, wall=talk.wall)
            if answer.hold:
                await inbox.hold(db, event)
            else:
                done.append(event)
        if places:
            await chats.change(db, places, now=next(iter(talking.values())).now)
        taps, messages = self.taps.sort_out(say)
        await self._say(db, messages, talking.values())
        await inbox.done(db, done)
        return Next(wanted, taps)

    async def _lease(self, db: Db, event: Waiting, what: Sent | Said, talk: Talk) -> list[Wanted]:
        # What a transaction that failed had begun takes room no longer than it is fetched.
        begun = sum(not one.done() for one in self.begun.values())
        if len(self.fetching) + begun >= FILES_AT_ONCE:
            await inbox.postpone(db, event, seconds=NO_ROOM_SECONDS, wall=talk.wall)
            return []
        lease = await inbox.lease(db, event, seconds=LEASE_SECONDS, wall=talk.wall)
        db.wake(FILES)
        wanted = Wanted(event, lease, what)
        self.begun[lease] = asyncio.create_task(self._read(wanted))
        asyncio.get_running_loop().call_later(LEASE_SECONDS, self.begun.pop, lease, None)
        return [wanted]

    def _go_on(self, then: Next) -> None:
        begun = [self.begun.pop(one.lease, None) for one in then.fetch]
        self.fetching |= {task for task in begun if task is not None}
        self.taps.answer(then.taps)

    async def _read(self, one: Wanted) -> Read:
        """What is in the file, or behind the links; nothing is asked of the database for it."""
        try:
            async with self.room, asyncio.timeout(FETCH_SECONDS):
                if isinstance(one.what, Said):
                    return Read(one, await self.reader.text(one.what.text))
                files = self.messengers[inbox.channel_of(one.event.bot)]
                return Read(one, await self.reader.file(await files.get_file(one.what.file_id)))
        except DomainError as refused:
            if refused.kind in {Kind.INVALID, Kind.MISSING}:
                return Read(one, failed(refused))
            return Read(one, error=failures.describe(refused))
        except Exception as broken:
            return Read(one, error=failures.describe(broken))

    async def _answer_files(self, come: Sequence[Read]) -> None:
        """Together those that were read; what fails, and what was not read, one by one.

        So are several receipts of one file: among others' they would be claimed out of order.
        """
        then = Next()
        rest = [one for one in come if one.reading is None or len(one.reading.receipts) > 1]
        read = [(one, one.reading) for one in come if one not in rest and one.reading is not None]
        try:
            async with self.database.transaction(pipeline=True) as db:
                db.wake(inbox.WORK)  # for what waits behind them, and there is room again
                held = [(one.event, one.lease) for one, _ in read]
                mine = await inbox.mine(db, held) if held else set()
                readings = {one.event.event_id: reading for one, reading in read}
                events = [
                    (one.event, telegram.meaning(one.event.payload(self.vault)))
                    for one, _ in read
                    if one.event.event_id in mine
                ]
                then = await self._work(db, events, readings)
        except Exception as error:
            log.warning("batch of files failed", error=failures.describe(error))
            rest, then = list(come), Next()
        self._go_on(then)
        for one in rest:
            await self._answer_file(one)

    async def _answer_file(self, one: Read) -> None:
        then = Next()
        try:
            async with self.database.transaction() as db:
                db.wake(inbox.WORK)
                if not await inbox.mine(db, [(one.event, one.lease)]):
                    log.warning("event answered too late", event_id=str(one.event.event_id))
                elif one.reading is None:
                    await self._failed(db, one.event, one.error)
                else:
                    then = await self._try(db, one.event, {one.event.event_id: one.reading})
        except (Unavailable, Contested) as error:  # its lease runs out, then it is worked again
            said = failures.describe(error)
            log.warning("file not answered", event_id=str(one.event.event_id), error=said)
        else:
            self._go_on(then)

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

    async def _answer_later(self, tap: Tap) -> None:
        async with self.database.transaction() as db:
            now, wall = await self.clock.programme(db), self.clock.wall()
            await messaging.reserve(
                db, [tap], vault=self.vault, now=now, wall=wall, actor=f"bot:{tap.channel}"
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


STEP = Step("bot", chats.merge, chats.forget, chats.unmerge)


def _is_for_itself(incoming: Incoming) -> bool:
    """Answers at a door: others may want the same rows in another order."""
    match incoming.event:
        case Said(text):
            return text.startswith("/card")
        case Started(payload):
            return doors.is_login(payload)
        case Tapped(action):
            return action.partition(":")[0] in doors.ACTIONS
    return False


def _claims(readings: Mapping[UUID, Findings], event: Event) -> tuple[int, int]:
    """The document that an event claims: batches claim in this order and never stop each other."""
    waiting, incoming = event
    reading = readings.get(waiting.event_id)
    if isinstance(incoming.event, Said) and not incoming.event.text.startswith("/"):
        reading = reading or of_text(incoming.event.text)
    first = reading.receipts[0].qr if reading and reading.receipts else None
    return (first.fn, first.fd) if first else (0, 0)
