"""Advances whose settlement never came stop waiting; one that comes after all still meets them."""

from collections.abc import Sequence
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.purchases.model import ADVANCE_SETTLES_WITHIN

OVERDUE: LiteralString = """
SELECT member_id FROM purchases.line
WHERE state = 'waiting' AND occurred_at < %s
ORDER BY occurred_at LIMIT %s
"""
LAPSE: LiteralString = """
UPDATE purchases.line SET state = 'lapsed'
WHERE member_id = ANY(%s) AND state = 'waiting' AND occurred_at < %s
RETURNING member_id, receipt_id
"""
PARTLY: LiteralString = """
SELECT DISTINCT l.member_id, l.receipt_id FROM purchases.line l
WHERE (l.member_id, l.receipt_id) IN (SELECT * FROM unnest(%s::uuid[], %s::uuid[]))
  AND l.state IN ('closed', 'earning', 'covered')
"""
NEXT: LiteralString = "SELECT min(occurred_at) FROM purchases.line WHERE state = 'waiting'"


async def overdue(db: Db, *, now: datetime, limit: int) -> set[UUID]:
    """Members with advances that waited for 45 days."""
    cursor = await db.execute(OVERDUE, [now - ADVANCE_SETTLES_WITHIN, limit])
    return {row[0] for row in await cursor.fetchall()}


async def lapse(
    db: Db, member_ids: Sequence[UUID], *, now: datetime
) -> list[tuple[UUID, UUID, bool]]:
    """Stop waiting for these members' overdue advances: (member, receipt, whether a part of it was
    handed over after all).

    What lapsed keeps its open sum: a settlement of its time that is shown late closes it.
    """
    cursor = await db.execute(LAPSE, [list(member_ids), now - ADVANCE_SETTLES_WITHIN])
    lapsed = sorted({(row[0], row[1]) for row in await cursor.fetchall()})
    asked = [[one[0] for one in lapsed], [one[1] for one in lapsed]]
    partly = set(await (await db.execute(PARTLY, asked)).fetchall())
    return [
        (member_id, receipt_id, (member_id, receipt_id) in partly)
        for member_id, receipt_id in lapsed
    ]


async def next_lapse(db: Db) -> datetime | None:
    """The next programme instant at which an advance lapses."""
    first: datetime | None = await kit_db.fetch_value(db, NEXT)
    return first + ADVANCE_SETTLES_WITHIN if first is not None else None
