"""Accruals, and the sweep that makes them active when their time comes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, LiteralString

from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.ledger import model
from vezde.ledger.model import Accrual
from vezde.ledger.operations.accounts import LOCK, REFUSALS, BadAccrual, named, refusal

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
            raise BadAccrual(fault, extra=named(accrual.member_id, accrual.op_key))
    order = sorted(range(len(accruals)), key=lambda i: accruals[i].member_id.int)
    answers = await call_each(db, ACCRUE, [_arguments(accruals[i], now, actor) for i in order])
    outcomes = dict(zip(order, answers, strict=True))
    for i, accrual in enumerate(accruals):
        outcome = outcomes[i][0]
        if outcome in REFUSALS:
            raise refusal(outcome, accrual.member_id, accrual.op_key)
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


async def call_each(
    db: Db, call: LiteralString, rows: Sequence[Sequence[Any]]
) -> list[tuple[Any, ...]]:
    """The same call of a function for each row, all sent before the first answer is read."""
    if not rows:
        return []
    answers: list[tuple[Any, ...]] = []
    async with db.cursor() as cursor:
        await cursor.executemany(call, rows, returning=True)
        async for result in cursor.results():
            answers += await result.fetchall()
    return answers
