"""Guests: a member who gave no phone is warned, then forgotten when the term is over."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from vezde.bot import chats, section
from vezde.bot.conversation import screens
from vezde.bot.conversation.talk import PERSONAL_DATA
from vezde.bot.telling import ACTOR, Voice
from vezde.kit.db import Db
from vezde.kit.work import jobs
from vezde.ledger import queries as ledger
from vezde.members import operations as members
from vezde.members import queries as member_queries
from vezde.members.operations import Step
from vezde.program import queries as program

TICK, WARN, FORGET = "bot.guests", "bot.guest_warn", "bot.guest_forget"
# So long before the end they are told; of a short term, in its second half.
NOTICE = timedelta(days=3)
AT_ONCE = 10_000


@dataclass(frozen=True)
class Keeper(Voice):
    """Looks after guests; `steps` are what forgetting does."""

    steps: Sequence[Step]

    async def tick(self, db: Db, now: datetime) -> None:
        """A job for each guest to be warned or forgotten: what fails of one stops no other."""
        term, notice = await _term(db, now)
        for member_id in await chats.guests_to_warn(db, before=now - term + notice, limit=AT_ONCE):
            await _enqueue(db, WARN, member_id, now)
        ended = await chats.guests_to_forget(
            db, before=now - term, warned=now - notice, limit=AT_ONCE
        )
        for member_id in ended:
            await _enqueue(db, FORGET, member_id, now)

    async def warn(self, db: Db, job: jobs.Job, now: datetime) -> None:
        """Say until when they are kept. Who has not agreed to be kept is not written to."""
        member_id = UUID(job.payload["member_id"])
        term, notice = await _term(db, now)
        warned = [one for one in await chats.of_member(db, member_id) if one.guest_since]
        await chats.warned(db, member_id, now=now)
        if not warned or not await self._is_guest(db, member_id):
            return
        if not await member_queries.agreed(
            db, [member_id], purpose=PERSONAL_DATA, channel=warned[0].channel
        ):
            return
        points = await ledger.points(db, member_id, as_of=now)
        programme = (await program.programmes(db)).at(now)
        say = []
        for chat in warned:
            assert chat.guest_since is not None, "looked at above"
            until = screens.local_day(max(chat.guest_since + term, now + notice), programme.zone)
            view = screens.guest_warning(until, points.active + points.pending)
            key = f"guest_warning/{chat.guest_since:%Y%m%d%H%M%S}"
            say.append(self.message(chat, key, view))
        await self.say(db, say, programme, now=now)

    async def forget(self, db: Db, job: jobs.Job, now: datetime) -> None:
        """Forget a guest whose term is over; who gave a phone in the meantime is none."""
        member_id = UUID(job.payload["member_id"])
        term, notice = await _term(db, now)
        if not await chats.is_over(db, member_id, before=now - term, warned=now - notice):
            return
        if await self._is_guest(db, member_id):
            await members.forget(db, member_id, steps=self.steps, now=now, actor=ACTOR)

    async def _is_guest(self, db: Db, member_id: UUID) -> bool:
        """Who gave a phone at another door is no guest, and is not looked at again."""
        reached = await member_queries.reach(db, [member_id], kind="phone", vault=self.vault)
        reach = reached.get(member_id)
        if reach is None or not reach.active or reach.address is not None:
            await chats.known_well(db, member_id)
            return False
        return True


async def _term(db: Db, now: datetime) -> tuple[timedelta, timedelta]:
    """How long guests are kept, and how long before the end they are warned."""
    term = timedelta(days=(await section.in_force(db, now)).guest_days)
    return term, min(NOTICE, term / 2)


async def _enqueue(db: Db, kind: str, member_id: UUID, now: datetime) -> None:
    payload = {"member_id": str(member_id)}
    await jobs.enqueue(db, kind=kind, payload=payload, due_at=now, key=f"{kind}/{member_id}")
