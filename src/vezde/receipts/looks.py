"""Questions about the lines that wait for a person."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import LiteralString
from uuid import UUID

from vezde.catalog import names
from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.receipts.model import FiscalDocument
from vezde.receipts.operations import writing
from vezde.receipts.operations.looking import Look

MOST_COUNTED = 10_000
OLDEST: LiteralString = """
SELECT member_id, receipt_id, line, kind, seller_inn, printed, sum_kopecks, since, turn, sku,
    decision_id, decided_at, decided_by, was
FROM receipts.look
WHERE decided_at IS NULL AND (%(kind)s::text IS NULL OR kind = %(kind)s)
  AND (since, receipt_id, line) > (%(since)s, %(receipt_id)s, %(line)s)
ORDER BY since, receipt_id, line LIMIT %(limit)s
"""
DEAREST: LiteralString = """
SELECT member_id, receipt_id, line, kind, seller_inn, printed, sum_kopecks, since, turn, sku,
    decision_id, decided_at, decided_by, was
FROM receipts.look
WHERE decided_at IS NULL AND (%(kind)s::text IS NULL OR kind = %(kind)s)
  AND (sum_kopecks, receipt_id, line) < (%(sum)s, %(receipt_id)s, %(line)s)
ORDER BY sum_kopecks DESC, receipt_id DESC, line DESC LIMIT %(limit)s
"""
# Counted no further than anybody would read.
COUNTED: LiteralString = """
SELECT kind, count(*) AS lines, min(since) AS since FROM (
    SELECT kind, since FROM receipts.look WHERE decided_at IS NULL ORDER BY since LIMIT %s) AS open
GROUP BY kind
"""
# One index look a line asked about.
ALIKE: LiteralString = """
SELECT asked.place, (
    SELECT count(*) FROM (
        SELECT 1 FROM receipts.look
        WHERE decided_at IS NULL AND md5(printed) = md5(asked.printed) AND printed = asked.printed
          AND seller_inn IS NOT DISTINCT FROM asked.seller_inn
        LIMIT 1000) AS same)
FROM unnest(%s::integer[], %s::text[], %s::text[]) AS asked (place, printed, seller_inn)
"""
SAME: LiteralString = """
SELECT member_id, receipt_id, line FROM receipts.look
WHERE decided_at IS NULL AND md5(printed) = md5(%(printed)s) AND printed = %(printed)s
  AND seller_inn IS NOT DISTINCT FROM %(seller_inn)s
ORDER BY member_id, receipt_id, line LIMIT %(limit)s
"""
OF_DECISION: LiteralString = """
SELECT member_id, receipt_id, line FROM receipts.look WHERE decision_id = %s
ORDER BY member_id, receipt_id, line LIMIT %s
"""
TAUGHT: LiteralString = """
SELECT member_id, receipt_id, line, decision_id FROM receipts.look
WHERE decided_at IS NOT NULL AND md5(printed) = md5(%(printed)s) AND printed = %(printed)s
  AND seller_inn IS NOT DISTINCT FROM %(seller_inn)s
ORDER BY member_id, receipt_id, line LIMIT %(limit)s
"""
# By receipt_by_seller; ids of receipts are in the order in which they came.
OF_SELLER: LiteralString = """
SELECT r.member_id, r.receipt_id, d.document, d.matches
FROM receipts.receipt r JOIN receipts.document d USING (member_id, receipt_id)
WHERE r.seller_inn IS NOT DISTINCT FROM %(seller_inn)s AND r.receipt_id > %(after)s
ORDER BY r.receipt_id LIMIT %(limit)s
"""

Key = tuple[UUID, UUID, int]


class Order(StrEnum):
    """What comes first: what has waited longest, or what is worth most."""

    AGE = "age"
    VALUE = "value"


@dataclass(frozen=True, slots=True)
class Place:
    """Where in either order a line stands."""

    since: datetime
    sum_kopecks: int
    receipt_id: UUID
    line: int


FIRST = Place(datetime(1970, 1, 1, tzinfo=UTC), 0, UUID(int=0), 0)
LAST = Place(datetime(9000, 1, 1, tzinfo=UTC), 2**62, UUID(int=2**128 - 1), 0)


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many lines of a kind wait (counted up to `MOST_COUNTED`), and since when the first."""

    kind: str
    lines: int
    since: datetime


async def page(
    db: Db, *, order: Order, kind: str | None, after: Place | None, limit: int
) -> list[Look]:
    """Lines that wait, those after this place in this order."""
    by_age = order is Order.AGE
    at = after or (FIRST if by_age else LAST)
    asked = {
        "kind": kind,
        "since": at.since,
        "sum": at.sum_kopecks,
        "receipt_id": at.receipt_id,
        "line": at.line,
        "limit": limit,
    }
    return await kit_db.fetch_filtered(db, Look, OLDEST if by_age else DEAREST, asked)


async def counted(db: Db) -> list[Waiting]:
    """What waits, by kind."""
    return await kit_db.fetch_all(db, Waiting, COUNTED, [MOST_COUNTED])


async def alike(db: Db, looks: Sequence[Look]) -> list[int]:
    """How many lines that wait have the same name at the same seller, themselves with them."""
    asked = [list(range(len(looks))), [one.printed for one in looks]]
    rows = await (await db.execute(ALIKE, [*asked, [one.seller_inn for one in looks]])).fetchall()
    found = dict(rows)
    return [found[place] for place in range(len(looks))]


async def same(db: Db, look: Look, *, limit: int) -> list[Key]:
    """Lines that wait with the same name at the same seller."""
    asked = {"printed": look.printed, "seller_inn": look.seller_inn}
    rows = await (await db.execute(SAME, {**asked, "limit": limit})).fetchall()
    return [(row[0], row[1], row[2]) for row in rows]


async def of_decision(db: Db, decision_id: UUID, *, limit: int) -> list[Key]:
    """Lines that were decided at once and still are."""
    rows = await (await db.execute(OF_DECISION, [decision_id, limit])).fetchall()
    return [(row[0], row[1], row[2]) for row in rows]


async def taught(
    db: Db, *, seller_inn: str | None, printed: str, limit: int
) -> list[tuple[Key, UUID]]:
    """Lines that were decided with this name at this seller, each with its decision."""
    asked = {"seller_inn": seller_inn, "printed": printed, "limit": limit}
    rows = await (await db.execute(TAUGHT, asked)).fetchall()
    return [((row[0], row[1], row[2]), row[3]) for row in rows]


async def by_alias(
    db: Db, *, seller_inn: str | None, key: str, after: UUID, limit: int
) -> tuple[list[Key], UUID | None]:
    """Lines of this seller that were recognised by a learned name, of receipts after this id.

    Looks through `limit` receipts; also the id to go on after, None when these were the last.
    """
    asked = {"seller_inn": seller_inn, "after": after, "limit": limit}
    rows = await (await db.execute(OF_SELLER, asked)).fetchall()
    found: list[Key] = []
    for member_id, receipt_id, document, matches in rows:
        known = {one.line for one in writing.from_json(matches) if one.method == "alias"}
        if known:
            said = {line.line: line.name or "" for line in FiscalDocument.from_json(document).lines}
            found += [
                (member_id, receipt_id, line)
                for line in sorted(known)
                if names.key(said.get(line, "")) == key
            ]
    return found, rows[-1][1] if len(rows) == limit else None
