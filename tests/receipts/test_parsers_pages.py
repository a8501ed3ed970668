"""Receipts on pages of operators of fiscal data: layouts, what is missing, hostile pages."""

import contextlib
import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vezde.receipts.parsers import UnreadableDocument, pages
from vezde.testing import ofd_pages
from vezde.testing.receipts import line, receipt

PAPER = replace(
    receipt(
        3,
        lines=[
            line("Крем для лица LUNARIA 50мл", 83_000),
            line("Маска <для волос> & «LUNARIA»", 129_990, quantity=3),
            line("Доставка", 0, payment_type=None, product_type=None),
        ],
    ),
    code=None,
    retail_place=None,
)


@pytest.mark.parametrize("layout", [ofd_pages.platforma, ofd_pages.taxcom])
class TestLayouts:
    def test_read_as_the_paper_they_show(self, layout):
        read = pages.read(layout(PAPER).encode())
        assert read.key == PAPER.key
        assert (read.wall_time, read.total_kopecks, read.operation) == (
            PAPER.wall_time, PAPER.total_kopecks, 1,
        )  # fmt: skip
        assert (read.seller_inn, read.seller_name) == (PAPER.seller_inn, PAPER.seller_name)
        assert [(one.name, one.sum_kopecks, one.quantity_micro) for one in read.lines] == [
            (one.name, one.sum_kopecks, one.quantity_micro) for one in PAPER.lines
        ]
        assert [one.payment_type for one in read.lines] == [4, 4, None]
        assert read.ecash_kopecks == PAPER.total_kopecks

    def test_tell_a_return(self, layout):
        assert pages.read(layout(replace(PAPER, operation=2)).encode()).operation == 2

    def test_tell_that_there_is_none(self, layout):
        assert pages.read(layout(None).encode()) is None


class TestRealPages:
    @pytest.mark.parametrize(
        ("name", "total", "lines"),
        [
            ("platforma_ofd_receipt_found", 28_090, 5),
            ("platforma_ofd_receipt_found_with_no_barcodes_v2", 48_394, 7),
            ("taxcom_receipt_found_v1", 104_200, 13),
            ("taxcom_receipt_found_v2", 94_300, 14),
        ],
    )
    def test_add_up(self, shared, name, total, lines):
        read = pages.read((shared / f"data/ofd_html/{name}.html").read_bytes())
        assert read.total_kopecks == sum(one.sum_kopecks for one in read.lines) == total
        assert len(read.lines) == lines
        assert read.ecash_kopecks == total
        assert len(read.seller_inn) == 10

    @pytest.mark.parametrize(
        "name", ["platforma_ofd_receipt_not_found", "taxcom_receipt_not_found"]
    )
    def test_that_have_none_say_so(self, shared, name):
        assert pages.read((shared / f"data/ofd_html/{name}.html").read_bytes()) is None


class TestOtherPages:
    @pytest.mark.parametrize(
        "page",
        [
            b"", b"<", b"\0\0", b"\xff\xfe\xfa", b"<html><body>captcha</body></html>",
            b'<?xml version="1.0" encoding="koi8-r"?><html></html>', b"<div>" * 20_000,
            b"<div class='receipt_report'><table>" + b"<tr><td>a</td></tr>" * 30_000,
            b"x" * (pages.PAGE_BYTES + 1),
        ],
    )  # fmt: skip
    def test_are_refused_soon(self, page):
        started = time.monotonic()
        with pytest.raises(UnreadableDocument):
            pages.read(page)
        assert time.monotonic() - started < 10

    @pytest.mark.parametrize("sign", ["\0", "\1", "\x1f", "\ufffe", "&#1;", "&#xd800;"])
    def test_with_signs_that_are_none_are_read(self, sign):
        page = ofd_pages.platforma(PAPER)
        spoilt = page.replace("<div", f"{sign}<i style='display:none'>x</i>{sign}<div")
        assert pages.read(spoilt.encode()) == pages.read(page.encode())

    @given(st.binary(max_size=400), st.integers(0, 4000))
    def test_never_break_it(self, noise, at):
        page = ofd_pages.platforma(PAPER).encode()
        with contextlib.suppress(UnreadableDocument):
            pages.read(page[:at] + noise + page[at:])
