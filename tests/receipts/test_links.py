"""Links to receipts' pages: where they lead, where never, and what is read there."""

import gzip
from collections.abc import AsyncIterator

import pytest

from vezde.receipts.links import model
from vezde.receipts.links.fetching import LinkDead, LinkRefused
from vezde.receipts.model import Note, Reason
from vezde.receipts.reading.reader import Reader
from vezde.testing.documents import letter
from vezde.testing.pages import ReceiptPages, page
from vezde.testing.receipts import line, receipt

PAPER = receipt(7, lines=[line("Крем LUNARIA 50 мл", 83_000)])
KEY = f"{PAPER.key.fn:016d}/{PAPER.key.fd}/{PAPER.key.fp}"
PATH = f"/rec/{KEY}"


@pytest.fixture
async def pages() -> AsyncIterator[ReceiptPages]:
    async with ReceiptPages() as made:
        yield made


class TestKey:
    @pytest.mark.parametrize(
        ("link", "key"),
        [
            ("https://check.yandex.ru/?n=88&fn=7380440800000000&fpd=1401", (7380440800000000, 88, 1401)),
            ("https://check.ofd.ru/rec/7380440800000000/88/1401", (7380440800000000, 88, 1401)),
            (
                "https://check.ofd.ru/rec/7704217370/0004877418021575/7380440800000000/88/1401",
                (7380440800000000, 88, 1401),
            ),
            (
                "https://lk.platformaofd.ru/web/noauth/cheque?fn=7380440800000000&fp=1401&i=88",
                (7380440800000000, 88, 1401),
            ),
            (
                ("https://cash.kontur.ru/?fnSerialNumber=7380440800000000"
                "&fiscalDocumentNumber=88&fiscalSignature=1401"),
                (7380440800000000, 88, 1401),
            ),
            ("https://receipt.taxcom.ru/v01/show?fp=1401&s=12.00", (None, None, 1401)),
            (
                "https://lk.ofd-magnit.ru/CheckWebApp/pdf.zul?fn=7380440800000000&fs=1401&fd=88",
                (7380440800000000, 88, 1401),
            ),
            ("https://receipt.wb.ru/abc", (None, None, None)),
            ("https://check.ofd.ru/rec/1/2/3?fn=999999999999999999", (None, None, None)),
        ],
    )  # fmt: skip
    def test_stands_in_the_address(self, link: str, key: tuple[int | None, ...]) -> None:
        assert model.is_known(link)
        found = model.key_of(link)
        assert tuple(found.get(name) for name in ("fn", "fd", "fp")) == key

    @pytest.mark.parametrize(
        "link",
        [
            "https://ofd.ru.example.org/rec/1/2/3",
            "https://notofd.ru/rec",
            "https://user:word@check.ofd.ru/rec",
            "ftp://check.ofd.ru/rec",
            "https://127.0.0.1/rec",
            "https://[::1/rec",
            "file:///etc/passwd",
            "https://check.ofd.ru@evil.example/",
        ],
    )
    def test_of_other_hosts_is_nobodys(self, link: str) -> None:
        assert not model.is_known(link)

    def test_links_are_found_in_talk(self) -> None:
        said = "Вот чек: receipt.wb.ru/abc-1, и ещё https://check.ofd.ru/rec/1/2/3. Спасибо!"
        assert model.found(said) == (
            "https://receipt.wb.ru/abc-1",
            "https://check.ofd.ru/rec/1/2/3",
        )


class TestFetch:
    async def test_reads_the_details_of_a_page(self, pages: ReceiptPages) -> None:
        pages.put("check.ofd.ru", PATH, page(PAPER), headers={"Content-Type": "text/html"})
        looking = Reader(pages.fetch())
        try:
            found = await looking.text(f"мой чек {pages.link('check.ofd.ru', PATH)}")
            assert [one.qr.text() for one in found.receipts] == [PAPER.qr.text()]
            sent = letter("Чек", html=f'<a href="{pages.link("check.ofd.ru", PATH)}">чек</a>')
            assert [one.qr.key for one in (await looking.file(sent)).receipts] == [PAPER.key]
            missing = await looking.text(pages.link("check.ofd.ru", "/rec/none"))
            assert (missing.reason, missing.note) == (Reason.NOT_FISCAL_QR, Note.LINK_FAILED)
        finally:
            looking.close()

    async def test_takes_the_key_of_the_address_for_a_page_without_it(
        self, pages: ReceiptPages
    ) -> None:
        body = "<html><div>Кассовый чек. Приход</div><td>Смена N 72</td><td>17.11.26 12:30</td>"
        body += "<tr><td>ИТОГ</td><td></td><td>830.00</td></tr></html>"
        path = f"/?n={PAPER.key.fd}&fn={PAPER.key.fn}&fpd={PAPER.key.fp}"
        pages.put("check.yandex.ru", path, body.encode())
        looking = Reader(pages.fetch())
        try:
            found = await looking.text(pages.link("check.yandex.ru", path))
            assert [one.qr.text() for one in found.receipts] == [PAPER.qr.text()]
        finally:
            looking.close()

    async def test_follows_redirects_to_known_hosts(self, pages: ReceiptPages) -> None:
        to = pages.link("check.ofd.ru", PATH)
        pages.put("ofd.ru", "/r/1", status=302, headers={"Location": to})
        pages.put("check.ofd.ru", PATH, page(PAPER))
        assert await pages.fetch()(pages.link("ofd.ru", "/r/1")) == (to, page(PAPER))

    @pytest.mark.parametrize(
        "location",
        [
            "https://evil.example/",
            "http://169.254.169.254/latest/meta-data",
            "https://check.ofd.ru:22/",
            "file:///etc/passwd",
            "//localhost/",
        ],
    )
    async def test_follows_them_nowhere_else(self, pages: ReceiptPages, location: str) -> None:
        pages.put("ofd.ru", "/r/1", status=302, headers={"Location": location})
        with pytest.raises(LinkRefused):
            await pages.fetch()(pages.link("ofd.ru", "/r/1"))
        assert pages.asked == [("ofd.ru", "/r/1")]

    async def test_does_not_go_in_circles(self, pages: ReceiptPages) -> None:
        pages.put("ofd.ru", "/r", status=302, headers={"Location": "/r"})
        with pytest.raises(LinkRefused):
            await pages.fetch()(pages.link("ofd.ru", "/r"))
        assert len(pages.asked) == 4

    @pytest.mark.parametrize(
        "address",
        ["127.0.0.1", "10.0.0.5", "169.254.169.254", "::1", "::ffff:127.0.0.1", "0.0.0.0"],
    )
    async def test_goes_to_no_private_address(self, pages: ReceiptPages, address: str) -> None:
        with pytest.raises(LinkRefused):
            await pages.fetch(address=address, loopback=False)(pages.link("check.ofd.ru", PATH))
        assert pages.asked == []

    async def test_bounds_a_page(self, pages: ReceiptPages) -> None:
        pages.put("ofd.ru", "/large", b"x" * 5_000_000)
        packed = gzip.compress(b"x" * 50_000_000)
        pages.put("ofd.ru", "/bomb", packed, headers={"Content-Encoding": "gzip"})
        pages.put("ofd.ru", "/odd", b"x", headers={"Content-Encoding": "br"})
        for path in ("/large", "/bomb", "/odd"):
            with pytest.raises(LinkDead):
                await pages.fetch()(pages.link("ofd.ru", path))

    async def test_unpacks_one(self, pages: ReceiptPages) -> None:
        packed = gzip.compress(page(PAPER))
        pages.put("ofd.ru", "/packed", packed, headers={"Content-Encoding": "gzip"})
        assert (await pages.fetch()(pages.link("ofd.ru", "/packed")))[1] == page(PAPER)

    async def test_waits_for_no_slow_one(self, pages: ReceiptPages) -> None:
        pages.put("ofd.ru", "/slow", b"x", delay_seconds=30)
        with pytest.raises(LinkDead):
            await pages.fetch()(pages.link("ofd.ru", "/slow"))
