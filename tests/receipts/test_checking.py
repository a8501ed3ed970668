"""QR texts: a provider is asked, and what it answers decides."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from vezde.receipts.model import Reason, Status
from vezde.receipts.providers.proverkacheka import Proverkacheka
from vezde.testing.proverkacheka import FakeProverkacheka, code, http
from vezde.testing.receipts import NOON, line, receipt, render

CREAM = line("Крем для лица LUNARIA 50мл", 83_000)
PAPER = receipt(1, lines=[CREAM])
FORGED = replace(PAPER.qr, fp=12345)


@pytest.fixture
async def fake():
    async with FakeProverkacheka() as running:
        yield running


@pytest.fixture
async def provider(fake):
    made = Proverkacheka(token=fake.token, base_url=fake.base_url)
    yield made
    await made.close()


class TestAQr:
    async def test_is_answered_at_once_and_settled_when_the_document_comes(
        self, shop, anna, fake, provider
    ):
        fake.add(render(PAPER))
        shown = await shop.show(anna, qr=PAPER.qr)
        assert shown.status is Status.CHECKING
        await shop.work(provider)
        settled = await shop.receipt(anna, shown.receipt_id)
        assert settled.status is Status.ACCEPTED
        assert (await shop.points(anna)).active == 83

    async def test_is_asked_for_again_when_the_document_is_not_there_yet(
        self, shop, anna, fake, provider
    ):
        fake.add(render(PAPER), not_yet=2)
        shown = await shop.show(anna, qr=PAPER.qr)
        await shop.work(provider)
        assert (await shop.receipt(anna, shown.receipt_id)).status is Status.CHECKING
        shop.passes(minutes=5)
        await shop.work(provider)
        shop.passes(hours=1)
        await shop.work(provider)
        assert (await shop.receipt(anna, shown.receipt_id)).status is Status.ACCEPTED

    async def test_is_given_up_after_a_month(self, shop, anna, fake, provider):
        fake.add(render(PAPER), not_yet=1000)
        shown = await shop.show(anna, qr=PAPER.qr)
        for _ in range(40):
            await shop.work(provider)
            shop.passes(days=1)
        found = await shop.receipt(anna, shown.receipt_id)
        assert (found.status, found.reason) == (Status.REJECTED, Reason.NOT_FOUND)

    async def test_quota_and_outages_burn_no_retries(self, shop, anna, fake, provider):
        fake.add(render(PAPER))
        fake.order(code(3), http(500), http(401), code(4))
        shown = await shop.show(anna, qr=PAPER.qr)
        for _ in range(4):
            await shop.work(provider)
            assert (await shop.receipt(anna, shown.receipt_id)).status is Status.CHECKING
            shop.passes(hours=7)
        await shop.work(provider)
        assert (await shop.receipt(anna, shown.receipt_id)).status is Status.ACCEPTED
        assert await _asked(shop) == []

    async def test_of_buying_or_too_old_asks_nobody(self, shop, anna, fake, provider):
        back = await shop.show(anna, qr=replace(PAPER.qr, operation=3))
        old = await shop.show(anna, qr=replace(PAPER.qr, wall_time=NOON - timedelta(days=60)))
        assert (back.reason, old.reason) == (Reason.WRONG_OPERATION, Reason.TOO_OLD)
        await shop.work(provider)
        assert fake.asked == []

    async def test_of_two_members_in_the_same_moment_has_one_owner(
        self, shop, anna, boris, fake, provider
    ):
        fake.add(render(PAPER))
        shown = await asyncio.gather(*(shop.show(who, qr=PAPER.qr) for who in (anna, boris)))
        assert sorted(one.status for one in shown) == [Status.CHECKING, Status.REJECTED]
        await shop.work(provider)
        balances = [(await shop.points(who)).active for who in (anna, boris)]
        assert sorted(balances) == [0, 83]

    async def test_shown_again_names_the_first(self, shop, anna):
        first = await shop.show(anna, qr=PAPER.qr)
        again = await shop.show(anna, qr=PAPER.qr)
        assert again.reason is Reason.ALREADY_REGISTERED
        assert again.first_receipt_id == first.receipt_id


class TestAWrongSignatureFirst:
    async def test_does_not_lock_the_owner_out(self, shop, anna, boris, fake, provider):
        fake.add(render(PAPER))
        forged = await shop.show(boris, qr=FORGED)
        honest = await shop.show(anna, qr=PAPER.qr)
        assert (forged.status, honest.status) == (Status.CHECKING, Status.CHECKING)
        await shop.work(provider)
        assert (await shop.receipt(boris, forged.receipt_id)).status is Status.REJECTED
        assert (await shop.receipt(anna, honest.receipt_id)).status is Status.ACCEPTED
        assert (await shop.points(anna)).active == 83

    async def test_does_not_keep_the_owner_waiting_for_weeks(
        self, shop, anna, boris, fake, provider
    ):
        fake.order(code(2))  # the forged one is «not there yet»
        fake.add(render(PAPER))
        await shop.show(boris, qr=FORGED)
        honest = await shop.show(anna, qr=PAPER.qr)
        await shop.work(provider)
        assert (await shop.receipt(anna, honest.receipt_id)).status is Status.ACCEPTED

    async def test_gives_way_to_a_verified_document(self, shop, anna, boris, fake, provider):
        fake.add(render(PAPER))
        forged = await shop.show(boris, qr=FORGED)
        (taken,) = await shop.take(anna, PAPER)
        assert taken.status is Status.ACCEPTED
        await shop.work(provider)
        assert (await shop.receipt(boris, forged.receipt_id)).status is Status.REJECTED

    async def test_after_the_document_is_known_reads_forged(self, shop, anna, boris):
        await shop.take(anna, PAPER)
        late = await shop.show(boris, qr=FORGED)
        assert late.reason is Reason.FORGED
        same = await shop.show(boris, qr=PAPER.qr)
        assert same.reason is Reason.TAKEN

    async def test_of_the_member_himself_is_a_typo_that_is_put_right(
        self, shop, anna, fake, provider
    ):
        fake.add(render(PAPER))
        typo = await shop.show(anna, qr=FORGED)
        right = await shop.show(anna, qr=PAPER.qr)
        await shop.work(provider)
        assert (await shop.receipt(anna, typo.receipt_id)).status is Status.REJECTED
        assert (await shop.receipt(anna, right.receipt_id)).status is Status.ACCEPTED


class TestAVerifiedDocument:
    async def test_at_the_front_door_is_settled_by_the_worker(self, shop, anna):
        shown = await shop.show(anna, document=PAPER)
        assert shown.status is Status.CHECKING
        await shop.work()
        assert (await shop.receipt(anna, shown.receipt_id)).status is Status.ACCEPTED

    async def test_settles_the_members_own_receipt_that_is_being_checked(self, shop, anna):
        shown = await shop.show(anna, qr=PAPER.qr)
        (result,) = await shop.take(anna, PAPER)
        assert (result.receipt_id, result.repeated) == (shown.receipt_id, True)
        assert (await shop.receipt(anna, shown.receipt_id)).status is Status.ACCEPTED
        await shop.work()
        assert (await shop.points(anna)).active == 83

    async def test_of_somebody_who_vouches_for_nothing_is_asked_for(
        self, shop, anna, fake, provider
    ):
        fake.add(render(PAPER))
        (result,) = await shop.take(anna, PAPER, verified=False)
        assert result.status is Status.CHECKING
        await shop.work(provider)
        assert (await shop.receipt(anna, result.receipt_id)).status is Status.ACCEPTED


async def _asked(shop) -> list[tuple]:
    async with shop.database.transaction() as db:
        return await (await db.execute("SELECT * FROM receipts.verification")).fetchall()
