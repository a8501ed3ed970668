"""Whatever comes instead of a vendor's answer, over a socket: a verdict, soon, and nothing else."""

import gzip
import json
import time
import tracemalloc
from dataclasses import replace
from datetime import UTC, datetime
from xml.sax.saxutils import escape

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from receipts import envelopes, hostile
from vezde.receipts import parsers
from vezde.receipts.providers import schedule
from vezde.receipts.providers.fns import Fns
from vezde.receipts.providers.pages import ONE_OFD, PLATFORMA, TAXCOM, Pages
from vezde.receipts.providers.protocol import Query, Verdict
from vezde.receipts.providers.proverkacheka import Proverkacheka
from vezde.receipts.providers.qr_cash import QrCash
from vezde.testing import ofd_pages
from vezde.testing.fns import FakeFns, faults
from vezde.testing.receipts import Shape, line, receipt, render

PAPER = replace(receipt(1, lines=[line("Крем для лица LUNARIA 50мл", 83_000)] * 2), code=None)
QUERIES = st.sampled_from([PAPER.qr, replace(PAPER.qr, operation_assumed=True)])
SECRET = "verySecretToken"
PROVERKACHEKA = render(PAPER, Shape.PROVERKACHEKA)
QR_CASH = render(PAPER, Shape.OFD_RU)
TICKET = render(PAPER, Shape.ONE_OFD)
FOUND = {"status": 1, "uid": "1b2c-3d"}
LONGEST_NOTE = 400

many = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


def bodies(true):
    """Any bytes, any JSON, the true answer changed or damaged."""
    return (
        st.binary(max_size=300)
        | hostile.VALUES.map(hostile.text)
        | hostile.changed(true).map(hostile.text)
        | hostile.damaged(json.dumps(true, ensure_ascii=False).encode())
    )


def page_bodies(layout):
    true = layout(PAPER).encode()
    return st.binary(max_size=300) | hostile.damaged(true) | hostile.damaged(true + true)


def checked(answer):
    """A verdict that the rest can live with: of this receipt, with a wait that has an end."""
    if answer.verdict is Verdict.FOUND:
        found = answer.document
        assert (found.key, found.total_kopecks) == (PAPER.key, PAPER.total_kopecks)
        assert parsers.FiscalDocument.from_json(found.to_json()) == found
    else:
        assert answer.document is None
    wait = schedule.quota(0, answer.retry_after_seconds, jitter=0.99)
    assert wait + schedule.told(answer.retry_after_seconds or 0, jitter=0.99)
    assert datetime(2026, 11, 26, tzinfo=UTC) + wait
    assert len(answer.note) < LONGEST_NOTE
    assert "\0" not in answer.note
    answer.note.encode()
    assert SECRET not in answer.note
    return answer


def _proverkacheka(vendor, **more):
    return Proverkacheka(token=SECRET, base_url=vendor.base_url, **more)


def _qr_cash(vendor, **more):
    return QrCash(token=SECRET, base_url=vendor.base_url, **more)


def _pages(vendor, **more):
    return Pages(through=vendor.base_url, **more)


def _fns(vendor, **more):
    return Fns(master_token=SECRET, base_url=vendor.base_url, first_poll_seconds=0.001, **more)


# What is made odd -> after how many true answers, and the envelope around it.
TEXTS_OF_FNS = {
    "token": (0, envelopes.token),
    "expires": (0, lambda odd: envelopes.token("token", odd)),
    "message_id": (1, envelopes.message_id),
    "code": (2, lambda odd: envelopes.result(odd, "")),
    "ticket": (2, lambda odd: envelopes.result("200", odd)),
    "said": (2, lambda odd: envelopes.fault(odd, "SomeFault")),
    "kind": (2, lambda odd: envelopes.fault("", f"a{'Ж' * 40_000}" if len(odd) > 9 else "a")),
}


@pytest.fixture(scope="module")
async def vendor():
    async with hostile.Vendor() as running:
        yield running


@pytest.fixture(scope="module")
async def pages(vendor):
    made = _pages(vendor, timeout_seconds=20)
    yield made
    await made.close()


@pytest.fixture(scope="module")
async def qr_cash(vendor):
    made = _qr_cash(vendor, timeout_seconds=20)
    yield made
    await made.close()


@pytest.fixture(scope="module")
async def proverkacheka(vendor):
    made = _proverkacheka(vendor, timeout_seconds=20)
    yield made
    await made.close()


class TestTrueAnswers:
    """What the changed ones are changed from."""

    async def test_are_found(self, vendor, proverkacheka, qr_cash, pages):
        ticket = {"find-ticket": FOUND, "1b2c-3d": TICKET}
        for provider, said in (
            (proverkacheka, lambda _: hostile.text(PROVERKACHEKA)),
            (qr_cash, lambda _: hostile.text(QR_CASH)),
            (pages, lambda path: hostile.text(ticket.get(path.split("/")[-1], ""))),
            (pages, lambda _: ofd_pages.taxcom(PAPER).encode()),
        ):
            vendor.says = lambda path, said=said: hostile.plain(said(path))
            assert checked(await provider.fetch(Query(PAPER.qr))).verdict is Verdict.FOUND


class TestProverkacheka:
    @many
    @given(hostile.answers(bodies(PROVERKACHEKA)), QUERIES)
    async def test_gives_a_verdict(self, vendor, proverkacheka, sent, qr):
        vendor.says = lambda _: sent
        checked(await proverkacheka.fetch(Query(qr)))

    @many
    @given(hostile.VALUES)
    @example(float("inf"))
    @example(True)
    async def test_reads_any_code(self, vendor, proverkacheka, code):
        vendor.says = lambda _: hostile.plain(hostile.text({**PROVERKACHEKA, "code": code}))
        answer = checked(await proverkacheka.fetch(Query(PAPER.qr)))
        if answer.verdict is Verdict.FOUND:
            assert not isinstance(code, bool)
            assert float(code) == 1


class TestQrCash:
    @many
    @given(hostile.answers(bodies(QR_CASH)), QUERIES)
    async def test_gives_a_verdict(self, vendor, qr_cash, sent, qr):
        vendor.says = lambda _: sent
        checked(await qr_cash.fetch(Query(qr)))


class TestPages:
    @many
    @given(
        hostile.answers(page_bodies(ofd_pages.platforma)),
        hostile.answers(page_bodies(ofd_pages.taxcom)),
        hostile.answers(bodies(FOUND)),
        hostile.answers(bodies(TICKET)),
    )
    async def test_give_a_verdict(self, vendor, pages, platforma, taxcom, found, ticket):
        said = {PLATFORMA: platforma, TAXCOM: taxcom}

        def says(path):
            host = path.split("/")[1]
            return said.get(host) or (found if path.endswith("find-ticket") else ticket)

        vendor.says = says
        checked(await pages.fetch(Query(PAPER.qr)))

    @many
    @given(bodies(TICKET), st.just(FOUND) | hostile.changed(FOUND))
    @example(b"{}", FOUND | {"uid": hostile.LONG})
    @example(b"{}", FOUND | {"uid": "٣"})
    async def test_of_a_ticket_by_its_id_give_a_verdict(self, vendor, pages, ticket, found):
        nobody = hostile.plain(ofd_pages.platforma(None).encode())

        def says(path):
            if not path.startswith(f"/{ONE_OFD}/"):
                return nobody
            return hostile.plain(hostile.text(found) if path.endswith("find-ticket") else ticket)

        vendor.says = says
        checked(await pages.fetch(Query(PAPER.qr)))


class TestTheTaxService:
    """Its envelopes with anything in the places of their texts."""

    @settings(many, max_examples=100)
    @given(
        st.sampled_from(sorted(TEXTS_OF_FNS)),
        st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1)
        | st.sampled_from(
            ["²", "9" * 4_000, "a\nb", "a\tb", "т" * 9_000, "0001-01-01T00:00:00+23:59",
             "9999-12-31T23:59:59-23:59", "200", "2026-11-26"]
        ),
    )  # fmt: skip
    async def test_gives_a_verdict(self, place, odd):
        async with FakeFns(master_token=SECRET) as fake:
            fake.add(PAPER)
            step, envelope = TEXTS_OF_FNS[place]
            fake.order(*[faults.late(0)] * step, faults.body(envelope(escape(odd))))
            provider = _fns(fake, timeout_seconds=20)
            checked(await provider.fetch(Query(PAPER.qr)))
            await provider.close()

    @settings(many, max_examples=60)
    @given(
        st.integers(0, 2), st.binary(max_size=300) | hostile.damaged(envelopes.result("200", "{}"))
    )
    async def test_and_so_do_bytes(self, step, sent):
        async with FakeFns(master_token=SECRET) as fake:
            fake.add(PAPER)
            fake.order(*[faults.late(0)] * step, faults.body(sent))
            provider = _fns(fake, timeout_seconds=20)
            checked(await provider.fetch(Query(PAPER.qr)))
            await provider.close()


@pytest.mark.parametrize("make", [_proverkacheka, _qr_cash, _pages, _fns])
class TestBodies:
    """Read no further than an answer may be long, and no longer than it may take."""

    @pytest.mark.parametrize("times", [1, 2])
    async def test_that_hide_a_hundred_megabytes(self, make, vendor, times):
        body = bytes(100_000_000)
        for _ in range(times):
            body = gzip.compress(body)
        packing = ("Content-Encoding", ", ".join(["gzip"] * times))
        vendor.says = lambda _: hostile.framed(200, [packing], body)
        provider = make(vendor, timeout_seconds=60)
        tracemalloc.start()
        answer = await provider.fetch(Query(PAPER.qr))
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        await provider.close()
        assert checked(answer).verdict is Verdict.UNAVAILABLE
        assert most < 30_000_000

    @pytest.mark.parametrize("began", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\n\r\n{"])
    async def test_that_never_end(self, make, began):
        async with hostile.Vendor(lambda _: began) as vendor:
            vendor.drips = b"x"
            provider = make(vendor, timeout_seconds=1)
            asking = time.monotonic()
            answer = await provider.fetch(Query(PAPER.qr))
            assert time.monotonic() - asking < 20
            await provider.close()
        assert checked(answer).verdict is Verdict.UNAVAILABLE
