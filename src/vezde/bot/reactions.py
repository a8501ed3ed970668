"""What the bot does about facts: the one message of a receipt is edited, the phone asked for."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from vezde.bot import chats, section
from vezde.bot.conversation import screens, showing
from vezde.bot.telling import Voice
from vezde.kit.db import Db
from vezde.kit.work import jobs
from vezde.members import queries as members
from vezde.messaging.model import Outgoing, Purpose, View
from vezde.outbox.model import FactRow, Reaction, by_the_batch
from vezde.program import queries as program
from vezde.program.model import Programme
from vezde.receipts import queries as receipt_queries
from vezde.receipts.events import DELAYED
from vezde.receipts.model import Status
from vezde.receipts.queries import Receipt

DECIDED = frozenset(f"receipt.{status}/1" for status in Status if status is not Status.CHECKING)
KINDS = DECIDED | {DELAYED}
ADVANCE = f"receipt.{Status.AWAITING_SETTLEMENT}/1"
REMIND = "bot.advance"
REMINDER_DAYS = (3, 7, 14)


class Teller(Voice):
    """Tells people in their chats what became of what they showed there."""

    def reactions(self) -> tuple[Reaction, ...]:
        return (by_the_batch("bot.receipts", KINDS, self.receipts),)

    async def receipts(self, db: Db, facts: Sequence[FactRow]) -> None:
        """Edit the messages that tell of the receipts; the first points bring the phone up."""
        told = await self._told(db, facts)
        if not told:
            return
        now = await self.clock.programme(db)
        programme = (await program.programmes(db)).at(now)
        wanted = {(chat.member_id, one) for _, chat, shown in told for one in shown.receipt_ids}
        found = await receipt_queries.receipts(db, list(wanted))
        say: list[Outgoing] = []
        keys: set[str] = set()
        thrifty: dict[UUID, chats.Chat] = {}
        for fact, chat, shown in told:
            these = [found[one] for one in shown.receipt_ids if one in found]
            brand = programme.name or "Vezde"
            key = showing.key_of(shown.slot, these)
            if key not in keys:  # many facts of one file are one edit
                keys.add(key)
                file = showing.file_of(shown.slot)
                view = screens.receipts(these, brand=brand, zone=programme.zone, now=now, file=file)
                say.append(self._answer(chat, key, view, slot=shown.slot))
            if fact.kind == ADVANCE:
                receipt_id = UUID(fact.data["receipt_id"])
                await _remind_later(db, chat.member_id, receipt_id, now)
            if fact.data.get("points") and chat.guest_since is not None:
                thrifty[chat.member_id] = chat
        say += await self._phones(db, thrifty, programme, now)
        await self.say(db, say, programme, now=now)

    async def _told(
        self, db: Db, facts: Sequence[FactRow]
    ) -> list[tuple[FactRow, chats.Chat, chats.Shown]]:
        """The facts about receipts that were shown in a chat which is the member's still."""
        of = {fact.id: fact.member_id for fact in facts if fact.member_id is not None}
        into = await members.surviving_all(db, set(of.values()))
        asked = {
            fact.id: (into[of[fact.id]], UUID(fact.data["receipt_id"]))
            for fact in facts
            if fact.id in of
        }
        shown = await chats.shown_all(db, set(asked.values()))
        chat_of: dict[tuple[str, bytes], chats.Chat] = {}
        for channel in sorted({one.channel for one in shown.values()}):
            indexes = [one.chat for one in shown.values() if one.channel == channel]
            for index, chat in (await chats.of_chats(db, channel, indexes)).items():
                chat_of[channel, index] = chat
        found = []
        for fact in facts:
            one = shown.get(asked[fact.id]) if fact.id in asked else None
            its = chat_of.get((one.channel, one.chat)) if one else None
            if one and its and its.member_id == asked[fact.id][0]:
                found.append((fact, its, one))
        return found

    async def remind(self, db: Db, job: jobs.Job, now: datetime) -> None:
        """A reminder of an advance whose second receipt has not come, unless told to be quiet."""
        member_id = await members.surviving(db, UUID(job.payload["member_id"]))
        receipt_id = UUID(job.payload["receipt_id"])
        shown = await chats.shown(db, member_id, receipt_id)
        chat = await chats.of_chat(db, shown.channel, shown.chat) if shown else None
        if chat is None or await chats.is_quiet(db, member_id, receipt_id):
            return
        (receipt,) = await showing.telling(db, member_id, [receipt_id])
        if receipt.status is not Status.AWAITING_SETTLEMENT:
            return
        programme = (await program.programmes(db)).at(now)
        view = screens.advance_reminder(_bought(receipt, programme), receipt_id.hex)
        key = f"advance:{receipt_id}/{job.payload['day']}"
        await self.say(db, [self.message(chat, key, view)], programme, now=now)

    async def _phones(
        self, db: Db, guests: Mapping[UUID, chats.Chat], programme: Programme, now: datetime
    ) -> list[Outgoing]:
        """Asked for once, when there is something to lose."""
        if not guests:
            return []
        reach = await members.reach(db, guests, kind="phone", vault=self.vault)
        term = timedelta(days=(await section.in_force(db, now)).guest_days)
        say = []
        for member_id, chat in sorted(guests.items()):
            if reach[member_id].address is not None:
                await chats.known_well(db, member_id)
                continue
            until = screens.local_day((chat.guest_since or now) + term, programme.zone)
            say.append(self._answer(chat, "phone_ask", screens.ask_phone(until)))
        return say

    def _answer(
        self, chat: chats.Chat, key: str, view: View, *, slot: str | None = None
    ) -> Outgoing:
        return self.message(chat, key, view, slot=slot, purpose=Purpose.REPLY)


async def _remind_later(db: Db, member_id: UUID, receipt_id: UUID, now: datetime) -> None:
    for day in REMINDER_DAYS:
        await jobs.enqueue(
            db,
            kind=REMIND,
            payload={"member_id": str(member_id), "receipt_id": str(receipt_id), "day": day},
            due_at=now + timedelta(days=day),
            key=f"{REMIND}/{receipt_id}/{day}",
        )


def _bought(receipt: Receipt, programme: Programme) -> datetime:
    return receipt.wall_time or receipt.registered_at.astimezone(programme.zone)
