"""A verified document becomes a purchase and points, or an answer why not.

The one path for every way a receipt comes: from a batch, a posted document, a provider's answer.
It works lists: a few set reads, everything decided in memory, then queued writes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from vezde.catalog import queries as catalog
from vezde.catalog.matcher import Guess, Match
from vezde.catalog.matcher import Item as NamedItem
from vezde.catalog.model import Product
from vezde.kit.db import Db
from vezde.program import queries as program
from vezde.program.model import Programmes, Variant
from vezde.purchases import model as purchase
from vezde.purchases import operations as purchases
from vezde.purchases.model import LineState, Paid
from vezde.purchases.operations import Recorded
from vezde.receipts.model import FiscalDocument, FiscalLine, Reason, Status
from vezde.sellers import operations as sellers
from vezde.sellers import queries as seller_queries
from vezde.sellers.model import Place, Whereabouts

SALE = 1


@dataclass(frozen=True, slots=True)
class Item:
    """A receipt whose document is verified and whose claim is this member's for good."""

    member_id: UUID
    receipt_id: UUID
    document: FiscalDocument
    registered_at: datetime


@dataclass(frozen=True, slots=True)
class Matched:
    """What was recognised in a line: `sku` for sure, or only a `candidate`, and what it earned.

    In doubt `guesses` are the best three, the candidate first; `line_skus` are the products of
    the product line when that is certain and only the size is not, `line_score` how surely. Such
    a line has earned by the product line, unless its products earn differently.
    """

    line: int
    sku: str | None
    candidate: str | None
    method: str | None
    score: float
    points: int = 0
    active_at: datetime | None = None
    line_score: float = 0.0
    line_skus: tuple[str, ...] = ()
    guesses: tuple[Guess, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a receipt ended; `closed_receipts` are advances of the member that it settled."""

    item: Item
    status: Status
    reason: Reason | None
    place: Place
    occurred_at: datetime
    purchase_id: UUID | None = None
    matched: tuple[Matched, ...] = ()
    closed_receipts: tuple[UUID, ...] = ()

    @property
    def points(self) -> int:
        return sum(one.points for one in self.matched)


@dataclass(frozen=True, slots=True)
class _Read:
    """An item with all that is known of it before it is linked and priced."""

    item: Item
    place: Place
    occurred_at: datetime
    matches: tuple[Match, ...]


async def settle(db: Db, items: Sequence[Item], *, now: datetime, actor: str) -> list[Outcome]:
    """Decide each item, in order; the answers are in the same order.

    Raises what the domains below raise; then nothing of the batch is kept.
    """
    reads = await _read(db, items, now=now)
    good = [read for read in reads if _refusal(read.item.document) is None]
    skus = {sku for read in good for match in read.matches for sku in _skus(match)}
    products = await catalog.products_by_sku(db, sorted(skus)) if skus else {}
    documents = [document for read in good if (document := _document(read, products))]
    recorded = await purchases.record(db, documents, now=now, actor=actor)
    by_receipt = {one.receipt_id: one for one in recorded}
    return [_outcome(read, by_receipt.get(read.item.receipt_id)) for read in reads]


def _skus(match: Match) -> tuple[str, ...]:
    """The product, or the products of the line that it is one of."""
    return (match.sku,) if match.sku else match.line_skus


def _refusal(document: FiscalDocument) -> Reason | None:
    if document.correction:
        return Reason.CORRECTION
    if document.operation != SALE:
        return Reason.WRONG_OPERATION
    return None


async def _read(db: Db, items: Sequence[Item], *, now: datetime) -> list[_Read]:
    """Place, time and matches of each item, in order; a few set reads for any number."""
    if not items:
        return []
    places = await sellers.locate(db, [_whereabouts(item.document) for item in items], now=now)
    programmes = await program.programmes(db)
    own_inns = await seller_queries.own_inns(db, now)
    matcher = await catalog.matcher(db)
    lines = [(item, line) for item in items for line in item.document.lines]
    matches = matcher.match([_named(item.document, line, own_inns) for item, line in lines])
    reads = []
    start = 0
    for item, place in zip(items, places, strict=True):
        end = start + len(item.document.lines)
        reads.append(
            _Read(
                item=item,
                place=place,
                occurred_at=occurred_at(item.document.wall_time, place, programmes),
                matches=tuple(matches[start:end]),
            )
        )
        start = end
    return reads


def _whereabouts(document: FiscalDocument) -> Whereabouts:
    return Whereabouts(
        inn=document.seller_inn,
        name=document.seller_name,
        retail_place=document.retail_place,
        address=document.address,
        sender=document.sender,
        internet=document.internet,
        region=document.region,
    )


def _named(document: FiscalDocument, line: FiscalLine, own_inns: frozenset[str]) -> NamedItem:
    return NamedItem(
        name=line.name,
        gtin=line.gtin,
        seller_inn=document.seller_inn,
        own_supplier=line.provider_inn in own_inns,
        unit_kopecks=_unit_kopecks(line),
    )


def _unit_kopecks(line: FiscalLine) -> int | None:
    """What one piece cost; None of what is weighed or costs nothing."""
    pieces, rest = divmod(line.quantity_micro, 1_000_000)
    return line.sum_kopecks // pieces or None if pieces and not rest else None


def occurred_at(wall_time: datetime, place: Place | None, programmes: Programmes) -> datetime:
    """The instant of a till's wall time: in the shop's zone when known, else the programme's."""
    if place and place.timezone:
        zone = ZoneInfo(place.timezone)
    else:
        zone = programmes.at(wall_time.replace(tzinfo=UTC)).zone
    return wall_time.replace(tzinfo=zone).astimezone(UTC)


def _document(read: _Read, products: dict[str, Product]) -> purchase.Document | None:
    """The purchase's view of a document; None when no line of it matters to the brand."""
    document = read.item.document
    lines = tuple(
        _line(line, match, products)
        for line, match in zip(document.lines, read.matches, strict=True)
        if _matters(line, match)
    )
    if not lines:
        return None
    return purchase.Document(
        member_id=read.item.member_id,
        receipt_id=read.item.receipt_id,
        seller_inn=document.seller_inn,
        sales_channel=read.place.sales_channel,
        occurred_at=read.occurred_at,
        wall_time=document.wall_time,
        registered_at=read.item.registered_at,
        total_kopecks=document.total_kopecks,
        prepaid_kopecks=document.prepaid_kopecks,
        lines=lines,
        proof=_proof(read),
        place=read.place.name,
    )


def _matters(line: FiscalLine, match: Match) -> bool:
    nameless_advance = not line.name and purchase.paid(line.payment_type) is Paid.AHEAD
    return bool(match.sku or match.candidate_sku or nameless_advance)


def _line(line: FiscalLine, match: Match, products: dict[str, Product]) -> purchase.Line:
    product = products.get(match.sku) if match.sku else None
    return purchase.Line(
        line=line.line,
        sku=match.sku,
        category=product.category if product else None,
        tags=product.tags if product else (),
        goods=" ".join((line.name or "").casefold().split()),
        provider_inn=line.provider_inn,
        quantity_micro=line.quantity_micro,
        sum_kopecks=line.sum_kopecks,
        paid=purchase.paid(line.payment_type),
        product_line=product.line if product else None,
        variants=() if product else _variants([products[sku] for sku in match.line_skus]),
    )


def _variants(products: Sequence[Product]) -> tuple[Variant, ...]:
    """Products of a line, those together that only their SKU tells apart."""
    alike: dict[tuple[str | None, tuple[str, ...], str | None], list[str]] = {}
    for one in products:
        alike.setdefault((one.category, one.tags, one.line), []).append(one.sku)
    return tuple(Variant(tuple(skus), *kind) for kind, skus in alike.items())


def _proof(read: _Read) -> dict[str, object]:
    document = read.item.document
    return {
        "receipt_id": str(read.item.receipt_id),
        "seller_inn": document.seller_inn,
        "fiscal": [document.key.fn, document.key.fd, document.key.fp],
        "match": {
            str(line.line): _evidence(match)
            for line, match in zip(document.lines, read.matches, strict=True)
            if _skus(match)
        },
    }


def _evidence(match: Match) -> dict[str, object]:
    if match.sku:
        return {"method": match.method, "score": round(match.score, 3)}
    return {"method": match.method, "line_score": round(match.line_score, 3)}


def _outcome(read: _Read, recorded: Recorded | None) -> Outcome:
    status, reason = _verdict(read, recorded)
    return Outcome(
        item=read.item,
        status=status,
        reason=reason,
        place=read.place,
        occurred_at=read.occurred_at,
        purchase_id=recorded.purchase_id if recorded else None,
        matched=_matched(read, recorded),
        closed_receipts=recorded.closed_receipts if recorded else (),
    )


def _verdict(read: _Read, recorded: Recorded | None) -> tuple[Status, Reason | None]:
    if refusal := _refusal(read.item.document):
        return Status.REJECTED, refusal
    if recorded is None:
        return Status.REJECTED, Reason.NOT_OURS
    if recorded.decision and recorded.decision.refusal:
        return Status.REJECTED, Reason(recorded.decision.refusal)
    sure = {
        line.line
        for line, match in zip(read.item.document.lines, read.matches, strict=True)
        if _skus(match) and line.line not in recorded.sku_needed
    }
    states = recorded.states
    if any(states[line] is not LineState.WAITING for line in sure & states.keys()):
        return Status.ACCEPTED, None
    if LineState.EARNING in states.values():
        return Status.IN_REVIEW, Reason.DOUBTFUL_MATCH
    if LineState.WAITING in states.values():
        return Status.AWAITING_SETTLEMENT, Reason.ADVANCE
    return Status.ACCEPTED, None


def _matched(read: _Read, recorded: Recorded | None) -> tuple[Matched, ...]:
    decision = recorded.decision if recorded else None
    points: dict[int, int] = {}
    for part in decision.parts if decision else ():
        points[part.line] = points.get(part.line, 0) + part.points
    return tuple(
        Matched(
            line=line.line,
            sku=match.sku,
            candidate=None if match.sku else match.candidate_sku,
            method=match.method,
            score=round(match.score, 3),
            points=points.get(line.line, 0),
            active_at=decision.active_at if decision and points.get(line.line) else None,
            line_score=0.0 if match.sku else round(match.line_score, 3),
            line_skus=() if match.sku else match.line_skus,
            guesses=match.guesses,
        )
        for line, match in zip(read.item.document.lines, read.matches, strict=True)
        if match.sku or match.candidate_sku
    )
