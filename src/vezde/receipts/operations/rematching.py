"""Past lines are matched again when the catalogue, a name or a shop has changed, slice by slice.

A line that had no product, or was in doubt, and is certain now earns once, under the programme of
its purchase's day. What was decided before stays: a product that was recognised, a person's word.
A slice is one transaction with a bound on its receipts; the place where it ended is kept with it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, LiteralString
from uuid import UUID

from psycopg.types.json import Jsonb

from vezde.catalog import queries as catalog
from vezde.catalog.matcher import Match
from vezde.catalog.model import Product
from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.members import operations as members
from vezde.outbox import operations as outbox
from vezde.purchases import operations as purchases
from vezde.purchases.operations import Recognised
from vezde.receipts import events
from vezde.receipts.model import FiscalDocument, Reason, Status
from vezde.receipts.operations import settling, writing
from vezde.receipts.operations.settling import Item, Matched, Read

STAGE: Final = "receipts.rematch"
EVERYWHERE: Final = ""
MODERATION: Final = "moderation"
# Decided so by somebody else meanwhile; whoever releases a receipt reads it anew.
LEFT_ALONE: Final = frozenset({Reason.QUARANTINED, Reason.DECLINED, Reason.WITHDRAWN})
BEGINNING: Final = UUID(int=0)

REQUEST: LiteralString = """
INSERT INTO receipts.rematch (scope, after_id, requested_at) VALUES (%s, NULL, %s)
ON CONFLICT (scope) DO UPDATE SET again = rematch.after_id IS NOT NULL
"""
NEXT: LiteralString = """
SELECT scope, after_id, again FROM receipts.rematch WHERE requested_at <= %s
ORDER BY requested_at, scope LIMIT 1
FOR UPDATE SKIP LOCKED
"""
NEXT_DUE: LiteralString = "SELECT min(requested_at) FROM receipts.rematch"
GO_ON: LiteralString = "UPDATE receipts.rematch SET after_id = %s WHERE scope = %s"
ONCE_MORE: LiteralString = """
UPDATE receipts.rematch SET after_id = NULL, again = false WHERE scope = %s
"""
DONE: LiteralString = "DELETE FROM receipts.rematch WHERE scope = %s"
SLICE: LiteralString = """
SELECT r.member_id, r.receipt_id, r.registered_at, r.purchase_id, r.status, r.reason, d.document,
    d.matches
FROM receipts.receipt r
JOIN receipts.document d USING (member_id, receipt_id)
WHERE r.receipt_id > %s
  AND (r.status IN ('accepted', 'in_review', 'awaiting_settlement') OR r.reason = 'not_ours')
  AND r.reason IS DISTINCT FROM 'quarantined'
ORDER BY r.receipt_id LIMIT %s
"""
SLICE_OF_SELLER: LiteralString = """
SELECT r.member_id, r.receipt_id, r.registered_at, r.purchase_id, r.status, r.reason, d.document,
    d.matches
FROM receipts.receipt r
JOIN receipts.document d USING (member_id, receipt_id)
WHERE r.seller_inn = %s AND r.receipt_id > %s
  AND (r.status IN ('accepted', 'in_review', 'awaiting_settlement') OR r.reason = 'not_ours')
  AND r.reason IS DISTINCT FROM 'quarantined'
ORDER BY r.receipt_id LIMIT %s
"""
AGAIN: LiteralString = """
SELECT r.member_id, r.receipt_id, r.registered_at, r.purchase_id, r.status, r.reason, d.document,
    d.matches
FROM receipts.receipt r
JOIN receipts.document d USING (member_id, receipt_id)
WHERE (r.member_id, r.receipt_id) IN (SELECT * FROM unnest(%s::uuid[], %s::uuid[]))
ORDER BY r.receipt_id FOR UPDATE OF r
"""
LOOKED: LiteralString = """
SELECT receipt_id, line FROM receipts.look
WHERE (member_id, receipt_id) IN (SELECT * FROM unnest(%s::uuid[], %s::uuid[]))
  AND kind = 'doubt' AND turn > 0
"""
NOBODY_NEEDED: LiteralString = """
DELETE FROM receipts.look
WHERE member_id = %s AND receipt_id = %s AND line = %s AND decided_at IS NULL
"""
ACCEPT: LiteralString = """
UPDATE receipts.receipt SET status = 'accepted', reason = NULL, decided_at = %s
WHERE member_id = %s AND receipt_id = %s
"""


@dataclass(frozen=True, slots=True)
class _Request:
    scope: str
    after_id: UUID | None
    again: bool


@dataclass(frozen=True, slots=True)
class _Past:
    """A receipt that was decided before, with what was recognised in it."""

    member_id: UUID
    receipt_id: UUID
    registered_at: datetime
    purchase_id: UUID | None
    status: str
    reason: str | None
    document: dict[str, Any]
    matches: list[list[Any]]

    def item(self) -> Item:
        document = FiscalDocument.from_json(self.document)
        return Item(self.member_id, self.receipt_id, document, self.registered_at)

    def known(self) -> dict[int, Matched]:
        return {one.line: one for one in writing.from_json(self.matches)}


async def request(db: Db, scope: str = EVERYWHERE, *, at: datetime) -> None:
    """Have the receipts of a shop (its INN), or all, matched again from `at`, from the first on.

    A round that is under way is ended first, so that requests that keep coming hold up nobody.
    """
    await db.execute(REQUEST, [scope, at])
    db.wake(STAGE)


async def next_due(db: Db) -> datetime | None:
    """The next programme instant at which past receipts are to be matched again."""
    due: datetime | None = await kit_db.fetch_value(db, NEXT_DUE)
    return due


async def next_slice(db: Db, *, now: datetime, limit: int) -> int:
    """Match one slice of past receipts again; returns how many were looked at, at least 1.

    0 means that nothing was requested. Another worker's slice is left alone.
    """
    asked = await kit_db.fetch_one(db, _Request, NEXT, [now])
    if asked is None:
        return 0
    after = asked.after_id or BEGINNING
    if asked.scope == EVERYWHERE:
        rows = await kit_db.fetch_all(db, _Past, SLICE, [after, limit])
    else:
        rows = await kit_db.fetch_all(db, _Past, SLICE_OF_SELLER, [asked.scope, after, limit])
    await _match_again(db, rows, now=now)
    if len(rows) == limit:
        await db.execute(GO_ON, [rows[-1].receipt_id, asked.scope])
        db.wake(STAGE)
    else:
        await db.execute(ONCE_MORE if asked.again else DONE, [asked.scope])
    return max(len(rows), 1)


async def _match_again(db: Db, rows: Sequence[_Past], *, now: datetime) -> None:
    """Credit what is certain now; members and receipts are locked where anything changes."""
    open_rows = [row for row in rows if _unsure(row)]
    looked = await _looked(db, open_rows)
    reads = await settling.read(db, [row.item() for row in open_rows], now=now)
    changed = [
        (row.member_id, row.receipt_id)
        for row, read in zip(open_rows, reads, strict=True)
        if _news(row, read, looked)
    ]
    if not changed:
        return
    there = await members.present(db, {member_id for member_id, _ in changed})
    mine = [one for one in changed if one[0] in there]
    locked = [
        row
        for row in await kit_db.fetch_all(
            db, _Past, AGAIN, [[one[0] for one in mine], [one[1] for one in mine]]
        )
        if row.reason not in LEFT_ALONE
    ]
    fresh = await settling.read(db, [row.item() for row in locked], now=now)
    unknown = [row for row in locked if row.purchase_id is None]
    await _settle_anew(db, unknown, now=now)
    for row, read in zip(locked, fresh, strict=True):
        news = _news(row, read, looked)
        if row.purchase_id is not None and news:
            await _credit(db, row, read, news, now=now)


def _unsure(row: _Past) -> bool:
    """Whether a line of it has no product yet; cheap, before anything is parsed."""
    sure = {one[0] for one in row.matches if one[1] or one[3] == MODERATION}
    return any(line["l"] not in sure for line in row.document["lines"])


async def _looked(db: Db, rows: Sequence[_Past]) -> set[tuple[UUID, int]]:
    """Lines that a person has decided, or whose decision was undone: theirs from then on."""
    asked = [[row.member_id for row in rows], [row.receipt_id for row in rows]]
    found = await (await db.execute(LOOKED, asked)).fetchall()
    return {(row[0], row[1]) for row in found}


def _news(row: _Past, read: Read, looked: set[tuple[UUID, int]]) -> dict[int, Match]:
    """Lines that are certain now and were not."""
    known = row.known()
    found = {}
    for line, match in zip(read.item.document.lines, read.matches, strict=True):
        before = known.get(line.line)
        if (row.receipt_id, line.line) in looked:
            continue
        if before is not None and (before.sku or before.method == MODERATION):
            continue
        by_line_before = before is not None and bool(before.line_skus)
        if match.sku or (match.line_skus and not by_line_before):
            found[line.line] = match
    return found


async def _settle_anew(db: Db, rows: Sequence[_Past], *, now: datetime) -> None:
    """Receipts in which nothing was ours become purchases as if they were shown then."""
    outcomes = await settling.settle(db, [row.item() for row in rows], now=now, actor="system")
    better = [one for one in outcomes if one.reason is not Reason.NOT_OURS]
    await writing.decide(db, better, now=now)


async def _credit(db: Db, row: _Past, read: Read, news: dict[int, Match], *, now: datetime) -> None:
    """Price the lines of a purchase that are certain now; keep what was recognised."""
    skus = {sku for match in read.matches for sku in settling.skus(match)}
    products = await catalog.products_by_sku(db, sorted(skus))
    await purchases.add_lines(db, settling.lines(read, products), row.member_id, row.receipt_id)
    decision = await purchases.recognise(
        db,
        row.member_id,
        row.receipt_id,
        [_recognised(line, match, products) for line, match in sorted(news.items())],
        now=now,
        actor="system",
    )
    points: dict[int, int] = {}
    for part in decision.parts if decision else ():
        points[part.line] = points.get(part.line, 0) + part.points
    known = row.known()
    at_once = settling.of_line(decision)
    for line, match in news.items():
        before = known.get(line)
        named = settling.matched(line, match)
        earned = (before.points if before else 0) + points.get(line, 0)
        active_at = decision.active_at if decision and points.get(line) else None
        known[line] = replace(
            named,
            points=earned,
            active_at=active_at or (before.active_at if before else None),
            at_once=at_once.get(line, before.at_once if before else 0),
        )
    kept = tuple(known[line] for line in sorted(known))
    await db.execute(writing.MATCH, [Jsonb(writing.to_json(kept)), row.member_id, row.receipt_id])
    await kit_db.execute_many(
        db,
        NOBODY_NEEDED,
        [(row.member_id, row.receipt_id, line) for line, match in news.items() if match.sku],
    )
    if row.status in {Status.IN_REVIEW, Status.REJECTED}:
        await _accept(db, row, read, kept, now=now)


def _recognised(line: int, match: Match, products: dict[str, Product]) -> Recognised:
    product = products[match.sku] if match.sku else None
    return Recognised(
        line=line,
        sku=match.sku,
        category=product.category if product else None,
        tags=product.tags if product else (),
        evidence=settling.evidence(match),
        product_line=product.line if product else None,
        variants=() if product else settling.variants([products[sku] for sku in match.line_skus]),
    )


async def _accept(
    db: Db, row: _Past, read: Read, kept: Sequence[Matched], *, now: datetime
) -> None:
    await db.execute(ACCEPT, [now, row.member_id, row.receipt_id])
    fact = events.came_to(
        Status.ACCEPTED,
        member_id=row.member_id,
        receipt_id=row.receipt_id,
        occurred_at=read.occurred_at,
        now=now,
        purchase_id=row.purchase_id,
        points=sum(one.points for one in kept),
    )
    await outbox.record(db, [fact])
