"""What a provider's answer does to a receipt: its document is kept, or it waits, or it is refused.

The holder of a lease finishes here in a transaction of its own; a lease that was lost (the worker
stalled, another took over, the document came another way) finishes nothing.
"""

from collections.abc import Sequence
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

# Checks are named by their place: a join planned while none waited reads all that do.
LEASE = """
UPDATE receipts.verification
SET lease = %(lease)s, leased_until = %(until)s
WHERE ctid = ANY(ARRAY(
    SELECT ctid
    FROM receipts.verification
    WHERE step = 'ask' AND parked_because IS NULL AND due_at <= %(now)s AND try_at <= %(wall)s
      AND (leased_until IS NULL OR leased_until <= %(wall)s)
    ORDER BY due_at
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
))
RETURNING member_id, receipt_id, qr, asked, faults,
    CASE WHEN %(sparing)s::boolean THEN EXISTS (
        SELECT FROM receipts.receipt r WHERE r.member_id = verification.member_id
          AND r.status IN ('accepted', 'awaiting_settlement', 'in_review')
    ) ELSE true END AS is_known
"""
HELD = """
SELECT own.receipt_id
FROM (
    SELECT * FROM unnest(%s::uuid[], %s::uuid[]) AS given (member_id, receipt_id) ORDER BY 1, 2
) AS given
CROSS JOIN LATERAL (
    SELECT receipt_id FROM receipts.verification AS held
    WHERE held.member_id = given.member_id AND held.receipt_id = given.receipt_id
      AND held.lease = %s
    LIMIT 1
    FOR UPDATE
) AS own
"""
AGAIN = """
UPDATE receipts.verification
SET due_at = %s, try_at = %s, asked = %s, faults = %s, lease = NULL, leased_until = NULL
WHERE member_id = %s AND receipt_id = %s
"""
FOUND = """
UPDATE receipts.verification
SET step = 'settle', due_at = %s, try_at = %s, faults = 0, lease = NULL, leased_until = NULL
FROM unnest(%s::uuid[], %s::uuid[]) AS found (member_id, receipt_id)
CROSS JOIN LATERAL (
    SELECT ctid FROM receipts.verification AS own
    WHERE own.member_id = found.member_id AND own.receipt_id = found.receipt_id
    LIMIT 1
) AS place
WHERE verification.ctid = place.ctid
"""
# A check that failed waits for the wall, not for the programme.
NEXT_DUE = """
SELECT min(due_at) FROM receipts.verification
WHERE parked_because IS NULL AND step = %s AND faults = 0
"""


@dataclass(frozen=True, slots=True)
class Check:
    """One receipt to ask for. `asked`: times it was not there yet; `faults`: errors in a row.

    `is_known`: its member has shown a receipt that was found, or nobody wanted to know.
    """

    member_id: UUID
    receipt_id: UUID
    qr: str
    asked: int
    faults: int
    is_known: bool = True

    @property
    def fields(self) -> QrFields:
        return grammar.parse(self.qr)


async def lease(
    db: Db,
    *,
    token: UUID,
    now: datetime,
    wall: datetime,
    seconds: int,
    limit: int,
    sparing: bool = False,
) -> list[Check]:
    """Take up to `limit` due checks for `seconds` of wall time; commit before the calls.

    With `sparing` each says whether its member is known.
    """
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
            "sparing": sparing,
        },
    )


@dataclass(frozen=True, slots=True)
class Answered:
    """A check and what this provider said of it."""

    check: Check
    answer: Answer
    provider: str

    @property
    def key(self) -> tuple[int, int]:
        qr = self.check.fields
        return qr.fn, qr.fd

    @property
    def receipt_id(self) -> UUID:
        return self.check.receipt_id


async def finish(
    db: Db,
    answered: Sequence[Answered],
    *,
    token: UUID,
    now: datetime,
    wall: datetime,
    jitter: float,
) -> list[UUID]:
    """Act on providers' answers; the receipts whose lease was lost, for which nothing was done.

    `jitter`, 0 to 1, spreads what is asked again.
    """
    keys = sorted({one.key for one in answered})
    claimed = {claim.key: claim for claim in await claims.lock(db, keys)}
    places = [(one.check.member_id, one.receipt_id) for one in answered]
    held = await (await db.execute(HELD, [*_columns(places), token])).fetchall()
    mine = {row[0] for row in held}
    found = []
    for one in answered:
        if one.receipt_id not in mine:
            continue
        if one.answer.verdict is Verdict.FOUND:
            found.append(one)
        else:
            if len(keys) < len(answered):  # what another's answer did may have moved the claim
                claimed |= {claim.key: claim for claim in await claims.lock(db, [one.key])}
            claim = claimed.get(one.key)
            own = claim if claim and claim.receipt_id == one.receipt_id else None
            await _act(db, one, own, now=now, wall=wall, jitter=jitter)
    await _found(db, found, now=now, wall=wall)
    return [one.receipt_id for one in answered if one.receipt_id not in mine]


def _columns(places: Sequence[tuple[UUID, UUID]]) -> list[list[UUID]]:
    return [[one for one, _ in places], [one for _, one in places]]


async def _act(
    db: Db, one: Answered, mine: Claim | None, *, now: datetime, wall: datetime, jitter: float
) -> None:
    """What any answer but FOUND does."""
    check, answer = one.check, one.answer
    match answer.verdict:
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


async def _found(db: Db, found: Sequence[Answered], *, now: datetime, wall: datetime) -> None:
    if not found:
        return
    documents = []
    for one in found:
        assert one.answer.document is not None, "FOUND comes with the document"
        documents.append((one.check.member_id, one.receipt_id, one.provider, one.answer.document))
    await writing.add_documents(db, documents)
    places = [(one.check.member_id, one.receipt_id) for one in found]
    await db.execute(FOUND, [now, wall, *_columns(places)])
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
