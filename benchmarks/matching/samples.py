"""A real brand's names from a folder outside the project, and the lines made of them."""

import csv
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from matching import strangers, tills
from vezde.catalog import lines, names
from vezde.catalog.assortment import Assortment
from vezde.catalog.model import Product

BRAND = "Prosept"


@dataclass(frozen=True)
class Line:
    """A line to match: `sku` is its product (None: a stranger), `title` the whole name of it."""

    text: str
    kind: str
    half: int
    sku: str | None = None
    title: str = ""


def catalogue(shared: Path) -> list[Product]:
    return [
        Product(sku=row["id"], name=row["name"], brand=BRAND)
        for row in _table(shared, "brand_catalog.csv")
    ]


def titles(shared: Path) -> list[tuple[str, str]]:
    """(SKU, marketplace title) of a part of the products."""
    return [(row["id"], row["ozon_name"]) for row in _table(shared, "marketplace_names.csv")]


def foreign(shared: Path) -> list[str]:
    """Names printed on real receipts, none of this brand."""
    found = {row["Название"] for row in _table(shared, "slgero_standard.csv")}
    for path in sorted((shared / "data" / "receipts").glob("*.json")):
        _collect(json.loads(path.read_text("utf-8")), found)
    return sorted(found)


def with_aliases(products: Sequence[Product], known: Sequence[tuple[str, str]]) -> list[Product]:
    """The products with their marketplace titles as known names."""
    by_sku: dict[str, list[str]] = {}
    for sku, title in known:
        by_sku.setdefault(sku, []).append(title)
    return [replace(one, aliases=tuple(by_sku.get(one.sku, ()))) for one in products]


def halves(shelf: Assortment, seed: int) -> dict[int, int]:
    rng = random.Random(seed)
    return {line: rng.randrange(2) for line in range(len(shelf.lines))}


def lines_of(
    shared: Path, shelf: Assortment, half: Mapping[int, int], *, seed: int, draws: int
) -> list[Line]:
    """Titles, `draws` till lines of each title and own name, and strangers, each in its half."""
    rng = random.Random(seed)
    found = []
    cards = titles(shared)
    for sku, title in cards:
        side = half[shelf.line_of[sku]]
        found.append(Line(title, "title", side, sku, title))
        found += [
            Line(tills.line(title, rng, brand=BRAND), "till", side, sku, title)
            for _ in range(draws)
        ]
    own = catalogue(shared)
    for one in own:
        side = half[shelf.line_of[one.sku]]
        found += [
            Line(tills.line(one.name, rng, brand=BRAND), "own_till", side, one.sku, one.name)
            for _ in range(draws)
        ]
    return found + _strangers(shared, own, dict(cards), half, shelf, rng)


def _strangers(
    shared: Path,
    own: Sequence[Product],
    cards: Mapping[str, str],
    half: Mapping[int, int],
    shelf: Assortment,
    rng: random.Random,
) -> list[Line]:
    found = []
    for one in own:
        side = half[shelf.line_of[one.sku]]
        title = cards.get(one.sku, one.name)
        made = (
            strangers.rival(one.name, BRAND, rng),
            strangers.rival(title, BRAND, rng),
            strangers.part(title, BRAND, rng, side),
        )
        for stranger in made:
            cut = rng.random() < 0.5
            both = f"{one.name} {title}"
            text = strangers.printed(stranger, both, BRAND, rng) if cut else stranger
            found.append(Line(text, "near", side))
    strange = foreign(shared)
    rng.shuffle(strange)
    for place, name in enumerate(strange):
        found.append(Line(name, "foreign", place % 2))
        found.append(Line(strangers.sibling(name, BRAND, rng), "under_our_brand", place % 2))
    return found


class Truth:
    """Whether an answer is right: to the label, or at least as the text has it.

    Labels contradict texts here and there: two products bear one name, a title spells another
    product out to the last word, a till cuts a set's count off and prints the single's name. The
    answers that end in `text` count such ones as right, `strict` and `line` do not.
    """

    def __init__(self, shelf: Assortment, products: Sequence[Product]) -> None:
        self._shelf = shelf
        self._said = {}
        self._keys = {}
        for one in products:
            name = names.read(one.name)
            self._keys[one.sku] = name.key
            words, _ = shelf.split(name)
            self._said[one.sku] = (frozenset(words) - lines.PACKED, name.amounts, name.pieces or 1)
        self._known: dict[tuple[str, str, bool], bool] = {}

    def strict(self, line: Line, sku: str | None) -> bool:
        return line.sku is not None and sku == line.sku

    def text(self, line: Line, sku: str | None) -> bool:
        if sku is None or line.sku is None:
            return False
        if sku == line.sku or self._said[sku] == self._said[line.sku]:
            return True
        if self._keys[sku] == names.key(line.text):
            return True
        mine, theirs = self._said[sku], self._said[line.sku]
        if mine[:2] == theirs[:2]:
            return mine[2] == (names.read(line.title).pieces or 1)
        return self._spelt(sku, line.title) and not self._spelt(line.sku, line.title)

    def line(self, line: Line, sku: str | None) -> bool:
        if sku is None or line.sku is None:
            return False
        return self._shelf.line_of[sku] == self._shelf.line_of[line.sku]

    def line_text(self, line: Line, sku: str | None) -> bool:
        if sku is None or line.sku is None:
            return False
        if self.line(line, sku) or self.text(line, sku):
            return True
        return self._spelt(sku, line.title, sized=False) and not self._spelt(
            line.sku, line.title, sized=False
        )

    def _spelt(self, sku: str, title: str, *, sized: bool = True) -> bool:
        key = (sku, title, sized)
        if key not in self._known:
            words, amounts, _ = self._said[sku]
            name = names.read(title)
            there = frozenset(self._shelf.split(name)[0])
            fits = not sized or not amounts or bool(amounts & name.amounts)
            self._known[key] = words <= there and fits
        return self._known[key]


def _table(shared: Path, name: str) -> list[dict[str, str]]:
    with (shared / "data" / "matching" / name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _collect(found: Any, names_seen: set[str]) -> None:
    if isinstance(found, dict):
        if isinstance(found.get("items"), list):
            items = [item for item in found["items"] if isinstance(item, dict)]
            names_seen.update(item["name"] for item in items if item.get("name"))
        for inner in found.values():
            _collect(inner, names_seen)
    elif isinstance(found, list):
        for inner in found:
            _collect(inner, names_seen)
