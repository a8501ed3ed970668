"""What every SMS gateway offers, and how it answers."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


@dataclass(frozen=True)
class Taken:
    """The gateway took it, so many segments for so many kopecks (None: it does not say)."""

    segments: int | None = None
    cost_kopecks: int | None = None


class Fate(StrEnum):
    """What an SMS that was not plainly taken comes to.

    `refused`: never. `later`: not now, ask again. `unreached`: the request never got there.
    `lost`: it may have been taken, ask for its status.
    """

    REFUSED = "refused"
    LATER = "later"
    UNREACHED = "unreached"
    LOST = "lost"


@dataclass(frozen=True)
class Untaken:
    """`reason` is a word that is kept: invalid_number, forbidden, no_balance, …"""

    fate: Fate
    reason: str


class Status(StrEnum):
    """Where an SMS is. `missing`: the gateway knows of none; `unsaid`: it did not say."""

    UNDERWAY = "underway"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    MISSING = "missing"
    UNSAID = "unsaid"


class Gateway(Protocol):
    """A gateway. Nothing here raises for what the gateway or the network does."""

    async def send(self, phone: str, text: str, sms_id: str) -> Taken | Untaken:
        """Send `text` to `phone` (E.164) under our own id; within 20 seconds."""
        ...

    async def status(self, phone: str, sms_id: str) -> tuple[Status, str | None]:
        """Where the SMS of this id is, and a word for why it was not delivered."""
        ...

    async def close(self) -> None: ...
