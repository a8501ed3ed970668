import pytest
from hypothesis import given
from hypothesis import strategies as st

from vezde.catalog import names
from vezde.catalog.brands import Brands


def finds(brand: str, line: str) -> bool:
    return bool(Brands([brand]).strip(names.read(line).words)[1])


class TestFind:
    @pytest.mark.parametrize(
        ("brand", "line"),
        [
            ("Лунария", "КРЕМ ЛУНАРИЯ 50МЛ"),
            ("Лунария", "LUNARIA КРЕМ"),
            ("LUNARIA", "крем Лунария"),
            ("Лунария", "Lunariya cream"),
            ("Лунария", "КРЕМ ЛУНА РИЯ"),
            ("Лунария", "КРЕМLUNARIA 50"),
            ("Лунария", "LUNАRIA"),  # one Cyrillic letter
            ("Natura Siberica", "НАТУРА СИБЕРИКА шампунь"),
            ("Natura Siberica", "шампунь NATURASIBERICA"),
            ("Чистая роса", "мыло CHISTAYA ROSA"),
            ("L'Oreal", "LOREAL тушь"),
            ("Mi&Ko", "MIKO зубной порошок"),
            ("COMET", "КОМЕТ порошок"),
            ("COMET", "COMET порошок"),
            ("7 Rain", "Крем 7RAIN"),
            ("ЭКО", "Мыло ЭКО 100г"),
        ],
    )
    def test_knows_a_brand_by_its_sound(self, brand, line):
        assert finds(brand, line)

    @pytest.mark.parametrize(
        ("brand", "line"),
        [
            ("Лунария", "Крем лунный"),
            ("Лунария", "Крем ЛУНАР"),
            ("Чистая роса", "Мыло чистая линия"),
            ("Чистая роса", "роса чистая"),
            ("ЭКО", "Мыло ЭКОЛОГИЯ"),
            ("7 Rain", "Rain крем"),
            ("Лунария", ""),
        ],
    )
    def test_does_not_know_another_word(self, brand, line):
        assert not finds(brand, line)


class TestOne:
    def test_is_the_first_spelling_of_a_brand(self):
        brands = Brands(["LUNARIA", "Лунария", "Полынь", "ЭКО"])
        assert [brands.one(b) for b in ("Лунария", "POLYN", "эко")] == ["LUNARIA", "Полынь", "ЭКО"]
        assert brands.strip(("крем", "лунария")) == (("крем",), {"LUNARIA"})


class TestStrip:
    def test_takes_the_brand_out_wherever_it_stands(self):
        words = names.read("Лунария крем LUNARIA").words
        assert Brands(["Лунария"]).strip(words) == (("крем",), {"Лунария"})

    def test_leaves_a_name_that_is_the_brand_alone(self):
        assert Brands(["Лунария"]).strip(("лунария",)) == (("лунария",), {"Лунария"})

    @given(st.lists(st.text(alphabet="лунаряlk7 ", min_size=1, max_size=8), max_size=6))
    def test_ends_on_any_words(self, words):
        rest, _ = Brands(["Лунария", "Лу Ля", "к"]).strip(tuple(words))
        assert len(rest) <= len(words)
