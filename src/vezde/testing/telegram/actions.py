"""What a person does in a chat with a bot, and the updates Telegram makes of it.

Called holding the world's lock; photos come as sizes, made before.
"""

import time
from collections.abc import Sequence
from typing import Any

from vezde.testing.telegram import formatting
from vezde.testing.telegram.files import File, Picture
from vezde.testing.telegram.model import JSON, Callback, Chat, Message, User
from vezde.testing.telegram.world import Bot, World


class NoSuchButton(Exception):
    """The person sees no button of this name; the message tells what is there."""


def say(
    world: World,
    bot: Bot,
    user: User,
    text: str,
    *,
    chat: Chat | None = None,
    reply_to: int | None = None,
) -> Message:
    """A text; commands, addresses and the like get their entities."""
    content = formatting.read(text).fields("text")
    return _said(world, bot, user, content, chat=chat, reply_to=reply_to)


def show_photo(
    world: World,
    bot: Bot,
    user: User,
    sizes: list[Picture],
    *,
    caption: str = "",
    chat: Chat | None = None,
) -> Message:
    content: JSON = {"photo": [one.api() for one in world.files.add_photo(sizes)]}
    content |= formatting.read(caption).fields("caption")
    return _said(world, bot, user, content, chat=chat)


def send_document(
    world: World,
    bot: Bot,
    user: User,
    document: File,
    *,
    caption: str = "",
    chat: Chat | None = None,
) -> Message:
    content = {"document": document.api(), **formatting.read(caption).fields("caption")}
    return _said(world, bot, user, content, chat=chat)


def show_album(
    world: World,
    bot: Bot,
    user: User,
    items: Sequence[list[Picture] | File],
    *,
    caption: str = "",
) -> list[Message]:
    """Photos or documents as one album: a message each, the caption on the first."""
    album = str(13_000_000_000_000_000 + world.number())
    messages: list[Message] = []
    for item in items:
        content: JSON = {"media_group_id": album}
        if isinstance(item, File):
            content["document"] = item.api()
        else:
            content["photo"] = [one.api() for one in world.files.add_photo(item)]
        if not messages:
            content |= formatting.read(caption).fields("caption")
        messages.append(_said(world, bot, user, content, album=album))
    return messages


def give_contact(world: World, bot: Bot, user: User, contact: JSON) -> Message:
    """A contact card as given; shared by the button it answers the message with the button."""
    chat = world.private_chat(bot, user)
    asked = chat.messages.get(chat.keyboard_message or 0)
    reply_to = asked.id if asked and _request_contact(chat) else None
    if _is_one_time(chat):
        _hide_keyboard(world, chat)
    return _said(world, bot, user, {"contact": contact}, reply_to=reply_to)


def own_contact(user: User) -> JSON:
    """As the contact button sends it: digits alone, with the sender's own id."""
    card = {"phone_number": user.phone.lstrip("+"), "first_name": user.first_name}
    if user.last_name:
        card["last_name"] = user.last_name
    return card | {"user_id": user.id}


def tap(world: World, bot: Bot, user: User, name: str, *, message_id: int | None = None) -> str:
    """Tap a button by its text, inline ones of the newest message first, then the keyboard's.

    Answers what it did: "callback:<id>", "text", "contact" or "url:<address>". Raises
    `NoSuchButton`.
    """
    chat = world.private_chat(bot, user)
    shown = sorted(chat.messages.values(), key=lambda one: one.id, reverse=True)
    for message in shown:
        if message_id is not None and message.id != message_id:
            continue
        for button in (button for row in message.inline or [] for button in row):
            if button["text"] == name:
                return _press(world, bot, user, message, button)
    if message_id is None and (key := _keyboard_button(chat, name)):
        return _press_key(world, bot, user, chat, key)
    raise NoSuchButton(f"no button {name!r}; there are: {', '.join(buttons(chat)) or 'none'}")


def tap_data(
    world: World,
    bot: Bot,
    user: User,
    data: str,
    *,
    message_id: int,
    chat: Chat | None = None,
    accessible: bool = True,
) -> Callback:
    """A tap with this data, be the message there or long gone.

    A message that is too old or deleted comes without contents and with date 0.
    """
    chat = chat or world.private_chat(bot, user)
    message = chat.messages.get(message_id)
    shown = (
        message.api()
        if message is not None and accessible
        else {"chat": chat.api(), "message_id": message_id, "date": 0}
    )
    number = world.number()
    made = Callback(
        f"4{bot.id % 1000:03d}{user.id}{number:06d}",
        user,
        chat,
        message_id,
        data,
        time.monotonic(),
    )
    world.add_callback(bot, made)
    query = {
        "id": made.id,
        "from": user.api(),
        "message": shown,
        "chat_instance": str(-chat.id * 7919),
        "data": data,
    }
    world.update(bot, "callback_query", query, chat=chat, callback_id=made.id)
    return made


def edit(world: World, bot: Bot, user: User, message_id: int, text: str) -> Message:
    """The person edits an own message: its text, or the caption."""
    message = world.private_chat(bot, user).messages[message_id]
    name = "text" if "text" in message.content else "caption"
    kept = {
        key: value
        for key, value in message.content.items()
        if key not in {name, "entities", "caption_entities"}
    }
    message.content = kept | formatting.read(text).fields(name)
    message.edited = int(time.time())
    world.log("edited", message.chat, message)
    world.update(bot, "edited_message", message.api(), chat=message.chat)
    return message


def block(world: World, bot: Bot, user: User, *, blocked: bool = True) -> None:
    """Block the bot, or unblock it: my_chat_member comes, and sends are refused while blocked."""
    chat = world.private_chat(bot, user)
    if chat.blocked == blocked:
        return
    chat.blocked = blocked
    chat.started = True
    world.log("blocked", chat, data={"blocked": blocked})
    states = ("member", "kicked") if blocked else ("kicked", "member")
    old, new = (
        {"user": bot.user(), "status": state} | ({"until_date": 0} if state == "kicked" else {})
        for state in states
    )
    member = {
        "chat": chat.api(),
        "from": user.api(),
        "date": int(time.time()),
        "old_chat_member": old,
        "new_chat_member": new,
    }
    world.update(bot, "my_chat_member", member, chat=chat)


def buttons(chat: Chat) -> list[str]:
    """Texts of all buttons to be seen, the keyboard's first, then from the newest message on."""
    named = [str(button["text"]) for row in _keyboard_rows(chat) for button in row]
    for message in sorted(chat.messages.values(), key=lambda one: one.id, reverse=True):
        named += [str(button["text"]) for row in message.inline or [] for button in row]
    return named


def _said(
    world: World,
    bot: Bot,
    user: User,
    content: JSON,
    *,
    chat: Chat | None = None,
    reply_to: int | None = None,
    album: str | None = None,
) -> Message:
    chat = chat or world.private_chat(bot, user)
    if chat.user is not None and chat.blocked:
        block(world, bot, user, blocked=False)
    chat.started = True
    if reply_to is not None and (answered := chat.messages.get(reply_to)):
        content = {**content, "reply_to_message": answered.api()}
        content["reply_to_message"].pop("reply_to_message", None)
    message = world.post(bot, chat, sender=user.api(), by_bot=False, content=content)
    if chat.user is not None or bot.reads_groups or _is_for_bot(bot, message):
        world.update(bot, "message", message.api(), chat=chat, album=album)
    return message


def _is_for_bot(bot: Bot, message: Message) -> bool:
    """What a bot in privacy mode gets of a group: commands, mentions and answers to it."""
    text = str(message.content.get("text", ""))
    answered = message.content.get("reply_to_message", {}).get("from", {}).get("id")
    return text.startswith("/") or f"@{bot.username}" in text or answered == bot.id


def _press(world: World, bot: Bot, user: User, message: Message, button: JSON) -> str:
    if "callback_data" in button:
        made = tap_data(world, bot, user, button["callback_data"], message_id=message.id)
        return f"callback:{made.id}"
    return f"url:{button.get('url') or button.get('web_app', {}).get('url', '')}"


def _press_key(world: World, bot: Bot, user: User, chat: Chat, button: JSON) -> str:
    if button.get("request_contact"):
        give_contact(world, bot, user, own_contact(user))
        return "contact"
    if "web_app" in button:
        return f"url:{button['web_app'].get('url', '')}"
    if _is_one_time(chat):
        _hide_keyboard(world, chat)
    say(world, bot, user, button["text"])
    return "text"


def _keyboard_rows(chat: Chat) -> list[list[JSON]]:
    rows: list[list[JSON]] = (chat.keyboard or {}).get("keyboard", [])
    return rows


def _keyboard_button(chat: Chat, name: str) -> JSON | None:
    found = (button for row in _keyboard_rows(chat) for button in row if button["text"] == name)
    return next(found, None)


def _request_contact(chat: Chat) -> bool:
    return any(button.get("request_contact") for row in _keyboard_rows(chat) for button in row)


def _is_one_time(chat: Chat) -> bool:
    return bool((chat.keyboard or {}).get("one_time_keyboard"))


def _hide_keyboard(world: World, chat: Chat) -> None:
    show_keyboard(world, chat, None)


def show_keyboard(
    world: World, chat: Chat, keyboard: dict[str, Any] | None, message: Message | None = None
) -> None:
    """The reply keyboard under the chat; None takes it away."""
    chat.keyboard = keyboard
    chat.keyboard_message = message.id if message else None
    world.log("keyboard", chat, data={"keyboard": keyboard})
