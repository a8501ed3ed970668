"""Points given: accruals, opening balances, and the event that makes a waiting lot active."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, LiteralString

from vezde.kit.db import Db
from vezde.kit.errors import DomainError, Kind
from vezde.ledger import model, rows
from vezde.ledger.model import Accrual, Activation
from vezde.ledger.operations import writing
from vezde.ledger.operations.accounts import (
    REFUSALS,
    BadAccrual,
    call_each,
    check,
    done_before,
    named,
    refusal,
    settle,
)

ACCRUE: LiteralString = """
SELECT outcome, seq
FROM ledger.accrue(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""


class NotPending(DomainError):
    """There are no points of that accrual that wait."""

    code = "not_pending"
    kind = Kind.CONFLICT


async def accrue(db: Db, accruals: Sequence[Accrual], *, now: datetime, actor: str) -> list[int]:
    """Give points; answers the seq of each accrual's entry, in the order given.

    A lot is pending when its `active_at` is ahead of the moment of recording, or None. What had
    fallen due on an account before is written first; a debt is repaid at once. The same key with
    the same content changes nothing and answers the first seq, within one call too.

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


async def activate(db: Db, command: Activation, *, now: datetime, actor: str) -> int:
    """Make the pending lot of an accrual active before its time; answers the entry's seq.

    Raises `BadCommand`, `AccountMissing`, `AccountClosed`, `OpConflict`, and `NotPending` where
    the accrual's lot is active already, used up or unknown.
    """
    check(command)
    proof = model.proof_json(command)
    fingerprint = model.fingerprint(command, proof)
    outcome, at = await settle(db, command.member_id, now=now)
    if (known := await done_before(db, command, fingerprint)) is not None:
        return known
    if outcome == "closed":
        raise refusal(outcome, command.member_id, command.op_key)
    standing = await rows.standing(db, command.member_id)
    waiting = [
        lot
        for lot in standing.lots
        if lot.seq == command.accrual_seq and lot.activated_seq is None and lot.remaining
    ]
    if not waiting:
        raise NotPending(
            "No points of that accrual wait to become active; look at the member's history.",
            extra=named(command.member_id, command.op_key),
        )
    draft = model.activation(waiting[0], command, proof)
    return await writing.write(db, command, fingerprint, [draft], at=at, actor=actor)


def _arguments(accrual: Accrual, now: datetime, actor: str) -> tuple[Any, ...]:
    proof = model.proof_json(accrual)
    return (
        accrual.member_id,
        accrual.kind,
        accrual.op_key,
        model.fingerprint(accrual, proof),
        accrual.points,
        accrual.active_at,
        accrual.expires_at,
        model.use_order(accrual.expires_at),
        accrual.occurred_at,
        accrual.counts_as_activity,
        accrual.inactive_at,
        now,
        actor,
        accrual.title,
        proof,
    )
