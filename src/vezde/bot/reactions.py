"""What the bot does about facts: the one message of a receipt is edited, the phone asked for."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from vezde.bot import chats, section
from vezde.bot.conversation import screens, showing
from vezde.kit.clock import Clock
from vezde.kit.db import Db
from vezde.kit.vault import Vault
from vezde.kit.work import jobs
from vezde.members import queries as members
from vezde.messaging import operations as messaging
from vezde.messaging.model import Outgoing, Purpose, View
from vezde.outbox.model import FactRow, Reaction
from vezde.program import queries as program
from vezde.program.model import Programme
from vezde.receipts.model import Status
from vezde.receipts.queries import Receipt

KINDS = frozenset(f"receipt.{status}/1" for status in Status if status is not Status.CHECKING)
ADVANCE = f"receipt.{Status.AWAITING_SETTLEMENT}/1"
REMIND = "bot.advance"
REMINDER_DAYS = (3, 7, 14)
ACTOR = "system"


@dataclass(frozen=True)
class Teller:
    """Tells people in their chats what became of what they showed there."""

    vault: Vault
    clock: Clock

    def reactions(self) -> tuple[Reaction, ...]:
        return (Reaction("bot.receipts", KINDS, self.receipt),)

    async def receipt(self, db: Db, fact: FactRow) -> None:
        """Edit the message that tells of the receipt; the first points bring the phone up."""
        assert fact.member_id is not None, "a receipt is somebody's"
        receipt_id = UUID(fact.data["receipt_id"])
        member_id = await members.surviving(db, fact.member_id)
        shown = await chats.shown(db, member_id, receipt_id)
        chat = await chats.of_chat(db, shown.channel, shown.chat) if shown else None
        if shown is None or chat is None or chat.member_id != member_id:
            return
        now = await self.clock.programme(db)
        programme = (await program.programmes(db)).at(now)
        told = await showing.telling(db, member_id, shown.receipt_ids)
        view = screens.receipts(told, brand=programme.name or "Vezde", zone=programme.zone, now=now)
        say = [self._message(chat, showing.key_of(shown.slot, told), view, slot=shown.slot)]
        if fact.kind == ADVANCE:
            await _remind_later(db, member_id, receipt_id, now)
        if fact.data.get("points") and chat.guest_since is not None:
            say += await self._phone(db, chat, chat.guest_since, programme, now)
        await self._send(db, say, programme, now)

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
        await self._send(
            db, [self._message(chat, key, view, purpose=Purpose.SERVICE)], programme, now
        )

    async def _phone(
        self, db: Db, chat: chats.Chat, since: datetime, programme: Programme, now: datetime
    ) -> list[Outgoing]:
        """Asked for once, when there is something to lose."""
        reach = await members.reach(db, [chat.member_id], kind="phone", vault=self.vault)
        if reach[chat.member_id].address is not None:
            await chats.known_well(db, chat.member_id)
            return []
        days = (await section.in_force(db, now)).guest_days
        until = screens.local_day(since + timedelta(days=days), programme.zone)
        return [self._message(chat, "phone_ask", screens.ask_phone(until))]

    def _message(
        self,
        chat: chats.Chat,
        key: str,
        view: View,
        *,
        slot: str | None = None,
        purpose: Purpose = Purpose.REPLY,
    ) -> Outgoing:
        address = chat.opened(self.vault)
        return Outgoing(chat.member_id, chat.channel, key, purpose, view, slot, address)

    async def _send(self, db: Db, say: list[Outgoing], programme: Programme, now: datetime) -> None:
        await messaging.reserve(
            db,
            say,
            vault=self.vault,
            now=now,
            wall=self.clock.wall(),
            actor=ACTOR,
            points_name=programme.points_name,
        )


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
