"""What changes points. Each call belongs to the caller's transaction; nothing here commits.

Lock order: accounts by id. Every operation here keeps it, so batches of any order cannot deadlock.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.kit.errors import DomainError, Kind
from vezde.ledger import model
from vezde.ledger.model import Accrual

OPEN_ACCOUNTS: LiteralString = """
INSERT INTO ledger.account (
    member_id, active, pending, held, debt, seq, opened_at, updated_at, last_activity_at)
SELECT opened.member_id, 0, 0, 0, 0, 0, %(now)s, %(now)s, %(now)s
FROM unnest(%(member_ids)s::uuid[]) AS opened (member_id)
ORDER BY opened.member_id
ON CONFLICT (member_id) DO NOTHING
"""
LOCK: LiteralString = """
SELECT a.member_id, a.closed_at FROM ledger.account a
WHERE a.member_id = ANY(%s::uuid[])
ORDER BY a.member_id
FOR UPDATE
"""
ACCRUE: LiteralString = """
SELECT outcome, seq
FROM ledger.accrue(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
# Rows only locked, not yet deleted, until the accounts are locked: an accrual that holds an account
# and writes the same due row waits for a deletion, but not for a lock.
CLAIM_DUE: LiteralString = """
SELECT d.due_at, d.member_id FROM ledger.due d
WHERE d.due_at <= %(now)s
ORDER BY d.due_at, d.member_id
LIMIT %(limit)s
FOR UPDATE SKIP LOCKED
"""
ACTIVATE: LiteralString = "SELECT ledger.activate(%s, %s)"
FORGET_DUE: LiteralString = "DELETE FROM ledger.due d WHERE d.due_at = %s AND d.member_id = %s"


class AccountMissing(DomainError):
    code = "account_missing"
    kind = Kind.MISSING


class AccountClosed(DomainError):
    code = "account_closed"
    kind = Kind.REFUSED


class OpConflict(DomainError):
    """The key was used for something else."""

    code = "op_conflict"
    kind = Kind.CONFLICT


class BadAccrual(DomainError):
    code = "bad_accrual"
    kind = Kind.INVALID


class TooManyPoints(DomainError):
    code = "too_many_points"
    kind = Kind.REFUSED


REFUSALS: dict[str, tuple[type[DomainError], str]] = {
    "missing": (AccountMissing, "The member has no points account; enrol the member first."),
    "closed": (AccountClosed, "The member's points account is closed; use the one it went into."),
    "conflict": (OpConflict, "The key was used for other content; send the same, or a new key."),
    "overflow": (TooManyPoints, "The account cannot hold so many points; accrue fewer."),
    "not_positive": (BadAccrual, "An accrual is of one point or more."),
    "parts_differ": (BadAccrual, "The parts do not add up to the accrual; send both alike."),
}


async def open_accounts(db: Db, member_ids: Sequence[UUID], *, now: datetime) -> None:
    """Give each member an empty account; one that has an account keeps it as it is."""
    await db.execute(OPEN_ACCOUNTS, {"member_ids": list(member_ids), "now": now})


async def lock(db: Db, member_ids: Sequence[UUID]) -> None:
    """Take the accounts for this transaction, in id order.

    Raises `AccountMissing` or `AccountClosed`, for the first such member as given.
    """
    cursor = await db.execute(LOCK, [list(member_ids)])
    closed_at = dict(await cursor.fetchall())
    for member_id in member_ids:
        if member_id not in closed_at:
            raise _refusal("missing", member_id)
        if closed_at[member_id] is not None:
            raise _refusal("closed", member_id)


async def accrue(db: Db, accruals: Sequence[Accrual], *, now: datetime, actor: str) -> list[int]:
    """Give points; answers the seq of each accrual's entry, in the order given.

    A lot is pending when its `active_at` is ahead of the moment of recording. What had fallen due
    on an account before is written first. The same key with the same content changes nothing and
    answers the first seq, within one call too.

    Raises `BadAccrual` before anything is written; `AccountMissing`, `AccountClosed`,
    `OpConflict`, `TooManyPoints` for the first refused in the order given: that accrual wrote
    nothing, but others of the call did, so the transaction has to be rolled back.
    """
    for accrual in accruals:
        if fault := model.fault(accrual):
            raise BadAccrual(fault, extra=_named(accrual.member_id, accrual.op_key))
    order = sorted(range(len(accruals)), key=lambda i: accruals[i].member_id.int)
    answers = await _call_each(db, ACCRUE, [_arguments(accruals[i], now, actor) for i in order])
    outcomes = dict(zip(order, answers, strict=True))
    for i, accrual in enumerate(accruals):
        outcome = outcomes[i][0]
        if outcome in REFUSALS:
            raise _refusal(outcome, accrual.member_id, accrual.op_key)
    return [outcomes[i][1] for i in range(len(accruals))]


async def activate_due(db: Db, *, now: datetime, limit: int) -> int:
    """Make active what is due by `now`, soonest first; answers how many due rows were worked.

    `now` is the programme's. Rows that another worker has claimed are passed over. A row whose
    account was touched since its instant changes nothing and counts; zero means nothing is left.
    """
    cursor = await db.execute(CLAIM_DUE, {"now": now, "limit": limit})
    due = await cursor.fetchall()
    if not due:
        return 0
    members = sorted({member_id for _, member_id in due})
    await db.execute(LOCK, [members])
    await kit_db.execute_many(db, ACTIVATE, [(member_id, now) for member_id in members])
    await kit_db.execute_many(db, FORGET_DUE, due)
    return len(due)


def _arguments(accrual: Accrual, now: datetime, actor: str) -> tuple[Any, ...]:
    proof = model.proof_json(accrual)
    return (
        accrual.member_id,
        accrual.op_key,
        model.fingerprint(accrual, proof),
        accrual.points,
        accrual.active_at,
        accrual.expires_at,
        model.use_order(accrual),
        accrual.occurred_at,
        now,
        actor,
        accrual.title,
        proof,
    )


async def _call_each(
    db: Db, call: LiteralString, rows: Sequence[Sequence[Any]]
) -> list[tuple[Any, ...]]:
    """The same call for each row, all sent before the first answer is read."""
    if not rows:
        return []
    answers: list[tuple[Any, ...]] = []
    async with db.cursor() as cursor:
        await cursor.executemany(call, rows, returning=True)
        async for result in cursor.results():
            answers += await result.fetchall()
    return answers


def _refusal(outcome: str, member_id: UUID, op_key: str | None = None) -> DomainError:
    error, detail = REFUSALS[outcome]
    return error(detail, extra=_named(member_id, op_key))


def _named(member_id: UUID, op_key: str | None) -> dict[str, Any]:
    named = {"member_id": str(member_id)}
    return named if op_key is None else {**named, "op_key": op_key}
