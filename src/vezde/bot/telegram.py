"""Telegram's updates (core.telegram.org/bots/api#update): what is taken, and what each means."""

from collections.abc import Mapping
from typing import Any

from vezde.bot.inbox import Fate, Update
from vezde.bot.model import (
    Event,
    Flooded,
    Incoming,
    Left,
    Other,
    Returned,
    Said,
    Sent,
    Shared,
    Started,
    Tapped,
)

CHANNEL = "telegram"
# What the bot asks for; edits and groups are not its business.
ALLOWED = ("message", "callback_query", "my_chat_member")
MOST_PAYLOAD = 64  # core.telegram.org/bots/features#deep-linking

Raw = Mapping[str, Any]


def received(raw: Any) -> Update | None:
    """How an update goes into the inbox; None when it has no id to know it by."""
    number = raw.get("update_id") if isinstance(raw, dict) else None
    if not isinstance(number, int):
        return None
    key = str(number)
    known = next((kind for kind in ALLOWED if isinstance(raw.get(kind), dict)), None)
    if known is None:
        return Update(key, Fate.IGNORED)
    try:
        chat, who = _chat_and_sender(known, raw[known])
    except (KeyError, TypeError, AttributeError):
        return Update(key, Fate.MALFORMED)
    if not _is_id(chat.get("id")) or not _is_id(who.get("id")):
        return Update(key, Fate.MALFORMED)
    if chat.get("type") != "private" or who.get("is_bot") or chat["id"] != who["id"]:
        return Update(key, Fate.IGNORED)
    return Update(key, Fate.TAKEN, str(chat["id"]), {known: raw[known]})


def meaning(payload: Raw) -> Incoming:
    """What a taken update says; whatever is odd in it is `Other`."""
    if payload.get("flooded"):
        return Incoming(*_who(payload["of"]), Flooded())
    kind = next(kind for kind in ALLOWED if kind in payload)
    read = {"message": _message, "callback_query": _tap, "my_chat_member": _membership}[kind]
    try:
        event = read(payload[kind])
    except (KeyError, TypeError, AttributeError, ValueError, IndexError):
        event = Other()
    return Incoming(*_who(payload), event)


def _chat_and_sender(kind: str, raw: Raw) -> tuple[Raw, Raw]:
    if kind == "callback_query":
        message = raw.get("message")
        # A message too old to be shown still names its chat; one by inline mode has none.
        chat = message["chat"] if message else {"id": raw["from"]["id"], "type": "private"}
        return chat, raw["from"]
    return raw["chat"], raw["from"]


def _is_id(number: Any) -> bool:
    return isinstance(number, int) and not isinstance(number, bool) and number > 0


def _who(payload: Raw) -> tuple[str, str | None]:
    kind = next(kind for kind in ALLOWED if kind in payload)
    sender = payload[kind]["from"]
    language = sender.get("language_code")
    return str(sender["id"]), language if isinstance(language, str) else None


def _message(message: Raw) -> Event:
    if "contact" in message:
        card = message["contact"]
        own = card.get("user_id") == message["from"]["id"]
        return Shared(str(card["phone_number"]), own)
    if "photo" in message:
        largest = max(message["photo"], key=lambda size: int(size["width"]) * int(size["height"]))
        return _file(largest, message)
    if "document" in message:
        return _file(message["document"], message)
    text = message.get("text")
    if not isinstance(text, str) or not text.strip():
        return Other()
    command, _, rest = text.strip().partition(" ")
    if command.partition("@")[0] == "/start":
        return Started(rest.strip()[:MOST_PAYLOAD] or None)
    return Said(text.strip())


def _file(file: Raw, message: Raw) -> Sent:
    size = file.get("file_size")
    album = message.get("media_group_id")
    return Sent(
        str(file["file_id"]),
        size if isinstance(size, int) else None,
        str(album)[:40] if album is not None else None,
    )


def _tap(query: Raw) -> Event:
    return Tapped(str(query["data"]), str(query["id"]))


def _membership(change: Raw) -> Event:
    status = change["new_chat_member"]["status"]
    return Left() if status in {"kicked", "left"} else Returned()
