"""What each domain does with its rows of a member; listed by wiring, lowest layer first."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from vezde.kit.db import Db
from vezde.ledger import operations as ledger_ops

Moved = Mapping[str, list[Any]]  # as JSON has it


class Merge(Protocol):
    """Make the rows of `gone` those of `into`; both accounts are locked.

    Answers what `Unmerge` has to know to give them back: ids, and rows that are there no more.
    """

    async def __call__(
        self, db: Db, into: UUID, gone: UUID, *, now: datetime, actor: str
    ) -> Moved: ...


class Unmerge(Protocol):
    """Give `gone` back what was `moved` to `into` and is still there; both members are locked.

    What came since stays with `into`.
    """

    async def __call__(
        self, db: Db, into: UUID, gone: UUID, *, moved: Moved, now: datetime, actor: str
    ) -> None: ...


class Forget(Protocol):
    """Erase what says who the member was; the account is locked."""

    async def __call__(self, db: Db, member_id: UUID, *, now: datetime, actor: str) -> None: ...


@dataclass(frozen=True)
class Step:
    """A domain's part in merging and forgetting; None where its rows stay as they are.

    What merges also undoes it. `lock(db, member_id)` takes, of the member whose rows move, what
    stands before accounts in the order of locks.
    """

    domain: str
    merge: Merge | None
    forget: Forget | None
    unmerge: Unmerge | None = None
    lock: Callable[[Db, UUID], Awaitable[None]] | None = None


async def lock_all(
    db: Db, steps: Sequence[Step], member_id: UUID, *, accounts: Sequence[UUID]
) -> None:
    """Take all that has to be locked of a member whose rows move, then the accounts."""
    for step in steps:
        if step.lock is not None:
            await step.lock(db, member_id)
    await ledger_ops.lock(db, accounts)
