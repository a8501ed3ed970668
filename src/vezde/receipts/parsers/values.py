"""Single values of a receipt: what is absent, what is padded, what no till can print."""

import re
import unicodedata
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from vezde.kit import money
from vezde.receipts.model import EARLIEST_YEAR, LATEST_YEAR, MOST_KOPECKS, QrFields
from vezde.receipts.parsers.errors import UnreadableDocument

MOST_CHARACTERS = 512
MOST_UNITS = 10**9
MOST_EXACT_FLOAT = 2**53
LATEST_SECONDS = 10**11  # as seconds this is the year 5138, as milliseconds 1973
NUMBER = re.compile(r"-?[0-9]{1,18}(?:[.,][0-9]{1,18})?")
DIGITS = re.compile(r"[0-9]{1,20}")
# Zeros alone stand for an unknown one, two before ten digits are padding: there is no region 00.
INN = re.compile(r"(?:00)?(?!0{10})([0-9]{10})|(?!00)([0-9]{12})")
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def number(value: Any, name: str) -> Decimal:
    """An exact number, also from text; raises `UnreadableDocument` naming the field."""
    if isinstance(value, str) and NUMBER.fullmatch(value.strip()):
        return Decimal(value.strip().replace(",", "."))
    if isinstance(value, float):
        value = Decimal(repr(value))
    if type(value) is int and abs(value) < 10**18:
        return Decimal(value)
    # Decimals come with any exponent: one look at it before arithmetic makes them long.
    if isinstance(value, Decimal) and value.is_finite() and abs(value.adjusted()) < 18:
        return value
    raise UnreadableDocument(f"The receipt's {name} is not a number that a till can print.")


def kopecks(value: Any, name: str, *, in_rubles: bool) -> int:
    """A sum; absent is 0."""
    if value is None:
        return 0
    if type(value) is int and not in_rubles:
        amount = value
    else:
        exact = number(value, name) * (100 if in_rubles else 1)
        amount = int(exact.to_integral_value(ROUND_HALF_UP))
    if not 0 <= amount <= MOST_KOPECKS:
        raise UnreadableDocument(f"The receipt's {name} is not a sum that a till can print.")
    return amount


def quantity_micro(value: Any, name: str) -> int:
    """A quantity in millionths; absent, or a till's nought, is one piece."""
    if value is None:
        return money.MILLION
    if type(value) is int:
        micro = value * money.MILLION
    else:
        micro = int((number(value, name) * money.MILLION).to_integral_value(ROUND_HALF_UP))
    if not 0 <= micro <= MOST_UNITS * money.MILLION:
        raise UnreadableDocument(f"The receipt's {name} is not a quantity that a till can print.")
    return micro or money.MILLION


def whole(value: Any, name: str) -> int | None:
    """An integer, also as padded text or as a float without a fraction; None when absent."""
    if type(value) is int:
        return value
    if isinstance(value, str):
        digits = value.strip()
        if not digits or DIGITS.fullmatch(digits):
            return int(digits) if digits else None
    if value is None:
        return None
    exact = number(value, name)
    if exact != exact.to_integral_value() or abs(exact) > MOST_EXACT_FLOAT:
        raise UnreadableDocument(f"The receipt's {name} is not a whole number.")
    return int(exact)


def small(value: Any) -> int | None:
    """The code of a tag, below 1,000; None for anything else."""
    try:
        code = whole(value, "code")
    except UnreadableDocument:
        return None
    return code if code is not None and 0 <= code < 1_000 else None


def inn(value: Any) -> str | None:
    """A taxpayer's number of 10 or 12 digits, without padding; None for anything else."""
    if type(value) is int and 0 < value < 10**12:
        value = f"{value:010}" if value < 10**10 else f"{value:012}"
    match = INN.fullmatch(value.strip()) if isinstance(value, str) else None
    return match[1] or match[2] if match else None


def text(value: Any) -> str | None:
    """Text without padding, bounded, and such that PostgreSQL keeps it in jsonb; else None."""
    if not isinstance(value, str):
        return None
    cleaned = value.strip()
    if not cleaned.isprintable():
        cleaned = " ".join("".join(map(_printable, cleaned)).split())
    return cleaned[:MOST_CHARACTERS].rstrip() or None


def _printable(letter: str) -> str:
    kind = unicodedata.category(letter)
    if kind == "Cf":  # soft hyphens, marks of direction
        return ""
    return " " if kind in {"Cc", "Cs"} or kind.startswith("Z") else letter


def wall_time(value: Any, expected: QrFields | None) -> datetime:
    """The till's time, naive: ISO, or epoch seconds or milliseconds of local time taken for UTC.

    A zone beside it is dropped: tills print local time, whatever sources append. A date alone
    takes the time of day from `expected` when that is of the same day.
    """
    try:
        at = _time(value, expected)
    except (ValueError, OverflowError, OSError) as error:
        raise UnreadableDocument("The receipt's dateTime cannot be read.") from error
    if not EARLIEST_YEAR <= at.year <= LATEST_YEAR:
        raise UnreadableDocument("The receipt's dateTime is not of this time.")
    return at.replace(tzinfo=None, microsecond=0)


def _time(value: Any, expected: QrFields | None) -> datetime:
    given = value.strip() if isinstance(value, str) else value
    if isinstance(given, str) and given and not NUMBER.fullmatch(given):
        at = datetime.fromisoformat(given)
        return _completed(at, expected) if DAY.fullmatch(given) else at
    seconds = whole(given, "dateTime")
    if seconds is not None:
        return datetime.fromtimestamp(seconds // 1000 if seconds > LATEST_SECONDS else seconds, UTC)
    if expected is None:
        raise UnreadableDocument("The receipt has no dateTime.")
    return expected.wall_time


def _completed(day: datetime, expected: QrFields | None) -> datetime:
    if expected is None:
        raise UnreadableDocument("The receipt's dateTime has no time of day.")
    return expected.wall_time if expected.wall_time.date() == day.date() else day
