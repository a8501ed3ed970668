"""A send on its way: in hand of a worker, and over."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import LiteralString
from uuid import UUID

from vezde.messaging.model import Rendered, State

# Where the send that is `given` stands in the queue. One by one and in the order of one index, for
# any other way, planned while the queue was empty, reads all of it for each. A row keeps its place
# while it is locked.
PLACE: LiteralString = """
CROSS JOIN LATERAL (
    SELECT own.ctid FROM (
        SELECT queue.ctid, queue.send_id FROM messaging.queue
        WHERE queue.member_id = given.member_id
        ORDER BY queue.channel, queue.rank, queue.send_id
        OFFSET 0
    ) AS own
    WHERE own.send_id = given.send_id
    LIMIT 1
) AS place
"""


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


def keys(sends: Sequence[Claimed | Ended]) -> dict[str, list[UUID]]:
    """What `given` is made of, a column each."""
    return {
        "members": [one.member_id for one in sends],
        "sends": [one.send_id for one in sends],
    }
