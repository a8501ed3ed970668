"""An operator gives or takes points; above a limit a second one has to agree.

Every adjustment is a row with who asked, who decided and why. The words of the reason are in that
row alone, where forgetting the member erases them; the entry names the row.
"""

from dataclasses import replace
from datetime import datetime
from typing import LiteralString
from uuid import UUID, uuid5

from vezde.kit import db as kit_db
from vezde.kit import ids
from vezde.kit.db import Db
from vezde.kit.errors import DomainError, Kind
from vezde.ledger import events, model
from vezde.ledger.model import Adjusted, Adjustment, EntryKind
from vezde.ledger.operations.accounts import BadCommand, check, lock, named
from vezde.ledger.operations.accruing import accrue
from vezde.ledger.operations.spending import spend_all
from vezde.outbox import operations as outbox

# Whose id an adjustment has that was made by a command alone.
BY_COMMAND = UUID("3d0f5c4e-8a8e-5d53-9c5e-0e6c39a0f2b7")

KEEP: LiteralString = """
INSERT INTO ledger.adjustment (
    member_id, adjustment_id, points, expires_at, reason, title, state, asked_at, asked_by,
    decided_at, decided_by, seq)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (member_id, adjustment_id) DO NOTHING
"""
DECIDE: LiteralString = """
UPDATE ledger.adjustment SET state = %s, decided_at = %s, decided_by = %s, seq = %s
WHERE member_id = %s AND adjustment_id = %s AND state = 'pending'
"""
# Under the account's lock: of two who decide at once the second sees what the first did.
FOUND: LiteralString = """
SELECT a.member_id, a.adjustment_id, a.points, a.expires_at, a.reason, a.title, a.state,
    a.asked_at, a.asked_by, a.decided_at, a.decided_by, a.seq
FROM ledger.adjustment a WHERE a.member_id = %s AND a.adjustment_id = %s
"""


class AdjustmentMissing(DomainError):
    code = "adjustment_missing"
    kind = Kind.MISSING


class AdjustmentDecided(DomainError):
    """Somebody approved or refused it before; `extra` tells what."""

    code = "adjustment_decided"
    kind = Kind.CONFLICT


class SameOperator(DomainError):
    """Who asked for an adjustment cannot approve it."""

    code = "same_operator"
    kind = Kind.REFUSED


async def adjust(db: Db, command: Adjustment, *, now: datetime, actor: str) -> int:
    """Give points, or (below zero) take active ones; answers the entry's seq.

    The account has the row of it afterwards, done. Raises `BadCommand`, `AccountMissing`,
    `AccountClosed`, `OpConflict`, `TooManyPoints`, `InsufficientPoints`.
    """
    seq = await _write(db, command, now=now, actor=actor)
    adjustment_id = uuid5(BY_COMMAND, f"{command.member_id}:{command.op_key}")
    done = _asked(command, adjustment_id, now=now, actor=actor)
    await _keep(db, replace(done, state="done", decided_at=now, decided_by=actor, seq=seq))
    return seq


async def ask_to_adjust(
    db: Db, command: Adjustment, *, alone_up_to: int, now: datetime, actor: str
) -> Adjusted:
    """Adjust at once where one operator may (`alone_up_to` points), else wait for a second one.

    The command's key is replaced by the adjustment's id. Raises what `adjust` does; for one that
    waits the account must be there and open.
    """
    adjustment_id = ids.new()
    proof = {**command.proof, "adjustment_id": str(adjustment_id)}
    command = replace(command, op_key=_op_key(adjustment_id), proof=proof)
    asked = _asked(command, adjustment_id, now=now, actor=actor)
    check(command)
    if command.points > 0 and (fault := model.fault(model.credit(command))):
        raise BadCommand(fault, extra=named(command.member_id, None))
    if abs(command.points) > alone_up_to:
        await lock(db, [command.member_id])
        await _keep(db, asked)
        return asked
    return await _carry_out(db, asked, command, now=now, actor=actor)


async def approve_adjustment(
    db: Db,
    member_id: UUID,
    adjustment_id: UUID,
    *,
    inactive_at: datetime | None = None,
    now: datetime,
    actor: str,
) -> Adjusted:
    """A second operator agrees, and the points move.

    Raises `AdjustmentMissing`, `AdjustmentDecided`, `SameOperator`, and what `adjust` does: it then
    waits on, to be refused or tried again.
    """
    asked = await _pending(db, member_id, adjustment_id)
    if asked.asked_by == actor:
        raise SameOperator(
            "Who asked for an adjustment cannot approve it; let another operator decide."
        )
    command = Adjustment(
        member_id=member_id,
        op_key=_op_key(adjustment_id),
        occurred_at=now,
        title=asked.title,
        proof={"adjustment_id": str(adjustment_id)},
        points=asked.points,
        reason=asked.reason or "",
        expires_at=asked.expires_at,
        inactive_at=inactive_at,
    )
    return await _carry_out(db, asked, command, now=now, actor=actor)


async def refuse_adjustment(
    db: Db, member_id: UUID, adjustment_id: UUID, *, now: datetime, actor: str
) -> Adjusted:
    """It is not to be; whoever asked may do this too. Raises as `approve_adjustment`."""
    asked = await _pending(db, member_id, adjustment_id)
    await db.execute(DECIDE, ["refused", now, actor, None, member_id, adjustment_id])
    return replace(asked, state="refused", decided_at=now, decided_by=actor)


async def _carry_out(
    db: Db, asked: Adjusted, command: Adjustment, *, now: datetime, actor: str
) -> Adjusted:
    seq = await _write(db, command, now=now, actor=actor)
    done = replace(asked, state="done", decided_at=now, decided_by=actor, seq=seq)
    await _keep(db, done)
    await db.execute(DECIDE, ["done", now, actor, seq, asked.member_id, asked.adjustment_id])
    fact = events.adjusted(
        asked.member_id,
        adjustment_id=asked.adjustment_id,
        seq=seq,
        points=asked.points,
        now=now,
    )
    await outbox.record(db, [fact])
    return done


async def _write(db: Db, command: Adjustment, *, now: datetime, actor: str) -> int:
    check(command)
    if command.points > 0:
        return (await accrue(db, [model.credit(command)], now=now, actor=actor))[0]
    return (await spend_all(db, EntryKind.ADJUST, [command], now=now, actor=actor))[0][0]


async def _pending(db: Db, member_id: UUID, adjustment_id: UUID) -> Adjusted:
    await lock(db, [member_id])
    found = await kit_db.fetch_one(db, Adjusted, FOUND, [member_id, adjustment_id])
    if found is None:
        raise AdjustmentMissing("There is no such adjustment; take its id from the list.")
    if found.state != "pending":
        raise AdjustmentDecided(
            f"The adjustment is {found.state} already; nothing was changed.",
            extra={"state": found.state},
        )
    return found


async def _keep(db: Db, adjusted: Adjusted) -> None:
    await db.execute(KEEP, list(vars(adjusted).values()))


def _asked(command: Adjustment, adjustment_id: UUID, *, now: datetime, actor: str) -> Adjusted:
    return Adjusted(
        member_id=command.member_id,
        adjustment_id=adjustment_id,
        points=command.points,
        expires_at=command.expires_at,
        reason=command.reason,
        title=command.title,
        state="pending",
        asked_at=now,
        asked_by=actor,
    )


def _op_key(adjustment_id: UUID) -> str:
    return f"adjustment:{adjustment_id}"
