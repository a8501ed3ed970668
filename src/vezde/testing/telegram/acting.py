"""Acts of a person as the simulator gets them over HTTP: JSON, a form with files, or a picture."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import web

from vezde.testing.telegram import actions, views
from vezde.testing.telegram.files import File, Picture
from vezde.testing.telegram.model import JSON, Chat, Message, User
from vezde.testing.telegram.world import Bot, World


@dataclass
class Given:
    """Fields, and files as (name, content) in the order they came; `sizes` of pictures."""

    fields: JSON
    files: list[tuple[str, bytes]] = field(default_factory=list)
    sizes: list[list[Picture]] = field(default_factory=list)

    def text(self, name: str) -> str:
        return str(self.fields.get(name) or "")

    def number(self, name: str) -> int | None:
        return int(self.fields[name]) if self.fields.get(name) is not None else None


async def read(http: web.Request) -> Given:
    if http.content_type.startswith("image/"):
        return Given(dict(http.query), [("photo", await http.read())])
    if http.content_type.startswith("multipart/"):
        given = Given({})
        for name, value in (await http.post()).items():
            if isinstance(value, web.FileField):
                with value.file as file:
                    given.files.append((value.filename or name, file.read()))
            else:
                given.fields[name] = value
        return given
    fields = await http.json() if http.can_read_body else {}
    if not isinstance(fields, dict):
        raise TypeError("the body is to be a JSON object")
    return Given(fields)


async def prepare(world: World, given: Given) -> None:
    """Make the sizes of pictures, outside the lock; documents stay as they are."""
    if given.text("as") != "document":
        for _name, content in given.files:
            given.sizes.append(await asyncio.to_thread(world.files.sizes, content))


def _start(world: World, bot: Bot, user: User, given: Given) -> JSON:
    """/start, with the payload of a deep link."""
    text = f"/start {given.text('payload')}".strip()
    return _shown(world, actions.say(world, bot, user, text))


def _text(world: World, bot: Bot, user: User, given: Given) -> JSON:
    chat = _group(bot, given)
    said = actions.say(
        world, bot, user, given.text("text"), chat=chat, reply_to=given.number("reply_to")
    )
    return _shown(world, said)


def _photo(world: World, bot: Bot, user: User, given: Given) -> JSON:
    """One picture, or several as an album."""
    if len(given.sizes) > 1:
        return _album(world, bot, user, given)
    if not given.sizes:
        raise ValueError("photo: a picture as the body, or files of a form")
    caption = given.text("caption")
    shown = actions.show_photo(
        world, bot, user, given.sizes[0], caption=caption, chat=_group(bot, given)
    )
    return _shown(world, shown)


def _album(world: World, bot: Bot, user: User, given: Given) -> JSON:
    shown = actions.show_album(world, bot, user, given.sizes, caption=given.text("caption"))
    return {"messages": [_shown(world, one) for one in shown]}


def _document(world: World, bot: Bot, user: User, given: Given) -> JSON:
    """A file of a form with `as=document`, or `{"name": …, "size": …}` for one only talked of."""
    if given.files:
        name, content = given.files[0]
        file = world.files.add_document(content, name=name)
    else:
        file = _named(world, given)
    sent = actions.send_document(world, bot, user, file, caption=given.text("caption"))
    return _shown(world, sent)


def _contact(world: World, bot: Bot, user: User, given: Given) -> JSON:
    """The own contact; with `phone` any card, `user_id` only if given."""
    card = actions.own_contact(user)
    if phone := given.text("phone"):
        card = {"phone_number": phone, "first_name": given.text("first_name") or "Контакт"}
        if (number := given.number("user_id")) is not None:
            card["user_id"] = number
    return _shown(world, actions.give_contact(world, bot, user, card))


def _tap(world: World, bot: Bot, user: User, given: Given) -> JSON:
    """A button by its `text`; or `data` on `message_id`, be the message there or not."""
    if "data" in given.fields:
        made = actions.tap_data(
            world,
            bot,
            user,
            given.text("data"),
            message_id=given.number("message_id") or 0,
            accessible=not given.fields.get("inaccessible"),
        )
        return {"did": f"callback:{made.id}"}
    did = actions.tap(world, bot, user, given.text("text"), message_id=given.number("message_id"))
    return {"did": did}


def _edit(world: World, bot: Bot, user: User, given: Given) -> JSON:
    number = given.number("message_id") or 0
    return _shown(world, actions.edit(world, bot, user, number, given.text("text")))


def _block(world: World, bot: Bot, user: User, _given: Given) -> JSON:
    actions.block(world, bot, user)
    return {}


def _unblock(world: World, bot: Bot, user: User, _given: Given) -> JSON:
    actions.block(world, bot, user, blocked=False)
    return {}


def _named(world: World, given: Given) -> File:
    size = given.number("size")
    if size is None:
        raise ValueError("document: a file with as=document, or name and size")
    return world.files.add_document(None, name=given.text("name") or "file.bin", size=size)


def _group(bot: Bot, given: Given) -> Chat | None:
    number = given.number("chat_id")
    return bot.chats[number] if number is not None else None


def _shown(world: World, message: Message) -> JSON:
    return views.message(world, message)


ACTIONS: dict[str, Callable[[World, Bot, User, Given], JSON]] = {
    "start": _start,
    "text": _text,
    "photo": _photo,
    "album": _album,
    "document": _document,
    "contact": _contact,
    "tap": _tap,
    "edit": _edit,
    "block": _block,
    "unblock": _unblock,
}
