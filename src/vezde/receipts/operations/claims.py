"""One owner for a fiscal document: who may have it, who waits, who comes too late.

(fn, fd) is unique by construction: the number of a document inside one fiscal drive. A claim is
*provisional* until the document is verified, then *confirmed* for good. While it is provisional,
whoever shows the same number with another signature, sum or minute waits for the outcome: one of
the two is wrong, and it need not be the second. A rejection that doubts the document *releases*
the claim, and the next in turn is checked.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.receipts.model import ClaimState, FiscalDocument, QrFields

TAKE = """
INSERT INTO receipts.claim (fn, fd, fp, content, state, member_id, receipt_id, claimed_at)
SELECT fn, fd, fp, content, state, member_id, receipt_id, %s
FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::uuid[],
            %s::uuid[])
     AS wanted (fn, fd, fp, content, state, member_id, receipt_id)
ORDER BY fn, fd
ON CONFLICT (fn, fd) DO NOTHING
RETURNING fn, fd
"""
HELD = """
SELECT fn, fd, fp, content, state, member_id, receipt_id
FROM receipts.claim
WHERE (fn, fd) IN (SELECT * FROM unnest(%s::bigint[], %s::bigint[]))
ORDER BY fn, fd
FOR UPDATE
"""
CHANGE = """
UPDATE receipts.claim
SET fp = %s, content = %s, state = %s, member_id = %s, receipt_id = %s, claimed_at = %s
WHERE fn = %s AND fd = %s
"""


class Turn(StrEnum):
    """What a receipt gets when it asks for its fiscal document."""

    MINE = "mine"
    OWN = "own"  # the same member holds it already, by `first_receipt_id`
    TAKEN = "taken"
    FORGED = "forged"  # the confirmed document has another signature, sum or minute
    WAIT = "wait"


@dataclass(frozen=True, slots=True)
class Want:
    """A receipt that asks for (fn, fd). `content` is what else must agree: sum, minute, kind."""

    fn: int
    fd: int
    fp: int
    content: str
    member_id: UUID
    receipt_id: UUID
    verified: bool

    @property
    def key(self) -> tuple[int, int]:
        return self.fn, self.fd


@dataclass(frozen=True, slots=True)
class Claim:
    """Who holds a fiscal document, and by what fields it is known."""

    fn: int
    fd: int
    fp: int
    content: str
    state: str
    member_id: UUID
    receipt_id: UUID

    @property
    def key(self) -> tuple[int, int]:
        return self.fn, self.fd


@dataclass(frozen=True, slots=True)
class Answer:
    """`first_receipt_id` holds the claim; `others_wait`: this answer decides for those in turn."""

    turn: Turn
    first_receipt_id: UUID
    others_wait: bool = False


def want_qr(qr: QrFields, *, member_id: UUID, receipt_id: UUID) -> Want:
    """A want on the fields of a QR: anybody may have typed them."""
    content = f"{qr.total_kopecks} {qr.wall_time:%Y%m%dT%H%M} {qr.operation}"
    return Want(qr.fn, qr.fd, qr.fp, content, member_id, receipt_id, verified=False)


def want_document(document: FiscalDocument, *, member_id: UUID, receipt_id: UUID) -> Want:
    """A want on a document that a provider or a trusted key vouches for."""
    content = f"{document.total_kopecks} {document.wall_time:%Y%m%dT%H%M} {document.operation}"
    key = document.key
    return Want(key.fn, key.fd, key.fp, content, member_id, receipt_id, verified=True)


def answer(held: Claim, want: Want) -> tuple[Answer, Claim]:
    """What `want` gets while `held` stands, and the claim as it stands afterwards (pure)."""
    if held.state == ClaimState.RELEASED:
        return Answer(Turn.MINE, want.receipt_id), fresh(want)
    confirmed = held.state == ClaimState.CONFIRMED
    same = (held.fp, held.content) == (want.fp, want.content)
    if not confirmed and not same:
        if not want.verified:
            return Answer(Turn.WAIT, held.receipt_id), held
        return Answer(Turn.MINE, want.receipt_id, others_wait=True), fresh(want)
    if held.member_id == want.member_id:
        if want.verified and not confirmed:
            settled = replace(held, state=ClaimState.CONFIRMED)
            return Answer(Turn.OWN, held.receipt_id, others_wait=True), settled
        return Answer(Turn.OWN, held.receipt_id), held
    forged = confirmed and not same and not want.verified  # whichever of its fields is wrong
    return Answer(Turn.FORGED if forged else Turn.TAKEN, held.receipt_id), held


def fresh(want: Want) -> Claim:
    """The claim of whoever comes first: confirmed when verified, else provisional."""
    state = ClaimState.CONFIRMED if want.verified else ClaimState.PROVISIONAL
    return Claim(want.fn, want.fd, want.fp, want.content, state, want.member_id, want.receipt_id)


async def take(db: Db, wants: Sequence[Want], *, now: datetime) -> list[Answer]:
    """Ask for documents, in order; a verified want confirms its claim at once.

    Locks claims in the order of their keys. Answers in the order of `wants`.
    """
    if not wants:
        return []
    first: dict[tuple[int, int], Want] = {}
    for want in wants:
        first.setdefault(want.key, want)
    taken = await _insert(db, list(first.values()), now)
    held = {key: fresh(first[key]) for key in taken}
    for claim in await lock(db, [key for key in first if key not in taken]):
        held[claim.key] = claim
    before = dict(held)
    answers = []
    for want in wants:
        if want.key in taken and first[want.key] is want:
            answers.append(Answer(Turn.MINE, want.receipt_id))
            continue
        one, held[want.key] = answer(held[want.key], want)
        answers.append(one)
    await change(db, [claim for key, claim in held.items() if claim != before[key]], now=now)
    return answers


async def _insert(db: Db, wants: Sequence[Want], now: datetime) -> set[tuple[int, int]]:
    rows = [fresh(want) for want in wants]
    cursor = await db.execute(
        TAKE,
        [
            now,
            [row.fn for row in rows],
            [row.fd for row in rows],
            [row.fp for row in rows],
            [row.content for row in rows],
            [str(row.state) for row in rows],
            [row.member_id for row in rows],
            [row.receipt_id for row in rows],
        ],
    )
    return {(row[0], row[1]) for row in await cursor.fetchall()}


async def lock(db: Db, keys: Sequence[tuple[int, int]]) -> list[Claim]:
    """The claims on these (fn, fd), locked in key order."""
    if not keys:
        return []
    return await kit_db.fetch_all(db, Claim, HELD, [[fn for fn, _ in keys], [fd for _, fd in keys]])


async def change(db: Db, claims: Sequence[Claim], *, now: datetime) -> None:
    """Write the claims over those of the same (fn, fd)."""
    await kit_db.execute_many(
        db,
        CHANGE,
        [
            (
                claim.fp,
                claim.content,
                claim.state,
                claim.member_id,
                claim.receipt_id,
                now,
                claim.fn,
                claim.fd,
            )
            for claim in claims
        ],
    )


def confirmed(claim: Claim, document: FiscalDocument) -> Claim:
    """The claim, for good, with what the verified document says."""
    want = want_document(document, member_id=claim.member_id, receipt_id=claim.receipt_id)
    return replace(fresh(want), state=ClaimState.CONFIRMED)
