"""What is in the catalogue, and the matcher made of it."""

from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import LiteralString, TypeVar
from uuid import UUID

from vezde.catalog import names
from vezde.catalog.assortment import Assortment
from vezde.catalog.matcher import Matcher, Thresholds
from vezde.catalog.measuring import Verdict
from vezde.catalog.model import Product
from vezde.kit import db as kit_db
from vezde.kit.db import Db

STAMPS: LiteralString = "SELECT number, products_stamp, aliases_stamp FROM catalog.revision"
PRODUCTS: LiteralString = """
SELECT sku, gtin, name, brand, line, category, tags, size, shade, set_units, price_kopecks,
    cost_kopecks, replenish_days, photo_url, aliases, nm_id, ozon_sku, market_sku, offers, only_on
FROM catalog.product WHERE archived_at IS NULL ORDER BY sku
"""
PAGE: LiteralString = """
SELECT sku, gtin, name, brand, line, category, tags, size, shade, set_units, price_kopecks,
    cost_kopecks, replenish_days, photo_url, aliases, nm_id, ozon_sku, market_sku, offers, only_on
FROM catalog.product WHERE archived_at IS NULL AND sku > %s ORDER BY sku LIMIT %s
"""
BY_SKU: LiteralString = """
SELECT sku, gtin, name, brand, line, category, tags, size, shade, set_units, price_kopecks,
    cost_kopecks, replenish_days, photo_url, aliases, nm_id, ozon_sku, market_sku, offers, only_on
FROM catalog.product WHERE sku = ANY(%s)
"""
COUNT: LiteralString = "SELECT count(*) FROM catalog.product WHERE archived_at IS NULL"
ALIAS: LiteralString = """
SELECT seller_inn, name, printed, sku, learned_at, learned_by FROM catalog.alias
WHERE seller_inn = %s AND name = %s AND withdrawn_at IS NULL
"""
NEWEST: LiteralString = """
SELECT seller_inn, name, printed, sku, learned_at, learned_by FROM catalog.alias
WHERE withdrawn_at IS NULL
  AND (learned_at, seller_inn, name) < (%(at)s, %(inn)s, %(name)s)
ORDER BY learned_at DESC, seller_inn DESC, name DESC LIMIT %(limit)s
"""
OF_PRODUCT: LiteralString = """
SELECT seller_inn, name, printed, sku, learned_at, learned_by FROM catalog.alias
WHERE sku = %(sku)s AND withdrawn_at IS NULL
  AND (learned_at, seller_inn, name) < (%(at)s, %(inn)s, %(name)s)
ORDER BY learned_at DESC, seller_inn DESC, name DESC LIMIT %(limit)s
"""
# In the order of bytes, so what begins with a text lies between it and the text with the last sign.
BEGINNING: LiteralString = """
SELECT seller_inn, name, printed, sku, learned_at, learned_by FROM catalog.alias
WHERE name >= %(text)s AND name < %(after)s AND withdrawn_at IS NULL
  AND (learned_at, seller_inn, name) < (%(at)s, %(inn)s, %(name)s)
ORDER BY learned_at DESC, seller_inn DESC, name DESC LIMIT %(limit)s
"""
THRESHOLDS: LiteralString = """
SELECT DISTINCT ON (brand) brand, line, sku, set_at, set_by FROM catalog.threshold
ORDER BY brand, threshold_id DESC
"""
BRANDS: LiteralString = """
SELECT DISTINCT brand FROM catalog.product WHERE archived_at IS NULL ORDER BY brand LIMIT %s
"""
VERDICTS: LiteralString = """
SELECT accepted, line_score, sku_score, right_line, right_sku FROM catalog.verdict
WHERE brand = %s ORDER BY decided_at DESC, verdict_id DESC LIMIT %s
"""
MOST_BRANDS, MOST_VERDICTS = 50, 20_000
# By the form the printed name has today: the way names are read gets better, rows stay.
ALIASES: LiteralString = """
SELECT seller_inn, printed, sku FROM catalog.alias WHERE withdrawn_at IS NULL ORDER BY learned_at
"""

# A process serves one database, a test run serves many in turn: the last few are kept.
KEPT = 4
Key = TypeVar("Key")
Value = TypeVar("Value")
_assortments: OrderedDict[UUID, Assortment] = OrderedDict()
_matchers: OrderedDict[tuple[UUID, UUID], Matcher] = OrderedDict()
_searched: OrderedDict[UUID, list[tuple[str, str]]] = OrderedDict()
HIGHEST = chr(0x10FFFF)
LAST = (datetime(9000, 1, 1, tzinfo=UTC), "", "")


@dataclass(frozen=True)
class Revision:
    """`number` counts changes; the stamps are what caches are kept by."""

    number: int
    products_stamp: UUID
    aliases_stamp: UUID


@dataclass(frozen=True)
class Alias:
    """What a seller prints for a product, as a person decided; `sku` None: none of ours.

    `seller_inn` is empty where the receipt names no seller; `name` is the canonical form.
    """

    seller_inn: str
    name: str
    printed: str
    sku: str | None
    learned_at: datetime
    learned_by: str


async def alias(db: Db, *, seller_inn: str | None, name: str) -> Alias | None:
    """What a line of this seller was decided to be; `name` as printed."""
    return await kit_db.fetch_one(db, Alias, ALIAS, [seller_inn or "", names.key(name)])


async def aliases(
    db: Db, *, text: str | None, after: tuple[datetime, str, str] | None, limit: int
) -> list[Alias]:
    """Learned names, the newest first; `text`: a SKU, or how the name begins.

    `after` is the place (instant, seller's INN, name) of the last one of the page before.
    """
    at, inn, name = after or LAST
    place = {"at": at, "inn": inn, "name": name, "limit": limit}
    if not text:
        return await kit_db.fetch_all(db, Alias, NEWEST, place)
    found = await kit_db.fetch_all(db, Alias, OF_PRODUCT, {**place, "sku": text.strip()})
    if found or not (key := names.key(text)):
        return found
    asked = {**place, "text": key, "after": key + HIGHEST}
    return await kit_db.fetch_all(db, Alias, BEGINNING, asked)


async def search(db: Db, text: str, *, limit: int) -> list[Product]:
    """Products to choose from: those of this SKU or GTIN, then whose names have all these words."""
    now = await revision(db)
    if now is None:
        return []
    wanted = names.plain(text).split()
    told = await _told(db, now.products_stamp)
    found = [sku for sku, words in told if all(word in words for word in wanted)][:limit]
    if not found:
        (guesses,) = (await matcher(db)).guesses([text])
        found = [one.sku for one in guesses]
    products = await products_by_sku(db, found)
    return [products[sku] for sku in found if sku in products]


async def matcher(db: Db) -> Matcher:
    """The matcher of the catalogue as this transaction sees it; one small read when unchanged.

    Kept for the process by the stamps of products and aliases: a learned alias does not make the
    products be read again. Never keep it across transactions yourself.
    """
    now = await revision(db)
    if now is None:
        return Matcher(Assortment(()), {})
    stamps = (now.products_stamp, now.aliases_stamp)
    known = _matchers.get(stamps)
    if known is None:
        # Read after the stamps: should an import commit in between, what is newer than its stamp
        # is only used until the next read of the stamps.
        known = Matcher(
            await _assortment(db, now.products_stamp),
            await _aliases(db),
            {one.brand: one.own for one in await thresholds(db) if one.own is not None},
        )
        _keep(_matchers, stamps, known)
    return known


@dataclass(frozen=True)
class BrandThresholds:
    """A brand's own thresholds, None: those everybody has; when and by whom that was said."""

    brand: str
    line: float | None
    sku: float | None
    set_at: datetime
    set_by: str

    @property
    def own(self) -> Thresholds | None:
        if self.line is None or self.sku is None:
            return None
        return Thresholds(round(self.line, 4), round(self.sku, 4))


async def thresholds(db: Db) -> list[BrandThresholds]:
    """What was said last of each brand that has, or had, thresholds of its own."""
    return await kit_db.fetch_all(db, BrandThresholds, THRESHOLDS)


async def brands(db: Db) -> list[str]:
    """Brands of the catalogue, by name."""
    return [row[0] for row in await (await db.execute(BRANDS, [MOST_BRANDS])).fetchall()]


async def verdicts(db: Db, brand: str) -> list[Verdict]:
    """What people found of this brand's lines, the newest first, at most `MOST_VERDICTS`."""
    return await kit_db.fetch_all(db, Verdict, VERDICTS, [brand, MOST_VERDICTS])


async def revision(db: Db) -> Revision | None:
    """Which catalogue this is; None before the first import."""
    return await kit_db.fetch_one(db, Revision, STAMPS)


async def products(db: Db, *, after: str | None, limit: int) -> list[Product]:
    """A page of products by SKU, those after the SKU `after`; archived ones are not shown."""
    return await kit_db.fetch_all(db, Product, PAGE, [after or "", limit])


async def products_by_sku(db: Db, skus: Sequence[str]) -> dict[str, Product]:
    """The products of these SKUs, archived ones too: past purchases still name them."""
    found = await kit_db.fetch_all(db, Product, BY_SKU, [list(skus)])
    return {product.sku: product for product in found}


async def count(db: Db) -> int:
    """How many products are not archived."""
    return int(await kit_db.fetch_value(db, COUNT))


async def _told(db: Db, stamp: UUID) -> list[tuple[str, str]]:
    """All that may be searched of each product, small letters; kept like the matcher."""
    known = _searched.get(stamp)
    if known is None:
        everything = await kit_db.fetch_all(db, Product, PRODUCTS)
        known = [
            (one.sku, names.plain(" ".join([one.sku, one.gtin or "", one.name, one.shade or ""])))
            for one in everything
        ]
        _keep(_searched, stamp, known)
    return known


async def _assortment(db: Db, stamp: UUID) -> Assortment:
    known = _assortments.get(stamp)
    if known is None:
        known = Assortment(await kit_db.fetch_all(db, Product, PRODUCTS))
        _keep(_assortments, stamp, known)
    return known


async def _aliases(db: Db) -> dict[tuple[str, str], str | None]:
    return {(row[0], _key(row[1])): row[2] for row in await (await db.execute(ALIASES)).fetchall()}


@lru_cache(maxsize=200_000)
def _key(printed: str) -> str:
    return names.key(printed)


def _keep(cache: OrderedDict[Key, Value], key: Key, value: Value) -> None:
    cache[key] = value
    while len(cache) > KEPT:
        cache.popitem(last=False)


BY_NUMBERS: LiteralString = """
SELECT sku, gtin, nm_id, ozon_sku, market_sku FROM catalog.product
WHERE sku = ANY(%(articles)s) OR gtin = ANY(%(gtins)s) OR nm_id = ANY(%(numbers)s)
   OR ozon_sku = ANY(%(numbers)s) OR market_sku = ANY(%(numbers)s)
"""


@dataclass(frozen=True)
class Skus:
    """Products by what others call them."""

    articles: frozenset[str]
    numbers: Mapping[int, str]
    gtins: Mapping[str, str]

    def of(self, *, article: str | None, number: int | None, gtin: str | None) -> str | None:
        """The SKU of a seller's article, a marketplace's number or a barcode; None: not ours."""
        if article is not None and article in self.articles:
            return article
        return self.numbers.get(number or 0) or self.gtins.get(gtin or "")


async def skus_of(
    db: Db, *, articles: Collection[str], numbers: Collection[int], gtins: Collection[str]
) -> Skus:
    """What of these names of products are the catalogue's."""
    asked = {"articles": list(articles), "numbers": list(numbers), "gtins": list(gtins)}
    rows = await (await db.execute(BY_NUMBERS, asked)).fetchall()
    return Skus(
        frozenset(row[0] for row in rows),
        {number: row[0] for row in rows for number in row[2:] if number is not None},
        {row[1]: row[0] for row in rows if row[1] is not None},
    )
