"""Make `src/vezde/catalog/weights.json` anew: from invented catalogues alone, in minutes.

    python -m matching.train          (in benchmarks/; --shelves 40 and --seed for other weights)

First the ranker: of a line's candidates the right one gets the highest score (listwise softmax).
Then the judge: whether the best candidate is the right line, the right product (two sigmoids),
with rivals, spare parts, dupes and products that were taken out of the catalogue among the lines.
Last the thresholds, on catalogues neither has seen.
"""

import argparse
import json
import random
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from matching import shelves, strangers, tills
from vezde.catalog import judging, names, ranking
from vezde.catalog.assortment import Assortment
from vezde.catalog.judging import Weights
from vezde.catalog.model import Product

Array = npt.NDArray[np.float32]
SIZES = (60, 150, 300)
ABSENT = 0.15
# Wrong answers among the accepted of the shelves that thresholds are chosen on. More than half of
# the lines there are made to deceive; on a real brand's names the same thresholds were wrong in
# one of 700 (`benchmarks/matcher.py`, acceptance_default).
WRONG_AT_MOST = 0.015


def main() -> None:
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--shelves", type=int, default=40)
    given.add_argument("--seed", type=int, default=7)
    options = given.parse_args()
    ranker = train_ranker(options.seed, options.shelves)
    print("ranker made", flush=True)
    judge = train_judge(options.seed + 1, options.shelves, ranker)
    print("judge made", flush=True)
    made = {"ranker": ranker, "judge": judge, "line": 1.0, "sku": 1.0}
    made["line"], made["sku"] = thresholds(options.seed + 2, 2 * options.shelves, made)
    print("thresholds", made["line"], made["sku"])
    text = json.dumps(made, separators=(",", ":"))
    judging.WEIGHTS.write_text(text.replace('},"', '},\n"').replace("],[", "],\n[") + "\n", "utf-8")


def assortment(brand: str, made: Sequence[shelves.Made]) -> Assortment:
    return Assortment([Product(sku=one.sku, name=one.name, brand=brand) for one in made])


def chunks(shelf: Assortment, lines: Sequence[str]) -> Any:
    """Each chunk of lines: where it starts, the lines as seen, their candidates."""
    seen = [shelf.see(names.read(line)) for line in lines]
    size = shelf.index.chunk_lines()
    for start in range(0, len(seen), size):
        part = seen[start : start + size]
        yield start, part, shelf.index.rank(part)


# -- the ranker ---------------------------------------------------------------------------------


def train_ranker(seed: int, count: int) -> dict[str, Any]:
    rng = random.Random(seed)
    rows: list[tuple[Array, npt.NDArray[np.bool_]]] = []
    for _ in range(count):
        brand, made = shelves.shelf(rng, rng.choice(SIZES))
        shelf = assortment(brand, made)
        pairs = [(one.sku, one.title) for one in made]
        pairs += [
            (one.sku, tills.line(rng.choice((one.title, one.name)), rng, brand=brand,
                                 hard=rng.choice((0.4, 1.0, 1.0))))
            for one in made for _ in range(2)
        ]  # fmt: skip
        rows += list(_examples(shelf, pairs))
    return _fit_ranker(rows, seed)


def _examples(shelf: Assortment, pairs: Sequence[tuple[str, str]]) -> Any:
    forms = shelf.index.forms
    said = {form.sku: (form.words, form.amounts, form.pieces) for form in forms}
    for start, part, ranked in chunks(shelf, [line for _, line in pairs]):
        for place in range(len(part)):
            low, high = ranked.starts[place], ranked.starts[place + 1]
            truth = said[pairs[start + place][0]]
            right = np.array([said[forms[one].sku] == truth for one in ranked.forms[low:high]])
            if right.any() and not right.all():
                yield ranked.features[low:high], right


def _fit_ranker(rows: Any, seed: int, hidden: int = 16, epochs: int = 50) -> dict[str, Any]:
    widest = max(len(features) for features, _ in rows)
    width = len(ranking.FEATURES)
    inputs = np.zeros((len(rows), widest, width), np.float32)
    right = np.zeros((len(rows), widest), bool)
    there = np.zeros((len(rows), widest), bool)
    for place, (features, good) in enumerate(rows):
        inputs[place, : len(features)], right[place, : len(good)] = features, good
        there[place, : len(features)] = True
    rng = np.random.default_rng(seed)
    parts = [
        rng.normal(0, 0.4, (width, hidden)), np.zeros(hidden), rng.normal(0, 0.3, (hidden, 1)),
        np.zeros((width, 1)),
    ]  # fmt: skip
    steps = Adam([part.astype(np.float32) for part in parts])
    for x, good, real in batches(rng, epochs, 512, (inputs, right, there), steps, 0.01):
        inner, bias, outer, skip = steps.parts
        z = np.tanh(x @ inner + bias)
        score = np.where(real, (z @ outer + x @ skip)[..., 0], -1e9)
        p = np.exp(score - score.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        q = p * good
        q /= q.sum(axis=1, keepdims=True) + 1e-12
        g = ((p - q) / len(x))[..., None]
        gz = g @ outer.T * (1 - z * z)
        flat, gz = x.reshape(-1, width), gz.reshape(-1, hidden)
        g = g.reshape(-1, 1)
        steps.take([flat.T @ gz, gz.sum(axis=0), z.reshape(-1, hidden).T @ g, flat.T @ g], 1e-5)
    inner, bias, outer, skip = steps.parts
    return network(np.zeros(width), np.ones(width), inner, bias, outer, np.zeros(1), skip)


# -- the judge ----------------------------------------------------------------------------------


def lines_of(
    rng: random.Random, brand: str, made: Sequence[shelves.Made], other: Sequence[str]
) -> tuple[Assortment, list[str], list[str | None]]:
    """A shelf with some lines missing; lines of all kinds; what each is (None: a stranger)."""
    absent = {line for line in {one.line for one in made} if rng.random() < ABSENT}
    shelf = assortment(brand, [one for one in made if one.line not in absent])
    lines: list[str] = []
    truth: list[str | None] = []
    for one in made:
        here = None if one.line in absent else one.sku
        for name, hard in ((one.title, 1.0), (one.name, 1.0), (one.title, 0.4)):
            lines.append(tills.line(name, rng, brand=brand, hard=hard))
        lines.append(one.title)
        truth += [here] * 4
        for stranger in (
            strangers.rival(one.title, brand, rng), strangers.rival(one.title, brand, rng),
            strangers.rival(one.name, brand, rng), strangers.part(one.title, brand, rng, 2),
            strangers.sibling(rng.choice(other), brand, rng),
        ):  # fmt: skip
            both = f"{one.title} {one.name}"
            cut = rng.random() < 0.6
            lines.append(strangers.printed(stranger, both, brand, rng) if cut else stranger)
            truth.append(None)
    for name in rng.sample(list(other), min(60, len(other))):
        lines.append(tills.line(name, rng, brand=brand, hard=0.7))
        truth.append(None)
    return shelf, lines, truth


def seen_and_truth(seed: int, count: int, ranker: dict[str, Any]) -> tuple[Array, Array]:
    """What the judge sees of each line (lines x inputs) and whether line and SKU are right."""
    rng = random.Random(seed)
    by = judging.read({"ranker": ranker, "judge": ranker, "line": 1, "sku": 1}).ranker
    other = [one.title for _ in range(4) for one in shelves.shelf(rng, 150)[1]]
    inputs, right = [], []
    for _ in range(count):
        brand, made = shelves.shelf(rng, rng.choice(SIZES))
        shelf, lines, truth = lines_of(rng, brand, made, other)
        forms = shelf.index.forms
        said = {form.sku: (form.words, form.amounts, form.pieces) for form in forms}
        for start, part, ranked in chunks(shelf, lines):
            fits = judging.scores(ranked, by)
            ours = np.zeros(len(part), bool)
            seen, rows, _ = judging.facts(shelf.index, ranked, fits, part, ours)
            for place, row in enumerate(rows):
                if row < 0:
                    continue
                is_, best = truth[start + place], forms[ranked.forms[row]].sku
                inputs.append(seen[place])
                right.append(
                    (False, False)
                    if is_ is None
                    else (shelf.line_of[best] == shelf.line_of[is_], said[best] == said[is_])
                )
    return np.array(inputs, np.float32), np.array(right, np.float32)


def train_judge(seed: int, count: int, ranker: dict[str, Any]) -> dict[str, Any]:
    """Three networks from different beginnings, their logits averaged, as one."""
    inputs, right = seen_and_truth(seed, count, ranker)
    mean, scale = inputs.mean(axis=0), inputs.std(axis=0) + 1e-3
    scaled = ((inputs - mean) / scale).astype(np.float32)
    made = [_fit_judge(scaled, right, seed + place) for place in range(3)]
    inner = np.concatenate([one[0] for one in made], axis=1)
    bias = np.concatenate([one[1] for one in made])
    outer = np.concatenate([one[2] for one in made]) / len(made)
    outer_bias = np.mean([one[3] for one in made], axis=0)
    return network(mean, scale, inner, bias, outer, outer_bias, np.zeros((len(mean), 2)))


def _fit_judge(
    scaled: Array, right: Array, seed: int, hidden: int = 16, epochs: int = 25
) -> list[Array]:
    rng = np.random.default_rng(seed)
    width = scaled.shape[1]
    parts = [
        rng.normal(0, 0.3, (width, hidden)), np.zeros(hidden), rng.normal(0, 0.3, (hidden, 2)),
        np.zeros(2),
    ]  # fmt: skip
    steps = Adam([part.astype(np.float32) for part in parts])
    for x, y in batches(rng, epochs, 1024, (scaled, right), steps, 0.01):
        inner, bias, outer, outer_bias = steps.parts
        z = np.tanh(x @ inner + bias)
        g = (1 / (1 + np.exp(-(z @ outer + outer_bias))) - y) / len(x)
        gz = g @ outer.T * (1 - z * z)
        steps.take([x.T @ gz, gz.sum(axis=0), z.T @ g, g.sum(axis=0)], 1e-3)
    return steps.parts


def thresholds(seed: int, count: int, made: dict[str, Any]) -> tuple[float, float]:
    """The lowest scores with so few wrong among the accepted, on shelves of another seed."""
    inputs, right = seen_and_truth(seed, count, made["ranker"])
    by: Weights = judging.read(made)
    sure = 1 / (1 + np.exp(-by.judge.of(inputs)))
    return tuple(lowest(sure[:, k], right[:, k] > 0, WRONG_AT_MOST) for k in (0, 1))  # type: ignore[return-value]


def lowest(sure: Array, right: npt.NDArray[np.bool_], wrong: float) -> float:
    """The lowest threshold with at most this share of wrong ones at it and above; 1 if none."""
    order = np.argsort(-sure)
    share = np.cumsum(~right[order]) / np.arange(1, len(order) + 1)
    good = np.nonzero(share <= wrong)[0]
    return round(float(sure[order][good[-1]]), 5) if len(good) else 1.0


# -- both ---------------------------------------------------------------------------------------


class Adam:
    """Steps along gradients (Kingma and Ba 2015); `rate` is set by `batches`."""

    def __init__(self, parts: list[Array]) -> None:
        self.parts = parts
        self.rate = 0.0
        self._count = 0
        self._means = [np.zeros_like(part) for part in parts]
        self._squares = [np.zeros_like(part) for part in parts]

    def take(self, gradients: Sequence[Array], decay: float) -> None:
        self._count += 1
        for place, gradient in enumerate(gradients):
            part = self.parts[place]
            step = gradient + decay * part if part.ndim > 1 else gradient
            mean = self._means[place] = 0.9 * self._means[place] + 0.1 * step
            square = self._squares[place] = 0.99 * self._squares[place] + 0.01 * step * step
            mean, square = mean / (1 - 0.9**self._count), square / (1 - 0.99**self._count)
            self.parts[place] = (part - self.rate * mean / (np.sqrt(square) + 1e-8)).astype("f4")


def batches(
    rng: np.random.Generator,
    epochs: int,
    size: int,
    arrays: Sequence[Any],
    steps: Adam,
    rate: float,
) -> Any:
    for epoch in range(epochs):
        steps.rate = rate * (1 - epoch / epochs) + 1e-4
        order = rng.permutation(len(arrays[0]))
        for start in range(0, len(order), size):
            yield [array[order[start : start + size]] for array in arrays]


def network(*parts: npt.NDArray[Any]) -> dict[str, Any]:
    fields = ("mean", "scale", "inner", "inner_bias", "outer", "outer_bias", "skip")
    return {
        name: np.round(np.asarray(part, float), 4).tolist()
        for name, part in zip(fields, parts, strict=True)
    }


if __name__ == "__main__":
    main()
