"""Who and what there is: bots, users, chats, messages, updates; and Telegram's errors.

Contents of messages are kept as the Bot API gives them (https://core.telegram.org/bots/api).
"""

from dataclasses import dataclass, field
from typing import Any

JSON = dict[str, Any]
TOKEN = "7000000001:test-token-of-the-fake-telegram-0001"  # noqa: S105 -- opens nothing but this fake


class ApiError(Exception):
    """`{"ok": false, …}` with Telegram's own code and words."""

    def __init__(self, code: int, description: str, **parameters: Any) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = parameters

    def answer(self) -> JSON:
        told: JSON = {"ok": False, "error_code": self.code, "description": self.description}
        return told | ({"parameters": self.parameters} if self.parameters else {})


def bad_request(said: str) -> ApiError:
    return ApiError(400, f"Bad Request: {said}")


def forbidden(said: str) -> ApiError:
    return ApiError(403, f"Forbidden: {said}")


def too_many(seconds: int) -> ApiError:
    return ApiError(429, f"Too Many Requests: retry after {seconds}", retry_after=seconds)


@dataclass
class User:
    """A person in Telegram; the phone with `+`."""

    id: int
    first_name: str
    phone: str
    last_name: str = ""
    username: str = ""
    language_code: str = "ru"
    deactivated: bool = False

    def api(self) -> JSON:
        return _filled(
            {
                "id": self.id,
                "is_bot": False,
                "first_name": self.first_name,
                "last_name": self.last_name,
                "username": self.username,
                "language_code": self.language_code,
            }
        )


@dataclass
class Chat:
    """What one bot and its people say to each other; `keyboard` is the reply keyboard shown."""

    id: int
    kind: str  # private, supergroup
    title: str
    user: User | None = None
    members: list[User] = field(default_factory=list)
    messages: "dict[int, Message]" = field(default_factory=dict)
    keyboard: JSON | None = None
    keyboard_message: int | None = None
    menu_button: JSON | None = None
    started: bool = False
    blocked: bool = False

    def api(self) -> JSON:
        if self.user is None:
            return {"id": self.id, "title": self.title, "type": self.kind}
        told = self.user.api()
        names: JSON = {
            name: told[name] for name in ("first_name", "last_name", "username") if name in told
        }
        return {"id": self.id, **names, "type": self.kind}


@dataclass
class Message:
    """`content`: text and entities, or photo, document, contact … and a caption.

    `changed` is the number of its last change in the log of changes.
    """

    id: int
    chat: Chat
    sender: JSON
    by_bot: bool
    date: int
    content: JSON
    inline: list[list[JSON]] | None = None
    reply_keyboard: JSON | None = None
    edited: int | None = None
    changed: int = 0

    def api(self) -> JSON:
        told = {
            "message_id": self.id,
            "from": self.sender,
            "chat": self.chat.api(),
            "date": self.date,
        }
        if self.edited:
            told["edit_date"] = self.edited
        told |= self.content
        if self.inline:
            told["reply_markup"] = {"inline_keyboard": self.inline}
        return told


@dataclass
class Update:
    """One update as it goes out; `owed` ones are handed out once more whatever was confirmed."""

    id: int
    kind: str
    body: str  # JSON text of the whole update
    chat_id: int | None = None
    album: str | None = None
    callback_id: str | None = None
    owed: bool = False
    created: float = 0.0


@dataclass
class Callback:
    """A tap on an inline button; Telegram takes one answer, for a while."""

    id: str
    user: User
    chat: Chat
    message_id: int
    data: str
    at: float
    answer: JSON | None = None


@dataclass(frozen=True)
class Change:
    """Something the page of a chat shows; a message is shown as it is when it is read."""

    seq: int
    kind: str  # message, edited, deleted, keyboard, answered, action, blocked, chat
    chat: Chat
    message: Message | None = None
    data: JSON = field(default_factory=dict)


def _filled(told: JSON) -> JSON:
    return {name: value for name, value in told.items() if value != ""}
