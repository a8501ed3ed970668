"""The shipped stand-in of proverkacheka.com."""

import json
import time

import httpx
import pytest

from vezde.receipts.parsers import UnreadableDocument
from vezde.testing import proverkacheka as vendor
from vezde.testing.proverkacheka import FakeProverkacheka

RECEIPT = {
    "userInn": "7801234564",
    "dateTime": "2026-11-17T18:05:00",
    "fiscalDriveNumber": "7380440800000017",
    "fiscalDocumentNumber": 4211,
    "fiscalSign": 1234567890,
    "operationType": 1,
    "totalSum": 129_000,
    "cashTotalSum": 129_000,
    "ecashTotalSum": 0,
    "items": [
        {"name": "LUNARIA Крем", "price": 129_000, "quantity": 1, "sum": 129_000, "paymentType": 4}
    ],
}
QRRAW = "t=20261117T1805&s=1290.00&fn=7380440800000017&i=4211&fp=1234567890&n=1"
FIELDS = {
    "fn": "7380440800000017",
    "fd": "4211",
    "fp": "1234567890",
    "t": "20261117T1805",
    "n": "1",
    "s": "1290.00",
    "qr": "0",
}


@pytest.fixture(scope="module")
async def running():
    async with FakeProverkacheka() as started:
        yield started


@pytest.fixture
def fake(running):
    running.reset()
    running.add(RECEIPT)
    return running


@pytest.fixture
async def http(fake):
    async with httpx.AsyncClient(base_url=fake.base_url, trust_env=False) as client:
        yield client


async def ask(http, token=vendor.TOKEN, **fields):
    answer = await http.post(vendor.CHECK, data={"token": token, **fields})
    return answer.json()


class TestFakeProverkacheka:
    async def test_answers_as_the_vendor_does(self, http):
        told = await ask(http, qrraw=QRRAW)
        assert (told["code"], told["first"]) == (1, 1)
        assert told["data"]["json"] == RECEIPT
        assert "<table" in told["data"]["html"]
        assert told["request"] == {
            "qrurl": "",
            "qrfile": "",
            "qrraw": QRRAW,
            "manual": {
                "fn": "7380440800000017",
                "fd": "4211",
                "fp": "1234567890",
                "check_time": "20261117T1805",
                "type": "1",
                "sum": "1290.00",
            },
        }
        assert (await ask(http, qrraw=QRRAW))["first"] == 0

    async def test_takes_form_json_and_multipart(self, fake, http):
        sent = {"token": vendor.TOKEN, **FIELDS}
        answers = [
            await http.post(vendor.CHECK, data=sent),
            await http.post(vendor.CHECK, json=sent),
            await http.post(vendor.CHECK, files={name: (None, sent[name]) for name in sent}),
        ]
        assert [answer.json()["code"] for answer in answers] == [1, 1, 1]
        assert [asked.how for asked in fake.asked] == ["form", "json", "multipart"]
        assert [asked.fields for asked in fake.asked] == [FIELDS] * 3

    async def test_does_not_know_a_receipt_it_does_not_hold(self, http):
        assert (await ask(http, **FIELDS | {"fd": "4212"}))["code"] == 2

    @pytest.mark.parametrize(
        "wrong", [{"fp": "1"}, {"s": "1290.01"}, {"t": "20261117T1806"}, {"fn": ""}, {"s": "x"}]
    )
    async def test_calls_fields_that_do_not_fit_incorrect(self, http, wrong):
        told = await ask(http, **FIELDS | wrong)
        assert (told["code"], told["data"]) == (0, "Чек некорректен")

    async def test_reads_no_pictures(self, http):
        assert (await ask(http, qrurl="https://example.com/qr.png"))["code"] == 5

    async def test_refuses_a_wrong_token(self, http):
        answer = await http.post(vendor.CHECK, data={"token": "stale", "qrraw": QRRAW})
        assert answer.status_code == 401

    async def test_holds_a_document_back_as_long_as_asked(self, fake, http):
        fake.add(RECEIPT, not_yet=2)
        assert [(await ask(http, **FIELDS))["code"] for _ in range(4)] == [2, 2, 1, 1]

    async def test_takes_wrapped_documents(self, fake, http):
        other = RECEIPT | {"fiscalDocumentNumber": 5000}
        fake.add(json.dumps([{"_id": "x", "ticket": {"document": {"receipt": other}}}]))
        assert (await ask(http, **FIELDS | {"fd": "5000"}))["data"]["json"] == other

    async def test_refuses_to_hold_what_is_no_receipt(self, fake):
        with pytest.raises(UnreadableDocument):
            fake.add({"hello": "there"})

    async def test_gives_ordered_faults_once_and_an_outage_until_it_ends(self, fake, http):
        fake.order(vendor.code(3), vendor.http(500))
        assert (await ask(http, **FIELDS))["code"] == 3
        assert (await http.post(vendor.CHECK, data=FIELDS)).status_code == 500
        assert (await ask(http, **FIELDS))["code"] == 1
        fake.always = vendor.http(429, retry_after=60)
        answers = [await http.post(vendor.CHECK, data=FIELDS) for _ in range(2)]
        assert [answer.headers["retry-after"] for answer in answers] == ["60", "60"]
        fake.always = None
        assert (await ask(http, **FIELDS))["code"] == 1

    async def test_stops_within_a_second_whatever_is_under_way(self):
        fake = FakeProverkacheka().start()
        async with httpx.AsyncClient(base_url=fake.base_url, trust_env=False) as client:
            await ask(client, qrraw=QRRAW)  # leaves an idle connection
            fake.order(vendor.slow(60))
            with pytest.raises(httpx.ReadTimeout):
                await client.post(vendor.CHECK, data=FIELDS, timeout=0.2)
            started = time.monotonic()
            fake.stop()
            assert time.monotonic() - started < 1
        fake.stop()

    async def test_serves_a_folder_of_documents(self, tmp_path):
        (tmp_path / "receipt.json").write_text(json.dumps(RECEIPT), "utf-8")
        with FakeProverkacheka() as fake:
            fake.add_folder(tmp_path)
            async with httpx.AsyncClient(base_url=fake.base_url, trust_env=False) as client:
                assert (await ask(client, **FIELDS))["code"] == 1

    async def test_names_the_file_it_cannot_read(self, tmp_path):
        (tmp_path / "notes.json").write_text("[]", "utf-8")
        with pytest.raises(UnreadableDocument, match=r"notes\.json"):
            FakeProverkacheka().add_folder(tmp_path)
