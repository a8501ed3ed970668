"""Several providers: who is asked after whom, paused when, and what a day may cost."""

import asyncio
from dataclasses import replace

import pytest

from vezde.receipts import queries, troubles, work
from vezde.receipts.model import Reason, Status
from vezde.receipts.operations import providing
from vezde.receipts.providers.documents import DocumentsFolder
from vezde.receipts.providers.proverkacheka import Proverkacheka
from vezde.receipts.standing import Pause, Standing
from vezde.testing.people import Person, phone
from vezde.testing.proverkacheka import FakeProverkacheka, Fault, code, http, slow
from vezde.testing.receipts import line, receipt, render

CREAM = line("Крем для лица LUNARIA 50мл", 83_000)
PAPERS = [receipt(number, lines=[CREAM]) for number in range(1, 40)]
PAPER = PAPERS[0]


@pytest.fixture
async def pair():
    """Two vendors and who asks them."""
    async with FakeProverkacheka() as first, FakeProverkacheka() as second:
        askers = [
            Proverkacheka(token=one.token, base_url=one.base_url, timeout_seconds=20)
            for one in (first, second)
        ]
        askers[0].name, askers[1].name = "first", "second"
        for paper in PAPERS:
            first.add(render(paper))
            second.add(render(paper))
        yield first, second, askers
        for one in askers:
            await one.close()


async def stood(shop, *names: str) -> list[Standing]:
    async with shop.database.transaction() as db:
        return await queries.providers(db, names or ("first", "second"), wall=shop.at)


async def configure(shop, name: str, **limits) -> None:
    async with shop.database.transaction() as db:
        await providing.install(db, [name])
        await providing.configure(db, name, limits, wall=shop.at, actor="operator:anna")


async def kinds(shop) -> list[tuple[str, dict]]:
    async with shop.database.transaction() as db:
        rows = await db.execute(
            "SELECT kind, data FROM outbox.fact WHERE kind LIKE 'provider.%' ORDER BY id"
        )
        return await rows.fetchall()


async def waiting(shop) -> list[tuple[int, int]]:
    async with shop.database.transaction() as db:
        rows = await db.execute("SELECT asked, faults FROM receipts.verification")
        return await rows.fetchall()


async def seen(shop) -> list[str]:
    async with shop.database.transaction() as db:
        everything = {"at": "9999-01-01", "first": "f" * 32, "second": "f" * 32, "limit": 50}
        rows = await (await db.execute(troubles.PROVIDERS, everything)).fetchall()
        count = await (await db.execute(troubles.PROVIDERS_COUNT)).fetchone()
    assert count == (len(rows),)
    return [f"{row[3]}: {row[4]}" for row in rows]


class TestFallback:
    async def test_the_second_is_asked_only_when_the_first_fails(self, shop, anna, pair):
        first, second, askers = pair
        await shop.show(anna, qr=PAPERS[0].qr)
        await shop.work(*askers)
        assert (len(first.asked), len(second.asked)) == (1, 0)
        first.order(http(500))
        shown = await shop.show(anna, qr=PAPERS[1].qr)
        await shop.work(*askers)
        assert len(second.asked) == 1
        assert (await shop.receipt(anna, shown.receipt_id)).status is Status.ACCEPTED

    async def test_of_one_source_the_word_of_one_is_enough(self, shop, anna, pair):
        first, second, askers = pair
        first.order(code(2))
        await shop.show(anna, qr=PAPER.qr)
        await shop.work(*askers)
        assert (len(first.asked), len(second.asked)) == (1, 0)
        assert await waiting(shop) == [(1, 0)]

    async def test_not_there_by_the_second_counts_while_the_first_is_down(self, shop, anna, pair):
        first, second, askers = pair
        first.always = http(503)
        second.order(code(2))
        await shop.show(anna, qr=PAPER.qr)
        await shop.work(*askers)
        assert await waiting(shop) == [(1, 0)]

    async def test_an_operators_place_comes_before_the_order_of_the_settings(
        self, shop, anna, pair
    ):
        first, second, askers = pair
        await configure(shop, "second", place=1)
        await shop.show(anna, qr=PAPER.qr)
        await shop.work(*askers)
        assert (len(first.asked), len(second.asked)) == (0, 1)

    async def test_a_folder_that_lacks_it_says_nothing_while_the_vendor_is_paused(
        self, shop, anna, pair, tmp_path
    ):
        first, _, askers = pair
        first.always = http(500)
        shown = await shop.show(anna, qr=PAPER.qr)
        for _ in range(6):
            await shop.work(DocumentsFolder(tmp_path), askers[0])
            shop.passes(seconds=20)
        assert (await shop.receipt(anna, shown.receipt_id)).status is Status.CHECKING


class TestAnOutage:
    async def test_pauses_the_vendor_and_spares_the_receipts(self, shop, anna, pair):
        first, _, askers = pair
        first.always = http(502)
        for paper in PAPERS[:20]:
            await shop.show(anna, qr=paper.qr)
        await shop.work(askers[0])
        assert len(first.asked) <= 8  # one round, then nobody
        (one,) = await stood(shop, "first")
        assert one.paused_because == Pause.OUTAGE
        untouched = [faults for _, faults in await waiting(shop)].count(0)
        assert untouched >= 12
        assert await kinds(shop) == [
            ("provider.paused/1", {"provider": "first", "because": "outage"})
        ]
        asked = len(first.asked)
        shop.passes(seconds=10)
        await shop.work(askers[0])
        assert len(first.asked) == asked

    async def test_is_probed_by_one_then_all_go_through(self, shop, anna, pair):
        first, _, askers = pair
        first.always = http(502)
        for paper in PAPERS[:20]:
            await shop.show(anna, qr=paper.qr)
        await shop.work(askers[0])
        asked = len(first.asked)
        shop.passes(seconds=40)
        await shop.work(askers[0])
        assert len(first.asked) == asked + 1
        first.always = None
        shop.passes(minutes=3)
        await shop.work(askers[0])
        shop.passes(minutes=11)
        await shop.work(askers[0])
        assert await waiting(shop) == []
        assert (await kinds(shop))[-1] == ("provider.resumed/1", {"provider": "first"})
        assert (await stood(shop, "first"))[0].failures == 0

    async def test_that_lasts_is_a_trouble(self, shop, anna, pair):
        first, _, askers = pair
        first.always = http(502)
        for paper in PAPERS[:3]:
            await shop.show(anna, qr=paper.qr)
        await shop.work(askers[0])
        assert await seen(shop) == []
        for _ in range(8):
            shop.passes(minutes=12)
            await shop.work(askers[0])
        assert await seen(shop) == ["first: outage: proverkacheka: HTTP 502"]


class TestAQuota:
    async def test_pauses_until_it_is_over_and_burns_nothing(self, shop, anna, pair):
        first, _, askers = pair
        first.always = http(429, retry_after=7200)
        shown = [await shop.show(anna, qr=paper.qr) for paper in PAPERS[:5]]
        await shop.work(askers[0])
        asked = len(first.asked)
        first.always = None
        for _ in range(11):
            shop.passes(minutes=10)
            await shop.work(askers[0])
        assert len(first.asked) == asked
        assert all(of == 0 for of, _ in await waiting(shop))
        shop.passes(minutes=30)
        await shop.work(askers[0])
        shop.passes(minutes=1)
        await shop.work(askers[0])
        for one in shown:
            assert (await shop.receipt(anna, one.receipt_id)).status is Status.ACCEPTED

    async def test_of_one_leaves_the_work_to_the_other(self, shop, anna, pair):
        first, second, askers = pair
        first.always = code(3)
        for paper in PAPERS[:9]:
            await shop.show(anna, qr=paper.qr)
        await shop.work(*askers)
        assert (await shop.points(anna)).active == 9 * 83
        assert len(second.asked) == 9


class TestAnotherReceipt:
    async def test_makes_the_vendor_distrusted_and_is_not_used(self, shop, anna, pair):
        first, second, askers = pair
        first.order(_wrapped(PAPERS[5]))
        shown = await shop.show(anna, qr=PAPER.qr)
        await shop.work(*askers)
        one, other = await stood(shop)
        assert (one.paused_because, one.until_wall) == (Pause.DISTRUSTED, None)
        assert other.paused_because is None
        assert (await shop.receipt(anna, shown.receipt_id)).document.key == PAPER.key
        assert len(second.asked) == 1
        assert await kinds(shop) == [
            ("provider.paused/1", {"provider": "first", "because": "distrusted"})
        ]
        assert await seen(shop) == [
            "first: distrusted: proverkacheka: the document of another receipt"
        ]
        shop.passes(days=3)
        await shop.show(anna, qr=PAPERS[1].qr)
        await shop.work(*askers)
        assert len(first.asked) == 1

    async def test_is_forgiven_by_an_operator_alone(self, shop, anna, pair):
        first, _, askers = pair
        first.order(_wrapped(PAPERS[5]))
        shown = await shop.show(anna, qr=PAPER.qr)
        await shop.work(askers[0])
        async with shop.database.transaction() as db:
            await providing.resume(db, "first", now=shop.at, wall=shop.at, actor="operator:anna")
        await shop.work(askers[0])
        assert (await shop.receipt(anna, shown.receipt_id)).status is Status.ACCEPTED
        assert await seen(shop) == []


class TestADay:
    async def test_is_not_overdrawn_by_two_workers(self, shop, anna, pair):
        first, _, askers = pair
        await configure(shop, "first", asks_per_day=11, price_kopecks=30)
        for paper in PAPERS[:30]:
            await shop.show(anna, qr=paper.qr)
        first.always = slow(0.05)
        for _ in range(4):
            await asyncio.gather(
                *(work.ask_once(shop.database, askers[:1], clock=shop.clock) for _ in range(3))
            )
        assert len(first.asked) == 11
        (one,) = await stood(shop, "first")
        assert (one.asked, one.spent_kopecks, one.left) == (11, 330, 0)
        told = [data for kind, data in await kinds(shop) if kind == "provider.running_out/1"]
        assert [(each["what"], each["most"]) for each in told] == [("asks", 11)]
        assert await seen(shop) == ["first: runs out: asks"]

    async def test_gives_back_what_was_not_asked(self, shop, anna, pair):
        _, second, askers = pair
        await configure(shop, "second", asks_per_day=100, price_kopecks=30)
        for paper in PAPERS[:5]:
            await shop.show(anna, qr=paper.qr)
        await shop.work(*askers)
        one, other = await stood(shop)
        assert (one.asked, one.found) == (5, 5)
        assert (other.asked, other.spent_kopecks, len(second.asked)) == (0, 0, 0)

    async def test_goes_on_the_next_morning(self, shop, anna, pair):
        first, _, askers = pair
        await configure(shop, "first", budget_kopecks_per_day=100, price_kopecks=40)
        for paper in PAPERS[:5]:
            await shop.show(anna, qr=paper.qr)
        await shop.work(askers[0])
        assert len(first.asked) == 2
        shop.passes(hours=16)
        await shop.work(askers[0])
        assert len(first.asked) == 4


class TestAFloodOfMadeUpReceipts:
    async def _flood(self, shop, askers) -> None:
        """Three tries each of a dozen people nobody knows; three a day are asked for at once."""
        for number in range(12):
            who = await shop.enrol(Person(f"№ {number}", phone(100 + number), "x@example.com"))
            for fd in range(3):
                await shop.show(who, qr=replace(PAPERS[20].qr, fd=1_000 + 3 * number + fd))
            await shop.work(*askers)

    async def test_leaves_half_of_the_day_to_those_who_are_known(self, shop, anna, boris, pair):
        first, _, askers = pair
        await configure(shop, "first", asks_per_day=60)
        await shop.take(anna, receipt(900, lines=[CREAM]))
        await self._flood(shop, askers[:1])
        (one,) = await stood(shop, "first")
        assert (one.asked, one.spared) == (33, True)  # and the last one's three wait
        assert [kind for kind, _ in await kinds(shop)] == ["provider.running_out/1"]
        hers = await shop.show(anna, qr=PAPERS[0].qr)
        his = await shop.show(boris, qr=PAPERS[1].qr)
        await shop.work(askers[0])
        assert (await shop.receipt(anna, hers.receipt_id)).status is Status.ACCEPTED
        assert (await shop.receipt(boris, his.receipt_id)).status is Status.CHECKING
        assert (len(first.asked), (await stood(shop, "first"))[0].asked) == (34, 34)
        shop.passes(hours=16)  # another day
        await shop.work(askers[0])
        assert (await shop.receipt(boris, his.receipt_id)).status is Status.ACCEPTED

    async def test_keeps_nobody_from_a_vendor_without_a_limit(self, shop, boris, pair):
        first, second, askers = pair
        await configure(shop, "first", asks_per_day=60)
        await self._flood(shop, askers[:1])
        his = await shop.show(boris, qr=PAPERS[1].qr)
        await shop.work(*askers)
        assert (await shop.receipt(boris, his.receipt_id)).status is Status.ACCEPTED
        assert (len(first.asked), len(second.asked)) == (33, 1)

    async def test_is_over_when_the_limit_is_raised(self, shop, boris, pair):
        _, _, askers = pair
        await configure(shop, "first", asks_per_day=60)
        await self._flood(shop, askers[:1])
        his = await shop.show(boris, qr=PAPERS[1].qr)
        await shop.work(askers[0])
        await configure(shop, "first", asks_per_day=600)
        shop.passes(hours=2)
        await shop.work(askers[0])
        assert (await shop.receipt(boris, his.receipt_id)).status is Status.ACCEPTED


class TestNotThereYet:
    async def test_is_not_called_missing_for_a_vendor_that_was_down(self, shop, anna, pair):
        first, _, askers = pair
        first.always = http(500)
        shown = await shop.show(anna, qr=PAPER.qr)
        for _ in range(100):
            shop.passes(hours=8)
            await shop.work(askers[0])
        first.always = None
        shop.passes(hours=2)
        await shop.work(askers[0])
        assert (await shop.receipt(anna, shown.receipt_id)).status is Status.ACCEPTED

    async def test_of_a_wrong_sign_is_forged_whoever_is_asked(self, shop, anna, pair):
        _, second, askers = pair
        shown = await shop.show(anna, qr=replace(PAPER.qr, fp=7))
        await shop.work(*askers)
        assert (await shop.receipt(anna, shown.receipt_id)).reason is Reason.FORGED
        assert second.asked == []


def _wrapped(paper) -> Fault:
    import json

    body = json.dumps({"code": 1, "data": {"json": render(paper)}}).encode()
    return Fault(body=body)
