"""What can be asked of the ledger. An entry is named by (member_id, seq)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, LiteralString
from uuid import UUID

from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.kit.errors import DomainError, Kind
from vezde.kit.money import MAX_BIGINT
from vezde.ledger import model, rows
from vezde.ledger.model import (
    Adjusted,
    Entry,
    EntryKind,
    Explained,
    HoldState,
    Lot,
    NextExpiry,
    Points,
    State,
    Taken,
)
from vezde.ledger.operations import AccountMissing, HoldMissing

# The last entry known by then; recorded_at never goes back within a member, so going down the key
# meets it first.
LAST_ENTRY: LiteralString = """
SELECT e.seq FROM ledger.entry e
WHERE e.member_id = %(member_id)s AND e.recorded_at <= %(as_of)s
ORDER BY e.seq DESC
LIMIT 1
"""
# What time had done by then was written later, next after what was known: it counts.
BY_TIME: LiteralString = """
SELECT e.seq, e.active_after, e.pending_after, e.held_after, e.debt_after, a.seq = e.seq AS newest
FROM ledger.entry e
JOIN ledger.account a ON a.member_id = e.member_id
WHERE e.member_id = %(member_id)s AND e.seq >= %(seq)s AND e.seq < coalesce((
    SELECT min(f.seq) FROM ledger.entry f
    WHERE f.member_id = %(member_id)s AND f.seq > %(seq)s
        AND NOT (f.op_key IS NULL AND f.occurred_at <= %(as_of)s)), 9223372036854775807)
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
# What entries that had occurred by then changed, whenever they were recorded.
OCCURRED: LiteralString = """
SELECT coalesce(sum(e.active), 0)::bigint, coalesce(sum(e.pending), 0)::bigint,
    coalesce(sum(e.held), 0)::bigint, coalesce(sum(e.debt), 0)::bigint
FROM (
    SELECT e.occurred_at,
        e.active_after - lag(e.active_after, 1, 0::bigint) OVER turn AS active,
        e.pending_after - lag(e.pending_after, 1, 0::bigint) OVER turn AS pending,
        e.held_after - lag(e.held_after, 1, 0::bigint) OVER turn AS held,
        e.debt_after - lag(e.debt_after, 1, 0::bigint) OVER turn AS debt
    FROM (
        SELECT e.seq, e.occurred_at, e.active_after::bigint, e.pending_after::bigint,
            e.held_after::bigint, e.debt_after::bigint
        FROM ledger.entry e WHERE e.member_id = %(member_id)s
    ) AS e
    WINDOW turn AS (ORDER BY e.seq)
) AS e
WHERE e.occurred_at <= %(as_of)s
"""
# One row an account: its balances, and the lots that expire first. Points without a date end by
# inactivity, where that comes sooner.
BALANCES: LiteralString = """
SELECT a.member_id, a.active, a.pending, a.held, a.debt,
    a.updated_at > %(as_of)s,
    coalesce(a.next_due_at <= %(as_of)s, false) OR a.inactive_at IS NOT NULL,
    soonest.expires_at, soonest.points
FROM ledger.account a
LEFT JOIN LATERAL (
    SELECT l.expires_at, sum(l.remaining)::bigint AS points FROM ledger.lot l
    WHERE l.member_id = a.member_id AND l.open AND l.use_order = (
        SELECT f.use_order FROM ledger.lot f WHERE f.member_id = a.member_id AND f.open
        ORDER BY f.use_order, f.seq LIMIT 1)
    GROUP BY l.expires_at
) AS soonest ON true
WHERE a.member_id = ANY(%(member_ids)s::uuid[])
"""
HISTORY: LiteralString = """
SELECT e.member_id, e.seq, e.kind, e.points, e.active_after, e.pending_after, e.held_after,
    e.debt_after, e.occurred_at, e.recorded_at, e.title, e.actor, e.op_key, e.lot_seq, e.about_seq
FROM ledger.entry e
WHERE e.member_id = %(member_id)s AND e.seq < %(before_seq)s
ORDER BY e.seq DESC
LIMIT %(limit)s
"""
ENTRY: LiteralString = """
SELECT e.member_id, e.seq, e.kind, e.points, e.active_after, e.pending_after, e.held_after,
    e.debt_after, e.occurred_at, e.recorded_at, e.title, e.actor, e.op_key, e.lot_seq, e.about_seq,
    e.proof
FROM ledger.entry e
WHERE e.member_id = %s AND e.seq = %s
"""
TAKEN: LiteralString = """
SELECT a.lot_seq, a.points FROM ledger.alloc a
WHERE a.member_id = %s AND a.debit_seq = %s
ORDER BY a.lot_seq
"""
COMMITTED: LiteralString = "SELECT s.lots, s.taken FROM ledger.spent(%s, %s) s"
OP_SEQ: LiteralString = """
SELECT o.first_seq FROM ledger.op o WHERE o.member_id = %s AND o.op_key = %s
"""
# Accounts a person was before are not looked at: an import names members as they are.
DONE: LiteralString = """
SELECT o.member_id, o.op_key, e.points, e.actor
FROM unnest(%s::uuid[], %s::text[]) AS asked (member_id, op_key)
JOIN ledger.op o USING (member_id, op_key)
JOIN ledger.entry e ON e.member_id = o.member_id AND e.seq = o.first_seq
"""
AUDIT: LiteralString = """
SELECT a.finished_accounts, a.finished_wall, (SELECT count(*) FROM ledger.violation) AS violations
FROM ledger.audit a
"""
ADJUSTMENTS: LiteralString = """
SELECT a.member_id, a.adjustment_id, a.points, a.expires_at, a.reason, a.title, a.state,
    a.asked_at, a.asked_by, a.decided_at, a.decided_by, a.seq
FROM ledger.adjustment a
WHERE a.member_id = %(member_id)s AND a.adjustment_id < %(before)s
ORDER BY a.adjustment_id DESC
LIMIT %(limit)s
"""
PENDING: LiteralString = """
SELECT a.member_id, a.adjustment_id, a.points, a.expires_at, a.reason, a.title, a.state,
    a.asked_at, a.asked_by, a.decided_at, a.decided_by, a.seq
FROM ledger.adjustment a
WHERE a.state = 'pending' AND (a.asked_at, a.adjustment_id) > (%(asked_at)s, %(after)s)
ORDER BY a.asked_at, a.adjustment_id
LIMIT %(limit)s
"""
ACCOUNT: LiteralString = "SELECT a.seq FROM ledger.account a WHERE a.member_id = %s"
NEXT_RULE: LiteralString = """
SELECT min(i.from_at) FROM ledger.inactivity i WHERE i.walked_at IS NULL
"""
NEXT_DUE: LiteralString = "SELECT min(d.due_at) FROM ledger.due d"


LONG_AGO, LAST_ID = datetime(1970, 1, 1, tzinfo=UTC), UUID(int=2**128 - 1)


class By(StrEnum):
    """What an instant of a question means: what was known then, or what had happened by then."""

    RECORDED = "recorded"
    OCCURRED = "occurred"


@dataclass(frozen=True, slots=True)
class Done:
    """What a command of that key did: the points of its first entry, and who did it."""

    points: int
    actor: str


@dataclass(frozen=True, slots=True)
class Audit:
    """The last round through all accounts (`finished_wall` None: the first goes on), and what
    does not hold as far as is known now.
    """

    finished_accounts: int
    finished_wall: datetime | None
    violations: int


class EntryMissing(DomainError):
    code = "not_found"
    kind = Kind.MISSING


async def points(db: Db, member_id: UUID, *, as_of: datetime, by: By = By.RECORDED) -> Points:
    """The balances as known at `as_of` (the programme's now, for the current ones).

    What is due by then counts though nobody has written it yet, so the answer for an instant is
    the same before and after the sweep. An entry is known from its `recorded_at` on; to see what
    was written a moment ago, ask with a clock read after it. By `occurred`: of all that is known
    today, what had happened by then; a purchase shown late counts from its own time, and what is
    left in lots to expire is told as it is today. Raises `AccountMissing`.
    """
    if by is By.OCCURRED:
        return await _occurred(db, member_id, as_of)
    found = (await points_of(db, [member_id], as_of=as_of)).get(member_id)
    if found is None:
        await _ensure_account(db, member_id)
        return model.NO_POINTS
    return found


async def points_of(db: Db, member_ids: Sequence[UUID], *, as_of: datetime) -> dict[UUID, Points]:
    """The balances of many members as known at `as_of`; one without an account is left out.

    One read of accounts and of the lots that expire first; more only for accounts on which
    something is due by then, or that changed since.
    """
    asked = {"member_ids": list(member_ids), "as_of": as_of}
    found: dict[UUID, Points] = {}
    due: list[UUID] = []
    moved: list[UUID] = []
    for row in await (await db.execute(BALANCES, asked)).fetchall():
        member_id, active, pending, held, debt, has_moved, is_due, ends_at, ending = row
        soonest = NextExpiry(ending, ends_at) if ends_at is not None else None
        found[member_id] = Points(active, pending, held, debt, soonest)
        if has_moved:
            moved.append(member_id)
        elif is_due:
            due.append(member_id)
    if due:
        standings = await rows.standings(db, due)
        found |= {member_id: model.points_at(one, as_of) for member_id, one in standings.items()}
    for member_id in moved:
        found[member_id] = await _known(db, member_id, as_of)
    return found


async def hold(
    db: Db, member_id: UUID, hold_id: UUID, *, as_of: datetime | None = None
) -> HoldState:
    """A hold and what became of it; by `as_of` one may be over that nobody has ended yet.

    Raises `HoldMissing`.
    """
    found = await rows.hold(db, member_id, hold_id)
    if found is None:
        raise HoldMissing("There is no such hold of this member; make one first.")
    if as_of is not None and found.state is State.OPEN and found.expires_at <= as_of:
        return replace(found, state=State.EXPIRED)
    return found


async def done(db: Db, keys: Sequence[tuple[UUID, str]]) -> dict[tuple[UUID, str], Done]:
    """Of these commands, by member and op_key, those that were carried out before; in one read."""
    asked = [[member_id for member_id, _ in keys], [op_key for _, op_key in keys]]
    rows_ = await (await db.execute(DONE, asked)).fetchall()
    return {(member_id, op_key): Done(points, actor) for member_id, op_key, points, actor in rows_}


async def audit(db: Db) -> Audit:
    """How the audit goes that never stops."""
    return await kit_db.fetch_one(db, Audit, AUDIT) or Audit(0, None, 0)


async def seq_of(db: Db, member_id: UUID, op_key: str) -> int | None:
    """The first entry that a command of this key wrote, None when there was none."""
    seq: int | None = await kit_db.fetch_value(db, OP_SEQ, [member_id, op_key])
    return seq


async def history(
    db: Db, member_id: UUID, *, limit: int, before_seq: int | None = None
) -> list[Entry]:
    """The member's entries, newest first; `before_seq` is the last seq of the page before.

    Raises `AccountMissing`.
    """
    asked = {"member_id": member_id, "before_seq": before_seq or MAX_BIGINT, "limit": limit}
    page = await kit_db.fetch_all(db, rows.entry, HISTORY, asked)
    if not page:
        await _ensure_account(db, member_id)
    return page


async def entry(db: Db, member_id: UUID, seq: int) -> Explained:
    """One entry and what it stands on.

    An accrual has its parts and proof, a debit the lots it took from (a commit those of its hold),
    what gave points back the lots that got them (negative), an activation the lot made active, an
    opening its `origin`; a lot's own entry has that lot's proof. Raises `EntryMissing`.
    """
    found = await kit_db.fetch_one(db, _explained, ENTRY, [member_id, seq])
    if found is None:
        raise EntryMissing("There is no such entry in the member's history; take an id from there.")
    if found.lots:
        return found
    if found.entry.kind is EntryKind.COMMIT:
        row = await (await db.execute(COMMITTED, [member_id, seq])).fetchone()
        return replace(found, lots=rows.taken_of(*row) if row else ())
    taken = await kit_db.fetch_all(db, Taken, TAKEN, [member_id, seq])
    return replace(found, lots=tuple(taken))


async def adjustments(
    db: Db, member_id: UUID, *, limit: int, before: UUID | None = None
) -> list[Adjusted]:
    """What operators gave the member and took, newest first; `before` is the last one known."""
    asked = {"member_id": member_id, "before": before or LAST_ID, "limit": limit}
    return await kit_db.fetch_all(db, Adjusted, ADJUSTMENTS, asked)


async def pending_adjustments(
    db: Db, *, limit: int, after: tuple[datetime, UUID] | None = None
) -> list[Adjusted]:
    """What waits for a second operator, longest first; `after` is the last one known."""
    asked_at, last = after or (LONG_AGO, UUID(int=0))
    asked = {"asked_at": asked_at, "after": last, "limit": limit}
    return await kit_db.fetch_all(db, Adjusted, PENDING, asked)


async def next_due(db: Db) -> datetime | None:
    """The earliest instant for which the sweep may have work, None when there is none.

    It comes for every account in time; a touch that was there first leaves the instant to it.
    """
    due: datetime | None = await kit_db.fetch_value(db, NEXT_DUE)
    return due


async def next_rule(db: Db) -> datetime | None:
    """When a rule of inactivity begins that not all accounts know, None when there is none."""
    at: datetime | None = await kit_db.fetch_value(db, NEXT_RULE)
    return at


async def _known(db: Db, member_id: UUID, as_of: datetime) -> Points:
    """The balances of an account that changed since, as they were known then."""
    asked: dict[str, Any] = {"member_id": member_id, "as_of": as_of}
    seq = await kit_db.fetch_value(db, LAST_ENTRY, asked)
    if seq is None:
        return model.NO_POINTS
    row = await (await db.execute(BY_TIME, {**asked, "seq": seq})).fetchone()
    assert row is not None, "the entry was just read"
    last, active, pending, held, debt, newest = row
    if newest:
        return model.points_at(await rows.standing(db, member_id), as_of)
    lots = await kit_db.fetch_all(db, Lot, LOTS_AFTER, {"member_id": member_id, "seq": last})
    return Points(active, pending, held, debt, model.next_expiry(lots, as_of))


async def _occurred(db: Db, member_id: UUID, as_of: datetime) -> Points:
    standing = (await rows.standings(db, [member_id])).get(member_id)
    if standing is None:
        raise AccountMissing("The member has no points account; enrol the member first.")
    asked = {"member_id": member_id, "as_of": as_of}
    row = await (await db.execute(OCCURRED, asked)).fetchone()
    assert row is not None, "sums always answer"
    after = model.points_at(standing, as_of)
    now = (standing.active, standing.pending, standing.held, standing.debt)
    since = (after.active, after.pending, after.held, after.debt)
    active, pending, held, debt = (
        then + later - before for then, later, before in zip(row, since, now, strict=True)
    )
    return Points(active, pending, held, debt, after.next_expiry)


def _explained(*, proof: dict[str, Any] | None, **row: Any) -> Explained:
    found = rows.entry(**row)
    parts, rest = model.parts_of(proof or {})
    lots = () if found.lot_seq is None else (Taken(found.lot_seq, found.points),)
    return Explained(found, parts, rest, lots)


async def _ensure_account(db: Db, member_id: UUID) -> None:
    if await kit_db.fetch_value(db, ACCOUNT, [member_id]) is None:
        raise AccountMissing("The member has no points account; enrol the member first.")
