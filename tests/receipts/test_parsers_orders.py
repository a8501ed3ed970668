"""The order's number, in every spelling of the requisites that may carry it."""

import json
from dataclasses import replace

import pytest

from vezde.receipts.model import FiscalDocument
from vezde.receipts.parsers import pages
from vezde.testing import ofd_pages
from vezde.testing.receipts import Shape, render

from .reading import PAPER, item, read, told

NUMBER = "6175930728"
SRID = "ea9.00112233445566778899aabbccddeeff.0.0"
ORDERED = replace(PAPER, lines=tuple(replace(one, order_number=NUMBER) for one in PAPER.lines))
OF_TWO = replace(
    PAPER,
    lines=tuple(
        replace(one, order_number=f"10000{one.line}" if one.line < 3 else None)
        for one in PAPER.lines
    ),
)


def numbers(document: FiscalDocument) -> set[str | None]:
    return {one.order_number for one in document.lines}


class TestTheReceipts:
    @pytest.mark.parametrize("shape", Shape)
    @pytest.mark.parametrize("paper", [ORDERED, OF_TWO], ids=["one", "two"])
    def test_number_is_read_in_every_shape(self, shape, paper):
        assert read(json.dumps(render(paper, shape))) == paper

    @pytest.mark.parametrize(
        "fields",
        [
            {"properties": {"propertyName": "Номер заказа", "propertyValue": NUMBER}},
            {"properties": {"propertyName": "ZAKAZ", "propertyValue": int(NUMBER)}},
            {"properties": [{"key": "Номер заказа", "value": NUMBER}]},
            {"properties": [{"propertyName": "касса №", "propertyValue": "17"},
                            {"propertyName": "order_id", "propertyValue": NUMBER}]},
            {"userProperty": {"name": "Заказ", "value": NUMBER}},
            {"userProperties": [{"name": "Заказ", "value": NUMBER}]},
            {"propertiesUser": {"propertyName": "Заказ №", "propertyValue": NUMBER}},
            {"propertiesData": f"Заказ № {NUMBER}"},
            {"properties": {"propertyName": "X5", "propertyValue": "5564;POS70"},
             "propertiesData": f"order_id={NUMBER}"},
        ],
    )  # fmt: skip
    def test_number_is_read_in_every_spelling(self, fields):
        assert numbers(told(**fields)) == {NUMBER}

    @pytest.mark.parametrize(
        "fields",
        [
            {"properties": {"propertyName": "X5", "propertyValue": "37S0;POS02-BO-37S0"}},
            {"properties": {"propertyName": "psp_payment_id", "propertyValue": "pay_123456"}},
            {"properties": {"propertyName": "Телефон", "propertyValue": "+79161234567"}},
            {"properties": {"propertyName": "Заказ", "propertyValue": "Анна, 89161234567"}},
            {"properties": {"propertyName": "Номер заказа"}},
            {"properties": "Спасибо за покупку"},
            {"properties": [None, 5, [], {"propertyName": [], "propertyValue": {}}]},
            {"properties": {"propertyName": "Номер заказа", "propertyValue": 10**5_000}},
            {"properties": {"propertyName": "Номер заказа", "propertyValue": True}},
            {"propertiesData": "ws:CNUJGVSRPH"},
            {"propertiesData": {"order_id": NUMBER}},
            {"propertiesData": "Горячая линия для заказов 88005553535"},
        ],
    )
    def test_other_contents_are_not_kept(self, fields):
        document = told(**fields)
        assert document == PAPER
        assert document.to_json() == PAPER.to_json()

    def test_number_is_kept_and_nothing_beside_it(self):
        said = f"Заказ {NUMBER}; Иванова Анна, +79161234567, anna@example.com"
        kept = json.dumps(told(propertiesData=said).to_json(), ensure_ascii=False)
        assert NUMBER in kept
        assert not any(part in kept for part in ("Иванова", "9161234567", "anna@"))


class TestALines:
    def test_own_number_comes_before_the_receipts(self):
        plain = {"name": "Крем", "price": 500, "sum": 500, "quantity": 1}
        document = told(
            items=[{**plain, "propertiesItem": "Заказ 100002"}, plain],
            properties={"propertyName": "Заказ", "propertyValue": "100001"},
        )
        assert [one.order_number for one in document.lines] == ["100002", "100001"]

    def test_unit_may_be_named_apart_from_its_name(self):
        line = item(propertiesItem=f"{SRID.upper()}")
        assert (line.name, line.mark, line.order_number) == ("Крем", SRID, None)
        assert item(propertiesItem="партия 123456").mark is None


class TestPages:
    @pytest.mark.parametrize("layout", [ofd_pages.platforma, ofd_pages.taxcom])
    def test_name_the_order(self, layout):
        page = layout(replace(ORDERED, lines=tuple(replace(one, payment_type=4, product_type=1)
                                                   for one in ORDERED.lines)))  # fmt: skip
        assert numbers(pages.read(page.encode())) == {NUMBER}
        said = page.replace("Номер заказа", "Телефон для заказа")
        assert numbers(pages.read(said.encode())) == {None}
        said = page.replace("Номер заказа", "Дополнительный реквизит чека (БСО)")
        said = said.replace(NUMBER, f"Заказ № {NUMBER}")
        assert numbers(pages.read(said.encode())) == {NUMBER}


class TestRealReceipts:
    @pytest.mark.parametrize(
        ("name", "number"),
        [("001", None), ("011", "6175930728"), ("026", None), ("043", None), ("044", "151939"),
         ("047", None)],
    )  # fmt: skip
    def test_say_their_order_or_not(self, shared, name, number):
        document = read((shared / f"data/receipts/{name}.json").read_bytes())
        assert numbers(document) == {number}
