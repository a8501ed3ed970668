"""Record documents into purchases and price what they settle."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Json, Jsonb

from vezde.kit import db as kit_db
from vezde.kit import ids
from vezde.kit.db import Db
from vezde.ledger import operations as ledger
from vezde.outbox import operations as outbox
from vezde.program import operations as program
from vezde.program import queries as program_queries
from vezde.program.decide import waits_for_sku
from vezde.program.model import ORDER_RECORDED, Decision, Fact, FactLine
from vezde.purchases import events
from vezde.purchases.model import (
    Book,
    Document,
    KnownLine,
    Line,
    LineState,
    Linked,
    Paid,
    link,
    needs_linking,
)
from vezde.purchases.operations import meeting, numbering, packing, reporting, taking
from vezde.purchases.operations.numbering import Numbered
from vezde.purchases.operations.taking import Nets

OPEN_LINES = """
SELECT member_id, receipt_id, line, purchase_id, seller_inn, provider_inn, goods, occurred_at,
       paid, state, open_kopecks, mark, order_number
FROM purchases.line
WHERE member_id = ANY(%s) AND seller_inn = ANY(%s) AND open_kopecks > 0
"""
ADD_PURCHASE = """
INSERT INTO purchases.purchase
    (member_id, purchase_id, seller_inn, sales_channel, opened_at, recorded_at)
VALUES (%s, %s, %s, %s, %s, %s)
"""
ADD_DOCUMENT = """
INSERT INTO purchases.document
    (member_id, receipt_id, purchase_id, sales_channel, occurred_at, wall_time, registered_at,
     recorded_at, total_kopecks, proof, order_id, fn, fd)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
# As one JSON: to unnest sixteen arrays takes the server longer than to insert what is in them.
ADD_LINES = """
INSERT INTO purchases.line
    (member_id, receipt_id, line, purchase_id, seller_inn, provider_inn, goods, occurred_at,
     paid, state, sku, quantity_micro, sum_kopecks, open_kopecks, met_kopecks,
     may_be, by_line, mark, gtin, sernum, order_number)
SELECT %s, %s, line, %s, %s, provider_inn, goods, %s, paid, state, sku, quantity_micro,
    sum_kopecks, open_kopecks, met_kopecks, may_be, by_line, mark, gtin, sernum, order_number
FROM json_to_recordset(%s) AS given (
    line int, provider_inn text, goods text, paid text, state text, sku text,
    quantity_micro bigint, sum_kopecks bigint, open_kopecks bigint, met_kopecks bigint,
    may_be text[], by_line boolean, mark text, gtin text, sernum text, order_number text)
"""
CHANGE_LINE = """
UPDATE purchases.line SET state = %s, open_kopecks = %s
WHERE member_id = %s AND receipt_id = %s AND line = %s
"""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of a document.

    `states` by line number; `decision` None when nothing in it could earn; `closed_receipts` are
    the member's advance receipts that wait for nothing any more; `sku_needed` are lines whose
    product line is known and whose points hang on the product.
    """

    receipt_id: UUID
    purchase_id: UUID
    states: dict[int, LineState]
    decision: Decision | None
    closed_receipts: tuple[UUID, ...]
    sku_needed: frozenset[int] = frozenset()


async def record(
    db: Db, documents: Sequence[Document], *, now: datetime, actor: str, held: bool = False
) -> list[Recorded]:
    """Link each document to its purchase and price what it settles; answers in the same order.

    Locks the members' accounts first, so that two documents of one purchase cannot miss each
    other; `held`: this transaction has them locked already. A document that was recorded before
    must not be given again.
    """
    if not documents:
        return []
    members = sorted({document.member_id for document in documents})
    if not held:
        await ledger.lock(db, members)
    book = await _open_lines(db, documents)
    before = set(book)
    useless = await numbering.useless(
        db, numbering.of_documents(documents) | numbering.of_book(book)
    )
    numbering.forget(book, useless)
    nets = await taking.look(db, [numbering.without(one, useless) for one in documents])
    mine = [_earning(_link(one, book, useless), nets, book) for one in documents]
    found, ground = await kit_db.together(
        db, meeting.confirm(db, mine, book), program.ground(db, members)
    )
    linked = found.linked
    facts = [fact for one in linked if (fact := _fact(one, now)) is not None]
    decisions = await program.apply(db, facts, now=now, actor=actor, on=ground)
    by_receipt = {decision.fact_id: decision for decision in decisions}
    waiting = await _sku_needed(db, facts, decisions)
    await _write(db, linked, book, before, waiting, now=now)
    await meeting.keep(db, found, now=now)
    await packing.claim(db, linked, now=now)
    await taking.settle(db, nets, now=now, actor=actor)
    await reporting.catch_up(db, **_reported(documents), of=members, now=now, actor=actor)
    return [
        Recorded(
            receipt_id=one.document.receipt_id,
            purchase_id=one.purchase_id,
            states={line.line: line.state for line in one.lines},
            decision=by_receipt.get(one.document.receipt_id),
            closed_receipts=one.closed_receipts,
            sku_needed=waiting.get(one.document.receipt_id, frozenset()),
        )
        for one in linked
    ]


def _reported(documents: Sequence[Document]) -> dict[str, set[Any]]:
    """What seller reports may have said of these documents, by marks and fiscal keys."""
    marks = {line.mark for one in documents for line in one.lines if line.mark is not None}
    fiscal = {
        (one.fn, one.fd)
        for one in documents
        if one.fn is not None and one.sales_channel in reporting.MARKETPLACES
    }
    packs = {line.pack for one in documents for line in one.lines if line.pack is not None}
    return {"marks": marks, "fiscal": fiscal, "packs": packs}


async def _sku_needed(
    db: Db, facts: Sequence[Fact], decisions: Sequence[Decision]
) -> dict[UUID, frozenset[int]]:
    """Lines of the facts that could not be priced by their product line."""
    asked = [
        (fact, decision)
        for fact, decision in zip(facts, decisions, strict=True)
        if any(line.variants for line in fact.lines)
    ]
    if not asked:
        return {}
    versions = await program_queries.programmes(db)
    return {
        fact.id: frozenset(
            line.line
            for line in fact.lines
            if waits_for_sku(versions.number(decision.version), line)
        )
        for fact, decision in asked
    }


async def _open_lines(db: Db, documents: Sequence[Document]) -> Book:
    linking = [document for document in documents if needs_linking(document)]
    if not linking:
        return {}
    members = sorted({document.member_id for document in linking})
    sellers = sorted({document.seller_inn for document in linking if document.seller_inn})
    rows = await kit_db.fetch_all(db, _LineRow, OPEN_LINES, [members, sellers])
    return {(row.member_id, row.receipt_id, row.line): row.known() for row in rows}


@dataclass(frozen=True)
class _LineRow:
    member_id: UUID
    receipt_id: UUID
    line: int
    purchase_id: UUID
    seller_inn: str | None
    provider_inn: str | None
    goods: str
    occurred_at: datetime
    paid: str
    state: str
    open_kopecks: int
    mark: str | None
    order_number: str | None

    def known(self) -> KnownLine:
        return KnownLine(
            member_id=self.member_id,
            receipt_id=self.receipt_id,
            line=self.line,
            purchase_id=self.purchase_id,
            seller_inn=self.seller_inn,
            provider_inn=self.provider_inn,
            goods=self.goods,
            occurred_at=self.occurred_at,
            paid=Paid(self.paid),
            state=LineState(self.state),
            open_kopecks=self.open_kopecks,
            mark=self.mark,
            order_number=self.order_number,
        )


def _link(document: Document, book: Book, useless: frozenset[Numbered]) -> Linked:
    """Link one document and enter what it changed, so that the next of the batch sees it.

    Numbers that say nothing are looked away from, and kept.
    """
    known = (
        [
            line
            for line in book.values()
            if line.member_id == document.member_id and line.open_kopecks > 0
        ]
        if needs_linking(document)
        else []
    )
    seen = numbering.without(document, useless)
    linked = replace(link(seen, known, new_purchase_id=ids.new()), document=document)
    for line in (*linked.lines, *linked.touched):
        book[line.member_id, line.receipt_id, line.line] = line
    return linked


def _earning(linked: Linked, nets: Nets, book: Book) -> Linked:
    """Of credits it hangs on all their documents which of them earns, whatever came first.

    A return joins the purchase that it takes from.
    """
    document = linked.document
    of = nets.sale_of(document.member_id, document.receipt_id) if linked.fresh else None
    purchase_id = of or linked.purchase_id
    lines = []
    for line in linked.lines:
        state = line.state
        if line.paid in {Paid.ON_CREDIT, Paid.CREDIT_PAYMENT}:
            earns = nets.earns(line.member_id, (line.receipt_id, line.line))
            state = LineState.EARNING if earns else LineState.COVERED
        lines.append(replace(line, state=state, purchase_id=purchase_id))
        book[line.member_id, line.receipt_id, line.line] = lines[-1]
    return replace(
        linked, lines=tuple(lines), purchase_id=purchase_id, fresh=linked.fresh and of is None
    )


def _fact(linked: Linked, now: datetime) -> Fact | None:
    """The settlement as `program` prices it; None when no line of it can earn."""
    earning = [line.line for line in linked.lines if line.state is LineState.EARNING]
    if not earning:
        return None
    left = {number: linked.met.get(number, 0) for number in earning}
    return fact_of(linked.document, purchase_id=linked.purchase_id, met=left, now=now)


def fact_of(
    document: Document, *, purchase_id: UUID, met: Mapping[int, int], now: datetime
) -> Fact:
    """A document as `program` prices it: the lines of `met`, without what is met of them.

    A quote asks with it what an order would be worth.
    """
    return Fact(
        id=document.receipt_id,
        kind=events.RECORDED if document.order_id is None else ORDER_RECORDED,
        member_id=document.member_id,
        purchase_id=purchase_id,
        occurred_at=document.occurred_at,
        wall_time=document.wall_time,
        registered_at=document.registered_at,
        recorded_at=now,
        sales_channel=document.sales_channel,
        lines=tuple(
            _fact_line(line, met[line.line]) for line in document.lines if line.line in met
        ),
        proof=document.proof,
        place=document.place,
    )


def _fact_line(line: Line, met_kopecks: int) -> FactLine:
    return FactLine(
        line=line.line,
        sku=line.sku,
        category=line.category,
        tags=line.tags,
        quantity_micro=line.quantity_micro,
        sum_kopecks=line.sum_kopecks - met_kopecks,
        decided=False,
        earnable=line.earnable,
        product_line=line.product_line,
        variants=line.variants,
    )


async def _write(
    db: Db,
    linked: Sequence[Linked],
    book: Book,
    before: set[tuple[UUID, UUID, int]],
    waiting: Mapping[UUID, frozenset[int]],
    *,
    now: datetime,
) -> None:
    await kit_db.execute_many(
        db,
        ADD_PURCHASE,
        [
            (
                one.document.member_id,
                one.purchase_id,
                one.document.seller_inn,
                one.document.sales_channel,
                one.document.occurred_at,
                now,
            )
            for one in linked
            if one.fresh
        ],
    )
    await kit_db.execute_many(db, ADD_DOCUMENT, [_document_row(one, now) for one in linked])
    await kit_db.execute_many(
        db, ADD_LINES, [_lines_row(one, book, waiting) for one in linked if one.document.lines]
    )
    changed = {
        (line.member_id, line.receipt_id, line.line) for one in linked for line in one.touched
    }
    await kit_db.execute_many(
        db,
        CHANGE_LINE,
        [(book[key].state, book[key].open_kopecks, *key) for key in sorted(changed & before)],
    )
    await outbox.record(db, [events.recorded(one, now=now) for one in linked])


def _document_row(linked: Linked, now: datetime) -> tuple[object, ...]:
    document = linked.document
    return (
        document.member_id,
        document.receipt_id,
        linked.purchase_id,
        document.sales_channel,
        document.occurred_at,
        document.wall_time,
        document.registered_at,
        now,
        document.total_kopecks,
        Jsonb(document.proof),
        document.order_id,
        document.fn,
        document.fd,
    )


def _lines_row(linked: Linked, book: Book, waiting: Mapping[UUID, frozenset[int]]) -> list[object]:
    """What a document's lines have in common, then of each what is its own."""
    document = linked.document
    sku_needed = waiting.get(document.receipt_id, frozenset())
    return [
        document.member_id,
        document.receipt_id,
        linked.purchase_id,
        document.seller_inn,
        document.occurred_at,
        Json([_line_row(linked, line, book, sku_needed) for line in document.lines]),
    ]


def _line_row(
    linked: Linked, line: Line, book: Book, sku_needed: frozenset[int]
) -> dict[str, object]:
    document = linked.document
    known = book[document.member_id, document.receipt_id, line.line]
    return {
        "line": line.line,
        "provider_inn": line.provider_inn,
        "goods": line.goods,
        "paid": line.paid.value,
        "state": known.state.value,
        "sku": line.sku,
        "quantity_micro": line.quantity_micro,
        "sum_kopecks": line.sum_kopecks,
        "open_kopecks": known.open_kopecks,
        "met_kopecks": linked.met.get(line.line, 0),
        "may_be": [sku for one in line.variants for sku in one.skus],
        "by_line": _by_line(line, known) and line.line not in sku_needed,
        "mark": line.mark,
        "gtin": line.pack.gtin if line.pack else None,
        "sernum": line.pack.serial if line.pack else None,
        "order_number": line.order_number,
    }


def _by_line(line: Line, known: KnownLine) -> bool:
    """Whether the line was to be priced though only its product line is known."""
    return bool(line.variants) and known.state is LineState.EARNING
