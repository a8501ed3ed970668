"""Views, outgoing messages, and what becomes of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID

from vezde.kit.errors import DomainError, Kind

MOST_ACTION_BYTES = 64  # Telegram's callback_data, the tightest of the messengers


class Purpose(StrEnum):
    """Why a message is sent; answers go before mailings."""

    REPLY = "reply"
    SERVICE = "service"
    MARKETING = "marketing"


RANK = {Purpose.REPLY: 0, Purpose.SERVICE: 1, Purpose.MARKETING: 2}
TAP_RANK = -1  # a tap's answer goes before everything and waits for nothing


class State(StrEnum):
    """What became of a send; the last four are final.

    `unknown`: it may have arrived, nobody can say, so it is not sent again. `superseded`: a newer
    text of its slot made it needless.
    """

    RESERVED = "reserved"
    SENDING = "sending"
    SENT = "sent"
    UNKNOWN = "unknown"
    REFUSED = "refused"
    SUPERSEDED = "superseded"


class Keyboard(StrEnum):
    """Where buttons stand: under the message, or instead of the phone's keys, or nowhere."""

    INLINE = "inline"
    REPLY = "reply"
    REMOVE = "remove"


@dataclass(frozen=True)
class Button:
    """`text` is a text key.

    Under a message: exactly one of `action` (1 to 64 bytes) and `url`. Instead of the phone's keys:
    `contact`, or none of the three, then the person says the button's text.
    """

    text: str
    action: str | None = None
    url: str | None = None
    contact: bool = False


@dataclass(frozen=True)
class View:
    """What a message says: a text key, its variables, buttons in rows, a shipped picture's name."""

    text: str
    variables: Mapping[str, Any] = field(default_factory=dict)
    buttons: tuple[tuple[Button, ...], ...] = ()
    keyboard: Keyboard = Keyboard.INLINE
    photo: str | None = None


@dataclass(frozen=True)
class Outgoing:
    """A message for a member; `key` is unique for the member: the same key again sends nothing.

    `address` is which of the member's accounts on the channel it goes to (the chat they write
    from); None: their main one.
    """

    member_id: UUID
    channel: str
    key: str
    purpose: Purpose
    view: View
    slot: str | None = None
    address: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Tap:
    """The answer to a tap on a button; `toast` is a text key shown for a moment."""

    member_id: UUID
    channel: str
    callback_id: str
    toast: str | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Rendered:
    """What a transport gets: the final text (HTML of b, i, a, code) and buttons, or a tap's answer.

    `edits` is the vendor's id of the message to change, None for a new one. What buttons say, and
    the text that answers a tap, is plain.
    """

    text: str = field(repr=False)
    buttons: tuple[tuple[Button, ...], ...] = ()
    keyboard: Keyboard = Keyboard.INLINE
    photo: str | None = None
    edits: str | None = None
    answers: str | None = None


class BadView(DomainError):
    """A message that no messenger would take."""

    code = "bad_view"
    kind = Kind.INVALID


class BadButton(BadView):
    code = "bad_button"


def check(view: View) -> None:
    """Raises `BadButton` for buttons that cannot stand where they are."""
    for button in (button for row in view.buttons for button in row):
        inline = view.keyboard is Keyboard.INLINE
        doors = [button.action is not None, button.url is not None]
        if view.keyboard is Keyboard.REMOVE:
            raise BadButton("A message that takes the keyboard away has no buttons.")
        if inline and (sum(doors) != 1 or button.contact):
            raise BadButton(f"The button «{button.text}» needs one of action and url.")
        if not inline and any(doors):
            raise BadButton(f"The button «{button.text}» of a reply keyboard only says its text.")
        if button.action is not None and not 0 < len(button.action.encode()) <= MOST_ACTION_BYTES:
            raise BadButton(f"The action of «{button.text}» has not 1 to 64 bytes.")
        if button.url is not None and not button.url.startswith(("https://", "http://", "tg://")):
            raise BadButton(f"The address of «{button.text}» is not one a messenger opens.")
