"""A receipt is shown: claimed, written, and answered at once; checked after."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from vezde.kit import db as kit_db
from vezde.kit import ids
from vezde.kit.db import Db
from vezde.members import operations as members
from vezde.members import queries as member_queries
from vezde.program import decide as program_rules
from vezde.program import queries as program
from vezde.program.model import Programmes
from vezde.receipts import queries
from vezde.receipts.model import FiscalDocument, Note, QrFields, Reason, Status, Way
from vezde.receipts.operations import claims, disputing, pacing, promising, turns, writing
from vezde.receipts.operations.claims import Turn, Want
from vezde.receipts.operations.settling import RETURN, SALE, occurred_at
from vezde.receipts.operations.writing import NewReceipt
from vezde.receipts.photos import operations as photos
from vezde.receipts.photos.operations import Photo
from vezde.receipts.reading.slips import Slip
from vezde.receipts.signals import devices

ASK, SETTLE = "receipts.ask", "receipts.settle"
IN_TURN = "in turn"

ADD_WORK = """
INSERT INTO receipts.verification
    (member_id, receipt_id, step, qr, due_at, try_at, parked_because, picture)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
"""

# A till's zone is not known before the document is: Kamchatka and Kaliningrad are ten hours apart.
ZONE_SLACK = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Submission:
    """What a member shows: a QR, or a document that counts as verified, or neither (`unreadable`).

    `evidence` says who vouches for a document ("key:<id>", a provider's name). `note` says what it
    was instead of a receipt, `slip` what an e-receipt said beside its QR. `by` registers it, when
    that is not who registers the others. `photo` is what it was read from, `device` the blinded
    mark of where it came from.
    """

    member_id: UUID
    qr: QrFields | None = None
    document: FiscalDocument | None = None
    unreadable: Reason | None = None
    evidence: str = ""
    batch_ref: UUID | None = None
    note: Note | None = None
    slip: Slip | None = None
    by: str | None = None
    photo: Photo | None = None
    device: bytes | None = None
    way: Way | None = None


@dataclass(frozen=True, slots=True)
class Registered:
    """`first_receipt_id` names the member's earlier receipt for the same document."""

    member_id: UUID
    receipt_id: UUID
    status: Status
    reason: Reason | None
    first_receipt_id: UUID | None
    repeated: bool = False
    proves: bool = False


async def register(
    db: Db,
    submissions: Sequence[Submission],
    *,
    now: datetime,
    wall: datetime,
    actor: str,
    once: bool = False,
) -> list[Registered]:
    """Write a receipt for each submission, in order, and start its check.

    A double is written as rejected, with its reason; with `once` a repeat by the same member
    writes nothing and answers the first receipt. Nothing here asks a provider or prices. Raises
    `MemberNotFound`, `MemberMerged`, `MemberClosed`; nothing was written then.
    """
    _, programmes = await kit_db.together(
        db,
        _ensure_present(db, {one.member_id for one in submissions}),
        program.programmes(db),
    )
    used = {(one.member_id, one.device) for one in submissions if one.device}
    await devices.seen(db, used, now=now)
    rows = [_row(one, programmes, now) for one in submissions]
    wants = [_want(one, row) for one, row in zip(submissions, rows, strict=True)]
    asking = [want for want in wants if want]
    answers = await claims.take(db, asking, now=now)
    repeats = await _repeats(db, asking, answers) if once else {}
    turn_of = {want.receipt_id: one for want, one in zip(asking, answers, strict=True)}
    rows = [_answered(row, turn_of.get(row.receipt_id)) for row in rows]
    kept = [index for index, row in enumerate(rows) if row.receipt_id not in repeats]
    waiting = [
        want
        for want, one in zip(asking, answers, strict=True)
        if one.turn is Turn.WAIT and want.receipt_id not in repeats
    ]
    await writing.add(db, [rows[index] for index in kept], now=now, actor=actor)
    slips = [(rows[index], submissions[index].slip) for index in kept]
    await writing.add_slips(
        db,
        [(row.member_id, row.receipt_id, slip) for row, slip in slips if slip and not row.reason],
    )
    await photos.keep(db, _pictured([(submissions[index], rows[index]) for index in kept]), now=now)
    await turns.join(db, waiting)
    shown = [(submissions[index], rows[index]) for index in kept]
    later = await pacing.delays(db, {row.member_id for one, row in shown if one.qr}, now=now)
    in_turn = {want.receipt_id for want in waiting}
    await _start(db, shown, in_turn, later, now=now, wall=wall)
    trusted = _trusted(shown, in_turn, later)
    await promising.promise(db, trusted, programmes.at(now), now=now, actor=actor)
    await turns.pass_by(db, [want.key for want in waiting], now=now)
    decided = [want.key for want, one in zip(asking, answers, strict=True) if one.others_wait]
    if decided:
        await turns.confirmed(db, decided, now=now)
    proving = await disputing.attach(db, [rows[index] for index in kept], now=now)
    doubles = _doubles([(submissions[index], rows[index]) for index in kept], proving)
    await photos.keep_doubles(db, doubles, proving, now=now)
    return [
        _repeated(row, repeats[row.receipt_id], submission)
        if row.receipt_id in repeats
        else Registered(
            row.member_id,
            row.receipt_id,
            row.status,
            row.reason,
            row.first_receipt_id,
            proves=row.receipt_id in proving,
        )
        for submission, row in zip(submissions, rows, strict=True)
    ]


async def _ensure_present(db: Db, member_ids: set[UUID]) -> None:
    """Nobody merges or forgets them before this ends; before any claim, as locks are ordered."""
    for member_id in member_ids - await members.present(db, member_ids):
        raise await member_queries.refusal(db, member_id)


async def _repeats(
    db: Db, wants: Sequence[Want], answers: Sequence[claims.Answer]
) -> dict[UUID, queries.Earlier]:
    """By would-be receipt: the member's first receipt for the same document, if there is one."""
    doubles = [want for want, one in zip(wants, answers, strict=True) if one.turn is not Turn.MINE]
    known = await queries.earlier(db, [(want.member_id, *want.key) for want in doubles])
    return {
        want.receipt_id: first
        for want in doubles
        if (first := known.get((want.member_id, *want.key))) and first.fp == want.fp
    }


def _repeated(row: NewReceipt, first: queries.Earlier, submission: Submission) -> Registered:
    return Registered(
        row.member_id,
        first.receipt_id,
        Status(first.status),
        Reason(first.reason) if first.reason else None,
        None,
        repeated=first.batch_ref is None or first.batch_ref != submission.batch_ref,
    )


def _row(one: Submission, programmes: Programmes, now: datetime) -> NewReceipt:
    row = NewReceipt(
        one.member_id,
        ids.new(),
        batch_ref=one.batch_ref,
        reason=one.unreadable,
        note=one.note if one.unreadable else None,
        by=one.by,
        way=one.way,
    )
    if one.document is not None:
        key = one.document.key
        return replace(
            row,
            fn=key.fn,
            fd=key.fd,
            fp=key.fp,
            wall_time=one.document.wall_time,
            total_kopecks=one.document.total_kopecks,
        )
    if one.qr is None:
        return row
    return replace(
        row,
        reason=row.reason or refused_at_the_door(one.qr, programmes, now=now),
        fn=one.qr.fn,
        fd=one.qr.fd,
        fp=one.qr.fp,
        wall_time=one.qr.wall_time,
        total_kopecks=one.qr.total_kopecks,
    )


def refused_at_the_door(qr: QrFields, programmes: Programmes, *, now: datetime) -> Reason | None:
    """What the QR alone tells for sure, so that no provider is asked in vain."""
    if qr.operation not in {SALE, RETURN}:
        return Reason.WRONG_OPERATION
    at = occurred_at(qr.wall_time, None, programmes)
    programme = programmes.at(at)
    for sure in (at - ZONE_SLACK, at + ZONE_SLACK):
        refusal = program_rules.window_refusal(programme, occurred_at=sure, registered_at=now)
        if refusal is None:
            return None
    return Reason(refusal) if refusal else None


def _want(one: Submission, row: NewReceipt) -> Want | None:
    if row.reason is not None:
        return None
    if one.document is not None:
        return claims.want_document(
            one.document, member_id=row.member_id, receipt_id=row.receipt_id
        )
    assert one.qr is not None, "a submission without QR and document has a reason"
    return claims.want_qr(one.qr, member_id=row.member_id, receipt_id=row.receipt_id)


def _answered(row: NewReceipt, answer: claims.Answer | None) -> NewReceipt:
    if answer is None:
        return row
    if answer.turn is Turn.OWN:
        return replace(
            row, reason=Reason.ALREADY_REGISTERED, first_receipt_id=answer.first_receipt_id
        )
    if answer.turn is Turn.TAKEN:
        return replace(row, reason=Reason.TAKEN)
    if answer.turn is Turn.FORGED:
        return replace(row, reason=Reason.FORGED)
    return row


async def _start(
    db: Db,
    shown: Sequence[tuple[Submission, NewReceipt]],
    waiting: set[UUID],
    later: Mapping[UUID, timedelta],
    *,
    now: datetime,
    wall: datetime,
) -> None:
    documents: list[tuple[UUID, UUID, str, FiscalDocument]] = []
    work: list[tuple[object, ...]] = []
    for one, row in shown:
        if row.reason is not None:
            continue
        if one.document is not None:
            documents.append((row.member_id, row.receipt_id, one.evidence, one.document))
            work.append((row.member_id, row.receipt_id, "settle", None, now, wall, None, None))
            db.wake(SETTLE)
            continue
        assert one.qr is not None, "a receipt being checked has a QR or a document"
        parked = IN_TURN if row.receipt_id in waiting else None
        due = now + later.get(row.member_id, timedelta(0))
        named = one.photo.source if one.photo else None
        work.append((row.member_id, row.receipt_id, "ask", one.qr.text(), due, wall, parked, named))
        db.wake(ASK)
    await writing.add_documents(db, documents)
    await kit_db.execute_many(db, ADD_WORK, work)


def _pictured(shown: Sequence[tuple[Submission, NewReceipt]]) -> list[tuple[UUID, UUID, Photo]]:
    """Pictures of receipts whose check begins."""
    return [
        (row.member_id, row.receipt_id, one.photo)
        for one, row in shown
        if one.photo is not None and row.reason is None
    ]


def _doubles(
    shown: Sequence[tuple[Submission, NewReceipt]], proving: set[UUID]
) -> list[tuple[UUID, UUID, Photo]]:
    """Pictures of receipts that another has shown before: they may prove whose they are."""
    return [
        (row.member_id, row.receipt_id, one.photo)
        for one, row in shown
        if one.photo is not None and (row.reason is Reason.TAKEN or row.receipt_id in proving)
    ]


def _trusted(
    shown: Sequence[tuple[Submission, NewReceipt]],
    waiting: set[UUID],
    later: Mapping[UUID, timedelta],
) -> list[promising.Shown]:
    """Receipts whose check begins now, of members whose showings are not put off."""
    return [
        promising.Shown(row.member_id, row.receipt_id, one.qr.total_kopecks)
        for one, row in shown
        if row.reason is None
        and one.qr is not None
        and one.document is None
        and row.receipt_id not in waiting
        and row.member_id not in later
    ]
