"""What is shipped as weights, and the arrays between a line and its answer."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vezde.catalog import judging, names
from vezde.catalog.assortment import Assortment
from vezde.catalog.ranking import FEATURES, MANY_TEXTS, best_cells


@pytest.fixture(scope="module")
def shelf(lunaria):
    return Assortment(lunaria)


def judged(shelf, texts):
    lines = [shelf.see(names.read(text)) for text in texts]
    return judging.judge(shelf.index, lines, ours=[False] * len(lines), by=judging.weights())


class TestWeights:
    def test_fit_the_features(self):
        shipped = judging.weights()
        assert shipped.ranker.inner.shape[0] == len(FEATURES)
        assert shipped.judge.inner.shape[0] == len(FEATURES) + len(judging.FACTS)
        assert 0.5 < shipped.line < 1
        assert 0.5 < shipped.sku < 1

    def test_give_the_same_in_slices(self):
        ranker = judging.weights().ranker
        rows = np.random.default_rng(1).random((600, len(FEATURES)), np.float32)
        whole, parts = ranker.of(rows), [ranker.of(row[None]) for row in rows]
        assert np.allclose(whole, np.concatenate(parts), atol=1e-4)


class TestBestCells:
    def test_are_the_best_that_are_not_nothing(self):
        table = np.array([[0, 3, 0, 1, 2], [0, 0, 0, 0, 5]], np.float32)
        assert best_cells(table, 2).tolist() == [[1, 4], [4, 5]]

    def test_of_equal_ones_are_the_first(self):
        table = np.array([[1, 2, 1, 1, 2], [1, 1, 1, 1, 1]], np.float32)
        assert best_cells(table, 3).tolist() == [[0, 1, 4], [0, 1, 2]]


class TestJudge:
    def test_puts_the_best_row_first(self, shelf):
        ranked, (one,) = judged(shelf, ["LUNARIA крем для рук морошка и лен 30мл"])
        best = shelf.index.forms[ranked.forms[one.rows[0]]]
        assert one.row == one.rows[0]
        assert best.sku == "LU-B-006"
        assert one.sku > 0.5

    def test_says_nothing_of_what_is_like_nothing(self, shelf):
        _, (strange, ours) = judged(shelf, ["QWXZ 9", "LUNARIA крем"])
        assert strange.row is None
        assert (strange.line, strange.sku, len(strange.rows)) == (0, 0, 0)
        assert ours.row is not None

    def test_of_an_empty_catalogue_says_nothing(self):
        _, (one,) = judged(Assortment([]), ["крем"])
        assert one.row is None

    def test_of_a_large_catalogue_finds_the_same(self, product):
        kinds = ("Крем", "Гель", "Тоник", "Бальзам", "Скраб")
        many = [
            product(f"S{n}", f"{kinds[n % 5]} серии {chr(1072 + n % 31)}{chr(1072 + n // 31 % 31)}"
                             f"{chr(1072 + n // 961)}ово, 50 мл")
            for n in range(MANY_TEXTS + 100)
        ]  # fmt: skip
        shelf = Assortment(many)
        lines = [many[n].name.upper() for n in (5, 1_500, MANY_TEXTS + 50)]
        ranked, found = judged(shelf, lines)
        best = [shelf.index.forms[ranked.forms[one.row]].sku for one in found]
        assert best == ["S5", "S1500", f"S{MANY_TEXTS + 50}"]

    @given(st.lists(st.text(max_size=60), min_size=1, max_size=5))
    def test_answers_any_lines(self, shelf, texts):
        ranked, found = judged(shelf, texts)
        assert len(found) == len(texts)
        assert np.isfinite(ranked.features).all()
        assert all(0 <= one.line <= 1 and 0 <= one.sku <= 1 for one in found)
