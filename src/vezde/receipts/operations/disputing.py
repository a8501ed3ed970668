"""A member says that a receipt which another one has shown is theirs, and proves it.

A code's text is no proof: whoever saw the receipt, or a picture of it, has it. A photo of the
paper, the shop's own PDF or letter, the code on a jar that stands on the receipt are something to
look at. With the first of them the dispute is queued for a person; nobody learns who the other is.
Whoever has the receipt may show proofs as well.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, LiteralString
from uuid import UUID

from vezde.kit import db as kit_db
from vezde.kit import ids
from vezde.kit.db import Db
from vezde.kit.errors import DomainError, Kind
from vezde.kit.files import DatabaseFiles
from vezde.kit.work import jobs
from vezde.members import operations as members
from vezde.members import queries as member_queries
from vezde.outbox import operations as outbox
from vezde.purchases.marking import Pack
from vezde.receipts import events, section
from vezde.receipts.model import FiscalDocument, Reason, Way
from vezde.receipts.operations.writing import NewReceipt
from vezde.receipts.photos import operations as photos

WEEK: Final = timedelta(days=7)
# Whoever has the receipt may show a proof so long before a clear case decides itself.
ANSWERED_WITHIN: Final = timedelta(days=1)
ALONE: Final = "receipts.dispute"
MOST_PROOFS: Final = 12  # of one dispute, of all who give them
# Sealed pictures, in the database: they are few, and go with their member.
FILES: Final = DatabaseFiles()
KINDS: Final = {Way.FILE: "picture", Way.SLIP: "slip", Way.LETTER: "letter"}

COLUMNS: LiteralString = """
SELECT dispute_id, member_id, receipt_id, fn, fd, opened_at, queued_at, outcome, decided_at,
    decided_by, from_member, from_receipt
FROM receipts.dispute
"""
ONE: LiteralString = COLUMNS + "WHERE dispute_id = %s"
LOCKED: LiteralString = ONE + " FOR UPDATE"
OF_CLAIMANT: LiteralString = COLUMNS + "WHERE fn = %s AND fd = %s AND member_id = %s FOR UPDATE"
OPEN: LiteralString = (
    COLUMNS
    + """
WHERE (fn, fd) IN (SELECT * FROM unnest(%s::bigint[], %s::bigint[])) AND decided_at IS NULL
ORDER BY dispute_id FOR UPDATE
"""
)
OPEN_OF: LiteralString = (
    COLUMNS
    + """
WHERE decided_at IS NULL AND (member_id = %(member_id)s OR EXISTS (
    SELECT FROM receipts.claim WHERE claim.fn = dispute.fn AND claim.fd = dispute.fd
        AND claim.member_id = %(member_id)s))
  AND (fn, fd) IN (SELECT r.fn, r.fd FROM receipts.receipt r WHERE r.member_id = %(member_id)s)
ORDER BY dispute_id FOR UPDATE
"""
)
REFUSED: LiteralString = """
SELECT reason, fn, fd FROM receipts.receipt WHERE member_id = %s AND receipt_id = %s
"""
LATELY: LiteralString = """
SELECT count(*) FROM receipts.dispute WHERE member_id = %s AND opened_at > %s
"""
ADD: LiteralString = """
INSERT INTO receipts.dispute (dispute_id, member_id, receipt_id, fn, fd, opened_at)
VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (fn, fd, member_id) DO NOTHING
RETURNING dispute_id
"""
AGAIN: LiteralString = """
UPDATE receipts.dispute SET receipt_id = %s, opened_at = %s, queued_at = NULL, outcome = NULL,
    decided_at = NULL, decided_by = NULL
WHERE dispute_id = %s
"""
QUEUE: LiteralString = "UPDATE receipts.dispute SET queued_at = %s WHERE dispute_id = %s"
SHOWN: LiteralString = """
SELECT receipt_id, came_as FROM receipts.receipt
WHERE member_id = %s AND fn = %s AND fd = %s AND came_as IN ('file', 'slip', 'letter')
ORDER BY receipt_id DESC LIMIT 3
"""
HOLDER: LiteralString = """
SELECT claim.member_id, claim.receipt_id, document.document
FROM receipts.claim
LEFT JOIN receipts.document USING (member_id, receipt_id)
WHERE claim.fn = %s AND claim.fd = %s AND claim.state <> 'released'
"""
COUNT: LiteralString = "SELECT count(*) FROM receipts.proof WHERE dispute_id = %s"
PROVE: LiteralString = """
INSERT INTO receipts.proof
    (dispute_id, proof_id, member_id, kind, receipt_id, gtin, sernum, file, given_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
RETURNING proof_id
"""


class NotDisputable(DomainError):
    """Only a receipt that was refused because another member has it can be claimed."""

    code = "not_disputable"
    kind = Kind.CONFLICT


class TooManyDisputes(DomainError):
    """The member said of so many receipts lately that they are theirs."""

    code = "too_many_disputes"
    kind = Kind.REFUSED


class DisputeMissing(DomainError):
    code = "dispute_not_found"
    kind = Kind.MISSING

    def __init__(self) -> None:
        super().__init__("There is no such dispute; list them to see those that wait.")


class NoProof(DomainError):
    """What was given says nothing of this receipt."""

    code = "no_proof"
    kind = Kind.INVALID


@dataclass(frozen=True, slots=True)
class Dispute:
    """Somebody's claim to a document that another has; queued once there is a proof.

    `outcome`: kept, moved, or dropped (there was nothing to decide any more).
    """

    dispute_id: UUID
    member_id: UUID
    receipt_id: UUID
    fn: int
    fd: int
    opened_at: datetime
    queued_at: datetime | None
    outcome: str | None
    decided_at: datetime | None
    decided_by: str | None
    from_member: UUID | None
    from_receipt: UUID | None

    @property
    def key(self) -> tuple[int, int]:
        return self.fn, self.fd


@dataclass(frozen=True, slots=True)
class Given:
    """A proof: of a way a receipt was shown, or the code of a pack; `file`: where it is kept."""

    kind: str
    receipt_id: UUID | None = None
    pack: Pack | None = None
    file: str | None = None


@dataclass(frozen=True)
class _Holder:
    member_id: UUID
    receipt_id: UUID
    document: dict[str, Any] | None

    def has(self, pack: Pack) -> bool:
        """Whether the verified document names this very pack."""
        if self.document is None:
            return False
        lines = FiscalDocument.from_json(self.document).lines
        return any((one.gtin, one.serial) == (pack.gtin, pack.serial) for one in lines)


async def claim(db: Db, member_id: UUID, receipt_id: UUID, *, now: datetime) -> Dispute:
    """The member says that this refused receipt is theirs; said before, it answers that dispute.

    What they showed of it before counts as proof. Raises `NotDisputable`, `TooManyDisputes`,
    `MemberClosed`.
    """
    owner = await member_queries.surviving(db, member_id)
    if not await members.present(db, [owner]):
        raise await member_queries.refusal(db, owner)
    row = await (await db.execute(REFUSED, [owner, receipt_id])).fetchone()
    if row is None or row[0] != Reason.TAKEN or row[1] is None:
        raise NotDisputable(
            "Only a receipt that was refused because another member has shown it can be claimed."
        )
    _, fn, fd = row
    known = await kit_db.fetch_one(db, Dispute, OF_CLAIMANT, [fn, fd, owner])
    if known is not None and known.outcome != "dropped":
        return known
    limit = (await section.in_force(db, now)).disputes_per_week
    if await kit_db.fetch_value(db, LATELY, [owner, now - WEEK]) >= limit:
        raise TooManyDisputes(
            f"No more than {limit} receipts in seven days can be claimed; write to support."
        )
    if known is None:
        new = [ids.new(), owner, receipt_id, fn, fd, now]
        if await kit_db.fetch_value(db, ADD, new) is None:  # tapped twice in one moment
            return await _of_claimant(db, fn, fd, owner)
    else:
        await db.execute(AGAIN, [receipt_id, now, known.dispute_id])
    dispute = await _of_claimant(db, fn, fd, owner)
    shown = await (await db.execute(SHOWN, [owner, fn, fd])).fetchall()
    given = [Given(KINDS[Way(way)], showing) for showing, way in shown]
    await _prove(db, dispute, owner, given, now=now)
    return await one(db, dispute.dispute_id)


async def _of_claimant(db: Db, fn: int, fd: int, member_id: UUID) -> Dispute:
    found = await kit_db.fetch_one(db, Dispute, OF_CLAIMANT, [fn, fd, member_id])
    assert found is not None, "it was written before, by this or by another transaction"
    return found


async def one(db: Db, dispute_id: UUID) -> Dispute:
    """A dispute; raises `DisputeMissing`."""
    found = await kit_db.fetch_one(db, Dispute, ONE, [dispute_id])
    if found is None:
        raise DisputeMissing
    return found


async def locked(db: Db, dispute_id: UUID) -> Dispute:
    """A dispute, held until the transaction ends; raises `DisputeMissing`."""
    found = await kit_db.fetch_one(db, Dispute, LOCKED, [dispute_id])
    if found is None:
        raise DisputeMissing
    return found


async def attach(db: Db, shown: Sequence[NewReceipt], *, now: datetime) -> set[UUID]:
    """Doubles shown as a photo, a PDF or a letter are proofs where their receipt is disputed.

    Answers which receipts (`receipt_id`) proved something. One read where nothing is a double.
    """
    doubles = [
        row
        for row in shown
        if row.reason in {Reason.TAKEN, Reason.ALREADY_REGISTERED}
        and row.way is not None
        and row.way.shows_paper
    ]
    if not doubles:
        return set()
    keys = [[row.fn for row in doubles], [row.fd for row in doubles]]
    proving = set()
    for dispute in await kit_db.fetch_all(db, Dispute, OPEN, keys):
        for row in doubles:
            if (row.fn, row.fd) != dispute.key or row.way is None:
                continue
            mine = row.member_id == dispute.member_id
            # A claimant's own receipt is taken, the holder's is registered already.
            if mine == (row.reason is Reason.TAKEN):
                given = Given(KINDS[row.way], row.receipt_id)
                if await _prove(db, dispute, row.member_id, [given], now=now):
                    proving.add(row.receipt_id)
    return proving


async def show_pack(db: Db, member_id: UUID, pack: Pack, *, now: datetime) -> bool:
    """The member scanned a jar: a proof where it stands on a receipt that they dispute or have.

    False: none of these receipts has this pack. The member's row is held by whoever calls.
    """
    proved = False
    asked = {"member_id": member_id}
    for dispute in await kit_db.fetch_all(db, Dispute, OPEN_OF, asked):
        holder = await kit_db.fetch_one(db, _Holder, HOLDER, list(dispute.key))
        if holder is None or not holder.has(pack):
            continue
        given = [Given("pack", pack=pack)]
        proved |= bool(await _prove(db, dispute, member_id, given, now=now))
    return proved


async def prove(db: Db, dispute_id: UUID, given: Collection[Given], *, now: datetime) -> Dispute:
    """The claimant gives proofs for a dispute; decided already, it answers as it was decided.

    Raises `DisputeMissing`, and `NoProof` where packs are given and none is on the receipt.
    """
    dispute = await locked(db, dispute_id)
    if dispute.decided_at is not None:
        return dispute
    holder = await kit_db.fetch_one(db, _Holder, HOLDER, list(dispute.key))
    fits = [
        one for one in given if one.pack is None or (holder is not None and holder.has(one.pack))
    ]
    if not fits:
        raise NoProof("This code is not of a pack on the receipt; scan the jar you bought by it.")
    await _prove(db, dispute, dispute.member_id, fits, now=now)
    return await one(db, dispute_id)


async def _prove(
    db: Db, dispute: Dispute, member_id: UUID, given: Sequence[Given], *, now: datetime
) -> int:
    """Keep proofs, up to the most; the claimant's first queues the dispute. How many are new."""
    left = MOST_PROOFS - await kit_db.fetch_value(db, COUNT, [dispute.dispute_id])
    new = 0
    for proof in given[: max(0, left)]:
        pack = (proof.pack.gtin, proof.pack.serial) if proof.pack else (None, None)
        row = [dispute.dispute_id, ids.new(), member_id, proof.kind, proof.receipt_id, *pack]
        kept = await kit_db.fetch_value(db, PROVE, [*row, proof.file, now])
        new += kept is not None
    shown = [(member_id, proof.receipt_id) for proof in given if proof.receipt_id is not None]
    await photos.prove(db, shown)
    if not new or member_id != dispute.member_id:
        return new
    if dispute.queued_at is None:
        await _queue(db, dispute, now=now)
    if any(proof.kind == "pack" for proof in given):
        await jobs.enqueue(
            db,
            kind=ALONE,
            payload={"dispute_id": str(dispute.dispute_id)},
            due_at=now + ANSWERED_WITHIN,
            key=f"{ALONE}/{dispute.dispute_id}",
        )
    return new


async def _queue(db: Db, dispute: Dispute, *, now: datetime) -> None:
    await db.execute(QUEUE, [now, dispute.dispute_id])
    told = [
        events.disputed(
            member_id=dispute.member_id,
            receipt_id=dispute.receipt_id,
            dispute_id=dispute.dispute_id,
            now=now,
        )
    ]
    holder = await kit_db.fetch_one(db, _Holder, HOLDER, list(dispute.key))
    if holder is not None:
        told.append(
            events.questioned(member_id=holder.member_id, receipt_id=holder.receipt_id, now=now)
        )
    await outbox.record(db, told)
