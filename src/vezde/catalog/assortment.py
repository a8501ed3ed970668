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
    """One way a product is written: its words without the brand, its measures, its numbers."""

    sku: str
    words: tuple[str, ...]
    amounts: frozenset[int]
    pieces: int | None
    numbers: frozenset[str]
    is_alias: bool


@dataclass(frozen=True, slots=True)
class Seen:
    """A line read against the catalogue: as `Form`, with whether a brand of ours stands in it."""

    words: tuple[str, ...]
    amounts: frozenset[int]
    pieces: int | None
    numbers: frozenset[str]
    branded: bool


class Assortment:
    """Products ready to be looked up; built once a catalogue revision, never changed."""

    def __init__(self, products: Sequence[Product]) -> None:
        self.brands = brands.Brands(sorted({product.brand for product in products}))
        self.skus = frozenset(product.sku for product in products)
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

    def see(self, name: names.Name) -> Seen:
        """A line's name without the brand."""
        words, branded = self.brands.strip(name.words)
        return Seen(words, name.amounts, name.pieces, name.numbers, branded)

    def _forms(self, product: Product) -> list[Form]:
        amounts, pieces = _measures(product)
        own = names.read(product.name)
        texts = [(product.name, False), *((alias, True) for alias in product.aliases)]
        if product.shade and not set(names.read(product.shade).words) <= set(own.words):
            texts[0] = (f"{product.name} {product.shade}", False)
        forms = []
        for text, is_alias in texts:
            name = names.read(text)
            words, _ = self.brands.strip(name.words)
            if words:
                forms.append(
                    Form(
                        sku=product.sku,
                        words=words,
                        amounts=name.amounts or amounts,
                        pieces=name.pieces or pieces,
                        numbers=name.numbers,
                        is_alias=is_alias,
                    )
                )
        return forms


def _measures(product: Product) -> tuple[frozenset[int], int | None]:
    name, size = names.read(product.name), names.read(product.size or "")
    amounts = name.amounts | size.amounts
    if not amounts and product.size and product.size.strip().isdecimal():
        amounts = frozenset({int(product.size) * 1_000})
    return amounts, name.pieces or size.pieces or product.set_units
