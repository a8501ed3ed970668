"""A basket with all that its price stands on, read in as few statements as there are domains."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from vezde.catalog import queries as catalog
from vezde.catalog.model import Product
from vezde.checkout import quoting, section
from vezde.checkout.model import Basket, Rules
from vezde.checkout.quoting import Terms
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
    programmes = await program.programmes(db)
    programme = programmes.at(at)
    if basket.sales_channel not in programme.sales_channels:
        raise UnknownChannel(
            f"There is no sales channel «{basket.sales_channel[:60]}»; take one of the known, or "
            "add it to sales_channels of the programme."
        )
    rules = await section.rules(db, programmes, version=programme.version)
    products = await catalog.products_by_sku(db, sorted({line.sku for line in basket.lines}))
    return Setting(programmes, programme, rules, products)
