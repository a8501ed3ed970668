"""Documents and lines of a purchase, and the pure rules that link them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Any
from uuid import UUID, uuid5

from vezde.program.model import Variant
from vezde.purchases import marks
from vezde.purchases.marking import Pack

# A marketplace hands an order over within weeks of the payment; later it is another order.
ADVANCE_SETTLES_WITHIN = timedelta(days=45)
# Consumer instalment plans run up to three years.
CREDIT_LASTS = timedelta(days=3 * 366)
# How often a line may be decided and undone.
MOST_TURNS = 64


class Paid(StrEnum):
    """What FFD tag 1214 says of a line, as far as earning goes."""

    AHEAD = "ahead"  # 1-3: prepayment or advance, the goods are not handed over yet
    SETTLED = "settled"  # 4 or absent: full settlement
    ON_CREDIT = "on_credit"  # 5, 6: handed over, paid in part or not at all
    CREDIT_PAYMENT = "credit_payment"  # 7: pays for goods handed over earlier
    # Of documents of a return (tag 1054, 2) and of corrections (form 31, 41):
    RETURNED = "returned"  # goods came back
    REFUNDED = "refunded"  # money of an advance came back, the goods were never handed over
    STORNED = "storned"  # a correction takes a sale back
    CORRECTED = "corrected"  # a correction sells anew what it took back


# Lines of documents that take back; none of them earns.
TAKING_BACK = frozenset({Paid.RETURNED, Paid.REFUNDED, Paid.STORNED, Paid.CORRECTED})


class LineState(StrEnum):
    WAITING = "waiting"  # an advance whose goods were not settled in full yet
    LAPSED = "lapsed"  # an advance whose settlement did not come in time
    CLOSED = "closed"  # an advance whose goods were settled
    EARNING = "earning"
    COVERED = "covered"
    RETURNING = "returning"  # of a document that takes back


def paid(payment_type: int | None, *, is_return: bool = False, is_correction: bool = False) -> Paid:
    """FFD 1214 to its meaning, in a sale or a return; an unknown value is read as a settlement.

    Old tills leave the tag out and a future value would be one more way to hand goods over:
    refusing points to an honest customer is the worse mistake.
    """
    ahead = payment_type in {1, 2, 3}
    if is_correction:
        return Paid.STORNED if is_return else Paid.CORRECTED
    if is_return:
        return Paid.REFUNDED if ahead else Paid.RETURNED
    if ahead:
        return Paid.AHEAD
    if payment_type in {5, 6}:
        return Paid.ON_CREDIT
    if payment_type == 7:
        return Paid.CREDIT_PAYMENT
    return Paid.SETTLED


@dataclass(frozen=True, slots=True)
class Line:
    """A line that matters to the brand: recognised, in doubt, or an advance without a name.

    `sku` None: not recognised (yet), or only as one of `variants`, the products of its product
    line; `product_line` is the catalogue's name of the SKU's. `goods` identifies the goods across
    documents: the folded name; empty for an advance that names nothing. `mark` is what a
    marketplace prints to name the order's unit, `order_number` the shop's own number of the order.
    `earnable` False: the shop keeps it out.
    """

    line: int
    sku: str | None
    category: str | None
    tags: tuple[str, ...]
    goods: str
    provider_inn: str | None
    quantity_micro: int
    sum_kopecks: int
    paid: Paid
    earnable: bool = True
    product_line: str | None = None
    variants: tuple[Variant, ...] = ()
    mark: str | None = None
    pack: Pack | None = None
    order_number: str | None = None

    @property
    def skus(self) -> tuple[str, ...]:
        """The product, or those that it may be; none while it is in doubt."""
        if self.sku is not None:
            return (self.sku,)
        return tuple(sku for one in self.variants for sku in one.skus)


@dataclass(frozen=True, slots=True)
class Document:
    """A verified receipt of a member as `receipts` hands it over, or an order of the brand's own.

    An order has its `order_id`; `receipt_id` is then the order's own id, and the lines' sums are
    what earns: the part paid with points is left out where the programme says so.
    """

    member_id: UUID
    receipt_id: UUID
    seller_inn: str | None
    sales_channel: str
    occurred_at: datetime
    wall_time: datetime
    registered_at: datetime
    total_kopecks: int
    prepaid_kopecks: int
    lines: tuple[Line, ...]
    proof: dict[str, Any] = field(default_factory=dict)
    place: str | None = None
    order_id: str | None = None
    fn: int | None = None
    fd: int | None = None


@dataclass(frozen=True, slots=True)
class KnownLine:
    """A line linked before; `open_kopecks` is what no counterpart accounts for yet."""

    member_id: UUID
    receipt_id: UUID
    line: int
    purchase_id: UUID
    seller_inn: str | None
    provider_inn: str | None
    goods: str
    occurred_at: datetime
    paid: Paid
    state: LineState
    open_kopecks: int
    mark: str | None = None
    order_number: str | None = None


Book = dict[tuple[UUID, UUID, int], KnownLine]  # by member, document, line


@dataclass(frozen=True, slots=True)
class Linked:
    """Where a document belongs: its purchase and its lines' states, and what it changes in others.

    `lines` are in the document's order; `touched` are known lines with their new state and open
    sum; `closed_receipts` are advance receipts that wait for nothing any more; `met` is, by line,
    the money that an order (for a receipt) or a receipt (for an order) had been priced for.
    """

    document: Document
    purchase_id: UUID
    fresh: bool
    lines: tuple[KnownLine, ...]
    touched: tuple[KnownLine, ...]
    closed_receipts: tuple[UUID, ...]
    met: dict[int, int] = field(default_factory=dict)


def recognised_id(receipt_id: UUID, lines: Iterable[int], turn: int = 0) -> UUID:
    """The fact of lines that were recognised together after their document.

    `turn` tells apart what was recognised, taken back and recognised anew: below `MOST_TURNS`.
    """
    named = "recognised:" + ",".join(map(str, sorted(lines)))
    return uuid5(receipt_id, f"{named}#{turn}" if turn else named)


def is_of_document(fact_id: UUID, receipt_id: UUID, lines: Sequence[int]) -> bool:
    """Whether a fact of these lines is the document's own, or of them recognised later."""
    return fact_id == receipt_id or any(
        fact_id == recognised_id(receipt_id, lines, turn) for turn in range(MOST_TURNS)
    )


def needs_linking(document: Document) -> bool:
    """Whether any other document could belong to the same purchase; most receipts stand alone."""
    return document.prepaid_kopecks > 0 or any(
        line.paid is not Paid.SETTLED for line in document.lines
    )


def link(document: Document, known: list[KnownLine], *, new_purchase_id: UUID) -> Linked:
    """Find the document's purchase among the member's known lines of the same shop.

    An advance and a settlement meet when the goods and the supplier agree and the settlement comes
    within 45 days after the advance; an advance that names nothing meets any settlement paid from
    an advance. Where both name their order, that decides instead of the goods. Each takes the
    other's sum, so that two equal orders are told apart. A payment of a credit meets the hand-over
    (or another payment) of the same goods.
    """
    book = {(line.receipt_id, line.line): line for line in known}
    touched: set[tuple[UUID, int]] = set()
    found: list[UUID] = []
    lines = []
    budget = document.prepaid_kopecks
    for line in document.lines:
        mine = _fresh_line(document, line, new_purchase_id, prepaid=budget)
        for other in sorted(book.values(), key=partial(_nearness, mine)):
            if not _meet(mine, other):
                continue
            mine, changed = _settle(mine, other)
            book[other.receipt_id, other.line] = changed
            touched.add((other.receipt_id, other.line))
            found.append(other.purchase_id)
        if mine.paid in {Paid.SETTLED, Paid.ON_CREDIT}:
            budget = max(budget - line.sum_kopecks, 0)
        lines.append(mine)
    purchase_id = found[0] if found else new_purchase_id
    return Linked(
        document=document,
        purchase_id=purchase_id,
        fresh=not found,
        lines=tuple(replace(line, purchase_id=purchase_id) for line in lines),
        touched=tuple(book[key] for key in sorted(touched)),
        closed_receipts=_closed(book, touched),
    )


def _nearness(mine: KnownLine, other: KnownLine) -> tuple[bool, bool, datetime]:
    """What is of the same order comes first, then what is of the same goods."""
    return (
        marks.same_order(mine, other) is not True,
        mine.goods != other.goods,
        other.occurred_at,
    )


def _closed(
    book: dict[tuple[UUID, int], KnownLine], touched: set[tuple[UUID, int]]
) -> tuple[UUID, ...]:
    """Advance receipts that this document closed: none of their lines waits any more.

    The book holds every line that still waited before, so a line that is not in it is closed.
    """
    advances = {key[0] for key in touched if book[key].paid is Paid.AHEAD}
    open_states = {LineState.WAITING, LineState.LAPSED}
    waiting = {key[0] for key, line in book.items() if line.state in open_states}
    return tuple(sorted(advances - waiting))


def first_state(paid: Paid) -> LineState:
    """The state of a line that no other document is known of."""
    if paid in TAKING_BACK:
        return LineState.RETURNING
    return LineState.WAITING if paid is Paid.AHEAD else LineState.EARNING


def _fresh_line(document: Document, line: Line, purchase_id: UUID, *, prepaid: int) -> KnownLine:
    state = first_state(line.paid)
    if state is LineState.RETURNING:
        # Only money of an advance is sought for among what waits; the rest: `netting`.
        prepaid = line.sum_kopecks if line.paid is Paid.REFUNDED else 0
    # What a settlement took from an advance is the most that an advance can still account for.
    open_kopecks = (
        min(line.sum_kopecks, prepaid)
        if line.paid is Paid.SETTLED or line.paid in TAKING_BACK
        else line.sum_kopecks
    )
    return KnownLine(
        member_id=document.member_id,
        receipt_id=document.receipt_id,
        line=line.line,
        purchase_id=purchase_id,
        seller_inn=document.seller_inn,
        provider_inn=line.provider_inn,
        goods=line.goods,
        occurred_at=document.occurred_at,
        paid=line.paid,
        state=state,
        open_kopecks=open_kopecks,
        mark=line.mark,
        order_number=line.order_number,
    )


def _meet(mine: KnownLine, other: KnownLine) -> bool:
    if mine.seller_inn != other.seller_inn or _differ(mine.provider_inn, other.provider_inn):
        return False
    if Paid.CREDIT_PAYMENT in {mine.paid, other.paid}:
        credit = {Paid.CREDIT_PAYMENT, Paid.ON_CREDIT}
        return (
            {mine.paid, other.paid} <= credit
            and mine.goods == other.goods != ""
            and abs(mine.occurred_at - other.occurred_at) <= CREDIT_LASTS
            and other.open_kopecks > 0
        )
    if (mine.paid is Paid.AHEAD) == (other.paid is Paid.AHEAD):
        return False
    advance, settlement = (mine, other) if mine.paid is Paid.AHEAD else (other, mine)
    in_time = (
        advance.occurred_at <= settlement.occurred_at
        and settlement.occurred_at - advance.occurred_at <= ADVANCE_SETTLES_WITHIN
    )
    same = marks.same_order(advance, settlement)
    if same is None:
        same = not advance.goods or advance.goods == settlement.goods
    return in_time and same and advance.open_kopecks > 0 and settlement.open_kopecks > 0


def _differ(one: str | None, other: str | None) -> bool:
    return one is not None and other is not None and one != other


def _settle(mine: KnownLine, other: KnownLine) -> tuple[KnownLine, KnownLine]:
    """Take each other's sums; returns both as they stand afterwards."""
    if Paid.CREDIT_PAYMENT in {mine.paid, other.paid}:
        return _settle_credit(mine, other)
    taken = min(mine.open_kopecks, other.open_kopecks)
    return _take(mine, taken), _take(other, taken)


def _take(line: KnownLine, kopecks: int) -> KnownLine:
    left = line.open_kopecks - kopecks
    done = line.paid is Paid.AHEAD and left == 0
    return replace(line, open_kopecks=left, state=LineState.CLOSED if done else line.state)


def _settle_credit(mine: KnownLine, other: KnownLine) -> tuple[KnownLine, KnownLine]:
    covered = replace(mine, state=LineState.COVERED)
    if mine.paid is other.paid:  # two instalments of one purchase: the first has earned
        return covered, other
    taken = min(mine.open_kopecks, other.open_kopecks)
    return (
        replace(covered, open_kopecks=mine.open_kopecks - taken),
        replace(other, open_kopecks=other.open_kopecks - taken),
    )
