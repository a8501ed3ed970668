"""The catalogue as the matcher sees it: each product's forms of name, its size, its line."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from vezde.catalog import brands, lines, names, ranking
from vezde.catalog.forms import Form, Seen
from vezde.catalog.model import Product

SHORTEST_PART = 5
LATIN_WORD = re.compile(r"[A-Za-z]{2,}")


class Assortment:
    """Products ready to be looked up; built once a catalogue revision, never changed."""

    def __init__(self, products: Sequence[Product]) -> None:
        self.brands = brands.Brands(sorted({product.brand for product in products}))
        self.skus = frozenset(product.sku for product in products)
        self.prices = {one.sku: one.price_kopecks for one in products if one.price_kopecks}
        # Pieces in one pack of each SKU.
        own = {product.sku: names.read(product.name) for product in products}
        self._measures = {one.sku: _measures(one, own[one.sku]) for one in products}
        self.units = {sku: pieces or 1 for sku, (_, pieces) in self._measures.items()}
        self._first: dict[str, str] = {}
        for product in sorted(products, key=lambda one: one.sku):
            self._first.setdefault(self.brands.one(product.brand), product.sku)
        self.gtins = {product.sku: product.gtin for product in products if product.gtin}
        self.by_gtin = {gtin: sku for sku, gtin in self.gtins.items()}
        # SKUs of each line, by its number, and the line of each SKU.
        self.lines: list[tuple[str, ...]] = []
        self.line_of: dict[str, int] = {}
        self.by_words: dict[tuple[str, ...], list[Form]] = defaultdict(list)
        self._glued = _glued_words(own.values())
        self._put_in_lines(products, own)
        forms = [form for one in products for form in self._forms(one, own[one.sku])]
        forms.sort(key=lambda form: (form.words, form.sku))
        for form in forms:
            self.by_words[form.words].append(form)
        self.lines_by_essence: dict[frozenset[str], set[int]] = defaultdict(set)
        for form in forms:
            self.lines_by_essence[lines.essence(form.words)].add(form.line)
        # All sizes of each line's products.
        self.sizes: list[set[int]] = [set() for _ in self.lines]
        for form in forms:
            self.sizes[form.line] |= form.amounts
        self.index = ranking.Index(forms, brands=self.brands, marks=_marks(products))

    def first_of(self, found: frozenset[str]) -> str | None:
        """The first SKU of one of these brands; of any without them; None in no catalogue."""
        return min(
            (sku for brand, sku in self._first.items() if not found or brand in found), default=None
        )

    def see(self, name: names.Name) -> Seen:
        """A line's name without the brand."""
        words, found = self.brands.strip(name.words)
        return Seen(words, name.amounts, name.pieces, name.numbers, found)

    def _put_in_lines(self, products: Sequence[Product], own: Mapping[str, names.Name]) -> None:
        members: dict[tuple[str, tuple[str, ...]], list[str]] = defaultdict(list)
        for product in products:
            words, _ = self.split(own[product.sku])
            key = (self.brands.one(product.brand), lines.of(words, product.shade))
            members[key].append(product.sku)
        for key in sorted(members):
            for sku in members[key]:
                self.line_of[sku] = len(self.lines)
            self.lines.append(tuple(sorted(members[key])))

    def split(self, name: names.Name) -> tuple[tuple[str, ...], frozenset[str]]:
        """Words of a product's name without the brand; what the catalogue glued is parted."""
        words = [part for word in name.words for part in self._glued.get(word, (word,))]
        return self.brands.strip(words)

    def _forms(self, product: Product, own: names.Name) -> list[Form]:
        amounts, pieces = self._measures[product.sku]
        if product.shade and not set(names.read(product.shade).words) <= set(own.words):
            own = names.read(f"{product.name} {product.shade}")
        known = [(own, False), *((names.read(alias), True) for alias in product.aliases)]
        forms = []
        for name, is_alias in known:
            words, brands_there = self.split(name)
            if words:
                forms.append(
                    Form(
                        sku=product.sku,
                        brand=self.brands.one(product.brand),
                        words=words,
                        amounts=name.amounts or amounts,
                        pieces=name.pieces or pieces,
                        numbers=name.numbers,
                        is_alias=is_alias,
                        is_branded=bool(brands_there),
                        is_sized=bool(name.amounts or name.pieces),
                        line=self.line_of[product.sku],
                    )
                )
        return forms


def _glued_words(own: Iterable[names.Name]) -> dict[str, tuple[str, str]]:
    """Words that are two other words of the catalogue printed as one: «глянцевыйготовый»."""
    known = {word for name in own for word in name.words}
    found = {}
    for word in known:
        if len(word) < 2 * SHORTEST_PART or not word.isalpha():
            continue
        for cut in range(SHORTEST_PART, len(word) - SHORTEST_PART + 1):
            if word[:cut] in known and word[cut:] in known:
                found[word] = (word[:cut], word[cut:])
    return found


def _marks(products: Sequence[Product]) -> frozenset[str]:
    """Words typed in Latin letters, as lines have them: «ECO» folds to Cyrillic «есо» there."""
    typed = {word for product in products for word in LATIN_WORD.findall(product.name)}
    return frozenset(word for one in typed for word in names.read(one).words)


def _measures(product: Product, name: names.Name) -> tuple[frozenset[int], int | None]:
    size = names.read(product.size or "")
    amounts = name.amounts | size.amounts
    if not amounts and product.size and product.size.strip().isdecimal():
        amounts = frozenset({int(product.size) * 1_000})
    return amounts, name.pieces or size.pieces or product.set_units
