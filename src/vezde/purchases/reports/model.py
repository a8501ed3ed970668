"""Rows of seller reports in one form."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Effect(StrEnum):
    """What a row says of goods."""

    SOLD = "sold"
    RETURNED = "returned"
    KEPT = "kept"  # a return that was not one after all


class Kind(StrEnum):
    """Reports that are understood."""

    WILDBERRIES_WEEKLY = "wildberries_weekly"
    WILDBERRIES_MARKED = "wildberries_marked"
    OZON_POSTINGS = "ozon_postings"
    OZON_RETURNS = "ozon_returns"
    MARKET_ORDERS = "market_orders"

    @property
    def marketplace(self) -> str:
        """The sales channel it is of."""
        return {"wildberries": "wildberries", "ozon": "ozon", "market": "yandex_market"}[
            self.value.partition("_")[0]
        ]


@dataclass(frozen=True, slots=True)
class Movement:
    """Goods sold or returned, as one row says.

    `key` is the same for the same row in any file. `mark` names the order, or a unit of it, as
    receipts print it. `article` is the seller's own, `number` the marketplace's of the product.
    """

    row: int
    effect: Effect
    key: str
    mark: str | None
    quantity_micro: int
    happened_on: date | None
    article: str | None = None
    number: int | None = None
    title: str | None = None
    gtin: str | None = None
    serial: str | None = None
    fn: int | None = None
    fd: int | None = None


@dataclass(frozen=True, slots=True)
class Broken:
    """A row that could not be read; `why` says what to correct."""

    row: int
    why: str
