"""The sweep: what time does to accounts that nobody touches, and what is told of it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.ledger.model import Entry
from vezde.ledger.operations.accounts import LOCK, SETTLE, call_each
from vezde.ledger.rows import entry

# Rows only locked, not yet deleted, until the accounts are locked: a command that holds an account
# and writes the same due row waits for a deletion, but not for a lock.
CLAIM_DUE: LiteralString = """
SELECT d.due_at, d.member_id FROM ledger.due d
WHERE d.due_at <= %(now)s
ORDER BY d.due_at, d.member_id
LIMIT %(limit)s
FOR UPDATE SKIP LOCKED
"""
FORGET_DUE: LiteralString = "DELETE FROM ledger.due d WHERE d.due_at = %s AND d.member_id = %s"
# What time did, whoever wrote it down, and nobody was told of yet.
UNTOLD: LiteralString = """
SELECT e.member_id, e.seq, e.kind, e.points, e.active_after, e.pending_after, e.held_after,
    e.debt_after, e.occurred_at, e.recorded_at, e.title, e.actor, e.op_key, e.lot_seq, e.about_seq
FROM ledger.account a
JOIN ledger.entry e ON e.member_id = a.member_id AND e.seq > a.told_seq AND e.op_key IS NULL
WHERE a.member_id = ANY(%s::uuid[])
ORDER BY e.member_id, e.seq
"""
TOLD: LiteralString = """
UPDATE ledger.account a SET told_seq = a.seq WHERE a.member_id = ANY(%s::uuid[])
"""
# A due row of an account stays ahead of all that it waits for.
REMIND: LiteralString = """
INSERT INTO ledger.due (due_at, member_id)
SELECT a.next_due_at, a.member_id FROM ledger.account a
WHERE a.member_id = ANY(%s::uuid[]) AND a.next_due_at IS NOT NULL
ORDER BY a.member_id
ON CONFLICT DO NOTHING
"""


async def settle_due(db: Db, *, now: datetime, limit: int) -> tuple[int, list[Entry]]:
    """Write what is due by `now`, soonest first, of at most `limit` due rows.

    Answers how many rows were worked (zero: nothing is left) and the entries that time made by
    itself and nobody was told of before, those of the sweep and those that a touch wrote first:
    activations, expiries, holds that ended, debts repaid by them. Each is answered once, so the
    caller tells of them in the same transaction. `now` is the programme's. Rows that another
    worker has claimed are passed over.
    """
    cursor = await db.execute(CLAIM_DUE, {"now": now, "limit": limit})
    due = await cursor.fetchall()
    if not due:
        return 0, []
    members = sorted({member_id for _, member_id in due})
    await db.execute(LOCK, [members])
    await call_each(db, SETTLE, [(member_id, now, None) for member_id in members])
    untold = await _untold(db, members)
    await kit_db.execute_many(db, FORGET_DUE, due)
    await db.execute(REMIND, [members])
    return len(due), untold


async def _untold(db: Db, members: Sequence[UUID]) -> list[Entry]:
    found = await kit_db.fetch_all(db, entry, UNTOLD, [members])
    if found:
        asked: list[Any] = [sorted({one.member_id for one in found})]
        await db.execute(TOLD, asked)
    return found
