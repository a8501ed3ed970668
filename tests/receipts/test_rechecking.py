"""Asked for again before the hold ends: the same, gone, changed, or nobody answers."""

from dataclasses import replace
from uuid import UUID

import pytest

from vezde.ledger import operations as ledger
from vezde.receipts import rechecking as stage
from vezde.receipts.operations import providing, rechecking
from vezde.receipts.operations.rechecking import Recheck, RecheckDecided
from vezde.receipts.providers.proverkacheka import Proverkacheka
from vezde.testing.proverkacheka import FakeProverkacheka, code, http
from vezde.testing.receipts import OZON, PYATEROCHKA, line, receipt, render

from .conftest import Shop

CREAM = line("Крем для лица LUNARIA 50мл", 83_000)
PAPER = receipt(1, lines=[CREAM], seller=OZON)
RULES = {"recheck_channels": ["ozon"], "recheck_from_kopecks": 50_000}


@pytest.fixture
async def vendor():
    """A vendor over a socket, and who asks it."""
    async with FakeProverkacheka() as fake:
        asker = Proverkacheka(token=fake.token, base_url=fake.base_url, timeout_seconds=20)
        yield fake, asker
        await asker.close()


@pytest.fixture
async def careful(shop: Shop) -> Shop:
    await shop.publish(moderation=RULES)
    shop.passes(minutes=1)
    return shop


async def asks(shop: Shop, *askers) -> int:
    return await stage.recheck_once(shop.database, askers, clock=shop.clock)


async def states(shop: Shop) -> dict[str, int]:
    async with shop.database.transaction() as db:
        return await rechecking.counted(db, now=shop.at)


async def held(shop: Shop) -> list[Recheck]:
    async with shop.database.transaction() as db:
        return await rechecking.page(db, decided=False, after=None, limit=10)


async def settled(shop: Shop, who: UUID) -> tuple[int, int]:
    """(active, pending) with all that time has done by now."""
    async with shop.database.transaction() as db:
        await ledger.settle_due(db, now=shop.at, limit=100)
    points = await shop.points(who)
    return points.active, points.pending


async def decide(shop: Shop, one: Recheck, *, release: bool) -> Recheck:
    async with shop.database.transaction() as db:
        return await rechecking.decide(
            db, one.recheck_id, release=release, now=shop.at, actor="operator:test"
        )


async def held_back(shop: Shop, vendor, anna: UUID) -> Recheck:
    """The document is gone when it is asked for again, twice."""
    _, asker = vendor
    await shop.take(anna, PAPER)
    shop.passes(days=12)
    await asks(shop, asker)
    assert await held(shop) == [], "one miss may be a glitch"
    shop.passes(hours=2)
    await asks(shop, asker)
    (one,) = await held(shop)
    return one


class TestAsking:
    async def test_the_same_becomes_active_on_its_day(self, careful, vendor, anna):
        fake, asker = vendor
        fake.add(render(PAPER))
        await careful.take(anna, PAPER)
        careful.passes(days=5)
        assert await asks(careful, asker) == 0
        careful.passes(days=7)
        assert await asks(careful, asker) == 1
        assert await states(careful) == {"same": 1}
        assert (await settled(careful, anna))[0] == 0
        careful.passes(days=2)
        active, pending = await settled(careful, anna)
        assert active > 0
        assert pending == 0

    async def test_nobody_waits_for_a_vendor(self, careful, vendor, anna):
        fake, asker = vendor
        await careful.take(anna, PAPER)
        fake.order(*[http(500)] * 50)
        careful.passes(days=11)
        for _ in range(8):
            await asks(careful, asker)
            careful.passes(hours=12)
        assert await states(careful) == {"unasked": 1}
        assert (await settled(careful, anna))[0] > 0

    async def test_without_providers_the_hold_ends_as_well(self, careful, anna):
        await careful.take(anna, PAPER)
        careful.passes(days=15)
        assert await asks(careful) == 1
        assert await states(careful) == {"unasked": 1}
        assert (await settled(careful, anna))[0] > 0

    async def test_is_of_the_channels_and_sums_of_the_programme(self, careful, anna):
        small = receipt(2, lines=[replace(CREAM, sum_kopecks=40_000)], seller=OZON)
        chain = receipt(3, lines=[CREAM], seller=PYATEROCHKA)
        await careful.take(anna, small, chain)
        assert await states(careful) == {}

    async def test_is_off_by_default(self, shop, anna):
        await shop.take(anna, PAPER)
        assert await states(shop) == {}

    async def test_many_are_asked_in_bounded_batches_within_the_quota(self, careful, vendor, anna):
        fake, asker = vendor
        papers = [receipt(number, lines=[CREAM], seller=OZON) for number in range(1, 11)]
        for paper in papers:
            fake.add(render(paper))
        await careful.take(anna, *papers)
        async with careful.database.transaction() as db:
            await providing.install(db, [asker.name])
            await providing.configure(
                db, asker.name, {"asks_per_day": 9}, wall=careful.at, actor="operator:test"
            )
        careful.passes(days=12)
        assert await asks(careful, asker) == 8
        assert await asks(careful, asker) == 0, "the rest of the day is for new receipts"
        careful.passes(hours=20)
        assert await asks(careful, asker) == 2
        assert await states(careful) == {"same": 10}

    async def test_a_quota_says_nothing_of_the_receipt(self, careful, vendor, anna):
        fake, asker = vendor
        await careful.take(anna, PAPER)
        fake.order(code(3))
        careful.passes(days=12)
        await asks(careful, asker)
        assert await states(careful) == {"waiting": 1}
        async with careful.database.transaction() as db:
            row = await (await db.execute("SELECT misses FROM receipts.recheck")).fetchone()
        assert row == (0,)


class TestHolding:
    async def test_what_is_gone_waits_for_a_person(self, careful, vendor, anna):
        one = await held_back(careful, vendor, anna)
        assert (one.because, one.member_id) == ("gone", anna)
        assert await settled(careful, anna) == (0, 0)
        careful.passes(days=5)
        assert await settled(careful, anna) == (0, 0)

    async def test_what_changed_does_too(self, careful, vendor, anna):
        fake, asker = vendor
        dearer = replace(PAPER, lines=(replace(PAPER.lines[0], sum_kopecks=50_000),))
        fake.add(render(dearer))
        await careful.take(anna, PAPER)
        careful.passes(days=12)
        await asks(careful, asker)
        careful.passes(hours=2)
        await asks(careful, asker)
        (one,) = await held(careful)
        assert one.because == "changed"
        assert one.note is not None
        assert "lines" in one.note

    async def test_released_brings_the_points_once(self, careful, vendor, anna):
        one = await held_back(careful, vendor, anna)
        for _ in range(2):
            assert (await decide(careful, one, release=True)).state == "released"
        careful.passes(days=5)
        active, pending = await settled(careful, anna)
        assert (active, pending) == (41, 0)
        with pytest.raises(RecheckDecided):
            await decide(careful, one, release=False)

    async def test_declined_stays_without(self, careful, vendor, anna):
        one = await held_back(careful, vendor, anna)
        await decide(careful, one, release=False)
        careful.passes(days=5)
        assert await settled(careful, anna) == (0, 0)
        assert await held(careful) == []

    async def test_a_document_that_comes_back_is_the_same(self, careful, vendor, anna):
        fake, asker = vendor
        await careful.take(anna, PAPER)
        careful.passes(days=12)
        await asks(careful, asker)
        fake.add(render(PAPER))
        careful.passes(hours=2)
        await asks(careful, asker)
        assert await states(careful) == {"same": 1}

    async def test_a_return_shown_meanwhile_is_not_given_again(self, careful, vendor, anna):
        one = await held_back(careful, vendor, anna)
        back = replace(receipt(9, lines=[CREAM], seller=OZON), operation=2)
        await careful.take(anna, back)
        await decide(careful, one, release=True)
        careful.passes(days=5)
        assert await settled(careful, anna) == (0, 0)


class TestPeopleWhoGo:
    async def test_nothing_waits_of_who_is_forgotten(self, careful, vendor, anna):
        one = await held_back(careful, vendor, anna)
        await careful.forget(anna)
        assert await states(careful) == {}
        async with careful.database.transaction() as db:
            assert await rechecking.one(db, one.recheck_id) is None

    async def test_it_goes_with_who_is_merged(self, careful, vendor, anna, boris):
        one = await held_back(careful, vendor, anna)
        await careful.merge(boris, anna)
        await decide(careful, one, release=True)
        careful.passes(days=5)
        assert await settled(careful, boris) == (41, 0)
