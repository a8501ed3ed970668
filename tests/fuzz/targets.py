"""What reads the bytes of strangers: each raises nothing but our own errors, and agrees with itself.

A target takes any bytes; `seeds` are true ones, made of synthetic receipts, for it to begin with.
"""

import contextlib
import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, Final
from xml.sax.saxutils import escape

from receipts import envelopes as soap
from vezde.catalog import reading as catalogues
from vezde.catalog import rows
from vezde.kit.errors import DomainError
from vezde.purchases import marking
from vezde.purchases.reports import reading
from vezde.receipts import parsers
from vezde.receipts.links import model as links
from vezde.receipts.model import FiscalDocument
from vezde.receipts.parsers import pages as operators
from vezde.receipts.providers import fns, proverkacheka, qr_cash
from vezde.receipts.providers.fns import envelopes
from vezde.receipts.providers.protocol import Answer, Verdict
from vezde.receipts.qr import grammar, typed
from vezde.receipts.reading import files, letters, pages, photos, slips
from vezde.receipts.reading.model import Findings
from vezde.testing import documents as made
from vezde.testing import ofd_pages, receipts, reports
from vezde.testing.pages import page as page_of
from vezde.testing.receipts import Shape, line, render

PAPER = receipts.receipt(
    7,
    lines=[
        line("Крем LUNARIA 50 мл", 83_000, gtin="04605035006964", serial="abc123"),
        line("Маска LUNARIA", 129_990, quantity=3),
    ],
)
QR: Final = PAPER.qr.text()


def once(target: Callable[[bytes], None], data: bytes) -> None:
    """Run a target; our own errors are an answer."""
    with contextlib.suppress(DomainError):
        target(data)


def qr(data: bytes) -> None:
    """What is read is written as it is read again."""
    fields = grammar.parse(_text(data))
    assert grammar.parse(fields.text()).key == fields.key


def details(data: bytes) -> None:
    found = typed.read(_text(data))
    assert (found.qr is None) == bool(found.missing)


def documents(data: bytes) -> None:
    """Alone, and as the answer about a receipt whose QR is known."""
    for expected in (None, PAPER.qr):
        for one in parsers.read_each(data, expected=expected):
            if not isinstance(one, DomainError):
                assert type(one).from_json(one.to_json()) == one


def slip(data: bytes) -> None:
    slips.read(_text(data))


def link(data: bytes) -> None:
    for one in links.found(_text(data)):
        links.key_of(one)


def any_file(data: bytes) -> None:
    found = files.read(data)
    assert Findings.from_json(found.to_json()) == found


def page(data: bytes) -> None:
    pages.read(_text(data), link="https://check.ofd.ru/rec/7380440800000000/1/2")


def operator_page(data: bytes) -> None:
    document = operators.read(data, expected=PAPER.qr)
    assert document is None or FiscalDocument.from_json(document.to_json()) == document


def letter(data: bytes) -> None:
    letters.read(data)


def photo(data: bytes) -> None:
    for jpeg in photos.find(data, [(7380440800000000, 1)]).values():
        assert len(jpeg) <= photos.MOST_BYTES


def report(data: bytes) -> None:
    for _ in reading.read(data).rows:
        pass


def catalogue(data: bytes) -> None:
    for row in catalogues.read(data).rows:
        rows.parse(row)


def code(data: bytes) -> None:
    """A pack's code without its tail names the same pack."""
    pack = marking.read(_text(data))
    assert pack is None or marking.read(pack.text) == pack


def tax_service(data: bytes) -> None:
    with contextlib.suppress(envelopes.Fault, envelopes.NotSoap):
        envelopes.read_token(data)
    with contextlib.suppress(envelopes.Fault, envelopes.NotSoap):
        envelopes.read_message_id(data)
    try:
        told = envelopes.read_result(data)
    except envelopes.NotSoap:
        return
    except envelopes.Fault as fault:
        _checked(fns.read_fault(fault))
        return
    if told is not None:
        _checked(fns.read(told, PAPER.qr))


def proverkacheka_answer(data: bytes) -> None:
    _checked(proverkacheka.read_body(data, PAPER.qr))


def qr_cash_answer(data: bytes) -> None:
    _checked(qr_cash.read_body(data, PAPER.qr))


TARGETS: Final[Mapping[str, Callable[[bytes], None]]] = {
    "qr": qr,
    "details": details,
    "documents": documents,
    "slips": slip,
    "links": link,
    "files": any_file,
    "pages": page,
    "operator_pages": operator_page,
    "letters": letter,
    "photos": photo,
    "reports": report,
    "catalogues": catalogue,
    "codes": code,
    "tax_service": tax_service,
    "proverkacheka": proverkacheka_answer,
    "qr_cash": qr_cash_answer,
}


@cache
def seeds() -> Mapping[str, Sequence[bytes]]:
    """True bytes for every target, by its name."""
    picture = receipts.picture(PAPER)
    details_text = made.details_text(PAPER)
    shapes = {one: _json(render(PAPER, one)) for one in Shape}
    html = [ofd_pages.platforma(PAPER).encode(), ofd_pages.taxcom(PAPER).encode()]
    slip_texts = [made.wildberries_text(PAPER).encode(), made.ozon_text(PAPER).encode()]
    letter_files = [("a.png", "image/png", picture)]
    letters_made = [
        made.letter("Чек", text=details_text),
        made.letter("Чек", html=f"<b>{details_text}</b>", charset="cp1251"),
        made.letter("Чек", html="<b>чек</b>", files=letter_files),
    ]
    return {
        "qr": [QR.encode(), QR.replace("&", "\r\n").encode(), b"vot: " + QR.encode()],
        "details": [
            details_text.encode(),
            f"{PAPER.key.fn} 8 1401 1746.05 17.11.26 12:30".encode(),
        ],
        "documents": [*shapes.values(), made.export([PAPER, PAPER])],
        "slips": slip_texts,
        "links": [f"https://{host}/?{QR}".encode() for host in sorted(links.HOSTS)],
        "files": [picture, made.pdf(made.Sheet(slip_texts[0].decode(), picture)), QR.encode()],
        "pages": [page_of(PAPER), *html],
        "operator_pages": [*html, ofd_pages.platforma(None).encode()],
        "letters": letters_made,
        "photos": [picture, made.pdf(made.Sheet("", picture)), letters_made[-1]],
        "reports": [
            reports.weekly(reports.sold()),
            reports.workbook(list(reports.withdrawn()), [reports.withdrawn()]),
            reports.OZON_POSTINGS.encode(),
            reports.MARKET_ORDERS.encode("cp1251"),
        ],
        "catalogues": [
            "Артикул;Название;Объём\nCREAM-50;Крем LUNARIA;50 мл\n".encode("cp1251"),
            reports.workbook(
                ["sku", "name", "gtin"],
                [{"sku": "CREAM-50", "name": "Крем LUNARIA 50 мл", "gtin": 4605035006964}],
            ),
        ],
        "codes": [b"0104605035006964215abcde\x1d93dGVz", b"(01)04605035006964(21)5abcde"],
        "tax_service": [
            soap.token("0123456789abcdef"),
            soap.message_id("e3b0c442-98fc-1c14-9afb-f4c8996fb924"),
            soap.result("200", escape(shapes[Shape.CONTENT].decode())),
            soap.result("404", ""),
            soap.fault("Превышен лимит"),
        ],
        "proverkacheka": [shapes[Shape.PROVERKACHEKA], b'{"code":2,"data":""}'],
        "qr_cash": [shapes[Shape.OFD_RU], b'{"Document":null}'],
    }


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def _checked(answer: Answer) -> None:
    """A document comes with FOUND alone, and is the one that was asked for."""
    assert (answer.verdict is Verdict.FOUND) == (answer.document is not None)
    assert answer.document is None or answer.document.key == PAPER.key


def _text(data: bytes) -> str:
    return data.decode("utf-8", errors="replace")
