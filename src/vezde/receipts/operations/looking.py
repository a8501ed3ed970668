"""Lines that people are to look at: put there when a receipt is settled, closed when decided."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from psycopg.types.json import Jsonb

from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.receipts import section
from vezde.receipts.model import FiscalLine, Reason, Status
from vezde.receipts.operations.settling import Matched, Outcome

DOUBT, AUDIT, FIRST = "doubt", "audit", "first"
# What is compared word by word can be wrong in a way that nobody notices.
BY_WORDS = frozenset({"words", "supplier", "price"})
OPEN = frozenset({Status.IN_REVIEW, Status.ACCEPTED, Status.AWAITING_SETTLEMENT})

ENTER: LiteralString = """
INSERT INTO receipts.look
    (member_id, receipt_id, line, kind, seller_inn, printed, sum_kopecks, since, turn)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT DO NOTHING
"""
FIRSTS: LiteralString = "SELECT count(*) FROM receipts.look WHERE kind = 'first'"
SEEN: LiteralString = """
SELECT member_id, receipt_id, line, kind, seller_inn, printed, sum_kopecks, since, turn, sku,
    decision_id, decided_at, decided_by, was
FROM receipts.look WHERE member_id = %s AND receipt_id = %s AND line = %s
"""
ONE: LiteralString = SEEN + "FOR UPDATE"
CLOSE: LiteralString = """
UPDATE receipts.look SET turn = turn + 1, sku = %s, decision_id = %s, decided_at = %s,
    decided_by = %s, was = %s
WHERE member_id = %s AND receipt_id = %s AND line = %s
"""
REOPEN: LiteralString = """
UPDATE receipts.look SET turn = turn + 1, sku = NULL, decision_id = NULL, decided_at = NULL,
    decided_by = NULL, was = NULL
WHERE member_id = %s AND receipt_id = %s AND line = %s
"""


@dataclass(frozen=True, slots=True)
class Look:
    """A line to look at, or looked at: then `sku` is what it is (None: none of ours).

    `turn` counts decisions and undoings; `was` is what stood there before.
    """

    member_id: UUID
    receipt_id: UUID
    line: int
    kind: str
    seller_inn: str | None
    printed: str
    sum_kopecks: int
    since: datetime
    turn: int
    sku: str | None
    decision_id: UUID | None
    decided_at: datetime | None
    decided_by: str | None
    was: dict[str, Any] | None


async def enter(db: Db, outcomes: Sequence[Outcome], *, now: datetime) -> set[tuple[UUID, UUID]]:
    """Put the lines of receipts just settled before people's eyes.

    What is in doubt; the first names of a new catalogue; of what was accepted by its words a share,
    drawn by the receipt's id, so that the same receipt is drawn or not however often it is tried.
    Returns the receipts (member, receipt) that have such lines.
    """
    settled = [
        one
        for one in outcomes
        if one.status in OPEN and one.reason is not Reason.QUARANTINED and one.matched
    ]
    if not settled:
        return set()
    rows = [
        _row(one, line, match, DOUBT, now)
        for one in settled
        for line, match in _lines(one)
        if match.candidate
    ]
    accepted = [
        (one, line, match)
        for one in settled
        for line, match in _lines(one)
        if match.sku and match.method in BY_WORDS
    ]
    if accepted:
        rules = await section.in_force(db, now)
        firsts = await kit_db.fetch_value(db, FIRSTS) if rules.first_names else 0
        for one, line, match in accepted:
            if firsts < rules.first_names:
                rows.append(_row(one, line, match, FIRST, now))
            elif _is_drawn(one.item.receipt_id, match.line, rules.audit_bp):
                rows.append(_row(one, line, match, AUDIT, now))
    await kit_db.execute_many(db, ENTER, rows)
    return {(row[0], row[1]) for row in rows}


async def enter_again(
    db: Db,
    member_id: UUID,
    receipt_id: UUID,
    line: FiscalLine,
    *,
    seller_inn: str | None,
    now: datetime,
) -> None:
    """A line that nobody was to look at is in doubt now."""
    said = [seller_inn, line.name or "", line.sum_kopecks]
    await db.execute(ENTER, [member_id, receipt_id, line.line, DOUBT, *said, now, 1])


async def one(db: Db, member_id: UUID, receipt_id: UUID, line: int) -> Look | None:
    """The look at a line, locked; None where nobody was ever to look at it."""
    return await kit_db.fetch_one(db, Look, ONE, [member_id, receipt_id, line])


async def seen(db: Db, member_id: UUID, receipt_id: UUID, line: int) -> Look | None:
    """The look at a line as it is now; the member and the receipt are locked before it."""
    return await kit_db.fetch_one(db, Look, SEEN, [member_id, receipt_id, line])


async def close(
    db: Db,
    look: Look,
    *,
    sku: str | None,
    decision_id: UUID,
    was: dict[str, Any],
    now: datetime,
    actor: str,
) -> None:
    """Somebody looked and decided; `was` is what to put back when that is undone."""
    key = [look.member_id, look.receipt_id, look.line]
    await db.execute(CLOSE, [sku, decision_id, now, actor, Jsonb(was), *key])


async def reopen(db: Db, look: Look) -> None:
    """The line waits again, since when it waited first."""
    await db.execute(REOPEN, [look.member_id, look.receipt_id, look.line])


def _lines(outcome: Outcome) -> list[tuple[FiscalLine, Matched]]:
    matched = {one.line: one for one in outcome.matched}
    return [
        (line, matched[line.line]) for line in outcome.item.document.lines if line.line in matched
    ]


def _row(
    outcome: Outcome, line: FiscalLine, match: Matched, kind: str, now: datetime
) -> tuple[Any, ...]:
    item = outcome.item
    return (
        item.member_id,
        item.receipt_id,
        match.line,
        kind,
        item.document.seller_inn,
        line.name or "",
        line.sum_kopecks,
        now,
        # Accepted lines were priced with their document or later; see `recognised_id`.
        0 if kind == DOUBT else 1,
    )


def _is_drawn(receipt_id: UUID, line: int, share_bp: int) -> bool:
    drawn = hashlib.sha256(receipt_id.bytes + line.to_bytes(4)).digest()
    return int.from_bytes(drawn[:4]) % 10_000 < share_bp
