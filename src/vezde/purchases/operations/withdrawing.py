"""A document brings nothing any more: it is another member's, or is held back for a while.

What it had brought is taken back line by line by the one way that points are taken (`taking`), so
that what returns and reports took before is not taken twice, and what is given again is given once.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import LiteralString
from uuid import UUID

from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.ledger import operations as ledger
from vezde.purchases.marking import Pack
from vezde.purchases.operations import packing, taking


class Because(StrEnum):
    """Why a document brings nothing."""

    MOVED = "moved"
    RECHECK = "recheck"


MARK: LiteralString = """
UPDATE purchases.document SET withdrawn = %s
WHERE member_id = %s AND receipt_id = %s AND withdrawn IS DISTINCT FROM %s
RETURNING receipt_id
"""
UNMARK: LiteralString = """
UPDATE purchases.document SET withdrawn = NULL
WHERE member_id = %s AND receipt_id = %s AND withdrawn = 'recheck'
RETURNING receipt_id
"""
KEYS: LiteralString = """
SELECT line FROM purchases.line WHERE member_id = %s AND receipt_id = %s ORDER BY line
"""
PACKS: LiteralString = """
SELECT gtin, sernum FROM purchases.pack
WHERE member_id = %s AND receipt_id = %s AND released_at IS NULL ORDER BY gtin, sernum
"""
# Nothing links to it any more, no report finds it: that is for the lines of whoever has it now.
LEAVE_LINES: LiteralString = """
UPDATE purchases.line SET mark = NULL, order_number = NULL, gtin = NULL, sernum = NULL,
    open_kopecks = 0,
    state = CASE state WHEN 'returning' THEN state ELSE 'covered' END
WHERE member_id = %s AND receipt_id = %s
"""
LEAVE_DOCUMENT: LiteralString = """
UPDATE purchases.document SET fn = NULL, fd = NULL WHERE member_id = %s AND receipt_id = %s
"""
ENTANGLED: LiteralString = """
SELECT EXISTS (SELECT FROM purchases.meeting
        WHERE member_id = %(member_id)s AND receipt_id = %(receipt_id)s)
    OR EXISTS (SELECT FROM purchases.taking
        WHERE member_id = %(member_id)s AND receipt_id = %(receipt_id)s)
    OR EXISTS (SELECT FROM purchases.pack WHERE member_id = %(member_id)s
        AND receipt_id = %(receipt_id)s AND scanned_at IS NOT NULL)
"""
CARRY: LiteralString = """
UPDATE purchases.line SET reported_micro = greatest(reported_micro, %s)
WHERE member_id = %s AND receipt_id = %s AND line = %s
"""


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """Points taken back, and what had come back of the document's lines before (millionths)."""

    points: int
    returned_micro: Mapping[int, int]


async def withdraw(
    db: Db, member_id: UUID, receipt_id: UUID, *, because: Because, now: datetime, actor: str
) -> Withdrawn:
    """Take back all that a document brought; what was spent by the debt policy of returns.

    Done before, or a document that nothing was bought by: nothing is taken. One that is `moved`
    frees its packs and is met by nothing any more. The account is locked here.
    """
    await ledger.lock(db, [member_id])
    keys = await _keys(db, member_id, receipt_id)
    returned = await taking.came_back(db, member_id, keys) if keys else {}
    marked = await kit_db.fetch_value(db, MARK, [because, member_id, receipt_id, because])
    if not keys or marked is None:
        return Withdrawn(0, {})
    taken = await taking.settle_lines(
        db, member_id, keys, because=REASONS[because], now=now, actor=actor
    )
    if because is Because.MOVED:
        rows = await (await db.execute(PACKS, [member_id, receipt_id])).fetchall()
        await packing.release(db, [Pack(*row) for row in rows], now=now, actor=actor)
        await db.execute(LEAVE_LINES, [member_id, receipt_id])
        await db.execute(LEAVE_DOCUMENT, [member_id, receipt_id])
    return Withdrawn(taken, {line: micro for (_, line), micro in returned.items() if micro})


async def reinstate(db: Db, member_id: UUID, receipt_id: UUID, *, now: datetime, actor: str) -> int:
    """What was held back is given again, but what came back meanwhile; how many points."""
    await ledger.lock(db, [member_id])
    keys = await _keys(db, member_id, receipt_id)
    marked = await kit_db.fetch_value(db, UNMARK, [member_id, receipt_id])
    if not keys or marked is None:
        return 0
    because = REASONS[Because.RECHECK]
    return -await taking.settle_lines(db, member_id, keys, because=because, now=now, actor=actor)


async def carry_returns(
    db: Db,
    member_id: UUID,
    receipt_id: UUID,
    returned_micro: Mapping[int, int],
    *,
    now: datetime,
    actor: str,
) -> int:
    """What is known to have come back of a document stays so under its new member; points taken."""
    if not returned_micro:
        return 0
    for line, micro in returned_micro.items():
        await db.execute(CARRY, [micro, member_id, receipt_id, line])
    keys = [(receipt_id, line) for line in returned_micro]
    return await taking.settle_lines(db, member_id, keys, because="documents", now=now, actor=actor)


async def is_entangled(db: Db, member_id: UUID, receipt_id: UUID) -> bool:
    """Whether anything else speaks for the member's having bought by this document, or not.

    An order of the brand's own shop for the same goods, a return, a scan of its pack.
    """
    asked = {"member_id": member_id, "receipt_id": receipt_id}
    return bool(await kit_db.fetch_value(db, ENTANGLED, asked))


async def _keys(db: Db, member_id: UUID, receipt_id: UUID) -> list[tuple[UUID, int]]:
    rows = await (await db.execute(KEYS, [member_id, receipt_id])).fetchall()
    return [(receipt_id, line) for (line,) in rows]


# What the facts of points taken back say.
REASONS = {Because.MOVED: "disputed", Because.RECHECK: "rechecked"}
