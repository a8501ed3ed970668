"""Guessing is slowed down: after some receipts that proved to be none, the next are asked for late.

Nothing is refused and nothing is said: an honest member with a blurred receipt waits a little, who
tries numbers waits ever longer, and learns by each answer only that there is no such receipt. Who
has never shown one that was there has fewer tries before that: accounts are made faster than
receipts. What many such accounts can do together: `receipts.standing`.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final, LiteralString
from uuid import UUID

from vezde.kit.db import Db

WITHIN: Final = timedelta(days=1)
FREE: Final = 5
FREE_OF_STRANGERS: Final = 3  # of whom nothing was ever found
FIRST, LONGEST = timedelta(minutes=10), timedelta(hours=6)

# What is asked for again and again counts like what was refused: numbers made up are «not there».
DOUBTED: LiteralString = """
SELECT member_id, count(*), EXISTS (
    SELECT FROM receipts.receipt r WHERE r.member_id = doubted.member_id
      AND r.status IN ('accepted', 'awaiting_settlement', 'in_review')
) AS is_known FROM (
    SELECT member_id FROM receipts.receipt
    WHERE member_id = ANY(%(members)s) AND registered_at > %(since)s
      AND reason IN ('not_found', 'forged')
    UNION ALL
    SELECT member_id FROM receipts.verification
    WHERE member_id = ANY(%(members)s) AND step = 'ask' AND asked > 1
) AS doubted
GROUP BY member_id
"""
PUT_OFF: LiteralString = """
UPDATE receipts.verification SET due_at = greatest(due_at, %(until)s)
WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM receipts.verification
    WHERE member_id = %(member)s AND step = 'ask' AND asked = 0 AND lease IS NULL
    FOR UPDATE SKIP LOCKED
))
"""


def delay(doubted: int, *, is_known: bool = True) -> timedelta:
    """How much later the next is asked for, after so many of a day that were none."""
    free = FREE if is_known else FREE_OF_STRANGERS
    if doubted < free:
        return timedelta(0)
    times: int = 2 ** min(doubted - free, 10)
    return min(LONGEST, FIRST * times)


async def delays(db: Db, member_ids: Collection[UUID], *, now: datetime) -> dict[UUID, timedelta]:
    """By member, those alone whose receipts are asked for later."""
    if not member_ids:
        return {}
    asked = {"members": list(member_ids), "since": now - WITHIN}
    rows = await (await db.execute(DOUBTED, asked)).fetchall()
    return {
        member_id: wait
        for member_id, count, is_known in rows
        if (wait := delay(count, is_known=is_known))
    }


async def slow_down(db: Db, member_id: UUID, *, now: datetime) -> None:
    """One more proved to be none: what else of the member waits to be asked for waits longer."""
    if wait := (await delays(db, [member_id], now=now)).get(member_id):
        await db.execute(PUT_OFF, {"member": member_id, "until": now + wait})
