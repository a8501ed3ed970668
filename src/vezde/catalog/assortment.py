"""The catalogue as the matcher sees it: each product's forms of name, its size, its likeness."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from vezde.catalog import brands, names, similarity
from vezde.catalog.model import Product


class Fit(IntEnum):
    """How the size and count in a line and those of a product go together.

    UNKNOWN: the product has a size and the line does not print it; SILENT: the catalogue gives
    the product none.
    """

    DIFFERS = 0
    UNKNOWN = 1
    SILENT = 2
    AGREES = 3


@dataclass(frozen=True, slots=True)
class Form:
    """One way a product is written: its words without the brand, its measures, its numbers.

    `brand` is the product's; `is_branded` says that this way of writing it names a brand.
    """

    sku: str
    brand: str
    words: tuple[str, ...]
    amounts: frozenset[int]
    pieces: int | None
    numbers: frozenset[str]
    is_alias: bool
    is_branded: bool


@dataclass(frozen=True, slots=True)
class Seen:
    """A line read against the catalogue: as `Form`, with the brands of ours that stand in it."""

    words: tuple[str, ...]
    amounts: frozenset[int]
    pieces: int | None
    numbers: frozenset[str]
    brands: frozenset[str]


class Assortment:
    """Products ready to be looked up; built once a catalogue revision, never changed."""

    def __init__(self, products: Sequence[Product]) -> None:
        self.brands = brands.Brands(sorted({product.brand for product in products}))
        self.skus = frozenset(product.sku for product in products)
        self._first: dict[str, str] = {}
        for product in sorted(products, key=lambda one: one.sku):
            self._first.setdefault(self.brands.one(product.brand), product.sku)
        self.gtins = {product.sku: product.gtin for product in products if product.gtin}
        self.by_gtin = {gtin: sku for sku, gtin in self.gtins.items()}
        self.by_words: dict[tuple[str, ...], list[Form]] = defaultdict(list)
        for product in products:
            for form in self._forms(product):
                self.by_words[form.words].append(form)
        # Sizes of one product have the same words: likeness is counted once for all of them.
        self._texts = list(self.by_words)
        self._index = similarity.Index(self._texts)

    def alike(self, words: Sequence[str]) -> list[tuple[Form, float]]:
        """The forms most like these words with their cosine, best first."""
        return [
            (form, cosine)
            for number, cosine in self._index.search(words)
            for form in self.by_words[self._texts[number]]
        ]

    def first_of(self, found: frozenset[str]) -> str | None:
        """The first SKU of one of these brands; of any without them; None in no catalogue."""
        return min(
            (sku for brand, sku in self._first.items() if not found or brand in found), default=None
        )

    def see(self, name: names.Name) -> Seen:
        """A line's name without the brand."""
        words, found = self.brands.strip(name.words)
        return Seen(words, name.amounts, name.pieces, name.numbers, found)

    def _forms(self, product: Product) -> list[Form]:
        amounts, pieces = _measures(product)
        own = names.read(product.name)
        texts = [(product.name, False), *((alias, True) for alias in product.aliases)]
        if product.shade and not set(names.read(product.shade).words) <= set(own.words):
            texts[0] = (f"{product.name} {product.shade}", False)
        forms = []
        for text, is_alias in texts:
            name = names.read(text)
            words, brands_there = self.brands.strip(name.words)
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
                    )
                )
        return forms


def _measures(product: Product) -> tuple[frozenset[int], int | None]:
    name, size = names.read(product.name), names.read(product.size or "")
    amounts = name.amounts | size.amounts
    if not amounts and product.size and product.size.strip().isdecimal():
        amounts = frozenset({int(product.size) * 1_000})
    return amounts, name.pieces or size.pieces or product.set_units
