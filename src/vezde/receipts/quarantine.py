"""What is asked of receipts that signals hold: the queue, and one receipt's reasons."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.receipts.signals import model
from vezde.receipts.signals.model import Finding

COLUMNS: LiteralString = """
SELECT member_id, receipt_id, score, reasons, held_at, promised_at, outcome, ended_at, ended_by,
    note
FROM receipts.quarantine
"""
PAGE: LiteralString = (
    COLUMNS
    + """
WHERE outcome IS NULL
  AND (%(at)s::timestamptz IS NULL OR (held_at, receipt_id) > (%(at)s, %(receipt_id)s::uuid))
ORDER BY held_at, receipt_id LIMIT %(limit)s
"""
)
THESE: LiteralString = (
    COLUMNS + "WHERE (member_id, receipt_id) IN (SELECT * FROM unnest(%s::uuid[], %s::uuid[]))"
)
MOST_COUNTED = 10_000
WAITING: LiteralString = """
SELECT count(*) AS receipts, min(held_at) AS since, min(promised_at) AS first_promised_at FROM (
    SELECT held_at, promised_at FROM receipts.quarantine WHERE outcome IS NULL
    ORDER BY held_at, receipt_id LIMIT %s
) AS waiting
"""


@dataclass(frozen=True, slots=True)
class Held:
    """A receipt that waits for a person, or did: then `outcome` is `released` or `declined`."""

    member_id: UUID
    receipt_id: UUID
    score: int
    reasons: list[list[Any]]
    held_at: datetime
    promised_at: datetime
    outcome: str | None
    ended_at: datetime | None
    ended_by: str | None
    note: str | None

    @property
    def findings(self) -> tuple[Finding, ...]:
        return model.findings(self.reasons)


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many wait, counted up to ten thousand, since when, and when the first was promised."""

    receipts: int
    since: datetime | None
    first_promised_at: datetime | None


async def page(db: Db, *, after: tuple[datetime, UUID] | None, limit: int) -> list[Held]:
    """Receipts that wait, the longest first; `after`: (held_at, receipt_id) of the page before."""
    at, receipt_id = after or (None, None)
    asked = {"at": at, "receipt_id": receipt_id, "limit": limit}
    return await kit_db.fetch_filtered(db, Held, PAGE, asked)


async def these(db: Db, keys: Sequence[tuple[UUID, UUID]]) -> dict[UUID, Held]:
    """By receipt, those of these (member, receipt) that are held or were."""
    if not keys:
        return {}
    asked = [[member_id for member_id, _ in keys], [receipt_id for _, receipt_id in keys]]
    return {one.receipt_id: one for one in await kit_db.fetch_all(db, Held, THESE, asked)}


async def waiting(db: Db) -> Waiting:
    """How long the queue is."""
    found = await kit_db.fetch_one(db, Waiting, WAITING, [MOST_COUNTED])
    assert found is not None, "an aggregate has a row"
    return found
