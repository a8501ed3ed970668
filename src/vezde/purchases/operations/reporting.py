"""What seller reports say is kept, found among members' purchases, and taken back where it must be.

A row is known by its key, so the same report again, or a daily and a weekly one, changes nothing. A
report may come before the receipt it is about: a document that is recorded later asks for it.
"""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from psycopg.types.json import Jsonb

from vezde.catalog import operations as names
from vezde.catalog import queries as catalog
from vezde.kit import db as kit_db
from vezde.kit import ids, money
from vezde.kit.db import Db
from vezde.ledger import operations as ledger
from vezde.members import operations as members
from vezde.purchases.marking import Pack
from vezde.purchases.netting import Key
from vezde.purchases.operations import packing, taking
from vezde.purchases.reports.model import Kind, Movement

# Marks that name one unit; others name an order, of which the product tells the lines.
OF_UNITS = frozenset({"wildberries"})
MARKETPLACES = frozenset(kind.marketplace for kind in Kind)

BEGIN: LiteralString = """
INSERT INTO purchases.report (report_id, marketplace, kind, name, uploaded_at, uploaded_by)
VALUES (%s, %s, %s, %s, %s, %s)
"""
COUNT: LiteralString = """
UPDATE purchases.report SET sold = sold + %s, returned = returned + %s, repeated = repeated + %s,
    broken = broken + %s, lines = lines + %s, points = points + %s
WHERE report_id = %s
"""
FINISH: LiteralString = "UPDATE purchases.report SET finished_at = %s WHERE report_id = %s"
KEEP: LiteralString = """
INSERT INTO purchases.movement (marketplace, key, effect, mark, quantity_micro, happened_on, sku,
    gtin, sernum, fn, fd, report_id)
SELECT %(marketplace)s, decode(key, 'hex'), effect, mark, quantity_micro, happened_on, sku, gtin,
    sernum, fn, fd, %(report_id)s
FROM jsonb_to_recordset(%(rows)s) AS given (key text, effect text, mark text,
    quantity_micro bigint, happened_on date, sku text, gtin text, sernum text, fn bigint, fd bigint)
ON CONFLICT (marketplace, key) DO NOTHING
RETURNING encode(key, 'hex'), effect, mark, fn, fd, gtin, sernum
"""
# A row of marked goods has the receipt's fiscal key and the order's mark: it names the line.
NAMED: LiteralString = """
SELECT d.member_id, l.receipt_id, l.line, m.mark, m.sku = l.sku AS same
FROM purchases.movement m
JOIN purchases.document d ON d.fn = m.fn AND d.fd = m.fd
JOIN purchases.line l ON l.member_id = d.member_id AND l.receipt_id = d.receipt_id
WHERE (m.fn, m.fd) IN (SELECT * FROM unnest(%s::bigint[], %s::bigint[]))
  AND m.mark IS NOT NULL AND l.mark IS NULL AND l.state IN ('earning', 'covered')
ORDER BY l.receipt_id, l.line, m.mark
"""
NAME: LiteralString = """
UPDATE purchases.line SET mark = %s WHERE member_id = %s AND receipt_id = %s AND line = %s
  AND mark IS NULL
"""
LINES: LiteralString = """
SELECT l.member_id, l.receipt_id, l.line, l.mark, l.sku, l.quantity_micro, l.reported_micro,
    l.gtin, l.sernum
FROM purchases.line l
JOIN purchases.document d ON d.member_id = l.member_id AND d.receipt_id = l.receipt_id
WHERE (l.mark = ANY(%s) OR (l.gtin, l.sernum) IN (SELECT * FROM unnest(%s::text[], %s::text[])))
  AND l.state IN ('earning', 'covered')
ORDER BY l.occurred_at, l.receipt_id, l.line
"""
SAID: LiteralString = """
SELECT mark, marketplace, sku,
    sum(CASE effect WHEN 'returned' THEN quantity_micro WHEN 'kept' THEN -quantity_micro ELSE 0 END)
        ::bigint AS returned_micro
FROM purchases.movement WHERE mark = ANY(%s)
GROUP BY mark, marketplace, sku
"""
SAID_OF_PACKS: LiteralString = """
SELECT gtin, sernum,
    greatest(sum(CASE effect WHEN 'returned' THEN 1 WHEN 'kept' THEN -1 ELSE 0 END), 0)::integer
FROM purchases.movement WHERE (gtin, sernum) IN (SELECT * FROM unnest(%s::text[], %s::text[]))
GROUP BY gtin, sernum
"""
REPORTED: LiteralString = """
UPDATE purchases.line SET reported_micro = %s
WHERE member_id = %s AND receipt_id = %s AND line = %s
"""


@dataclass(frozen=True, slots=True)
class Counts:
    """Rows of one slice by what became of them; `lines` of purchases were found for them."""

    sold: int = 0
    returned: int = 0
    repeated: int = 0
    lines: int = 0
    points: int = 0


@dataclass(frozen=True)
class _Line:
    member_id: UUID
    receipt_id: UUID
    line: int
    mark: str | None
    sku: str | None
    quantity_micro: int
    reported_micro: int
    gtin: str | None
    sernum: str | None

    @property
    def pack(self) -> Pack | None:
        return Pack(self.gtin, self.sernum) if self.gtin and self.sernum else None


@dataclass(frozen=True)
class _Said:
    mark: str
    marketplace: str
    sku: str | None
    returned_micro: int


@dataclass(frozen=True)
class _Named:
    member_id: UUID
    receipt_id: UUID
    line: int
    mark: str
    same: bool | None


async def begin_report(db: Db, kind: Kind, name: str, *, now: datetime, actor: str) -> UUID:
    """Note that a report is being read; its rows come in slices."""
    report_id = ids.new()
    await db.execute(BEGIN, [report_id, kind.marketplace, kind, name[:200], now, actor])
    return report_id


async def finish_report(db: Db, report_id: UUID, *, now: datetime) -> None:
    """Note that a report was read to its end."""
    await db.execute(FINISH, [now, report_id])


async def take_in(
    db: Db,
    report_id: UUID,
    marketplace: str,
    rows: Sequence[Movement],
    *,
    broken: int,
    now: datetime,
    actor: str,
) -> Counts:
    """Keep a slice of a report's rows and make points follow what is new in them."""
    if not rows and not broken:
        return Counts()
    skus = await catalog.skus_of(
        db,
        articles={row.article for row in rows if row.article},
        numbers={row.number for row in rows if row.number},
        gtins={row.gtin for row in rows if row.gtin},
    )
    titles = [
        (sku, row.title)
        for row in rows
        if row.title and (sku := skus.of(article=row.article, number=row.number, gtin=row.gtin))
    ]
    await names.learn_titles(db, titles, source=marketplace, now=now, actor=actor)
    given = {_key(row): row for row in rows}
    kept = [
        {
            "key": key,
            "effect": row.effect,
            "mark": row.mark,
            "quantity_micro": row.quantity_micro,
            "happened_on": row.happened_on.isoformat() if row.happened_on else None,
            "sku": skus.of(article=row.article, number=row.number, gtin=row.gtin),
            "gtin": row.gtin,
            "sernum": row.serial,
            "fn": row.fn,
            "fd": row.fd,
        }
        for key, row in given.items()
    ]
    cursor = await db.execute(
        KEEP, {"marketplace": marketplace, "report_id": report_id, "rows": Jsonb(kept)}
    )
    fresh = await cursor.fetchall()
    lines, points = await _follow(
        db,
        marks={row[2] for row in fresh if row[2]},
        fiscal={(row[3], row[4]) for row in fresh if row[3] is not None},
        packs={Pack(row[5], row[6]) for row in fresh if row[6] and row[1] != "sold"},
        now=now,
        actor=actor,
    )
    back = {Pack(row[5], row[6]) for row in fresh if row[6] and row[1] == "returned"}
    points += await packing.release(db, back, now=now, actor=actor)
    counts = Counts(
        sold=sum(row[1] == "sold" for row in fresh),
        returned=sum(row[1] != "sold" for row in fresh),
        repeated=len(rows) - len(fresh),
        lines=lines,
        points=points,
    )
    told = [counts.sold, counts.returned, counts.repeated, broken, lines, points, report_id]
    await db.execute(COUNT, told)
    return counts


def _key(row: Movement) -> str:
    return hashlib.sha256(row.key.encode()).hexdigest()


async def catch_up(
    db: Db,
    *,
    marks: Collection[str],
    fiscal: Collection[tuple[int, int]],
    packs: Collection[Pack],
    of: Collection[UUID],
    now: datetime,
    actor: str,
) -> None:
    """What reports said before the documents of these marks and keys were recorded, for their
    members, whom the caller holds.
    """
    if marks or fiscal or packs:
        await _follow(
            db,
            marks=set(marks),
            fiscal=set(fiscal),
            packs=packs,
            of=of,
            now=now,
            actor=actor,
        )


async def _follow(
    db: Db,
    *,
    marks: set[str],
    fiscal: set[tuple[int, int]],
    packs: Collection[Pack] = (),
    of: Collection[UUID] | None = None,
    now: datetime,
    actor: str,
) -> tuple[int, int]:
    """Lines that the reports speak of and points that were taken from them."""
    marks |= await _name(db, fiscal) if fiscal else set()
    asked = [sorted(marks), [one.gtin for one in packs], [one.serial for one in packs]]
    lines = await kit_db.fetch_all(db, _Line, LINES, asked) if marks or packs else []
    there = of
    if there is None:
        there = await members.present(db, {line.member_id for line in lines})
    mine = [line for line in lines if line.member_id in there]
    if not mine:
        return len(lines), 0
    await ledger.lock(db, sorted({line.member_id for line in mine}))
    said = await kit_db.fetch_all(
        db, _Said, SAID, [sorted({line.mark for line in mine if line.mark})]
    )
    back = await _packs_back(db, {line.pack for line in mine if line.pack})
    changed: dict[UUID, set[Key]] = {}
    rows = []
    for line, by_mark in _shared(mine, said):
        micro = max(by_mark, min(back.get(line.pack, 0), line.quantity_micro))
        if micro != line.reported_micro:
            rows.append((micro, line.member_id, line.receipt_id, line.line))
            changed.setdefault(line.member_id, set()).add((line.receipt_id, line.line))
    await kit_db.execute_many(db, REPORTED, rows)
    points = 0
    for member_id, keys in sorted(changed.items()):
        points += await taking.settle_lines(
            db, member_id, sorted(keys), because="seller_report", now=now, actor=actor
        )
    return len(lines), points


async def _packs_back(db: Db, packs: Collection[Pack]) -> dict[Pack | None, int]:
    """Millionths of a piece that came back, by pack."""
    if not packs:
        return {}
    asked = [[one.gtin for one in packs], [one.serial for one in packs]]
    rows = await (await db.execute(SAID_OF_PACKS, asked)).fetchall()
    return {Pack(gtin, serial): count * money.MILLION for gtin, serial, count in rows}


async def _name(db: Db, fiscal: set[tuple[int, int]]) -> set[str]:
    """Give lines the marks that rows with their receipt's fiscal key have; which marks."""
    pairs = sorted(fiscal)
    asked = [[fn for fn, _ in pairs], [fd for _, fd in pairs]]
    found = await kit_db.fetch_all(db, _Named, NAMED, asked)
    given: dict[tuple[UUID, UUID, int], str] = {}
    # A line of that very product first; then the only line there is.
    for one in sorted(found, key=lambda one: not one.same):
        key = (one.member_id, one.receipt_id, one.line)
        alone = len({(other.receipt_id, other.line) for other in found
                     if other.receipt_id == one.receipt_id}) == 1  # fmt: skip
        if key not in given and one.mark not in given.values() and (one.same or alone):
            given[key] = one.mark
    await kit_db.execute_many(db, NAME, [(mark, *key) for key, mark in given.items()])
    return set(given.values())


def _shared(lines: Sequence[_Line], said: Sequence[_Said]) -> list[tuple[_Line, int]]:
    """How much of each line came back: what is said of a mark fills its lines one after another."""
    left = {(one.mark, one.marketplace, one.sku): max(one.returned_micro, 0) for one in said}
    found = []
    for line in lines:
        mine = 0
        for (mark, marketplace, sku), micro in left.items():
            of_unit = marketplace in OF_UNITS
            if mark != line.mark or not (of_unit or None in {sku, line.sku} or sku == line.sku):
                continue
            taken = min(micro, line.quantity_micro - mine)
            left[mark, marketplace, sku] -= taken
            mine += taken
        found.append((line, mine))
    return found
