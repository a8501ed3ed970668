"""Points taken back from an accrual, and given back of a redemption or commit.

Both read under the account's lock what there is, decide in Python and write what was decided. What
was done on an account that was merged into this one is looked for there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.kit.errors import DomainError, Kind
from vezde.ledger import model, rows
from vezde.ledger.model import (
    Accrued,
    Command,
    Debited,
    DebtPolicy,
    EntryKind,
    Lot,
    Restoration,
    Reversal,
    Source,
    Split,
)
from vezde.ledger.operations import writing
from vezde.ledger.operations.accounts import check, done_before, named, refusal, settle

Place = tuple[UUID, int]
Return = tuple[UUID, int, int, Any]  # account, seq, points, proof

# Entries that gave points: what can be reversed.
GAVE = ("accrue", "import", "adjust")
ABOUT: LiteralString = """
SELECT e.kind::text, e.points, e.proof FROM ledger.entry e WHERE e.member_id = %s AND e.seq = %s
"""
# Of an entry here by its seq, of one of another account by its name.
BEFORE: LiteralString = """
SELECT e.seq, e.points, e.proof FROM ledger.entry e
WHERE e.member_id = %s AND e.kind IN ('reverse', 'restore') AND (
    e.about_seq = %s OR e.about_seq IS NULL AND e.proof -> 'about' = %s::jsonb)
"""
# Accounts that were closed one into the next, from this one on.
PATH: LiteralString = """
WITH RECURSIVE path (member_id, step) AS (
    SELECT %s::uuid, 1
    UNION ALL
    SELECT (e.proof ->> 'into')::uuid, path.step + 1
    FROM path
    JOIN ledger.account a ON a.member_id = path.member_id AND a.closed_at IS NOT NULL
    JOIN ledger.entry e ON e.member_id = a.member_id AND e.seq = a.seq AND e.kind = 'close'
    WHERE e.proof ->> 'into' IS NOT NULL AND path.step < 100
)
SELECT path.member_id FROM path ORDER BY path.step
"""
# Accounts that this one was ever closed into, even if that was undone, and itself.
EVER: LiteralString = """
WITH RECURSIVE ever (member_id) AS (
    SELECT %s::uuid
    UNION
    SELECT (e.proof ->> 'into')::uuid
    FROM ever
    JOIN ledger.entry e ON e.member_id = ever.member_id AND e.kind = 'close'
    WHERE e.proof ->> 'into' IS NOT NULL
)
SELECT ever.member_id FROM ever ORDER BY ever.member_id
"""
# Lots that have the points of an accrual: its own one here, and those that came with a merge.
OWN: LiteralString = """
SELECT l.seq, l.points, l.remaining, l.active_at, l.expires_at, l.activated_seq
FROM ledger.lot l
JOIN ledger.entry e ON e.member_id = l.member_id AND e.seq = l.seq
WHERE l.member_id = %(member_id)s AND (
    l.seq = %(own_seq)s
    OR e.kind IN ('open', 'restore') AND e.proof -> 'origin' = %(origin)s::jsonb)
"""
# What a debit took from which lots, with what these lots are.
SOURCES: LiteralString = """
SELECT one.lot_seq, one.points, l.active_at, l.expires_at, e.proof -> 'origin'
FROM ledger.spent(%(member_id)s, %(seq)s) s
CROSS JOIN LATERAL unnest(s.lots, s.taken) AS one (lot_seq, points)
JOIN ledger.lot l ON l.member_id = %(member_id)s AND l.seq = one.lot_seq
JOIN ledger.entry e ON e.member_id = %(member_id)s AND e.seq = one.lot_seq
ORDER BY l.use_order, l.seq
"""
GIVEN_BACK: LiteralString = """
SELECT a.lot_seq, sum(a.points)::bigint FROM ledger.alloc a
WHERE a.member_id = %s AND a.debit_seq = ANY(%s::bigint[]) GROUP BY a.lot_seq
"""
OP_ENTRIES: LiteralString = """
SELECT e.seq, e.points, e.debt_after, e.recorded_at, e.proof, l.expires_at
FROM ledger.entry e
JOIN ledger.op o ON o.member_id = e.member_id AND o.first_seq = %(seq)s
    AND e.seq >= o.first_seq AND e.seq < o.first_seq + o.n_entries
LEFT JOIN ledger.lot l ON l.member_id = e.member_id AND l.seq = e.seq
WHERE e.member_id = %(member_id)s
ORDER BY e.seq
"""
DEBT_BEFORE: LiteralString = """
SELECT e.debt_after FROM ledger.entry e WHERE e.member_id = %s AND e.seq = %s - 1
"""
ALLOCS: LiteralString = """
SELECT a.lot_seq, a.points, l.expires_at FROM ledger.alloc a
JOIN ledger.lot l ON l.member_id = a.member_id AND l.seq = a.lot_seq
WHERE a.member_id = %s AND a.debit_seq = %s
"""


@dataclass(frozen=True)
class Reversed:
    """What a reversal took from where; the last four add up to `points`."""

    seq: int
    points: int
    from_own_lot: int
    from_other_lots: int
    debt: int
    forgiven: int


@dataclass(frozen=True)
class Restored:
    """What a restoration gave back; `expired` of it went at once, its lots being over."""

    seq: int
    points: int
    expired: int


class OverReturned(DomainError):
    """More would be taken or given back than the entry was of; `extra` tells what is left."""

    code = "over_returned"
    kind = Kind.CONFLICT


class DebtForbidden(DomainError):
    """Points that are to be taken back were spent, and the policy allows no debt."""

    code = "debt_forbidden"
    kind = Kind.REFUSED


class NotReturnable(DomainError):
    """There is no such entry, or it is of a kind that is not taken or given back."""

    code = "not_returnable"
    kind = Kind.MISSING


async def reverse(db: Db, command: Reversal, *, now: datetime, actor: str) -> Reversed:
    """Take back points of an accrual: from its own lot, then from others, then by the debt policy.

    Points of open holds are left alone. Raises `BadCommand`, `AccountMissing`, `AccountClosed`,
    `OpConflict`, `NotReturnable`, `OverReturned`, `DebtForbidden`.
    """
    fingerprint, at, known = await _begin(db, command, now)
    place = (command.accrual_member or command.member_id, command.accrual_seq)
    if known is not None:
        return await _reversed(db, command, place, known)
    accrued = await _accrued(db, command, place)
    if model.over_returned(accrued, command):
        raise _over(command, accrued.points - accrued.reversed)
    standing = await rows.standing(db, command.member_id)
    shares = model.split(standing, accrued.own, command.points, command.debt)
    if shares.forgiven and command.debt.policy is DebtPolicy.FORBID:
        raise DebtForbidden(
            f"{shares.forgiven} of {command.points} points were spent and cannot be taken back.",
            extra=named(command.member_id, command.op_key),
        )
    draft = model.reversal(standing, accrued, command, shares)
    seq = await writing.write(db, command, fingerprint, [draft], at=at, actor=actor)
    return _told(seq, command.points, shares)


async def restore(db: Db, command: Restoration, *, now: datetime, actor: str) -> Restored:
    """Give points of a redemption or commit back to the lots they came from, with their dates.

    What comes to a lot whose date has passed expires at once, by an entry of its own, or comes as
    a lot that lives until `grace_until`. A debt is repaid first. Raises `BadCommand`,
    `AccountMissing`, `AccountClosed`, `OpConflict`, `NotReturnable`, `OverReturned`,
    `TooManyPoints`.
    """
    fingerprint, at, known = await _begin(db, command, now)
    if known is None:
        place = (command.debit_member or command.member_id, command.debit_seq)
        debited = await _debited(db, command, place)
        if command.points > debited.points - debited.restored:
            raise _over(command, debited.points - debited.restored)
        standing = await rows.standing(db, command.member_id)
        if command.points > model.room(standing):
            raise refusal("overflow", command.member_id, command.op_key)
        drafts = model.restoration(debited, command, at=at)
        known = await writing.write(db, command, fingerprint, drafts, at=at, actor=actor)
    return Restored(known, command.points, await _expired(db, command.member_id, known))


async def path(db: Db, member_id: UUID) -> list[UUID]:
    """The account and those it was closed into, one after the other; the last one is open."""
    return [row[0] for row in await (await db.execute(PATH, [member_id])).fetchall()]


async def _begin(db: Db, command: Command, now: datetime) -> tuple[bytes, datetime, int | None]:
    """The command's fingerprint, when it is recorded, the seq of its first time."""
    check(command)
    fingerprint = model.fingerprint(command, model.proof_json(command))
    outcome, at = await settle(db, command.member_id, now=now)
    known = await done_before(db, command, fingerprint)
    if known is None and outcome == "closed":
        raise refusal(outcome, command.member_id, command.op_key)
    return fingerprint, at, known


async def _accrued(db: Db, command: Reversal, place: Place) -> Accrued:
    kind, points, proof = await _about(db, command, place)
    if kind not in GAVE or points <= 0:
        raise _not_returnable(command, place)
    before = await _before(db, place)
    parts, _ = model.parts_of(proof or {})
    return Accrued(
        place,
        points,
        sum(one.get("forgiven", 0) - taken for _, _, taken, one in before),
        model.parts_left(parts, [model.parts_of(one)[0] for *_, one in before]),
        tuple(await _own(db, command.member_id, place)),
    )


async def _debited(db: Db, command: Restoration, place: Place) -> Debited:
    kind, points, _ = await _about(db, command, place)
    if kind not in {EntryKind.REDEEM, EntryKind.COMMIT} and not (
        kind == EntryKind.ADJUST and points < 0
    ):
        raise _not_returnable(command, place)
    before = await _before(db, place)
    back = await _given_back(db, place, before)
    owner, seq = place
    found = await (await db.execute(SOURCES, {"member_id": owner, "seq": seq})).fetchall()
    sources = [
        Source(
            (owner, lot_seq),
            taken - back.get((owner, lot_seq), 0),
            active_at,
            expires_at,
            owner == command.member_id,
            (UUID(origin[0]), int(origin[1])) if origin else (owner, lot_seq),
        )
        for lot_seq, taken, active_at, expires_at, origin in found
    ]
    return Debited(
        place,
        -points,
        sum(given for _, _, given, _ in before),
        tuple(one for one in sources if one.points),
    )


async def _about(db: Db, command: Command, place: Place) -> tuple[str, int, Any]:
    """The entry a command is about; on another account, that one must have come into this one."""
    row = await (await db.execute(ABOUT, list(place))).fetchone()
    if row is None or (await path(db, place[0]))[-1] != command.member_id:
        raise _not_returnable(command, place)
    return row[0], row[1], row[2]


async def _before(db: Db, place: Place) -> list[Return]:
    """What was returned of an entry before, wherever its account went."""
    name = model.canonical([str(place[0]), place[1]])
    found: list[Return] = []
    accounts = await (await db.execute(EVER, [place[0]])).fetchall()
    for (member_id,) in accounts:
        own_seq = place[1] if member_id == place[0] else None
        cursor = await db.execute(BEFORE, [member_id, own_seq, name])
        found += [
            (member_id, seq, points, proof or {}) for seq, points, proof in await cursor.fetchall()
        ]
    return found


async def _given_back(db: Db, place: Place, before: Sequence[Return]) -> dict[Place, int]:
    """Points that came back of a debit, by the lot they had been taken from."""
    back: dict[Place, int] = {}
    here = [seq for member_id, seq, _, _ in before if member_id == place[0]]
    for lot_seq, points in await (await db.execute(GIVEN_BACK, [place[0], here])).fetchall():
        back[place[0], lot_seq] = -points
    for _, _, points, proof in before:
        if "from" in proof:
            source = (UUID(proof["from"][0]), int(proof["from"][1]))
            back[source] = back.get(source, 0) + points
    return back


async def _own(db: Db, member_id: UUID, place: Place) -> list[Lot]:
    origin = model.canonical([str(place[0]), place[1]])
    own_seq = place[1] if place[0] == member_id else None
    asked = {"member_id": member_id, "own_seq": own_seq, "origin": origin}
    return await kit_db.fetch_all(db, Lot, OWN, asked)


async def _reversed(db: Db, command: Reversal, place: Place, seq: int) -> Reversed:
    """A reversal that was done before, as it was answered then."""
    ((_, _, debt_after, _, proof, _),) = await _op(db, command.member_id, seq)
    debt = debt_after - (await kit_db.fetch_value(db, DEBT_BEFORE, [command.member_id, seq]) or 0)
    own = {lot.seq for lot in await _own(db, command.member_id, place)}
    taken = await (await db.execute(ALLOCS, [command.member_id, seq])).fetchall()
    from_own = sum(points for lot_seq, points, _ in taken if lot_seq in own)
    whole = sum(points for _, points, _ in taken)
    forgiven = (proof or {}).get("forgiven", 0)
    return Reversed(seq, command.points, from_own, whole - from_own, debt, forgiven)


async def _expired(db: Db, member_id: UUID, seq: int) -> int:
    """Of what an op restored: what came to lots whose date had passed by then."""
    expired = 0
    for entry_seq, points, _, recorded_at, _, own_ends_at in await _op(db, member_id, seq):
        taken = await (await db.execute(ALLOCS, [member_id, entry_seq])).fetchall()
        came = [(-given, ends_at) for _, given, ends_at in taken] or [(points, own_ends_at)]
        expired += sum(one for one, ends_at in came if ends_at and ends_at <= recorded_at)
    return expired


async def _op(db: Db, member_id: UUID, seq: int) -> list[tuple[Any, ...]]:
    return await (await db.execute(OP_ENTRIES, {"member_id": member_id, "seq": seq})).fetchall()


def _told(seq: int, points: int, shares: Split) -> Reversed:
    own, others = (sum(one.points for one in taken) for taken in (shares.own, shares.others))
    return Reversed(seq, points, own, others, shares.debt, shares.forgiven)


def _over(command: Command, left: int) -> OverReturned:
    return OverReturned(
        f"Only {left} points of that entry are left to return; send no more than that.",
        extra={**named(command.member_id, command.op_key), "left": left},
    )


def _not_returnable(command: Command, place: Place) -> NotReturnable:
    return NotReturnable(
        "There is nothing of that entry to return here; take an accrual's or a debit's seq from "
        "the member's history.",
        extra={**named(command.member_id, command.op_key), "seq": place[1]},
    )
