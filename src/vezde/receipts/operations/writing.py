"""Rows of receipts: written once here for every way in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from vezde.catalog.matcher import Guess
from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.outbox import operations as outbox
from vezde.receipts import events
from vezde.receipts.model import FiscalDocument, Note, Reason, Status, Way
from vezde.receipts.operations import looking, promising, rechecking
from vezde.receipts.operations.settling import Matched, Outcome, is_held
from vezde.receipts.photos import operations as photos
from vezde.receipts.reading.slips import Slip

ADD = """
INSERT INTO receipts.receipt
    (member_id, receipt_id, status, reason, fn, fd, fp, wall_time, occurred_at, total_kopecks,
     seller_inn, seller_name, seller_kind, sales_channel, purchase_id, first_receipt_id, batch_ref,
     registered_at, registered_by, decided_at, note, came_as, score, shop, subject)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s,
    %s, %s)
"""
ADD_SLIP = "INSERT INTO receipts.slip (member_id, receipt_id, slip) VALUES (%s, %s, %s)"
ADD_DOCUMENT = """
INSERT INTO receipts.document (member_id, receipt_id, evidence, document, matches)
VALUES (%s, %s, %s, %s, %s)
"""
DECIDE = """
UPDATE receipts.receipt
SET status = %s, reason = %s, fp = %s, wall_time = %s, occurred_at = %s, total_kopecks = %s,
    seller_inn = %s, seller_name = %s, seller_kind = %s, sales_channel = %s, purchase_id = %s,
    decided_at = %s, score = coalesce(%s, score), shop = coalesce(%s, shop),
    subject = coalesce(%s, subject)
WHERE member_id = %s AND receipt_id = %s
"""
MATCH = """
UPDATE receipts.document SET matches = %s WHERE member_id = %s AND receipt_id = %s
"""
REJECT = """
UPDATE receipts.receipt
SET status = 'rejected', reason = %s, first_receipt_id = %s, decided_at = %s
WHERE member_id = %s AND receipt_id = %s
"""
DELAYED = """
UPDATE receipts.receipt SET reason = 'not_yet'
WHERE member_id = %s AND receipt_id = %s AND status = 'checking' AND reason IS NULL
RETURNING receipt_id
"""
CLOSE = """
UPDATE receipts.receipt
SET status = 'accepted', reason = NULL, decided_at = %s
WHERE member_id = %s AND receipt_id = %s
  AND (status = 'awaiting_settlement' OR reason = 'lapsed')
"""
LAPSE = """
UPDATE receipts.receipt
SET status = 'rejected', reason = 'lapsed', decided_at = %s
WHERE member_id = %s AND receipt_id = %s AND status = 'awaiting_settlement'
"""
# A receipt that was declined, went to another member and came back is held anew.
HOLD = """
INSERT INTO receipts.quarantine (member_id, receipt_id, score, reasons, held_at, promised_at)
VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT (member_id, receipt_id) DO UPDATE SET score = excluded.score,
    reasons = excluded.reasons, held_at = excluded.held_at, promised_at = excluded.promised_at,
    outcome = NULL, ended_at = NULL, ended_by = NULL, note = NULL
"""
DONE = "DELETE FROM receipts.verification WHERE member_id = %s AND receipt_id = %s"


@dataclass(frozen=True, slots=True)
class NewReceipt:
    """A receipt that is not decided yet, or is refused at the door (`reason`)."""

    member_id: UUID
    receipt_id: UUID
    reason: Reason | None = None
    first_receipt_id: UUID | None = None
    fn: int | None = None
    fd: int | None = None
    fp: int | None = None
    wall_time: datetime | None = None
    total_kopecks: int | None = None
    batch_ref: UUID | None = None
    note: Note | None = None
    by: str | None = None
    way: Way | None = None

    @property
    def status(self) -> Status:
        return Status.REJECTED if self.reason else Status.CHECKING


async def add(db: Db, receipts: Sequence[NewReceipt], *, now: datetime, actor: str) -> None:
    """Write receipts that are being checked or were refused at the door."""
    await kit_db.execute_many(
        db,
        ADD,
        [
            (
                one.member_id,
                one.receipt_id,
                one.status,
                one.reason,
                one.fn,
                one.fd,
                one.fp,
                one.wall_time,
                None,
                one.total_kopecks,
                *(None,) * 5,
                one.first_receipt_id,
                one.batch_ref,
                now,
                one.by or actor,
                now if one.reason else None,
                one.note,
                one.way,
                *(None,) * 3,
            )
            for one in receipts
        ],
    )
    await outbox.record(
        db,
        [
            events.came_to(
                one.status,
                member_id=one.member_id,
                receipt_id=one.receipt_id,
                occurred_at=None,
                now=now,
                reason=one.reason,
            )
            for one in receipts
        ],
    )


async def add_slips(db: Db, slips: Sequence[tuple[UUID, UUID, Slip]]) -> None:
    """Keep what e-receipts' text layers said: (member, receipt, slip)."""
    rows = [(member_id, receipt_id, Jsonb(slip.to_json())) for member_id, receipt_id, slip in slips]
    await kit_db.execute_many(db, ADD_SLIP, rows)


async def add_documents(
    db: Db, documents: Sequence[tuple[UUID, UUID, str, FiscalDocument]]
) -> None:
    """Keep verified documents (member, receipt, evidence, document) that wait to be settled."""
    await kit_db.execute_many(
        db,
        ADD_DOCUMENT,
        [
            (member_id, receipt_id, evidence, Jsonb(document.to_json()), Jsonb([]))
            for member_id, receipt_id, evidence, document in documents
        ],
    )


async def add_decided(
    db: Db,
    outcomes: Sequence[Outcome],
    *,
    evidence: str,
    batch_refs: dict[UUID, UUID],
    now: datetime,
    actor: str,
) -> None:
    """Write receipts that were decided in the moment they were shown."""
    await kit_db.execute_many(
        db,
        ADD,
        [
            (
                one.item.member_id,
                one.item.receipt_id,
                one.status,
                one.reason,
                one.item.document.key.fn,
                one.item.document.key.fd,
                one.item.document.key.fp,
                *_facts(one),
                one.purchase_id,
                None,
                batch_refs.get(one.item.receipt_id),
                one.item.registered_at,
                actor,
                now,
                None,
                Way.DOCUMENT,
                *_seen(one),
            )
            for one in outcomes
        ],
    )
    await kit_db.execute_many(
        db,
        ADD_DOCUMENT,
        [
            (
                one.item.member_id,
                one.item.receipt_id,
                evidence,
                Jsonb(one.item.document.to_json()),
                Jsonb(to_json(one.matched)),
            )
            for one in outcomes
        ],
    )
    await _after(db, outcomes, now=now)
    await rechecking.expect(db, outcomes, now=now)


async def decide(db: Db, outcomes: Sequence[Outcome], *, now: datetime) -> None:
    """Finish receipts that were being checked; their work rows go."""
    await kit_db.execute_many(
        db,
        DECIDE,
        [
            (
                one.status,
                one.reason,
                one.item.document.key.fp,
                *_facts(one),
                one.purchase_id,
                now,
                *_seen(one),
                one.item.member_id,
                one.item.receipt_id,
            )
            for one in outcomes
        ],
    )
    await kit_db.execute_many(
        db,
        MATCH,
        [
            (Jsonb(to_json(one.matched)), one.item.member_id, one.item.receipt_id)
            for one in outcomes
            if one.matched
        ],
    )
    done = [(one.item.member_id, one.item.receipt_id) for one in outcomes]
    await promising.take_back(db, done, now=now)
    looked_at = await _after(db, outcomes, now=now)
    await rechecking.expect(db, outcomes, now=now)
    await photos.settled(db, done, looked_at, now=now)
    await kit_db.execute_many(db, DONE, done)


def _facts(one: Outcome) -> tuple[object, ...]:
    """wall_time, occurred_at, total, seller's inn, name, kind, channel, as ADD lists them."""
    document, place = one.item.document, one.place
    return (
        document.wall_time,
        one.occurred_at,
        document.total_kopecks,
        document.seller_inn,
        place.name,
        place.kind,
        place.sales_channel,
    )


def _seen(one: Outcome) -> tuple[object, ...]:
    """Score, shop and subject, where signals looked at it."""
    if one.looked is None:
        return (None, None, None)
    past = one.looked.shown.past
    return one.looked.assessment.score, past.shop, past.subject


async def _hold(db: Db, outcomes: Sequence[Outcome], *, now: datetime) -> set[tuple[UUID, UUID]]:
    """Put what signals hold before people's eyes; answers (member, receipt)."""
    rows = [
        (
            one.item.member_id,
            one.item.receipt_id,
            one.looked.assessment.score,
            Jsonb(one.looked.assessment.to_json()),
            now,
            one.looked.promised_at,
        )
        for one in outcomes
        if one.looked is not None and is_held(one.looked)
    ]
    await kit_db.execute_many(db, HOLD, rows)
    return {(one.item.member_id, one.item.receipt_id) for one in outcomes if is_held(one.looked)}


async def _after(db: Db, outcomes: Sequence[Outcome], *, now: datetime) -> set[tuple[UUID, UUID]]:
    """Tell of what was decided; the receipts (member, receipt) that a person is to look at."""
    closed = [
        (one.item.member_id, receipt_id) for one in outcomes for receipt_id in one.closed_receipts
    ]
    facts = [
        events.came_to(
            one.status,
            member_id=one.item.member_id,
            receipt_id=one.item.receipt_id,
            occurred_at=one.occurred_at,
            now=now,
            reason=one.reason,
            purchase_id=one.purchase_id,
            points=one.points,
        )
        for one in outcomes
    ]
    await outbox.record(db, facts)
    await close(db, closed, now=now)
    held = await _hold(db, outcomes, now=now)
    return held | await looking.enter(db, outcomes, now=now)


async def close(db: Db, advances: Sequence[tuple[UUID, UUID]], *, now: datetime) -> None:
    """Accept advance receipts (member, receipt) that wait for no settlement any more."""
    await kit_db.execute_many(
        db, CLOSE, [(now, member_id, receipt_id) for member_id, receipt_id in advances]
    )
    facts = [
        events.came_to(
            Status.ACCEPTED, member_id=member_id, receipt_id=receipt_id, occurred_at=None, now=now
        )
        for member_id, receipt_id in advances
    ]
    await outbox.record(db, facts)


async def delayed(db: Db, member_id: UUID, receipt_id: UUID, *, now: datetime) -> None:
    """The document is not there yet: its member is told, once."""
    if await kit_db.fetch_value(db, DELAYED, [member_id, receipt_id]) is not None:
        fact = events.delayed(member_id=member_id, receipt_id=receipt_id, now=now)
        await outbox.record(db, [fact])


async def lapse(db: Db, advances: Sequence[tuple[UUID, UUID]], *, now: datetime) -> None:
    """Refuse advance receipts (member, receipt) whose settlement did not come in time."""
    await kit_db.execute_many(
        db, LAPSE, [(now, member_id, receipt_id) for member_id, receipt_id in advances]
    )
    facts = [
        events.came_to(
            Status.REJECTED,
            member_id=member_id,
            receipt_id=receipt_id,
            occurred_at=None,
            now=now,
            reason=Reason.LAPSED,
        )
        for member_id, receipt_id in advances
    ]
    await outbox.record(db, facts)


async def reject(
    db: Db, refused: Sequence[tuple[UUID, UUID, Reason, UUID | None]], *, now: datetime
) -> None:
    """Refuse receipts that were being checked: (member, receipt, reason, first receipt)."""
    await kit_db.execute_many(
        db,
        REJECT,
        [
            (reason, first_receipt_id, now, member_id, receipt_id)
            for member_id, receipt_id, reason, first_receipt_id in refused
        ],
    )
    done = [(member_id, receipt_id) for member_id, receipt_id, _, _ in refused]
    await kit_db.execute_many(db, DONE, done)
    await photos.drop(db, done)
    await promising.take_back(db, done, now=now)
    await outbox.record(
        db,
        [
            events.came_to(
                Status.REJECTED,
                member_id=member_id,
                receipt_id=receipt_id,
                occurred_at=None,
                now=now,
                reason=reason,
            )
            for member_id, receipt_id, reason, _ in refused
        ],
    )


def to_json(matched: Sequence[Matched]) -> list[list[Any]]:
    """Matches as the `document.matches` column keeps them; `from_json` reads them back."""
    return [
        [
            one.line,
            one.sku,
            one.candidate,
            one.method,
            one.score,
            one.points,
            one.active_at.isoformat() if one.active_at else None,
            *_doubt(one),
        ]
        for one in matched
    ]


def _doubt(one: Matched) -> tuple[Any, ...]:
    """What only some lines have: the line's score and products, the guesses, points at once."""
    if one.candidate is None and not one.at_once:
        return ()
    guesses = [(guess.sku, guess.score) for guess in one.guesses]
    return one.line_score, one.line_skus, guesses, one.at_once


def from_json(rows: Sequence[Sequence[Any]]) -> tuple[Matched, ...]:
    """What `to_json` made."""
    return tuple(_matched(*row) for row in rows)


def _matched(
    line: int,
    sku: str | None,
    candidate: str | None,
    method: str | None,
    score: float,
    points: int,
    active_at: str | None,
    line_score: float = 0.0,  # rows from before there were two answers end here
    line_skus: Sequence[str] = (),
    guesses: Sequence[tuple[str, float]] = (),
    at_once: int = 0,
) -> Matched:
    at = datetime.fromisoformat(active_at) if active_at else None
    known = tuple(Guess(*guess) for guess in guesses)
    return Matched(
        line=line,
        sku=sku,
        candidate=candidate,
        method=method,
        score=score,
        points=points,
        active_at=at,
        at_once=at_once,
        line_score=line_score,
        line_skus=tuple(line_skus),
        guesses=known,
    )
