"""proverkacheka.com, over a real socket."""

import asyncio
import json
import logging
import socket
import time
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from vezde.receipts import parsers
from vezde.receipts.model import QrFields
from vezde.receipts.providers.protocol import Answer, Query, Verdict
from vezde.receipts.providers.proverkacheka import Proverkacheka
from vezde.testing import proverkacheka as vendor
from vezde.testing.proverkacheka import FakeProverkacheka

BOUGHT = datetime(2026, 11, 17, 18, 5, 41)
QR = QrFields(
    wall_time=BOUGHT,
    total_kopecks=129_005,
    fn=7_380_440_800_000_017,
    fd=4211,
    fp=1_234_567_890,
    operation=1,
    operation_assumed=False,
    has_seconds=True,
)
RECEIPT = {
    "code": 3,
    "user": 'ООО "ЛУНАРИЯ"',
    "userInn": "7801234564  ",
    "dateTime": "2026-11-17T18:05:00",
    "fiscalDriveNumber": str(QR.fn),
    "fiscalDocumentNumber": QR.fd,
    "fiscalSign": QR.fp,
    "operationType": 1,
    "totalSum": 129_005,
    "cashTotalSum": 0,
    "ecashTotalSum": 129_005,
    "prepaidSum": 0,
    "creditSum": 0,
    "provisionSum": 0,
    "items": [
        {
            "name": "LUNARIA Сыворотка ночная 30 мл",
            "price": 129_005,
            "quantity": 1,
            "sum": 129_005,
            "paymentType": 4,
            "productType": 1,
        }
    ],
}
SECRET = "17.verySecretToken"


@pytest.fixture(scope="module")
async def running():
    async with FakeProverkacheka(token=SECRET) as started:
        yield started


@pytest.fixture
def fake(running):
    running.reset()
    running.add(RECEIPT)
    return running


@pytest.fixture
async def provider(fake):
    made = Proverkacheka(token=SECRET, base_url=fake.base_url, timeout_seconds=20)
    yield made
    await made.close()


@pytest.fixture
async def impatient(fake):
    made = Proverkacheka(token=SECRET, base_url=fake.base_url, timeout_seconds=1)
    yield made
    await made.close()


async def ask(provider, qr=QR, attempt=0):
    return await provider.fetch(Query(qr, attempt))


class TestFetch:
    async def test_brings_the_document(self, provider):
        answer = await ask(provider)
        assert answer.verdict is Verdict.FOUND
        assert answer.document.total_kopecks == 129_005
        assert answer.document.lines[0].name == "LUNARIA Сыворотка ночная 30 мл"

    async def test_asks_another_way_at_each_attempt(self, fake, provider):
        for attempt in range(4):
            assert (await ask(provider, attempt=attempt)).verdict is Verdict.FOUND
        fields, text, seconds, again = (asked.fields for asked in fake.asked)
        assert fields == {
            "fn": "7380440800000017",
            "fd": "4211",
            "fp": "1234567890",
            "t": "20261117T1805",
            "n": "1",
            "s": "1290.05",
            "qr": "0",
        }
        assert text == {"qrraw": QR.text()}
        assert seconds == fields | {"t": "20261117T180541"}
        assert again == fields

    async def test_a_document_the_tax_service_has_not_got_yet(self, provider):
        assert await ask(provider, replace(QR, fd=1)) == Answer(Verdict.NOT_YET)

    @pytest.mark.parametrize(
        "wrong",
        [{"fp": 1}, {"total_kopecks": 1}, {"wall_time": BOUGHT + timedelta(minutes=1)}],
    )
    async def test_a_hand_made_qr_is_forged(self, provider, wrong):
        answer = await ask(provider, replace(QR, **wrong))
        assert (answer.verdict, answer.document) == (Verdict.FORGED, None)

    async def test_where_the_operation_was_our_guess_nobody_is_called_a_forger(self, provider):
        answer = await ask(provider, replace(QR, fp=1, operation_assumed=True))
        assert answer.verdict is Verdict.NOT_FOUND

    @pytest.mark.parametrize(
        ("fault", "verdict", "retry_after"),
        [
            (vendor.code(3), Verdict.QUOTA, None),
            (vendor.code(4), Verdict.WAIT, 60),
            (vendor.code(5), Verdict.UNAVAILABLE, None),
            (vendor.code(77), Verdict.UNAVAILABLE, None),
            (vendor.http(401), Verdict.REFUSED, None),
            (vendor.http(402), Verdict.REFUSED, None),
            (vendor.http(403), Verdict.QUOTA, None),
            (vendor.http(429, retry_after=900), Verdict.QUOTA, 900),
            (vendor.http(302), Verdict.UNAVAILABLE, None),
            (vendor.http(404), Verdict.UNAVAILABLE, None),
            (vendor.http(503), Verdict.UNAVAILABLE, None),
            (vendor.broken(), Verdict.UNAVAILABLE, None),
            (vendor.oversized(), Verdict.UNAVAILABLE, None),
            (vendor.Fault(body=b"[1]"), Verdict.UNAVAILABLE, None),
            (vendor.Fault(body=b'{"code":null}'), Verdict.UNAVAILABLE, None),
            (vendor.Fault(body=b'{"code":1,"data":{"json":{}}}'), Verdict.UNAVAILABLE, None),
            (vendor.Fault(body=b"[" * 100_000), Verdict.UNAVAILABLE, None),
        ],
    )
    async def test_reads_every_refusal(self, fake, provider, fault, verdict, retry_after):
        fake.order(fault)
        answer = await ask(provider)
        assert (answer.verdict, answer.retry_after_seconds) == (verdict, retry_after)
        assert answer.document is None
        assert answer.note.startswith("proverkacheka: ")
        assert (await ask(provider)).verdict is Verdict.FOUND

    async def test_another_receipts_document_is_a_reason_for_distrust(self, fake, provider):
        fake.order(vendor.Fault(body=_found(fiscalDocumentNumber=9)))
        answer = await ask(provider)
        assert (answer.verdict, answer.document) == (Verdict.WRONG, None)

    async def test_a_document_that_contradicts_the_qr_is_not_taken_from_the_vendor(
        self, fake, provider
    ):
        fake.order(vendor.Fault(body=_found(fiscalSign=9)))
        assert (await ask(provider)).verdict is Verdict.FORGED

    async def test_does_not_wait_longer_than_its_time(self, fake, impatient):
        fake.order(vendor.slow(30))
        started = time.monotonic()
        assert (await ask(impatient)).verdict is Verdict.UNAVAILABLE
        assert time.monotonic() - started < 20

    async def test_a_vendor_that_is_not_there_is_an_outage(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        provider = Proverkacheka(token=SECRET, base_url=f"http://127.0.0.1:{port}")
        answer = await ask(provider)
        await provider.close()
        assert answer == Answer(Verdict.UNAVAILABLE, note="proverkacheka: ConnectError")

    async def test_serves_many_at_once(self, fake, provider):
        answers = await asyncio.gather(*(ask(provider) for _ in range(20)))
        assert {answer.verdict for answer in answers} == {Verdict.FOUND}
        assert len(fake.asked) == 20


class TestRealReceipts:
    async def test_every_retail_receipt_comes_back_as_it_was(self, fake, provider, shared):
        names = [*range(1, 28), *range(40, 48)]
        for name in names:
            body = (shared / f"data/receipts/{name:03d}.json").read_bytes()
            fake.add(body)
            [document] = parsers.read(body)
            assert await ask(provider, document.qr, name) == Answer(Verdict.FOUND, document)


class TestToken:
    async def test_stands_in_no_log_and_no_note(self, fake, provider, impatient, caplog):
        caplog.set_level(logging.DEBUG)
        fake.order(vendor.http(401), vendor.code(0), vendor.broken(), vendor.slow(30))
        answers = [await ask(impatient) for _ in range(4)] + [await ask(provider)]
        said = caplog.text + repr(answers) + repr(provider) + repr(impatient)
        assert answers[-1].verdict is Verdict.FOUND
        assert SECRET not in said
        assert "verySecret" not in said

    async def test_a_wrong_one_is_for_the_operator(self, fake):
        provider = Proverkacheka(token="stale", base_url=fake.base_url)
        answer = await ask(provider)
        await provider.close()
        assert answer.verdict is Verdict.REFUSED
        assert "token is not valid" in answer.note


def _found(**told):
    return json.dumps({"code": 1, "data": {"json": RECEIPT | told}}).encode()
