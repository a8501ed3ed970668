"""Papers of one order find each other by its number; a number that is everybody's links nothing."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from uuid import UUID, uuid4

import pytest

from vezde.receipts import intake
from vezde.receipts.intake import Line
from vezde.receipts.model import FiscalDocument, FiscalLine, Status
from vezde.testing.receipts import NOON, PYATEROCHKA, line, receipt

from .conftest import Shop

# One marketplace's tills: the one that takes the money cuts names shorter.
PAID, HANDED = "Крем для лица LUNARIA 50мл", "Крем для лица LUNARIA, 50 мл, арт. 7"
MASK = "Маска для волос LUNARIA 100мл"
HOUR = timedelta(hours=1)
FIRST, SECOND = "6175930728", "6175930901"


def ahead(
    number: int, lines: Sequence[FiscalLine], order: str | None, hours: int = 0
) -> FiscalDocument:
    return receipt(
        number,
        lines=[replace(one, payment_type=1, product_type=10, order_number=order) for one in lines],
        at=NOON + hours * HOUR,
    )


def settled(
    number: int, lines: Sequence[FiscalLine], order: str | None, hours: int
) -> FiscalDocument:
    total = sum(one.sum_kopecks for one in lines)
    return receipt(
        number,
        lines=[replace(one, order_number=order) for one in lines],
        at=NOON + hours * HOUR,
        prepaid_kopecks=total,
    )


async def show(shop: Shop, who: UUID, *papers: FiscalDocument) -> list[UUID]:
    """One after another; the purchases they are of."""
    results = [(await shop.take(who, paper))[0] for paper in papers]
    shown = [await shop.receipt(who, one.receipt_id) for one in results]
    return [one.purchase_id for one in shown]


async def waiting(shop: Shop, who: UUID, paper: FiscalDocument) -> bool:
    (result,) = await shop.take(who, paper)  # shown again, it is what it was
    shown = await shop.receipt(who, result.receipt_id)
    return shown.status is Status.AWAITING_SETTLEMENT


@pytest.fixture
def late(shop: Shop) -> Shop:
    shop.passes(days=5)
    return shop


class TestTwoSettlementsOfOneAdvance:
    ADVANCE = ahead(1, [line(PAID, 166_000, quantity=2)], FIRST)
    PARCELS = (
        settled(2, [line(HANDED, 83_000)], f"{FIRST}-1", 20),
        settled(3, [line(HANDED, 83_000)], f"{FIRST}-2", 40),
    )

    @pytest.mark.parametrize("order", list(permutations(range(3))))
    async def test_are_one_purchase_by_the_number_alone(self, late, anna, order):
        papers = (self.ADVANCE, *self.PARCELS)
        await show(late, anna, *(papers[index] for index in order))
        purchases = await show(late, anna, *papers)
        # Whatever was shown before the advance was known had no reason to be of one purchase.
        assert len(set(purchases)) == 1 or order[0] != 0
        assert not await waiting(late, anna, self.ADVANCE)
        assert (await late.points(anna)).active == 166

    async def test_the_advance_waits_while_a_parcel_is_missing(self, late, anna):
        await show(late, anna, self.ADVANCE, self.PARCELS[0])
        assert await waiting(late, anna, self.ADVANCE)
        await show(late, anna, self.PARCELS[1])
        assert not await waiting(late, anna, self.ADVANCE)

    async def test_without_the_number_the_names_differ_too_much(self, late, anna):
        paper = ahead(1, [line(PAID, 83_000)], None)
        await show(late, anna, paper, settled(2, [line(HANDED, 83_000)], FIRST, 20))
        assert await waiting(late, anna, paper)


class TestTwoOrders:
    async def test_of_one_thing_stay_two(self, late, anna):
        cream = [line(PAID, 83_000)]
        papers = (
            ahead(1, cream, FIRST),
            ahead(2, cream, SECOND, 24),
            settled(3, cream, SECOND, 30),  # the later one came first
            settled(4, cream, FIRST, 50),
        )
        one, two, of_two, of_one = await show(late, anna, *papers)
        assert (one, two) == (of_one, of_two)
        assert one != two
        assert (await late.points(anna)).active == 166

    async def test_the_settlement_of_another_order_closes_nothing(self, late, anna):
        paper = ahead(1, [line(PAID, 83_000)], FIRST)
        await show(late, anna, paper, settled(2, [line(PAID, 83_000)], SECOND, 20))
        assert await waiting(late, anna, paper)

    async def test_a_return_takes_from_its_own(self, late, anna, boris):
        cream, dear = line(PAID, 830_000), line(PAID, 836_000)
        for who, first in ((anna, 1), (boris, 11)):
            numbered = (FIRST, SECOND) if who == anna else (None, None)
            sold = [replace(one, order_number=number)
                    for one, number in zip((cream, dear), numbered, strict=True)]  # fmt: skip
            await show(
                late,
                who,
                receipt(first, lines=sold[:1]),
                receipt(first + 1, lines=sold[1:], at=NOON + HOUR),
                receipt(first + 2, lines=sold[:1], at=NOON + 2 * HOUR, operation=2),
            )
        assert (await late.points(anna)).active == 836
        # Without numbers it is the latest sale of about that price.
        assert (await late.points(boris)).active == 830


class TestANumberThatIsNone:
    CONSTANT = "100000"

    async def test_links_nothing_once_another_has_it(self, late, anna, boris):
        await show(late, boris, receipt(9, lines=[line(MASK, 40_000, order_number=self.CONSTANT)]))
        cream = ahead(1, [line(PAID, 83_000)], self.CONSTANT)
        await show(late, anna, cream, settled(2, [line(MASK, 83_000)], self.CONSTANT, 20))
        assert await waiting(late, anna, cream)
        await show(late, anna, settled(3, [line(PAID, 83_000)], self.CONSTANT, 30))
        assert not await waiting(late, anna, cream)

    async def test_nor_when_both_come_in_one_batch(self, late, anna, boris):
        papers = [
            (boris, receipt(9, lines=[line(MASK, 40_000, order_number=self.CONSTANT)])),
            (anna, ahead(1, [line(PAID, 83_000)], self.CONSTANT)),
            (anna, settled(2, [line(MASK, 83_000)], self.CONSTANT, 20)),
        ]
        lines = [Line(ref=uuid4(), member_id=who, document=paper) for who, paper in papers]
        await intake.take_in(late.desk(), lines)
        assert await waiting(late, anna, papers[1][1])

    async def test_the_papers_of_a_family_are_linked_by_goods_as_ever(self, late, anna, boris):
        cream = [line(PAID, 83_000)]
        papers = (ahead(1, cream, FIRST), settled(2, cream, FIRST, 20))
        await show(late, boris, settled(3, [line(MASK, 40_000)], FIRST, 10))
        one, other = await show(late, anna, *papers)
        assert one == other
        assert not await waiting(late, anna, papers[0])

    async def test_of_another_shop_is_another_number(self, late, anna, boris):
        there = receipt(9, lines=[line(MASK, 40_000, order_number=FIRST)])
        await show(late, boris, replace(there, seller_inn="7801234564"))
        paper = ahead(1, [line(PAID, 83_000)], FIRST)
        assert paper.seller_inn == PYATEROCHKA.inn
        await show(late, anna, paper, settled(2, [line(HANDED, 83_000)], FIRST, 20))
        assert not await waiting(late, anna, paper)

    async def test_a_merge_makes_two_buyers_one(self, late, anna, boris):
        paper = ahead(1, [line(PAID, 83_000)], FIRST)
        await show(late, boris, paper)
        await late.merge(anna, boris)
        await show(late, anna, settled(2, [line(HANDED, 83_000)], FIRST, 20))
        assert not await waiting(late, anna, paper)
