"""The audit that never stops: a slice of accounts after another is checked and sealed."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, LiteralString
from uuid import UUID

from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.ledger import audit, seals
from vezde.ledger.audit import (
    AccountRow,
    AllocRow,
    EntryRow,
    HoldRow,
    LotRow,
    OpRow,
    Rows,
    Violation,
)
from vezde.ledger.seals import Seal, Signer

# A snapshot: what one account has is read by several statements.
SNAPSHOT: LiteralString = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"
BEGIN: LiteralString = """
INSERT INTO ledger.audit
    (one, next_wall, accounts, violations, finished_accounts, finished_violations)
VALUES (true, %s, 0, 0, 0, 0) ON CONFLICT DO NOTHING
"""
CLAIM: LiteralString = """
SELECT walked_to, began_wall, accounts, violations FROM ledger.audit
WHERE one AND next_wall <= %s FOR UPDATE SKIP LOCKED
"""
WALKED: LiteralString = """
UPDATE ledger.audit
SET walked_to = %s, began_wall = %s, accounts = %s, violations = %s, next_wall = %s
"""
FINISHED: LiteralString = """
UPDATE ledger.audit
SET walked_to = NULL, began_wall = NULL, accounts = 0, violations = 0, next_wall = %(next)s,
    finished_wall = %(wall)s, finished_accounts = accounts, finished_violations = violations
"""
REST: LiteralString = "UPDATE ledger.audit SET next_wall = greatest(next_wall, %s)"
ACCOUNTS: LiteralString = """
SELECT member_id, active, pending, held, debt, seq, updated_at, closed_at
FROM ledger.account WHERE member_id > %s ORDER BY member_id LIMIT %s
"""
ACCOUNT: LiteralString = """
SELECT member_id, active, pending, held, debt, seq, updated_at, closed_at
FROM ledger.account WHERE member_id = %s
"""
ENTRIES: LiteralString = """
SELECT member_id, seq, kind, points, active_after, pending_after, held_after, debt_after,
    occurred_at, recorded_at, lot_seq, about_seq, op_key, actor, title, proof
FROM ledger.entry WHERE member_id = ANY(%s) ORDER BY member_id, seq
"""
LOTS: LiteralString = """
SELECT member_id, seq, points, remaining, active_at, expires_at, use_order, activated_seq, open
FROM ledger.lot WHERE member_id = ANY(%s) ORDER BY member_id, seq
"""
ALLOCS: LiteralString = """
SELECT member_id, debit_seq, lot_seq, points
FROM ledger.alloc WHERE member_id = ANY(%s) ORDER BY member_id, debit_seq, lot_seq
"""
HOLDS: LiteralString = """
SELECT member_id, hold_id, seq, closed_seq, points, state
FROM ledger.hold WHERE member_id = ANY(%s) ORDER BY member_id, seq
"""
OPS: LiteralString = """
SELECT member_id, op_key, first_seq, n_entries
FROM ledger.op WHERE member_id = ANY(%s) ORDER BY member_id, first_seq
"""
SEALS: LiteralString = """
SELECT member_id, through_seq, hash, sealed_at
FROM ledger.seal WHERE member_id = ANY(%s) ORDER BY member_id, through_seq
"""
SEAL: LiteralString = """
INSERT INTO ledger.seal (member_id, through_seq, hash, sealed_at) VALUES (%s, %s, %s, %s)
"""
SOUND: LiteralString = "DELETE FROM ledger.violation WHERE member_id = ANY(%s)"
NOTE: LiteralString = """
INSERT INTO ledger.violation (member_id, place, rule, seq, detail, found_wall)
VALUES (%s, %s, %s, %s, %s, %s)
"""

FIRST = UUID(int=0)
# A slice: so many accounts, or as few of them as have so many entries; some 20 ms of a worker.
MOST_ACCOUNTS, MOST_ENTRIES = 100, 2_000
MOST_TOLD = 20  # of one account
# The walk rests so many times longer than a slice took, and a while between rounds.
RESTS_TIMES = 30
BETWEEN_SLICES, BETWEEN_ROUNDS = timedelta(seconds=1), timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Slice:
    """Accounts read together: their rows with their seals, and where to go on; None: the end."""

    accounts: tuple[tuple[Rows, tuple[Seal, ...]], ...]
    walked_to: UUID | None

    @property
    def member_ids(self) -> list[UUID]:
        return [rows.account.member_id for rows, _ in self.accounts]


@dataclass(frozen=True, slots=True)
class _Walk:
    walked_to: UUID | None
    began_wall: datetime | None
    accounts: int
    violations: int


async def read_slice(db: Db, after: UUID | None) -> Slice:
    """The next accounts in the order of their ids, as of one moment.

    `db` is a transaction that has run no statement yet.
    """
    await db.execute(SNAPSHOT)
    return await _read(db, after)


async def read_account(db: Db, member_id: UUID) -> Slice:
    """One account, as `read_slice` does; empty when there is none."""
    await db.execute(SNAPSHOT)
    return await filled(db, await kit_db.fetch_all(db, AccountRow, ACCOUNT, [member_id]))


def examine(found: Slice, signer: Signer) -> list[Violation]:
    """All that does not hold in these accounts, seals included."""
    return [
        violation
        for rows, sealed in found.accounts
        for violation in (*audit.check(rows), *seals.broken(rows, sealed, signer))
    ]


async def audit_slice(db: Db, *, signer: Signer, wall: datetime) -> bool:
    """Check and seal the next slice when its turn has come; False: it has not, or others do it.

    `db` is a transaction that has run no statement yet. An account with a violation is not sealed.
    """
    await db.execute(SNAPSHOT)
    await db.execute(BEGIN, [wall])
    walk = await kit_db.fetch_one(db, _Walk, CLAIM, [wall])
    if walk is None:
        return False
    found = await _read(db, walk.walked_to)
    violations = examine(found, signer)
    await _note(db, found, violations, wall=wall)
    await seal(db, found, {one.member_id for one in violations}, signer, wall=wall)
    accounts = walk.accounts + len(found.accounts)
    wrong = walk.violations + len(violations)
    began = walk.began_wall or wall
    await db.execute(WALKED, [found.walked_to, began, accounts, wrong, wall])
    if found.walked_to is None:
        await db.execute(FINISHED, {"next": wall + BETWEEN_ROUNDS, "wall": wall})
    return True


async def rest(db: Db, *, took: timedelta, wall: datetime) -> None:
    """Let the walk rest after a slice that took so long."""
    await db.execute(REST, [wall + max(BETWEEN_SLICES, took * RESTS_TIMES)])


async def _read(db: Db, after: UUID | None) -> Slice:
    asked = [after or FIRST, MOST_ACCOUNTS]
    page = await kit_db.fetch_all(db, AccountRow, ACCOUNTS, asked)
    entries = 0
    for place, account in enumerate(page, start=1):
        entries += account.seq
        if entries >= MOST_ENTRIES and place < len(page):
            return await filled(db, page[:place], walked_to=account.member_id)
    last = page[-1].member_id if len(page) == MOST_ACCOUNTS else None
    return await filled(db, page, walked_to=last)


async def filled(db: Db, accounts: Sequence[AccountRow], walked_to: UUID | None = None) -> Slice:
    """These accounts with all their rows, in seven set reads."""
    members = [one.member_id for one in accounts]
    entries = await _by_member(db, EntryRow, ENTRIES, members)
    lots = await _by_member(db, LotRow, LOTS, members)
    allocs = await _by_member(db, AllocRow, ALLOCS, members)
    holds = await _by_member(db, HoldRow, HOLDS, members)
    ops = await _by_member(db, OpRow, OPS, members)
    sealed = await _by_member(db, Seal, SEALS, members)
    return Slice(
        tuple(
            (
                Rows(
                    account,
                    *(kind[account.member_id] for kind in (entries, lots, allocs, holds, ops)),
                ),
                tuple(sealed[account.member_id]),
            )
            for account in accounts
        ),
        walked_to,
    )


async def _by_member(
    db: Db, row: type[Any], query: LiteralString, members: Sequence[UUID]
) -> dict[UUID, list[Any]]:
    found: dict[UUID, list[Any]] = defaultdict(list)
    for one in await kit_db.fetch_all(db, row, query, [list(members)]):
        found[one.member_id].append(one)
    return found


async def _note(db: Db, found: Slice, violations: Sequence[Violation], *, wall: datetime) -> None:
    """Keep what was found, of each account the first ones, instead of what was found before."""
    await db.execute(SOUND, [found.member_ids])
    by_member: dict[UUID, list[Violation]] = defaultdict(list)
    for one in violations:
        by_member[one.member_id].append(one)
    rows = [
        (one.member_id, place, one.rule, one.seq, one.detail, wall)
        for several in by_member.values()
        for place, one in enumerate(several[:MOST_TOLD])
    ]
    await kit_db.execute_many(db, NOTE, rows)


async def seal(db: Db, found: Slice, unsound: set[UUID], signer: Signer, *, wall: datetime) -> None:
    """Seal what came since the last seal of each account, but for those that are `unsound`."""
    fresh = [
        seals.next_seal(rows, sealed, signer, wall=wall)
        for rows, sealed in found.accounts
        if rows.account.member_id not in unsound
    ]
    await kit_db.execute_many(
        db, SEAL, [(s.member_id, s.through_seq, s.hash, s.sealed_at) for s in fresh if s]
    )
