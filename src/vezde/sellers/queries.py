"""Which INNs are the brand's own, which are known, which wait for a name."""

from dataclasses import replace
from datetime import datetime
from typing import LiteralString

from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.sellers import registry
from vezde.sellers.model import OTHER, Kind, Seller, Source, Stance

# Of the versions that had started the one published last; the first serves all earlier time.
OWN_INNS: LiteralString = """
SELECT section -> 'own_inns' FROM sellers.section
WHERE valid_from <= %(at)s OR version = (SELECT min(version) FROM sellers.section)
ORDER BY version DESC LIMIT 1
"""
NEWEST_OWN_INNS: LiteralString = """
SELECT section -> 'own_inns' FROM sellers.section ORDER BY version DESC LIMIT 1
"""
SELLER: LiteralString = """
SELECT inn, name,
    coalesce(kind, 'other') AS kind, coalesce(sales_channel, 'other') AS sales_channel,
    CASE WHEN name IS NOT NULL THEN 'label' END AS source,
    seen_name, seen_place, seen_address, first_seen_at, labelled_at, labelled_by,
    stance, stance_note, stance_at, stance_by
FROM sellers.seller
"""
ONE: LiteralString = SELLER + "WHERE inn = %s"
PAGE: LiteralString = SELLER + "WHERE inn > %(after)s ORDER BY inn LIMIT %(limit)s"
KNOWN_PAGE: LiteralString = (
    SELLER
    + """
WHERE (name IS NOT NULL OR inn = ANY(%(known)s::text[])) AND inn > %(after)s
ORDER BY inn LIMIT %(limit)s
"""
)
UNKNOWN_PAGE: LiteralString = (
    SELLER
    + """
WHERE name IS NULL AND inn <> ALL(%(known)s::text[]) AND inn > %(after)s
ORDER BY inn LIMIT %(limit)s
"""
)


STANCE_PAGE: LiteralString = (
    SELLER + "WHERE stance = %(stance)s AND inn > %(after)s ORDER BY inn LIMIT %(limit)s"
)


async def own_inns(db: Db, at: datetime) -> frozenset[str]:
    """INNs of the brand's own site and shops under the programme in force at that instant."""
    return frozenset(await kit_db.fetch_value(db, OWN_INNS, {"at": at}) or ())


async def seller(db: Db, inn: str) -> Seller | None:
    """One INN, or None when neither a receipt nor an operator, nor the registry showed it."""
    own = await _newest_own_inns(db)
    row = await kit_db.fetch_one(db, Seller, ONE, [inn])
    if row is None and inn not in own and inn not in registry.shipped().by_inn:
        return None
    return _presented(row or _unseen(inn), own)


async def sellers(
    db: Db, *, unknown: bool | None, limit: int, after_inn: str | None
) -> list[Seller]:
    """Sellers by INN, the first `limit` after `after_inn`.

    `unknown=True` are those that wait for a name, False the known ones (the brand's own, labelled,
    registered), None all.
    """
    own = await _newest_own_inns(db)
    known = sorted(own | registry.shipped().by_inn.keys())
    after = after_inn or ""
    page = {"after": after, "limit": limit, "known": known}
    if unknown:
        return await kit_db.fetch_all(db, Seller, UNKNOWN_PAGE, page)
    query = PAGE if unknown is None else KNOWN_PAGE
    found = {row.inn: row for row in await kit_db.fetch_all(db, Seller, query, page)}
    for inn in known:
        if inn > after:
            found.setdefault(inn, _unseen(inn))
    return [_presented(found[inn], own) for inn in sorted(found)[:limit]]


async def with_stance(db: Db, stance: Stance, *, limit: int, after_inn: str | None) -> list[Seller]:
    """Sellers that are trusted, watched or blocked, by INN."""
    own = await _newest_own_inns(db)
    asked = {"stance": stance, "after": after_inn or "", "limit": limit}
    return [_presented(row, own) for row in await kit_db.fetch_all(db, Seller, STANCE_PAGE, asked)]


async def _newest_own_inns(db: Db) -> frozenset[str]:
    return frozenset(await kit_db.fetch_value(db, NEWEST_OWN_INNS) or ())


def _unseen(inn: str) -> Seller:
    return Seller(inn, None, Kind.OTHER, OTHER, None, None, None, None, None, None, None)


def _presented(row: Seller, own: frozenset[str]) -> Seller:
    """The seller as `registry.name_place` would name it, of several places the usual one."""
    if row.inn in own:
        shop = Kind.OWN_SHOP.value
        name = row.name or row.seen_name
        return replace(row, name=name, kind=shop, sales_channel=shop, source=Source.OWN)
    places = registry.shipped().by_inn.get(row.inn, ())
    if row.source is not None or not places:
        return row
    usual = places[-1]
    name = " / ".join(place.name for place in reversed(places))
    return replace(
        row,
        name=name,
        kind=usual.kind.value,
        sales_channel=usual.sales_channel,
        source=Source.REGISTRY,
    )
