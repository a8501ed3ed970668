"""Accounts: opened, locked, and why they refuse.

Lock order: accounts by id. Every operation here keeps it, so batches of any order cannot deadlock.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from vezde.kit.db import Db
from vezde.kit.errors import DomainError, Kind
from vezde.ledger import model
from vezde.ledger.model import Command

OPEN_ACCOUNTS: LiteralString = """
INSERT INTO ledger.account (
    member_id, active, pending, held, debt, seq, opened_at, updated_at, last_activity_at)
SELECT opened.member_id, 0, 0, 0, 0, 0, %(now)s, %(now)s, %(now)s
FROM unnest(%(member_ids)s::uuid[]) AS opened (member_id)
ORDER BY opened.member_id
ON CONFLICT (member_id) DO NOTHING
"""
SETTLE: LiteralString = "SELECT outcome, recorded_at FROM ledger.settle(%s, %s, %s)"
OP: LiteralString = """
SELECT o.fingerprint, o.first_seq FROM ledger.op o WHERE o.member_id = %s AND o.op_key = %s
"""
LOCK: LiteralString = """
SELECT a.member_id, a.closed_at FROM ledger.account a
WHERE a.member_id = ANY(%s::uuid[])
ORDER BY a.member_id
FOR UPDATE
"""


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


class BadCommand(DomainError):
    code = "bad_command"
    kind = Kind.INVALID


class InsufficientPoints(DomainError):
    """Fewer points are active than are to be spent; `extra` tells how many there are."""

    code = "insufficient_points"
    kind = Kind.CONFLICT


class HoldTaken(DomainError):
    """The id is another hold's."""

    code = "hold_taken"
    kind = Kind.CONFLICT


class PointsUnsettled(DomainError):
    """Points are held for an order: the account cannot be closed just now."""

    code = "points_unsettled"
    kind = Kind.CONFLICT


REFUSALS: dict[str, tuple[type[DomainError], str]] = {
    "missing": (AccountMissing, "The member has no points account; enrol the member first."),
    "closed": (AccountClosed, "The member's points account is closed; use the one it went into."),
    "conflict": (OpConflict, "The key was used for other content; send the same, or a new key."),
    "overflow": (TooManyPoints, "The account cannot hold so many points; accrue fewer."),
    "not_positive": (BadAccrual, "An accrual is of one point or more."),
    "held": (PointsUnsettled, "Points are held for an order; commit or cancel the hold first."),
    "parts_differ": (BadAccrual, "The parts do not add up to the accrual; send both alike."),
    "hold_taken": (HoldTaken, "Another hold of the member has this id; make a new id."),
    "insufficient": (InsufficientPoints, "There are not so many active points; spend fewer."),
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
            raise refusal("missing", member_id)
        if closed_at[member_id] is not None:
            raise refusal("closed", member_id)


async def settle(
    db: Db, member_id: UUID, *, now: datetime, since: datetime | None = None
) -> tuple[str, datetime]:
    """Lock the account and write what is due; its outcome (done or closed), when it is recorded.

    `since`: what is due happens no earlier. Raises `AccountMissing`.
    """
    cursor = await db.execute(SETTLE, [member_id, now, since])
    row = await cursor.fetchone()
    assert row is not None, "a function with outcomes answers one row"
    if row[0] == "missing":
        raise refusal("missing", member_id)
    return row[0], row[1]


async def done_before(db: Db, command: Command, fingerprint: bytes) -> int | None:
    """The seq of a command's first time, on an account that is locked; raises `OpConflict`."""
    row = await (await db.execute(OP, [command.member_id, command.op_key])).fetchone()
    if row is None:
        return None
    if row[0] != fingerprint:
        raise refusal("conflict", command.member_id, command.op_key)
    return int(row[1])


def check(command: Command) -> None:
    """Raises `BadCommand` for a command that is wrong in itself."""
    if fault := model.command_fault(command):
        raise BadCommand(fault, extra=named(command.member_id, command.op_key))


async def call_each(
    db: Db, call: LiteralString, rows: Sequence[Sequence[Any]]
) -> list[tuple[Any, ...]]:
    """The same call of a function for each row, all sent before the first answer is read."""
    if len(rows) < 2:  # a pipeline of one costs more than it saves
        return [one for row in rows for one in await (await db.execute(call, row)).fetchall()]
    return [one for answer in await db.ask_each(call, rows) for one in await answer.fetchall()]


def refusal(outcome: str, member_id: UUID, op_key: str | None = None) -> DomainError:
    """The error of an outcome that a function of the schema answered with."""
    error, detail = REFUSALS[outcome]
    return error(detail, extra=named(member_id, op_key))


def named(member_id: UUID, op_key: str | None) -> dict[str, Any]:
    """What an error tells beside its sentence."""
    member = {"member_id": str(member_id)}
    return member if op_key is None else {**member, "op_key": op_key}
