"""Price lines that were recognised after their document; put purchases under another channel."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.ledger import operations as ledger
from vezde.outbox import operations as outbox
from vezde.program import operations as program
from vezde.program import queries as program_queries
from vezde.program.decide import waits_for_sku
from vezde.program.model import Decision, Fact, FactLine, Variant
from vezde.purchases import events
from vezde.purchases.model import Line, LineState, Paid, first_state, recognised_id
from vezde.purchases.operations import meeting, taking
from vezde.purchases.orders import Goods

DOCUMENT = """
SELECT purchase_id, sales_channel, occurred_at, wall_time, registered_at, proof
FROM purchases.document WHERE member_id = %s AND receipt_id = %s
"""
DOCUMENT_LINES = """
SELECT line, sku, quantity_micro, sum_kopecks, met_kopecks, by_line, state
FROM purchases.line WHERE member_id = %s AND receipt_id = %s ORDER BY line
"""
NAME_LINE = """
UPDATE purchases.line SET sku = %(sku)s, may_be = %(may_be)s, by_line = by_line OR %(by_line)s,
    met_kopecks = met_kopecks + %(met)s,
    state = CASE WHEN met_kopecks + %(met)s = sum_kopecks AND %(met)s > 0
        THEN 'covered' ELSE state END
WHERE member_id = %(member_id)s AND receipt_id = %(receipt_id)s AND line = %(line)s
"""


@dataclass(frozen=True)
class Recognised:
    """A line that got its product later, or only `variants`, the products of its product line;
    `evidence` says how, for the proof.
    """

    line: int
    sku: str | None
    category: str | None
    tags: tuple[str, ...]
    evidence: dict[str, object]
    product_line: str | None = None
    variants: tuple[Variant, ...] = ()

    @property
    def skus(self) -> tuple[str, ...]:
        if self.sku is not None:
            return (self.sku,)
        return tuple(sku for one in self.variants for sku in one.skus)


@dataclass(frozen=True)
class _DocumentRow:
    purchase_id: UUID
    sales_channel: str
    occurred_at: datetime
    wall_time: datetime
    registered_at: datetime
    proof: dict[str, object]


@dataclass(frozen=True)
class _DocumentLine:
    line: int
    sku: str | None
    quantity_micro: int
    sum_kopecks: int
    met_kopecks: int
    by_line: bool
    state: str


async def recognise(
    db: Db,
    member_id: UUID,
    receipt_id: UUID,
    recognised: Sequence[Recognised],
    *,
    turn: int = 0,
    now: datetime,
    actor: str,
) -> Decision | None:
    """Price lines recognised after their document was recorded, alone, under its own day.

    Lines decided before never change; a line that waits or is covered, by a shop's order too, or
    was priced by its product line, gets its product and earns nothing. `turn` is above 0 for a line
    whose product was taken away before (`retract`). Returns None when nothing could earn.
    """
    await ledger.lock(db, [member_id])
    document = await kit_db.fetch_one(db, _DocumentRow, DOCUMENT, [member_id, receipt_id])
    if document is None:
        return None
    lines = await kit_db.fetch_all(db, _DocumentLine, DOCUMENT_LINES, [member_id, receipt_id])
    news = {one.line: one for one in recognised if one.skus}
    named = [
        line
        for line in lines
        if line.line in news and line.sku is None and (news[line.line].sku or not line.by_line)
    ]
    settled = [line for line in named if line.state == LineState.EARNING and not line.by_line]
    met, meetings = await meeting.of_lines(
        db, member_id, _goods(receipt_id, document, settled, news)
    )
    earning = {
        line.line for line in settled if line.met_kopecks + met.get(line.line, 0) < line.sum_kopecks
    }
    decision = None
    by_line: set[int] = set()
    if earning:
        fact = replace(
            _recognised_fact(member_id, receipt_id, document, lines, news, earning, met, now),
            id=recognised_id(receipt_id, earning, turn),
        )
        (decision,) = await program.apply(db, [fact], now=now, actor=actor)
        by_line = await _by_line(db, fact, decision)
    rows = [(one, news[one.line], met.get(one.line, 0), one.line in by_line) for one in named]
    await _name(db, member_id, receipt_id, rows)
    await meeting.keep_meetings(db, meetings, now=now)
    if named:
        numbers = [line.line for line in named]
        # A line of a return takes back now what it is known to be of.
        keys = [(receipt_id, number) for number in numbers]
        await taking.settle_lines(db, member_id, keys, because="documents", now=now, actor=actor)
        told = events.lines_recognised(
            member_id,
            receipt_id,
            document.purchase_id,
            numbers,
            occurred_at=document.occurred_at,
            now=now,
        )
        await outbox.record(db, [told])
    return decision


async def _name(
    db: Db,
    member_id: UUID,
    receipt_id: UUID,
    rows: Sequence[tuple[_DocumentLine, Recognised, int, bool]],
) -> None:
    """Keep what lines are: (line, what it is, money an order had, whether priced by its line)."""
    await kit_db.execute_many(
        db,
        NAME_LINE,
        [
            {
                "sku": new.sku,
                "may_be": list(new.skus) if new.sku is None else [],
                "by_line": by_line,
                "met": met,
                "member_id": member_id,
                "receipt_id": receipt_id,
                "line": line.line,
            }
            for line, new, met, by_line in rows
        ],
    )


async def _by_line(db: Db, fact: Fact, decision: Decision) -> set[int]:
    """Lines that were priced though only their product line is known."""
    lines = [line for line in fact.lines if line.variants and not line.decided]
    if not lines:
        return set()
    programme = (await program_queries.programmes(db)).number(decision.version)
    return {line.line for line in lines if not waits_for_sku(programme, line)}


def _goods(
    receipt_id: UUID,
    document: _DocumentRow,
    lines: Sequence[_DocumentLine],
    news: dict[int, Recognised],
) -> list[Goods]:
    """The lines with the products they got, to be looked for among the shop's orders."""
    return [
        Goods(
            document_id=receipt_id,
            line=line.line,
            purchase_id=document.purchase_id,
            of_order=False,
            sales_channel=document.sales_channel,
            skus=frozenset(news[line.line].skus),
            occurred_at=document.occurred_at,
            sum_kopecks=line.sum_kopecks,
            free_kopecks=line.sum_kopecks - line.met_kopecks,
        )
        for line in lines
    ]


def _recognised_fact(
    member_id: UUID,
    receipt_id: UUID,
    document: _DocumentRow,
    lines: Sequence[_DocumentLine],
    news: dict[int, Recognised],
    earning: set[int],
    met: dict[int, int],
    now: datetime,
) -> Fact:
    def one(line: _DocumentLine) -> FactLine:
        new = news[line.line] if line.line in earning else None
        return FactLine(
            line=line.line,
            sku=new.sku if new else line.sku,
            category=new.category if new else None,
            tags=new.tags if new else (),
            quantity_micro=line.quantity_micro,
            sum_kopecks=line.sum_kopecks - line.met_kopecks - met.get(line.line, 0),
            decided=new is None,
            product_line=new.product_line if new else None,
            variants=new.variants if new else (),
        )

    evidence = {str(number): news[number].evidence for number in sorted(earning)}
    return Fact(
        id=recognised_id(receipt_id, earning),
        kind=events.LINES_RECOGNISED,
        member_id=member_id,
        purchase_id=document.purchase_id,
        occurred_at=document.occurred_at,
        wall_time=document.wall_time,
        registered_at=document.registered_at,
        recorded_at=now,
        sales_channel=document.sales_channel,
        lines=tuple(one(line) for line in lines if line.state == LineState.EARNING),
        proof={**document.proof, "match": evidence},
    )


ADD_LINE = """
INSERT INTO purchases.line
    (member_id, receipt_id, line, purchase_id, seller_inn, provider_inn, goods, occurred_at,
     paid, state, quantity_micro, sum_kopecks, open_kopecks, mark, order_number)
SELECT p.member_id, d.receipt_id, %(line)s, d.purchase_id, p.seller_inn, %(provider_inn)s,
    %(goods)s, d.occurred_at, %(paid)s, %(state)s, %(quantity_micro)s, %(sum_kopecks)s,
    %(open_kopecks)s, %(mark)s, %(order_number)s
FROM purchases.document d
JOIN purchases.purchase p USING (member_id, purchase_id)
WHERE d.member_id = %(member_id)s AND d.receipt_id = %(receipt_id)s
ON CONFLICT (member_id, receipt_id, line) DO NOTHING
"""


async def add_lines(db: Db, lines: Sequence[Line], member_id: UUID, receipt_id: UUID) -> None:
    """Add lines to a recorded document that did not matter when it was; to be recognised next."""
    await kit_db.execute_many(
        db,
        ADD_LINE,
        [
            {
                "member_id": member_id,
                "receipt_id": receipt_id,
                "line": line.line,
                "provider_inn": line.provider_inn,
                "goods": line.goods,
                "paid": line.paid,
                "state": first_state(line.paid),
                "quantity_micro": line.quantity_micro,
                "sum_kopecks": line.sum_kopecks,
                "open_kopecks": line.sum_kopecks if line.paid is Paid.AHEAD else 0,
                "mark": line.mark,
                "order_number": line.order_number,
            }
            for line in lines
        ],
    )


RELABEL_DOCUMENT = """
UPDATE purchases.document SET sales_channel = %s
WHERE member_id = %s AND receipt_id = %s AND sales_channel <> %s
"""
RELABEL_PURCHASE = """
UPDATE purchases.purchase SET sales_channel = %s
WHERE member_id = %s AND purchase_id = %s AND sales_channel <> %s
"""


async def relabel(
    db: Db, documents: Sequence[tuple[UUID, UUID, UUID | None]], *, sales_channel: str
) -> None:
    """Put documents (member, receipt, purchase) and their purchases under another sales channel.

    What was priced stays priced; what is recognised later is priced under the new channel.
    """
    known = [(member, receipt, purchase) for member, receipt, purchase in documents if purchase]
    await kit_db.execute_many(
        db,
        RELABEL_DOCUMENT,
        [
            (sales_channel, member_id, receipt_id, sales_channel)
            for member_id, receipt_id, _purchase in known
        ],
    )
    await kit_db.execute_many(
        db,
        RELABEL_PURCHASE,
        [
            (sales_channel, member_id, purchase_id, sales_channel)
            for member_id, _receipt, purchase_id in known
        ],
    )
