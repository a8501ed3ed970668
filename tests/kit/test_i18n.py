"""Words that count, numbers, dates."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from vezde.kit import i18n
from vezde.kit.i18n import Category, Locale, Plural

EN = Locale.EN


class TestLocaleOf:
    @pytest.mark.parametrize("tag", ["en", "EN", "en-GB", "en_US", " en-us "])
    def test_reads_english_tags(self, tag):
        assert i18n.locale_of(tag) is Locale.EN

    @pytest.mark.parametrize("tag", ["ru", "ru-RU", "kk", "enm", "", None, "*"])
    def test_falls_back_to_russian(self, tag):
        assert i18n.locale_of(tag) is Locale.RU


class TestCategory:
    @pytest.mark.parametrize("number", [1, 21, 101, 1001, -1, -31])
    def test_one_in_russian(self, number):
        assert i18n.category(number) is Category.ONE

    @pytest.mark.parametrize("number", [2, 3, 4, 22, 104, 1132, -3])
    def test_few_in_russian(self, number):
        assert i18n.category(number) is Category.FEW

    @pytest.mark.parametrize("number", [0, 5, 10, 11, 12, 13, 14, 19, 20, 111, 112, 1014, -11])
    def test_many_in_russian(self, number):
        assert i18n.category(number) is Category.MANY

    @pytest.mark.parametrize("number", [Decimal("1.5"), Decimal("0.1"), Decimal("1.0")])
    def test_other_for_fractions(self, number):
        assert i18n.category(number) is Category.OTHER
        assert i18n.category(number, EN) is Category.OTHER

    def test_a_whole_decimal_counts_as_its_integer(self):
        assert i18n.category(Decimal(21)) is Category.ONE
        assert i18n.category(Decimal("1E+2")) is Category.MANY

    def test_english_has_one_and_other(self):
        assert i18n.category(1, EN) is Category.ONE
        assert {i18n.category(n, EN) for n in (0, 2, 11, 21)} == {Category.OTHER}


class TestPoints:
    @pytest.mark.parametrize(
        ("amount", "said"),
        [
            (0, "0 баллов"),
            (1, "1 балл"),
            (2, "2 балла"),
            (5, "5 баллов"),
            (11, "11 баллов"),
            (21, "21 балл"),
            (1234, "1\u00a0234 балла"),
            (-5, "\u22125 баллов"),
        ],
    )
    def test_agree_in_number(self, amount, said):
        assert i18n.points(amount) == said

    def test_show_a_plus_when_asked(self):
        assert i18n.points(83, signed=True) == "+83 балла"
        assert i18n.points(0, signed=True) == "0 баллов"
        assert i18n.points(-1, signed=True) == "\u22121 балл"

    def test_bear_the_programmes_own_name(self):
        moons = Plural(one="луна", few="луны", many="лун", other="луны")
        assert [i18n.points(n, moons) for n in (1, 3, 7)] == ["1 луна", "3 луны", "7 лун"]

    def test_speak_english(self):
        said = [i18n.points(n, None, EN) for n in (1, 2, 1234)]
        assert said == ["1 point", "2 points", "1,234 points"]


class TestCounted:
    def test_a_fraction_takes_the_form_other(self):
        litres = Plural(one="литр", few="литра", many="литров", other="литра")
        assert i18n.counted(Decimal("1.5"), litres) == "1,5 литра"

    def test_a_form_left_out_is_others(self):
        assert i18n.counted(5, Plural(one="кофе", other="кофе")) == "5 кофе"


class TestNumber:
    def test_groups_by_three(self):
        assert i18n.number(1234567) == "1\u00a0234\u00a0567"
        assert i18n.number(1234567, EN) == "1,234,567"
        assert i18n.number(999) == "999"

    def test_writes_fractions_with_the_locales_sign(self):
        assert i18n.number(Decimal("-1234.5")) == "\u22121\u00a0234,5"
        assert i18n.number(Decimal("1234.5"), EN) == "1,234.5"


class TestPercent:
    @pytest.mark.parametrize(
        ("rate_bp", "russian", "english"),
        [
            (500, "5\u00a0%", "5%"),
            (550, "5,5\u00a0%", "5.5%"),
            (5, "0,05\u00a0%", "0.05%"),
            (0, "0\u00a0%", "0%"),
            (-250, "\u22122,5\u00a0%", "\u22122.5%"),
        ],
    )
    def test_has_no_idle_zeros(self, rate_bp, russian, english):
        assert (i18n.percent(rate_bp), i18n.percent(rate_bp, EN)) == (russian, english)


class TestRubles:
    def test_are_money_in_russian(self):
        assert i18n.rubles(123456) == "1\u00a0234,56\u00a0₽"

    def test_put_the_sign_first_in_english(self):
        assert i18n.rubles(123456, EN) == "₽1,234.56"
        assert i18n.rubles(-500, EN) == "\u2212₽5"


class TestDay:
    def test_is_said_without_a_year_or_with_it(self):
        when = date(2027, 11, 21)
        assert i18n.day(when) == "21 ноября"
        assert i18n.day(when, year=True) == "21 ноября 2027"
        assert i18n.day(when, EN) == "21 November"
        assert i18n.day(when, EN, year=True) == "21 November 2027"

    def test_takes_an_instant_as_it_stands(self):
        assert i18n.day(datetime(2027, 5, 1, 23, 59, tzinfo=UTC)) == "1 мая"

    def test_every_month_has_its_name(self):
        for locale in Locale:
            assert len({i18n.day(date(2027, month, 1), locale) for month in range(1, 13)}) == 12
