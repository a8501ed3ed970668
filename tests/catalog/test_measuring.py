"""Precision with its interval, stages, thresholds that fit."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vezde.catalog import measuring
from vezde.catalog.measuring import Because, Stage, Verdict


def verdict(score: float, *, right: bool = True, accepted: bool = True) -> Verdict:
    return Verdict(accepted, score, score, right, right)


class TestInterval:
    # Exact values: of no errors the ends are powers; of others from tables of the beta distribution.
    @pytest.mark.parametrize(
        ("wrong", "count", "low", "high"),
        [
            (0, 10, 1 - (1 - 0.025 ** (1 / 10)), 1.0),
            (0, 3000, 0.025 ** (1 / 3000), 1.0),
            (10, 10, 0.0, 1 - 0.025 ** (1 / 10)),
            (5, 10, 0.1870860, 0.8129140),
            (1, 100, 0.9455406, 0.9997468),
        ],
    )
    def test_is_the_exact_one(self, wrong, count, low, high):
        found = measuring.interval(wrong, count)
        assert found[0] == pytest.approx(low, abs=1e-6)
        assert found[1] == pytest.approx(high, abs=1e-6)

    @given(
        st.integers(1, 5_000).flatmap(lambda n: st.tuples(st.integers(0, min(n, 60)), st.just(n)))
    )
    def test_holds_the_measured_precision(self, counts):
        wrong, count = counts
        low, high = measuring.interval(wrong, count)
        assert 0 <= low <= 1 - wrong / count <= high <= 1


class TestStage:
    @pytest.mark.parametrize(
        ("wrong", "count", "stage"),
        [
            (0, 0, Stage.START),
            (0, 298, Stage.START),
            (0, 299, Stage.SHOWN_99),
            (0, 1_497, Stage.SHOWN_998),
            (0, 2_999, Stage.SHOWN_998),
            (0, 3_000, Stage.PROMISED_999),
            (1, 3_000, Stage.SHOWN_998),
            (1, 100_000, Stage.SHOWN_998),
            (30, 3_000, Stage.START),
        ],
    )
    def test_is_what_was_shown(self, wrong, count, stage):
        assert measuring.stage(wrong, count) is stage

    @pytest.mark.parametrize(("wrong", "count"), [(0, 0), (0, 100), (0, 500), (0, 2_000), (1, 500)])
    def test_comes_after_as_many_as_are_needed(self, wrong, count):
        found = measuring.measure(
            [verdict(0.99)] * (count - wrong) + [verdict(0.99, right=False)] * wrong
        )
        assert found.needed is not None
        now = measuring.stage(wrong, count)
        assert measuring.stage(wrong, count + found.needed - 1) is now
        assert measuring.stage(wrong, count + found.needed) is not now


class TestMeasure:
    def test_takes_the_precision_of_accepted_lines_and_doubts_apart(self):
        found = measuring.measure(
            [verdict(0.99)] * 9
            + [verdict(0.98, right=False)]
            + [verdict(0.7, accepted=False)] * 3
            + [verdict(0.6, accepted=False, right=False)]
        )
        assert (found.checked, found.wrong, found.precision) == (10, 1, 0.9)
        assert (found.decided, found.first_right) == (4, 3)

    def test_of_nothing_is_nothing(self):
        found = measuring.measure([])
        assert (found.precision, found.low, found.stage) == (None, None, Stage.START)


class TestSuggest:
    def test_lowers_to_where_enough_lines_show_it(self):
        doubts = [verdict(0.9, accepted=False)] * 1_000 + [
            verdict(0.8, accepted=False, right=False)
        ]
        found = measuring.suggest([verdict(0.98)] * 600 + doubts, 0.97)
        assert found == measuring.Suggestion(0.9, Because.SAFE_LOWER, 1_600)

    def test_does_not_lower_on_little(self):
        doubts = [verdict(0.9, accepted=False)] * 200
        assert measuring.suggest([verdict(0.98)] * 200 + doubts, 0.97) is None

    def test_raises_above_what_was_wrong(self):
        seen = [verdict(0.99)] * 400 + [verdict(0.975, right=False)] * 4 + [verdict(0.974)] * 50
        found = measuring.suggest(seen, 0.97)
        assert found is not None
        assert (found.sku, found.because, found.lines) == (0.99, Because.WRONG_ABOVE, 400)

    def test_never_suggests_what_the_same_lines_refute(self):
        chance = random.Random(7)
        for _ in range(50):
            seen = [
                verdict(score, right=chance.random() < score, accepted=score >= 0.9)
                for score in (round(chance.uniform(0.5, 1), 3) for _ in range(300))
            ]
            found = measuring.suggest(seen, 0.9)
            if found and found.because is Because.SAFE_LOWER:
                above = [one for one in seen if one.sku_score >= found.sku]
                assert math.fsum(not one.right_sku for one in above) / len(above) <= 0.002
