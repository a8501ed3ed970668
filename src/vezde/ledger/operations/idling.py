"""Inactivity that ends points: which rule is in force since when, and every account told of it.

An account keeps the instant at which its points end; what members do puts it off. A rule that
begins grants everybody a full period: accounts are told one after the other, in slices, long
before that period is over. A rule that ends ends nothing more from then on.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.ledger.operations.settling import REMIND

WALK = "ledger.inactivity"

BEFORE: LiteralString = """
SELECT i.rule FROM ledger.inactivity i WHERE i.from_at < %s ORDER BY i.from_at DESC LIMIT 1
"""
REPLACE: LiteralString = "DELETE FROM ledger.inactivity i WHERE i.from_at >= %s"
BEGIN: LiteralString = """
INSERT INTO ledger.inactivity (from_at, rule, inactive_at) VALUES (%s, %s, %s)
"""
UNFINISHED: LiteralString = """
SELECT i.from_at, i.inactive_at, i.walked_to FROM ledger.inactivity i
WHERE i.from_at <= %s AND i.walked_at IS NULL
ORDER BY i.from_at DESC
LIMIT 1
FOR UPDATE SKIP LOCKED
"""
# In id order, as everybody locks accounts.
SLICE: LiteralString = """
SELECT a.member_id FROM ledger.account a
WHERE a.member_id > %s AND a.closed_at IS NULL
ORDER BY a.member_id
LIMIT %s
FOR UPDATE
"""
PUT_OFF: LiteralString = """
UPDATE ledger.account a
SET inactive_at = greatest(a.inactive_at, %(inactive_at)s),
    next_due_at = least(a.next_due_at, greatest(a.inactive_at, %(inactive_at)s))
WHERE a.member_id = ANY(%(members)s::uuid[])
"""
LET_GO: LiteralString = """
UPDATE ledger.account a SET inactive_at = NULL
WHERE a.member_id = ANY(%(members)s::uuid[]) AND a.inactive_at >= %(from_at)s
"""
WALKED: LiteralString = """
UPDATE ledger.inactivity i SET walked_to = %s, walked_at = %s WHERE i.from_at = %s
"""
# What began before the rule in force has nobody left to tell.
OVERTAKEN: LiteralString = """
UPDATE ledger.inactivity i SET walked_at = %s WHERE i.from_at < %s AND i.walked_at IS NULL
"""


@dataclass(frozen=True)
class _Rule:
    from_at: datetime
    inactive_at: datetime | None
    walked_to: UUID | None


async def set_inactivity(
    db: Db, *, from_at: datetime, rule: str | None, inactive_at: datetime | None
) -> None:
    """From `from_at` on inactivity ends points by `rule` (any text that names it; None: not).

    `inactive_at` is the end of a full period from then: no points go earlier by this rule. The
    rule in force anyway changes nothing; what was set for `from_at` or later is replaced. The
    caller sees to it that two do not set it at once.
    """
    before = await kit_db.fetch_value(db, BEFORE, [from_at])
    await db.execute(REPLACE, [from_at])
    if before != rule:
        await db.execute(BEGIN, [from_at, rule, inactive_at])
        db.wake(WALK)


async def tell_accounts(db: Db, *, now: datetime, limit: int) -> int:
    """Tell at most `limit` accounts of the rule that began last; answers how many, 0: all know.

    Works where another worker does not; goes on where the last call stopped.
    """
    rule = await kit_db.fetch_one(db, _Rule, UNFINISHED, [now])
    if rule is None:
        return 0
    await db.execute(OVERTAKEN, [now, rule.from_at])
    cursor = await db.execute(SLICE, [rule.walked_to or UUID(int=0), limit])
    members = [row[0] for row in await cursor.fetchall()]
    asked = {"members": members, "from_at": rule.from_at, "inactive_at": rule.inactive_at}
    await db.execute(LET_GO if rule.inactive_at is None else PUT_OFF, asked)
    await db.execute(REMIND, [members])
    walked_to = members[-1] if members else rule.walked_to
    finished = now if len(members) < limit else None
    await db.execute(WALKED, [walked_to, finished, rule.from_at])
    return len(members) or 1
