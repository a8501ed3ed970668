"""What people do in a chat, free of any messenger."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Started:
    """They opened the chat, perhaps by a link that carries a payload."""

    payload: str | None = None


@dataclass(frozen=True)
class Said:
    text: str = field(repr=False)


@dataclass(frozen=True)
class Sent:
    """A picture or a file; `album` is common to those sent at once."""

    file_id: str = field(repr=False)
    size: int | None = None
    album: str | None = None


@dataclass(frozen=True)
class Shared:
    """A contact; `own`: the messenger says that it is the writer's."""

    phone: str = field(repr=False)
    own: bool


@dataclass(frozen=True)
class Tapped:
    action: str
    callback_id: str


@dataclass(frozen=True)
class Left:
    """They blocked the bot."""


@dataclass(frozen=True)
class Returned:
    """They unblocked it."""


@dataclass(frozen=True)
class Flooded:
    """They did more than is worked; the rest was dropped."""


@dataclass(frozen=True)
class Other:
    """A sticker, a voice message, …"""


Event = Started | Said | Sent | Shared | Tapped | Left | Returned | Flooded | Other


@dataclass(frozen=True)
class Incoming:
    """An event with who did it: their account's id and language at the messenger."""

    address: str = field(repr=False)
    language: str | None
    event: Event
