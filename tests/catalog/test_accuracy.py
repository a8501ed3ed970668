"""How right the matcher is on real names; nothing of them is copied here."""

import csv
import json

import pytest

from vezde.catalog import names
from vezde.catalog.assortment import Assortment
from vezde.catalog.matcher import Item, Matcher
from vezde.catalog.model import Product


@pytest.fixture(scope="module")
def catalogue(shared):
    return [
        Product(sku=row["id"], name=row["name"], brand="Prosept")
        for row in _table(shared, "brand_catalog.csv")
    ]


@pytest.fixture(scope="module")
def matcher(catalogue):
    return Matcher(Assortment(catalogue), {})


@pytest.fixture(scope="module")
def foreign(shared):
    """Names of real receipts and product nouns, none of this brand."""
    seen = {row["Название"] for row in _table(shared, "slgero_standard.csv")}
    seen |= {row["product"] for row in _table(shared, "slgero_products.csv")}
    for path in sorted((shared / "data" / "receipts").glob("*.json")):
        _names(json.loads(path.read_text("utf-8")), seen)
    return sorted(seen)


class TestForeignNames:
    def test_are_never_certain(self, matcher, foreign):
        assert len(foreign) > 1_300
        found = matcher.match([Item(name) for name in foreign])
        assert [match for match in found if match.sku or match.line_skus] == []
        assert sum(match.candidate_sku is not None for match in found) <= 15

    def test_with_the_brand_before_them_always_go_to_a_person(self, matcher, foreign):
        found = matcher.match([Item(f"PROSEPT {name}") for name in foreign])
        assert [match for match in found if match.sku] == []
        assert all(match.candidate_sku for match in found)


class TestMarketplaceNames:
    def test_are_right_where_they_are_certain(self, shared, matcher, catalogue):
        printed = _table(shared, "marketplace_names.csv")
        found = matcher.match([Item(row["ozon_name"]) for row in printed])
        text = {product.sku: names.key(product.name) for product in catalogue}
        certain = [(match, row) for match, row in zip(found, printed, strict=True) if match.sku]
        right = sum(text[match.sku] == text[row["id"]] for match, row in certain)
        # What is wrong says the other product's text: the labels contradict it.
        assert right >= 95
        assert len(certain) - right <= 8

    def test_lead_to_the_right_product_when_doubtful(self, shared, matcher, catalogue):
        printed = _table(shared, "marketplace_names.csv")
        found = matcher.match([Item(row["ozon_name"]) for row in printed])
        text = {product.sku: names.key(product.name) for product in catalogue}
        led = sum(
            text.get(match.sku or match.candidate_sku) == text[row["id"]]
            for match, row in zip(found, printed, strict=True)
        )
        assert led >= 150


class TestOwnNames:
    def test_are_certain_unless_the_catalogue_has_twins(self, matcher, catalogue):
        found = matcher.match([Item(f"PROSEPT {product.name}") for product in catalogue])
        right = sum(m.sku == one.sku for m, one in zip(found, catalogue, strict=True))
        wrong = sum(m.sku not in (None, one.sku) for m, one in zip(found, catalogue, strict=True))
        assert right >= 450
        assert wrong == 0


def _table(shared, name):
    with (shared / "data" / "matching" / name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _names(found, seen):
    if isinstance(found, dict):
        if isinstance(found.get("items"), list):
            items = [item for item in found["items"] if isinstance(item, dict)]
            seen.update(item["name"] for item in items if item.get("name"))
        for inner in found.values():
            _names(inner, seen)
    elif isinstance(found, list):
        for inner in found:
            _names(inner, seen)
