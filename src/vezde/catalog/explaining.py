"""Why a line may be a product: what its name says of it, and what it leaves out."""

from dataclasses import dataclass

from vezde.catalog import names
from vezde.catalog.model import Product

SHORTEST_CUT = 3


@dataclass(frozen=True, slots=True)
class Why:
    """Words that both say, and words of the product that the line lacks, as the matcher reads them.

    `size_agrees` is None where the line prints no size, or the product has none.
    """

    agrees: tuple[str, ...]
    lacks: tuple[str, ...]
    size_agrees: bool | None


def why(printed: str, product: Product) -> Why:
    """What speaks for this product; a word cut by the till counts as the whole one."""
    line, whole = names.read(printed), names.read(product.name)
    agrees: list[str] = []
    lacks: list[str] = []
    for word in dict.fromkeys(whole.words):
        (agrees if any(_is(word, said) for said in line.words) else lacks).append(word)
    amounts = whole.amounts | names.read(product.size or "").amounts
    sized = bool(line.amounts and amounts)
    return Why(tuple(agrees), tuple(lacks), bool(line.amounts & amounts) if sized else None)


def _is(word: str, said: str) -> bool:
    if word == said:
        return True
    return min(len(word), len(said)) >= SHORTEST_CUT and (
        word.startswith(said) or said.startswith(word)
    )
