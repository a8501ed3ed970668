"""What was given up on, of every domain in one shape: somebody looks, tries again, or drops it.

Each domain that gives up on anything offers a `Source`; wiring lists them. Nothing in a trouble
names a person: ids, kinds and places only.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, LiteralString
from uuid import UUID

import structlog

from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.kit.errors import DomainError, Kind

log = structlog.get_logger("vezde.troubles")

NOBODY = UUID(int=0)  # the second half of a key that has one part
LAST = UUID(int=2**128 - 1)
END_OF_TIME = datetime(9999, 1, 1, tzinfo=UTC)


class TroubleMissing(DomainError):
    code = "trouble_not_found"
    kind = Kind.MISSING

    def __init__(self) -> None:
        super().__init__("There is no such trouble any more; list them to see what there is.")


class NotRetriable(DomainError):
    code = "not_retriable"
    kind = Kind.REFUSED


class NotDroppable(DomainError):
    code = "not_droppable"
    kind = Kind.REFUSED


@dataclass(frozen=True)
class Row:
    """What a domain's statement answers: the key, when it was given up (wall), on what and why.

    `about` is a kind of ours, `because` a code or kind and place. `attempts` is None where nobody
    counted.
    """

    first: UUID
    second: UUID
    at: datetime
    about: str
    because: str | None
    attempts: int | None
    member_id: UUID | None


@dataclass(frozen=True)
class Trouble:
    """Something given up on; `kind` is its source's."""

    kind: str
    row: Row

    @property
    def place(self) -> "Place":
        return Place(self.row.at, self.kind, self.row.first, self.row.second)


@dataclass(frozen=True, order=True)
class Place:
    """Where a trouble stands in the list, which goes down from the newest."""

    at: datetime
    kind: str
    first: UUID
    second: UUID


# Act(db, first, second, wall, actor): whether there was such a trouble.
Act = Callable[[Db, UUID, UUID, datetime, str], Awaitable[bool]]


@dataclass(frozen=True)
class Source:
    """What one domain gives up on.

    `listed` takes `at, first, second, limit` and answers `Row`s below that, going down; `count`
    takes nothing and answers a number. Without `retry` or `drop` it says why there is none.
    """

    kind: str
    listed: LiteralString
    count: LiteralString
    retry: Act | str
    drop: Act | str


async def listed(
    db: Db,
    sources: Sequence[Source],
    *,
    limit: int,
    kind: str | None = None,
    before: Place | None = None,
) -> list[Trouble]:
    """Troubles going down from the newest, or from `before`; of one kind or of all."""
    found = []
    for source in sources:
        if kind is not None and source.kind != kind:
            continue
        asked = {**_below(source.kind, before), "limit": limit}
        rows = await kit_db.fetch_all(db, Row, source.listed, asked)
        found += [Trouble(source.kind, row) for row in rows]
    return sorted(found, key=lambda one: one.place, reverse=True)[:limit]


async def counted(db: Db, sources: Sequence[Source]) -> dict[str, int]:
    """How many troubles there are of each kind."""
    return {one.kind: int(await kit_db.fetch_value(db, one.count)) for one in sources}


async def retry(
    db: Db, source: Source, first: UUID, second: UUID, *, wall: datetime, actor: str
) -> None:
    """Try it again from the first attempt; raises `TroubleMissing`, `NotRetriable`."""
    if isinstance(source.retry, str):
        raise NotRetriable(source.retry)
    await _act(db, source, "retried", source.retry, (first, second), wall=wall, actor=actor)


async def drop(
    db: Db, source: Source, first: UUID, second: UUID, *, wall: datetime, actor: str
) -> None:
    """Have done with it: it is not tried again. Raises `TroubleMissing`, `NotDroppable`."""
    if isinstance(source.drop, str):
        raise NotDroppable(source.drop)
    await _act(db, source, "dropped", source.drop, (first, second), wall=wall, actor=actor)


async def _act(
    db: Db,
    source: Source,
    done: str,
    act: Act,
    key: tuple[UUID, UUID],
    *,
    wall: datetime,
    actor: str,
) -> None:
    if not await act(db, *key, wall, actor):
        raise TroubleMissing
    log.info(f"trouble {done}", kind=source.kind, id=str(key[0]), actor=actor)


def _below(kind: str, before: Place | None) -> dict[str, Any]:
    """Of kinds that come later at the same instant everything is still to come."""
    if before is None:
        return {"at": END_OF_TIME, "first": LAST, "second": LAST}
    if kind == before.kind:
        return {"at": before.at, "first": before.first, "second": before.second}
    end = LAST if kind < before.kind else NOBODY
    return {"at": before.at, "first": end, "second": end}
