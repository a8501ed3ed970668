"""Receipts by the hundred: from the batch face, from an operator's folder.

Slices of a batch are worked one after another, each in its own transaction, so that the lines of
one member are decided in their order. A slice that fails is repeated line by line, and the line
that fails alone says so; the others are kept.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog

from vezde.kit.clock import Clock
from vezde.kit.db import Database, Db
from vezde.kit.errors import DomainError, Kind, Unavailable
from vezde.kit.vault import Vault
from vezde.members import identities
from vezde.members import operations as members
from vezde.members import queries as member_queries
from vezde.receipts import queries
from vezde.receipts.model import FiscalDocument, Note, QrFields, Reason, Status, Way
from vezde.receipts.operations import batching, registering
from vezde.receipts.operations.batching import Taken, Verified
from vezde.receipts.operations.registering import Submission
from vezde.receipts.signals import devices

log = structlog.get_logger(__name__)

SLICE = 100


class NoSuchMember(DomainError):
    code = "member_not_found"
    kind = Kind.MISSING


class LineFailed(DomainError):
    """Something broke on our side while this line was worked; nothing of it was kept."""

    code = "line_failed"
    kind = Kind.UNAVAILABLE


@dataclass(frozen=True, slots=True)
class Line:
    """One line: who (a member's id or a phone, E.164) and what (a document, a QR, or neither).

    `ref` marks the line for good: worked again after a crash it is not a repeat of itself.
    `device` is the blinded mark of where it came from.
    """

    ref: UUID
    member_id: UUID | None = None
    phone: str | None = None
    enrol: bool = False
    document: FiscalDocument | None = None
    qr: QrFields | None = None
    unreadable: Reason | None = None
    note: Note | None = None
    device: bytes | None = None


@dataclass(frozen=True, slots=True)
class Points:
    """What a line earned, whole points; `active_at` is when the pending ones can be spent."""

    pending: int
    active: int
    active_at: datetime | None


@dataclass(frozen=True, slots=True)
class Result:
    """What a line came to: a receipt, or an error."""

    member_id: UUID | None = None
    receipt_id: UUID | None = None
    status: Status | None = None
    reason: Reason | None = None
    note: Note | None = None
    points: Points = Points(0, 0, None)
    repeated: bool = False
    error: DomainError | None = None


@dataclass(frozen=True)
class Desk:
    """Who takes receipts in, with what rights: `evidence` vouches for documents.

    Without `verified` a document gives only its fiscal key and a provider is asked.
    """

    database: Database
    clock: Clock
    vault: Vault
    actor: str
    evidence: str
    verified: bool
    source: str | None = None


async def take_in(
    desk: Desk, lines: Sequence[Line], *, done: Callable[[int], None] = lambda _count: None
) -> list[Result]:
    """Work the lines in order; a bad one stops nothing. `done` hears of each slice's size."""
    results: list[Result] = []
    for start in range(0, len(lines), SLICE):
        part = lines[start : start + SLICE]
        results += await _slice(desk, part)
        done(len(part))
    return results


async def _slice(desk: Desk, lines: Sequence[Line]) -> list[Result]:
    try:
        return await _together(desk, lines)
    except Unavailable:
        raise
    except Exception as error:
        if len(lines) == 1:
            return [_failed(error)]
        log.info("slice_line_by_line", lines=len(lines), error=type(error).__name__)
    results = []
    for line in lines:
        results += await _slice(desk, [line])
    return results


def _failed(error: Exception) -> Result:
    if isinstance(error, DomainError):
        return Result(error=error)
    log.error("line_failed", exc_info=error)
    return Result(
        error=LineFailed(
            "Something broke on our side; nothing was kept. Send the line again later."
        )
    )


async def _together(desk: Desk, lines: Sequence[Line]) -> list[Result]:
    async with desk.database.transaction(pipeline=True, gives_way=len(lines) > 1) as db:
        now = await desk.clock.programme(db)
        owners = await _owners(db, desk, lines, now=now)
        results: list[Result | None] = [_not_a_member(owner) for owner in owners]
        good = [
            (index, line, owner)
            for index, (line, owner) in enumerate(zip(lines, owners, strict=True))
            if isinstance(owner, UUID)
        ]
        used = {(owner, line.device) for _, line, owner in good if line.device}
        await devices.seen(db, used, now=now)
        decided = await _verified(
            db, desk, [one for one in good if desk.verified and one[1].document], now=now
        )
        asked = await _unverified(
            db, desk, [one for one in good if not (desk.verified and one[1].document)], now=now
        )
        taken = decided | asked
        stored = await queries.receipts(
            db,
            [(one.member_id, one.receipt_id) for one in taken.values() if one.outcome is None],
        )
        for index, one in taken.items():
            results[index] = _result(one, stored.get(one.receipt_id), now)
    return [result for result in results if result is not None]


async def _owners(
    db: Db, desk: Desk, lines: Sequence[Line], *, now: datetime
) -> list[UUID | DomainError]:
    """Each line's member, or why there is none."""
    enrolling = sorted({line.phone for line in lines if line.phone and line.enrol})
    phones = sorted({line.phone for line in lines if line.phone})
    by_phone: dict[str, UUID] = {}
    if enrolling:
        by_phone |= await members.enrol_missing(
            db, enrolling, vault=desk.vault, now=now, actor=desk.actor, source=desk.source
        )
    if rest := [phone for phone in phones if phone not in by_phone]:
        by_phone |= await member_queries.ids_by_phone(db, rest, vault=desk.vault)
    named = {line.member_id for line in lines if line.member_id} | set(by_phone.values())
    present = await members.present(db, named)
    owners: dict[UUID, UUID | DomainError] = {who: who for who in present}
    for who in named - present:
        owners[who] = await member_queries.refusal(db, who)
    return [_owner(line, by_phone, owners) for line in lines]


def _owner(
    line: Line, by_phone: dict[str, UUID], owners: dict[UUID, UUID | DomainError]
) -> UUID | DomainError:
    if line.member_id is not None:
        return owners[line.member_id]
    if line.phone is None:
        return NoSuchMember("Say whose receipt it is: member_id or phone.")
    if line.phone in by_phone:
        return owners[by_phone[line.phone]]
    try:
        identities.phone(line.phone)
    except DomainError as error:
        return error
    return NoSuchMember(
        "Nobody is enrolled with this phone; enrol the member first, or send enrol: true."
    )


def _not_a_member(owner: UUID | DomainError) -> Result | None:
    return Result(error=owner) if isinstance(owner, DomainError) else None


Placed = tuple[int, Line, UUID]


async def _verified(
    db: Db, desk: Desk, good: Sequence[Placed], *, now: datetime
) -> dict[int, Taken]:
    verified = [
        Verified(owner, line.document, line.ref) for _, line, owner in good if line.document
    ]
    taken = await batching.register_verified(
        db, verified, evidence=desk.evidence, now=now, actor=desk.actor
    )
    return {index: one for (index, _, _), one in zip(good, taken, strict=True)}


async def _unverified(
    db: Db, desk: Desk, good: Sequence[Placed], *, now: datetime
) -> dict[int, Taken]:
    """QR texts, pictures without a QR, and documents that nobody vouches for."""
    submissions = [
        Submission(
            member_id=owner,
            qr=line.document.qr if line.document else line.qr,
            unreadable=line.unreadable,
            note=line.note,
            batch_ref=line.ref,
            way=Way.DOCUMENT if line.document else Way.TEXT if line.qr else Way.FILE,
        )
        for _, line, owner in good
    ]
    registered = await registering.register(
        db, submissions, now=now, wall=desk.clock.wall(), actor=desk.actor, once=True
    )
    return {
        index: Taken(one.member_id, one.receipt_id, one.repeated)
        for (index, _, _), one in zip(good, registered, strict=True)
    }


def _result(taken: Taken, stored: queries.Receipt | None, now: datetime) -> Result:
    outcome = taken.outcome
    if outcome is not None:
        status, reason, note = outcome.status, outcome.reason, None
        points = queries.points_of(outcome.matched, now)
    else:
        assert stored is not None, "a line is answered by a receipt of this call or an older one"
        status, reason, note = stored.status, stored.reason, stored.note
        points = stored.points(now)
    return Result(
        member_id=taken.member_id,
        receipt_id=taken.receipt_id,
        status=status,
        reason=reason,
        note=note,
        points=Points(*points),
        repeated=taken.repeated,
    )
