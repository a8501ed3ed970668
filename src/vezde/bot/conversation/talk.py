"""What an answer is made with: whose chat it is, what they agreed to, the programme, the clocks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from vezde.bot.chats import Chat
from vezde.bot.section import BotSection
from vezde.kit.db import Db
from vezde.kit.i18n import Locale
from vezde.kit.vault import Vault
from vezde.members import operations as members
from vezde.members.operations import Step
from vezde.messaging.model import Outgoing, Purpose, Tap, View
from vezde.program.model import Programme

PERSONAL_DATA, MARKETING = "personal_data", "marketing"


@dataclass(frozen=True)
class Talk:
    """One event's circumstances. `key` is the event's own, so what answers it is sent once.

    `phone`: whether the member has one; `unreachable`: whether they blocked the bot; `agreed`:
    purposes of their live consents; `own`: the programme's own words; `mail_domain`: where members'
    own addresses are, if there are any.
    """

    chat: Chat
    address: str = field(repr=False)
    bot: str
    key: str
    locale: Locale
    phone: bool
    unreachable: bool
    agreed: frozenset[str]
    programme: Programme
    section: BotSection
    own: Mapping[str, Any]
    steps: Sequence[Step]
    vault: Vault
    now: datetime
    wall: datetime
    mail_domain: str | None = None

    @property
    def member_id(self) -> UUID:
        return self.chat.member_id

    @property
    def actor(self) -> str:
        return f"member:{self.member_id}"

    @property
    def brand(self) -> str:
        return self.programme.name or "Vezde"

    def say(self, view: View, *, slot: str | None = None, key: str | None = None) -> Outgoing:
        """An answer in this chat; two with the same text to one event are one."""
        return Outgoing(
            self.member_id,
            self.chat.channel,
            key or f"{self.bot}/{self.key}/{view.text}",
            Purpose.REPLY,
            view,
            slot,
            self.address,
        )

    def tapped(self, callback_id: str, toast: str | None = None) -> Tap:
        return Tap(self.member_id, self.chat.channel, callback_id, toast)

    async def is_here(self, db: Db) -> None:
        """They wrote by themselves: whoever had blocked the bot can be written to again."""
        if self.unreachable:
            await members.mark_reachable(db, self.member_id, self.chat.channel, self.now)


@dataclass(frozen=True)
class Place:
    """Where a conversation is."""

    state: str
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """What to send; `hold`: keep the event until they consented, `let_go`: they did.

    `place` is where the conversation is now; None: where it was.
    """

    say: tuple[Outgoing | Tap, ...] = ()
    place: Place | None = None
    hold: bool = False
    let_go: bool = False
