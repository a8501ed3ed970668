"""A person with a chat, for tests: acts, looks, waits.

`sees` looks at what the bot said or edited since the person's last own act, so a text from before
does not count; `since=0` looks at everything.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vezde.testing.telegram import actions
from vezde.testing.telegram.files import File
from vezde.testing.telegram.model import JSON, Chat, Message, User

if TYPE_CHECKING:
    from vezde.testing.telegram.fake import FakeTelegram


# How long a person looks at the chat before something is missing; on a busy machine it is long.
PATIENCE_SECONDS = 30.0


@dataclass(frozen=True)
class Seen:
    """A message as it stands; `text` is the caption where there is one."""

    id: int
    text: str
    mine: bool
    buttons: tuple[str, ...]
    edited: bool
    seq: int
    raw: JSON


class NotSeen(AssertionError):
    """What was waited for did not come; the message shows the chat."""


class Person:
    """One of the people of a `FakeTelegram`, in the private chat with its bot."""

    def __init__(self, fake: "FakeTelegram", user: User) -> None:
        self.fake = fake
        self.user = user
        self.acted = fake.world.seq  # number of the last change before the last own act

    @property
    def id(self) -> int:
        return self.user.id

    @property
    def chat(self) -> Chat:
        return self.fake.world.private_chat(self.fake.bot, self.user)

    @property
    def messages(self) -> list[Seen]:
        """The chat from the beginning, edits made, deleted ones gone."""
        with self.fake.world.lock:
            return [_seen(message) for message in self.chat.messages.values()]

    @property
    def answers(self) -> list[Seen]:
        """What the bot said or edited since the person's last act."""
        return [one for one in self.messages if not one.mine and one.seq > self.acted]

    @property
    def buttons(self) -> list[str]:
        """Everything that can be tapped, the reply keyboard first, then newest messages first."""
        with self.fake.world.lock:
            return actions.buttons(self.chat)

    @property
    def keyboard(self) -> list[list[str]]:
        """The reply keyboard's texts, row by row."""
        with self.fake.world.lock:
            rows: list[list[JSON]] = (self.chat.keyboard or {}).get("keyboard", [])
            return [[str(button["text"]) for button in row] for row in rows]

    @property
    def notices(self) -> list[str]:
        """Texts that answers to taps popped up, oldest first."""
        with self.fake.world.lock:
            callbacks = self.fake.bot.callbacks.values()
            answers = [one.answer for one in callbacks if one.user is self.user and one.answer]
            return [answer["text"] for answer in answers if answer["text"]]

    async def send(
        self, text: str, *, chat: Chat | None = None, reply_to: Seen | None = None
    ) -> Seen:
        """A text or a command, to the bot or into a group."""
        number = reply_to.id if reply_to else None
        return self._acts(actions.say, text, chat=chat, reply_to=number)

    async def start(self, payload: str = "") -> Seen:
        """/start, with the payload of a deep link."""
        return await self.send(f"/start {payload}".strip())

    async def photo(self, content: bytes, *, caption: str = "", chat: Chat | None = None) -> Seen:
        """A picture of any format; Telegram makes JPEGs of several sizes of it."""
        sizes = await asyncio.to_thread(self.fake.world.files.sizes, content)
        return self._acts(actions.show_photo, sizes, caption=caption, chat=chat)

    async def document(
        self, content: bytes | int, *, name: str = "receipt.pdf", caption: str = ""
    ) -> Seen:
        """A file; a number is the size of one that nobody needs to hold."""
        return self._acts(actions.send_document, self._file(content, name), caption=caption)

    async def album(self, contents: Sequence[bytes], *, caption: str = "") -> list[Seen]:
        """Pictures as one album."""
        files = self.fake.world.files
        sizes = [await asyncio.to_thread(files.sizes, content) for content in contents]
        with self.fake.world.lock:
            self.acted = self.fake.world.seq
            shown = actions.show_album(
                self.fake.world, self.fake.bot, self.user, sizes, caption=caption
            )
            return [_seen(one) for one in shown]

    async def contact(
        self, of: "Person | None" = None, *, phone: str = "", with_user_id: bool = True
    ) -> Seen:
        """The own contact, somebody else's, or a card of any phone from the address book."""
        card = actions.own_contact(of.user if of else self.user)
        if phone:
            card = {"phone_number": phone, "first_name": "Контакт", "user_id": self.id}
        if not with_user_id:
            del card["user_id"]
        return self._acts(actions.give_contact, card)

    async def tap(self, name: str, *, on: Seen | int | None = None) -> str:
        """Tap a button by its text, of the newest message that has it or of the one given.

        Answers "callback:<id>", "text", "contact" or "url:<address>"; raises `NoSuchButton`.
        """
        number = on.id if isinstance(on, Seen) else on
        with self.fake.world.lock:
            before = self.fake.world.seq
            did = actions.tap(self.fake.world, self.fake.bot, self.user, name, message_id=number)
            self.acted = before
            return did

    async def tap_data(self, data: str, *, message_id: int, accessible: bool = True) -> str:
        """A tap with this data on a message that may be gone or too old; the callback's id."""
        with self.fake.world.lock:
            self.acted = self.fake.world.seq
            made = actions.tap_data(
                self.fake.world,
                self.fake.bot,
                self.user,
                data,
                message_id=message_id,
                accessible=accessible,
            )
            return made.id

    async def edit(self, message: Seen, text: str) -> Seen:
        return self._acts(actions.edit, message.id, text)

    async def block(self) -> None:
        with self.fake.world.lock:
            actions.block(self.fake.world, self.fake.bot, self.user)

    async def unblock(self) -> None:
        with self.fake.world.lock:
            actions.block(self.fake.world, self.fake.bot, self.user, blocked=False)

    async def sees(
        self, *texts: str, within: float = PATIENCE_SECONDS, since: int | None = None
    ) -> Seen:
        """The first message of the bot that has all the texts; raises `NotSeen`."""

        def fits(one: Seen) -> bool:
            return all(text in one.text for text in texts)

        return await self.until(fits, " and ".join(texts), within=within, since=since)

    async def sees_button(self, name: str, *, within: float = PATIENCE_SECONDS) -> None:
        """Wait until there is such a button anywhere; raises `NotSeen`."""

        def look() -> bool | None:
            return name in actions.buttons(self.chat) or None

        if not await self.fake.world.bell.until(look, within):
            raise self._not_seen(f"button {name!r}", within)

    async def until(
        self,
        fits: Callable[[Seen], bool],
        what: str = "it",
        *,
        within: float = PATIENCE_SECONDS,
        since: int | None = None,
    ) -> Seen:
        """The first message of the bot that fits; raises `NotSeen`."""
        after = self.acted if since is None else since

        def look() -> Seen | None:
            shown = (_seen(one) for one in self.chat.messages.values() if one.by_bot)
            return next((one for one in shown if one.seq > after and fits(one)), None)

        found = await self.fake.world.bell.until(look, within)
        if found is None:
            raise self._not_seen(what, within)
        return found

    async def sees_nothing(self, *, within: float = 0.5) -> None:
        """The bot keeps silent that long; raises `NotSeen` with what it said."""
        count = len(self.answers)

        def look() -> bool | None:
            return len(self.answers) > count or None

        if count or await self.fake.world.bell.until(look, within):
            raise self._not_seen("silence", within)

    async def content(self, message: Seen) -> bytes:
        """Bytes of the largest size of the message's photo, or of its document."""
        one = message.raw.get("document") or message.raw["photo"][-1]
        file = self.fake.world.files.get(one["file_id"])
        if file is None or file.content is None:
            raise LookupError("the file is not kept here")
        return file.content

    def _acts(self, act: Callable[..., Message], *given: Any, **named: Any) -> Seen:
        with self.fake.world.lock:
            before = self.fake.world.seq
            message = act(self.fake.world, self.fake.bot, self.user, *given, **named)
            self.acted = before
            return _seen(message)

    def _file(self, content: bytes | int, name: str) -> File:
        files = self.fake.world.files
        with self.fake.world.lock:
            if isinstance(content, int):
                return files.add_document(None, name=name, size=content)
            return files.add_document(content, name=name)

    def _not_seen(self, what: str, within: float) -> NotSeen:
        lines = [
            f"{'<' if one.mine else '>'} {one.text!r} {list(one.buttons)}" for one in self.messages
        ]
        said = "\n".join(lines[-15:]) or "(nothing)"
        return NotSeen(
            f"{self.user.first_name} did not see {what} within {within} s. The chat:\n{said}"
        )


def _seen(message: Message) -> Seen:
    content = message.content
    return Seen(
        message.id,
        str(content.get("text") or content.get("caption") or ""),
        not message.by_bot,
        tuple(str(button["text"]) for row in message.inline or [] for button in row),
        message.edited is not None,
        message.changed,
        message.api(),
    )
