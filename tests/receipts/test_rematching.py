"""Past lines are credited once something better is known of them: once, by their own day."""

from datetime import timedelta

import pytest

from vezde.catalog import operations as catalog
from vezde.outbox import operations as outbox_operations
from vezde.outbox import work as outbox
from vezde.receipts import lapsing, reactions
from vezde.receipts.model import Reason, Status
from vezde.receipts.operations import moderating, rematching
from vezde.testing.receipts import NOON, OZON, line, receipt

from .conftest import Shop

CREAM = line("Крем для лица LUNARIA 50мл", 83_000)
SERUM = line("Сыворотка с витамином С SELENA 30 мл", 100_000)
NEW = {"sku": "SERUM-30", "name": "Сыворотка с витамином С SELENA 30 мл", "brand": "SELENA",
       "size": "30 мл"}  # fmt: skip


@pytest.fixture(autouse=True)
async def listening(shop: Shop) -> None:
    """Facts are handed over from the beginning on."""
    async with shop.database.transaction() as db:
        await outbox_operations.subscribe(
            db, sorted({kind for one in reactions.REACTIONS for kind in one.kinds})
        )


async def work(shop: Shop) -> int:
    """Hand over facts and match again until nothing is left; how many receipts were looked at."""
    looked = 0
    stages = outbox.stages(shop.database, reactions.REACTIONS, clock=shop.clock)
    for _ in range(3):
        for stage in stages:
            while await stage.run():
                pass
        shop.passes(minutes=10)
        while done := await lapsing.rematch_once(shop.database, clock=shop.clock, limit=2):
            looked += done
    return looked


async def learn(shop: Shop, name: str, sku: str | None, inn: str) -> None:
    async with shop.database.transaction() as db:
        await catalog.learn_alias(
            db, seller_inn=inn, name=name, sku=sku, now=shop.at, actor="operator:vera"
        )


class TestANewProduct:
    async def test_is_found_in_receipts_that_were_not_ours(self, shop, anna):
        (result,) = await shop.take(anna, receipt(1, lines=[SERUM]))
        assert result.reason is Reason.NOT_OURS
        await shop.stock([NEW])
        await work(shop)
        shown = await shop.receipt(anna, result.receipt_id)
        assert (shown.status, [one.points for one in shown.matched]) == (Status.ACCEPTED, [100])
        await shop.stock([{**NEW, "category": "лицо"}])
        await work(shop)
        assert (await shop.points(anna)).active == 100

    async def test_beside_others_earns_alone(self, shop, anna):
        (result,) = await shop.take(anna, receipt(1, lines=[CREAM, SERUM]))
        assert (await shop.points(anna)).active == 83
        await shop.stock([NEW])
        await work(shop)
        shown = await shop.receipt(anna, result.receipt_id)
        assert [(one.sku, one.points) for one in shown.matched] == [
            ("CREAM-50", 83),
            ("SERUM-30", 100),
        ]
        assert (await shop.points(anna)).active == 183

    async def test_earns_by_the_programme_of_the_purchases_day(self, shop, anna):
        await shop.take(anna, receipt(1, lines=[SERUM]))
        shop.passes(hours=1)
        await shop.publish(earning={"default_rate_bp": 10_000})
        await shop.stock([NEW])
        await work(shop)
        assert (await shop.points(anna)).active == 100

    async def test_that_was_brought_back_before_it_was_known_brings_nothing(self, shop, anna):
        shop.passes(days=3)
        await shop.take(anna, receipt(1, lines=[CREAM, SERUM]))
        await shop.take(
            anna,
            receipt(2, lines=[CREAM, SERUM], at=NOON + timedelta(days=1), operation=2),
        )
        await shop.stock([NEW])
        await work(shop)
        assert (await shop.points(anna)).active == 0

    async def test_is_looked_for_in_slices_to_the_last(self, shop, anna, boris):
        for number in range(5):
            await shop.take((anna, boris)[number % 2], receipt(number, lines=[SERUM]))
        await shop.stock([NEW])
        assert await work(shop) >= 5
        points = [(await shop.points(who)).active for who in (anna, boris)]
        assert points == [300, 200]

    async def test_requested_again_meanwhile_takes_another_round(self, shop, anna):
        for number in range(3):
            await shop.take(anna, receipt(number, lines=[SERUM]))
        await shop.stock([NEW])
        await work(shop)
        async with shop.database.transaction() as db:
            await rematching.request(db, at=shop.at)
        assert await lapsing.rematch_once(shop.database, clock=shop.clock, limit=2) == 2
        async with shop.database.transaction() as db:
            await rematching.request(db, at=shop.at)
        assert await work(shop) == 4


class TestALearnedName:
    async def test_is_credited_in_that_shop_alone(self, shop, anna, boris):
        lipstick = line("ПОМАДА LUN 1", 50_000)
        here = receipt(1, lines=[lipstick])
        await shop.take(anna, here)
        await shop.take(boris, receipt(2, lines=[lipstick], seller=OZON))
        await learn(shop, "ПОМАДА LUN 1", "LIP-01", here.seller_inn or "")
        await work(shop)
        assert (await shop.points(anna)).active == 50

    async def test_ends_a_review(self, shop, anna, boris):
        lipstick = line("Помада LUNARIA", 50_000)
        (mine,) = await shop.take(anna, receipt(1, lines=[lipstick]))
        (other,) = await shop.take(boris, receipt(2, lines=[lipstick]))
        async with shop.database.transaction() as db:
            await moderating.decide_line(
                db, boris, other.receipt_id, line=1, sku="LIP-02", now=shop.at, actor="x"
            )
        await work(shop)
        assert (await shop.receipt(anna, mine.receipt_id)).status is Status.ACCEPTED
        assert (await shop.points(anna)).active == (await shop.points(boris)).active == 50

    async def test_does_not_overrule_a_person(self, shop, anna):
        (mine,) = await shop.take(anna, receipt(1, lines=[line("Помада LUNARIA", 50_000)]))
        async with shop.database.transaction() as db:
            await moderating.decide_line(
                db, anna, mine.receipt_id, line=1, sku=None, now=shop.at, actor="x"
            )
        await shop.stock([{**NEW, "sku": "LIP-00", "name": "Помада LUNARIA", "brand": "LUNARIA"}])
        await work(shop)
        shown = await shop.receipt(anna, mine.receipt_id)
        assert (shown.status, (await shop.points(anna)).active) == (Status.REJECTED, 0)
