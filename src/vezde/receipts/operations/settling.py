"""A verified document becomes a purchase and points, or an answer why not.

The one path for every way a receipt comes: from a batch, a posted document, a provider's answer.
It works lists: a few set reads, everything decided in memory, then queued writes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import LiteralString
from uuid import UUID
from zoneinfo import ZoneInfo

from vezde.catalog import queries as catalog
from vezde.catalog.matcher import Guess, Match
from vezde.catalog.matcher import Item as NamedItem
from vezde.catalog.model import Product
from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.program import decide as program_rules
from vezde.program import queries as program
from vezde.program import records
from vezde.program.model import Decision, Programmes, Variant
from vezde.purchases import marks
from vezde.purchases import model as purchase
from vezde.purchases import operations as purchases
from vezde.purchases.marking import Pack
from vezde.purchases.model import LineState, Paid
from vezde.purchases.operations import Recorded
from vezde.receipts.model import FiscalDocument, FiscalLine, Reason, Status
from vezde.receipts.reading.slips import Slip
from vezde.receipts.signals import reading, section, seeing
from vezde.receipts.signals.model import Assessment, Shown
from vezde.sellers import operations as sellers
from vezde.sellers import queries as seller_queries
from vezde.sellers.model import Place, Stance, Whereabouts

SALE, RETURN = 1, 2
SLIPS: LiteralString = """
SELECT receipt_id, slip FROM receipts.slip
WHERE (member_id, receipt_id) IN (SELECT * FROM unnest(%s::uuid[], %s::uuid[]))
"""


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
    a line has earned by the product line, unless its products earn differently. `at_once` of the
    points do not wait for `active_at`.
    """

    line: int
    sku: str | None
    candidate: str | None
    method: str | None
    score: float
    points: int = 0
    active_at: datetime | None = None
    at_once: int = 0
    line_score: float = 0.0
    line_skus: tuple[str, ...] = ()
    guesses: tuple[Guess, ...] = ()


@dataclass(frozen=True, slots=True)
class Looked:
    """What signals saw and said of a receipt; `promised_at`: a person decides it by then."""

    shown: Shown
    assessment: Assessment
    promised_at: datetime | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a receipt ended; `closed_receipts` are advances of the member that it settled.

    `looked` is there where signals looked at it.
    """

    item: Item
    status: Status
    reason: Reason | None
    place: Place
    occurred_at: datetime
    purchase_id: UUID | None = None
    matched: tuple[Matched, ...] = ()
    closed_receipts: tuple[UUID, ...] = ()
    looked: Looked | None = None

    @property
    def points(self) -> int:
        return sum(one.points for one in self.matched)


@dataclass(frozen=True, slots=True)
class Read:
    """An item with all that is known of it before it is linked and priced.

    `in_time`: by the programme's window it was shown in time.
    """

    item: Item
    place: Place
    occurred_at: datetime
    matches: tuple[Match, ...]
    marks: Mapping[int, str] = field(default_factory=dict)
    in_time: bool = True


async def settle(
    db: Db, items: Sequence[Item], *, now: datetime, actor: str, vouched: bool = False
) -> list[Outcome]:
    """Decide each item, in order; the answers are in the same order.

    Signals look at sales of the brand's goods first, unless a person has `vouched` for them.
    Raises what the domains below raise; then nothing of the batch is kept.
    """
    reads = await read(db, items, now=now)
    good = [one for one in reads if _refusal(one) is None]
    wanted = {sku for one in good for match in one.matches for sku in skus(match)}
    products = await catalog.products_by_sku(db, sorted(wanted)) if wanted else {}
    given = {one.item.receipt_id: _document(one, products) for one in good}
    looked = {} if vouched else await _look(db, good, given, products, now=now)
    documents = [
        document
        for receipt_id, document in given.items()
        if document and not is_held(looked.get(receipt_id))
    ]
    recorded = await purchases.record(db, documents, now=now, actor=actor)
    by_receipt = {one.receipt_id: one for one in recorded}
    return [
        _outcome(one, by_receipt.get(one.item.receipt_id), looked.get(one.item.receipt_id))
        for one in reads
    ]


def is_held(looked: Looked | None) -> bool:
    """Whether it waits for a person and gives nothing until then."""
    return looked is not None and looked.assessment.held


async def _look(
    db: Db,
    reads: Sequence[Read],
    documents: Mapping[UUID, purchase.Document | None],
    products: Mapping[str, Product],
    *,
    now: datetime,
) -> dict[UUID, Looked]:
    """By receipt, what signals say of the sales among them; nothing where they are switched off."""
    shown = [
        seeing.shown(read.item.document, document, read.place, products)
        for read in reads
        if (document := documents[read.item.receipt_id])
        and read.in_time
        and seeing.is_sale(read.item.document, document)
    ]
    if not shown:
        return {}
    rules = await section.in_force(db, now)
    if rules.quarantine_at is None:
        return {}
    by = now + timedelta(hours=rules.promised_hours)
    said = await reading.look(db, rules, shown, now=now)
    return {
        one.past.receipt_id: Looked(one, answer, by if answer.held else None)
        for one, answer in zip(shown, said, strict=True)
    }


def skus(match: Match) -> tuple[str, ...]:
    """The product, or the products of the line that it is one of."""
    return (match.sku,) if match.sku else match.line_skus


def _refusal(read: Read) -> Reason | None:
    """Why a document says nothing of a purchase at all, or of none that counts."""
    if read.item.document.operation not in {SALE, RETURN}:
        return Reason.WRONG_OPERATION
    if read.item.document.operation == SALE and read.place.stance == Stance.BLOCKED:
        return Reason.SELLER_BLOCKED
    return None


async def read(db: Db, items: Sequence[Item], *, now: datetime) -> list[Read]:
    """Place, time and matches of each item, in order; a few set reads for any number."""
    if not items:
        return []
    places, programmes, own_inns, matcher, slips = await kit_db.together(
        db,
        sellers.locate(db, [_whereabouts(item.document) for item in items], now=now),
        program.programmes(db),
        seller_queries.own_inns(db, now),
        catalog.matcher(db),
        _slips(db, items),
    )
    lines = [(item, line) for item in items for line in item.document.lines]
    matches = matcher.match([_named(item.document, line, own_inns) for item, line in lines])
    reads = []
    start = 0
    for item, place in zip(items, places, strict=True):
        end = start + len(item.document.lines)
        at = occurred_at(item.document.wall_time, place, programmes)
        late = program_rules.window_refusal(
            programmes.at(at), occurred_at=at, registered_at=item.registered_at
        )
        of_marketplace = place.sales_channel in purchases.MARKETPLACES
        printed = slips.get(item.receipt_id, {}) if of_marketplace else {}
        reads.append(
            Read(
                item=item,
                place=place,
                occurred_at=at,
                matches=tuple(matches[start:end]),
                marks=printed,
                in_time=late is None,
            )
        )
        start = end
    return reads


async def _slips(db: Db, items: Sequence[Item]) -> dict[UUID, dict[int, str]]:
    """Marks of orders by line, as the e-receipts of these documents print them."""
    asked = [[item.member_id for item in items], [item.receipt_id for item in items]]
    rows = await (await db.execute(SLIPS, asked)).fetchall()
    documents = {item.receipt_id: item.document for item in items}
    return {
        receipt_id: _marked(documents[receipt_id], Slip.from_json(slip))
        for receipt_id, slip in rows
    }


def _marked(document: FiscalDocument, slip: Slip) -> dict[int, str]:
    """Which of the document's lines are the slip's: by sum and quantity, in their order."""
    found: dict[int, str] = {}
    for printed in slip.lines:
        mark = marks.read(printed.mark)
        same = (
            line.line
            for line in document.lines
            if line.line not in found
            and line.sum_kopecks == printed.sum_kopecks
            and line.quantity_micro == printed.quantity_micro
            and _folded(line.name) == _folded(printed.name)
        )
        if mark is not None and (line := next(same, None)) is not None:
            found[line] = mark
    return found


def _folded(name: str | None) -> str:
    return " ".join((name or "").casefold().split())


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


def _document(read: Read, products: dict[str, Product]) -> purchase.Document | None:
    """The purchase's view of a document; None when no line of it matters to the brand."""
    document = read.item.document
    ours = lines(read, products)
    if not ours:
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
        lines=ours,
        proof=_proof(read),
        place=read.place.name,
        fn=document.key.fn,
        fd=document.key.fd,
    )


def lines(read: Read, products: dict[str, Product]) -> tuple[purchase.Line, ...]:
    """The lines that matter to the brand."""
    document = read.item.document
    return tuple(
        _line(read, line, match, products)
        for line, match in zip(document.lines, read.matches, strict=True)
        if _matters(document, line, match)
    )


def _matters(document: FiscalDocument, line: FiscalLine, match: Match) -> bool:
    nameless_advance = not line.name and _paid(document, line) is Paid.AHEAD
    return bool(match.sku or match.candidate_sku or nameless_advance)


def _paid(document: FiscalDocument, line: FiscalLine) -> Paid:
    return purchase.paid(
        line.payment_type,
        is_return=document.operation == RETURN,
        is_correction=document.correction,
    )


def _line(
    read: Read, line: FiscalLine, match: Match, products: dict[str, Product]
) -> purchase.Line:
    document = read.item.document
    product = products.get(match.sku) if match.sku else None
    return purchase.Line(
        line=line.line,
        sku=match.sku,
        category=product.category if product else None,
        tags=product.tags if product else (),
        goods=_folded(line.name),
        provider_inn=line.provider_inn,
        quantity_micro=line.quantity_micro,
        sum_kopecks=line.sum_kopecks,
        paid=_paid(document, line),
        mark=line.mark or read.marks.get(line.line),
        order_number=line.order_number,
        pack=Pack(line.gtin, line.serial) if line.gtin and line.serial else None,
        product_line=product.line if product else None,
        variants=() if product else variants([products[sku] for sku in match.line_skus]),
    )


def variants(products: Sequence[Product]) -> tuple[Variant, ...]:
    """Products of a line, those together that only their SKU tells apart."""
    alike: dict[tuple[str | None, tuple[str, ...], str | None], list[str]] = {}
    for one in products:
        alike.setdefault((one.category, one.tags, one.line), []).append(one.sku)
    return tuple(Variant(tuple(skus), *kind) for kind, skus in alike.items())


def _proof(read: Read) -> dict[str, object]:
    document = read.item.document
    return {
        "receipt_id": str(read.item.receipt_id),
        "seller_inn": document.seller_inn,
        "fiscal": [document.key.fn, document.key.fd, document.key.fp],
        "match": {
            str(line.line): evidence(match)
            for line, match in zip(document.lines, read.matches, strict=True)
            if skus(match)
        },
    }


def evidence(match: Match) -> dict[str, object]:
    """How a line was recognised, for the proof: as its product, or only as its product line."""
    if match.sku:
        return {"method": match.method, "score": round(match.score, 3)}
    return {"method": match.method, "line_score": round(match.line_score, 3)}


def _outcome(read: Read, recorded: Recorded | None, looked: Looked | None) -> Outcome:
    held = Status.IN_REVIEW, Reason.QUARANTINED
    status, reason = held if is_held(looked) else _verdict(read, recorded)
    return Outcome(
        item=read.item,
        status=status,
        reason=reason,
        place=read.place,
        occurred_at=read.occurred_at,
        purchase_id=recorded.purchase_id if recorded else None,
        matched=_matched(read, recorded),
        closed_receipts=recorded.closed_receipts if recorded else (),
        looked=looked,
    )


def _verdict(read: Read, recorded: Recorded | None) -> tuple[Status, Reason | None]:
    document = read.item.document
    if refusal := _refusal(read):
        return Status.REJECTED, refusal
    if document.correction and document.operation == SALE:
        return Status.REJECTED, Reason.CORRECTION
    if recorded is None:
        return Status.REJECTED, Reason.CORRECTION if document.correction else Reason.NOT_OURS
    if document.operation == RETURN:
        return Status.ACCEPTED, Reason.RETURNED
    if recorded.decision and recorded.decision.refusal:
        return Status.REJECTED, Reason(recorded.decision.refusal)
    sure = {
        line.line
        for line, match in zip(read.item.document.lines, read.matches, strict=True)
        if skus(match) and line.line not in recorded.sku_needed
    }
    states = recorded.states
    if any(states[line] is not LineState.WAITING for line in sure & states.keys()):
        return Status.ACCEPTED, None
    if LineState.EARNING in states.values():
        return Status.IN_REVIEW, Reason.DOUBTFUL_MATCH
    if LineState.WAITING in states.values():
        return Status.AWAITING_SETTLEMENT, Reason.ADVANCE
    return Status.ACCEPTED, None


def _matched(read: Read, recorded: Recorded | None) -> tuple[Matched, ...]:
    decision = recorded.decision if recorded else None
    points: dict[int, int] = {}
    for part in decision.parts if decision else ():
        points[part.line] = points.get(part.line, 0) + part.points
    at_once = of_line(decision)
    return tuple(
        replace(
            matched(line.line, match),
            points=points.get(line.line, 0),
            active_at=decision.active_at if decision and points.get(line.line) else None,
            at_once=at_once.get(line.line, 0),
        )
        for line, match in zip(read.item.document.lines, read.matches, strict=True)
        if match.sku or match.candidate_sku
    )


def matched(line: int, match: Match) -> Matched:
    """What was recognised in a line, before any points."""
    return Matched(
        line=line,
        sku=match.sku,
        candidate=None if match.sku else match.candidate_sku,
        method=match.method,
        score=round(match.score, 3),
        line_score=0.0 if match.sku else round(match.line_score, 3),
        line_skus=() if match.sku else match.line_skus,
        guesses=match.guesses,
    )


def of_line(decision: Decision | None) -> dict[int, int]:
    """Points of each line that do not wait."""
    found: dict[int, int] = {}
    for given in records.given(decision) if decision and decision.at_once else ():
        for part in given.parts if given.active_at is None else ():
            found[part.line] = found.get(part.line, 0) + part.points
    return found
