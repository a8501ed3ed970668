"""Receipts that came to a member's own address: told in their chat as if shown there."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from vezde.bot import chats
from vezde.bot.chats import Chat
from vezde.bot.conversation import screens, showing
from vezde.bot.conversation.talk import PERSONAL_DATA
from vezde.kit.clock import Clock
from vezde.kit.db import Db
from vezde.kit.vault import Vault
from vezde.members import operations as members
from vezde.members import queries as member_queries
from vezde.messaging import operations as messaging
from vezde.messaging.model import Outgoing, Purpose, View
from vezde.outbox.model import FactRow, Reaction
from vezde.program import queries as program
from vezde.program.model import Programme
from vezde.receipts.mailing import operations as mailing

KINDS = frozenset({mailing.READ})
ACTOR = "system"


@dataclass(frozen=True)
class Caller:
    """Tells of letters that were read."""

    vault: Vault
    clock: Clock

    def reaction(self) -> Reaction:
        return Reaction("bot.letters", KINDS, self.tell)

    async def tell(self, db: Db, fact: FactRow) -> None:
        """One message a letter: what became of its receipts, or what it wants of its reader.

        Who has no chat, or took the consent back, hears nothing; the receipts count all the same.
        """
        assert fact.member_id is not None, "a letter is somebody's"
        letter_id = UUID(fact.data["letter_id"])
        member_id = await member_queries.surviving(db, fact.member_id)
        if not await members.present(db, [member_id]):
            return
        excerpt = await mailing.take_excerpt(db, member_id, letter_id, vault=self.vault)
        known = await chats.of_member(db, member_id)
        chat = known[0] if known else None
        if chat is None or not await member_queries.agreed(
            db, [member_id], purpose=PERSONAL_DATA, channel=chat.channel
        ):
            return
        now = await self.clock.programme(db)
        programme = (await program.programmes(db)).at(now)
        receipt_ids = [UUID(one) for one in fact.data["receipt_ids"]]
        if receipt_ids:
            say = await self._receipts(db, chat, letter_id, receipt_ids, programme, now)
        elif excerpt is not None:
            view = screens.confirmation(excerpt)
            say = self._message(chat, f"letter:{letter_id}", view)
        else:
            return
        await messaging.reserve(
            db,
            [say],
            vault=self.vault,
            now=now,
            wall=self.clock.wall(),
            actor=ACTOR,
            points_name=programme.points_name,
        )

    async def _receipts(
        self,
        db: Db,
        chat: Chat,
        letter_id: UUID,
        receipt_ids: list[UUID],
        programme: Programme,
        now: datetime,
    ) -> Outgoing:
        slot = f"letter:{letter_id}"
        await chats.show(db, [(chat, one, slot) for one in receipt_ids])
        told = await showing.telling(db, chat.member_id, receipt_ids)
        brand = programme.name or "Vezde"
        view = screens.receipts(told, brand=brand, zone=programme.zone, now=now)
        return self._message(chat, showing.key_of(slot, told), view, slot=slot)

    def _message(self, chat: Chat, key: str, view: View, *, slot: str | None = None) -> Outgoing:
        address = chat.opened(self.vault)
        return Outgoing(chat.member_id, chat.channel, key, Purpose.SERVICE, view, slot, address)
