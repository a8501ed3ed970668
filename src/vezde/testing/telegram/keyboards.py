"""Reply markup, refused where Telegram refuses it.

https://core.telegram.org/bots/api#inlinekeyboardmarkup; words of refusals: telegram-bot-api's
`get_reply_markup` and the errors of the servers behind it.
"""

from typing import Any

from vezde.testing.telegram.model import bad_request

CALLBACK_BYTES = 64
BUTTONS_LIMIT = 100
INLINE_ACTIONS = (
    "url",
    "callback_data",
    "web_app",
    "login_url",
    "switch_inline_query",
    "switch_inline_query_current_chat",
    "switch_inline_query_chosen_chat",
    "copy_text",
    "callback_game",
    "pay",
)

Rows = list[list[dict[str, Any]]]


def read(markup: Any) -> dict[str, Any] | None:
    """The markup checked: an inline keyboard, a reply keyboard, its removal, a forced reply.

    None for none. Raises `ApiError`.
    """
    if markup is None or markup == "":
        return None
    if not isinstance(markup, dict):
        raise bad_request("object expected as reply markup")
    if "inline_keyboard" in markup:
        rows = [[_inline(button) for button in row] for row in _rows(markup, "inline_keyboard")]
        return {"inline_keyboard": _bounded(rows)}
    if "keyboard" in markup:
        keyboard = [[_reply(button) for button in row] for row in _rows(markup, "keyboard")]
        if not any(keyboard):
            raise bad_request("reply markup is empty")
        return markup | {"keyboard": _bounded(keyboard)}
    if markup.get("remove_keyboard") or markup.get("force_reply"):
        return markup
    return None


def _rows(markup: dict[str, Any], name: str) -> list[list[Any]]:
    rows = markup[name]
    if not isinstance(rows, list) or any(not isinstance(row, list) for row in rows):
        of = " of the InlineKeyboardMarkup" if name == "inline_keyboard" else ""
        raise bad_request(f'field "{name}"{of} must be an Array of Arrays')
    return rows


def _bounded(rows: Rows) -> Rows:
    kept = [row for row in rows if row]
    if sum(len(row) for row in kept) > BUTTONS_LIMIT:
        raise bad_request("reply markup is too long")
    return kept


def _inline(button: Any) -> dict[str, Any]:
    said = "can't parse inline keyboard button: "
    if not isinstance(button, dict):
        raise bad_request(f"{said}InlineKeyboardButton must be an Object")
    _text(button, said)
    action = next((name for name in INLINE_ACTIONS if name in button and button[name] != ""), None)
    if action is None:
        raise bad_request(f"{said}Text buttons are unallowed in the inline keyboard")
    value = button[action]
    if action == "callback_data" and len(str(value).encode()) > CALLBACK_BYTES:
        raise bad_request("BUTTON_DATA_INVALID")
    if action == "url" and not _is_address(str(value)):
        raise bad_request(f"inline keyboard button URL '{value}' is invalid: Wrong HTTP URL")
    # The real one takes https alone, but for its test servers; on loopback there is no TLS.
    if action == "web_app" and not str(_url(value)).startswith(("https://", "http://127.0.0.1")):
        raise bad_request(
            f"inline keyboard button Web App URL '{_url(value)}' is invalid: "
            "Only HTTPS links are allowed"
        )
    return button


def _reply(button: Any) -> dict[str, Any]:
    if isinstance(button, str):
        button = {"text": button}
    if not isinstance(button, dict):
        raise bad_request(
            "can't parse keyboard button: KeyboardButton must be a String or an Object"
        )
    _text(button, "can't parse keyboard button: ")
    return button


def _text(button: dict[str, Any], said: str) -> None:
    if not isinstance(button.get("text"), str):
        raise bad_request(f'{said}Can\'t find field "text"')
    if not button["text"].strip():
        raise bad_request("text buttons must be non-empty")


def _is_address(url: str) -> bool:
    named = url.removeprefix("https://").removeprefix("http://").split("/")[0]
    return url.startswith("tg://") or "." in named


def _url(value: Any) -> Any:
    return value.get("url", "") if isinstance(value, dict) else ""
