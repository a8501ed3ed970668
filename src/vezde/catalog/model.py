"""Products as the brand describes them, and what became of each row of an import."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


@dataclass(frozen=True)
class Product:
    """One article of the brand.

    `gtin` is 14 digits; money in kopecks; `replenish_days` is how long one pack lasts; `offers`
    are links by sales channel; `only_on` is the one sales channel that sells it.
    """

    sku: str
    name: str
    brand: str
    gtin: str | None = None
    line: str | None = None
    category: str | None = None
    tags: tuple[str, ...] = ()
    size: str | None = None
    shade: str | None = None
    set_units: int | None = None
    price_kopecks: int | None = None
    cost_kopecks: int | None = None
    replenish_days: int | None = None
    photo_url: str | None = None
    aliases: tuple[str, ...] = ()
    nm_id: int | None = None
    ozon_sku: int | None = None
    market_sku: int | None = None
    offers: dict[str, str] = field(default_factory=dict)
    only_on: str | None = None

    def __post_init__(self) -> None:
        # The driver gives arrays as lists; a frozen product holds tuples.
        object.__setattr__(self, "tags", tuple(self.tags))
        object.__setattr__(self, "aliases", tuple(self.aliases))


class Mode(StrEnum):
    """`merge`: products absent from the import stay. `replace`: they are archived."""

    MERGE = "merge"
    REPLACE = "replace"


class Change(StrEnum):
    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    INVALID = "invalid"


@dataclass(frozen=True)
class Outcome:
    """What became of one row: `error` says what to do, with row and column."""

    row: int
    sku: str | None
    outcome: Change
    error: str | None = None


@dataclass(frozen=True)
class Row:
    """A row to import, as it was given.

    `values` are by product field, and `price`, `cost` in rubles, `offers.<channel>` for one link.
    An absent key leaves the product's value as it was when merging; None, an empty text or list
    takes the value away. `headers` are the columns' own titles, for messages; `problems` are what
    the reader could not read.
    """

    number: int
    values: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
