"""A fact, a reaction, and the lane a fact waits in."""

import zlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

LANES = 64
# The stages that work the outbox, woken by their names.
HAND_OVER = "outbox.hand_over"
RETRY = "outbox.retry"


@dataclass(frozen=True, slots=True)
class FactRow:
    """What happened: `data` holds ids and numbers only, `kind` is like `purchase.recorded/1`.

    `subject` names what a fact without a member is about (an INN, a version).
    """

    id: UUID
    member_id: UUID | None
    subject: str | None
    kind: str
    occurred_at: datetime
    recorded_at: datetime
    data: dict[str, Any]


@dataclass(frozen=True)
class Reaction:
    """What one domain does about facts of these kinds; `name` is stored, so it must not change.

    `run(db, fact)` works in the transaction that hands the fact over (a `kit.db.Db`, not named
    here: a model imports no driver) and never commits. Whatever it raises undoes what it wrote,
    and only that; the fact is given to it again later.

    With `run_all` a reaction takes all facts in hand at once, each member's in their order; when
    that raises, they are given to `run` one by one.
    """

    name: str
    kinds: frozenset[str]
    run: Callable[[Any, FactRow], Awaitable[None]]
    run_all: Callable[[Any, Sequence[FactRow]], Awaitable[None]] | None = None


def by_the_batch(
    name: str, kinds: frozenset[str], run_all: Callable[[Any, Sequence[FactRow]], Awaitable[None]]
) -> Reaction:
    """A reaction that works many facts in a few statements, and one as a batch of one."""

    async def run(db: Any, fact: FactRow) -> None:
        await run_all(db, [fact])

    return Reaction(name, kinds, run, run_all)


def lane(fact: FactRow) -> int:
    """0..63, the same for every fact of a member, else of a subject, in every process.

    The last byte of a UUIDv7 is random, so members spread evenly.
    """
    if fact.member_id is not None:
        return fact.member_id.bytes[-1] % LANES
    return zlib.crc32((fact.subject or "").encode()) % LANES
