"""Guessing is slowed down, tells nothing, and harms nobody who is honest; late documents are told."""

from dataclasses import replace
from datetime import timedelta

import pytest

from vezde.receipts.model import Reason, Status
from vezde.receipts.operations import pacing
from vezde.receipts.providers.proverkacheka import Proverkacheka
from vezde.testing.proverkacheka import FakeProverkacheka
from vezde.testing.receipts import line, receipt, render

CREAM = line("Крем для лица LUNARIA 50мл", 83_000)
PAPERS = [receipt(number, lines=[CREAM]) for number in range(1, 40)]
PAPER = PAPERS[0]


@pytest.fixture
async def fake():
    async with FakeProverkacheka() as running:
        for paper in PAPERS:
            running.add(render(paper))
        yield running


@pytest.fixture
async def provider(fake):
    made = Proverkacheka(token=fake.token, base_url=fake.base_url)
    yield made
    await made.close()


async def guess(shop, who, provider, times: int) -> None:
    for fp in range(times):
        await shop.show(who, qr=replace(PAPERS[20].qr, fp=fp + 1))
        await shop.work(provider)


async def known(shop, who) -> None:
    """They have shown a receipt before that was there."""
    await shop.take(who, receipt(900, lines=[CREAM]))


async def facts(shop, kind: str) -> int:
    async with shop.database.transaction() as db:
        row = await db.execute("SELECT count(*) FROM outbox.fact WHERE kind = %s", [kind])
        return (await row.fetchone())[0]


class TestGuessing:
    async def test_waits_ever_longer(self, shop, anna, fake, provider):
        await known(shop, anna)
        await guess(shop, anna, provider, 5)
        assert len(fake.asked) == 5
        await guess(shop, anna, provider, 4)
        assert len(fake.asked) == 5
        shop.passes(minutes=11)
        await shop.work(provider)
        assert 5 < len(fake.asked) <= 9
        asked = len(fake.asked)
        for _ in range(24):
            await shop.show(anna, qr=replace(PAPERS[21].qr, fp=asked + 100))
            shop.passes(minutes=10)
            await shop.work(provider)
        assert len(fake.asked) - asked <= 8

    async def test_of_a_stranger_has_fewer_free_tries(self, shop, anna, fake, provider):
        await guess(shop, anna, provider, 6)
        assert len(fake.asked) == 3
        shop.passes(minutes=11)
        await shop.work(provider)
        assert len(fake.asked) > 3

    async def test_is_answered_alike_whichever_field_is_wrong(self, shop, anna, provider):
        wrong = [
            replace(PAPER.qr, fp=1),
            replace(PAPER.qr, total_kopecks=1),
            replace(PAPER.qr, wall_time=PAPER.wall_time + timedelta(minutes=1)),
        ]
        for qr in wrong:
            shown = await shop.show(anna, qr=qr)
            await shop.work(provider)
            found = await shop.receipt(anna, shown.receipt_id)
            assert (found.status, found.reason) == (Status.REJECTED, Reason.FORGED)

    async def test_of_what_another_has_is_answered_alike(self, shop, anna, boris):
        await shop.take(anna, PAPER)
        for qr in (
            replace(PAPER.qr, fp=1),
            replace(PAPER.qr, total_kopecks=1),
            replace(PAPER.qr, wall_time=PAPER.wall_time + timedelta(minutes=1)),
        ):
            assert (await shop.show(boris, qr=qr)).reason is Reason.FORGED
        assert (await shop.show(boris, qr=PAPER.qr)).reason is Reason.TAKEN

    async def test_by_one_slows_nobody_else(self, shop, anna, boris, provider):
        await guess(shop, anna, provider, 8)
        shown = await shop.show(boris, qr=PAPER.qr)
        await shop.work(provider)
        assert (await shop.receipt(boris, shown.receipt_id)).status is Status.ACCEPTED

    async def test_does_not_hold_up_the_owner_of_the_paper(self, shop, anna, boris, provider):
        await guess(shop, anna, provider, 9)
        await shop.show(anna, qr=replace(PAPER.qr, fp=1))
        shown = await shop.show(boris, qr=PAPER.qr)
        await shop.work(provider)
        assert (await shop.receipt(boris, shown.receipt_id)).status is Status.ACCEPTED

    async def test_in_one_go_is_put_off_as_well(self, shop, anna, fake, provider):
        for paper in PAPERS[:30]:
            await shop.show(anna, qr=replace(paper.qr, fp=1))
        await shop.work(provider)
        assert len(fake.asked) <= 16

    async def test_is_forgotten_after_a_day(self, shop, anna, fake, provider):
        await guess(shop, anna, provider, 5)
        shop.passes(days=1, minutes=1)
        shown = await shop.show(anna, qr=PAPER.qr)
        await shop.work(provider)
        assert (await shop.receipt(anna, shown.receipt_id)).status is Status.ACCEPTED

    def test_delays(self):
        minutes = [pacing.delay(n) / timedelta(minutes=1) for n in (0, 4, 5, 6, 7, 11, 10**6)]
        assert minutes == [0, 0, 10, 20, 40, 360, 360]
        strangers = [pacing.delay(n, is_known=False) / timedelta(minutes=1) for n in (2, 3, 4, 99)]
        assert strangers == [0, 10, 20, 360]


class TestADocumentThatIsLate:
    async def test_is_told_of_once(self, shop, anna, fake, provider):
        fake.add(render(PAPER), not_yet=4)
        shown = await shop.show(anna, qr=PAPER.qr)
        await shop.work(provider)
        assert (await shop.receipt(anna, shown.receipt_id)).reason is None
        for _ in range(3):
            shop.passes(hours=24)
            await shop.work(provider)
            found = await shop.receipt(anna, shown.receipt_id)
            assert (found.status, found.reason) == (Status.CHECKING, Reason.NOT_YET)
        assert await facts(shop, "receipt.delayed/1") == 1
        shop.passes(hours=24)
        await shop.work(provider)
        found = await shop.receipt(anna, shown.receipt_id)
        assert (found.status, found.reason) == (Status.ACCEPTED, None)
