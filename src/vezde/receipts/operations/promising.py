"""Points promised for a small receipt while it is checked, where the programme trusts so far.

They are pending and never become active themselves: when the receipt is decided they are taken
back, and whatever it really earns is given beside. Nobody can spend a promise.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, LiteralString
from uuid import UUID

from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.ledger import operations as ledger
from vezde.ledger.model import Accrual, Part, Reversal
from vezde.program import days
from vezde.program.model import Programme

RULE: Final = "receipts.trust"
TITLE: Final = "Чек на проверке"
DECIDED: Final = "Чек проверен"

TODAY: LiteralString = """
SELECT member_id, count(*) FROM receipts.promise
WHERE member_id = ANY(%s) AND promised_at >= %s GROUP BY member_id
"""
KEEP: LiteralString = """
INSERT INTO receipts.promise
    (member_id, receipt_id, points, accrual_member, accrual_seq, promised_at)
VALUES (%s, %s, %s, %s, %s, %s)
"""
END: LiteralString = """
UPDATE receipts.promise SET ended_at = %s
WHERE (member_id, receipt_id) IN (SELECT * FROM unnest(%s::uuid[], %s::uuid[]))
  AND ended_at IS NULL
RETURNING member_id, receipt_id, points, accrual_member, accrual_seq
"""


@dataclass(frozen=True, slots=True)
class Shown:
    """A receipt whose check begins, by what its QR says."""

    member_id: UUID
    receipt_id: UUID
    total_kopecks: int


@dataclass(frozen=True, slots=True)
class _Promise:
    member_id: UUID
    receipt_id: UUID
    points: int
    accrual_member: UUID
    accrual_seq: int


async def promise(
    db: Db, shown: Sequence[Shown], programme: Programme, *, now: datetime, actor: str
) -> None:
    """Promise the programme's points for each receipt up to its sum, so many of a member a day."""
    trust = programme.trust
    small = [one for one in shown if trust and one.total_kopecks <= trust.up_to_kopecks]
    if not small or trust is None:
        return
    midnight, _ = days.day_of(programme.zone, now)
    rows = await db.execute(TODAY, [list({one.member_id for one in small}), midnight])
    had: Counter[UUID] = Counter(dict(await rows.fetchall()))
    kept = []
    for one in small:
        if had[one.member_id] < trust.per_day:
            had[one.member_id] += 1
            kept.append(one)
    accruals = [_accrual(one, trust.points, programme, now) for one in kept]
    seqs = await ledger.accrue(db, accruals, now=now, actor=actor)
    await kit_db.execute_many(
        db,
        KEEP,
        [
            (one.member_id, one.receipt_id, trust.points, one.member_id, seq, now)
            for one, seq in zip(kept, seqs, strict=True)
        ],
    )


def _accrual(one: Shown, points: int, programme: Programme, now: datetime) -> Accrual:
    return Accrual(
        member_id=one.member_id,
        op_key=f"promise:{one.receipt_id}",
        points=points,
        active_at=None,
        expires_at=None,
        occurred_at=now,
        parts=(Part(1, RULE, 0, points),),
        proof={"receipt_id": str(one.receipt_id), "version": programme.version},
        title=TITLE,
        counts_as_activity=False,
    )


async def take_back(
    db: Db, decided: Sequence[tuple[UUID, UUID]], *, now: datetime, actor: str = "system"
) -> None:
    """The receipts (member, receipt) are decided: what was promised for them is over."""
    if not decided:
        return
    members, receipts = [one for one, _ in decided], [one for _, one in decided]
    ended = await kit_db.fetch_all(db, _Promise, END, [now, members, receipts])
    for one in sorted(ended, key=lambda each: (each.member_id, each.receipt_id)):
        reversal = Reversal(
            member_id=one.member_id,
            op_key=f"promise_over:{one.receipt_id}",
            occurred_at=now,
            title=DECIDED,
            proof={"receipt_id": str(one.receipt_id)},
            accrual_seq=one.accrual_seq,
            accrual_member=one.accrual_member,
            points=one.points,
        )
        await ledger.reverse(db, reversal, now=now, actor=actor)
