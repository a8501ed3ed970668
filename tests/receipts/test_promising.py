"""A programme trusts small receipts until they are checked: pending points, replaced or taken back."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from vezde.ledger import queries as ledger
from vezde.members import operations as members
from vezde.receipts.model import Status
from vezde.receipts.providers.proverkacheka import Proverkacheka
from vezde.testing.proverkacheka import FakeProverkacheka
from vezde.testing.receipts import line, receipt, render
from vezde.wiring import STEPS

CREAM = line("Крем для лица LUNARIA 50мл", 83_000)
TRUST = {"up_to_kopecks": 100_000, "points": 10, "per_day": 2}


@pytest.fixture
async def fake():
    async with FakeProverkacheka() as running:
        yield running


@pytest.fixture
async def provider(fake):
    made = Proverkacheka(token=fake.token, base_url=fake.base_url)
    yield made
    await made.close()


@pytest.fixture
async def trusting(shop):
    await shop.publish(receipts={"window_days": 30, "per_day": 10, "trust": TRUST})
    shop.passes(hours=1)
    return shop


def paper(shop, number, **more):
    at = shop.at.replace(tzinfo=None) + timedelta(hours=1)
    return receipt(number, lines=[CREAM], at=at, **more)


async def history(shop, who) -> list[tuple[str, int]]:
    async with shop.database.transaction() as db:
        entries = await ledger.history(db, who, limit=20)
    return [(one.title, one.points) for one in reversed(entries)]


class TestAPromise:
    async def test_is_pending_until_the_receipt_is_checked(self, trusting, anna, fake, provider):
        shop, shown = trusting, paper(trusting, 1)
        fake.add(render(shown))
        await shop.show(anna, qr=shown.qr)
        points = await shop.points(anna)
        assert (points.pending, points.active) == (10, 0)
        await shop.work(provider)
        points = await shop.points(anna)
        assert (points.pending, points.active) == (0, 83)
        assert [points for _, points in await history(shop, anna)] == [10, 83, -10]

    async def test_is_taken_back_when_it_is_refuted(self, trusting, anna, fake, provider):
        shop, shown = trusting, paper(trusting, 1)
        fake.add(render(shown))
        await shop.show(anna, qr=replace(shown.qr, fp=1))
        await shop.work(provider)
        points = await shop.points(anna)
        assert (points.pending, points.active, points.debt) == (0, 0, 0)

    async def test_is_made_so_many_times_a_day(self, trusting, anna, boris):
        shop = trusting
        for number in range(4):
            await shop.show(anna, qr=paper(shop, number).qr)
        await shop.show(boris, qr=paper(shop, 9).qr)
        assert ((await shop.points(anna)).pending, (await shop.points(boris)).pending) == (20, 10)
        shop.passes(days=1)
        await shop.show(anna, qr=paper(shop, 20).qr)
        assert (await shop.points(anna)).pending == 30

    async def test_is_not_made_for_large_receipts_nor_where_nobody_trusts(
        self, trusting, shop, anna
    ):
        large = receipt(1, lines=[line("Крем", 100_001)], at=paper(shop, 1).wall_time)
        await shop.show(anna, qr=large.qr)
        assert (await shop.points(anna)).pending == 0
        await shop.publish(receipts={"window_days": 30})
        await shop.show(anna, qr=paper(shop, 2).qr)
        assert (await shop.points(anna)).pending == 0

    async def test_of_two_in_one_moment_is_for_one_of_them(self, trusting, anna, boris):
        shop, shown = trusting, paper(trusting, 1)
        await asyncio.gather(*(shop.show(who, qr=shown.qr) for who in (anna, boris)))
        assert sorted([(await shop.points(who)).pending for who in (anna, boris)]) == [0, 10]

    async def test_is_over_when_the_document_comes_another_way(self, trusting, anna):
        shop, shown = trusting, paper(trusting, 1)
        registered = await shop.show(anna, qr=shown.qr)
        await shop.take(anna, shown)
        await shop.work()
        assert (await shop.receipt(anna, registered.receipt_id)).status is Status.ACCEPTED
        points = await shop.points(anna)
        assert (points.pending, points.active) == (0, 83)

    async def test_is_over_for_whoever_became_another_member(
        self, trusting, anna, boris, fake, provider
    ):
        shop, shown = trusting, paper(trusting, 1)
        fake.add(render(shown))
        await shop.show(boris, qr=shown.qr)
        async with shop.database.transaction() as db:
            await members.merge(
                db, anna, boris, steps=STEPS, vault=shop.vault, now=shop.at, actor="operator:cli"
            )
        assert (await shop.points(anna)).pending == 10
        await shop.work(provider)
        points = await shop.points(anna)
        assert (points.pending, points.active) == (0, 83)

    async def test_ends_with_a_member_who_leaves(self, trusting, anna):
        shop = trusting
        await shop.show(anna, qr=paper(shop, 1).qr)
        async with shop.database.transaction() as db:
            await members.forget(db, anna, steps=STEPS, now=shop.at, actor="operator:cli")
            rows = await db.execute("SELECT ended_at IS NULL FROM receipts.promise")
            assert await rows.fetchall() == [(False,)]
