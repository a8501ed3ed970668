"""OFD.ru «QR Cash», public pages, pushed documents: over real sockets and a real database."""

import logging
from dataclasses import replace
from datetime import timedelta

import pytest

from vezde.receipts import work
from vezde.receipts.model import Reason, Status
from vezde.receipts.operations import pushing
from vezde.receipts.operations.pushing import Kept
from vezde.receipts.providers.documents import DocumentsFolder
from vezde.receipts.providers.pages import Pages
from vezde.receipts.providers.protocol import Answer, Query, Verdict
from vezde.receipts.providers.pushed import Pushed
from vezde.receipts.providers.qr_cash import QrCash
from vezde.testing.ofd_pages import FakePages
from vezde.testing.qr_cash import FakeQrCash
from vezde.testing.receipts import Shape, line, receipt, render

CREAM = line("Крем для лица LUNARIA 50мл", 83_000)
PAPER = receipt(1, lines=[CREAM])
OTHER = receipt(2, lines=[CREAM])


class TestQrCash:
    @pytest.fixture
    async def fake(self):
        async with FakeQrCash(token="verySecret") as running:
            running.add(PAPER)
            yield running

    @pytest.fixture
    async def provider(self, fake):
        made = QrCash(token="verySecret", base_url=fake.base_url, timeout_seconds=20)
        yield made
        await made.close()

    async def test_brings_the_document(self, fake, provider):
        assert await provider.fetch(Query(PAPER.qr)) == Answer(Verdict.FOUND, PAPER)
        assert fake.asked == [
            {
                "TotalSum": 83_000,
                "DocDateTime": "2026-11-17T12:30:00",
                "FnNumber": f"{PAPER.key.fn:016d}",
                "ReceiptOperationType": "1",
                "DocNumber": str(PAPER.key.fd),
                "DocFiscalSign": str(PAPER.key.fp),
            }
        ]

    @pytest.mark.parametrize(
        ("status", "verdict", "wait"),
        [
            (401, Verdict.REFUSED, None), (402, Verdict.REFUSED, None),
            (403, Verdict.REFUSED, None), (404, Verdict.NOT_YET, None),
            (406, Verdict.FORGED, None), (429, Verdict.QUOTA, 90),
            (500, Verdict.UNAVAILABLE, None), (302, Verdict.UNAVAILABLE, None),
        ],
    )  # fmt: skip
    async def test_reads_every_status(self, fake, provider, status, verdict, wait):
        fake.orders.append(status)
        answer = await provider.fetch(Query(PAPER.qr))
        assert (answer.verdict, answer.retry_after_seconds) == (verdict, wait)

    async def test_reads_odd_answers(self, fake, provider, caplog):
        caplog.set_level(logging.DEBUG)
        fake.answers.extend([None, {"Document": None}, {"a": 1}, [], render(OTHER, Shape.OFD_RU)])
        answers = [await provider.fetch(Query(PAPER.qr)) for _ in range(5)]
        assert [one.verdict for one in answers] == [
            Verdict.NOT_YET, Verdict.NOT_YET, Verdict.UNAVAILABLE, Verdict.UNAVAILABLE,
            Verdict.WRONG,
        ]  # fmt: skip
        assert "verySecret" not in caplog.text + repr(answers)

    async def test_a_wrong_sign_is_forged(self, provider):
        answer = await provider.fetch(Query(replace(PAPER.qr, fp=1)))
        assert answer.verdict is Verdict.FORGED


class TestPages:
    @pytest.fixture
    async def fake(self):
        async with FakePages() as running:
            yield running

    @pytest.fixture
    async def provider(self, fake):
        made = Pages(through=fake.base_url, timeout_seconds=20)
        yield made
        await made.close()

    @pytest.mark.parametrize("at", ["platformaofd", "taxcom", "1-ofd"])
    async def test_bring_the_document(self, fake, provider, at):
        fake.add(PAPER, at=at)
        answer = await provider.fetch(Query(PAPER.qr))
        assert answer.verdict is Verdict.FOUND
        assert answer.document.key == PAPER.key
        assert answer.document.lines[0].name == CREAM.name

    async def test_of_nobody_say_that_it_is_not_there(self, fake, provider):
        assert await provider.fetch(Query(PAPER.qr)) == Answer(Verdict.NOT_FOUND)
        assert fake.asked == ["platformaofd", "taxcom", "1-ofd"]

    async def test_behind_a_captcha_leave_the_others(self, fake, provider):
        fake.broken["platformaofd"] = 403
        fake.add(PAPER, at="taxcom")
        assert (await provider.fetch(Query(PAPER.qr))).verdict is Verdict.FOUND

    async def test_that_all_fail_are_an_outage(self, fake, provider):
        fake.broken.update({"platformaofd": 403, "taxcom": 500, "1-ofd": 302})
        answer = await provider.fetch(Query(PAPER.qr))
        assert answer.verdict is Verdict.UNAVAILABLE
        assert "HTTP 403" in answer.note

    async def test_that_hang_leave_their_time_to_the_others(self, fake):
        fake.hangs.add("platformaofd")
        fake.add(PAPER, at="1-ofd")
        impatient = Pages(through=fake.base_url, timeout_seconds=15)
        assert (await impatient.fetch(Query(PAPER.qr))).verdict is Verdict.FOUND
        assert fake.asked == ["taxcom", "1-ofd"]
        await impatient.close()

    async def test_with_the_same_sign_and_sum_but_another_number_is_not_the_one(
        self, fake, provider
    ):
        twin = replace(PAPER, key=replace(PAPER.key, fd=PAPER.key.fd + 7))
        fake.add(twin, at="taxcom")
        assert (await provider.fetch(Query(PAPER.qr))).verdict is Verdict.NOT_FOUND


class TestPushed:
    async def push(self, shop, *papers):
        async with shop.database.transaction() as db:
            return await pushing.push(db, papers, now=shop.at, wall=shop.at, actor="key:ofd")

    async def test_before_it_is_shown_settles_it_at_once(self, shop, anna):
        assert await self.push(shop, PAPER) == [Kept.STORED]
        shown = await shop.show(anna, qr=PAPER.qr)
        await shop.work(Pushed(shop.database))
        assert (await shop.receipt(anna, shown.receipt_id)).status is Status.ACCEPTED
        assert (await shop.points(anna)).active == 83

    async def test_after_it_was_shown_settles_it_without_waiting(self, shop, anna):
        provider = Pushed(shop.database)
        shown = await shop.show(anna, qr=PAPER.qr)
        await shop.work(provider)
        shop.passes(hours=2)
        await shop.work(provider)
        assert (await shop.receipt(anna, shown.receipt_id)).status is Status.CHECKING
        shop.passes(minutes=1)
        await self.push(shop, PAPER, OTHER)
        await shop.work(provider)
        assert (await shop.receipt(anna, shown.receipt_id)).status is Status.ACCEPTED

    async def test_while_somebody_is_asking_in_vain_is_not_missed(self, shop, anna):
        shown = await shop.show(anna, qr=PAPER.qr)

        class Slow(Pushed):
            async def fetch(self, query):
                answer = await super().fetch(query)
                await push()
                return answer

        async def push():
            await self.push(shop, PAPER)

        await work.ask_once(shop.database, [Slow(shop.database)], clock=shop.clock)
        await shop.work(Pushed(shop.database))
        assert (await shop.receipt(anna, shown.receipt_id)).status is Status.ACCEPTED

    async def test_beside_a_folder_that_lacks_it_is_still_waited_for(self, shop, anna, tmp_path):
        shown = await shop.show(anna, qr=PAPER.qr)
        await shop.work(DocumentsFolder(tmp_path), Pushed(shop.database))
        assert (await shop.receipt(anna, shown.receipt_id)).status is Status.CHECKING

    async def test_of_another_sign_refuses_the_forged_one_and_settles_the_true_one(
        self, shop, anna, boris
    ):
        await self.push(shop, PAPER)
        forged = await shop.show(boris, qr=replace(PAPER.qr, fp=1))
        true = await shop.show(anna, qr=PAPER.qr)
        await shop.work(Pushed(shop.database))
        assert (await shop.receipt(boris, forged.receipt_id)).reason is Reason.FORGED
        assert (await shop.receipt(anna, true.receipt_id)).status is Status.ACCEPTED

    async def test_again_changes_nothing_and_another_of_its_number_is_told(self, shop):
        other = replace(PAPER, total_kopecks=1)
        assert await self.push(shop, PAPER, PAPER, OTHER) == [
            Kept.STORED, Kept.KNOWN, Kept.STORED,
        ]  # fmt: skip
        assert await self.push(shop, PAPER, other) == [Kept.KNOWN, Kept.DIFFERS]

    async def test_is_kept_for_a_bounded_time(self, shop, anna):
        await self.push(shop, PAPER)
        shop.passes(days=46)
        await self.push(shop, OTHER)
        async with shop.database.transaction() as db:
            assert await pushing.sweep(db, now=shop.at, limit=10) == 1
        late = replace(PAPER.qr, wall_time=shop.at.replace(tzinfo=None) - timedelta(days=1))
        await shop.show(anna, qr=late)
        answer = await Pushed(shop.database).fetch(Query(PAPER.qr))
        assert answer == Answer(Verdict.NOT_YET)
