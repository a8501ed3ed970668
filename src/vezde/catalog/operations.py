"""Import products, learn what a seller prints for them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID, uuid4

from psycopg.types.json import Jsonb

from vezde.catalog import events, names, planning, rows
from vezde.catalog.matcher import Thresholds
from vezde.catalog.measuring import LOWEST, Verdict
from vezde.catalog.model import Change, Mode, Outcome, Product, Row
from vezde.catalog.planning import Plan, Stored
from vezde.catalog.rows import Parsed
from vezde.kit import db as kit_db
from vezde.kit import ids
from vezde.kit.db import Db
from vezde.kit.errors import DomainError, Kind
from vezde.outbox import operations as outbox_ops

WRITTEN_AT_ONCE = 5_000

BEGIN: LiteralString = """
INSERT INTO catalog.revision
    (only_row, number, products_stamp, aliases_stamp, changed_at, changed_by)
VALUES (true, 0, %s, %s, %s, %s)
ON CONFLICT (only_row) DO NOTHING
"""
LOCK: LiteralString = "SELECT number FROM catalog.revision FOR UPDATE"
STAMP_PRODUCTS: LiteralString = """
UPDATE catalog.revision
SET number = number + 1, products_stamp = %s, changed_at = %s, changed_by = %s
RETURNING number
"""
STAMP_ALIASES: LiteralString = """
UPDATE catalog.revision
SET number = number + 1, aliases_stamp = %s, changed_at = %s, changed_by = %s
"""
STORED: LiteralString = """
SELECT sku, gtin, name, brand, line, category, tags, size, shade, set_units, price_kopecks,
    cost_kopecks, replenish_days, photo_url, aliases, nm_id, ozon_sku, market_sku, offers, only_on,
    archived_at IS NOT NULL AS archived
FROM catalog.product WHERE sku = ANY(%s)
"""
OWNERS: LiteralString = """
SELECT gtin, sku FROM catalog.product WHERE gtin = ANY(%s) AND archived_at IS NULL
"""
LIVE: LiteralString = "SELECT sku FROM catalog.product WHERE archived_at IS NULL"
ARCHIVE: LiteralString = """
UPDATE catalog.product SET archived_at = %s, changed_at = %s, changed_by = %s
WHERE sku = ANY(%s)
"""
# Two products may swap their codes in one import; the index looks at every row by itself.
FREE_GTINS: LiteralString = """
UPDATE catalog.product SET gtin = NULL WHERE sku = ANY(%s) AND gtin IS NOT NULL
"""
WRITE: LiteralString = """
INSERT INTO catalog.product (
    sku, gtin, name, brand, line, category, tags, size, shade, set_units, price_kopecks,
    cost_kopecks, replenish_days, photo_url, aliases, nm_id, ozon_sku, market_sku, offers, only_on,
    created_at, created_by, changed_at, changed_by
)
SELECT
    sku, gtin, name, brand, line, category, tags, size, shade, set_units, price_kopecks,
    cost_kopecks, replenish_days, photo_url, aliases, nm_id, ozon_sku, market_sku, offers, only_on,
    %(now)s::timestamptz, %(actor)s::text, %(now)s::timestamptz, %(actor)s::text
FROM jsonb_to_recordset(%(products)s) AS given (
    sku text, gtin text, name text, brand text, line text, category text, tags text[], size text,
    shade text, set_units integer, price_kopecks bigint, cost_kopecks bigint,
    replenish_days integer, photo_url text, aliases text[], nm_id bigint, ozon_sku bigint,
    market_sku bigint, offers jsonb, only_on text
)
ON CONFLICT (sku) DO UPDATE SET
    gtin = excluded.gtin, name = excluded.name, brand = excluded.brand, line = excluded.line,
    category = excluded.category, tags = excluded.tags, size = excluded.size,
    shade = excluded.shade, set_units = excluded.set_units,
    price_kopecks = excluded.price_kopecks, cost_kopecks = excluded.cost_kopecks,
    replenish_days = excluded.replenish_days, photo_url = excluded.photo_url,
    aliases = excluded.aliases, nm_id = excluded.nm_id, ozon_sku = excluded.ozon_sku,
    market_sku = excluded.market_sku, offers = excluded.offers, only_on = excluded.only_on,
    changed_at = excluded.changed_at, changed_by = excluded.changed_by, archived_at = NULL
"""
KNOWN: LiteralString = "SELECT sku FROM catalog.product WHERE sku = %s AND archived_at IS NULL"
LEARN: LiteralString = """
INSERT INTO catalog.alias AS known (seller_inn, name, printed, sku, learned_at, learned_by)
VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT (seller_inn, name) DO UPDATE SET
    printed = excluded.printed, sku = excluded.sku,
    learned_at = excluded.learned_at, learned_by = excluded.learned_by,
    withdrawn_at = NULL, withdrawn_by = NULL
WHERE known.sku IS DISTINCT FROM excluded.sku OR known.withdrawn_at IS NOT NULL
RETURNING name
"""
UNLEARN: LiteralString = """
UPDATE catalog.alias SET withdrawn_at = %s, withdrawn_by = %s
WHERE seller_inn = %s AND name = %s AND withdrawn_at IS NULL
RETURNING name
"""
ADD_VERDICT: LiteralString = """
INSERT INTO catalog.verdict (verdict_id, brand, method, accepted, line_score, sku_score, right_line,
    right_sku, decided_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (verdict_id) DO NOTHING
"""
DROP_VERDICT: LiteralString = "DELETE FROM catalog.verdict WHERE verdict_id = %s"
SET_THRESHOLDS: LiteralString = """
INSERT INTO catalog.threshold (threshold_id, brand, line, sku, set_at, set_by)
VALUES (%s, %s, %s, %s, %s, %s)
"""


class InvalidThresholds(DomainError):
    """Scores that no threshold can be."""

    code = "invalid_thresholds"
    kind = Kind.INVALID


KNOWN_NAMES: LiteralString = """
SELECT seller_inn, name FROM catalog.alias
WHERE (seller_inn, name) IN (SELECT * FROM unnest(%s::text[], %s::text[]))
"""


class EmptyReplacement(DomainError):
    code = "empty_catalog"
    kind = Kind.REFUSED


class UnknownProduct(DomainError):
    code = "unknown_product"
    kind = Kind.MISSING


class EmptyName(DomainError):
    code = "empty_name"
    kind = Kind.INVALID


@dataclass(frozen=True)
class _StoredRow(Product):
    archived: bool = False


async def import_products(
    db: Db,
    products: Sequence[Row | Product | Mapping[str, Any]],
    *,
    mode: Mode,
    now: datetime,
    actor: str,
) -> list[Outcome]:
    """Create, change or (when replacing) archive products; one outcome a row, in order.

    A row is a `Row` of a table, a mapping of fields (its number is its place, from 1), or a whole
    `Product`. Merging, an absent field stays as it was and None takes it away; replacing, an
    absent field is none. A wrong row changes nothing and stops nothing. The same again is
    `unchanged`. Imports wait for each other.

    Raises `EmptyReplacement` for no rows at all with mode replace.
    """
    mode = Mode(mode)  # a face may hand over the bare text
    parsed = [rows.parse(_as_row(number, given)) for number, given in enumerate(products, 1)]
    if not parsed:
        if mode is Mode.REPLACE:
            raise EmptyReplacement(
                "This would archive every product; send the products that stay, at least one"
            )
        return []
    await _lock(db, now=now, actor=actor)
    plan = await _plan(db, parsed, mode)
    if plan.changes:
        await _write(db, plan, now=now, actor=actor)
        number = await kit_db.fetch_value(db, STAMP_PRODUCTS, [uuid4(), now, actor])
        counts = {change.value: plan.count(change) for change in Change}
        data = {**counts, "archived": len(plan.archive), "mode": mode.value, "revision": number}
        await outbox_ops.record(db, [events.imported(data, now=now)])
    return plan.outcomes


async def learn_alias(
    db: Db, *, seller_inn: str | None, name: str, sku: str | None, now: datetime, actor: str
) -> bool:
    """Remember what a line of this seller is; `sku` None: surely not ours. False: known already.

    `name` is as printed; the decision holds for every spelling with the same canonical form, and
    replaces an earlier one. A line whose seller is not known is an alias of its own. Takes the
    catalogue's lock: call it before the locks of accounts.

    Raises `UnknownProduct`, `EmptyName`.
    """
    key = names.key(name)
    if not key:
        raise EmptyName(f"«{name[:40]}» has no letter or digit to know a product by")
    await _lock(db, now=now, actor=actor)
    if sku is not None and await kit_db.fetch_value(db, KNOWN, [sku]) is None:
        raise UnknownProduct(
            f"There is no product «{sku[:100]}»; import it first, or choose another"
        )
    values = [seller_inn or "", key, name, sku, now, actor]
    if await kit_db.fetch_value(db, LEARN, values) is None:
        return False
    await db.execute(STAMP_ALIASES, [uuid4(), now, actor])
    await outbox_ops.record(db, [events.name_learned(seller_inn, now=now)])
    return True


async def unlearn_alias(
    db: Db, *, seller_inn: str | None, name: str, now: datetime, actor: str
) -> bool:
    """Forget what a line of this seller is; False: nothing was known. `name` as `learn_alias`.

    Takes the catalogue's lock: call it before the locks of accounts.
    """
    await _lock(db, now=now, actor=actor)
    row = [now, actor, seller_inn or "", names.key(name)]
    if await kit_db.fetch_value(db, UNLEARN, row) is None:
        return False
    await db.execute(STAMP_ALIASES, [uuid4(), now, actor])
    return True


async def note_verdict(
    db: Db, verdict_id: UUID, verdict: Verdict, *, brand: str, method: str, now: datetime
) -> None:
    """Keep what a person found the matcher's answer to be: thresholds and precision stand on it."""
    scores = [round(verdict.line_score, 4), round(verdict.sku_score, 4)]
    found = [*scores, verdict.right_line, verdict.right_sku, now]
    await db.execute(ADD_VERDICT, [verdict_id, brand, method, verdict.accepted, *found])


async def drop_verdict(db: Db, verdict_id: UUID) -> None:
    """The decision was undone: it tells nothing."""
    await db.execute(DROP_VERDICT, [verdict_id])


async def set_thresholds(
    db: Db, brand: str, thresholds: Thresholds | None, *, now: datetime, actor: str
) -> None:
    """From which scores on this brand's lines are certain; None: from those everybody has.

    What was recognised before stays. Raises `InvalidThresholds`.
    """
    if thresholds and not all(LOWEST <= one <= 1 for one in (thresholds.line, thresholds.sku)):
        raise InvalidThresholds(f"A threshold is a score from {LOWEST} to 1, like 0.97")
    await _lock(db, now=now, actor=actor)
    scores = [thresholds.line, thresholds.sku] if thresholds else [None, None]
    await db.execute(SET_THRESHOLDS, [ids.new(), brand, *scores, now, actor])
    await db.execute(STAMP_ALIASES, [uuid4(), now, actor])


async def learn_titles(
    db: Db, titles: Sequence[tuple[str, str]], *, source: str, now: datetime, actor: str
) -> int:
    """Card titles (sku, title) of a marketplace become known names of the products; how many new.

    Each product's title is a name of its own, so one that two products share decides nothing.
    Takes the catalogue's lock where something is new: call it before the locks of accounts.
    """
    rows = {
        (f"{source}:{sku}", key): (title, sku) for sku, title in titles if (key := names.key(title))
    }
    if not rows:
        return 0
    sellers, keys = [seller for seller, _ in rows], [key for _, key in rows]
    known = set(await (await db.execute(KNOWN_NAMES, [sellers, keys])).fetchall())
    fresh = {at: given for at, given in rows.items() if at not in known}
    if not fresh:
        return 0
    await _lock(db, now=now, actor=actor)
    await kit_db.execute_many(
        db,
        LEARN,
        [
            (seller, key, title, sku, now, actor)
            for (seller, key), (title, sku) in sorted(fresh.items())
        ],
    )
    await db.execute(STAMP_ALIASES, [uuid4(), now, actor])
    await outbox_ops.record(db, [events.name_learned(None, now=now)])
    return len(fresh)


def _as_row(number: int, given: Row | Product | Mapping[str, Any]) -> Row:
    if isinstance(given, Row):
        return given
    if isinstance(given, Product):
        return rows.of_product(number, given)
    return Row(number, given)


async def _lock(db: Db, *, now: datetime, actor: str) -> None:
    await db.execute(BEGIN, [uuid4(), uuid4(), now, actor])
    await db.execute(LOCK)


async def _plan(db: Db, parsed: Sequence[Parsed], mode: Mode) -> Plan:
    skus = list({one.sku for one in parsed if one.sku is not None})
    found = await kit_db.fetch_all(db, _StoredRow, STORED, [skus])
    stored = {row.sku: Stored(_product(row), row.archived) for row in found}
    # Also the codes the rows' products have now: a wrong row leaves its product with them.
    gtins = {one.values["gtin"] for one in parsed if one.values.get("gtin")}
    gtins |= {row.gtin for row in found if row.gtin}
    owners = dict(await _pairs(db, sorted(gtins)))
    live: list[str] = []
    if mode is Mode.REPLACE:
        live = [row[0] for row in await (await db.execute(LIVE)).fetchall()]
    return planning.plan(parsed, stored=stored, owners=owners, live=live, mode=mode)


def _product(row: _StoredRow) -> Product:
    return Product(**{item.name: getattr(row, item.name) for item in fields(Product)})


async def _pairs(db: Db, gtins: list[str]) -> list[tuple[str, str]]:
    return [(row[0], row[1]) for row in await (await db.execute(OWNERS, [gtins])).fetchall()]


async def _write(db: Db, plan: Plan, *, now: datetime, actor: str) -> None:
    if plan.archive:
        await db.execute(ARCHIVE, [now, now, actor, plan.archive])
    if plan.free:
        await db.execute(FREE_GTINS, [plan.free])
    for start in range(0, len(plan.write), WRITTEN_AT_ONCE):
        part = [asdict(product) for product in plan.write[start : start + WRITTEN_AT_ONCE]]
        await db.execute(WRITE, {"products": Jsonb(part), "now": now, "actor": actor})
