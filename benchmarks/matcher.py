"""How right, how sure and how fast the matcher is, on a real brand's names.

    python benchmarks/matcher.py [--shared FOLDER] [--draws 3] [--seeds 8] [--no-speed]

Catalogue, marketplace titles and foreign receipt lines are read from the folder `--shared`, which
is not part of the project; without it only the speed is measured. Till lines, rivals and parts are
made here, anew with each seed. A threshold is chosen on one half of the product LINES and tried on
the other, with other cue words and foreign lines too, and the reverse. `default` is the shipped
threshold, which was chosen on invented catalogues alone. Prints a JSON line a figure.
"""

import argparse
import json
import math
import random
import resource
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from matching import samples, shelves, tills
from matching.samples import Line, Truth

from vezde.catalog.assortment import Assortment
from vezde.catalog.matcher import Item, Match, Matcher, Thresholds
from vezde.catalog.model import Product

NEVER = 1.1  # a threshold nothing reaches
WRONG_AT_MOST = 0.001  # of the half that a threshold is chosen on
FIRST_SEED = 3
SPEED_LINES = 6_000


def main() -> int:
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--shared", type=Path, default=Path(__file__).parents[2] / "shared")
    given.add_argument("--draws", type=int, default=3)
    given.add_argument("--seeds", type=int, default=8)
    given.add_argument("--no-speed", action="store_true")
    options = given.parse_args()
    if (options.shared / "data" / "matching" / "brand_catalog.csv").is_file():
        own = samples.catalogue(options.shared)
        cards = samples.titles(options.shared)
        for known, products in (("none", own), ("titles", samples.with_aliases(own, cards))):
            accuracy(options, products, known)
    else:
        say("accuracy", skipped=f"no catalogue in {options.shared}; give --shared")
    if not options.no_speed:
        speed()
    return 0


def say(figure: str, **values: object) -> None:
    print(json.dumps({"figure": figure, **values}, ensure_ascii=False), flush=True)


# -- right and sure -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Answered:
    """A line with the best guesses and their scores, whatever the thresholds."""

    line: Line
    skus: tuple[str, ...]
    line_score: float
    sku_score: float
    method: str | None


def accuracy(options: argparse.Namespace, products: Sequence[Product], known: str) -> None:
    shelf = Assortment(products)
    truth = Truth(shelf, products)
    half = samples.halves(shelf, FIRST_SEED)
    lines = [
        line
        for seed in range(FIRST_SEED, FIRST_SEED + options.seeds)
        for line in samples.lines_of(options.shared, shelf, half, seed=seed, draws=options.draws)
    ]
    # What is the same with every seed counts once.
    lines = list(dict.fromkeys(lines))
    if known == "titles":
        # The very titles are known by heart then and prove nothing.
        lines = [line for line in lines if line.kind != "title"]
    answered = answers(shelf, lines)
    for kind in dict.fromkeys(line.kind for line in lines if line.sku):
        ranked(kind, known, [one for one in answered if one.line.kind == kind], truth)
    for answer in ("line", "sku"):
        acceptance(answer, known, answered, truth)
    by_default(known, lines, shelf, truth)


def answers(shelf: Assortment, lines: Sequence[Line]) -> list[Answered]:
    """Each line's best guesses, and its scores under thresholds that let everything through."""
    items = [Item(line.text) for line in lines]
    brand = samples.BRAND
    guesses = Matcher(shelf, {}).guesses([line.text for line in lines])
    all_ = Matcher(shelf, {}, {brand: Thresholds(0.0, 0.0)}).match(items)
    found = []
    for line, best, sure in zip(lines, guesses, all_, strict=True):
        skus = [guess.sku for guess in best]
        if sure.sku:
            skus = [sure.sku, *(sku for sku in skus if sku != sure.sku)]
        found.append(
            Answered(
                line=line,
                skus=tuple(skus[:3]),
                line_score=sure.line_score if sure.line_skus else 0.0,
                sku_score=sure.score if sure.sku else 0.0,
                method=sure.method,
            )
        )
    return found


def ranked(kind: str, known: str, answered: Sequence[Answered], truth: Truth) -> None:
    count = len(answered)

    def share(right: Callable[[Answered], bool]) -> float:
        return round(sum(map(right, answered)) / count, 4)

    say(
        "ranking",
        lines=kind,
        known_names=known,
        count=count,
        sku_top1=share(lambda one: truth.strict(one.line, _first(one))),
        sku_top1_text=share(lambda one: truth.text(one.line, _first(one))),
        sku_top3=share(lambda one: one.line.sku in one.skus),
        sku_top3_text=share(lambda one: any(truth.text(one.line, sku) for sku in one.skus)),
        line_top1=share(lambda one: truth.line(one.line, _first(one))),
        line_top1_text=share(lambda one: truth.line_text(one.line, _first(one))),
    )


def _first(one: Answered) -> str | None:
    return one.skus[0] if one.skus else None


def acceptance(answer: str, known: str, answered: Sequence[Answered], truth: Truth) -> None:
    """Thresholds chosen on one half, tried on the other, both ways together."""
    right_of = _right(answer, truth)
    accepted: list[tuple[Answered, bool]] = []
    chosen = []
    for half in (0, 1):
        learn = [one for one in answered if one.line.half == half]
        scored = [(_score(one, answer), right_of(one)) for one in learn]
        threshold = lowest(scored)
        chosen.append(threshold)
        accepted += [
            (one, right_of(one))
            for one in answered
            if one.line.half != half and _score(one, answer) >= threshold
        ]
    ours = sum(one.line.sku is not None for one in answered)
    report("acceptance", answer, known, accepted, ours, thresholds=chosen)


def by_default(known: str, lines: Sequence[Line], shelf: Assortment, truth: Truth) -> None:
    found = Matcher(shelf, {}).match([Item(line.text) for line in lines])
    ours = sum(line.sku is not None for line in lines)
    for answer in ("line", "sku", "either"):
        accepted = [
            (line, _is_right(answer, match, line, truth))
            for line, match in zip(lines, found, strict=True)
            if (answer != "line" and match.sku) or (answer != "sku" and match.line_skus)
        ]
        report("acceptance_default", answer, known, accepted, ours)


def _is_right(answer: str, match: Match, line: Line, truth: Truth) -> bool:
    if match.sku and answer != "line":
        return truth.text(line, match.sku)
    return any(truth.line_text(line, sku) for sku in match.line_skus)


def _score(one: Answered, answer: str) -> float:
    return one.line_score if answer == "line" else one.sku_score


def _right(answer: str, truth: Truth) -> Callable[[Answered], bool]:
    if answer == "sku":
        return lambda one: truth.text(one.line, _first(one))
    return lambda one: truth.line_text(one.line, _first(one))


def lowest(scored: list[tuple[float, bool]]) -> float:
    """The lowest threshold with at most WRONG_AT_MOST of wrong ones at it and above."""
    threshold, wrong = NEVER, 0
    ordered = sorted(scored, key=lambda one: -one[0])
    for count, (score, right) in enumerate(ordered, 1):
        wrong += not right
        if score > 0 and wrong / count <= WRONG_AT_MOST:
            threshold = score
    return threshold


def report(
    figure: str, answer: str, known: str, accepted: Sequence[tuple[object, bool]], ours: int,
    **more: object,
) -> None:  # fmt: skip
    right = sum(good for _, good in accepted)
    wrong = [one for one, good in accepted if not good]
    low, high = interval(right, len(accepted))
    say(
        figure,
        answer=answer,
        known_names=known,
        ours=ours,
        accepted_right=right,
        accepted_wrong=len(wrong),
        share=round(right / ours, 4),
        precision=round(right / max(1, len(accepted)), 5),
        precision_low=round(low, 5),
        precision_high=round(high, 5),
        wrong=[getattr(one, "line", one).text for one in wrong[:10]],  # type: ignore[attr-defined]
        **more,
    )


def interval(right: int, count: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share."""
    if count == 0:
        return 0.0, 1.0
    z = 1.959964
    share, square = right / count, z * z / count
    middle = (share + square / 2) / (1 + square)
    half = z * math.sqrt(share * (1 - share) / count + square / 4 / count) / (1 + square)
    return max(0.0, middle - half), min(1.0, middle + half)


# -- fast ---------------------------------------------------------------------------------------


def speed() -> None:
    for size in (500, 100_000):
        rng = random.Random(1)
        products = shelf_of(size, rng)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        begun = time.perf_counter()
        matcher = Matcher(Assortment(products), {})
        built = time.perf_counter() - begun
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        lines = list(
            dict.fromkeys(
                tills.line(one.name, rng, brand=one.brand, hard=0.7)
                for one in rng.choices(products, k=SPEED_LINES)
            )
        )
        items = [Item(line) for line in lines]
        begun = time.perf_counter()
        for start in range(0, len(items), 500):
            matcher.match(items[start : start + 500])
        new = len(items) / (time.perf_counter() - begun)
        begun = time.perf_counter()
        matcher.match(items)
        known = len(items) / (time.perf_counter() - begun)
        say(
            "speed",
            products=len(products),
            new_lines_a_second=round(new),
            known_lines_a_second=round(known),
            build_seconds=round(built, 2),
            memory_mb=round(memory / 1024, 1),
        )


def shelf_of(size: int, rng: random.Random) -> list[Product]:
    """So many invented products; of a large catalogue of many brands."""
    found: list[Product] = []
    while len(found) < size:
        brand, made = shelves.shelf(rng, min(size, 2_000))
        found += [
            Product(sku=f"{len(found)}-{one.sku}", name=one.name, brand=brand) for one in made
        ]
    return found[:size]


if __name__ == "__main__":
    sys.exit(main())
