"""A member scans the marking code on a jar.

A scan alone proves no purchase: the code can be read on the shelf. It confirms a line of the
member's own receipt; completes an advance whose second receipt never came when a seller report
shows the pack as sold; and is worth a small bonus for a code of the brand's own, once.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import LiteralString
from uuid import NAMESPACE_URL, UUID, uuid5

from vezde.catalog import queries as catalog
from vezde.catalog.model import Product
from vezde.kit import db as kit_db
from vezde.kit import money
from vezde.kit.db import Db
from vezde.kit.errors import DomainError, Kind
from vezde.ledger import operations as ledger
from vezde.members import operations as members
from vezde.members import queries as member_queries
from vezde.program import days
from vezde.program import operations as program
from vezde.program import queries as program_queries
from vezde.program.model import PACK_SCANNED, Fact, FactLine
from vezde.purchases import marking
from vezde.purchases.marking import Pack
from vezde.purchases.model import Document, Line, Paid
from vezde.purchases.operations import packing, recording

SCAN: LiteralString = """
INSERT INTO purchases.pack AS known (gtin, sernum, member_id, how, claimed_at, scanned_at)
VALUES (%(gtin)s, %(sernum)s, %(member_id)s, 'scan', %(now)s, %(now)s)
ON CONFLICT (gtin, sernum) DO UPDATE SET
    member_id = excluded.member_id, how = 'scan', receipt_id = NULL, line = NULL,
    claimed_at = excluded.claimed_at, scanned_at = excluded.scanned_at, bonus_fact = NULL,
    released_at = NULL
WHERE known.released_at IS NOT NULL
RETURNING member_id
"""
SCANNED: LiteralString = """
UPDATE purchases.pack SET scanned_at = coalesce(scanned_at, %s)
WHERE gtin = %s AND sernum = %s
"""
BONUS: LiteralString = "UPDATE purchases.pack SET bonus_fact = %s WHERE gtin = %s AND sernum = %s"
OWN: LiteralString = "SELECT true FROM purchases.own_code WHERE gtin = %s AND sernum = %s"
# What the reports say last of a pack: sold, or back.
LAST_SAID: LiteralString = """
SELECT effect, happened_on FROM purchases.movement WHERE gtin = %s AND sernum = %s
ORDER BY happened_on DESC NULLS LAST, effect LIMIT 1
"""
WAITING: LiteralString = """
SELECT l.receipt_id, l.line, l.sum_kopecks, l.quantity_micro, l.goods, d.sales_channel,
    l.occurred_at
FROM purchases.line l
JOIN purchases.document d ON d.member_id = l.member_id AND d.receipt_id = l.receipt_id
WHERE l.member_id = %s AND l.state IN ('waiting', 'lapsed') AND l.sku = %s
ORDER BY l.quantity_micro <> 1000000, l.occurred_at, l.receipt_id, l.line LIMIT 1
"""
BONUSES_THAT_DAY: LiteralString = """
SELECT count(*) FROM purchases.pack
WHERE member_id = %s AND scanned_at >= %s AND scanned_at < %s AND bonus_fact IS NOT NULL
"""


class NotAMarkingCode(DomainError):
    """The text is no marking code of a pack."""

    code = "not_a_marking_code"
    kind = Kind.INVALID


class Outcome(StrEnum):
    """What a scan came to."""

    CONFIRMED = "confirmed"  # this very pack is on a receipt of the member
    COMPLETED = "completed"  # sold as a report says: the advance for it is bought
    OWN = "own"  # a code of the brand's own, scanned for the first time
    KNOWN = "known"  # the member has scanned it before
    TAKEN = "taken"  # another member has it
    UNKNOWN = "unknown"  # neither on a receipt nor a code of the brand's: proves nothing


@dataclass(frozen=True, slots=True)
class Scan:
    """What became of a scan: points it brought now, and the receipt that it is about."""

    outcome: Outcome
    pack: Pack
    product: Product | None
    points: int = 0
    receipt_id: UUID | None = None


@dataclass(frozen=True)
class _Waiting:
    receipt_id: UUID
    line: int
    sum_kopecks: int
    quantity_micro: int
    goods: str
    sales_channel: str
    occurred_at: datetime


async def scan(db: Db, member_id: UUID, code: str, *, now: datetime, actor: str) -> Scan:
    """A member scanned the code on a jar; the same again changes nothing.

    Raises `NotAMarkingCode`, and `MemberClosed` for a member who is gone.
    """
    pack = marking.read(code)
    if pack is None:
        raise NotAMarkingCode(
            "This is not the marking code of a pack: scan the small square code on the jar or box."
        )
    owner = await member_queries.surviving(db, member_id)
    if not await members.present(db, [owner]):
        raise await member_queries.refusal(db, owner)
    await ledger.lock(db, [owner])
    skus = await catalog.skus_of(db, articles=(), numbers=(), gtins=[pack.gtin])
    sku = skus.of(article=None, number=None, gtin=pack.gtin)
    product = (await catalog.products_by_sku(db, [sku])).get(sku) if sku else None
    known = await packing.known(db, pack)
    if known is not None and known.member_id != owner:
        await packing.dispute(db, pack, owner, None, now)
        return Scan(Outcome.TAKEN, pack, product)
    if known is not None and known.how == "receipt":
        await db.execute(SCANNED, [now, pack.gtin, pack.serial])
        return Scan(Outcome.CONFIRMED, pack, product, receipt_id=known.receipt_id)
    return await _first(db, owner, pack, product, known, now=now, actor=actor)


async def _first(
    db: Db,
    member_id: UUID,
    pack: Pack,
    product: Product | None,
    known: packing.Known | None,
    *,
    now: datetime,
    actor: str,
) -> Scan:
    """A pack that is on no receipt: sold as a report says, the brand's own, or nothing to us."""
    said = await (await db.execute(LAST_SAID, [pack.gtin, pack.serial])).fetchone()
    sold = said is not None and said[0] != "returned"
    own = await kit_db.fetch_value(db, OWN, [pack.gtin, pack.serial]) is not None
    if product is None or not (own or sold):
        return Scan(Outcome.UNKNOWN, pack, product)
    if known is None:
        asked = {"gtin": pack.gtin, "sernum": pack.serial, "member_id": member_id, "now": now}
        if await kit_db.fetch_value(db, SCAN, asked) is None:  # claimed in the same moment
            return Scan(Outcome.TAKEN, pack, product)
    if sold:
        waiting = await kit_db.fetch_one(db, _Waiting, WAITING, [member_id, product.sku])
        if waiting is not None:
            points = await _complete(db, member_id, pack, product, waiting, now=now, actor=actor)
            return Scan(Outcome.COMPLETED, pack, product, points, waiting.receipt_id)
    if known is not None or not own:
        return Scan(Outcome.KNOWN if known else Outcome.OWN, pack, product)
    points = await _bonus(db, member_id, pack, product, now=now, actor=actor)
    return Scan(Outcome.OWN, pack, product, points)


async def _complete(
    db: Db,
    member_id: UUID,
    pack: Pack,
    product: Product,
    waiting: _Waiting,
    *,
    now: datetime,
    actor: str,
) -> int:
    """The pack was sold and is in the member's hands: what its advance paid for is bought.

    It is recorded as an order is, so that a receipt of the hand-over that comes after all is met
    by it and pays nothing more.
    """
    one = waiting.sum_kopecks * money.MILLION // max(waiting.quantity_micro, money.MILLION)
    programme = (await program_queries.programmes(db)).at(waiting.occurred_at)
    document = Document(
        member_id=member_id,
        receipt_id=_fact_id(member_id, pack, "sold"),
        seller_inn=None,
        sales_channel=waiting.sales_channel,
        occurred_at=waiting.occurred_at,
        wall_time=waiting.occurred_at.astimezone(programme.zone).replace(tzinfo=None),
        registered_at=now,
        total_kopecks=one,
        prepaid_kopecks=0,
        lines=(
            Line(
                line=1,
                sku=product.sku,
                category=product.category,
                tags=product.tags,
                goods="",
                provider_inn=None,
                quantity_micro=money.MILLION,
                sum_kopecks=one,
                paid=Paid.SETTLED,
                product_line=product.line,
                pack=pack,
            ),
        ),
        proof={"receipt_id": str(waiting.receipt_id), "pack": [pack.gtin, pack.serial]},
        order_id=f"{pack.gtin}/{pack.serial}",
    )
    (recorded,) = await recording.record(db, [document], now=now, actor=actor)
    return recorded.decision.points if recorded.decision else 0


async def _bonus(
    db: Db, member_id: UUID, pack: Pack, product: Product, *, now: datetime, actor: str
) -> int:
    """The programme's bonus for a code of the brand's own, as many a day as it allows."""
    programme = (await program_queries.programmes(db)).at(now)
    rule = programme.pack_bonus
    if rule is None:
        return 0
    day = days.day_of(programme.zone, now)
    if await kit_db.fetch_value(db, BONUSES_THAT_DAY, [member_id, *day]) >= rule.per_day:
        return 0
    fact_id = _fact_id(member_id, pack, "scanned")
    fact = Fact(
        id=fact_id,
        kind=PACK_SCANNED,
        member_id=member_id,
        purchase_id=fact_id,
        occurred_at=now,
        wall_time=now.astimezone(programme.zone).replace(tzinfo=None),
        registered_at=now,
        recorded_at=now,
        sales_channel="pack",
        lines=(
            FactLine(
                line=1,
                sku=product.sku,
                category=product.category,
                tags=product.tags,
                quantity_micro=money.MILLION,
                sum_kopecks=0,
                decided=False,
                product_line=product.line,
            ),
        ),
        proof={"pack": [pack.gtin, pack.serial]},
    )
    (decision,) = await program.apply(db, [fact], now=now, actor=actor)
    if decision.points:
        await db.execute(BONUS, [fact_id, pack.gtin, pack.serial])
    return decision.points


def _fact_id(member_id: UUID, pack: Pack, what: str) -> UUID:
    return uuid5(NAMESPACE_URL, f"pack:{what}:{member_id}:{pack.gtin}:{pack.serial}")
