"""Telling people something that they did not ask for just now: where, and by which message."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from vezde.bot import chats
from vezde.bot.chats import Chat
from vezde.bot.conversation.talk import PERSONAL_DATA
from vezde.kit.clock import Clock
from vezde.kit.db import Db
from vezde.kit.vault import Vault
from vezde.members import queries as members
from vezde.messaging import operations as messaging
from vezde.messaging.model import Outgoing, Purpose, View
from vezde.program.model import Programme

ACTOR = "system"


async def chat_of(db: Db, member_id: UUID) -> Chat | None:
    """Where a member may be told something; None: no chat, or the consent was withdrawn."""
    known = await chats.of_member(db, member_id)
    if not known:
        return None
    chat = known[0]
    agreed = await members.agreed(db, [member_id], purpose=PERSONAL_DATA, channel=chat.channel)
    return chat if agreed else None


@dataclass(frozen=True)
class Voice:
    """Whoever tells people something in their chats."""

    vault: Vault
    clock: Clock

    def message(
        self,
        chat: Chat,
        key: str,
        view: View,
        *,
        slot: str | None = None,
        purpose: Purpose = Purpose.SERVICE,
    ) -> Outgoing:
        """A message to that chat; the same key of a member is told once."""
        address = chat.opened(self.vault)
        return Outgoing(chat.member_id, chat.channel, key, purpose, view, slot, address)

    async def say(
        self, db: Db, messages: Sequence[Outgoing], programme: Programme, *, now: datetime
    ) -> None:
        """Reserve them, in the words of that programme."""
        await messaging.reserve(
            db,
            messages,
            vault=self.vault,
            now=now,
            wall=self.clock.wall(),
            actor=ACTOR,
            points_name=programme.points_name,
        )
