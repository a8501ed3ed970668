"""What must hold in every account, checked from its rows alone: no function of the database helps.

An account's rows are gone through in the order of its entries, lots filled and emptied as the
allocs say, and each entry's balances compared with what the lots then hold. `RULES` names what is
looked at; reference to the wording of a rule is its name.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from vezde.ledger.model import EntryKind

RULES: Mapping[str, str] = {
    "seq": "entries are numbered 1, 2, 3… to the account's last, without a gap",
    "recorded": "what is recorded never goes back in time",
    "lots": "at every entry active and pending points are what the lots then hold",
    "points": "an entry's points are what it changed the balances by",
    "held": "held points are those of open holds",
    "account": "the account says what its last entry says",
    "remaining": "a lot has left what was not taken of it, and is open while it has any",
    "order": "spending takes the lots that are to be used first",
    "parts": "parts of an accrual add up to it",
    "expiry": "nothing expires before its date, and nothing is left in a lot long after it",
    "returned": "no more is reversed or restored of an entry than it was of",
    "ops": "each command has one op, whose first entry carries its key",
    "strays": "lots, allocs and holds belong to entries that are there",
    "closed": "a closed account is empty",
    "seals": "sealed entries are what they were when they were sealed",
}
SPENDING = frozenset({EntryKind.HOLD, EntryKind.REDEEM, EntryKind.REPAY})
RETURNING = frozenset({EntryKind.REVERSE, EntryKind.RESTORE})
# These only move points between an account's balances.
INSIDE = frozenset({EntryKind.ACTIVATE, EntryKind.HOLD, EntryKind.RELEASE, EntryKind.REPAY})
# What an entry does to the held points.
HELD: Mapping[str, int] = {EntryKind.HOLD: 1, EntryKind.COMMIT: -1, EntryKind.RELEASE: -1}


@dataclass(frozen=True, slots=True)
class AccountRow:
    member_id: UUID
    active: int
    pending: int
    held: int
    debt: int
    seq: int
    updated_at: datetime
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class EntryRow:
    member_id: UUID
    seq: int
    kind: str
    points: int
    active_after: int
    pending_after: int
    held_after: int
    debt_after: int
    occurred_at: datetime
    recorded_at: datetime
    lot_seq: int | None
    about_seq: int | None
    op_key: str | None
    actor: str
    title: str
    proof: Any


@dataclass(frozen=True, slots=True)
class LotRow:
    member_id: UUID
    seq: int
    points: int
    remaining: int
    active_at: datetime | None
    expires_at: datetime | None
    use_order: datetime
    activated_seq: int | None
    open: bool


@dataclass(frozen=True, slots=True)
class AllocRow:
    member_id: UUID
    debit_seq: int
    lot_seq: int
    points: int


@dataclass(frozen=True, slots=True)
class HoldRow:
    member_id: UUID
    hold_id: UUID
    seq: int
    closed_seq: int | None
    points: int
    state: str


@dataclass(frozen=True, slots=True)
class OpRow:
    member_id: UUID
    op_key: str
    first_seq: int
    n_entries: int


@dataclass(frozen=True, slots=True)
class Rows:
    """All rows of one account, each kind in the order of its key."""

    account: AccountRow
    entries: Sequence[EntryRow] = ()
    lots: Sequence[LotRow] = ()
    allocs: Sequence[AllocRow] = ()
    holds: Sequence[HoldRow] = ()
    ops: Sequence[OpRow] = ()


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule that does not hold, and where: `seq` of an entry or a lot, None for the account."""

    member_id: UUID
    rule: str
    seq: int | None
    detail: str


@dataclass(slots=True)
class _Walk:
    """Where the walk through an account's entries is."""

    rows: Rows
    lots: dict[int, LotRow] = field(default_factory=dict)
    left: dict[int, int] = field(default_factory=dict)
    taken: Mapping[int, list[AllocRow]] = field(default_factory=dict)
    activated: Mapping[int, list[LotRow]] = field(default_factory=dict)
    active: int = 0
    pending: int = 0

    def told(self, rule: str, seq: int | None, detail: str) -> Violation:
        return Violation(self.rows.account.member_id, rule, seq, detail)


def check(rows: Rows) -> list[Violation]:
    """All that does not hold in this account, in the order found."""
    taken, activated = defaultdict(list), defaultdict(list)
    for alloc in rows.allocs:
        taken[alloc.debit_seq].append(alloc)
    for lot in rows.lots:
        if lot.activated_seq is not None and lot.activated_seq != lot.seq:
            activated[lot.activated_seq].append(lot)
    walk = _Walk(rows, {lot.seq: lot for lot in rows.lots}, {}, taken, activated)
    return [
        violation
        for looked_at in (_strays, _entries, _account, _holds, _lots, _returned, _ops)
        for violation in looked_at(walk)
    ]


def _strays(walk: _Walk) -> Iterator[Violation]:
    known = {entry.seq for entry in walk.rows.entries}
    for lot in walk.rows.lots:
        if lot.seq not in known:
            yield walk.told("strays", lot.seq, "the lot's entry is missing")
    for alloc in walk.rows.allocs:
        if alloc.debit_seq not in known or alloc.lot_seq not in walk.lots:
            yield walk.told(
                "strays", alloc.debit_seq, f"an alloc on lot {alloc.lot_seq} hangs loose"
            )
    for hold in walk.rows.holds:
        if hold.seq not in known or not (hold.closed_seq is None or hold.closed_seq in known):
            yield walk.told("strays", hold.seq, "the hold's entry is missing")


def _entries(walk: _Walk) -> Iterator[Violation]:
    before: EntryRow | None = None
    held = 0
    for number, entry in enumerate(walk.rows.entries, start=1):
        if entry.seq != number:
            yield walk.told("seq", entry.seq, f"entry {number} was expected here")
            return
        if before is not None and entry.recorded_at < before.recorded_at:
            yield walk.told("recorded", entry.seq, "it was recorded before the entry before it")
        yield from _order(walk, entry)
        yield from _take(walk, entry)
        yield from _balances(walk, entry)
        held += HELD.get(entry.kind, 0) * abs(entry.points)
        if entry.held_after != held:
            yield walk.told("held", entry.seq, f"{entry.held_after} held, holds are of {held}")
        yield from _points(walk, entry, before)
        before = entry


def _take(walk: _Walk, entry: EntryRow) -> Iterator[Violation]:
    """Make the entry's lot, make lots active, take from lots or give back what its allocs say."""
    made = walk.lots.get(entry.seq)
    if made is not None:
        walk.left[entry.seq] = made.points
        if made.activated_seq == entry.seq:
            walk.active += made.points
        else:
            walk.pending += made.points
    for ripe in walk.activated.get(entry.seq, ()):
        walk.active += walk.left.get(ripe.seq, 0)
        walk.pending -= walk.left.get(ripe.seq, 0)
    for alloc in walk.taken.get(entry.seq, ()):
        lot = walk.lots.get(alloc.lot_seq)
        if lot is None:
            continue
        left = walk.left.get(lot.seq, 0) - alloc.points
        walk.left[lot.seq] = left
        if lot.activated_seq is not None and lot.activated_seq <= entry.seq:
            walk.active -= alloc.points
        else:
            walk.pending -= alloc.points
        if not 0 <= left <= lot.points:
            yield walk.told("lots", entry.seq, f"lot {lot.seq} of {lot.points} would hold {left}")


def _balances(walk: _Walk, entry: EntryRow) -> Iterator[Violation]:
    if (walk.active, walk.pending) != (entry.active_after, entry.pending_after):
        yield walk.told(
            "lots",
            entry.seq,
            f"{entry.active_after} active and {entry.pending_after} pending, the lots hold "
            f"{walk.active} and {walk.pending}",
        )


def _order(walk: _Walk, entry: EntryRow) -> Iterator[Violation]:
    """Of the active lots before this entry only the first in use order may be taken from."""
    if entry.kind not in SPENDING:
        return
    wanted = {alloc.lot_seq: alloc.points for alloc in walk.taken.get(entry.seq, ())}
    usable = sorted(
        (
            lot
            for seq, lot in walk.lots.items()
            if walk.left.get(seq, 0) > 0
            and lot.activated_seq is not None
            and lot.activated_seq < entry.seq
        ),
        key=lambda lot: (lot.use_order, lot.seq),
    )
    passed = False
    for lot in usable:
        points = wanted.get(lot.seq, 0)
        if points and passed:
            yield walk.told("order", entry.seq, f"lot {lot.seq} was taken before an earlier one")
        passed = passed or points < walk.left[lot.seq]


def _points(walk: _Walk, entry: EntryRow, before: EntryRow | None) -> Iterator[Violation]:
    """The entry's points against what it changed; within an account they only move."""
    changed = _worth(entry) - (0 if before is None else _worth(before))
    if entry.kind in INSIDE:
        if changed:
            yield walk.told("points", entry.seq, f"a {entry.kind} changed the total by {changed}")
    elif changed != entry.points:
        yield walk.told(
            "points", entry.seq, f"{entry.points} points changed the total by {changed}"
        )
    if isinstance(entry.proof, dict) and "parts" in entry.proof:
        total = sum(part[3] for part in entry.proof["parts"])
        # What a return takes back is told by part, too, with what of it was let go.
        back = entry.kind == EntryKind.REVERSE
        whole = entry.proof.get("forgiven", 0) - entry.points if back else entry.points
        if total != whole:
            yield walk.told("parts", entry.seq, f"parts of {total} make an entry of {entry.points}")


def _worth(entry: EntryRow) -> int:
    return entry.active_after + entry.pending_after + entry.held_after - entry.debt_after


def _account(walk: _Walk) -> Iterator[Violation]:
    account, last = walk.rows.account, walk.rows.entries[-1] if walk.rows.entries else None
    said = (account.seq, account.active, account.pending, account.held, account.debt)
    known = (0, 0, 0, 0, 0)
    if last is not None:
        known = (last.seq, last.active_after, last.pending_after, last.held_after, last.debt_after)
        if account.updated_at != last.recorded_at:
            yield walk.told("account", None, "its last entry was recorded at another time")
    if said != known:
        yield walk.told("account", None, f"it says {said}, its last entry {known}")
    if account.closed_at is not None and any(said[1:]):
        yield walk.told("closed", None, f"it is closed and holds {said[1:]}")


def _holds(walk: _Walk) -> Iterator[Violation]:
    """What was committed and released of a hold is all of it, or nothing while it is open."""
    ended: dict[int, int] = defaultdict(int)
    for entry in walk.rows.entries:
        if entry.kind in {EntryKind.COMMIT, EntryKind.RELEASE} and entry.about_seq is not None:
            ended[entry.about_seq] += abs(entry.points)
    for hold in walk.rows.holds:
        wanted = 0 if hold.state == "open" else hold.points
        if ended.pop(hold.seq, 0) != wanted:
            yield walk.told("held", hold.seq, f"the hold is {hold.state}, its entries are not so")
    for seq in ended:
        yield walk.told("held", seq, "a hold that is not there was committed or released")


def _lots(walk: _Walk) -> Iterator[Violation]:
    for one in walk.rows.lots:
        left = walk.left.get(one.seq, 0)
        if one.remaining != left or one.open != (left > 0):
            state = "open" if one.open else "closed"
            yield walk.told("remaining", one.seq, f"it is {state} with {one.remaining}, not {left}")
    for entry in walk.rows.entries:
        if entry.kind != EntryKind.EXPIRE:
            continue
        for alloc in walk.taken.get(entry.seq, ()):
            lot = walk.lots.get(alloc.lot_seq)
            if lot and lot.expires_at is not None and lot.expires_at > entry.recorded_at:
                yield walk.told("expiry", entry.seq, f"lot {lot.seq} expired before its date")


def _returned(walk: _Walk) -> Iterator[Violation]:
    """Reversals of an accrual, restores of a debit: together never more than the entry."""
    entries = {entry.seq: entry for entry in walk.rows.entries}
    back: dict[int, int] = defaultdict(int)
    for entry in walk.rows.entries:
        if entry.kind in RETURNING and entry.about_seq is not None:
            back[entry.about_seq] += abs(entry.points)
    for seq, points in back.items():
        about = entries.get(seq)
        if about is None:
            yield walk.told("returned", seq, "what was reversed or restored is missing")
        elif points > abs(about.points):
            yield walk.told("returned", seq, f"{points} came back of {abs(about.points)}")


def _ops(walk: _Walk) -> Iterator[Violation]:
    entries = {entry.seq: entry for entry in walk.rows.entries}
    for op in walk.rows.ops:
        first = entries.get(op.first_seq)
        if first is None or first.op_key != op.op_key:
            yield walk.told("ops", op.first_seq, "the command's entry is missing or another's")
    told = {op.op_key for op in walk.rows.ops}
    for entry in walk.rows.entries:
        if entry.op_key is not None and entry.op_key not in told:
            yield walk.told("ops", entry.seq, "the entry's command is missing")
