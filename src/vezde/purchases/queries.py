"""What can be asked of purchases."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from vezde.kit import db as kit_db
from vezde.kit.db import Db

EARNED_BEFORE: LiteralString = """
SELECT order_line, receipt_line, fact_id, points FROM purchases.meeting
WHERE member_id = %s AND order_ref = %s AND points > 0
ORDER BY order_line, met_at, receipt_id, receipt_line
"""


@dataclass(frozen=True, slots=True)
class EarnedBefore:
    """Points that a receipt had brought for an order's line before the order came.

    `fact_id` is the decision that gave them, for its line `receipt_line`.
    """

    order_line: int
    receipt_line: int
    fact_id: UUID
    points: int


async def earned_before(db: Db, member_id: UUID, order_ref: UUID) -> list[EarnedBefore]:
    """What receipts had earned for the goods of an order, in a fixed order."""
    return await kit_db.fetch_all(db, EarnedBefore, EARNED_BEFORE, [member_id, order_ref])


REPORTS: LiteralString = """
SELECT report_id, marketplace, kind, name, sold, returned, repeated, broken, lines, points,
    uploaded_at, finished_at
FROM purchases.report
WHERE %(before)s::uuid IS NULL OR report_id < %(before)s
ORDER BY report_id DESC LIMIT %(limit)s
"""
# Of reports a sale and a return of one mark; of receipts a sale and a return of one purchase.
LAGS: LiteralString = """
SELECT sales_channel, count(*)::integer AS returns,
    percentile_disc(0.5) WITHIN GROUP (ORDER BY days)::integer AS median_days,
    percentile_disc(0.9) WITHIN GROUP (ORDER BY days)::integer AS p90_days,
    percentile_disc(0.95) WITHIN GROUP (ORDER BY days)::integer AS p95_days
FROM (
    SELECT back.marketplace AS sales_channel, back.happened_on - sale.happened_on AS days
    FROM purchases.movement back
    JOIN purchases.movement sale ON sale.mark = back.mark AND sale.effect = 'sold'
        AND sale.marketplace = back.marketplace AND sale.sku IS NOT DISTINCT FROM back.sku
    WHERE back.effect = 'returned' AND back.happened_on >= sale.happened_on
    UNION ALL
    SELECT document.sales_channel, back.occurred_at::date - sale.occurred_at::date AS days
    FROM purchases.line back
    JOIN purchases.line sale ON sale.member_id = back.member_id
        AND sale.purchase_id = back.purchase_id AND sale.goods = back.goods
        AND sale.paid IN ('settled', 'on_credit') AND sale.occurred_at < back.occurred_at
    JOIN purchases.document ON document.member_id = sale.member_id
        AND document.receipt_id = sale.receipt_id
    WHERE back.paid = 'returned'
) AS came_back
GROUP BY sales_channel ORDER BY sales_channel
"""
ENOUGH = 30


PACK_DISPUTES: LiteralString = """
SELECT d.dispute_id, d.gtin, d.sernum, d.member_id, d.receipt_id, d.disputed_at, d.outcome,
    d.decided_at, d.decided_by, p.member_id AS holder_id, p.how, p.receipt_id AS holder_receipt,
    p.scanned_at
FROM purchases.pack_dispute d
LEFT JOIN purchases.pack p ON p.gtin = d.gtin AND p.sernum = d.sernum AND p.released_at IS NULL
WHERE (d.decided_at IS NOT NULL) = coalesce(%(decided)s, d.decided_at IS NOT NULL)
  AND (%(only)s::uuid IS NULL OR d.dispute_id = %(only)s)
  AND (%(at)s::timestamptz IS NULL
    OR (d.disputed_at, d.dispute_id) < (%(at)s::timestamptz, %(dispute_id)s::uuid))
ORDER BY d.disputed_at DESC, d.dispute_id DESC LIMIT %(limit)s
"""

OPEN_PACK_DISPUTES: LiteralString = """
SELECT count(*), min(disputed_at) FROM purchases.pack_dispute WHERE decided_at IS NULL
"""


@dataclass(frozen=True, slots=True)
class PackDispute:
    """Somebody claimed a pack that another has, by a receipt or by a scan alone (`how`)."""

    dispute_id: UUID
    gtin: str
    sernum: str
    member_id: UUID
    receipt_id: UUID | None
    disputed_at: datetime
    outcome: str | None
    decided_at: datetime | None
    decided_by: str | None
    holder_id: UUID | None
    how: str | None
    holder_receipt: UUID | None
    scanned_at: datetime | None


async def pack_disputes(
    db: Db, *, decided: bool, before: tuple[datetime, UUID] | None, limit: int
) -> list[PackDispute]:
    """Disputes about packs, the newest first; `before`: the last of the page before."""
    at, dispute_id = before or (None, None)
    asked = {"decided": decided, "at": at, "dispute_id": dispute_id, "limit": limit, "only": None}
    return await kit_db.fetch_filtered(db, PackDispute, PACK_DISPUTES, asked)


async def open_pack_disputes(db: Db) -> tuple[int, datetime | None]:
    """How many disputes about packs wait, and since when the first."""
    row = await (await db.execute(OPEN_PACK_DISPUTES)).fetchone()
    assert row is not None, "an aggregate answers one row"
    return row[0], row[1]


async def pack_dispute(db: Db, dispute_id: UUID) -> PackDispute:
    """One dispute about a pack, which is there."""
    asked = {"decided": None, "at": None, "dispute_id": None, "limit": 1, "only": dispute_id}
    found = await kit_db.fetch_filtered(db, PackDispute, PACK_DISPUTES, asked)
    assert found, "it was decided a moment ago"
    return found[0]


@dataclass(frozen=True, slots=True)
class Report:
    """A seller report that was loaded; `finished_at` None: it was not read to its end."""

    report_id: UUID
    marketplace: str
    kind: str
    name: str
    sold: int
    returned: int
    repeated: int
    broken: int
    lines: int
    points: int
    uploaded_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True)
class Lag:
    """Days from a purchase to its return, by sales channel."""

    sales_channel: str
    returns: int
    median_days: int
    p90_days: int
    p95_days: int

    @property
    def suggested_hold_days(self) -> int | None:
        """The hold that covers 95 of 100 returns; None where too few are known."""
        return self.p95_days if self.returns >= ENOUGH else None


async def reports(db: Db, *, before: UUID | None, limit: int) -> list[Report]:
    """Loaded reports, newest first; `before`: the last id of the page before."""
    return await kit_db.fetch_filtered(db, Report, REPORTS, {"before": before, "limit": limit})


async def return_lags(db: Db) -> list[Lag]:
    """How long after the purchase things come back, of all reports and receipts of returns."""
    return await kit_db.fetch_all(db, Lag, LAGS)


ON_RECEIPTS: LiteralString = """
SELECT gtin, sernum, receipt_id FROM purchases.pack
WHERE (gtin, sernum) IN (SELECT * FROM unnest(%s::text[], %s::text[]))
  AND released_at IS NULL AND how = 'receipt'
"""


async def packs_on_receipts(
    db: Db, packs: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], UUID]:
    """Of these (GTIN, serial), those that a receipt's line has: which receipt."""
    if not packs:
        return {}
    asked = [[gtin for gtin, _ in packs], [serial for _, serial in packs]]
    rows = await (await db.execute(ON_RECEIPTS, asked)).fetchall()
    return {(gtin, serial): receipt_id for gtin, serial, receipt_id in rows if receipt_id}
