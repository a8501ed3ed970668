"""What holds of every account, whoever wrote it, and what is stored compared with the fold."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from vezde.kit.db import Db
from vezde.ledger import model
from vezde.ledger.model import EntryKind, Explained, State
from vezde.ledger.replay import Account

ENTRIES = """
SELECT e.member_id, e.seq, e.kind::text, e.points, e.active_after, e.pending_after, e.held_after,
    e.debt_after, e.occurred_at, e.recorded_at, e.title, e.actor, e.op_key, e.lot_seq, e.about_seq,
    coalesce(e.proof, '{}')
FROM ledger.entry e ORDER BY e.member_id, e.seq
"""
LOTS = """
SELECT l.member_id, l.seq, l.points, l.remaining, l.active_at, l.expires_at, l.activated_seq,
    l.open, l.use_order
FROM ledger.lot l ORDER BY l.member_id, l.seq
"""
ALLOCS = """
SELECT member_id, debit_seq, lot_seq, points FROM ledger.alloc ORDER BY member_id, debit_seq, lot_seq
"""
HOLDS = """
SELECT member_id, hold_id, seq, points, expires_at, state::text, closed_seq FROM ledger.hold
ORDER BY member_id, seq
"""
OPS = "SELECT member_id, op_key, fingerprint, first_seq, n_entries FROM ledger.op"
ACCOUNTS = """
SELECT member_id, active, pending, held, debt, seq, updated_at, last_activity_at, inactive_at,
    closed_at, next_due_at
FROM ledger.account ORDER BY member_id
"""
WRITTEN_ONCE = """
SELECT 'entry', e.member_id, e.seq::text, md5(e::text) FROM ledger.entry e
UNION ALL SELECT 'op', o.member_id, o.op_key, md5(o::text) FROM ledger.op o
UNION ALL SELECT 'alloc', a.member_id, a.debit_seq || '/' || a.lot_seq, md5(a::text)
    FROM ledger.alloc a
"""

CREDITS = {EntryKind.ACCRUE, EntryKind.IMPORT, EntryKind.ADJUST, EntryKind.OPEN, EntryKind.RESTORE}


async def rows(db: Db, query: str, asked: Any = None) -> list[tuple[Any, ...]]:
    return await (await db.execute(query, asked)).fetchall()


async def stored(db: Db) -> dict[str, list[tuple[Any, ...]]]:
    """All that the tables have."""
    tables = {"entries": ENTRIES, "lots": LOTS, "allocs": ALLOCS, "holds": HOLDS, "ops": OPS}
    return {name: await rows(db, query) for name, query in {**tables, "accounts": ACCOUNTS}.items()}


def same(found: Mapping[str, list[tuple[Any, ...]]], accounts: Mapping[UUID, Account]) -> None:
    """The tables have what the fold has, and nothing else."""
    for member, account in accounts.items():
        mine = {name: [row[1:] for row in of if row[0] == member] for name, of in found.items()}
        assert mine["entries"] == [
            (*_values(entry)[1:], proof)
            for entry, proof in zip(account.entries, account.proofs, strict=True)
        ]
        assert mine["lots"] == [
            (*_values(lot), lot.remaining > 0, model.use_order(lot.expires_at))
            for lot in account.lots
        ]
        assert mine["allocs"] == sorted(
            (seq, taken.lot_seq, taken.points) for seq, taken in account.allocs
        )
        assert mine["holds"] == [_values(hold)[:-1] for hold in account.standing.holds]
        assert sorted(mine["ops"]) == sorted((key, *op) for key, op in account.ops.items())
        _same_account(mine["accounts"][0], account)


def _same_account(row: tuple[Any, ...], account: Account) -> None:
    standing = account.standing
    *cached, next_due_at = row
    assert tuple(cached) == (
        *(standing.active, standing.pending, standing.held, standing.debt, standing.seq),
        *(account.updated_at, account.last_activity_at, standing.inactive_at, account.closed_at),
    )
    due = None if account.closed_at else model.next_due(standing)
    # Nothing happens before it; it may be early, never late.
    assert due is None or (next_due_at is not None and next_due_at <= due)


def check(account: Account) -> None:
    """The promises of one account (numbers: reference of the ledger's invariants)."""
    standing, lots = account.standing, account.lots
    taken: dict[int, int] = {}
    by_entry: dict[int, int] = {}
    for seq, one in account.allocs:
        taken[one.lot_seq] = taken.get(one.lot_seq, 0) + one.points
        by_entry[seq] = by_entry.get(seq, 0) + one.points
    for lot in lots:
        assert 0 <= lot.remaining <= lot.points  # 3
        assert lot.points == lot.remaining + taken.get(lot.seq, 0)  # 4
    active = sum(lot.remaining for lot in lots if lot.activated_seq is not None)
    assert standing.active == active  # 2
    assert standing.pending == sum(lot.remaining for lot in lots if lot.activated_seq is None)
    open_holds = [hold for hold in standing.holds if hold.state is State.OPEN]
    assert standing.held == sum(hold.points for hold in open_holds)  # 23
    assert min(standing.active, standing.pending, standing.held, standing.debt) >= 0
    assert not (standing.active and standing.debt)  # what is owed is paid first: 28
    assert [entry.seq for entry in account.entries] == list(range(1, len(account.entries) + 1))
    recorded = [entry.recorded_at for entry in account.entries]
    assert recorded == sorted(recorded)  # 26
    before = (0, 0, 0, 0)
    for entry in account.entries:
        after = (entry.active_after, entry.pending_after, entry.held_after, entry.debt_after)
        effect = tuple(b - a for a, b in zip(before, after, strict=True))
        _effect(account, entry, effect, by_entry.get(entry.seq, 0))
        before = after
    assert before == (standing.active, standing.pending, standing.held, standing.debt)  # 1, 6
    _holds(account)
    _returns(account)


def _effect(account: Account, entry: Any, effect: tuple[int, ...], allocs: int) -> None:
    """An entry changes the balances by what it says, and its allocs add up to it: 1, 5."""
    active, pending, held, debt = effect
    n = entry.points
    match entry.kind:
        case EntryKind.ACTIVATE:
            assert (active, pending, held, debt, allocs) == (n, -n, 0, 0, 0)
        case EntryKind.HOLD:
            assert (active, pending, held, debt, allocs) == (n, 0, -n, 0, -n)
        case EntryKind.COMMIT:
            assert (active, pending, held, debt, allocs) == (0, 0, n, 0, 0)
        case EntryKind.RELEASE:
            assert (active, pending, held, debt, allocs) == (n, 0, -n, 0, -n)
        case EntryKind.REDEEM:
            assert (active, pending, held, debt, allocs) == (n, 0, 0, 0, -n)
        case EntryKind.REPAY:
            assert (active, pending, held, debt, allocs) == (n, 0, 0, n, -n)
        case EntryKind.REVERSE:
            assert n == active + pending - debt
            assert (held, allocs) == (0, -active - pending)
            assert debt >= 0
        case EntryKind.EXPIRE:
            assert n == active + pending < 0
            assert (held, debt, allocs) == (0, 0, -n)
        case EntryKind.RESTORE:
            assert (active, pending, held, debt) == (n, 0, 0, 0)
            assert allocs in {0, -n}
        case EntryKind.CLOSE:
            assert n == active + pending - debt
            assert (held, allocs) == (0, -active - pending)
        case EntryKind.OPEN if n < 0:
            assert (active, pending, held, debt, allocs) == (0, 0, 0, -n, 0)
        case EntryKind.ADJUST if n < 0:
            assert (active, pending, held, debt, allocs) == (n, 0, 0, 0, -n)
        case _:
            assert (active, pending) in {(n, 0), (0, n)}
            assert (held, debt, allocs) == (0, 0, 0)


def _holds(account: Account) -> None:
    """A hold has one end; what was committed and what came back is what was held: 20, 21."""
    for hold in account.standing.holds:
        about = [entry for entry in account.entries if entry.about_seq == hold.seq]
        mine = [one for one in about if one.kind in {EntryKind.COMMIT, EntryKind.RELEASE}]
        if hold.state is State.OPEN:
            assert not mine
        else:
            assert sum(abs(one.points) for one in mine) == hold.points
            assert mine[0].seq == hold.closed_seq
            assert (mine[0].kind is EntryKind.COMMIT) == (hold.state is State.COMMITTED)
            assert (mine[0].op_key is None) == (hold.state is State.EXPIRED)


def _returns(account: Account) -> None:
    """Never more is returned of an entry than it was of: 27."""
    returned: dict[int, int] = {}
    for entry, proof in zip(account.entries, account.proofs, strict=True):
        if entry.kind in {EntryKind.REVERSE, EntryKind.RESTORE} and entry.about_seq:
            size = abs(entry.points) + proof.get("forgiven", 0)
            returned[entry.about_seq] = returned.get(entry.about_seq, 0) + size
    for seq, points in returned.items():
        assert points <= abs(account.entries[seq - 1].points)


def conserved(accounts: Iterable[Account]) -> None:
    """Points come from somewhere and go somewhere: 30, over all accounts together."""
    sums: dict[EntryKind, int] = {}
    held = worth = 0
    for account in accounts:
        standing = account.standing
        held += standing.held
        worth += standing.active + standing.pending + standing.held - standing.debt
        for entry in account.entries:
            sums[entry.kind] = sums.get(entry.kind, 0) + entry.points
    flows = (
        *(EntryKind.ACCRUE, EntryKind.IMPORT, EntryKind.ADJUST, EntryKind.RESTORE),
        *(EntryKind.REDEEM, EntryKind.COMMIT, EntryKind.REVERSE, EntryKind.EXPIRE),
        *(EntryKind.OPEN, EntryKind.CLOSE),
    )
    assert worth == sum(sums.get(kind, 0) for kind in flows)
    reserved = [sums.get(kind, 0) for kind in (EntryKind.HOLD, EntryKind.RELEASE, EntryKind.COMMIT)]
    assert held == -(reserved[0] + reserved[1]) + reserved[2]


def worth(accounts: Iterable[Account]) -> tuple[int, int]:
    """What accounts have and owe together."""
    of = [one.standing for one in accounts]
    return (
        sum(one.active + one.pending + one.held - one.debt for one in of),
        sum(one.held for one in of),
    )


def occurred_by(account: Account, as_of: datetime) -> tuple[int, int, int, int]:
    """What had happened by an instant of all that is known, and what is due by then."""
    total = [0, 0, 0, 0]
    before = (0, 0, 0, 0)
    for entry in account.entries:
        after = (entry.active_after, entry.pending_after, entry.held_after, entry.debt_after)
        if entry.occurred_at <= as_of:
            total = [x + b - a for x, a, b in zip(total, before, after, strict=True)]
        before = after
    now = account.standing
    later, drafts = model.elapsed(now, until=as_of, at=as_of)
    for name, i in (("active", 0), ("pending", 1), ("held", 2), ("debt", 3)):
        total[i] += getattr(later, name) - getattr(now, name)
    assert bool(drafts) == (later.seq > now.seq)
    return (total[0], total[1], total[2], total[3])


def explained(account: Account, found: Explained) -> None:
    """An entry says which lots it moved points of, and they add up: 30."""
    entry, moved = found.entry, sum(one.points for one in found.lots)
    assert entry == account.entries[entry.seq - 1]
    effect = abs(entry.points)
    match entry.kind:
        case EntryKind.HOLD | EntryKind.COMMIT | EntryKind.REDEEM | EntryKind.EXPIRE:
            assert moved == effect
        case EntryKind.REPAY | EntryKind.ACTIVATE:
            assert moved == effect
        case EntryKind.RELEASE:
            assert moved == -effect
        case EntryKind.RESTORE:
            assert moved in {-effect, 0}
            assert moved or found.origin is not None
        case EntryKind.ACCRUE:
            assert sum(part.points for part in found.parts) == effect


def _values(of: Any) -> tuple[Any, ...]:
    return tuple(
        str(value) if isinstance(value, (EntryKind, State)) else value
        for value in vars(of).values()
    )
