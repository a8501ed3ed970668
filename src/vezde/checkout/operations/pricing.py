"""A basket with all that its price stands on, read in as few statements as there are domains."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from vezde.catalog import queries as catalog
from vezde.catalog.model import Product
from vezde.checkout import quoting, section
from vezde.checkout.model import Basket, BasketLine, Rules
from vezde.checkout.quoting import Terms
from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.kit.errors import DomainError, Kind
from vezde.program import queries as program
from vezde.program.model import Programme, Programmes


class UnknownChannel(DomainError):
    """A sales channel that neither Vezde nor the programme in force knows."""

    code = "unknown_channel"
    kind = Kind.INVALID


@dataclass(frozen=True, slots=True)
class Setting:
    """The version in force at some instant, with its rules and the basket's products."""

    programmes: Programmes
    programme: Programme
    rules: Rules
    products: Mapping[str, Product]

    def terms(self, basket: Basket, *, now: datetime) -> Terms:
        return quoting.terms(basket, self.programme, self.rules, self.products, now=now)


async def setting(db: Db, basket: Basket, *, at: datetime) -> Setting:
    """Read what a basket meets at that instant; raises `NoProgramme`, `UnknownChannel`."""
    programmes, products = await kit_db.together(
        db, program.programmes(db), products_of(db, basket.lines)
    )
    return await met(db, basket, programmes, products, at=at)


async def products_of(db: Db, lines: Sequence[BasketLine]) -> Mapping[str, Product]:
    """The products of these lines by SKU."""
    return await catalog.products_by_sku(db, sorted({line.sku for line in lines}))


async def met(
    db: Db,
    basket: Basket,
    programmes: Programmes,
    products: Mapping[str, Product],
    *,
    at: datetime,
) -> Setting:
    """The setting of what was read already; raises as `setting`."""
    programme = programmes.at(at)
    if basket.sales_channel not in programme.sales_channels:
        raise UnknownChannel(
            f"There is no sales channel «{basket.sales_channel[:60]}»; take one of the known, or "
            "add it to sales_channels of the programme."
        )
    rules = await section.rules(db, programmes, version=programme.version)
    return Setting(programmes, programme, rules, products)
