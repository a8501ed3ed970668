from datetime import datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vezde.catalog import rows
from vezde.catalog.model import Product, Row


def parsed(**values):
    return rows.parse(Row(7, {"sku": "A", **values}))


def value(column, raw):
    read = parsed(**{column: raw})
    assert read.errors == ()
    return read.values[rows.READERS[column][0]]


def error(column, raw):
    read = rows.parse(Row(7, {"sku": "A", column: raw}, {column: "Колонка"}))
    assert len(read.errors) == 1
    assert read.errors[0].startswith("row 7, column «Колонка»: ")
    return read.errors[0]


class TestPrice:
    @pytest.mark.parametrize(
        ("written", "kopecks"),
        [
            ("1290", 129_000),
            ("1290,50", 129_050),
            ("1 290,5", 129_050),
            ("1\u00a0290.50 ₽", 129_050),
            ("1,290.50", 129_050),
            ("1.290,50 руб.", 129_050),
            ("857.0000", 85_700),
            (857, 85_700),
            (8.2, 820),
            (857.9999999999999, 85_800),
            (Decimal("1.15"), 115),
            (0, 0),
        ],
    )
    def test_is_read_as_people_write_it(self, written, kopecks):
        assert value("price", written) == kopecks

    @pytest.mark.parametrize(
        "written", ["дорого", "-5", -5, "1,290", "12.345", "1,2,3", True, datetime(2026, 1, 2)]
    )
    def test_is_not_guessed(self, written):
        error("price", written)

    def test_in_rubles_and_kopecks_must_be_one(self):
        assert parsed(price="12,90", price_kopecks=1290).errors == ()
        assert "two columns give different" in parsed(price="12,90", price_kopecks=1291).errors[0]


class TestCodes:
    @pytest.mark.parametrize(
        "written",
        ["4600000000008", 4600000000008, 4600000000008.0, "4600000000008.0", "4,600000000008E+12"],
    )
    def test_barcode_that_excel_made_a_number_is_repaired(self, written):
        assert value("gtin", written) == "04600000000008"

    @pytest.mark.parametrize("written", ["4,60E+12", "4.6E+12", "4,60001E+12"])
    def test_barcode_that_excel_rounded_is_refused(self, written):
        assert "digits are lost; set the column's format to Text" in error("gtin", written)

    def test_article_keeps_its_zeros_and_loses_excels_point(self):
        assert rows.parse(Row(1, {"sku": " 001-5 "})).sku == "001-5"
        assert rows.parse(Row(1, {"sku": 1001.0})).sku == "1001"
        assert rows.parse(Row(1, {"sku": "1001.0"})).sku == "1001.0"

    @pytest.mark.parametrize(
        ("written", "because"),
        [
            ("1,23E+15", "digits are lost"),
            (1.2345678901234567e18, "Excel kept only 15 digits"),
            (datetime(2026, 5, 1), "Excel made a date"),
            ("#Н/Д", "the formula gives"),
            ("\ud800", "broken characters"),
            ("\u200b", "nothing that can be seen"),
            ("x" * 101, "at most 100"),
            (["A"], "text is expected"),
        ],
    )
    def test_article_that_was_spoilt_is_refused(self, written, because):
        read = rows.parse(Row(2, {"sku": written}, {"sku": "Артикул"}))
        assert read.sku is None
        assert because in read.errors[0]
        assert "row 2, column «Артикул»" in read.errors[0]

    def test_article_is_needed(self):
        assert "the article (sku) is empty" in rows.parse(Row(3, {"name": "Крем"})).errors[0]
        assert "the article (sku) is empty" in rows.parse(Row(3, {"sku": None})).errors[0]

    def test_marketplace_ids_are_whole_numbers(self):
        assert value("nm_id", "880 001 117") == 880_001_117
        assert value("ozon_sku", 1990002029.0) == 1_990_002_029
        assert "not a whole number" in error("nm_id", "12a")
        assert "not between" in error("set_units", 0)
        assert "not a whole number" in error("replenish_days", 1.5)


class TestLists:
    @pytest.mark.parametrize("written", ["хит|новинка", "хит; новинка;хит", ["хит", "новинка"]])
    def test_are_split_and_told_once(self, written):
        assert value("tags", written) == ("хит", "новинка")

    def test_offers_are_links_by_channel(self):
        wanted = {"ozon": "https://a.example/?x=1;2", "own_site": "https://b.example/"}
        assert value("offers", wanted) == wanted
        assert value("offers", "Озон=https://a.example/?x=1;2 | сайт=https://b.example/") == wanted

    @pytest.mark.parametrize("written", [{"ozon": "b.example"}, {"О!": "https://b.example"}, "где"])
    def test_offers_that_are_no_links_are_refused(self, written):
        error("offers", written)

    def test_channel_may_be_named_in_russian(self):
        assert value("only_on", "Золотое Яблоко") == "goldapple"
        assert "not a sales channel" in error("only_on", "везде и всюду!")


class TestParse:
    def test_takes_away_what_is_null_or_empty(self):
        assert parsed(line=None, size="", tags=[], aliases=None, offers={}).values == {
            "line": None,
            "size": None,
            "tags": (),
            "aliases": (),
            "offers": {},
        }

    def test_names_every_mistake_of_a_row(self):
        read = parsed(price="дорого", gtin="1", colour="red")
        assert len(read.errors) == 3
        assert "there is no column «colour»" in read.errors[2]

    @given(
        st.dictionaries(
            st.sampled_from([*rows.READERS, "offers.ozon", "what"]),
            st.recursive(
                st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
                lambda inner: (
                    st.lists(inner, max_size=3)
                    | st.dictionaries(st.text(max_size=9), inner, max_size=3)
                ),
                max_leaves=5,
            ),
        )
    )
    def test_never_raises(self, values):
        read = rows.parse(Row(1, values))
        assert read.sku or read.errors


class TestApply:
    def test_needs_a_name_and_a_brand(self):
        with pytest.raises(ValueError, match="row 7, column «name»"):
            rows.apply(parsed(brand="Лунария"), None)
        with pytest.raises(ValueError, match="row 7, column «brand»"):
            rows.apply(parsed(name="Крем", brand=None), Product("A", "Крем", "Лунария"))

    def test_changes_what_the_row_says_alone(self):
        before = Product("A", "Крем", "Лунария", size="50 мл", tags=("хит",), price_kopecks=100)
        after = rows.apply(parsed(price="2", size=None), before)
        assert after == Product("A", "Крем", "Лунария", tags=("хит",), price_kopecks=200)

    def test_changes_single_offers(self):
        before = Product("A", "Крем", "Лунария", offers={"ozon": "https://a.example", "letu": "x"})
        row = Row(1, {"sku": "A", "offers.own_site": "https://b.example", "offers.letu": None})
        assert rows.apply(rows.parse(row), before).offers == {
            "ozon": "https://a.example",
            "own_site": "https://b.example",
        }

    def test_makes_a_whole_product_of_itself(self, lunaria):
        for product in lunaria:
            row = rows.parse(rows.of_product(1, product))
            assert rows.apply(row, None) == product
