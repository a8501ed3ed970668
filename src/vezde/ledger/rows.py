"""What the tables hold of an account, read into the model."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, LiteralString
from uuid import UUID

from vezde.kit.db import Db
from vezde.ledger.model import Entry, EntryKind, HoldState, Lot, Standing, State, Taken

# The end by inactivity is the one a rule that began meanwhile makes it.
ACCOUNTS: LiteralString = """
SELECT a.member_id, a.seq, a.active, a.pending, a.held, a.debt, ledger.ends_at(a.inactive_at)
FROM ledger.account a WHERE a.member_id = ANY(%s::uuid[])
"""
# Lots with something left, and those that an open hold has taken from.
LOTS: LiteralString = """
SELECT l.member_id, l.seq, l.points, l.remaining, l.active_at, l.expires_at, l.activated_seq
FROM ledger.lot l
WHERE l.member_id = ANY(%(member_ids)s::uuid[]) AND (l.open OR l.seq = ANY(%(seqs)s::bigint[]))
ORDER BY l.member_id, l.seq
"""
HOLDS: LiteralString = """
SELECT h.member_id, h.hold_id, h.seq, h.points, h.expires_at, h.state::text, h.closed_seq,
    array_agg(a.lot_seq::bigint ORDER BY l.use_order, l.seq),
    array_agg(a.points ORDER BY l.use_order, l.seq)
FROM ledger.hold h
JOIN ledger.alloc a ON a.member_id = h.member_id AND a.debit_seq = h.seq
JOIN ledger.lot l ON l.member_id = a.member_id AND l.seq = a.lot_seq
WHERE h.member_id = ANY(%(member_ids)s::uuid[]) AND (
    h.state = 'open' AND %(hold_id)s::uuid IS NULL OR h.hold_id = %(hold_id)s::uuid)
GROUP BY h.member_id, h.hold_id
ORDER BY h.member_id, h.seq
"""


async def standing(db: Db, member_id: UUID) -> Standing:
    """Where the account stands now; its lots are those that still matter."""
    return (await standings(db, [member_id]))[member_id]


async def standings(db: Db, member_ids: Sequence[UUID]) -> Mapping[UUID, Standing]:
    """Where these accounts stand now, in three reads for all."""
    holds: defaultdict[UUID, list[HoldState]] = defaultdict(list)
    asked: dict[str, Any] = {"member_ids": list(member_ids), "hold_id": None}
    for member_id, *rest in await (await db.execute(HOLDS, asked)).fetchall():
        holds[member_id].append(hold_state(*rest))
    reserved = {one.lot_seq for mine in holds.values() for hold in mine for one in hold.lots}
    lots: defaultdict[UUID, list[Lot]] = defaultdict(list)
    asked = {"member_ids": list(member_ids), "seqs": sorted(reserved)}
    for member_id, *lot in await (await db.execute(LOTS, asked)).fetchall():
        lots[member_id].append(Lot(*lot))
    accounts = await (await db.execute(ACCOUNTS, [list(member_ids)])).fetchall()
    return {
        member_id: Standing(
            seq=seq,
            active=active,
            pending=pending,
            held=held,
            debt=debt,
            lots=tuple(lots[member_id]),
            holds=tuple(holds[member_id]),
            inactive_at=inactive_at,
        )
        for member_id, seq, active, pending, held, debt, inactive_at in accounts
    }


async def hold(db: Db, member_id: UUID, hold_id: UUID) -> HoldState | None:
    """One hold, whatever became of it."""
    asked: dict[str, Any] = {"member_ids": [member_id], "hold_id": hold_id}
    row = await (await db.execute(HOLDS, asked)).fetchone()
    return None if row is None else hold_state(*row[1:])


def hold_state(
    hold_id: UUID,
    seq: int,
    points: int,
    expires_at: Any,
    state: str,
    closed_seq: int | None,
    lots: Sequence[int],
    taken: Sequence[int],
) -> HoldState:
    """A row of `HOLDS` without its member."""
    return HoldState(
        *(hold_id, seq, points, expires_at, State(state), closed_seq), taken_of(lots, taken)
    )


def entry(**row: Any) -> Entry:
    """A row of the table, by the names of its columns."""
    return Entry(**{**row, "kind": EntryKind(row["kind"])})


def taken_of(lots: Sequence[int] | None, points: Sequence[int] | None) -> tuple[Taken, ...]:
    """Two arrays of a function's answer as one."""
    return tuple(map(Taken, lots or (), points or ()))
