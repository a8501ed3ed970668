"""Receipts that are asked for once more before the hold of their points ends.

Returns leave no paper, but a provider may say that the document is gone or is another one now. That
is no verdict: after two such answers the points are held back and a person looks. Asking begins
some days before the hold ends, so a vendor's outage or an empty quota never delays anybody's
points: whatever could not be asked by then becomes active on its day, and is counted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, LiteralString
from uuid import UUID

from vezde.kit import db as kit_db
from vezde.kit import ids
from vezde.kit.db import Db
from vezde.kit.errors import DomainError, Kind
from vezde.members import operations as members
from vezde.outbox import operations as outbox
from vezde.purchases import operations as purchases
from vezde.purchases.operations import Because
from vezde.receipts import events, section
from vezde.receipts.model import FiscalDocument
from vezde.receipts.operations.settling import Outcome
from vezde.receipts.providers import schedule
from vezde.receipts.providers.protocol import Answer, Verdict

STAGE: Final = "receipts.recheck"
MOST_MISSES: Final = 2
ASKED_AGAIN: Final = timedelta(hours=1)
NOTE_LENGTH: Final = 200
COUNTED_FOR: Final = timedelta(days=31)
GONE, CHANGED = "gone", "changed"

EXPECT: LiteralString = """
INSERT INTO receipts.recheck (member_id, receipt_id, recheck_id, due_at, until_at, try_at)
VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (member_id, receipt_id) DO NOTHING
"""
LEASE: LiteralString = """
UPDATE receipts.recheck SET lease = %(lease)s, leased_until = %(until)s
FROM receipts.document
WHERE document.member_id = recheck.member_id AND document.receipt_id = recheck.receipt_id
  AND (recheck.member_id, recheck.receipt_id) IN (
    SELECT member_id, receipt_id FROM receipts.recheck
    WHERE state = 'waiting' AND due_at <= %(now)s AND until_at > %(now)s AND try_at <= %(wall)s
      AND (leased_until IS NULL OR leased_until <= %(wall)s)
    ORDER BY due_at, receipt_id LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
RETURNING recheck.member_id, recheck.receipt_id, recheck.misses, recheck.faults, document.document
"""
# Who could not be asked in time becomes active: nobody waits for a vendor.
LAPSE: LiteralString = """
UPDATE receipts.recheck SET state = 'unasked', lease = NULL, leased_until = NULL
WHERE (member_id, receipt_id) IN (
    SELECT member_id, receipt_id FROM receipts.recheck
    WHERE state = 'waiting' AND until_at <= %s
    ORDER BY until_at LIMIT %s FOR UPDATE SKIP LOCKED)
RETURNING receipt_id
"""
MINE: LiteralString = """
SELECT true FROM receipts.recheck
WHERE member_id = %s AND receipt_id = %s AND lease = %s AND state = 'waiting' AND until_at > %s
FOR UPDATE
"""
SAME: LiteralString = """
UPDATE receipts.recheck SET state = 'same', lease = NULL, leased_until = NULL
WHERE member_id = %s AND receipt_id = %s
"""
AGAIN: LiteralString = """
UPDATE receipts.recheck SET due_at = %s, try_at = %s, misses = %s, faults = %s, because = %s,
    note = %s, lease = NULL, leased_until = NULL
WHERE member_id = %s AND receipt_id = %s
"""
HOLD: LiteralString = """
UPDATE receipts.recheck SET state = 'held', held_at = %s, because = %s, note = %s, lease = NULL,
    leased_until = NULL
WHERE member_id = %s AND receipt_id = %s
"""
NEXT_DUE: LiteralString = """
SELECT least(
    (SELECT min(due_at) FROM receipts.recheck WHERE state = 'waiting' AND faults = 0),
    (SELECT min(until_at) FROM receipts.recheck WHERE state = 'waiting'))
"""
NEXT_END: LiteralString = "SELECT min(until_at) FROM receipts.recheck WHERE state = 'waiting'"
COUNTED: LiteralString = """
SELECT state, count(*) FROM receipts.recheck WHERE until_at > %s GROUP BY state
"""
COLUMNS: LiteralString = """
SELECT recheck_id, member_id, receipt_id, state, because, note, until_at, held_at, decided_at,
    decided_by
FROM receipts.recheck
"""
ONE: LiteralString = COLUMNS + "WHERE recheck_id = %s"
LOCKED: LiteralString = ONE + " FOR UPDATE"
PAGE: LiteralString = (
    COLUMNS
    + """
WHERE held_at IS NOT NULL AND (decided_at IS NOT NULL) = %(decided)s
  AND (%(at)s::timestamptz IS NULL
    OR (held_at, recheck_id) > (%(at)s::timestamptz, %(recheck_id)s::uuid))
ORDER BY held_at, recheck_id LIMIT %(limit)s
"""
)
OPEN: LiteralString = """
SELECT count(*), min(held_at) FROM receipts.recheck
WHERE held_at IS NOT NULL AND decided_at IS NULL
"""
DECIDE: LiteralString = """
UPDATE receipts.recheck SET state = %s, decided_at = %s, decided_by = %s WHERE recheck_id = %s
"""
LEAVE: LiteralString = """
DELETE FROM receipts.recheck
WHERE member_id = %s AND receipt_id = %s AND state IN ('waiting', 'held')
"""
FORGET: LiteralString = """
DELETE FROM receipts.recheck WHERE member_id = %s AND state IN ('waiting', 'held')
"""
MOVE: LiteralString = """
UPDATE receipts.recheck SET member_id = %(into)s, lease = NULL, leased_until = NULL
WHERE member_id = %(gone)s
"""
MOVE_BACK: LiteralString = """
UPDATE receipts.recheck SET member_id = %(gone)s, lease = NULL, leased_until = NULL
WHERE member_id = %(into)s AND receipt_id = ANY(%(receipts)s)
"""


class RecheckDecided(DomainError):
    """Somebody decided it otherwise meanwhile."""

    code = "dispute_decided"
    kind = Kind.CONFLICT


@dataclass(frozen=True, slots=True)
class Due:
    """A receipt to ask for once more, and its document as it was when it earned."""

    member_id: UUID
    receipt_id: UUID
    misses: int
    faults: int
    document: dict[str, Any]

    def known(self) -> FiscalDocument:
        return FiscalDocument.from_json(self.document)


@dataclass(frozen=True, slots=True)
class Recheck:
    """What became of asking again: `held` waits for a person, `because` says why."""

    recheck_id: UUID
    member_id: UUID
    receipt_id: UUID
    state: str
    because: str | None
    note: str | None
    until_at: datetime
    held_at: datetime | None
    decided_at: datetime | None
    decided_by: str | None


async def expect(db: Db, outcomes: Sequence[Outcome], *, now: datetime) -> None:
    """Note receipts to be asked for again: of the channels and sums that the programme names."""
    ends = [(one, _hold_ends(one)) for one in outcomes]
    pending = [(one, until) for one, until in ends if until is not None and until > now]
    if not pending:
        return
    rules = await section.in_force(db, now)
    rows = [
        (
            one.item.member_id,
            one.item.receipt_id,
            ids.new(),
            max(now, until - timedelta(days=rules.recheck_days)),
            until,
            now,
        )
        for one, until in pending
        if one.place.sales_channel in rules.recheck_channels
        and one.item.document.total_kopecks >= rules.recheck_from_kopecks
    ]
    await kit_db.execute_many(db, EXPECT, rows)


def _hold_ends(one: Outcome) -> datetime | None:
    """When the last of its points become active."""
    return max((m.active_at for m in one.matched if m.active_at and m.points), default=None)


async def lapse(db: Db, *, now: datetime, limit: int) -> int:
    """End the asking for receipts whose hold is over; how many."""
    return len(await kit_db.fetch_column(db, LAPSE, [now, limit]))


async def lease(
    db: Db, *, token: UUID, now: datetime, wall: datetime, seconds: int, limit: int
) -> list[Due]:
    """Take up to `limit` due receipts for `seconds` of wall time; commit before the calls."""
    asked = {
        "lease": token,
        "until": wall + timedelta(seconds=seconds),
        "now": now,
        "wall": wall,
        "limit": limit,
    }
    return await kit_db.fetch_all(db, Due, LEASE, asked)


async def finish(
    db: Db,
    due: Due,
    answer: Answer,
    *,
    token: UUID,
    now: datetime,
    wall: datetime,
    jitter: float,
) -> bool:
    """Act on what was answered; False: the lease was lost, or the hold ended meanwhile."""
    place = [due.member_id, due.receipt_id]
    if not await members.present(db, [due.member_id]):
        return False
    if await kit_db.fetch_value(db, MINE, [*place, token, now]) is None:
        return False
    because, note = differs(due.known(), answer)
    if because is None and answer.verdict is Verdict.FOUND:
        await db.execute(SAME, place)
        return True
    if because is None:
        wait = schedule.unavailable(due.faults, jitter=jitter)
        if answer.verdict is Verdict.WAIT:
            wait = schedule.told(answer.retry_after_seconds or 0, jitter=jitter)
        again = [now, wall + wait, due.misses, due.faults + 1, None, None]
        await db.execute(AGAIN, [*again, *place])
        return True
    if due.misses + 1 < MOST_MISSES:
        again = [now + ASKED_AGAIN, wall, due.misses + 1, 0, because, note]
        await db.execute(AGAIN, [*again, *place])
        return True
    await db.execute(HOLD, [now, because, note, *place])
    await purchases.withdraw(
        *(db, due.member_id, due.receipt_id), because=Because.RECHECK, now=now, actor="system"
    )
    told = events.withheld(member_id=due.member_id, receipt_id=due.receipt_id, now=now)
    await outbox.record(db, [told])
    return True


def differs(known: FiscalDocument, answer: Answer) -> tuple[str | None, str | None]:
    """Why the answer is not the document that earned (pure): gone, changed, or None; a note.

    What only says that a vendor could not be asked says nothing of the document.
    """
    match answer.verdict:
        case Verdict.NOT_YET | Verdict.NOT_FOUND:
            return GONE, "the document is not there any more"
        case Verdict.FORGED:
            return CHANGED, (answer.note or "another document")[:NOTE_LENGTH]
        case Verdict.FOUND:
            assert answer.document is not None, "FOUND comes with the document"
            return _compared(known, answer.document)
    return None, None


def _compared(known: FiscalDocument, now: FiscalDocument) -> tuple[str | None, str | None]:
    """Sum, minute and sign agreed before this; pages of operators print fewer fields of a line."""
    differing = [
        what
        for what, one, other in (
            ("operation", known.operation, now.operation),
            ("correction", known.correction, now.correction),
            ("total", known.total_kopecks, now.total_kopecks),
            ("lines", _sums(known), _sums(now)),
        )
        if one != other
    ]
    return (CHANGED, f"another {', '.join(differing)}") if differing else (None, None)


def _sums(document: FiscalDocument) -> list[int]:
    return sorted(line.sum_kopecks for line in document.lines)


async def decide(db: Db, recheck_id: UUID, *, release: bool, now: datetime, actor: str) -> Recheck:
    """Give the points again, or leave them taken; the same again changes nothing.

    Raises `RecheckDecided`.
    """
    seen = await one(db, recheck_id)
    assert seen is not None, "whoever decides has looked it up"
    there = await members.present(db, [seen.member_id])
    found = await kit_db.fetch_one(db, Recheck, LOCKED, [recheck_id])
    state = "released" if release else "declined"
    if found is None or found.member_id not in there or found.state not in {"held", state}:
        raise RecheckDecided("It was decided already, or its member is gone. Look at it again.")
    if found.state == state:
        return found
    await db.execute(DECIDE, [state, now, actor, recheck_id])
    place = (found.member_id, found.receipt_id)
    if release:
        await purchases.reinstate(db, *place, now=now, actor=actor)
    told = events.rechecked(
        member_id=found.member_id, receipt_id=found.receipt_id, outcome=state, now=now
    )
    await outbox.record(db, [told])
    done = await one(db, recheck_id)
    assert done is not None, "it is there"
    return done


async def one(db: Db, recheck_id: UUID) -> Recheck | None:
    """What became of asking again, by its id."""
    return await kit_db.fetch_one(db, Recheck, ONE, [recheck_id])


async def page(
    db: Db, *, decided: bool, after: tuple[datetime, UUID] | None, limit: int
) -> list[Recheck]:
    """Receipts held back, the oldest first."""
    at, recheck_id = after or (None, None)
    asked = {"decided": decided, "at": at, "recheck_id": recheck_id, "limit": limit}
    return await kit_db.fetch_all(db, Recheck, PAGE, asked)


async def counted(db: Db, *, now: datetime) -> dict[str, int]:
    """How many receipts are in which state, of those whose hold ended in the last month or will."""
    return dict(await (await db.execute(COUNTED, [now - COUNTED_FOR])).fetchall())


async def open_ones(db: Db) -> tuple[int, datetime | None]:
    """How many held back wait for a person, and since when the first."""
    row = await (await db.execute(OPEN)).fetchone()
    assert row is not None, "an aggregate answers one row"
    return row[0], row[1]


async def next_end(db: Db) -> datetime | None:
    """When the next hold ends of a receipt that was not asked for yet."""
    due: datetime | None = await kit_db.fetch_value(db, NEXT_END)
    return due


async def next_due(db: Db) -> datetime | None:
    """When a receipt is to be asked for again, or its hold ends."""
    due: datetime | None = await kit_db.fetch_value(db, NEXT_DUE)
    return due
