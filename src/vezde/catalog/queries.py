"""What is in the catalogue, and the matcher made of it."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import LiteralString, TypeVar
from uuid import UUID

from vezde.catalog import names
from vezde.catalog.assortment import Assortment
from vezde.catalog.matcher import Matcher
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
# By the form the printed name has today: the way names are read gets better, rows stay.
ALIASES: LiteralString = "SELECT seller_inn, printed, sku FROM catalog.alias ORDER BY learned_at"

# A process serves one database, a test run serves many in turn: the last few are kept.
KEPT = 4
Key = TypeVar("Key")
Value = TypeVar("Value")
_assortments: OrderedDict[UUID, Assortment] = OrderedDict()
_matchers: OrderedDict[tuple[UUID, UUID], Matcher] = OrderedDict()


@dataclass(frozen=True)
class Revision:
    """`number` counts changes; the stamps are what caches are kept by."""

    number: int
    products_stamp: UUID
    aliases_stamp: UUID


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
        known = Matcher(await _assortment(db, now.products_stamp), await _aliases(db))
        _keep(_matchers, stamps, known)
    return known


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
