"""The shipped catalogue and short ways to say a product."""

from collections.abc import Callable
from typing import Any

import pytest

from vezde.catalog import reading, rows
from vezde.catalog.assortment import Assortment
from vezde.catalog.matcher import Item, Match, Matcher
from vezde.catalog.model import Product
from vezde.kit import share

INN = "7801234564"


@pytest.fixture(scope="session")
def lunaria() -> list[Product]:
    """The products of examples/catalog.csv."""
    table = reading.read((share.folder("examples") / "catalog.csv").read_bytes())
    return [rows.apply(rows.parse(row), None) for row in table.rows]


@pytest.fixture
def product() -> Callable[..., Product]:
    def make(sku: str, name: str, **given: Any) -> Product:
        return Product(sku=sku, name=name, brand=given.pop("brand", "Лунария"), **given)

    return make


@pytest.fixture
def ask() -> Callable[..., Match]:
    """`ask(products, "a line", seller_inn=…)` -> the match by a fresh matcher."""

    def match(products: list[Product], name: str | None, **given: Any) -> Match:
        aliases = given.pop("aliases", {})
        return Matcher(Assortment(products), aliases).match([Item(name, **given)])[0]

    return match
