"""Rubles or kopecks, and quantities."""

import json
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vezde.receipts.model import MOST_KOPECKS
from vezde.testing.receipts import Shape, line, receipt, render

from .reading import BARE, HUGE, PAPER, QR, item, read, refusal, told


class TestSums:
    """Rubles and kopecks of one receipt of 830.00: what tells them apart."""

    ROUND = receipt(7, lines=[line("Крем LUNARIA 50 мл", 83_000)])
    ODD = receipt(7, lines=[line("Крем LUNARIA 50 мл", 83_050)])

    @pytest.mark.parametrize("paper", [ROUND, ODD])
    @pytest.mark.parametrize("shape", Shape)
    def test_the_qr_decides(self, paper, shape):
        assert read(render(paper, shape), expected=paper.qr) == paper

    def test_the_qr_decides_where_nothing_else_tells(self):
        rubles = self.bare(self.ROUND, lambda kopecks: kopecks // 100)
        assert read(rubles, expected=self.ROUND.qr) == self.ROUND
        assert read(rubles).total_kopecks == 830
        kopecks = render(self.ROUND, Shape.RUBLES) | self.bare(self.ROUND, int)
        kopecks["fiscalSign"], kopecks["retailPlace"] = str(self.ROUND.key.fp), None
        assert read(kopecks, expected=self.ROUND.qr).total_kopecks == 83_000

    def test_the_qr_of_another_sum_decides_nothing(self):
        other = replace(self.ROUND.qr, total_kopecks=12)
        assert read(render(self.ROUND), expected=other) == self.ROUND
        assert read(render(self.ODD, Shape.RUBLES), expected=other) == self.ODD

    @pytest.mark.parametrize("number", [float, Decimal, str, lambda value: f"{value:.2f}"])
    def test_a_fraction_is_of_rubles(self, number):
        rubles = self.bare(self.ODD, lambda kopecks: number(kopecks / 100))
        assert read(rubles) == self.ODD

    def test_a_fraction_in_one_line_is_enough(self):
        papers = receipt(7, lines=[line("Крем", 83_050), line("Пакет", 50)])
        rubles = self.bare(papers, lambda kopecks: kopecks / 100)
        rubles["totalSum"] = rubles["ecashTotalSum"] = 831
        assert read(rubles) == papers

    @pytest.mark.parametrize(
        "whole", [float, int, lambda value: Decimal(f"{value}.0"), lambda value: f"{value:.2f}"]
    )
    def test_whole_rubles_are_told_by_the_habits_of_their_source(self, whole):
        rubles = render(self.ROUND, Shape.RUBLES)
        rubles |= self.bare(self.ROUND, lambda kopecks: whole(kopecks // 100), rubles)
        assert read(rubles) == self.ROUND

    def test_whole_rubles_as_text_with_a_point(self):
        rubles = self.bare(self.ROUND, lambda kopecks: f"{kopecks // 100}.00")
        assert read(rubles) == self.ROUND

    @pytest.mark.parametrize("whole", [float, int, str, Decimal])
    def test_whole_numbers_without_such_signs_are_kopecks(self, whole):
        assert read(self.bare(self.ROUND, whole)) == self.ROUND
        assert read(self.bare(self.ROUND, whole) | {"operator": None}) == self.ROUND
        assert (
            read(self.bare(self.ROUND, whole) | {"fiscalSign": str(self.ROUND.key.fp)})
            == self.ROUND
        )

    @given(st.lists(st.integers(0, 10**9), min_size=1, max_size=3))
    def test_floats_of_rubles_are_read_to_the_kopeck(self, sums):
        paper = receipt(7, lines=[line("Крем", one) for one in sums])
        assert read(render(paper, Shape.RUBLES)) == paper
        assert read(json.dumps(render(paper, Shape.RUBLES))) == paper

    @pytest.mark.parametrize("name", ["totalSum", "ecashTotalSum", "prepaidSum"])
    @pytest.mark.parametrize(
        "wrong",
        [
            *(-1, -0.5, "-1", 10**12, HUGE, "1" * 400, 1e300, Decimal("1e999999999")),
            *(float("nan"), float("-inf"), Decimal("NaN"), True, [], {}),
            *("", "много", "1e3", "1_000", "１"),
        ],
    )
    def test_refuses_what_no_till_prints(self, name, wrong):
        assert name in refusal(BARE | {name: wrong})
        assert "totalSum" in refusal(BARE | {"totalSum": wrong}, expected=QR)

    def test_a_payment_need_not_be_there_but_the_total_must(self):
        assert told(ecashTotalSum=None).ecash_kopecks == 0
        assert read(BARE | {"cashTotalSum": None}) == PAPER
        assert "no totalSum" in refusal(BARE | {"totalSum": None})
        assert told(totalSum=MOST_KOPECKS).total_kopecks == MOST_KOPECKS

    @staticmethod
    def bare(paper, write, fields=None):
        """The bare receipt with every sum written otherwise."""
        fields = fields or render(paper)
        bare = render(paper)
        sums = {name: write(value) for name, value in bare.items() if name.endswith("Sum")}
        items = [
            one | {"price": write(kopecks["price"]), "sum": write(kopecks["sum"])}
            for one, kopecks in zip(fields["items"], bare["items"], strict=True)
        ]
        return fields | sums | {"items": items}


class TestQuantity:
    @pytest.mark.parametrize(
        ("written", "micro"),
        [
            (1, 1_000_000),
            (0.344, 344_000),
            (Decimal("0.344"), 344_000),
            ("0.344", 344_000),
            ("0,344", 344_000),
            (" 2 ", 2_000_000),
            (2.0, 2_000_000),
            (0, 1_000_000),  # a till's nought: something was sold
            (1.0000005, 1_000_001),
            (None, 1_000_000),
            (10**9, 10**15),
        ],
    )
    def test_is_exact_in_millionths(self, written, micro):
        assert item(quantity=written).quantity_micro == micro

    @given(st.integers(1, 10**12))
    def test_comes_back_from_a_float(self, micro):
        assert item(quantity=micro / 1_000_000).quantity_micro == micro
        text = json.dumps(BARE | {"items": [{"sum": 1, "quantity": micro / 1_000_000}]})
        assert read(text).lines[0].quantity_micro == micro

    @pytest.mark.parametrize(
        "wrong", [-1, -0.1, True, "пара", 10**9 + 1, 1e300, Decimal("1e999999999"), [], {}]
    )
    def test_refuses_what_no_till_prints(self, wrong):
        assert "quantity" in refusal(BARE | {"items": [{"sum": 1, "quantity": wrong}]})
