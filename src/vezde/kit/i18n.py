"""Numbers, words that count and dates in the member's language: Russian and English.

Plural categories and formats follow CLDR (plural rules of `ru` and `en`); amounts are integers.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from vezde.kit import money

NBSP = "\u00a0"
MINUS = "\u2212"


class Locale(StrEnum):
    RU = "ru"
    EN = "en"


class Category(StrEnum):
    ONE = "one"
    FEW = "few"
    MANY = "many"
    OTHER = "other"


@dataclass(frozen=True)
class Plural:
    """A word's forms: 1 балл, 2 балла, 5 баллов, 1,5 балла; a form left out is `other`'s.

    English needs `one` and `other` alone: `Plural(one="point", other="points")`.
    """

    one: str
    other: str
    few: str | None = None
    many: str | None = None

    def form(self, number: int | Decimal, locale: Locale = Locale.RU) -> str:
        match category(number, locale):
            case Category.ONE:
                return self.one
            case Category.FEW:
                return self.few or self.other
            case Category.MANY:
                return self.many or self.other
        return self.other


POINTS = {
    Locale.RU: Plural(one="балл", few="балла", many="баллов", other="балла"),
    Locale.EN: Plural(one="point", other="points"),
}
MONTHS = {
    Locale.RU: (
        "января",
        "февраля",
        "марта",
        "апреля",
        "мая",
        "июня",
        "июля",
        "августа",
        "сентября",
        "октября",
        "ноября",
        "декабря",
    ),
    Locale.EN: (
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ),
}


def locale_of(tag: str | None) -> Locale:
    """The locale of a language tag (BCP 47, also with `_`): "en-GB" -> en; anything else is ru."""
    language = (tag or "").strip().casefold().replace("_", "-").partition("-")[0]
    return Locale.EN if language == Locale.EN.value else Locale.RU


def category(number: int | Decimal, locale: Locale = Locale.RU) -> Category:
    """The plural category of a number; its sign does not matter.

    A Decimal counts as written: 1.0 is a fraction (CLDR's v = 1), Decimal(1) is one.
    """
    if isinstance(number, Decimal):
        exponent = number.as_tuple().exponent
        if not isinstance(exponent, int) or exponent < 0:
            return Category.OTHER
    whole = abs(int(number))
    if locale is Locale.EN:
        return Category.ONE if whole == 1 else Category.OTHER
    ten, hundred = whole % 10, whole % 100
    if ten == 1 and hundred != 11:
        return Category.ONE
    if 2 <= ten <= 4 and not 12 <= hundred <= 14:
        return Category.FEW
    return Category.MANY


def number(value: int | Decimal, locale: Locale = Locale.RU, *, signed: bool = False) -> str:
    """`1234567` -> "1 234 567" with no-break spaces, "1,234,567" in English.

    `signed` shows a plus before what is above zero; a minus is always shown.
    """
    sign = MINUS if value < 0 else "+" if signed and value > 0 else ""
    shown = f"{abs(value):,f}" if isinstance(value, Decimal) else f"{abs(value):,}"
    if locale is Locale.RU:
        shown = shown.replace(",", NBSP).replace(".", ",")
    return sign + shown


def counted(
    value: int | Decimal, word: Plural, locale: Locale = Locale.RU, *, signed: bool = False
) -> str:
    """A number with its word: "5 чеков", "1,5 литра"."""
    return f"{number(value, locale, signed=signed)} {word.form(value, locale)}"


def points(
    amount: int,
    names: Plural | None = None,
    locale: Locale = Locale.RU,
    *,
    signed: bool = False,
) -> str:
    """`83` -> "83 балла", signed "+83 балла"; `names` are the programme's own for its points."""
    return counted(amount, names or POINTS[locale], locale, signed=signed)


def percent(rate_bp: int, locale: Locale = Locale.RU) -> str:
    """Basis points as a percentage without idle zeros: `550` -> "5,5 %", "5.5%" in English."""
    whole, rest = divmod(abs(rate_bp), 100)
    shown = number(whole, locale)
    if rest:
        shown += ("." if locale is Locale.EN else ",") + f"{rest:02d}".rstrip("0")
    sign = MINUS if rate_bp < 0 else ""
    return sign + shown + ("%" if locale is Locale.EN else f"{NBSP}%")


def rubles(amount_kopecks: int, locale: Locale = Locale.RU) -> str:
    """`123456` -> "1 234,56 ₽", "₽1,234.56" in English; whole rubles without kopecks."""
    if locale is Locale.RU:
        return money.rubles(amount_kopecks)
    whole, rest = divmod(abs(amount_kopecks), 100)
    sign = MINUS if amount_kopecks < 0 else ""
    return f"{sign}₽{number(whole, locale)}{f'.{rest:02d}' if rest else ''}"


def day(when: date, locale: Locale = Locale.RU, *, year: bool = False) -> str:
    """A date as said: "21 ноября", with `year` "21 ноября 2027"; "21 November" in English.

    A datetime is taken as it stands: bring it to the member's zone first.
    """
    shown = f"{when.day} {MONTHS[locale][when.month - 1]}"
    return f"{shown} {when.year}" if year else shown
