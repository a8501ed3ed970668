"""All there is in the fake Telegram, in memory and bounded; one lock guards it.

The HTTP server, the simulator and tests in other threads call the same functions: none awaits.
"""

import itertools
import json
import threading
import time
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from typing import Any

from vezde.testing.telegram.bell import Bell
from vezde.testing.telegram.faults import Faults, Limits
from vezde.testing.telegram.files import Files
from vezde.testing.telegram.model import JSON, Callback, Change, Chat, Message, Update, User
from vezde.testing.telegram.queue import Updates
from vezde.testing.telegram.statistics import Statistics

FIRST_UPDATE = 700_000_001
FIRST_USER = 500_000_001
FIRST_GROUP = -1_001_000_000_001

KEPT_MESSAGES = 200_000
KEPT_CHANGES = 20_000
KEPT_CALLS = 10_000
KEPT_CALLBACKS = 100_000
MOST_USERS = 200_000


@dataclass
class Webhook:
    """Where updates are posted instead; as getWebhookInfo tells it."""

    url: str
    secret_token: str = ""
    max_connections: int = 40
    ip_address: str = ""
    last_error_date: int | None = None
    last_error_message: str = ""
    delivered: int = 0
    failed: int = 0


@dataclass
class Bot:
    """A bot as its servers know it. `texts`: (method's subject, language) -> text."""

    id: int
    token: str
    username: str
    first_name: str
    bell: Bell
    reads_groups: bool = True
    updates: Updates = field(default_factory=lambda: Updates(FIRST_UPDATE))
    webhook: Webhook | None = None
    chats: dict[int, Chat] = field(default_factory=dict)
    callbacks: OrderedDict[str, Callback] = field(default_factory=OrderedDict)
    commands: dict[tuple[str, str], list[JSON]] = field(default_factory=dict)
    texts: dict[tuple[str, str], str] = field(default_factory=dict)
    menu_button: JSON = field(default_factory=lambda: {"type": "commands"})
    prepared: OrderedDict[str, JSON] = field(default_factory=OrderedDict)
    statistics: Statistics = field(default_factory=Statistics)
    limits: Limits = field(default_factory=Limits)
    next_message: int = 1
    polling: int = 0  # number of the getUpdates that waits; a newer one ends it

    def user(self) -> JSON:
        return {
            "id": self.id,
            "is_bot": True,
            "first_name": self.first_name,
            "username": self.username,
        }


@dataclass(frozen=True)
class Call:
    """A request of a bot as it came; `refusal` is the code it was refused with."""

    bot_id: int
    method: str
    params: JSON
    at: float
    refusal: int | None
    description: str = ""


class World:
    """Bots, people, chats, files, faults and the log of changes."""

    def __init__(self, start: int = 0) -> None:
        """`start`: where all numbers begin, so that a later life of a fake repeats none."""
        self.start = start
        self.lock = threading.RLock()
        self.bell = Bell(self.lock)
        self.callback_seconds = 60.0
        self.seq = start
        self.begin()

    def begin(self) -> None:
        """Empty it; bots, their settings and their webhooks go too."""
        with self.lock:
            self.bots: dict[str, Bot] = {}
            self.users: dict[int, User] = {}
            self.files = Files(self.start)
            self.faults = Faults()
            self.calls: deque[Call] = deque(maxlen=KEPT_CALLS)
            self.changes: deque[Change] = deque(maxlen=KEPT_CHANGES)
            self._history: deque[tuple[Chat, int]] = deque()
            self._numbers = itertools.count(self.start + 1)
            self.bell.ring()

    def forget_talk(self) -> None:
        """Forget people, chats, updates, files and faults; bots keep what they set and limits."""
        with self.lock:
            bots = list(self.bots.values())
            self.begin()
            for old in bots:
                bot = self.add_bot(old.token, username=old.username, first_name=old.first_name)
                bot.reads_groups, bot.webhook, bot.bell = old.reads_groups, old.webhook, old.bell
                bot.commands, bot.texts, bot.menu_button = old.commands, old.texts, old.menu_button
                bot.limits = Limits(
                    old.limits.enforced,
                    old.limits.per_second,
                    old.limits.chat_per_second,
                    old.limits.chat_burst,
                )
                # Ids go on, so that a bot which polls with an old offset misses nothing.
                bot.updates.next_id = old.updates.next_id
                bot.updates.allowed = old.updates.allowed
                bot.polling = old.polling
                bot.bell.ring()
            self.seq += 1  # what was seen before is gone: whoever follows changes reads anew
            self.bell.ring()

    def add_bot(self, token: str, *, username: str, first_name: str) -> Bot:
        with self.lock:
            bot = Bot(int(token.partition(":")[0]), token, username, first_name, Bell(self.lock))
            bot.updates.next_id = FIRST_UPDATE + self.start
            bot.next_message = self.start + 1
            self.bots[token] = bot
            return bot

    def add_user(self, first_name: str, *, user_id: int | None = None, **fields: Any) -> User:
        """A person; the id and the phone are made up when not given."""
        with self.lock:
            if len(self.users) >= MOST_USERS:
                raise ValueError(f"more than {MOST_USERS} people; reset the fake")
            number = self.number()
            made = user_id or FIRST_USER + number
            phone = fields.pop("phone", "") or f"+790{number - self.start:08d}"
            self.users[made] = User(made, first_name, phone, **fields)
            return self.users[made]

    def record(
        self, bot: Bot, method: str, params: JSON, refusal: int | None, description: str
    ) -> None:
        """Remember a request of a bot and count it."""
        self.calls.append(Call(bot.id, method, params, time.monotonic(), refusal, description))
        bot.statistics.asked(method, refusal)

    def number(self) -> int:
        return next(self._numbers)

    def private_chat(self, bot: Bot, user: User) -> Chat:
        with self.lock:
            chat = bot.chats.get(user.id)
            if chat is None:
                chat = bot.chats[user.id] = Chat(user.id, "private", "", user=user)
            return chat

    def add_group(self, bot: Bot, title: str, members: list[User]) -> Chat:
        with self.lock:
            chat = Chat(FIRST_GROUP - self.number(), "supergroup", title, members=members)
            chat.started = True
            bot.chats[chat.id] = chat
            return chat

    def post(
        self,
        bot: Bot,
        chat: Chat,
        *,
        sender: JSON,
        by_bot: bool,
        content: JSON,
        inline: list[list[JSON]] | None = None,
        reply_keyboard: JSON | None = None,
    ) -> Message:
        """A new message at the end of the chat."""
        message = Message(
            bot.next_message,
            chat,
            sender,
            by_bot,
            int(time.time()),
            content,
            inline,
            reply_keyboard,
        )
        bot.next_message += 1
        chat.messages[message.id] = message
        self._history.append((chat, message.id))
        if len(self._history) > KEPT_MESSAGES:
            old, gone = self._history.popleft()
            old.messages.pop(gone, None)
        self.log("message", chat, message)
        return message

    def log(
        self, kind: str, chat: Chat, message: Message | None = None, data: JSON | None = None
    ) -> None:
        self.seq += 1
        if message is not None:
            message.changed = self.seq
        self.changes.append(Change(self.seq, kind, chat, message, data or {}))
        self.bell.ring()

    def update(
        self,
        bot: Bot,
        kind: str,
        content: Any,
        *,
        chat: Chat | None = None,
        album: str | None = None,
        callback_id: str | None = None,
        whole: JSON | None = None,
    ) -> Update | None:
        """An update for the bot, None when it did not ask for this kind.

        `whole` is all of it but the id: for updates that Telegram would never send.
        """
        if whole is None and not bot.updates.wants(kind):
            return None
        number = bot.updates.take_id()
        body = json.dumps(
            {"update_id": number, **(whole if whole is not None else {kind: content})},
            ensure_ascii=False,
        )
        made = Update(
            number,
            kind,
            body,
            chat.id if chat else None,
            album,
            callback_id,
            created=time.monotonic(),
        )
        bot.statistics.created(made)
        bot.updates.add(made)
        bot.bell.ring()
        return made

    def add_callback(self, bot: Bot, callback: Callback) -> None:
        bot.callbacks[callback.id] = callback
        while len(bot.callbacks) > KEPT_CALLBACKS:
            bot.callbacks.popitem(last=False)

    def changes_since(self, seq: int) -> tuple[list[Change], bool]:
        """Changes after `seq`, and whether older ones among them were forgotten."""
        if seq >= self.seq:
            return [], False
        forgotten = bool(self.changes) and self.changes[0].seq > seq + 1
        count = min(self.seq - seq, len(self.changes))
        start = len(self.changes) - count
        return list(itertools.islice(self.changes, start, None)), forgotten or not self.changes
