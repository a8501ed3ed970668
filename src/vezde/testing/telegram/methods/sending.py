"""sendMessage, sendPhoto, sendDocument, sendMediaGroup, copyMessage, sendChatAction."""

from vezde.testing.telegram import actions
from vezde.testing.telegram.methods import contents
from vezde.testing.telegram.methods.request import Method, Request
from vezde.testing.telegram.model import JSON, Chat, Message, bad_request

ALBUM = range(2, 11)
ACTIONS = frozenset(
    {
        "typing",
        "upload_photo",
        "record_video",
        "upload_video",
        "record_voice",
        "upload_voice",
        "upload_document",
        "choose_sticker",
        "find_location",
        "record_video_note",
        "upload_video_note",
    }
)


def send_message(request: Request) -> JSON:
    chat = request.chat()
    return _sent(request, chat, contents.text(request)).api()


def send_photo(request: Request) -> JSON:
    chat = request.chat()
    content = contents.photo(request, request.params.get("photo"))
    return _sent(request, chat, content | contents.caption_of(request)).api()


def send_document(request: Request) -> JSON:
    chat = request.chat()
    content = contents.document(request, request.params.get("document"))
    return _sent(request, chat, content | contents.caption_of(request)).api()


def send_media_group(request: Request) -> list[JSON]:
    """An album of 2-10 photos or documents, not mixed; every message of it is answered."""
    chat = request.chat()
    items = [contents.media(request, one) for one in request.listed("media")]
    if len(items) not in ALBUM:
        raise bad_request("there must be 2-10 items in the album")
    if len({"photo" in item for item in items}) > 1:
        raise bad_request("can't use the media of the specified type in the album")
    request.bot.limits.check(chat.id, len(items))
    album = {"media_group_id": str(13_000_000_000_000_000 + request.world.number())}
    return [_posted(request, chat, album | item).api() for item in items]


def copy_message(request: Request) -> JSON:
    """A message of another chat again, without its origin; answers the new id."""
    chat = request.chat()
    source = request.bot.chats.get(request.integer("from_chat_id"))
    copied = source.messages.get(request.integer("message_id")) if source else None
    if copied is None:
        raise bad_request("message to copy not found")
    content = {
        name: value
        for name, value in copied.content.items()
        if name not in {"reply_to_message", "media_group_id"}
    }
    if "caption" in request.params:
        content = {
            name: value for name, value in content.items() if not name.startswith("caption")
        } | contents.caption_of(request)
    return {"message_id": _sent(request, chat, content).id}


def send_chat_action(request: Request) -> bool:
    chat = request.chat()
    action = request.required("action")
    if action not in ACTIONS:
        raise bad_request("wrong parameter action in request")
    request.world.log("action", chat, data={"action": action})
    return True


def _sent(request: Request, chat: Chat, content: JSON) -> Message:
    """Check markup, the answered message and limits, then post: a refusal leaves nothing."""
    markup = contents.markup(request)
    content = content | _answered(request, chat)
    request.bot.limits.check(chat.id)
    return _posted(request, chat, content, markup)


def _posted(
    request: Request, chat: Chat, content: JSON, markup: contents.Markup | None = None
) -> Message:
    inline = (markup or {}).get("inline_keyboard") or None
    message = request.world.post(
        request.bot,
        chat,
        sender=request.bot.user(),
        by_bot=True,
        content=content,
        inline=inline,
        reply_keyboard=markup if markup and "keyboard" in markup else None,
    )
    if markup and "keyboard" in markup:
        actions.show_keyboard(request.world, chat, markup, message)
    elif markup and markup.get("remove_keyboard"):
        actions.show_keyboard(request.world, chat, None)
    request.bot.statistics.answered(chat.id, request.method)
    return message


def _answered(request: Request, chat: Chat) -> JSON:
    """`reply_to_message`, and what else the options of a send put into the message."""
    parameters = request.json("reply_parameters") or {}
    number = parameters.get("message_id") or request.integer("reply_to_message_id")
    told: JSON = {}
    if request.flag("protect_content"):
        told["has_protected_content"] = True
    if request.text("message_effect_id"):
        told["effect_id"] = request.text("message_effect_id")
    if options := request.json("link_preview_options"):
        told["link_preview_options"] = options
    if not number:
        return told
    answered = chat.messages.get(int(number))
    if answered is not None:
        reply = answered.api()
        reply.pop("reply_to_message", None)
        return told | {"reply_to_message": reply}
    lenient = parameters.get("allow_sending_without_reply")
    if not (lenient or request.flag("allow_sending_without_reply")):
        raise bad_request("message to be replied not found")
    return told


METHODS: dict[str, Method] = {
    "sendmessage": send_message,
    "sendphoto": send_photo,
    "senddocument": send_document,
    "sendmediagroup": send_media_group,
    "copymessage": copy_message,
    "sendchataction": send_chat_action,
}
