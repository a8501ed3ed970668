"""The tax service's open API, over a real socket."""

import asyncio
import base64
import logging
from dataclasses import replace
from datetime import timedelta

import pytest

from vezde.receipts.model import Status
from vezde.receipts.providers.fns import Fns, envelopes
from vezde.receipts.providers.protocol import Answer, Query, Verdict
from vezde.testing.fns import FakeFns, faults
from vezde.testing.receipts import Shape, line, receipt, render

CREAM = line("Крем для лица LUNARIA 50мл", 83_000)
PAPER = receipt(1, lines=[CREAM])
SECRET = "master-verySecretToken"


@pytest.fixture
async def fake():
    async with FakeFns(master_token=SECRET) as running:
        running.add(PAPER)
        yield running


def asking(fake, *, timeout_seconds):
    return Fns(
        master_token=SECRET,
        base_url=fake.base_url,
        timeout_seconds=timeout_seconds,
        first_poll_seconds=0.02,
    )


@pytest.fixture
async def provider(fake):
    made = asking(fake, timeout_seconds=20)
    yield made
    await made.close()


@pytest.fixture
async def impatient(fake):
    made = asking(fake, timeout_seconds=2)
    yield made
    await made.close()


async def ask(provider, qr=PAPER.qr, attempt=0, person=""):
    return await provider.fetch(Query(qr, attempt, person))


class TestFetch:
    async def test_brings_the_document(self, fake, provider):
        assert await ask(provider) == Answer(Verdict.FOUND, PAPER)
        assert [one.what for one in fake.asked] == ["Auth", "Get", "Poll"]

    async def test_tells_the_fields_in_the_order_of_the_schema(self, fake, provider):
        await ask(provider)
        assert dict(fake.asked[1].fields) == {
            "Sum": "83000",
            "Date": f"{PAPER.wall_time:%Y-%m-%dT%H:%M}:00",
            "Fn": f"{PAPER.key.fn:016d}",
            "TypeOperation": "1",
            "FiscalDocumentId": str(PAPER.key.fd),
            "FiscalSign": str(PAPER.key.fp),
            "RawData": "true",
        }

    async def test_tells_one_person_from_another_by_a_pseudonym(self, fake, provider):
        await ask(provider, person="a" * 64)
        assert {one.person for one in fake.asked} == {
            None,
            base64.b64encode(b"a" * 64).decode(),
        }

    @pytest.mark.parametrize(
        "wrong",
        [{"fp": 1}, {"total_kopecks": 1}, {"wall_time": PAPER.wall_time + timedelta(minutes=1)}],
    )
    async def test_a_hand_made_qr_is_forged(self, provider, wrong):
        answer = await ask(provider, replace(PAPER.qr, **wrong))
        assert answer == Answer(Verdict.FORGED, note="fns: code 406")

    async def test_where_the_operation_was_our_guess_nobody_is_called_a_forger(self, provider):
        answer = await ask(provider, replace(PAPER.qr, fp=1, operation_assumed=True))
        assert answer.verdict is Verdict.NOT_FOUND

    @pytest.mark.parametrize(
        ("code", "verdict"),
        [
            (404, Verdict.NOT_YET), (455, Verdict.NOT_YET), (528, Verdict.NOT_YET),
            (400, Verdict.NOT_YET), (531, Verdict.NOT_YET), (406, Verdict.FORGED),
            (452, Verdict.FORGED), (453, Verdict.FORGED), (454, Verdict.FORGED),
            (503, Verdict.UNAVAILABLE), (999, Verdict.UNAVAILABLE),
        ],
    )  # fmt: skip
    async def test_reads_every_code(self, fake, provider, code, verdict):
        fake.code(PAPER, code)
        assert (await ask(provider)).verdict is verdict

    async def test_another_receipts_document_is_a_reason_for_distrust(self, fake, provider):
        fake.ticket = render(receipt(9, lines=[CREAM]), Shape.CONTENT)
        answer = await ask(provider)
        assert (answer.verdict, answer.document) == (Verdict.WRONG, None)

    @pytest.mark.parametrize("ticket", ["", "{", "[]", "[" * 50_000, '{"content": {"items": 1}}'])
    async def test_a_ticket_of_no_known_shape_is_not_the_receipts_fault(
        self, fake, provider, ticket
    ):
        fake.ticket = ticket
        assert (await ask(provider)).verdict is Verdict.UNAVAILABLE
        assert (await ask(provider)).verdict is Verdict.FOUND


class TestASignThatIsNotThereYet:
    async def test_is_checked_at_the_second_ask(self, fake, provider):
        forged = replace(PAPER.qr, fp=1)
        fake.code(PAPER, 455)
        assert (await ask(provider, forged)).verdict is Verdict.NOT_YET
        assert (await ask(provider, forged, attempt=1)).verdict is Verdict.FORGED
        assert (await ask(provider, attempt=1)).verdict is Verdict.NOT_YET
        assert fake.count("Check") == 2


class TestTokens:
    async def test_one_is_asked_for_however_many_want_it(self, fake, provider):
        answers = await asyncio.gather(*(ask(provider) for _ in range(20)))
        assert {one.verdict for one in answers} == {Verdict.FOUND}
        assert fake.count("Auth") == 1

    async def test_that_end_in_the_middle_are_renewed(self, fake, provider):
        fake.slow(PAPER, seconds=0.3)
        asking = asyncio.create_task(ask(provider))
        while not fake.count("Poll"):  # noqa: ASYNC110 -- the fake rings no bell
            await asyncio.sleep(0.01)
        fake.end_tokens()
        assert (await asking).verdict is Verdict.FOUND
        assert (fake.count("Auth"), fake.count("Get")) == (2, 1)

    async def test_that_end_for_many_at_once_are_renewed_once(self, fake, provider):
        await ask(provider)
        fake.end_tokens()
        answers = await asyncio.gather(*(ask(provider) for _ in range(10)))
        assert {one.verdict for one in answers} == {Verdict.FOUND}
        assert fake.count("Auth") == 2

    async def test_near_their_end_are_renewed_before_they_are_used(self, provider, fake):
        fake.lifetime = timedelta(seconds=200)
        await ask(provider)
        assert provider._token[1] - asyncio.get_running_loop().time() <= 30

    async def test_a_wrong_master_token_is_for_the_operator(self, fake):
        made = Fns(master_token="stale", base_url=fake.base_url)
        answer = await ask(made)
        await made.close()
        assert answer.verdict is Verdict.REFUSED
        assert "master token" in answer.note

    async def test_stand_in_no_log_and_no_note(self, fake, provider, caplog):
        caplog.set_level(logging.DEBUG)
        fake.order(faults.wrong_token(), faults.http(500))
        answers = [await ask(provider) for _ in range(3)]
        said = caplog.text + repr(answers) + repr(provider)
        assert answers[-1].verdict is Verdict.FOUND
        assert "verySecret" not in said
        assert provider._token[0] not in said


class TestSlowAnswers:
    async def test_are_waited_for(self, fake, provider):
        fake.slow(PAPER, seconds=0.5)
        assert (await ask(provider)).verdict is Verdict.FOUND
        assert 3 < fake.count("Poll") < 15

    async def test_beyond_our_time_are_fetched_the_next_time(self, fake, impatient):
        fake.slow(PAPER, seconds=4)
        answer = await ask(impatient)
        assert (answer.verdict, answer.retry_after_seconds) == (Verdict.WAIT, 30)
        await asyncio.sleep(3)
        assert (await ask(impatient)).verdict is Verdict.FOUND
        assert fake.count("Get") == 1

    async def test_thrown_away_meanwhile_are_asked_for_anew(self, fake, impatient):
        fake.slow(PAPER, seconds=30)
        assert (await ask(impatient)).verdict is Verdict.WAIT
        fake.throw_answers_away()
        fake.slow(PAPER, seconds=0)
        assert (await ask(impatient)).verdict is Verdict.FOUND
        assert fake.count("Get") == 2

    async def test_asked_for_too_fast_are_waited_for_longer(self, fake, provider):
        await ask(provider)
        fake.order(faults.late(0), faults.too_fast(), faults.too_fast())
        assert (await ask(provider)).verdict is Verdict.FOUND


class TestFaults:
    @pytest.mark.parametrize(
        ("order", "verdict", "retry_after"),
        [
            (faults.wrong_address(), Verdict.REFUSED, None),
            (faults.daily_limit(), Verdict.QUOTA, None),
            (faults.rate_limit(), Verdict.QUOTA, None),
            (faults.http(429, retry_after=60), Verdict.QUOTA, 60),
            (faults.http(403), Verdict.REFUSED, None),
            (faults.http(502), Verdict.UNAVAILABLE, None),
            (faults.http(500), Verdict.UNAVAILABLE, None),
            (faults.fault("java.lang.NullPointerException"), Verdict.UNAVAILABLE, None),
            (faults.body(b"<html>maintenance</html>"), Verdict.UNAVAILABLE, None),
            (faults.body(b""), Verdict.UNAVAILABLE, None),
            (faults.body(b"<a/>" * 1_000_000), Verdict.UNAVAILABLE, None),
        ],
    )
    @pytest.mark.parametrize("at", [0, 1, 2])
    async def test_are_read_wherever_they_come(
        self, fake, provider, order, verdict, retry_after, at
    ):
        fake.order(*[faults.late(0)] * at, order)
        answer = await ask(provider)
        if at == 2 and order == faults.rate_limit():  # of an answer asked for: a little slower
            assert answer.verdict is Verdict.FOUND
            return
        assert (answer.verdict, answer.retry_after_seconds) == (verdict, retry_after)
        assert answer.note.startswith("fns: ")
        assert (await ask(provider)).verdict is Verdict.FOUND

    async def test_a_service_that_is_not_there_is_an_outage(self):
        made = Fns(master_token=SECRET, base_url="http://127.0.0.1:9")
        answer = await ask(made)
        await made.close()
        assert answer == Answer(Verdict.UNAVAILABLE, note="fns: ConnectError")


class TestHostileXml:
    BOMB = (
        b'<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
        b'<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY f SYSTEM "file:///etc/passwd">]>'
        b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>&c;&f;</s:Body>'
        b"</s:Envelope>"
    )

    @pytest.mark.parametrize("body", [BOMB, b"<a>" * 100_000, b"\xff\xfe\x00", b"<?xml?>"])
    def test_is_refused(self, body):
        with pytest.raises(envelopes.NotSoap):
            envelopes.read_message_id(body)


class TestReceipts:
    async def test_go_through_it_in_the_end(self, shop, anna, fake, provider):
        fake.order(faults.http(502))
        fake.work_seconds = 0.1
        shown = await shop.show(anna, qr=PAPER.qr)
        await shop.work(provider)
        shop.passes(minutes=1)
        await shop.work(provider)
        settled = await shop.receipt(anna, shown.receipt_id)
        assert settled.status is Status.ACCEPTED
        assert (await shop.points(anna)).active == 83
