"""What is sent to Telegram: methods and parameters (https://core.telegram.org/bots/api)."""

from typing import Any

from vezde.messaging.model import Button, Keyboard, Rendered

NO_PREVIEW = {"is_disabled": True}


def text(address: str, item: Rendered) -> tuple[str, dict[str, Any]]:
    """A message without a picture, new or edited."""
    params = _addressed(address, item) | {
        "text": item.text,
        "parse_mode": "HTML",
        "link_preview_options": NO_PREVIEW,
        **_markup(item),
    }
    return ("editMessageText" if item.edits else "sendMessage"), params


def photo(address: str, item: Rendered, source: str) -> tuple[str, dict[str, Any]]:
    """A message with a picture; `source` is a file's id or `attach://` a file of the form."""
    shown = {"caption": item.text, "parse_mode": "HTML"}
    params = _addressed(address, item) | _markup(item)
    if item.edits:
        return "editMessageMedia", params | {"media": {"type": "photo", "media": source, **shown}}
    return "sendPhoto", params | {"photo": source, **shown}


def removal(address: str, item: Rendered) -> tuple[str, dict[str, Any]]:
    """The message that was to be edited is taken away."""
    return "deleteMessage", _addressed(address, item)


def tap(item: Rendered) -> tuple[str, dict[str, Any]]:
    """The answer to a tap."""
    params = {"callback_query_id": item.answers}
    return "answerCallbackQuery", params | ({"text": item.text} if item.text else {})


def _addressed(address: str, item: Rendered) -> dict[str, Any]:
    params: dict[str, Any] = {"chat_id": address}
    return params | ({"message_id": int(item.edits)} if item.edits else {})


def _markup(item: Rendered) -> dict[str, Any]:
    """An edit without buttons takes those that were there away."""
    rows = [[_button(one, item.keyboard) for one in row] for row in item.buttons if row]
    if item.keyboard is Keyboard.REMOVE:
        return {"reply_markup": {"remove_keyboard": True}}
    if not rows:
        return {}
    if item.keyboard is Keyboard.INLINE:
        return {"reply_markup": {"inline_keyboard": rows}}
    once = any(button.contact for row in item.buttons for button in row)
    markup = {"keyboard": rows, "resize_keyboard": True, "one_time_keyboard": once}
    return {"reply_markup": markup}


def _button(button: Button, keyboard: Keyboard) -> dict[str, Any]:
    if keyboard is Keyboard.REPLY:
        return {"text": button.text} | ({"request_contact": True} if button.contact else {})
    if button.url is not None:
        return {"text": button.text, "url": button.url}
    return {"text": button.text, "callback_data": button.action}
