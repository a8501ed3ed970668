"""Receipts that came to a member's own address: told in their chat as if shown there."""

from datetime import datetime
from uuid import UUID

from vezde.bot import chats, telling
from vezde.bot.chats import Chat
from vezde.bot.conversation import screens, showing
from vezde.bot.telling import Voice
from vezde.kit.db import Db
from vezde.members import operations as members
from vezde.members import queries as member_queries
from vezde.messaging.model import Outgoing
from vezde.outbox.model import FactRow, Reaction
from vezde.program import queries as program
from vezde.program.model import Programme
from vezde.receipts.mailing import operations as mailing

KINDS = frozenset({mailing.READ})
ACTOR = "system"


class Caller(Voice):
    """Tells of letters that were read."""

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
        chat = await telling.chat_of(db, member_id)
        if chat is None:
            return
        now = await self.clock.programme(db)
        programme = (await program.programmes(db)).at(now)
        receipt_ids = [UUID(one) for one in fact.data["receipt_ids"]]
        if receipt_ids:
            say = await self._receipts(db, chat, letter_id, receipt_ids, programme, now)
        elif excerpt is not None:
            view = screens.confirmation(excerpt)
            say = self.message(chat, f"letter:{letter_id}", view)
        else:
            return
        await self.say(db, [say], programme, now=now)

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
        return self.message(chat, showing.key_of(slot, told), view, slot=slot)
