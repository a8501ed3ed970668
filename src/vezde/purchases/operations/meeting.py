"""Orders and receipts that speak of the same goods are found and kept, so that those earn once."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.outbox import operations as outbox
from vezde.program import queries as program
from vezde.program.records import Decided
from vezde.purchases import events, orders
from vezde.purchases.model import Book, Document, LineState, Linked, is_of_document
from vezde.purchases.orders import Goods, Met

# Few members have orders: OFFSET keeps a plan made while lines were few from reading all of them.
OF_ORDERS: LiteralString = """
SELECT l.member_id, l.document_id, l.line, d.purchase_id, d.sales_channel, l.sku,
    l.may_be, l.occurred_at, l.sum_kopecks, l.met_kopecks, l.state
FROM purchases.document d
CROSS JOIN LATERAL (
    SELECT line.member_id, line.receipt_id AS document_id, line.line, line.sku, line.may_be,
        line.occurred_at, line.sum_kopecks, line.met_kopecks, line.state
    FROM purchases.line
    WHERE line.member_id = d.member_id AND line.receipt_id = d.receipt_id
    OFFSET 0
) AS l
WHERE d.member_id = ANY(%s) AND d.order_id IS NOT NULL
  AND l.sku = ANY(%s) AND l.met_kopecks < l.sum_kopecks
"""
OF_RECEIPTS: LiteralString = """
SELECT l.member_id, l.receipt_id AS document_id, l.line, d.purchase_id, d.sales_channel, l.sku,
    l.may_be, l.occurred_at, l.sum_kopecks, l.met_kopecks, l.state
FROM purchases.line l
JOIN purchases.document d ON d.member_id = l.member_id AND d.receipt_id = l.receipt_id
WHERE l.member_id = %(member_id)s AND l.met_kopecks < l.sum_kopecks
  AND (l.sku = ANY(%(skus)s) OR l.sku IS NULL AND l.may_be && %(skus)s::text[])
  AND l.state IN ('earning', 'waiting') AND d.order_id IS NULL
"""
TAKE: LiteralString = """
UPDATE purchases.line SET met_kopecks = met_kopecks + %s
WHERE member_id = %s AND receipt_id = %s AND line = %s
"""
ADD: LiteralString = """
INSERT INTO purchases.meeting (member_id, order_ref, order_line, receipt_id, receipt_line, kopecks,
    fact_id, points, met_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
CLOSE_ADVANCE: LiteralString = """
UPDATE purchases.line SET state = 'closed', open_kopecks = 0
WHERE member_id = %s AND receipt_id = %s AND line = %s AND state IN ('waiting', 'lapsed')
"""
STILL_WAITING: LiteralString = """
SELECT DISTINCT l.receipt_id FROM purchases.line l
WHERE l.member_id = %s AND l.receipt_id = ANY(%s) AND l.state = 'waiting'
"""


@dataclass(frozen=True)
class Meeting:
    """A met pair as it is kept; `fact_id` priced the receipt's line before the order came."""

    member_id: UUID
    met: Met
    fact_id: UUID | None = None
    points: int = 0


@dataclass(frozen=True)
class _Row:
    member_id: UUID
    document_id: UUID
    line: int
    purchase_id: UUID
    sales_channel: str
    sku: str | None
    may_be: list[str]
    occurred_at: datetime
    sum_kopecks: int
    met_kopecks: int
    state: str

    def goods(self, *, of_order: bool, taken: int = 0) -> Goods:
        return Goods(
            self.document_id,
            self.line,
            self.purchase_id,
            of_order,
            self.sales_channel,
            frozenset([self.sku] if self.sku is not None else self.may_be),
            self.occurred_at,
            self.sum_kopecks,
            self.sum_kopecks - self.met_kopecks - taken,
        )


@dataclass(frozen=True)
class Confirmed:
    """Documents with what is `met` in them, and what is to be written once they are.

    `advances` are, by order, lines of advance receipts that wait for nothing more.
    """

    linked: list[Linked]
    meetings: list[Meeting]
    advances: list[tuple[Document, list[Goods]]]


async def confirm(db: Db, linked: Sequence[Linked], book: Book) -> Confirmed:
    """What of the documents was priced before under an order's or a receipt's name.

    Enters the states of what is covered in the book. Accounts are locked.
    """
    receipts = [one for one in linked if one.document.order_id is None]
    rows = await _order_lines(db, receipts) if receipts else []
    taken: dict[tuple[UUID, int], int] = {}
    found = Confirmed([], [], [])
    for one in linked:
        if one.document.order_id is None:
            _confirm_receipt(one, rows, taken, book, found)
        else:
            await _confirm_order(db, one, book, found)
    return found


async def of_lines(
    db: Db, member_id: UUID, goods: Sequence[Goods]
) -> tuple[dict[int, int], list[Meeting]]:
    """Lines of a receipt recognised later: by line, what of them an order was priced for."""
    if not goods:
        return {}, []
    skus = sorted({sku for one in goods for sku in one.skus})
    rows = await kit_db.fetch_all(db, _Row, OF_ORDERS, [[member_id], skus])
    met = orders.meet(goods, [row.goods(of_order=True) for row in rows])
    return _by_line(met), [Meeting(member_id, one) for one in met]


async def keep(db: Db, found: Confirmed, *, now: datetime) -> None:
    """Write what was confirmed; the documents' lines stand written."""
    await keep_meetings(db, found.meetings, now=now)
    for document, advances in found.advances:
        await _settle_advances(db, document, advances, now=now)


async def keep_meetings(db: Db, meetings: Sequence[Meeting], *, now: datetime) -> None:
    """Write the pairs, and at the other document's lines what is taken of them."""
    await kit_db.execute_many(
        db,
        TAKE,
        [
            (one.met.kopecks, one.member_id, one.met.other.document_id, one.met.other.line)
            for one in meetings
        ],
    )
    rows = [
        (
            one.member_id,
            one.met.order.document_id,
            one.met.order.line,
            one.met.receipt.document_id,
            one.met.receipt.line,
            one.met.kopecks,
            one.fact_id,
            one.points,
            now,
        )
        for one in meetings
    ]
    await kit_db.execute_many(db, ADD, rows)


async def _settle_advances(
    db: Db, document: Document, advances: Sequence[Goods], *, now: datetime
) -> None:
    member_id = document.member_id
    await kit_db.execute_many(
        db, CLOSE_ADVANCE, [(member_id, one.document_id, one.line) for one in advances]
    )
    receipts = sorted({one.document_id for one in advances})
    waiting = await (await db.execute(STILL_WAITING, [member_id, receipts])).fetchall()
    done = [one for one in receipts if (one,) not in waiting]
    await outbox.record(db, [events.advance_settled(document, one, now=now) for one in done])


async def _order_lines(db: Db, linked: Sequence[Linked]) -> list[_Row]:
    skus = {sku for one in linked for line in one.document.lines for sku in line.skus}
    if not skus:
        return []
    members = {one.document.member_id for one in linked}
    return await kit_db.fetch_all(db, _Row, OF_ORDERS, [sorted(members), sorted(skus)])


def _confirm_receipt(
    linked: Linked,
    rows: Sequence[_Row],
    taken: dict[tuple[UUID, int], int],
    book: Book,
    found: Confirmed,
) -> None:
    member_id = linked.document.member_id
    others = [
        row.goods(of_order=True, taken=taken.get((row.document_id, row.line), 0))
        for row in rows
        if row.member_id == member_id
    ]
    met = orders.meet(_goods(linked, LineState.EARNING), others)
    for one in met:
        key = one.other.document_id, one.other.line
        taken[key] = taken.get(key, 0) + one.kopecks
    # An advance earns nothing itself: it only waits no longer, and takes nothing of the order.
    ahead = orders.meet(_goods(linked, LineState.WAITING), others)
    sums = {line.line: line.sum_kopecks for line in linked.document.lines}
    closed = {line for line, kopecks in _by_line(ahead).items() if kopecks == sums[line]}
    found.linked.append(_entered(linked, (*met, *ahead), _by_line(met), closed, book))
    found.meetings.extend(Meeting(member_id, one) for one in met)


async def _confirm_order(db: Db, linked: Linked, book: Book, found: Confirmed) -> None:
    member_id = linked.document.member_id
    mine = _goods(linked, LineState.EARNING)
    asked = {"member_id": member_id, "skus": sorted({sku for one in mine for sku in one.skus})}
    rows = await kit_db.fetch_all(db, _Row, OF_RECEIPTS, asked)
    met = orders.meet(mine, _in_state(rows, LineState.EARNING))
    ahead = orders.meet(mine, _in_state(rows, LineState.WAITING))
    advances = [one.other for one in ahead if one.kopecks == one.other.sum_kopecks]
    if advances:
        found.advances.append((linked.document, advances))
    meetings = await _earned_before(db, member_id, met) if met else []
    covering = [one.met for one in meetings if one.fact_id is not None]
    found.linked.append(_entered(linked, (*met, *ahead), _by_line(covering), set(), book))
    found.meetings.extend(meetings)


def _in_state(rows: Sequence[_Row], state: LineState) -> list[Goods]:
    return [row.goods(of_order=False) for row in rows if row.state == state]


async def _earned_before(db: Db, member_id: UUID, met: Sequence[Met]) -> list[Meeting]:
    """The pairs with what the receipts brought.

    A pair whose receipt was refused has no fact: the order is priced as if there were none.
    """
    decided = [
        one
        for purchase_id in sorted({one.receipt.purchase_id for one in met})
        for one in await program.purchase_decisions(db, member_id, purchase_id)
    ]
    before: dict[tuple[UUID, int], int] = {}
    meetings = []
    for one in met:
        receipt = one.receipt
        key = receipt.document_id, receipt.line
        done = before.get(key, receipt.sum_kopecks - receipt.free_kopecks)
        before[key] = done + one.kopecks
        priced = _priced(receipt, decided)
        if priced is None:
            meetings.append(Meeting(member_id, one))
            continue
        points = sum(part.points for part in priced.decision.parts if part.line == receipt.line)
        share = orders.share(
            points, sum_kopecks=receipt.sum_kopecks, before=done, kopecks=one.kopecks
        )
        meetings.append(Meeting(member_id, one, priced.fact.id, share))
    return meetings


def _priced(receipt: Goods, decided: Sequence[Decided]) -> Decided | None:
    """The decision that priced a receipt's line; None when all of it was refused."""
    for one in reversed(decided):  # what was taken back and decided anew counts as it is now
        lines = [line.line for line in one.fact.lines if not line.decided]
        if receipt.line not in lines or one.decision.refusal is not None:
            continue
        if is_of_document(one.fact.id, receipt.document_id, lines):
            return one
    return None


def _entered(
    linked: Linked, pairs: Sequence[Met], met: dict[int, int], closed: set[int], book: Book
) -> Linked:
    """The document with what is met in it, in the counterpart's purchase if it had none itself."""
    if not pairs:
        return linked
    sums = {line.line: line.sum_kopecks for line in linked.document.lines}
    purchase_id = pairs[0].other.purchase_id if linked.fresh else linked.purchase_id
    lines = []
    for known in linked.lines:
        line = replace(known, purchase_id=purchase_id)
        if line.line in closed:
            line = replace(line, state=LineState.CLOSED, open_kopecks=0)
        elif met.get(line.line) == sums[line.line]:
            line = replace(line, state=LineState.COVERED)
        book[line.member_id, line.receipt_id, line.line] = line
        lines.append(line)
    return replace(linked, purchase_id=purchase_id, fresh=False, lines=tuple(lines), met=met)


def _by_line(met: Sequence[Met]) -> dict[int, int]:
    found: dict[int, int] = {}
    for one in met:
        found[one.mine.line] = found.get(one.mine.line, 0) + one.kopecks
    return found


def _goods(linked: Linked, state: LineState) -> list[Goods]:
    """The document's recognised lines in that state as goods nobody accounts for yet."""
    document = linked.document
    states = {line.line: line.state for line in linked.lines}
    return [
        Goods(
            document.receipt_id,
            line.line,
            linked.purchase_id,
            document.order_id is not None,
            document.sales_channel,
            frozenset(line.skus),
            document.occurred_at,
            line.sum_kopecks,
            line.sum_kopecks,
        )
        for line in document.lines
        if line.skus and line.sum_kopecks > 0 and states[line.line] is state
    ]
