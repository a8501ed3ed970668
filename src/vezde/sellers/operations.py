"""Name the places of a batch of receipts; keep what operators and the programme say of sellers."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, LiteralString

from psycopg.types.json import Jsonb

from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.kit.errors import DomainError, FieldError
from vezde.kit.errors import Kind as ErrorKind
from vezde.outbox import operations as outbox
from vezde.sellers import events, model, queries, regions, registry
from vezde.sellers.model import Kind, Place, Seller, Stance, Whereabouts
from vezde.sellers.registry import Label
from vezde.sellers.section import SellersSection

LABELS: LiteralString = """
SELECT inn, stance, name, kind, sales_channel FROM sellers.seller WHERE inn = ANY(%s)
"""
# In INN order, so that two batches that meet the same newcomers never wait for each other.
REMEMBER: LiteralString = """
INSERT INTO sellers.seller (inn, seen_name, seen_place, seen_address, first_seen_at)
SELECT inn, seen_name, seen_place, seen_address, %(now)s
FROM unnest(%(inns)s::text[], %(names)s::text[], %(places)s::text[], %(addresses)s::text[])
    AS seen (inn, seen_name, seen_place, seen_address)
ORDER BY inn
ON CONFLICT (inn) DO NOTHING
"""
LABEL: LiteralString = """
INSERT INTO sellers.seller (inn, name, kind, sales_channel, labelled_at, labelled_by)
VALUES (%(inn)s, %(name)s, %(kind)s, %(sales_channel)s, %(now)s, %(actor)s)
ON CONFLICT (inn) DO UPDATE SET name = EXCLUDED.name, kind = EXCLUDED.kind,
    sales_channel = EXCLUDED.sales_channel, labelled_at = EXCLUDED.labelled_at,
    labelled_by = EXCLUDED.labelled_by
WHERE (seller.name, seller.kind, seller.sales_channel)
    IS DISTINCT FROM (EXCLUDED.name, EXCLUDED.kind, EXCLUDED.sales_channel)
RETURNING inn
"""
STANCE: LiteralString = "SELECT stance FROM sellers.seller WHERE inn = %s FOR UPDATE"
JUDGE: LiteralString = """
INSERT INTO sellers.seller (inn, stance, stance_note, stance_at, stance_by)
VALUES (%(inn)s, %(stance)s, %(note)s, %(now)s, %(actor)s)
ON CONFLICT (inn) DO UPDATE SET stance = EXCLUDED.stance, stance_note = EXCLUDED.stance_note,
    stance_at = EXCLUDED.stance_at, stance_by = EXCLUDED.stance_by
"""
SEEN: LiteralString = "SELECT 1 FROM sellers.seller WHERE inn = %s"
INSTALL: LiteralString = """
INSERT INTO sellers.section (version, valid_from, section) VALUES (%s, %s, %s)
"""
NAME_LIMIT, NOTE_LIMIT = 200, 500
TEXT_LIMIT = 300  # longer than any tag of a receipt but the address


class SellerInvalid(DomainError):
    """The label does not say what the seller is; `errors` name the fields."""

    code = "invalid"
    kind = ErrorKind.INVALID


class SellerMissing(DomainError):
    code = "seller_not_found"
    kind = ErrorKind.MISSING


class OwnSeller(DomainError):
    """The programme says already what this INN is."""

    code = "own_inn"
    kind = ErrorKind.CONFLICT


async def locate(db: Db, seen: Sequence[Whereabouts], *, now: datetime) -> list[Place]:
    """The place of each receipt, in the same order; unknown INNs are remembered for naming.

    Two reads for any number of receipts, then at most one insert. Own shops are those of the
    programme in force at `now`.
    """
    inns = sorted({inn for one in seen if (inn := model.clean_inn(one.inn))})
    own = await queries.own_inns(db, now)
    rows = await (await db.execute(LABELS, [inns])).fetchall()
    labels = {row[0]: Label(*row[2:]) for row in rows if row[2] is not None}
    stances = {row[0]: row[1] for row in rows if row[1] is not None}
    places = [_place(one, own, labels, stances) for one in seen]
    await _remember(db, seen, places, remembered={row[0] for row in rows}, now=now)
    return places


def _place(
    seen: Whereabouts, own: frozenset[str], labels: Mapping[str, Label], stances: Mapping[str, str]
) -> Place:
    inn = model.clean_inn(seen.inn) or ""
    subject, timezone = regions.locate(seen.address, region=None if seen.internet else seen.region)
    place = registry.name_place(
        registry.shipped(), seen, own=own, label=labels.get(inn), timezone=timezone
    )
    return replace(place, subject=subject, stance=stances.get(inn))


async def _remember(
    db: Db,
    seen: Sequence[Whereabouts],
    places: Sequence[Place],
    *,
    remembered: set[str],
    now: datetime,
) -> None:
    new = {
        place.inn: one
        for one, place in zip(seen, places, strict=True)
        if place.inn and not place.known and place.inn not in remembered
    }
    if not new:
        return
    told = {
        "inns": list(new),
        "names": [_short(one.name) for one in new.values()],
        "places": [_short(one.retail_place) for one in new.values()],
        "addresses": [_short(one.address) for one in new.values()],
        "now": now,
    }
    await db.execute(REMEMBER, told)


def _short(text: str | None) -> str | None:
    return (text or "").strip()[:TEXT_LIMIT] or None


async def label(
    db: Db, inn: str, *, name: str, kind: str, sales_channel: str, now: datetime, actor: str
) -> Seller:
    """Say what an INN is, from now on and, by the fact it records, for receipts of the past.

    The same label again changes nothing and records no fact (`labelled_at` stays). An INN whose
    check digits do not fit is taken only when a receipt showed it. Raises `SellerInvalid` and, for
    an INN of the programme's `sellers.own_inns`, `OwnSeller`.
    """
    cleaned, name = model.clean_inn(inn), name.strip()
    await _check_label(db, inn, name=name, kind=kind, sales_channel=sales_channel)
    assert cleaned is not None, "_check_label refuses anything else"
    if cleaned in await queries.own_inns(db, now):
        raise OwnSeller(
            f"{cleaned} is the brand's own: it stands in the programme's sellers.own_inns. "
            "Take it out there and publish before giving it another name."
        )
    told = {"inn": cleaned, "name": name, "kind": kind, "sales_channel": sales_channel}
    changed = await kit_db.fetch_value(db, LABEL, {**told, "now": now, "actor": actor})
    if changed is not None:
        fact = events.labelled(cleaned, kind=kind, sales_channel=sales_channel, now=now)
        await outbox.record(db, [fact])
    seller = await queries.seller(db, cleaned)
    assert seller is not None, "the row was written or found in this transaction"
    return seller


async def judge(
    db: Db, inn: str, *, stance: Stance | None, note: str, now: datetime, actor: str
) -> Seller:
    """Trust, watch or block a seller from now on, or nothing of it (None); `note` says why.

    What was decided before stays. The same again changes nothing and records no fact. Raises
    `SellerInvalid`, `SellerMissing` and, for an INN of the programme's own, `OwnSeller`.
    """
    cleaned, note = model.clean_inn(inn), note.strip()
    errors = await _inn_errors(db, inn)
    if len(note) > NOTE_LIMIT or not note.isprintable():
        detail = f"Say why in a line of up to {NOTE_LIMIT} characters."
        errors.append(FieldError("note", "wrong_length", detail))
    if errors:
        raise SellerInvalid("Nothing was changed: " + errors[0].detail, errors=(*errors,))
    assert cleaned is not None, "_inn_errors refuses anything else"
    if stance is not None and cleaned in await queries.own_inns(db, now):
        raise OwnSeller(
            f"{cleaned} is the brand's own: it stands in the programme's sellers.own_inns, and "
            "its receipts are sound by that."
        )
    before = await kit_db.fetch_value(db, STANCE, [cleaned])
    if before != stance:
        told = {"inn": cleaned, "stance": stance, "note": note or None}
        await db.execute(JUDGE, {**told, "now": now, "actor": actor})
        fact = events.judged(cleaned, before=before, after=stance, now=now)
        await outbox.record(db, [fact])
    seller = await queries.seller(db, cleaned)
    if seller is None:
        raise SellerMissing("No receipt has shown this seller, and nothing was said of it before.")
    return seller


async def _inn_errors(db: Db, inn: str) -> list[FieldError]:
    cleaned = model.clean_inn(inn)
    if cleaned is None:
        detail = "An INN is 10 digits of a company or 12 of a person."
    elif not model.is_inn(cleaned) and not await kit_db.fetch_value(db, SEEN, [cleaned]):
        detail = "The check digits do not fit; look for a mistyped digit."
    else:
        return []
    return [FieldError("inn", "not_an_inn", detail)]


async def _check_label(db: Db, inn: str, *, name: str, kind: str, sales_channel: str) -> None:
    errors = await _inn_errors(db, inn)
    if not 0 < len(name) <= NAME_LIMIT or not name.isprintable():
        detail = f"Give the name members know the place by, up to {NAME_LIMIT} characters, a line."
        errors.append(FieldError("name", "wrong_length", detail))
    if kind not in {one.value for one in Kind}:
        detail = "One of " + ", ".join(one.value for one in Kind) + "."
        errors.append(FieldError("kind", "unknown_kind", detail))
    if not model.SALES_CHANNEL.fullmatch(sales_channel):
        detail = "2 to 32 small Latin letters, digits and _, a letter first, like own_shop."
        errors.append(FieldError("sales_channel", "not_a_channel", detail))
    if errors:
        raise SellerInvalid("The seller was not labelled: " + errors[0].detail, errors=(*errors,))


async def install_section(
    db: Db, section: dict[str, Any], *, version: int, valid_from: datetime
) -> None:
    """Keep the section `sellers` of a version just published; raises pydantic's ValidationError."""
    checked = SellersSection.model_validate(section)
    row = [version, valid_from, Jsonb(checked.model_dump(mode="json"))]
    await db.execute(INSTALL, row)
