"""Close an account: into another one, or for good; and open one again that was closed by mistake.

Rows are never moved: what is left in the lots leaves by one `close` entry of the one account, and
comes lot by lot with an `open` entry of the other, each naming the accrual it stems from. What is
owed moves too. Each statement names one member, so that accounts may lie in different places.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.ledger import model, rows
from vezde.ledger.model import CarriedDebt, CarriedLot, Command, Release, State
from vezde.ledger.operations import holding, returning
from vezde.ledger.operations.accounts import REFUSALS, call_each, lock, refusal, settle
from vezde.ledger.operations.settling import REMIND
from vezde.ledger.operations.writing import WRITE, arguments

LATEST: LiteralString = """
SELECT greatest(%(now)s, max(a.updated_at)) FROM ledger.account a
WHERE a.member_id = ANY(%(member_ids)s::uuid[])
"""
CLOSE: LiteralString = "SELECT outcome, seq FROM ledger.close(%s, %s, %s, %s, %s, %s, %s)"
# What the lots held when the entry closed them, in the order they were made.
CARRIED: LiteralString = """
SELECT a.member_id AS from_member, a.lot_seq AS from_seq, a.points, l.active_at, l.expires_at,
    e.title,
    coalesce((e.proof -> 'origin' ->> 0)::uuid, a.member_id) AS origin_member,
    coalesce((e.proof -> 'origin' ->> 1)::bigint, a.lot_seq) AS origin_seq
FROM ledger.alloc a
JOIN ledger.lot l ON l.member_id = a.member_id AND l.seq = a.lot_seq
JOIN ledger.entry e ON e.member_id = a.member_id AND e.seq = a.lot_seq
WHERE a.member_id = %s AND a.debit_seq = %s
ORDER BY a.lot_seq
"""
ACTIVITY: LiteralString = """
SELECT a.last_activity_at, a.inactive_at FROM ledger.account a WHERE a.member_id = %s
"""
CARRY_ACTIVITY: LiteralString = """
UPDATE ledger.account a
SET last_activity_at = greatest(a.last_activity_at, %(active_at)s),
    inactive_at = greatest(a.inactive_at, %(inactive_at)s),
    next_due_at = least(a.next_due_at, greatest(a.inactive_at, %(inactive_at)s))
WHERE a.member_id = %(member_id)s
"""

# Who asked for points for someone who is gone has asked in vain.
REFUSE_ASKED: LiteralString = """
UPDATE ledger.adjustment SET state = 'refused', decided_at = %s, decided_by = %s
WHERE member_id = %s AND state = 'pending'
"""
ERASE_REASONS: LiteralString = """
UPDATE ledger.adjustment SET reason = NULL, title = '' WHERE member_id = %s
"""

MOVE_ASKED: LiteralString = """
UPDATE ledger.adjustment SET member_id = %s WHERE member_id = %s AND state = 'pending'
RETURNING adjustment_id::text
"""
# Of whose accruals the account's lots once were, but its own.
ORIGINS: LiteralString = """
SELECT DISTINCT (e.proof -> 'origin' ->> 0)::uuid FROM ledger.lot l
JOIN ledger.entry e ON e.member_id = l.member_id AND e.seq = l.seq
WHERE l.member_id = %(gone)s AND e.proof -> 'origin' ->> 0 <> %(gone)s::text
"""


async def merge(
    db: Db, into: UUID, gone: UUID, *, now: datetime, actor: str
) -> dict[str, list[str]]:
    """Close the account `gone` and open its lots in `into`, as they were: instants, order, origin.

    Answers what `unmerge` has to know: `parts` are the accounts that `gone` was made of, `asked`
    the adjustments that waited for a second operator.

    What is due is written first. A debt of `gone` is `into`'s afterwards, and is repaid at once
    from what both have. The sum of both does not change; `gone` refuses everything afterwards.
    Raises `AccountMissing`, `AccountClosed`, `TooManyPoints`, and `PointsUnsettled` while points
    of `gone` are held: an order is under way, and a hold does not last long.
    """
    await lock(db, [into, gone])
    at = await kit_db.fetch_value(db, LATEST, {"now": now, "member_ids": [into, gone]})
    for member_id in sorted([into, gone]):
        await settle(db, member_id, now=at)
    owed = (await rows.standing(db, gone)).debt
    parts = await _parts(db, gone)
    active_at, inactive_at = await _activity(db, gone)
    seq = await _close(db, gone, into=into, now=at, actor=actor)
    lots = await kit_db.fetch_all(db, CarriedLot, CARRIED, [gone, seq])
    await _ensure_room(db, into, lots)
    debts = [CarriedDebt(gone, seq, owed)] if owed else []
    activity = {"active_at": active_at, "inactive_at": inactive_at, "member_id": into}
    await db.execute(CARRY_ACTIVITY, activity)
    await db.execute(REMIND, [[into]])
    await open_all(db, into, [*lots, *debts], at=at, actor=actor)
    asked = await (await db.execute(MOVE_ASKED, [into, gone])).fetchall()
    return {"parts": parts, "asked": [adjustment_id for (adjustment_id,) in asked]}


async def forget(db: Db, member_id: UUID, *, now: datetime, actor: str) -> None:
    """Close the account for good: its points go, what is owed is forgiven, its history stays.

    Open holds are released first; words of operators about the member are erased. Raises
    `AccountMissing`, `AccountClosed`.
    """
    await lock(db, [member_id])
    await settle(db, member_id, now=now)
    for hold in (await rows.standing(db, member_id)).holds:
        command = Release(
            member_id=member_id,
            op_key=f"forget:{hold.hold_id}",
            occurred_at=now,
            title="Бронь снята: счёт закрывается",
            hold_id=hold.hold_id,
        )
        assert hold.state is State.OPEN, "a standing has open holds only"
        await holding.release(db, command, now=now, actor=actor)
    await db.execute(REFUSE_ASKED, [now, actor, member_id])
    await db.execute(ERASE_REASONS, [member_id])
    await _close(db, member_id, into=None, now=now, actor=actor)


async def open_all(
    db: Db,
    member_id: UUID,
    carried: Sequence[CarriedLot | CarriedDebt],
    *,
    at: datetime,
    actor: str,
) -> None:
    """An entry for each lot and debt that comes, on an account that is settled."""
    await call_each(db, WRITE, [_opening(member_id, one, at, actor) for one in carried])
    await settle(db, member_id, now=at, since=at)


async def _parts(db: Db, gone: UUID) -> list[str]:
    """The account and those that were closed into it and still are."""
    origins = await (await db.execute(ORIGINS, {"gone": gone})).fetchall()
    paths = [(one, await returning.path(db, one)) for (one,) in origins]
    return [str(one) for one in (gone, *(one for one, path in paths if path[-1] == gone))]


async def _activity(db: Db, member_id: UUID) -> tuple[Any, Any]:
    row = await (await db.execute(ACTIVITY, [member_id])).fetchone()
    assert row is not None, "the account is locked"
    return row[0], row[1]


async def _close(db: Db, member_id: UUID, *, into: UUID | None, now: datetime, actor: str) -> int:
    """The seq of the account's last entry."""
    after_seq = (await rows.standing(db, member_id)).seq
    closing = model.closing(into, after_seq=after_seq)
    asked = [
        member_id,
        closing.op_key,
        closing.fingerprint,
        now,
        actor,
        closing.title,
        closing.proof,
    ]
    ((outcome, seq),) = await call_each(db, CLOSE, [asked])
    if outcome in REFUSALS:
        raise refusal(outcome, member_id, closing.op_key)
    return int(seq)


async def _ensure_room(db: Db, member_id: UUID, lots: Sequence[CarriedLot]) -> None:
    if sum(lot.points for lot in lots) > model.room(await rows.standing(db, member_id)):
        raise refusal("overflow", member_id)


def _opening(
    member_id: UUID, carried: CarriedLot | CarriedDebt, at: datetime, actor: str
) -> tuple[Any, ...]:
    """A row for `WRITE`."""
    draft = model.opening(carried, at=at)
    command = Command(
        member_id=member_id, op_key=carried.op_key, occurred_at=at, title=carried.title
    )
    return arguments(command, draft, (carried.fingerprint, 1), at, actor)
