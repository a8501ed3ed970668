"""The stage that works the inbox: an event a chat at a time, each in its own transaction.

An event whose file has to be fetched is leased: committed, fetched and read, then answered in a
second transaction if the lease still holds. Meanwhile its chat waits and the others do not.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

import structlog

from vezde.bot import chats, inbox, section, telegram
from vezde.bot.conversation import core, showing
from vezde.bot.conversation.showing import Reading
from vezde.bot.conversation.talk import MARKETING, PERSONAL_DATA, Talk
from vezde.bot.inbox import Waiting
from vezde.bot.model import Incoming, Left, Returned, Sent
from vezde.kit.clock import Clock
from vezde.kit.db import Database, Db
from vezde.kit.errors import DomainError, Kind
from vezde.kit.i18n import locale_of
from vezde.kit.vault import Vault
from vezde.kit.work import failures, jobs
from vezde.members import operations as members
from vezde.members import queries as member_queries
from vezde.members.model import MemberExists, NewIdentity, NewMember
from vezde.members.operations import Step
from vezde.messaging import operations as messaging
from vezde.messaging.model import Outgoing, Purpose, Tap, View
from vezde.program import queries as program
from vezde.receipts.qr import images

log = structlog.get_logger(__name__)

AT_ONCE = 4
# How long a chat waits for a worker that died with its file, and what a file may take.
LEASE_SECONDS, FETCH_SECONDS = 30.0, 25.0
PAUSES = (timedelta(seconds=1), timedelta(seconds=5))


class Files(Protocol):
    """A messenger that hands over files: `messaging.transports.telegram`."""

    async def get_file(self, file_id: str) -> bytes: ...


@dataclass(frozen=True)
class Worker:
    """Works events; `files` are messengers by channel, `steps` what merging and forgetting do."""

    database: Database
    clock: Clock
    vault: Vault
    files: Mapping[str, Files]
    steps: Sequence[Step]

    async def run(self) -> int:
        """Work what is due, several chats side by side; how many events."""
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._until_idle()) for _ in range(AT_ONCE)]
        return sum(task.result() for task in tasks)

    async def _until_idle(self) -> int:
        done = 0
        while done < inbox.MOST_WAITING and await self.once():
            done += 1
        return done

    async def once(self) -> bool:
        """Work one event; False: nothing is due."""
        async with self.database.transaction() as db:
            event = await inbox.claim(db, wall=self.clock.wall())
            if event is None:
                return False
            wanted = await self._try(db, event)
        if wanted is not None:
            await self._fetch(event, *wanted)
        return True

    async def _try(
        self, db: Db, event: Waiting, reading: Reading | None = None
    ) -> tuple[UUID, Sent] | None:
        """Answer the event; or its lease when a file is wanted first."""
        if event.attempts > len(PAUSES):
            await self._failed(db, event, "worker died")
            return None
        try:
            async with db.transaction():
                return await self._answer(db, event, reading)
        except Exception as error:
            await self._failed(db, event, failures.describe(error))
        return None

    async def _answer(
        self, db: Db, event: Waiting, reading: Reading | None
    ) -> tuple[UUID, Sent] | None:
        incoming = telegram.meaning(event.payload(self.vault))
        talk = await self._talk(db, event, incoming)
        if talk is None:
            await inbox.done(db, event)
            return None
        if reading is None and core.needs_reading(talk, incoming.event):
            assert isinstance(incoming.event, Sent), "only files are read"
            lease = await inbox.lease(db, event, seconds=LEASE_SECONDS, wall=talk.wall)
            return lease, incoming.event
        answer = await core.answer(db, talk, incoming.event, reading)
        await self._say(db, answer.say, talk)
        if answer.hold:
            await inbox.hold(db, event)
            return None
        if answer.let_go:
            await inbox.let_go(db, event.bot, event.chat, wall=talk.wall)
        await inbox.done(db, event)
        return None

    async def _fetch(self, event: Waiting, lease: UUID, file: Sent) -> None:
        """Get and read the file, with no transaction open, then answer the event."""
        reading, error = None, ""
        try:
            async with asyncio.timeout(FETCH_SECONDS):
                content = await self.files[_channel(event)].get_file(file.file_id)
                reading = Reading(await asyncio.to_thread(images.fiscal, content))
        except DomainError as refused:
            if refused.kind in {Kind.INVALID, Kind.MISSING}:
                reading = showing.unread(refused)
            error = failures.describe(refused)
        except Exception as broken:
            error = failures.describe(broken)
        async with self.database.transaction() as db:
            if not await inbox.is_mine(db, event, lease):
                log.warning("event answered too late", event_id=str(event.event_id))
                return
            if reading is None:
                await self._failed(db, event, error)
            else:
                await self._try(db, event, reading)

    async def _talk(self, db: Db, event: Waiting, incoming: Incoming) -> Talk | None:
        """Whose event it is; a guest is enrolled, but not for having blocked the bot."""
        now, wall = await self.clock.programme(db), self.clock.wall()
        channel = _channel(event)
        chat = await chats.of_chat(db, channel, event.chat)
        if chat is None:
            if isinstance(incoming.event, Left | Returned):
                return None
            chat = await self._newcomer(db, event, incoming, now)
        reach = await member_queries.reach(db, [chat.member_id], kind="phone", vault=self.vault)
        agreed = [
            purpose
            for purpose in (PERSONAL_DATA, MARKETING)
            if await member_queries.agreed(db, [chat.member_id], purpose=purpose, channel=channel)
        ]
        return Talk(
            chat=chat,
            address=incoming.address,
            bot=event.bot,
            key=event.event_key,
            locale=locale_of(reach[chat.member_id].locale),
            phone=reach[chat.member_id].address is not None,
            agreed=frozenset(agreed),
            programme=(await program.programmes(db)).at(now),
            section=await section.in_force(db, now),
            steps=self.steps,
            vault=self.vault,
            now=now,
            wall=wall,
        )

    async def _newcomer(
        self, db: Db, event: Waiting, incoming: Incoming, now: datetime
    ) -> chats.Chat:
        channel = _channel(event)
        person = NewMember(
            locale=locale_of(incoming.language),
            identities=(NewIdentity(channel, incoming.address),),
        )
        try:
            (member,) = await members.enrol(
                db, [person], vault=self.vault, now=now, actor=f"bot:{channel}"
            )
            member_id = member.member_id
        except MemberExists as known:  # another program enrolled this account
            member_id = known.extra["member_id"]
        reach = await member_queries.reach(db, [member_id], kind="phone", vault=self.vault)
        return await chats.open_chat(
            db,
            member_id,
            channel,
            event.chat,
            incoming.address,
            guest=reach[member_id].address is None,
            vault=self.vault,
            now=now,
        )

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
        chat = await chats.of_chat(db, _channel(event), event.chat)
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

    async def _say(self, db: Db, say: Sequence[Outgoing | Tap], talk: Talk) -> None:
        await messaging.reserve(
            db,
            say,
            vault=self.vault,
            now=talk.now,
            wall=talk.wall,
            actor=talk.actor,
            points_name=talk.programme.points_name,
        )

    # --- leaving -------------------------------------------------------------------------------

    async def forget(self, db: Db, job: jobs.Job, now: datetime) -> None:
        """The job that erases who left, a moment after the farewell."""
        member_id = await member_queries.surviving(db, UUID(job.payload["member_id"]))
        await members.forget(db, member_id, steps=self.steps, now=now, actor=f"member:{member_id}")


STEP = Step("bot", chats.merge, chats.forget)


def _channel(event: Waiting) -> str:
    return event.bot.partition(":")[0]
