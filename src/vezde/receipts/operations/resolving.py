"""Whose a disputed receipt is: it stays where it is, or moves with its claim and its points.

What moves is the document. The first member's points of it are taken back with all that hung on
them; the claimant's own receipt, refused until now, is settled by the very document, under the day
of the purchase. All of it in one transaction, with both members, the claim and both accounts held.
"""

from dataclasses import replace
from datetime import datetime
from typing import Any, Final, LiteralString
from uuid import UUID

import structlog

from vezde.kit import db as kit_db
from vezde.kit.db import Contested, Db
from vezde.kit.errors import DomainError, Kind
from vezde.kit.work import jobs
from vezde.ledger import operations as ledger
from vezde.ledger import queries as ledger_queries
from vezde.members import operations as members
from vezde.members import queries as member_queries
from vezde.outbox import operations as outbox
from vezde.purchases import operations as purchases
from vezde.purchases.operations import Because
from vezde.receipts import events, queries, section
from vezde.receipts.model import ClaimState, FiscalDocument, Reason, Status
from vezde.receipts.operations import claims, disputing, rechecking, writing
from vezde.receipts.operations.claims import Claim
from vezde.receipts.operations.disputing import Dispute
from vezde.receipts.operations.settling import Item, settle
from vezde.receipts.photos import operations as photos
from vezde.receipts.queries import Receipt

log = structlog.get_logger(__name__)

KEPT, MOVED, DROPPED = "kept", "moved", "dropped"
SYSTEM: Final = "system"

HOLDER: LiteralString = "SELECT member_id FROM receipts.claim WHERE fn = %s AND fd = %s"
DECIDE: LiteralString = """
UPDATE receipts.dispute SET outcome = %s, decided_at = %s, decided_by = %s, from_member = %s,
    from_receipt = %s
WHERE dispute_id = %s
"""
EVIDENCE: LiteralString = """
SELECT evidence, document FROM receipts.document WHERE member_id = %s AND receipt_id = %s
FOR UPDATE
"""
LEAVE_DOCUMENT: LiteralString = """
DELETE FROM receipts.document WHERE member_id = %s AND receipt_id = %s
"""
LEAVE_LOOKS: LiteralString = """
DELETE FROM receipts.look WHERE member_id = %s AND receipt_id = %s
"""
LEAVE_QUARANTINE: LiteralString = """
DELETE FROM receipts.quarantine WHERE member_id = %s AND receipt_id = %s AND outcome IS NULL
"""
LEAVE: LiteralString = """
UPDATE receipts.receipt
SET status = 'rejected', reason = 'moved', purchase_id = NULL, decided_at = %s
WHERE member_id = %s AND receipt_id = %s
RETURNING registered_at
"""
REGISTERED: LiteralString = """
SELECT registered_at FROM receipts.receipt WHERE member_id = %s AND receipt_id = %s
"""
# What the two showed of it beside: doubles of the claimant's own now, of another's for the other.
DOUBLES: tuple[LiteralString, ...] = (
    """
    UPDATE receipts.receipt SET reason = 'already_registered', first_receipt_id = %(receipt)s
    WHERE member_id = %(claimant)s AND fn = %(fn)s AND fd = %(fd)s AND reason = 'taken'
      AND receipt_id <> %(receipt)s
    """,
    """
    UPDATE receipts.receipt SET reason = 'taken', first_receipt_id = NULL
    WHERE member_id = %(holder)s AND fn = %(fn)s AND fd = %(fd)s AND reason = 'already_registered'
    """,
)
# A clear case: nobody but these two, the code of the pack from the claimant, from the other
# nothing, and they had only typed what stands on the receipt.
CLEAR: LiteralString = """
SELECT EXISTS (SELECT FROM receipts.proof p
        WHERE p.dispute_id = %(dispute)s AND p.kind = 'pack' AND p.member_id = %(claimant)s)
    AND NOT EXISTS (SELECT FROM receipts.proof p
        WHERE p.dispute_id = %(dispute)s AND p.member_id <> %(claimant)s)
    AND NOT EXISTS (SELECT FROM receipts.dispute other
        WHERE other.fn = %(fn)s AND other.fd = %(fd)s AND other.dispute_id <> %(dispute)s)
    AND NOT EXISTS (SELECT FROM receipts.receipt shown
        WHERE shown.member_id = %(holder)s AND shown.fn = %(fn)s AND shown.fd = %(fd)s
            AND shown.came_as IS DISTINCT FROM 'text')
"""


class DisputeDecided(DomainError):
    """Somebody decided it otherwise meanwhile."""

    code = "dispute_decided"
    kind = Kind.CONFLICT


class DisputeNotReady(DomainError):
    """The receipt cannot move now; the message says why."""

    code = "dispute_not_ready"
    kind = Kind.CONFLICT


async def decide(db: Db, dispute_id: UUID, *, move: bool, now: datetime, actor: str) -> Dispute:
    """Say whose the receipt is; the same said again answers as it was decided.

    Raises `DisputeMissing`, `DisputeDecided`, and for a move `DisputeNotReady`: the receipt is
    being checked still, or whoever has it is no member any more, so nothing can be taken back.
    """
    dispute, claim, there = await _held(db, dispute_id)
    outcome = MOVED if move else KEPT
    if dispute.decided_at is not None:
        if dispute.outcome == outcome:
            return dispute
        raise DisputeDecided(f"It was decided already: {dispute.outcome}. Look at it again.")
    if move:
        await _move(db, dispute, claim, there, now=now, actor=actor)
    await _end(db, dispute, claim, outcome, now=now, actor=actor)
    return await disputing.one(db, dispute_id)


async def alone(db: Db, job: jobs.Job, now: datetime) -> None:
    """The job of a dispute that has the code of a pack: a clear case moves by itself.

    Safe where nobody loses what they cannot claim again: the claimant has shown the very pack that
    stands on the verified receipt; whoever has it only typed it, was asked a day ago and showed
    nothing; no other dispute, return or order of the brand's shop speaks of it; and all points are
    still there, so that no debt comes of it. Everything else waits for a person.
    """
    dispute, claim, there = await _held(db, UUID(job.payload["dispute_id"]))
    if dispute.decided_at is not None or not (await section.in_force(db, now)).disputes_alone:
        return
    if claim is None or there != {dispute.member_id, claim.member_id}:
        return
    if not await _is_clear(db, dispute, claim, now=now):
        return
    await _move(db, dispute, claim, there, now=now, actor=SYSTEM)
    await _end(db, dispute, claim, MOVED, now=now, actor=SYSTEM)
    log.info("dispute_decided_alone", dispute_id=str(dispute.dispute_id))


async def drop(
    db: Db, dispute_id: UUID, *, outcome: str, now: datetime, actor: str = SYSTEM
) -> None:
    """There is nothing to decide any more: one of the two went, or they are one member now."""
    await db.execute(DECIDE, [outcome, now, actor, None, None, dispute_id])


async def _held(db: Db, dispute_id: UUID) -> tuple[Dispute, Claim | None, frozenset[UUID]]:
    """The dispute and the claim it is about, both locked after their members; who is there.

    Raises `Contested` where the claim went to another between the two: it is tried again.
    """
    seen = await disputing.one(db, dispute_id)
    holder = await kit_db.fetch_value(db, HOLDER, list(seen.key))
    there = await members.present(db, {seen.member_id, holder} - {None})
    found = await claims.lock(db, [seen.key])
    claim = found[0] if found else None
    dispute = await disputing.locked(db, dispute_id)
    same = (dispute.member_id, claim and claim.member_id) == (seen.member_id, holder)
    if dispute.decided_at is None and not same:
        raise Contested("The dispute changed in this moment; look at it again.")
    return dispute, claim, there


async def _is_clear(db: Db, dispute: Dispute, claim: Claim, *, now: datetime) -> bool:
    asked = {
        "dispute": dispute.dispute_id,
        "claimant": dispute.member_id,
        "holder": claim.member_id,
        "fn": dispute.fn,
        "fd": dispute.fd,
    }
    if claim.state != ClaimState.CONFIRMED or not await kit_db.fetch_value(db, CLEAR, asked):
        return False
    held = (claim.member_id, claim.receipt_id)
    if await purchases.is_entangled(db, *held):
        return False
    receipt = (await queries.receipts(db, [held])).get(claim.receipt_id)
    if receipt is None or receipt.status is Status.IN_REVIEW:
        return False
    points = await ledger_queries.points(db, claim.member_id, as_of=now)
    return points.active + points.pending >= _points(receipt)


def _points(receipt: Receipt) -> int:
    return sum(one.points for one in receipt.matched)


async def _move(
    db: Db,
    dispute: Dispute,
    claim: Claim | None,
    there: frozenset[UUID],
    *,
    now: datetime,
    actor: str,
) -> None:
    """Take the receipt from whoever has it and settle it for the claimant."""
    if dispute.member_id not in there:
        raise await member_queries.refusal(db, dispute.member_id)
    if claim is None or claim.state != ClaimState.CONFIRMED:
        raise DisputeNotReady(
            "The receipt is not verified yet, or was given up; wait, or keep it as it is."
        )
    if claim.member_id == dispute.member_id:
        raise DisputeNotReady("The claimant has the receipt already; keep it as it is.")
    if claim.member_id not in there:
        raise DisputeNotReady(
            "Whoever showed the receipt first left the programme, so nothing can be taken back. "
            "Keep it as it is, and give the claimant points by hand if they deserve them."
        )
    held = [claim.member_id, claim.receipt_id]
    row = await (await db.execute(EVIDENCE, held)).fetchone()
    if row is None:
        raise DisputeNotReady("The document of the receipt is not here any more; keep it.")
    await ledger.lock(db, sorted(there))
    taken = await purchases.withdraw(
        *(db, claim.member_id, claim.receipt_id), because=Because.MOVED, now=now, actor=actor
    )
    await _leave(db, claim, now=now)
    await _give(db, dispute, claim, row, taken.returned_micro, now=now, actor=actor)
    asked = {
        "receipt": dispute.receipt_id,
        "claimant": dispute.member_id,
        "holder": claim.member_id,
        "fn": dispute.fn,
        "fd": dispute.fd,
    }
    for statement in DOUBLES:
        await db.execute(statement, asked)


async def _leave(db: Db, claim: Claim, *, now: datetime) -> None:
    """Whoever had it keeps a receipt that says so, without the document."""
    held = [claim.member_id, claim.receipt_id]
    await db.execute(LEAVE_DOCUMENT, held)
    await db.execute(LEAVE_LOOKS, held)
    await db.execute(LEAVE_QUARANTINE, held)
    await db.execute(rechecking.LEAVE, held)
    await photos.drop(db, [(claim.member_id, claim.receipt_id)])
    await db.execute(LEAVE, [now, *held])
    told = events.came_to(
        Status.REJECTED,
        member_id=claim.member_id,
        receipt_id=claim.receipt_id,
        occurred_at=None,
        now=now,
        reason=Reason.MOVED,
    )
    await outbox.record(db, [told])


async def _give(
    db: Db,
    dispute: Dispute,
    claim: Claim,
    found: tuple[Any, ...],
    returned_micro: Any,
    *,
    now: datetime,
    actor: str,
) -> None:
    """The claimant's receipt is settled by the document, as of when they showed it."""
    mine = [dispute.member_id, dispute.receipt_id]
    evidence, document = found[0], FiscalDocument.from_json(found[1])
    registered_at = await kit_db.fetch_value(db, REGISTERED, mine)
    moved = replace(claim, member_id=dispute.member_id, receipt_id=dispute.receipt_id)
    await claims.change(db, [moved], now=now)
    await db.execute(LEAVE_DOCUMENT, mine)
    await writing.add_documents(db, [(mine[0], mine[1], evidence, document)])
    outcomes = await settle(
        *(db, [Item(mine[0], mine[1], document, registered_at)]),
        now=now,
        actor=actor,
        vouched=actor != SYSTEM,
    )
    await writing.decide(db, outcomes, now=now)
    await purchases.carry_returns(db, mine[0], mine[1], returned_micro, now=now, actor=actor)


async def _end(
    db: Db, dispute: Dispute, claim: Claim | None, outcome: str, *, now: datetime, actor: str
) -> None:
    came_from = (claim.member_id, claim.receipt_id) if claim and outcome == MOVED else (None, None)
    await db.execute(DECIDE, [outcome, now, actor, *came_from, dispute.dispute_id])
    told = [
        events.resolved(
            member_id=dispute.member_id,
            receipt_id=dispute.receipt_id,
            outcome=outcome,
            dispute_id=dispute.dispute_id,
            now=now,
        )
    ]
    if claim is not None and dispute.queued_at is not None:
        told.append(
            events.resolved(
                member_id=claim.member_id, receipt_id=claim.receipt_id, outcome=outcome, now=now
            )
        )
    await outbox.record(db, told)
