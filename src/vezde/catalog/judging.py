"""How well each candidate fits, and how surely the best one is the line and the product.

Two small networks of plain weights, made by `benchmarks/matching/train.py` from catalogues it
invents: one ranks the candidates of a line, one says how surely the best is right.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from vezde.catalog.forms import Seen
from vezde.catalog.ranking import FEATURES, Floats, Index, Ints, Ranked

WEIGHTS = Path(__file__).with_name("weights.json")
# From some 780 rows on OpenBLAS wakes its threads, which here only wait for each other.
ROWS_AT_ONCE = 256
FARTHEST = 12.0  # a lead over the next beyond which it tells no more
# What the second network sees beside the best candidate's features.
FACTS = ("first_word", "brand", "brand_cut", "lead_of_line", "lead_of_sku")


@dataclass(frozen=True, slots=True)
class Network:
    """Inputs, tanh, outputs; `skip` adds the inputs themselves (ranking)."""

    mean: Floats
    scale: Floats
    inner: Floats
    inner_bias: Floats
    outer: Floats
    outer_bias: Floats
    skip: Floats

    def of(self, inputs: Floats) -> Floats:
        """Rows of inputs to rows of outputs."""
        out = np.empty((len(inputs), len(self.outer_bias)), np.float32)
        for start in range(0, len(inputs), ROWS_AT_ONCE):
            scaled = (inputs[start : start + ROWS_AT_ONCE] - self.mean) / self.scale
            hidden = np.tanh(scaled @ self.inner + self.inner_bias)
            out[start : start + ROWS_AT_ONCE] = (
                hidden @ self.outer + self.outer_bias + scaled @ self.skip
            )
        return out


@dataclass(frozen=True, slots=True)
class Weights:
    """`line` and `sku` are the scores from which an answer is certain, unless a brand has its own.

    They were chosen on invented catalogues that training had not seen.
    """

    ranker: Network
    judge: Network
    line: float
    sku: float


@dataclass(frozen=True, slots=True)
class Judged:
    """The best candidate of a line: its row, and how surely it is the line and the SKU, 0 to 1.

    `features` are the row's, as FEATURES. `rows` are all of the line's rows, best first, `behind`
    how far each is behind the best; both are empty with `row` None when nothing is like it.
    """

    row: int | None
    line: float
    sku: float
    features: list[float]
    rows: Ints
    behind: Floats


@lru_cache(maxsize=1)
def weights() -> Weights:
    """The shipped weights."""
    return read(json.loads(WEIGHTS.read_text("utf-8")))


def read(given: dict[str, Any]) -> Weights:
    """Weights from their JSON form: networks by name, thresholds beside them."""

    def network(name: str) -> Network:
        parts = {key: np.array(value, np.float32) for key, value in given[name].items()}
        return Network(**parts)

    return Weights(network("ranker"), network("judge"), given["line"], given["sku"])


def scores(ranked: Ranked, ranker: Network) -> Floats:
    """A number a row: the higher, the better it fits its line."""
    return ranker.of(ranked.features)[:, 0]


def facts(
    index: Index,
    ranked: Ranked,
    fits: Floats,
    lines: Sequence[Seen],
    ours: npt.NDArray[np.bool_],
) -> tuple[Floats, Ints, Floats]:
    """What the judge sees of each line, its best row (-1: none), and the padded scores.

    `ours` says which lines the brand itself supplied.
    """
    count = len(lines)
    lengths = np.diff(ranked.starts)
    widest = max(int(lengths.max(initial=0)), 1)
    padded = np.full((count, widest), -np.inf, np.float32)
    line_at = np.repeat(np.arange(count), lengths)
    place = np.arange(len(fits)) - np.repeat(ranked.starts[:-1], lengths)
    padded[line_at, place] = fits
    best = padded.argmax(axis=1)
    row = np.where(lengths > 0, ranked.starts[:-1] + best, -1)
    seen = np.zeros((count, len(FEATURES) + len(FACTS)), np.float32)
    some = row >= 0
    if not some.any():
        return seen, row, padded
    seen[some, : len(FEATURES)] = ranked.features[row[some]]
    at = len(FEATURES)
    seen[some, at] = ranked.first[row[some]]
    seen[:, at + 1] = [bool(line.brands) for line in lines]
    seen[:, at + 1] = np.maximum(seen[:, at + 1], ours)
    seen[:, at + 2] = ranked.brandish
    top = padded[np.arange(count), best]
    for offset, of_form in ((3, index.form_line), (4, index.form_sku)):
        groups = np.full(padded.shape, -1, np.int64)
        groups[line_at, place] = of_form[ranked.forms]
        same = groups == groups[np.arange(count), best][:, None]
        others = np.where(same, -np.inf, padded).max(axis=1)
        lead = np.minimum(top[some] - others[some], FARTHEST)
        seen[some, at + offset] = lead
    return seen, row, padded


def judge(
    index: Index,
    lines: Sequence[Seen],
    *,
    ours: Sequence[bool],
    by: Weights,
) -> tuple[Ranked, list[Judged]]:
    """Rank and judge a chunk of lines; answers in their order."""
    ranked = index.rank(lines)
    fits = scores(ranked, by.ranker)
    seen, best, padded = facts(index, ranked, fits, lines, np.array(ours, bool))
    sure = 1 / (1 + np.exp(-np.clip(by.judge.of(seen), -30, 30)))
    order = np.argsort(-padded, axis=1, kind="stable")
    behind = np.take_along_axis(padded, order, axis=1)
    behind = np.where(best >= 0, behind[:, 0], 0.0)[:, None] - behind
    rows = order + ranked.starts[:-1, None]
    judged = []
    facts_of = zip(best.tolist(), sure.tolist(), seen[:, : len(FEATURES)].tolist(), strict=True)
    lengths = np.diff(ranked.starts).tolist()
    for place, (row, (line, sku), features) in enumerate(facts_of):
        own, far = rows[place, : lengths[place]], behind[place, : lengths[place]]
        if row < 0:
            judged.append(Judged(None, 0.0, 0.0, features, own, far))
        else:
            judged.append(Judged(row, line, sku, features, own, far))
    return ranked, judged
