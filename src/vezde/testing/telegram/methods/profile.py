"""The bot's own profile and what it may ask of others: getMe, getChat, commands, menu, files …"""

import re
import time
from functools import partial

from vezde.testing.telegram.files import DOWNLOAD_LIMIT
from vezde.testing.telegram.methods.request import Method, Request
from vezde.testing.telegram.model import JSON, bad_request

COMMAND = re.compile(r"[a-z0-9_]{1,32}")
COMMANDS_LIMIT = 100
DESCRIPTION_LIMIT = 256
# Subject of set…/get… -> field and most letters.
TEXTS = {"name": 64, "description": 512, "short_description": 120}
PREPARED_SECONDS = 86_400
KEPT_PREPARED = 10_000
RESULTS = frozenset(
    {"article", "photo", "gif", "mpeg4_gif", "video", "audio", "voice", "document", "location",
     "venue", "contact", "game", "sticker"}
)  # fmt: skip


def get_me(request: Request) -> JSON:
    return request.bot.user() | {
        "can_join_groups": True,
        "can_read_all_group_messages": request.bot.reads_groups,
        "supports_inline_queries": False,
        "can_connect_to_business": False,
        "has_main_web_app": False,
    }


def get_chat(request: Request) -> JSON:
    chat = request.chat()
    return chat.api() | {
        "accent_color_id": 0,
        "max_reaction_count": 11,
        "accepted_gift_types": {
            "unlimited_gifts": False,
            "limited_gifts": False,
            "unique_gifts": False,
            "premium_subscription": False,
            "gifts_from_channels": False,
        },
    }


def get_file(request: Request) -> JSON:
    """A path to download from, for files up to 20 MB."""
    file = request.world.files.get(request.text("file_id"))
    if not request.text("file_id"):
        raise bad_request("file_id not specified")
    if file is None:
        raise bad_request("invalid file_id")
    if file.size > DOWNLOAD_LIMIT:
        raise bad_request("file is too big")
    if file.content is None:
        raise bad_request("wrong file_id or the file is temporarily unavailable")
    told = file.api()
    names = ("file_id", "file_unique_id", "file_size")
    return {name: told[name] for name in names if name in told} | {"file_path": file.path}


def set_commands(request: Request) -> bool:
    commands = request.listed("commands")
    if len(commands) > COMMANDS_LIMIT:
        raise bad_request("BOT_COMMANDS_TOO_MUCH")
    for command in commands:
        if not COMMAND.fullmatch(str(command.get("command", "")).removeprefix("/")):
            raise bad_request("BOT_COMMAND_INVALID")
        if not 1 <= len(str(command.get("description", ""))) <= DESCRIPTION_LIMIT:
            raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
    request.bot.commands[_scope(request)] = [
        {"command": one["command"].removeprefix("/"), "description": one["description"]}
        for one in commands
    ]
    return True


def get_commands(request: Request) -> list[JSON]:
    return request.bot.commands.get(_scope(request), [])


def delete_commands(request: Request) -> bool:
    request.bot.commands.pop(_scope(request), None)
    return True


def set_menu_button(request: Request) -> bool:
    """For one private chat, or for all that have none of their own."""
    button = request.json("menu_button") or {"type": "default"}
    if not isinstance(button, dict) or button.get("type") not in {"default", "commands", "web_app"}:
        raise bad_request("can't parse menu button: MenuButton has unsupported type")
    if button["type"] == "web_app" and not (button.get("text") and button.get("web_app")):
        raise bad_request("can't parse menu button: Can't find field \"web_app\"")
    if request.text("chat_id"):
        chat = request.chat()
        chat.menu_button = None if button["type"] == "default" else button
        request.world.log("chat", chat)
    else:
        request.bot.menu_button = {"type": "commands"} if button["type"] == "default" else button
    return True


def get_menu_button(request: Request) -> JSON:
    if request.text("chat_id") and (own := request.chat().menu_button):
        return own
    return request.bot.menu_button


def set_text(request: Request, *, subject: str) -> bool:
    value = request.text(subject)
    if len(value) > TEXTS[subject]:
        raise bad_request(f"{subject.upper()}_TOO_LONG")
    request.bot.texts[subject, request.text("language_code")] = value
    return True


def get_text(request: Request, *, subject: str) -> JSON:
    texts = request.bot.texts
    fallback = request.bot.first_name if subject == "name" else ""
    value = texts.get((subject, request.text("language_code"))) or texts.get((subject, ""))
    return {subject: value or fallback}


def save_prepared_message(request: Request) -> JSON:
    """A message that the person may share from the mini app; it is the person's, for a day."""
    if request.integer("user_id") not in request.world.users:
        raise bad_request("USER_ID_INVALID")
    result = request.json("result")
    if not isinstance(result, dict) or result.get("type") not in RESULTS or not result.get("id"):
        raise bad_request("can't parse inline query result")
    number = f"{request.bot.id}_{request.world.number()}"
    request.bot.prepared[number] = {"user_id": request.integer("user_id"), "result": result}
    while len(request.bot.prepared) > KEPT_PREPARED:
        request.bot.prepared.popitem(last=False)
    return {"id": number, "expiration_date": int(time.time()) + PREPARED_SECONDS}


def leave_chat(request: Request) -> bool:
    chat = request.chat()
    if chat.user is not None:
        raise bad_request("chat member status can't be changed in private chats")
    chat.blocked = True
    return True


def do_nothing(_request: Request) -> bool:
    """What logOut and close do: the fake goes on."""
    return True


def _scope(request: Request) -> tuple[str, str]:
    scope = request.json("scope") or {"type": "default"}
    parts = (str(scope.get(name, "")) for name in ("type", "chat_id", "user_id"))
    return ":".join(parts), request.text("language_code")


METHODS: dict[str, Method] = {
    "getme": get_me,
    "getchat": get_chat,
    "getfile": get_file,
    "setmycommands": set_commands,
    "getmycommands": get_commands,
    "deletemycommands": delete_commands,
    "setchatmenubutton": set_menu_button,
    "getchatmenubutton": get_menu_button,
    "savepreparedinlinemessage": save_prepared_message,
    "leavechat": leave_chat,
    "logout": do_nothing,
    "close": do_nothing,
    **{
        f"{verb}my{subject.replace('_', '')}": partial(function, subject=subject)
        for verb, function in (("set", set_text), ("get", get_text))
        for subject in TEXTS
    },
}
