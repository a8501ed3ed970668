"""Close an account: into another one, or for good.

Rows are never moved: what is left in the lots leaves by one `close` entry of the one account, and
comes lot by lot with an `open` entry of the other, each naming the accrual it stems from. Each
statement names one member, so that accounts may lie in different places.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.ledger import model
from vezde.ledger.model import CarriedLot
from vezde.ledger.operations.accounts import REFUSALS, lock, refusal
from vezde.ledger.operations.accruing import call_each

LATEST: LiteralString = """
SELECT greatest(%(now)s, max(a.updated_at)) FROM ledger.account a
WHERE a.member_id = ANY(%(member_ids)s::uuid[])
"""
CLOSE: LiteralString = "SELECT outcome, seq FROM ledger.close(%s, %s, %s, %s, %s, %s, %s, %s)"
# What the lots held when the entry closed them, in the order they were made.
CARRIED: LiteralString = """
SELECT a.member_id AS from_member, a.lot_seq AS from_seq, a.points, l.active_at, l.expires_at,
    l.use_order, e.title,
    coalesce((e.proof -> 'origin' ->> 0)::uuid, a.member_id) AS origin_member,
    coalesce((e.proof -> 'origin' ->> 1)::bigint, a.lot_seq) AS origin_seq
FROM ledger.alloc a
JOIN ledger.lot l ON l.member_id = a.member_id AND l.seq = a.lot_seq
JOIN ledger.entry e ON e.member_id = a.member_id AND e.seq = a.lot_seq
WHERE a.member_id = %s AND a.debit_seq = %s
ORDER BY a.lot_seq
"""
OPEN_LOT: LiteralString = """
SELECT outcome, seq
FROM ledger.open_lot(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
LAST_ACTIVITY: LiteralString = """
SELECT a.last_activity_at FROM ledger.account a WHERE a.member_id = %s
"""
CARRY_ACTIVITY: LiteralString = """
UPDATE ledger.account a SET last_activity_at = greatest(a.last_activity_at, %s)
WHERE a.member_id = %s
"""


async def merge(db: Db, into: UUID, gone: UUID, *, now: datetime, actor: str) -> None:
    """Close the account `gone` and open its lots in `into`, as they were: instants, order, origin.

    What is due is made active first. The sum of both does not change; `gone` refuses everything
    afterwards. Raises `AccountMissing`, `AccountClosed`, `TooManyPoints`, and `PointsUnsettled`
    while points of `gone` are held or owed.
    """
    await lock(db, [into, gone])
    at = await kit_db.fetch_value(db, LATEST, {"now": now, "member_ids": [into, gone]})
    seq = await _close(db, gone, into=into, forgive=False, now=at, actor=actor)
    lots = await kit_db.fetch_all(db, CarriedLot, CARRIED, [gone, seq])
    await _open(db, into, lots, now=at, actor=actor)
    active_at = await kit_db.fetch_value(db, LAST_ACTIVITY, [gone])
    await db.execute(CARRY_ACTIVITY, [active_at, into])


async def forget(db: Db, member_id: UUID, *, now: datetime, actor: str) -> None:
    """Close the account for good: its points go, what is owed is forgiven, its history stays.

    Raises `AccountMissing`, `AccountClosed`, and `PointsUnsettled` while points are held.
    """
    await lock(db, [member_id])
    await _close(db, member_id, into=None, forgive=True, now=now, actor=actor)


async def _close(
    db: Db, member_id: UUID, *, into: UUID | None, forgive: bool, now: datetime, actor: str
) -> int:
    """The seq of the account's last entry."""
    closing = model.closing(into)
    arguments = [
        member_id,
        closing.op_key,
        closing.fingerprint,
        forgive,
        now,
        actor,
        closing.title,
        closing.proof,
    ]
    ((outcome, seq),) = await call_each(db, CLOSE, [arguments])
    if outcome in REFUSALS:
        raise refusal(outcome, member_id, closing.op_key)
    return int(seq)


async def _open(
    db: Db, member_id: UUID, lots: Sequence[CarriedLot], *, now: datetime, actor: str
) -> None:
    rows = [
        (
            member_id,
            lot.op_key,
            lot.fingerprint,
            lot.points,
            lot.active_at,
            lot.expires_at,
            lot.use_order,
            now,
            actor,
            lot.title,
            lot.proof,
        )
        for lot in lots
    ]
    for lot, (outcome, _seq) in zip(lots, await call_each(db, OPEN_LOT, rows), strict=True):
        if outcome in REFUSALS:
            raise refusal(outcome, member_id, lot.op_key)
