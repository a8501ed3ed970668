"""Points follow what is known of returns: taken back line by line, given again when less came back.

What a line has lost is a function of all its documents (`netting`) and of the seller reports; here
the ledger is made to say so. What was taken and given again before is kept by line, so that the
difference can be told and nothing is taken twice.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.ledger import operations as ledger
from vezde.ledger import queries as ledger_queries
from vezde.ledger.model import Accrual, Part, Reversal, returned_so_far
from vezde.outbox import operations as outbox
from vezde.program import queries as program
from vezde.program import records
from vezde.program.decide import expires_after
from vezde.program.records import Decided
from vezde.purchases import events, policy
from vezde.purchases.model import Document, Paid, is_of_document
from vezde.purchases.netting import ENTANGLING, Key, Moved, Net, net
from vezde.purchases.operations import numbering
from vezde.purchases.operations.numbering import Numbered

AGAIN = "again:"  # begins the ops that give again
Family = tuple[UUID, str | None, str]  # member, shop's INN, folded name of the goods

ENTANGLED: LiteralString = """
SELECT DISTINCT member_id, seller_inn, goods FROM purchases.line
WHERE member_id = ANY(%s) AND goods = ANY(%s)
  AND paid IN ('on_credit', 'credit_payment', 'returned', 'storned', 'corrected')
"""
FAMILY: LiteralString = """
SELECT l.member_id, l.receipt_id, l.line, l.seller_inn, l.goods, l.paid, l.occurred_at,
    l.quantity_micro, l.sum_kopecks, l.provider_inn, l.mark, l.order_number, d.fn, d.fd,
    d.purchase_id
FROM purchases.line l
JOIN purchases.document d ON d.member_id = l.member_id AND d.receipt_id = l.receipt_id
WHERE l.member_id = ANY(%s) AND l.goods = ANY(%s) AND d.withdrawn IS DISTINCT FROM 'moved'
"""
LINES: LiteralString = """
SELECT l.receipt_id, l.line, d.purchase_id, d.sales_channel, l.state, l.quantity_micro,
    l.reported_micro, l.seller_inn, l.goods, l.sku IS NOT NULL OR l.by_line AS is_ours,
    d.withdrawn IS NOT NULL AS withdrawn,
    coalesce((SELECT sum(m.points) FROM purchases.meeting m WHERE m.member_id = l.member_id
        AND m.receipt_id = l.receipt_id AND m.receipt_line = l.line), 0)::bigint AS met_points
FROM purchases.line l
JOIN purchases.document d ON d.member_id = l.member_id AND d.receipt_id = l.receipt_id
WHERE l.member_id = %s AND (l.receipt_id, l.line) IN (SELECT * FROM unnest(%s::uuid[], %s::int[]))
ORDER BY l.occurred_at, l.receipt_id, l.line
"""
TAKINGS: LiteralString = """
SELECT receipt_id, line, number, points, account_id, source FROM purchases.taking
WHERE member_id = %s AND (receipt_id, line) IN (SELECT * FROM unnest(%s::uuid[], %s::int[]))
ORDER BY receipt_id, line, number
"""
ADD: LiteralString = """
INSERT INTO purchases.taking
    (member_id, receipt_id, line, number, points, account_id, source, because, taken_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
COVER: LiteralString = """
UPDATE purchases.line SET state = 'covered'
WHERE member_id = %s AND receipt_id = %s AND line = %s AND state = 'earning'
"""


@dataclass(frozen=True)
class _Row:
    member_id: UUID
    receipt_id: UUID
    line: int
    seller_inn: str | None
    goods: str
    paid: str
    occurred_at: datetime
    quantity_micro: int
    sum_kopecks: int
    provider_inn: str | None
    mark: str | None
    order_number: str | None
    fn: int | None
    fd: int | None
    purchase_id: UUID

    @property
    def numbered(self) -> Numbered:
        return self.member_id, self.seller_inn, self.order_number

    @property
    def family(self) -> Family:
        return self.member_id, self.seller_inn, self.goods

    def moved(self, useless: frozenset[Numbered]) -> Moved:
        return Moved(
            (self.receipt_id, self.line),
            Paid(self.paid),
            self.occurred_at,
            self.quantity_micro,
            self.sum_kopecks,
            self.provider_inn,
            self.mark,
            self.fn,
            self.fd,
            None if self.numbered in useless else self.order_number,
        )


@dataclass(frozen=True)
class _Line:
    receipt_id: UUID
    line: int
    purchase_id: UUID
    sales_channel: str
    state: str
    quantity_micro: int
    reported_micro: int
    seller_inn: str | None
    goods: str
    is_ours: bool
    withdrawn: bool
    met_points: int

    @property
    def key(self) -> Key:
        return self.receipt_id, self.line

    def back(self, of: Net) -> int:
        """What came back of it, by the documents or by the reports, whichever says more."""
        return max(of.returned_micro, min(self.reported_micro, self.quantity_micro))


@dataclass(frozen=True)
class _Taken:
    receipt_id: UUID
    line: int
    number: int
    points: int
    account_id: UUID
    source: str


@dataclass(frozen=True, slots=True)
class _Source:
    """Points of a line that one op of the ledger gave, what is left of them, and their decision."""

    account_id: UUID
    op_key: str
    part: Part
    decided: Decided


@dataclass(frozen=True, slots=True)
class Nets:
    """What families of documents say of each other's lines, by member."""

    families: frozenset[Family]
    of: Mapping[UUID, Mapping[Key, Net]]
    purchases: Mapping[Key, UUID]

    def earns(self, member_id: UUID, key: Key) -> bool:
        found = self.of.get(member_id, {}).get(key)
        return found is None or found.earns

    def sale_of(self, member_id: UUID, receipt_id: UUID) -> UUID | None:
        """The purchase that a return takes from, of those that were written before."""
        return next(
            (
                self.purchases[key]
                for key, one in sorted(self.of.get(member_id, {}).items())
                if receipt_id in one.returned_by and key in self.purchases
            ),
            None,
        )


async def look(db: Db, documents: Sequence[Document]) -> Nets:
    """What is known of the goods of documents that are about to be written, with these.

    They come without numbers of orders that say nothing. One narrow read where all is plain sales,
    which stand alone.
    """
    mine: dict[Family, bool] = {}
    for document in documents:
        for line in document.lines:
            family = (document.member_id, document.seller_inn, line.goods)
            if line.goods:
                mine[family] = mine.get(family, False) or line.paid in ENTANGLING
    if not mine:
        return Nets(frozenset(), {}, {})
    members = sorted({family[0] for family in mine})
    goods = sorted({family[2] for family in mine})
    rows = await (await db.execute(ENTANGLED, [members, goods])).fetchall()
    entangled = {family for family, it in mine.items() if it} | {
        (row[0], row[1], row[2]) for row in rows
    }
    wanted = frozenset(entangled & mine.keys())
    fresh = [
        (
            (document.member_id, document.seller_inn, line.goods),
            Moved(
                (document.receipt_id, line.line),
                line.paid,
                document.occurred_at,
                line.quantity_micro,
                line.sum_kopecks,
                line.provider_inn,
                line.mark,
                document.fn,
                document.fd,
                line.order_number,
            ),
        )
        for document in documents
        for line in document.lines
    ]
    return await _netted(db, wanted, fresh)


async def _netted(
    db: Db, families: frozenset[Family], fresh: Sequence[tuple[Family, Moved]] = ()
) -> Nets:
    if not families:
        return Nets(families, {}, {})
    members = sorted({family[0] for family in families})
    goods = sorted({family[2] for family in families})
    rows = await kit_db.fetch_all(db, _Row, FAMILY, [members, goods])
    useless = await numbering.useless(db, {row.numbered for row in rows})
    by_family: dict[Family, dict[Key, Moved]] = {family: {} for family in families}
    for family, moved in [*((row.family, row.moved(useless)) for row in rows), *fresh]:
        if family in by_family:
            by_family[family][moved.key] = moved
    found: dict[UUID, dict[Key, Net]] = {}
    for family, moved_lines in by_family.items():
        found.setdefault(family[0], {}).update(net(moved_lines.values()))
    return Nets(families, found, {(row.receipt_id, row.line): row.purchase_id for row in rows})


async def settle(db: Db, nets: Nets, *, now: datetime, actor: str) -> None:
    """Make points follow what the families say; their lines stand written, accounts are locked."""
    for member_id, lines in sorted(nets.of.items()):
        await _follow(db, member_id, lines, because="documents", now=now, actor=actor)


async def settle_lines(
    db: Db, member_id: UUID, keys: Collection[Key], *, because: str, now: datetime, actor: str
) -> int:
    """Make points follow what is known of these lines, seller reports and all; answers how many
    points were taken (or, below zero, given again). The account is locked.
    """
    _, nets = await _known(db, member_id, keys)
    of_member = nets.of.get(member_id, {})
    lines = {key: of_member.get(key, Net()) for key in {*keys, *of_member}}
    return await _follow(db, member_id, lines, because=because, now=now, actor=actor)


async def came_back(db: Db, member_id: UUID, keys: Collection[Key]) -> dict[Key, int]:
    """What is known to have come back of these lines (millionths), by documents and reports."""
    rows, nets = await _known(db, member_id, keys)
    of = nets.of.get(member_id, {})
    return {row.key: row.back(of.get(row.key, Net())) for row in rows}


async def _known(db: Db, member_id: UUID, keys: Collection[Key]) -> tuple[list[_Line], Nets]:
    asked = list(keys)
    rows = await kit_db.fetch_all(
        db, _Line, LINES, [member_id, [key[0] for key in asked], [key[1] for key in asked]]
    )
    families = frozenset((member_id, row.seller_inn, row.goods) for row in rows if row.goods)
    return rows, await _netted(db, families)


async def _follow(
    db: Db,
    member_id: UUID,
    nets: Mapping[Key, Net],
    *,
    because: str,
    now: datetime,
    actor: str,
) -> int:
    keys = sorted(nets)
    if not keys:
        return 0
    asked = [member_id, [key[0] for key in keys], [key[1] for key in keys]]
    rows = await kit_db.fetch_all(db, _Line, LINES, asked)
    takings: dict[Key, list[_Taken]] = {}
    for one in await kit_db.fetch_all(db, _Taken, TAKINGS, asked):
        takings.setdefault((one.receipt_id, one.line), []).append(one)
    moved = 0
    for row in rows:
        of, before = nets[row.key], takings.get(row.key, [])
        back = row.back(of)
        if (of.earns and not (back or before or row.withdrawn)) or not row.is_ours:
            continue
        if not of.earns:
            await db.execute(COVER, [member_id, *row.key])
        change = _Change(member_id, row, before, because, now, actor)
        moved += await _move(db, change, of, back)
    return moved


@dataclass(frozen=True, slots=True)
class _Change:
    member_id: UUID
    row: _Line
    before: Sequence[_Taken]
    because: str
    now: datetime
    actor: str


async def _move(db: Db, change: _Change, of: Net, back: int) -> int:
    """Take or give what the line's points differ by; answers how many were taken."""
    row = change.row
    sources = await _sources(db, change)
    earned = sum(one.part.points for one in sources) - row.met_points
    if earned <= 0:
        return 0
    nothing = row.withdrawn or not of.earns
    wanted = earned if nothing else returned_so_far(earned, back, row.quantity_micro or 1)
    of_these = {one.op_key for one in sources}
    taken = sum(
        one.points
        for one in change.before
        if one.source in of_these or one.source.startswith(AGAIN)
    )
    if wanted == taken:
        return 0
    if wanted > taken:
        rows = await _take(db, change, sources, wanted - taken)
    else:
        rows = [await _give(db, change, sources[-1], taken - wanted)]
    await kit_db.execute_many(db, ADD, rows)
    await outbox.record(
        db,
        [
            events.returned(
                change.member_id,
                row.receipt_id,
                row.purchase_id,
                row.line,
                wanted - taken,
                because=change.because if of.earns else "superseded",
                now=change.now,
            )
        ],
    )
    return wanted - taken


async def _sources(db: Db, change: _Change) -> list[_Source]:
    """What gave the line its points: its decision, and before others the last."""
    row = change.row
    found = []
    for one in await program.purchase_decisions(db, change.member_id, row.purchase_id):
        fresh = [line.line for line in one.fact.lines if not line.decided]
        if row.line not in fresh or not is_of_document(one.fact.id, row.receipt_id, fresh):
            continue
        # Of a line that was taken away and decided anew the last decision counts.
        found = [
            _Source(one.fact.member_id, given.op_key, part, one)
            for given in records.given(one.decision)
            for part in given.parts
            if part.line == row.line
        ]
    return found


async def _take(
    db: Db, change: _Change, sources: Sequence[_Source], points: int
) -> list[tuple[Any, ...]]:
    """Reverse what was given again first, then what the decision gave; rows to keep."""
    debt = await policy.debt(db, now=change.now)
    rows: list[tuple[Any, ...]] = []
    for account_id, op_key, part in _left(change, sources):
        taken = min(points, part.points)
        if not taken:
            continue
        points -= taken
        seq = await ledger_queries.seq_of(db, account_id, op_key)
        assert seq is not None, "what gave points stands in the ledger"
        number = len(change.before) + len(rows) + 1
        reversal = Reversal(
            member_id=change.member_id,
            op_key=f"taking:{change.row.receipt_id}:{change.row.line}:{number}",
            occurred_at=change.now,
            title=TITLES.get(change.because, TITLES["documents"]),
            proof=_proof(change),
            accrual_seq=seq,
            points=taken,
            parts=(replace(part, points=taken),),
            debt=debt,
            accrual_member=None if account_id == change.member_id else account_id,
        )
        await ledger.reverse(db, reversal, now=change.now, actor=change.actor)
        rows.append(_row(change, number, taken, account_id, op_key))
    return rows


TITLES = {
    "documents": "Возврат покупки",
    "seller_report": "Возврат покупки, по отчёту продавца",
    "marking": "Возврат покупки, код снова в обороте",
    "disputed": "Чек оказался не вашим",
    "rechecked": "Чек проверяем ещё раз",
}
GIVEN_AGAIN = {"rechecked": "Чек проверен, баллы вернулись"}


def _left(change: _Change, sources: Sequence[_Source]) -> Iterable[tuple[UUID, str, Part]]:
    """What of each source was not taken yet, what was given again last before all others."""
    taken: dict[str, int] = {}
    for one in change.before:
        if one.points > 0:
            taken[one.source] = taken.get(one.source, 0) + one.points
    again = [
        (one.account_id, one.source, replace(sources[-1].part, points=-one.points))
        for one in change.before
        if one.points < 0
    ]
    own = [(one.account_id, one.op_key, one.part) for one in sources]
    for account_id, op_key, part in [*reversed(again), *reversed(own)]:
        yield account_id, op_key, replace(part, points=part.points - taken.get(op_key, 0))


async def _give(db: Db, change: _Change, source: _Source, points: int) -> tuple[Any, ...]:
    """Give points again that were taken for a return which turned out to be another line's."""
    decision = source.decided.decision
    programme = (await program.programmes(db)).number(decision.version)
    assert decision.active_at is not None, "points have an instant to be active from"
    active_at = max(decision.active_at, change.now)
    expires_at = decision.expires_at
    if expires_at is not None and expires_at <= active_at:
        expires_at = expires_after(programme, active_at)
    number = len(change.before) + 1
    key = f"{AGAIN}{change.row.receipt_id}:{change.row.line}:{number}"
    accrual = Accrual(
        member_id=change.member_id,
        op_key=key,
        points=points,
        active_at=active_at,
        expires_at=expires_at,
        occurred_at=change.now,
        parts=(replace(source.part, points=points),),
        proof=_proof(change),
        title=GIVEN_AGAIN.get(change.because, "Покупка: возврат учтён у другой"),
        counts_as_activity=False,
    )
    await ledger.accrue(db, [accrual], now=change.now, actor=change.actor)
    return _row(change, number, -points, change.member_id, key)


def _row(
    change: _Change, number: int, points: int, account_id: UUID, source: str
) -> tuple[Any, ...]:
    row = change.row
    return (
        change.member_id,
        row.receipt_id,
        row.line,
        number,
        points,
        account_id,
        source,
        change.because,
        change.now,
    )


def _proof(change: _Change) -> dict[str, Any]:
    row = change.row
    return {
        "receipt_id": str(row.receipt_id),
        "purchase_id": str(row.purchase_id),
        "line": row.line,
        "because": change.because,
        "sales_channel": row.sales_channel,
    }
