"""Questions about disputes: what waits, the two claims and the proofs, the history of a receipt."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import LiteralString
from uuid import UUID

from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.receipts import section
from vezde.receipts.operations.disputing import COLUMNS, Dispute

WAITING: LiteralString = (
    COLUMNS
    + """
WHERE decided_at IS NULL AND queued_at IS NOT NULL
  AND (%(queued_at)s::timestamptz IS NULL
    OR (queued_at, dispute_id) > (%(queued_at)s::timestamptz, %(dispute_id)s::uuid))
ORDER BY queued_at, dispute_id LIMIT %(limit)s
"""
)
DECIDED: LiteralString = (
    COLUMNS
    + """
WHERE decided_at IS NOT NULL AND queued_at IS NOT NULL
  AND (%(queued_at)s::timestamptz IS NULL
    OR (queued_at, dispute_id) < (%(queued_at)s::timestamptz, %(dispute_id)s::uuid))
ORDER BY queued_at DESC, dispute_id DESC LIMIT %(limit)s
"""
)
PROOFS: LiteralString = """
SELECT dispute_id, proof_id, member_id, kind, receipt_id, gtin, sernum, file, given_at
FROM receipts.proof WHERE dispute_id = ANY(%s) ORDER BY given_at, proof_id
"""
SHOWINGS: LiteralString = """
SELECT dispute.dispute_id, shown.member_id, shown.receipt_id, shown.status, shown.reason,
    shown.came_as, shown.registered_at
FROM receipts.dispute
LEFT JOIN receipts.claim ON claim.fn = dispute.fn AND claim.fd = dispute.fd
JOIN receipts.receipt shown ON shown.fn = dispute.fn AND shown.fd = dispute.fd
    AND shown.member_id IN (dispute.member_id, coalesce(dispute.from_member, claim.member_id))
WHERE dispute.dispute_id = ANY(%s)
ORDER BY shown.receipt_id
"""
HOLDERS: LiteralString = """
SELECT dispute.dispute_id, claim.member_id, claim.receipt_id, claim.state
FROM receipts.dispute JOIN receipts.claim USING (fn, fd)
WHERE dispute.dispute_id = ANY(%s)
"""
OPEN: LiteralString = """
SELECT count(*), min(queued_at) FROM receipts.dispute
WHERE decided_at IS NULL AND queued_at IS NOT NULL
"""
PROMISED: LiteralString = """
SELECT proof.receipt_id, dispute.queued_at FROM receipts.proof
JOIN receipts.dispute USING (dispute_id)
WHERE proof.receipt_id = ANY(%s)
"""
# A document's disputes, whoever had it and claimed it.
OF_RECEIPT: LiteralString = (
    COLUMNS
    + """
WHERE (fn, fd) IN (SELECT r.fn, r.fd FROM receipts.receipt r
    WHERE r.member_id = %s AND r.receipt_id = %s)
ORDER BY opened_at, dispute_id
"""
)


@dataclass(frozen=True, slots=True)
class Proof:
    """What one of the two showed; `receipt_id`: the showing it came with."""

    dispute_id: UUID
    proof_id: UUID
    member_id: UUID
    kind: str
    receipt_id: UUID | None
    gtin: str | None
    sernum: str | None
    file: str | None
    given_at: datetime


@dataclass(frozen=True, slots=True)
class Showing:
    """A time that one of the two showed the document, and how it came."""

    dispute_id: UUID
    member_id: UUID
    receipt_id: UUID
    status: str
    reason: str | None
    came_as: str | None
    registered_at: datetime


@dataclass(frozen=True, slots=True)
class Holder:
    """Who has the document of a dispute now, and whether it is verified (`confirmed`)."""

    dispute_id: UUID
    member_id: UUID
    receipt_id: UUID
    state: str


@dataclass(frozen=True, slots=True)
class Case:
    """A dispute with all that helps to decide it."""

    dispute: Dispute
    holder: Holder | None
    showings: tuple[Showing, ...]
    proofs: tuple[Proof, ...]

    @property
    def had(self) -> tuple[UUID, UUID] | None:
        """Who has it, or had it before it moved: (member, receipt)."""
        if self.dispute.from_member is not None and self.dispute.from_receipt is not None:
            return self.dispute.from_member, self.dispute.from_receipt
        return (self.holder.member_id, self.holder.receipt_id) if self.holder else None


@dataclass(frozen=True, slots=True)
class After:
    """The place of a page: the last dispute of the one before."""

    queued_at: datetime
    dispute_id: UUID


async def page(db: Db, *, decided: bool, after: After | None, limit: int) -> list[Case]:
    """Disputes that wait, the oldest first, or those decided, the newest first."""
    place = {
        "queued_at": after.queued_at if after else None,
        "dispute_id": after.dispute_id if after else None,
        "limit": limit,
    }
    found = await kit_db.fetch_all(db, Dispute, DECIDED if decided else WAITING, place)
    return await cases(db, found)


async def cases(db: Db, found: Sequence[Dispute]) -> list[Case]:
    """Disputes with their claims and proofs, in the same order; three set reads."""
    if not found:
        return []
    asked = [[one.dispute_id for one in found]]
    proofs = await kit_db.fetch_all(db, Proof, PROOFS, asked)
    showings = await kit_db.fetch_all(db, Showing, SHOWINGS, asked)
    holders = {one.dispute_id: one for one in await kit_db.fetch_all(db, Holder, HOLDERS, asked)}
    return [
        Case(
            one,
            holders.get(one.dispute_id),
            tuple(each for each in showings if each.dispute_id == one.dispute_id),
            tuple(each for each in proofs if each.dispute_id == one.dispute_id),
        )
        for one in found
    ]


async def open_ones(db: Db) -> tuple[int, datetime | None]:
    """How many disputes wait, and since when the first."""
    row = await (await db.execute(OPEN)).fetchone()
    assert row is not None, "an aggregate answers one row"
    return row[0], row[1]


async def promised(db: Db, receipt_ids: Sequence[UUID]) -> dict[UUID, datetime]:
    """By receipts that came as proofs, when their disputes are to be decided at the latest."""
    rows = await (await db.execute(PROMISED, [list(receipt_ids)])).fetchall()
    return {
        receipt_id: queued_at
        + timedelta(hours=(await section.in_force(db, queued_at)).promised_hours)
        for receipt_id, queued_at in rows
        if queued_at is not None
    }


async def of_receipt(db: Db, member_id: UUID, receipt_id: UUID) -> list[Dispute]:
    """All disputes about a receipt's document, the first first: its history."""
    return await kit_db.fetch_all(db, Dispute, OF_RECEIPT, [member_id, receipt_id])
