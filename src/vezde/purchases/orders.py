"""An order that a shop reports and a receipt for the same goods: which lines are the same. Pure.

Nothing in a receipt names the order, so goods find each other by the product, the money, the place
and the time. The first of both that comes is priced; of the other only the money that nothing
accounts for yet.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

# The till may run ahead of the shop's server; a parcel's receipt comes when it is handed over.
RECEIPT_BEFORE = timedelta(days=3)
RECEIPT_AFTER = timedelta(days=45)
# An order of the site that is paid in the brand's own shop has the shop's receipt.
OWN = frozenset({"own_site", "own_shop"})


@dataclass(frozen=True, slots=True)
class Goods:
    """A line of one product with `free_kopecks` that no counterpart accounts for yet.

    `skus` are several where only the product line is known.
    """

    document_id: UUID
    line: int
    purchase_id: UUID
    of_order: bool
    sales_channel: str
    skus: frozenset[str]
    occurred_at: datetime
    sum_kopecks: int
    free_kopecks: int


@dataclass(frozen=True, slots=True)
class Met:
    """So much money of both lines is the same money."""

    mine: Goods
    other: Goods
    kopecks: int

    @property
    def order(self) -> Goods:
        return self.mine if self.mine.of_order else self.other

    @property
    def receipt(self) -> Goods:
        return self.other if self.mine.of_order else self.mine


def meet(mine: Sequence[Goods], others: Sequence[Goods]) -> list[Met]:
    """The counterparts of `mine` among `others`, each taking the other's money.

    Of several the one of exactly this sum comes first, then the nearest in time: two equal orders
    stay two, whatever comes when.
    """
    free = {(one.document_id, one.line): one.free_kopecks for one in others}
    found = []
    for goods in mine:
        left = goods.free_kopecks
        for other in sorted(others, key=lambda one: _nearness(goods, one)):
            key = other.document_id, other.line
            taken = min(left, free[key])
            if taken == 0 or not _same(goods, other):
                continue
            left -= taken
            free[key] -= taken
            found.append(Met(goods, other, taken))
    return found


def _nearness(mine: Goods, other: Goods) -> tuple[bool, timedelta, UUID, int]:
    differs = mine.sum_kopecks != other.sum_kopecks
    return differs, abs(mine.occurred_at - other.occurred_at), other.document_id, other.line


def _same(mine: Goods, other: Goods) -> bool:
    if mine.of_order == other.of_order or mine.skus.isdisjoint(other.skus):
        return False
    order, receipt = (mine, other) if mine.of_order else (other, mine)
    later = receipt.occurred_at - order.occurred_at
    if not -RECEIPT_BEFORE <= later <= RECEIPT_AFTER:
        return False
    if order.sales_channel == receipt.sales_channel:
        return True
    # Between the brand's own site and shop only the very same sum: a visit is not an order.
    return {order.sales_channel, receipt.sales_channel} <= OWN and (
        order.sum_kopecks == receipt.sum_kopecks
    )


def share(points: int, *, sum_kopecks: int, before: int, kopecks: int) -> int:
    """What `kopecks` of a line brought, of the `points` of the whole line, after `before` of it.

    Cumulative, so that the shares of a line always add up to its points.
    """
    if sum_kopecks == 0:
        return 0
    until = points * (before + kopecks) // sum_kopecks
    return until - points * before // sum_kopecks
