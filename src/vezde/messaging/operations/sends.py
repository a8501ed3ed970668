"""A send on its way: in hand of a worker, and over."""

from dataclasses import dataclass, field
from uuid import UUID

from vezde.messaging.model import Rendered, State


@dataclass(frozen=True)
class Claimed:
    """A send in hand under `lease`, for this address; `main`: it is the member's main one.

    `crowded`: the chat got others within the last second. `revived`: they could not be reached
    before. `harmless`: it may be done twice.
    """

    member_id: UUID
    channel: str
    rank: int
    send_id: UUID
    slot: str | None
    attempts: int
    item: Rendered
    address: str = field(repr=False)
    lease: UUID
    main: bool = True
    crowded: bool = False
    revived: bool = False

    @property
    def harmless(self) -> bool:
        return self.item.edits is not None or self.item.answers is not None


@dataclass(frozen=True)
class Ended:
    """A send that is over, and how."""

    member_id: UUID
    channel: str
    rank: int
    send_id: UUID
    state: State
    reason: str | None = None
    message_id: str | None = None
