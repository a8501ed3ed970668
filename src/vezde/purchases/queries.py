"""What can be asked of purchases."""

from dataclasses import dataclass
from typing import LiteralString
from uuid import UUID

from vezde.kit import db as kit_db
from vezde.kit.db import Db

EARNED_BEFORE: LiteralString = """
SELECT order_line, receipt_line, fact_id, points FROM purchases.meeting
WHERE member_id = %s AND order_ref = %s AND points > 0
ORDER BY order_line, met_at, receipt_id, receipt_line
"""


@dataclass(frozen=True, slots=True)
class EarnedBefore:
    """Points that a receipt had brought for an order's line before the order came.

    `fact_id` is the decision that gave them, for its line `receipt_line`.
    """

    order_line: int
    receipt_line: int
    fact_id: UUID
    points: int


async def earned_before(db: Db, member_id: UUID, order_ref: UUID) -> list[EarnedBefore]:
    """What receipts had earned for the goods of an order, in a fixed order."""
    return await kit_db.fetch_all(db, EarnedBefore, EARNED_BEFORE, [member_id, order_ref])
