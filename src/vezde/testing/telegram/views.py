"""Chats, messages and changes as the person sees them: what the page of the simulator shows."""

from vezde.testing.telegram.files import Files
from vezde.testing.telegram.model import JSON, Change, Chat, Message, User
from vezde.testing.telegram.world import Bot, World

SHOWN_AS_KEPT = (
    "text",
    "entities",
    "caption",
    "caption_entities",
    "contact",
    "media_group_id",
    "has_protected_content",
)


def message(world: World, one: Message) -> JSON:
    """`mine` is the person's own; photos and documents by address; buttons as given."""
    told: JSON = {
        "message_id": one.id,
        "chat_id": one.chat.id,
        "seq": one.changed,
        "date": one.date,
        "mine": not one.by_bot,
        "from": one.sender["first_name"],
    }
    if one.edited:
        told["edit_date"] = one.edited
    told |= {name: one.content[name] for name in SHOWN_AS_KEPT if name in one.content}
    if "photo" in one.content:
        largest = one.content["photo"][-1]
        told["photo"] = {
            "url": address(world.files, largest["file_id"]),
            "width": largest["width"],
            "height": largest["height"],
        }
    if "document" in one.content:
        document = one.content["document"]
        told["document"] = {
            "url": address(world.files, document["file_id"]),
            "name": document["file_name"],
            "size": document.get("file_size", 0),
        }
    if "reply_to_message" in one.content:
        told["reply_to"] = one.content["reply_to_message"]["message_id"]
    return told | ({"inline_keyboard": one.inline} if one.inline else {})


def chat(world: World, bot: Bot, one: Chat) -> JSON:
    """The whole chat; `seq` is where to go on with events."""
    return {
        "chat_id": one.id,
        "kind": one.kind,
        "title": one.title or bot.first_name,
        "bot": bot.username,
        "started": one.started,
        "blocked": one.blocked,
        "keyboard": one.keyboard,
        "menu_button": one.menu_button or bot.menu_button,
        "commands": commands(bot, one.user),
        "messages": [message(world, each) for each in one.messages.values()],
        "seq": world.seq,
    }


def commands(bot: Bot, user: User | None) -> list[JSON]:
    """What the menu lists: in the person's language, else the default ones."""
    language = user.language_code if user else ""
    for scope in ("all_private_chats::", "default::"):
        for spoken in (language, ""):
            if found := bot.commands.get((scope, spoken)):
                return found
    return []


def change(world: World, one: Change) -> JSON:
    told: JSON = {"seq": one.seq, "kind": one.kind, "chat_id": one.chat.id, **one.data}
    if one.message is not None and one.kind != "deleted":
        told["message"] = message(world, one.message)
    elif one.message is not None:
        told["message_id"] = one.message.id
    return told


def person(one: User) -> JSON:
    return one.api() | {"phone": one.phone, "deactivated": one.deactivated}


def bot(one: Bot) -> JSON:
    return {
        "id": one.id,
        "username": one.username,
        "first_name": one.texts.get(("name", "")) or one.first_name,
        "description": one.texts.get(("description", ""), ""),
        "pending": len(one.updates.pending),
        "webhook": one.webhook.url if one.webhook else "",
        "polling": bool(one.polling),
    }


def address(files: Files, file_id: str) -> str:
    """Where a browser gets the file: its own address, or the simulator's."""
    file = files.get(file_id)
    return file.url if file and file.url else f"/sim/files/{file_id}"
