"""editMessage…, deleteMessage(s), answerCallbackQuery."""

import time
from typing import Any

from vezde.testing.telegram.methods import contents
from vezde.testing.telegram.methods.request import Method, Request
from vezde.testing.telegram.model import JSON, Message, bad_request

NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same "
    "as a current content and reply markup of the message"
)
TOO_OLD = "query is too old and response timeout expired or query ID is invalid"
ANSWER_LIMIT = 200
DELETE_LIMIT = 100


def edit_text(request: Request) -> JSON:
    message = _editable(request)
    if "text" not in message.content:
        raise bad_request("there is no text in the message to edit")
    content = _without(message.content, "text", "entities", "link_preview_options")
    if options := request.json("link_preview_options"):
        content["link_preview_options"] = options
    return _edited(request, message, content | contents.text(request))


def edit_caption(request: Request) -> JSON:
    message = _editable(request)
    if not {"photo", "document"} & set(message.content):
        raise bad_request("there is no caption in the message to edit")
    kept = _without(message.content, "caption", "caption_entities")
    return _edited(request, message, kept | contents.caption_of(request))


def edit_media(request: Request) -> JSON:
    message = _editable(request)
    given = request.json("media")
    if given is None:
        raise bad_request("there is no media in the request")
    old = ("text", "entities", "photo", "document", "caption", "caption_entities")
    return _edited(
        request, message, _without(message.content, *old) | contents.media(request, given)
    )


def edit_markup(request: Request) -> JSON:
    message = _editable(request)
    return _edited(request, message, message.content)


def delete_message(request: Request) -> bool:
    _delete(request, request.message("message to delete"))
    return True


def delete_messages(request: Request) -> bool:
    """Those that are there; the rest are skipped, as the vendor does."""
    chat = request.chat()
    numbers = request.listed("message_ids")
    if not numbers:
        raise bad_request("message identifiers are not specified")
    if len(numbers) > DELETE_LIMIT:
        raise bad_request("too many message identifiers specified")
    for number in numbers:
        if message := chat.messages.get(int(number)):
            _delete(request, message)
    return True


def answer_callback(request: Request) -> bool:
    """One answer a tap, within the time Telegram waits."""
    callback = request.bot.callbacks.get(request.text("callback_query_id"))
    waits = request.world.callback_seconds
    if callback is None or callback.answer is not None or time.monotonic() > callback.at + waits:
        raise bad_request(TOO_OLD)
    if len(request.text("text")) > ANSWER_LIMIT:
        raise bad_request("MESSAGE_TOO_LONG")
    callback.answer = {
        "text": request.text("text"),
        "show_alert": request.flag("show_alert"),
        "url": request.text("url"),
    }
    request.bot.statistics.answered(callback.chat.id, request.method, callback_id=callback.id)
    told = callback.answer | {"callback_id": callback.id, "message_id": callback.message_id}
    request.world.log("answered", callback.chat, data=told)
    return True


def _editable(request: Request) -> Message:
    """The bot's own message. Raises `ApiError`, also for one with a reply keyboard."""
    message = request.message("message to edit")
    if not message.by_bot or message.reply_keyboard is not None:
        raise bad_request("message can't be edited")
    return message


def _edited(request: Request, message: Message, content: JSON) -> JSON:
    inline = contents.inline_only(request)
    if _comparable(content) == _comparable(message.content) and inline == message.inline:
        raise bad_request(NOT_MODIFIED)
    request.bot.limits.check(message.chat.id)
    message.content, message.inline = content, inline
    message.edited = int(time.time())
    request.world.log("edited", message.chat, message)
    request.bot.statistics.answered(message.chat.id, request.method)
    return message.api()


def _comparable(content: JSON) -> Any:
    """What is compared: a preview of a link alone is no change."""
    return _without(content, "link_preview_options")


def _delete(request: Request, message: Message) -> None:
    del message.chat.messages[message.id]
    request.world.log("deleted", message.chat, message)


def _without(content: JSON, *names: str) -> JSON:
    return {name: value for name, value in content.items() if name not in names}


METHODS: dict[str, Method] = {
    "editmessagetext": edit_text,
    "editmessagecaption": edit_caption,
    "editmessagemedia": edit_media,
    "editmessagereplymarkup": edit_markup,
    "deletemessage": delete_message,
    "deletemessages": delete_messages,
    "answercallbackquery": answer_callback,
}
