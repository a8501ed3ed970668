"""What every messenger offers the ledger of sends, and how it answers."""

from dataclasses import dataclass
from typing import Protocol

from vezde.messaging.model import Rendered


@dataclass(frozen=True)
class Delivered:
    """The messenger took it; `message_id` names it for later edits."""

    message_id: str | None


@dataclass(frozen=True)
class Refused:
    """The messenger will not take it, now or ever: blocked, chat_missing, bad_request, …

    «message_gone» of an edit: there is no such message any more, or it cannot be made into this.
    Reasons are kept: nothing personal in them.
    """

    reason: str


@dataclass(frozen=True)
class Later:
    """Too much for the messenger just now. `whole_channel`: for everybody, not this chat alone."""

    seconds: float
    whole_channel: bool = False


@dataclass(frozen=True)
class Unreached:
    """The request never got there, so it may be repeated without a doubt."""

    note: str


@dataclass(frozen=True)
class Lost:
    """The request went out and no answer came: it may have been done."""

    note: str


Answer = Delivered | Refused | Later | Unreached | Lost


class Transport(Protocol):
    """A messenger. `deliver` never raises for what a messenger or the network does."""

    name: str

    async def deliver(self, address: str, item: Rendered) -> Answer:
        """Send or edit a message, or answer a tap, at this address; within 30 seconds."""
        ...

    async def alive(self) -> bool:
        """Whether the messenger answers at all; asked after failures, before more is sent."""
        ...

    async def close(self) -> None: ...
