"""Cells of reports as values; messages say what to correct."""

from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime, timedelta
from typing import Any, Final

from vezde.kit import money

EXCEL_BEGAN: Final = date(1899, 12, 30)
FORMS: Final = ("%d.%m.%Y", "%d.%m.%y", "%Y/%m/%d")
MOST_TEXT: Final = 300

# Reads the row's cell under a field's name: None where the file has no such column or cell.
Cells = Callable[[str], Any]


class BadCell(ValueError):
    """A cell that should have a value and has none we can read."""


def text(cells: Cells, name: str) -> str | None:
    value = cells(name)
    if value is None:
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip().strip("'\"")[:MOST_TEXT] or None


def whole(cells: Cells, name: str) -> int | None:
    """A whole number; 0 and what is no number are none."""
    shown = (text(cells, name) or "").replace(" ", "").removesuffix(".0")
    return int(shown) if shown.isascii() and shown.isdecimal() and len(shown) < 19 else None


def quantity(cells: Cells, name: str, *, missing: int = money.MILLION) -> int:
    """Millionths, without a sign: reports differ in the signs of returns."""
    shown = text(cells, name)
    if shown is None:
        return missing
    try:
        return abs(money.micro(shown))
    except ValueError as error:
        raise BadCell(f"«{shown[:40]}» is no quantity") from error


def day(cells: Cells, name: str) -> date | None:
    """A day, of a text, of a date or of the number that Excel keeps it as."""
    value = cells(name)
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool) and 1 <= value < 100_000:
        return EXCEL_BEGAN + timedelta(days=int(value))
    shown = text(cells, name)
    if shown is None:
        return None
    with suppress(ValueError):
        return date.fromisoformat(shown[:10])
    for form in FORMS:
        with suppress(ValueError):
            return datetime.strptime(shown.split(" ")[0], form).date()  # noqa: DTZ007 -- a day
    raise BadCell(f"«{shown[:40]}» is no date; write it like 05.11.2026 or 2026-11-05")
