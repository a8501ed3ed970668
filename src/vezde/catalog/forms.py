"""A name taken apart: of a product, and of a line that somebody printed."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

SET_WORDS = frozenset({"набор", "наборы", "комплект", "set"})


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

    `brand` is the product's; `is_branded` says that this way of writing it names a brand,
    `is_sized` that it prints a size or a count (`amounts` and `pieces` are the product's where it
    does not); `line` is the number of the product's line.
    """

    sku: str
    brand: str
    words: tuple[str, ...]
    amounts: frozenset[int]
    pieces: int | None
    numbers: frozenset[str]
    is_alias: bool
    is_branded: bool
    is_sized: bool
    line: int


@dataclass(frozen=True, slots=True)
class Seen:
    """A line read against the catalogue: as `Form`, with the brands of ours that stand in it."""

    words: tuple[str, ...]
    amounts: frozenset[int]
    pieces: int | None
    numbers: frozenset[str]
    brands: frozenset[str]


def fit(seen: Seen, form: Form) -> Fit:
    """Whether the line's numbers, size and count are the product's."""
    if seen.numbers and form.numbers and not seen.numbers & form.numbers:
        return Fit.DIFFERS
    if seen.pieces and (form.pieces or 1) != seen.pieces:
        return Fit.DIFFERS
    if not seen.pieces and (form.pieces or 1) > 1 and SET_WORDS.isdisjoint(seen.words):
        return Fit.UNKNOWN
    if seen.amounts and form.amounts:
        return Fit.AGREES if seen.amounts & form.amounts else Fit.DIFFERS
    if not form.amounts:
        return Fit.SILENT
    return Fit.AGREES if cut_size(seen.words) & form.amounts else Fit.UNKNOWN


def of_brand(seen: Seen, form: Form) -> bool:
    """One brand's name in a line excludes the products of the catalogue's other brands."""
    return not seen.brands or form.brand in seen.brands


def cut_size(words: Sequence[str]) -> set[int]:
    """A size at the end of a line whose unit was cut off, as ml and l: «крем 75», «шампунь 0.5».

    Small whole numbers are left alone: they are shades and «3 в 1».
    """
    last = words[-1] if words else ""
    if not last[:1].isdecimal() or ":" in last or ("." not in last and int(last) < 5):
        return set()
    return {round(float(last) * scale) for scale in (1_000, 1_000_000)}
