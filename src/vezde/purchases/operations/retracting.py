"""A line turns out not to be the product it was taken for: what it earned is taken back."""

from datetime import datetime
from typing import LiteralString
from uuid import UUID

from vezde.kit.db import Db
from vezde.ledger import operations as ledger
from vezde.ledger import queries as ledger_queries
from vezde.ledger.model import Debt, DebtPolicy, Part, Reversal
from vezde.outbox import operations as outbox
from vezde.program import queries as program
from vezde.program import records
from vezde.program.records import Decided
from vezde.purchases import events
from vezde.purchases.model import is_of_document

NAMED: LiteralString = """
SELECT purchase_id, by_line FROM purchases.line
WHERE member_id = %s AND receipt_id = %s AND line = %s AND sku IS NOT NULL
"""
UNNAME: LiteralString = """
UPDATE purchases.line SET sku = NULL WHERE member_id = %s AND receipt_id = %s AND line = %s
"""
TITLE = "Исправление чека"


async def retract(
    db: Db, member_id: UUID, receipt_id: UUID, *, line: int, now: datetime, actor: str
) -> int:
    """Take a line's product away and with it the points it brought; how many points.

    Points that came by the product line stay: which of its products it is was all that was said.
    What was spent meanwhile is forgiven: the mistake was the brand's own. Raises
    `ledger.OverReturned` when a return took points of the line before.
    """
    await ledger.lock(db, [member_id])
    row = await (await db.execute(NAMED, [member_id, receipt_id, line])).fetchone()
    if row is None:
        return 0
    purchase_id, by_line = row
    decided = await program.purchase_decisions(db, member_id, purchase_id)
    priced = next((one for one in reversed(decided) if _prices(one, receipt_id, line)), None)
    points = 0
    if priced is not None and not by_line:
        points = await _take_back(db, member_id, receipt_id, line, priced, now=now, actor=actor)
    await db.execute(UNNAME, [member_id, receipt_id, line])
    fact = events.line_retracted(member_id, receipt_id, purchase_id, line, points, now=now)
    await outbox.record(db, [fact])
    return points


def _prices(one: Decided, receipt_id: UUID, line: int) -> bool:
    lines = [each.line for each in one.fact.lines if not each.decided]
    return line in lines and is_of_document(one.fact.id, receipt_id, lines)


async def _take_back(
    db: Db,
    member_id: UUID,
    receipt_id: UUID,
    line: int,
    priced: Decided,
    *,
    now: datetime,
    actor: str,
) -> int:
    taken = 0
    for given in records.given(priced.decision):
        parts = tuple(part for part in given.parts if part.line == line and part.points)
        if parts:
            taken += await _reverse(
                db, member_id, receipt_id, priced, given.op_key, parts, now=now, actor=actor
            )
    return taken


async def _reverse(
    db: Db,
    member_id: UUID,
    receipt_id: UUID,
    priced: Decided,
    given_by: str,
    parts: tuple[Part, ...],
    *,
    now: datetime,
    actor: str,
) -> int:
    points, line = sum(part.points for part in parts), parts[0].line
    account_id = priced.fact.member_id
    seq = await ledger_queries.seq_of(db, account_id, given_by)
    assert seq is not None, "a decision with points has its accrual"
    reversal = Reversal(
        member_id=member_id,
        op_key=f"retract:{given_by.removeprefix('fact:')}:{line}",
        occurred_at=now,
        title=TITLE,
        proof={"receipt_id": str(receipt_id), "line": line, "fact_id": str(priced.fact.id)},
        accrual_seq=seq,
        points=points,
        parts=parts,
        debt=Debt(DebtPolicy.FORGIVE),
        accrual_member=None if account_id == member_id else account_id,
    )
    await ledger.reverse(db, reversal, now=now, actor=actor)
    return points
