"""What can be asked of the ledger. An entry is named by (member_id, seq)."""

from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from psycopg.rows import kwargs_row

from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.kit.errors import DomainError, Kind
from vezde.kit.money import MAX_BIGINT
from vezde.ledger import model
from vezde.ledger.model import Entry, EntryKind, Explained, Lot, Points, Taken
from vezde.ledger.operations import AccountMissing

# recorded_at never goes back within a member, so going down the key meets the answer first.
LAST_ENTRY: LiteralString = """
SELECT e.member_id, e.seq, e.kind, e.points, e.active_after, e.pending_after, e.held_after,
    e.debt_after, e.occurred_at, e.recorded_at, e.title, e.actor, e.op_key, e.lot_seq,
    e.reverses_seq
FROM ledger.entry e
WHERE e.member_id = %(member_id)s AND e.recorded_at <= %(as_of)s
ORDER BY e.seq DESC
LIMIT 1
"""
# The lots as they were after one entry: what later entries took is put back, what later entries
# activated is still pending.
LOTS_AFTER: LiteralString = """
SELECT l.seq, l.points, l.remaining + coalesce(later.points, 0)::bigint AS remaining,
    l.active_at, l.expires_at,
    CASE WHEN l.activated_seq <= %(seq)s THEN l.activated_seq END AS activated_seq
FROM ledger.lot l
LEFT JOIN (
    SELECT a.lot_seq, sum(a.points) AS points FROM ledger.alloc a
    WHERE a.member_id = %(member_id)s AND a.debit_seq > %(seq)s
    GROUP BY a.lot_seq
) later ON later.lot_seq = l.seq
WHERE l.member_id = %(member_id)s AND l.seq <= %(seq)s AND (l.open OR later.points > 0)
ORDER BY l.use_order, l.seq
"""
HISTORY: LiteralString = """
SELECT e.member_id, e.seq, e.kind, e.points, e.active_after, e.pending_after, e.held_after,
    e.debt_after, e.occurred_at, e.recorded_at, e.title, e.actor, e.op_key, e.lot_seq,
    e.reverses_seq
FROM ledger.entry e
WHERE e.member_id = %(member_id)s AND e.seq < %(before_seq)s
ORDER BY e.seq DESC
LIMIT %(limit)s
"""
ENTRY: LiteralString = """
SELECT e.member_id, e.seq, e.kind, e.points, e.active_after, e.pending_after, e.held_after,
    e.debt_after, e.occurred_at, e.recorded_at, e.title, e.actor, e.op_key, e.lot_seq,
    e.reverses_seq, e.proof
FROM ledger.entry e
WHERE e.member_id = %s AND e.seq = %s
"""
TAKEN: LiteralString = """
SELECT a.lot_seq, a.points FROM ledger.alloc a
WHERE a.member_id = %s AND a.debit_seq = %s
ORDER BY a.lot_seq
"""
ACCOUNT: LiteralString = "SELECT a.seq FROM ledger.account a WHERE a.member_id = %s"
NEXT_DUE: LiteralString = "SELECT min(d.due_at) FROM ledger.due d"


class EntryMissing(DomainError):
    code = "not_found"
    kind = Kind.MISSING


async def points(db: Db, member_id: UUID, *, as_of: datetime) -> Points:
    """The balances as known at `as_of` (the programme's now, for the current ones).

    Activations due by then count though nobody has written them yet, so the answer for an instant
    is the same before and after the sweep. An entry is known from its `recorded_at` on; to see
    what was written a moment ago, ask with a clock read after it. Raises `AccountMissing`.
    """
    asked = {"member_id": member_id, "as_of": as_of}
    async with db.cursor(row_factory=kwargs_row(_entry)) as cursor:
        last = await (await cursor.execute(LAST_ENTRY, asked)).fetchone()
    if last is None:
        await _ensure_account(db, member_id)
        return model.NO_POINTS
    after = {"member_id": member_id, "seq": last.seq}
    return model.points_at(last, await kit_db.fetch_all(db, Lot, LOTS_AFTER, after), as_of)


async def history(
    db: Db, member_id: UUID, *, limit: int, before_seq: int | None = None
) -> list[Entry]:
    """The member's entries, newest first; `before_seq` is the last seq of the page before.

    Raises `AccountMissing`.
    """
    asked = {"member_id": member_id, "before_seq": before_seq or MAX_BIGINT, "limit": limit}
    async with db.cursor(row_factory=kwargs_row(_entry)) as cursor:
        page = await (await cursor.execute(HISTORY, asked)).fetchall()
    if not page:
        await _ensure_account(db, member_id)
    return page


async def entry(db: Db, member_id: UUID, seq: int) -> Explained:
    """One entry and what it stands on.

    An accrual has its parts and proof, a debit the lots it took from, an activation the lot made
    active, an opening its `origin`; a lot's own entry has that lot's proof. Raises `EntryMissing`.
    """
    async with db.cursor(row_factory=kwargs_row(_explained)) as cursor:
        found = await (await cursor.execute(ENTRY, [member_id, seq])).fetchone()
    if found is None:
        raise EntryMissing("There is no such entry in the member's history; take an id from there.")
    if found.entry.kind in {EntryKind.ACCRUE, EntryKind.OPEN} or found.lots:
        return found
    taken = await kit_db.fetch_all(db, Taken, TAKEN, [member_id, seq])
    return Explained(found.entry, found.parts, found.proof, tuple(taken))


async def next_due(db: Db) -> datetime | None:
    """The earliest instant for which the sweep has work, None when there is none.

    A lazily activated lot leaves its instant here until the sweep passes.
    """
    due: datetime | None = await kit_db.fetch_value(db, NEXT_DUE)
    return due


def _entry(**row: Any) -> Entry:
    return Entry(**{**row, "kind": EntryKind(row["kind"])})


def _explained(*, proof: dict[str, Any] | None, **row: Any) -> Explained:
    found = _entry(**row)
    parts, rest = model.parts_of(proof or {})
    lots = () if found.lot_seq is None else (Taken(found.lot_seq, found.points),)
    return Explained(found, parts, rest, lots)


async def _ensure_account(db: Db, member_id: UUID) -> None:
    if await kit_db.fetch_value(db, ACCOUNT, [member_id]) is None:
        raise AccountMissing("The member has no points account; enrol the member first.")
