"""Synthetic receipts and people."""

import io
import json
from datetime import datetime, timedelta

import pytest
from PIL import Image

from vezde.members import identities
from vezde.receipts import parsers
from vezde.receipts.qr import grammar, images
from vezde.testing import people, receipts
from vezde.testing.receipts import Shape, line, receipt, render

SHOPS = [receipts.WILDBERRIES, receipts.OZON, receipts.PYATEROCHKA, receipts.CORNER_SHOP]
CREAM = line("Крем LUNARIA 50 мл", 83_000)


class TestReceipt:
    @pytest.mark.parametrize("seller", SHOPS)
    @pytest.mark.parametrize("shape", Shape)
    def test_reads_back_from_every_shape(self, seller, shape):
        paper = receipt(
            7,
            lines=[
                CREAM,
                line("Маска", 30_005, quantity=3, gtin="04605035006964", serial="5Oo>"),
                line(
                    None, 100, gtin="04605035006964", payment_type=None, provider_inn="7801234564"
                ),
            ],
            seller=seller,
            operation=2,
            prepaid_kopecks=5,
        )
        text = json.dumps(render(paper, shape), ensure_ascii=False)
        assert parsers.read(text) == [paper]

    def test_the_same_number_is_the_same_paper(self):
        assert receipt(7, lines=[CREAM]) == receipt(7, lines=[CREAM])

    def test_another_number_is_another_paper(self):
        numbers = [*range(300), *range(99_990, 100_010), 20_000_000, 300_000_000]
        papers = [receipt(number, lines=[CREAM]) for number in numbers]
        assert len({(one.key.fn, one.key.fd) for one in papers}) == len(papers)
        for one in (papers[0], papers[-1]):
            assert parsers.read(render(one)) == [one]
            assert grammar.parse(one.qr.text()) == one.qr

    def test_numbers_its_lines_and_adds_them_up(self):
        paper = receipt(7, lines=[CREAM, CREAM], prepaid_kopecks=66_000)
        assert [one.line for one in paper.lines] == [1, 2]
        assert (paper.total_kopecks, paper.prepaid_kopecks, paper.ecash_kopecks) == (
            166_000,
            66_000,
            100_000,
        )

    def test_an_order_is_paid_ahead_and_handed_over(self):
        later = receipts.NOON + timedelta(days=2)
        advance, settlement = receipts.advance_and_settlement(
            7, lines=[CREAM], handed_over_at=later
        )
        assert [one.payment_type for one in (*advance.lines, *settlement.lines)] == [1, 4]
        assert (advance.prepaid_kopecks, settlement.prepaid_kopecks) == (0, 83_000)
        assert (advance.wall_time, settlement.wall_time) == (receipts.NOON, later)
        assert advance.key != settlement.key
        assert advance.seller_inn == settlement.seller_inn == receipts.OZON.inn


class TestRender:
    def test_shapes_differ_as_their_sources_do(self):
        paper = receipt(7, lines=[line("Крем", 83_050, gtin="04605035006964", serial="5Oo>")])
        shapes = {shape: render(paper, shape) for shape in Shape}
        assert set(shapes[Shape.PROVERKACHEKA]) == {"code", "first", "data", "request"}
        assert set(shapes[Shape.DOCUMENT]["document"]) == {"receipt"}
        exported = shapes[Shape.EXPORT][0]["ticket"]["document"]["receipt"]["items"][0]
        assert exported["productCodeData"]["gtin"] == 4605035006964
        assert shapes[Shape.CONTENT]["content"]["dateTime"] == 1_794_918_600
        assert shapes[Shape.RUBLES]["totalSum"] == 830.5
        assert isinstance(shapes[Shape.RUBLES]["fiscalSign"], str)
        assert shapes[Shape.BARE]["userInn"] == "7825706086  "


class TestPicture:
    @pytest.mark.parametrize(
        "shown",
        [
            receipt(7, lines=[CREAM]),
            receipt(7, lines=[CREAM]).qr,
            receipt(7, lines=[CREAM]).qr.text(),
            receipt(8, lines=[CREAM], at=datetime(2026, 11, 17, 12, 30, 41)),
        ],
    )
    def test_shows_the_code_of_the_receipt(self, shown):
        picture = receipts.picture(shown)
        assert Image.open(io.BytesIO(picture)).format == "PNG"
        [text] = images.decode(picture)
        assert grammar.parse(text).total_kopecks == 83_000

    def test_may_be_beyond_reading(self):
        assert images.decode(receipts.picture("t=1", blurred=True)) == []


class TestPeople:
    def test_have_phones_that_can_be_enrolled(self):
        everybody = [people.ANNA, people.BORIS, people.VERA, people.GLEB]
        phones = [*(one.phone for one in everybody), *(people.phone(n) for n in range(5, 99))]
        phones.append(people.phone(99_999_999))
        assert [identities.phone(one) for one in phones] == phones
        assert len(set(phones)) == len(phones)
