"""A till that prints no size: points by the product line, once."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vezde.kit import ids
from vezde.program import queries as program
from vezde.purchases import operations as purchases
from vezde.purchases.model import Document, Line, Paid
from vezde.receipts.model import Status
from vezde.receipts.operations import moderating
from vezde.receipts.operations.moderating import LineNotInDoubt
from vezde.testing.receipts import NOON, line, receipt

from .conftest import Shop

SIZES = [
    {"sku": f"MILK-{size}", "name": f"Молочко для тела «Лунный шёлк» LUNARIA {size} мл",
     "brand": "LUNARIA", "size": f"{size} мл", "line": "Лунный шёлк", "category": "тело"}
    for size in (30, 75, 250)
]  # fmt: skip
UNSIZED = line("МОЛОЧКО ДЛЯ ТЕЛА ЛУННЫЙ ШЕЛК LUNARIA", 50_000)


@pytest.fixture
async def sizes(shop) -> Shop:
    await shop.stock(SIZES)
    return shop


def today(shop: Shop) -> datetime:
    """Half an hour ago by the clock of a till in Moscow."""
    return (shop.at + timedelta(hours=2, minutes=30)).replace(tzinfo=None)


async def decide(shop: Shop, anna, receipt_id, sku):
    async with shop.database.transaction() as db:
        return await moderating.decide_line(
            db, anna, receipt_id, line=1, sku=sku, now=shop.at, actor="operator:vera"
        )


class TestWithoutASize:
    async def test_earns_at_once(self, sizes, anna):
        (result,) = await sizes.take(anna, receipt(1, lines=[UNSIZED]))
        assert (result.status, result.points.active) == (Status.ACCEPTED, 50)
        (shown,) = (await sizes.receipt(anna, result.receipt_id)).matched
        assert (shown.sku, shown.points) == (None, 50)
        assert set(shown.line_skus) == {one["sku"] for one in SIZES}

    async def test_earns_without_the_brand_when_the_name_says_a_lot(self, shop, anna):
        name = "Скраб очищающий для тела с морской солью, маслом ши и экстрактом лаванды"
        made = [
            {"sku": f"SCRUB-{size}", "name": f"{name}, {size} мл", "brand": "LUNARIA"}
            for size in (100, 250)
        ]
        await shop.stock(made)
        said = "СКРАБ ОЧИЩ. Д/ТЕЛА С МОРСКОЙ СОЛЬЮ, МАСЛОМ ШИ И ЭКСТР.ЛАВАНДЫ"
        (result,) = await shop.take(anna, receipt(1, lines=[line(said, 50_000)]))
        assert (result.status, result.points.active) == (Status.ACCEPTED, 50)
        (shown,) = (await shop.receipt(anna, result.receipt_id)).matched
        assert (shown.sku, set(shown.line_skus)) == (None, {one["sku"] for one in made})

    async def test_says_by_which_rule_and_of_which_products(self, sizes, anna):
        rules = {"default_rate_bp": 100, "lines": {"Лунный шёлк": {"rate_bp": 2000}}}
        await sizes.publish(earning=rules)
        sizes.passes(hours=1)
        (result,) = await sizes.take(anna, receipt(1, lines=[UNSIZED], at=today(sizes)))
        assert result.points.active == 100
        async with sizes.database.transaction() as db:
            (decided,) = await program.decisions(db, anna, fact_ids=[result.receipt_id])
        assert [part.rule for part in decided.decision.parts] == ["earning.lines.Лунный шёлк"]
        (kept,) = decided.fact.lines
        assert {sku for one in kept.variants for sku in one.skus} == {o["sku"] for o in SIZES}

    async def test_its_product_said_later_does_not_pay_again(self, sizes, anna):
        (result,) = await sizes.take(anna, receipt(1, lines=[UNSIZED]))
        for _ in range(2):
            decided = await decide(sizes, anna, result.receipt_id, "MILK-75")
        assert [(one.sku, one.points) for one in decided.matched] == [("MILK-75", 50)]
        assert (await sizes.points(anna)).active == 50

    async def test_that_earned_is_not_said_to_be_a_strangers(self, sizes, anna):
        (result,) = await sizes.take(anna, receipt(1, lines=[UNSIZED]))
        with pytest.raises(LineNotInDoubt, match="MILK-250"):
            await decide(sizes, anna, result.receipt_id, None)

    async def test_waits_for_a_person_where_one_of_its_products_is_excluded(self, sizes, anna):
        await sizes.publish(earning={"default_rate_bp": 500, "exclude": {"skus": ["MILK-30"]}})
        sizes.passes(hours=1)
        (result,) = await sizes.take(anna, receipt(1, lines=[UNSIZED], at=today(sizes)))
        assert (result.status, result.points.active) == (Status.IN_REVIEW, 0)
        await decide(sizes, anna, result.receipt_id, "MILK-75")
        assert (await sizes.points(anna)).active == 25


class TestAnOrderOfTheSite:
    async def test_and_a_receipt_without_a_size_earn_once_in_any_order(self, sizes, anna, boris):
        bought = sizes.at - timedelta(days=1)
        for number, (who, first) in enumerate(((anna, "order"), (boris, "receipt"))):
            steps = ("order", "receipt") if first == "order" else ("receipt", "order")
            for step in steps:
                if step == "order":
                    await order(sizes, who, bought)
                else:
                    await sizes.take(who, receipt(number, lines=[UNSIZED]))
            assert (await sizes.points(who)).active == 50


async def order(shop: Shop, who, at) -> None:
    """An order of the brand's for the same goods, as a chain would report it."""
    sold = Line(1, "MILK-75", "тело", (), "", None, 1_000_000, 50_000, Paid.SETTLED)
    document = Document(
        member_id=who,
        receipt_id=ids.new(),
        seller_inn=None,
        sales_channel="chain",
        occurred_at=at,
        wall_time=NOON,
        registered_at=shop.at,
        total_kopecks=50_000,
        prepaid_kopecks=0,
        lines=(sold,),
        order_id="A-1",
    )
    async with shop.database.transaction() as db:
        await purchases.record(db, [document], now=shop.at, actor="system")


class TestProperty:
    @settings(
        max_examples=25,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(
        sums=st.lists(st.integers(1, 300_000), min_size=1, max_size=4),
        sized=st.sets(st.integers(0, 3)),
        said=st.lists(st.tuples(st.integers(1, 4), st.sampled_from(SIZES)), max_size=6),
    )
    async def test_whoever_says_which_product_it_was_and_how_often_changes_no_points(
        self, sizes: Shop, anna, sums: Sequence[int], sized, said
    ):
        who = anna
        sizes.passes(days=1)
        papers = [
            line(
                "МОЛОЧКО ДЛЯ ТЕЛА ЛУННЫЙ ШЕЛК LUNARIA 250 МЛ" if at in sized else UNSIZED.name, one
            )
            for at, one in enumerate(sums)
        ]
        number = 1_000 + sizes.at.toordinal()
        (result,) = await sizes.take(who, receipt(number, lines=papers, at=today(sizes)))
        before = (await sizes.points(who)).active
        for number, product in said:
            async with sizes.database.transaction() as db:
                if number <= len(sums) and number - 1 not in sized:
                    known = await moderating.queries.receipt(db, who, result.receipt_id)
                    if known.matched[number - 1].candidate is None:
                        continue
                    await moderating.decide_line(
                        db,
                        who,
                        result.receipt_id,
                        line=number,
                        sku=product["sku"],
                        now=sizes.at,
                        actor="operator:vera",
                    )
        assert (await sizes.points(who)).active == before
