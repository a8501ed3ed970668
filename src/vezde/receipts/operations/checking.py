"""What a provider's answer does to a receipt: its document is kept, or it waits, or it is refused.

The holder of a lease finishes here in a transaction of its own; a lease that was lost (the worker
stalled, another took over, the document came another way) finishes nothing.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.receipts.model import QrFields, Reason
from vezde.receipts.operations import claims, pacing, turns, writing
from vezde.receipts.operations.claims import Claim
from vezde.receipts.operations.registering import SETTLE
from vezde.receipts.providers import schedule
from vezde.receipts.providers.protocol import Answer, Verdict
from vezde.receipts.qr import grammar

# At the second «not there yet» its member is told that it takes longer, once.
TOLD_AT = 1

LEASE = """
UPDATE receipts.verification
SET lease = %(lease)s, leased_until = %(until)s
WHERE (member_id, receipt_id) IN (
    SELECT member_id, receipt_id
    FROM receipts.verification
    WHERE step = 'ask' AND parked_because IS NULL AND due_at <= %(now)s AND try_at <= %(wall)s
      AND (leased_until IS NULL OR leased_until <= %(wall)s)
    ORDER BY due_at
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
)
RETURNING member_id, receipt_id, qr, asked, faults
"""
HELD = """
SELECT member_id, receipt_id, qr, asked, faults
FROM receipts.verification
WHERE member_id = %s AND receipt_id = %s AND lease = %s
FOR UPDATE
"""
AGAIN = """
UPDATE receipts.verification
SET due_at = %s, try_at = %s, asked = %s, faults = %s, lease = NULL, leased_until = NULL
WHERE member_id = %s AND receipt_id = %s
"""
FOUND = """
UPDATE receipts.verification
SET step = 'settle', due_at = %s, try_at = %s, faults = 0, lease = NULL, leased_until = NULL
WHERE member_id = %s AND receipt_id = %s
"""
# A check that failed waits for the wall, not for the programme.
NEXT_DUE = """
SELECT min(due_at) FROM receipts.verification
WHERE parked_because IS NULL AND step = %s AND faults = 0
"""


@dataclass(frozen=True, slots=True)
class Check:
    """One receipt to ask for. `asked`: times it was not there yet; `faults`: errors in a row."""

    member_id: UUID
    receipt_id: UUID
    qr: str
    asked: int
    faults: int

    @property
    def fields(self) -> QrFields:
        return grammar.parse(self.qr)


async def lease(
    db: Db, *, token: UUID, now: datetime, wall: datetime, seconds: int, limit: int
) -> list[Check]:
    """Take up to `limit` due checks for `seconds` of wall time; commit before the calls."""
    return await kit_db.fetch_all(
        db,
        Check,
        LEASE,
        {
            "lease": token,
            "until": wall + timedelta(seconds=seconds),
            "now": now,
            "wall": wall,
            "limit": limit,
        },
    )


async def finish(
    db: Db,
    check: Check,
    answer: Answer,
    *,
    provider: str,
    token: UUID,
    now: datetime,
    wall: datetime,
    jitter: float,
) -> bool:
    """Act on a provider's answer; False when the lease was lost and nothing was done."""
    qr = check.fields
    held = await claims.lock(db, [(qr.fn, qr.fd)])
    if not await kit_db.fetch_one(db, Check, HELD, [check.member_id, check.receipt_id, token]):
        return False
    mine = next((claim for claim in held if claim.receipt_id == check.receipt_id), None)
    match answer.verdict:
        case Verdict.FOUND:
            await _found(db, check, answer, provider=provider, now=now, wall=wall)
        case Verdict.NOT_YET:
            await _not_yet(db, check, mine, now=now, wall=wall, jitter=jitter)
        case Verdict.NOT_FOUND:
            await refuse(db, check, mine, Reason.NOT_FOUND, now=now)
        case Verdict.FORGED:
            await refuse(db, check, mine, Reason.FORGED, now=now)
        case Verdict.WAIT:
            wait = schedule.told(answer.retry_after_seconds or 0, jitter=jitter)
            await _again(db, check, now=now, wall=wall + wait, faults=max(1, check.faults))
        case Verdict.QUOTA | Verdict.UNAVAILABLE | Verdict.REFUSED | Verdict.WRONG:
            wait = schedule.unavailable(check.faults, jitter=jitter)
            await _again(db, check, now=now, wall=wall + wait, faults=check.faults + 1)
    return True


async def _found(
    db: Db, check: Check, answer: Answer, *, provider: str, now: datetime, wall: datetime
) -> None:
    assert answer.document is not None, "FOUND comes with the document"
    await writing.add_documents(
        db, [(check.member_id, check.receipt_id, provider, answer.document)]
    )
    await db.execute(FOUND, [now, wall, check.member_id, check.receipt_id])
    db.wake(SETTLE)


async def _not_yet(
    db: Db, check: Check, mine: Claim | None, *, now: datetime, wall: datetime, jitter: float
) -> None:
    wait = schedule.not_yet(check.asked, jitter=jitter)
    if wait is None:
        await refuse(db, check, mine, Reason.NOT_FOUND, now=now)
        return
    await db.execute(
        AGAIN, [now + wait, wall, check.asked + 1, 0, check.member_id, check.receipt_id]
    )
    if check.asked == TOLD_AT:
        await writing.delayed(db, check.member_id, check.receipt_id, now=now)
    if mine is not None:
        await turns.hand_on(db, mine, now=now)


async def _again(db: Db, check: Check, *, now: datetime, wall: datetime, faults: int) -> None:
    await db.execute(AGAIN, [now, wall, check.asked, faults, check.member_id, check.receipt_id])


async def refuse(
    db: Db, check: Check, mine: Claim | None, reason: Reason, *, now: datetime
) -> None:
    """Refuse a doubted document; the next in turn gets the claim if it was this receipt's."""
    await writing.reject(db, [(check.member_id, check.receipt_id, reason, None)], now=now)
    await pacing.slow_down(db, check.member_id, now=now)
    if mine is not None:
        await turns.released(db, mine, now=now)
    else:
        qr = check.fields
        await turns.leave(db, [(qr.fn, qr.fd, check.receipt_id)])


async def next_due(db: Db, *, step: str) -> datetime | None:
    """The next programme instant a check's `step` (ask, settle) falls due; None when none does."""
    due: datetime | None = await kit_db.fetch_value(db, NEXT_DUE, [step])
    return due
