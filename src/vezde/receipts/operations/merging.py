"""Receipts of a member who becomes part of another one, is by themselves again, or is forgotten.

All begin with `lock`: whoever settles, checks or decides receipts of the member has ended by then
or waits, so that nothing is written under an id that is gone.
"""

from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.members.operations import Moved
from vezde.outbox import operations as outbox
from vezde.receipts import events
from vezde.receipts.mailing import operations as mailing
from vezde.receipts.model import ClaimState, Reason
from vezde.receipts.operations import claims, disputing, rechecking, turns, writing
from vezde.receipts.operations.claims import Claim
from vezde.receipts.operations.registering import ASK, SETTLE
from vezde.receipts.photos import operations as photos
from vezde.receipts.signals import devices

KEYS: LiteralString = """
SELECT DISTINCT fn, fd FROM receipts.receipt WHERE member_id = %s AND fn IS NOT NULL
"""
LOCK_CHECKS: LiteralString = """
SELECT receipt_id FROM receipts.verification WHERE member_id = %s ORDER BY receipt_id FOR UPDATE
"""
LOCK_RECEIPTS: LiteralString = """
SELECT receipt_id FROM receipts.receipt WHERE member_id = %s ORDER BY receipt_id FOR UPDATE
"""
# Claims and turns lie by fiscal key, the member's receipts know which.
MOVE_CLAIMS: LiteralString = """
UPDATE receipts.claim SET member_id = %(into)s
FROM receipts.receipt
WHERE receipt.member_id = %(gone)s AND claim.fn = receipt.fn AND claim.fd = receipt.fd
  AND claim.member_id = %(gone)s
"""
MOVE_TURNS: LiteralString = """
UPDATE receipts.turn SET member_id = %(into)s
FROM receipts.receipt
WHERE receipt.member_id = %(gone)s AND turn.fn = receipt.fn AND turn.fd = receipt.fd
  AND turn.receipt_id = receipt.receipt_id
"""
# A lease names the receipt under its old id: who holds it ends in vain, and another one asks.
MOVE_CHECKS: LiteralString = """
UPDATE receipts.verification SET member_id = %(into)s, lease = NULL, leased_until = NULL
WHERE member_id = %(gone)s
"""
MOVE_DOCUMENTS: LiteralString = """
UPDATE receipts.document SET member_id = %(into)s WHERE member_id = %(gone)s
"""
MOVE_SLIPS: LiteralString = """
UPDATE receipts.slip SET member_id = %(into)s WHERE member_id = %(gone)s
"""
FORGET_SLIPS: LiteralString = "DELETE FROM receipts.slip WHERE member_id = %s"
MOVE_RECEIPTS: LiteralString = """
UPDATE receipts.receipt SET member_id = %(into)s WHERE member_id = %(gone)s
RETURNING receipt_id::text, purchase_id IS NULL
    AND status IN ('checking', 'awaiting_settlement', 'in_review')
"""
MOVE_PROMISES: LiteralString = """
UPDATE receipts.promise SET member_id = %(into)s WHERE member_id = %(gone)s
"""
# The account is closed with all that waited in it, promises among it.
DROP_PROMISES: LiteralString = """
UPDATE receipts.promise SET ended_at = %s WHERE member_id = %s AND ended_at IS NULL
"""
MOVE_LOOKS: LiteralString = """
UPDATE receipts.look SET member_id = %(into)s WHERE member_id = %(gone)s
"""
MOVE_QUARANTINE: LiteralString = """
UPDATE receipts.quarantine SET member_id = %(into)s WHERE member_id = %(gone)s
"""
# What signals saw tells where somebody was, and when.
FORGET_QUARANTINE: LiteralString = "DELETE FROM receipts.quarantine WHERE member_id = %s"
LEAVE_LOOKS: LiteralString = """
DELETE FROM receipts.look WHERE member_id = %s AND decided_at IS NULL
"""
# What was open and has come to a purchase since has its points with `into`, and stays there.
GO_BACK: LiteralString = """
SELECT receipt_id FROM receipts.receipt
WHERE member_id = %(into)s AND (receipt_id = ANY(%(decided)s::uuid[])
    OR receipt_id = ANY(%(open)s::uuid[]) AND purchase_id IS NULL)
"""
BACK: tuple[LiteralString, ...] = (
    """
    UPDATE receipts.claim SET member_id = %(gone)s
    FROM receipts.receipt
    WHERE receipt.member_id = %(into)s AND receipt.receipt_id = ANY(%(receipts)s)
      AND claim.fn = receipt.fn AND claim.fd = receipt.fd
      AND claim.receipt_id = receipt.receipt_id AND claim.member_id = %(into)s
    """,
    """
    UPDATE receipts.turn SET member_id = %(gone)s
    FROM receipts.receipt
    WHERE receipt.member_id = %(into)s AND receipt.receipt_id = ANY(%(receipts)s)
      AND turn.fn = receipt.fn AND turn.fd = receipt.fd AND turn.receipt_id = receipt.receipt_id
    """,
    """
    UPDATE receipts.verification SET member_id = %(gone)s, lease = NULL, leased_until = NULL
    WHERE member_id = %(into)s AND receipt_id = ANY(%(receipts)s)
    """,
    """
    UPDATE receipts.document SET member_id = %(gone)s
    WHERE member_id = %(into)s AND receipt_id = ANY(%(receipts)s)
    """,
    """
    UPDATE receipts.slip SET member_id = %(gone)s
    WHERE member_id = %(into)s AND receipt_id = ANY(%(receipts)s)
    """,
    """
    UPDATE receipts.look SET member_id = %(gone)s
    WHERE member_id = %(into)s AND receipt_id = ANY(%(receipts)s)
    """,
    photos.MOVE_BACK,
    rechecking.MOVE_BACK,
    """
    UPDATE receipts.quarantine SET member_id = %(gone)s
    WHERE member_id = %(into)s AND receipt_id = ANY(%(receipts)s)
    """,
    """
    UPDATE receipts.promise SET member_id = %(gone)s
    WHERE member_id = %(into)s AND receipt_id = ANY(%(receipts)s)
    """,
    """
    UPDATE receipts.proof SET member_id = %(gone)s
    FROM receipts.dispute
    WHERE proof.dispute_id = dispute.dispute_id AND proof.member_id = %(into)s
      AND (proof.receipt_id = ANY(%(receipts)s)
        OR dispute.member_id = %(into)s AND dispute.receipt_id = ANY(%(receipts)s))
    """,
    """
    UPDATE receipts.dispute SET member_id = %(gone)s
    WHERE member_id = %(into)s AND receipt_id = ANY(%(receipts)s)
    """,
    """
    UPDATE receipts.receipt SET member_id = %(gone)s
    WHERE member_id = %(into)s AND receipt_id = ANY(%(receipts)s)
    """,
    # What one of the two was refused because they had it themselves, the other has.
    """
    UPDATE receipts.receipt SET reason = 'taken', first_receipt_id = NULL
    FROM receipts.claim
    WHERE receipt.member_id IN (%(into)s, %(gone)s) AND receipt.reason = 'already_registered'
      AND claim.fn = receipt.fn AND claim.fd = receipt.fd
      AND claim.member_id IN (%(into)s, %(gone)s) AND claim.member_id <> receipt.member_id
    """,
)
# Disputes and their proofs go with the claimant; of two about one document one is left.
MOVE_DISPUTES: tuple[LiteralString, ...] = (
    """
    DELETE FROM receipts.proof USING receipts.dispute double, receipts.dispute kept
    WHERE proof.dispute_id = double.dispute_id AND double.member_id = %(gone)s
      AND kept.member_id = %(into)s AND kept.fn = double.fn AND kept.fd = double.fd
    """,
    """
    DELETE FROM receipts.dispute double USING receipts.dispute kept
    WHERE double.member_id = %(gone)s AND kept.member_id = %(into)s
      AND kept.fn = double.fn AND kept.fd = double.fd
    """,
    "UPDATE receipts.dispute SET member_id = %(into)s WHERE member_id = %(gone)s",
    "UPDATE receipts.proof SET member_id = %(into)s WHERE member_id = %(gone)s",
    # Nobody disputes with themselves; after an unmerge the receipt can be claimed again.
    """
    UPDATE receipts.dispute SET outcome = 'dropped', decided_at = %(now)s, decided_by = 'system'
    FROM receipts.claim
    WHERE dispute.member_id = %(into)s AND dispute.decided_at IS NULL
      AND claim.fn = dispute.fn AND claim.fd = dispute.fd AND claim.member_id = %(into)s
    """,
)
# Disputes about what a member has, who goes: the receipt stays under the bare id, paid for once.
HOLDERS_GO: LiteralString = """
UPDATE receipts.dispute SET outcome = 'kept', decided_at = %(now)s, decided_by = 'system'
FROM receipts.receipt
JOIN receipts.claim ON claim.fn = receipt.fn AND claim.fd = receipt.fd
    AND claim.receipt_id = receipt.receipt_id
WHERE receipt.member_id = %(gone)s AND claim.member_id = %(gone)s
  AND dispute.fn = claim.fn AND dispute.fd = claim.fd AND dispute.decided_at IS NULL
RETURNING dispute.member_id, dispute.receipt_id, dispute.dispute_id
"""
CLAIMANT_GOES: LiteralString = """
UPDATE receipts.dispute SET outcome = 'dropped', decided_at = %s, decided_by = 'system'
WHERE member_id = %s AND decided_at IS NULL
"""
FORGET_PROOFS: LiteralString = "DELETE FROM receipts.proof WHERE member_id = %s RETURNING file"
# What one of the two was refused because the other had it, the member has.
OWN_NOW: LiteralString = """
UPDATE receipts.receipt SET reason = 'already_registered', first_receipt_id = claim.receipt_id
FROM receipts.claim
WHERE receipt.member_id = %(into)s AND receipt.reason = 'taken'
  AND claim.fn = receipt.fn AND claim.fd = receipt.fd AND claim.member_id = %(into)s
"""
MOVES = (
    MOVE_CLAIMS,
    MOVE_TURNS,
    MOVE_CHECKS,
    MOVE_DOCUMENTS,
    MOVE_SLIPS,
    MOVE_LOOKS,
    MOVE_PROMISES,
    photos.MOVE,
    rechecking.MOVE,
    MOVE_QUARANTINE,
)
LEAVE_TURNS: LiteralString = """
DELETE FROM receipts.turn USING receipts.receipt
WHERE receipt.member_id = %s AND turn.fn = receipt.fn AND turn.fd = receipt.fd
  AND turn.receipt_id = receipt.receipt_id
"""
UNDECIDED: LiteralString = """
SELECT receipt_id FROM receipts.receipt
WHERE member_id = %s AND status IN ('checking', 'awaiting_settlement', 'in_review')
ORDER BY receipt_id
"""


async def lock(db: Db, member_id: UUID) -> None:
    """Take the claims on all documents the member has shown, then their checks and receipts."""
    await _claims(db, member_id)
    await db.execute(LOCK_CHECKS, [member_id])
    await db.execute(LOCK_RECEIPTS, [member_id])


async def merge(
    db: Db,
    into: UUID,
    gone: UUID,
    *,
    now: datetime,
    actor: str,  # noqa: ARG001
) -> Moved:
    """Give `into` the receipts of `gone` with their documents, claims, turns and checks.

    Ids of receipts stay; a public id that carries `gone` is found by `queries.receipt`.
    """
    both = {"into": into, "gone": gone}
    for statement in MOVES:
        await db.execute(statement, both)
    moved = await (await db.execute(MOVE_RECEIPTS, both)).fetchall()
    await db.execute(OWN_NOW, both)
    for statement in MOVE_DISPUTES:
        await db.execute(statement, both | {"now": now})
    mail = await mailing.merge(db, into, gone)
    marks = await devices.merge(db, into, gone)
    db.wake(ASK)
    db.wake(SETTLE)
    return {
        **mail,
        **marks,
        "decided": [receipt_id for receipt_id, is_open in moved if not is_open],
        "open": [receipt_id for receipt_id, is_open in moved if is_open],
    }


async def unmerge(
    db: Db,
    into: UUID,
    gone: UUID,
    *,
    moved: Moved,
    now: datetime,  # noqa: ARG001
    actor: str,  # noqa: ARG001
) -> None:
    """Give `gone` the receipts they had shown, but those that have earned for `into` meanwhile."""
    asked: dict[str, Any] = {"into": into, "gone": gone}
    asked |= {"decided": moved["decided"], "open": moved["open"]}
    asked["receipts"] = await kit_db.fetch_column(db, GO_BACK, asked)
    for statement in BACK:
        await db.execute(statement, asked)
    await mailing.unmerge(db, into, gone, moved=moved)
    await devices.unmerge(db, into, gone, moved=moved)
    db.wake(ASK)
    db.wake(SETTLE)


async def forget(db: Db, member_id: UUID, *, now: datetime, actor: str) -> None:  # noqa: ARG001
    """End what is not decided yet; what was decided stays, under the bare id.

    A document that was confirmed keeps its claim, so nobody is paid for it again; one that was not
    goes to whoever is next in turn, or is free.
    """
    await db.execute(LEAVE_TURNS, [member_id])
    await db.execute(FORGET_SLIPS, [member_id])
    await db.execute(photos.FORGET, [member_id])
    await mailing.forget(db, member_id)
    await db.execute(DROP_PROMISES, [now, member_id])
    await db.execute(LEAVE_LOOKS, [member_id])
    await db.execute(FORGET_QUARANTINE, [member_id])
    await devices.forget(db, member_id)
    await db.execute(rechecking.FORGET, [member_id])
    await _leave_disputes(db, member_id, now=now)
    for claim in await _claims(db, member_id):
        if claim.member_id == member_id and claim.state == ClaimState.PROVISIONAL:
            await turns.released(db, claim, now=now)
    rows = await (await db.execute(UNDECIDED, [member_id])).fetchall()
    ended = [(member_id, receipt_id, Reason.WITHDRAWN, None) for (receipt_id,) in rows]
    await writing.reject(db, ended, now=now)


async def _leave_disputes(db: Db, member_id: UUID, *, now: datetime) -> None:
    """What they said and showed is gone; who claimed what they have is told that it stays so."""
    await db.execute(CLAIMANT_GOES, [now, member_id])
    files = await kit_db.fetch_column(db, FORGET_PROOFS, [member_id])
    await disputing.FILES.delete(db, names=[one for one in files if one])
    ended = await (await db.execute(HOLDERS_GO, {"now": now, "gone": member_id})).fetchall()
    told = [
        events.resolved(
            member_id=claimant,
            receipt_id=receipt_id,
            outcome="kept",
            dispute_id=dispute_id,
            now=now,
        )
        for claimant, receipt_id, dispute_id in ended
    ]
    await outbox.record(db, told)


async def _claims(db: Db, member_id: UUID) -> list[Claim]:
    keys = await (await db.execute(KEYS, [member_id])).fetchall()
    return await claims.lock(db, keys)
