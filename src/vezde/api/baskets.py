"""Lines of orders as requests have them: what quotes, holds and orders share."""

from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from vezde.checkout.model import BasketLine
from vezde.kit import money

MOST_LINES = 500
MOST_KOPECKS = 10**12 - 1
# No slash, which an address cannot carry, no controls, no spaces at the ends.
NUMBER = r"^[^\s/\\\x00-\x1f\x7f]([^/\\\x00-\x1f\x7f]{0,98}[^\s/\\\x00-\x1f\x7f])?$"

Number = Annotated[str, Field(pattern=NUMBER, min_length=1, max_length=100)]
Kopecks = Annotated[int, Field(ge=0, le=MOST_KOPECKS)]
Quantity = Annotated[Decimal, Field(gt=0, le=1_000_000, decimal_places=6)]
Channel = Annotated[str, Field(min_length=1, max_length=60)]


class LineIn(BaseModel):
    """A line of a basket; prices are of a unit.

    `min_price_kopecks` is the least money the shop takes for a unit; `earnable` and `burnable`
    false keep the line out of the programme.
    """

    model_config = ConfigDict(extra="forbid")
    sku: Annotated[str, Field(min_length=1, max_length=60)]
    quantity: Quantity
    price_kopecks: Kopecks
    min_price_kopecks: Kopecks = 0
    earnable: bool = True
    burnable: bool = True


Lines = Annotated[list[LineIn], Field(min_length=1, max_length=MOST_LINES)]


def lines(given: list[LineIn]) -> tuple[BasketLine, ...]:
    """The lines with their numbers, from 1."""
    return tuple(
        BasketLine(
            line=number,
            sku=one.sku,
            quantity_micro=money.micro(one.quantity),
            price_kopecks=one.price_kopecks,
            min_price_kopecks=one.min_price_kopecks,
            earnable=one.earnable,
            burnable=one.burnable,
        )
        for number, one in enumerate(given, 1)
    )
