"""One row of an import, read: every value into its product field, every mistake into a sentence.

Rows come from JSON and from tables, where Excel had its hand in: barcodes as 4.60E+12, articles as
dates, prices with spaces, commas and currency.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any

from vezde.catalog import channels, gtin
from vezde.catalog.model import Product, Row
from vezde.kit import money

INVISIBLE = re.compile(
    r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u200b-\u200f\u202a-\u202e\u2060\ufeff]"
)
SPACES = re.compile(r"\s+")
SURROGATE = re.compile(r"[\ud800-\udfff]")
EXCEL_ERROR = re.compile(
    r"#(N/A|REF!|VALUE!|DIV/0!|NAME\?|NUM!|NULL!|Н/Д|ЗНАЧ!|ССЫЛКА!|ДЕЛ/0!|ИМЯ\?|ЧИСЛО!)"
)
EXPONENT = re.compile(r"(\d(?:[.,]\d+)?)E\+?(\d{1,2})", re.IGNORECASE)
WITH_ZEROS = re.compile(r"(\d+)[.,]0+")
CURRENCY = re.compile(r"(?:₽|руб(?:лей|ля|ль)?\.?|р\.?|rub)\s*$", re.IGNORECASE)
URL = re.compile(r"https?://[^\s/]+\S*", re.IGNORECASE)
LIST = re.compile(r"[|;\n]")
OFFER = re.compile(r"[|;\n]\s*(?=[\w ]+=\s*https?://)")

EXCEL_DIGITS = 15  # Excel keeps no more of a number
MAX_KOPECKS = 10**12
MAX_ID = 2**63 - 1
MAX_TAGS, MAX_ALIASES, MAX_OFFERS = 50, 200, 40
OFFERS_OF = "offers."


class BadValue(ValueError):
    """A value of a kind that does not belong into a cell."""


@dataclass(frozen=True)
class Parsed:
    """`values` by product field; `links` change single offers; with `errors` it is not applied."""

    number: int
    sku: str | None
    values: Mapping[str, Any]
    links: Mapping[str, str | None] = field(default_factory=dict)
    errors: tuple[str, ...] = ()


def of_product(number: int, product: Product) -> Row:
    """A whole product as a row: what it does not say is taken away."""
    given = {item.name: getattr(product, item.name) for item in fields(product)}
    return Row(number, given)


def parse(row: Row) -> Parsed:
    """Read every value of a row; never raises, the mistakes are `errors`."""
    values: dict[str, Any] = {}
    links: dict[str, str | None] = {}
    errors = list(row.problems)
    for column, raw in row.values.items():
        title = row.headers.get(column, column)
        try:
            if column.startswith(OFFERS_OF):
                channel = channels.read(column.removeprefix(OFFERS_OF))
                links[channel] = None if _is_empty(raw) else _url(raw)
                continue
            target, read = READERS[column]
            value = EMPTY.get(target) if _is_empty(raw) else read(raw)
        except KeyError:
            errors.append(f"row {row.number}: there is no column «{title}»; remove it")
            continue
        except ValueError as error:
            errors.append(f"row {row.number}, column «{title}»: {error}")
            continue
        if values.setdefault(target, value) != value:
            errors.append(f"row {row.number}: two columns give different {target}; leave one")
    sku = values.pop("sku", None)
    if sku is None and not errors:
        errors.append(f"row {row.number}: the article (sku) is empty; every product needs one")
    return Parsed(row.number, sku, values, links, tuple(errors))


def apply(parsed: Parsed, product: Product | None) -> Product:
    """The product after this row; `product` is what it was, None to begin from nothing.

    Raises ValueError with a sentence when the name or the brand is missing.
    """
    values = dict(parsed.values)
    for needed in ("name", "brand"):
        given = values.get(needed, getattr(product, needed, None))
        if not given:
            raise ValueError(f"row {parsed.number}, column «{needed}»: a product needs a {needed}")
    if parsed.links:
        offers = dict(values.get("offers", product.offers if product else {}))
        for channel, url in parsed.links.items():
            offers.pop(channel, None)
            if url is not None:
                offers[channel] = url
        values["offers"] = offers
    if product is not None:
        return replace(product, **values)
    assert parsed.sku is not None, "a row without an article has errors and is not applied"
    return Product(sku=parsed.sku, **values)


def _is_empty(raw: Any) -> bool:
    if isinstance(raw, str):
        return not raw.strip()
    return raw is None or raw in ([], (), {})


def _text(raw: Any, limit: int) -> str:
    if isinstance(raw, (date, time, timedelta)):
        raise BadValue(
            "Excel made a date of it; set the column's format to Text and type the value again"
        )
    if isinstance(raw, bool) or not isinstance(raw, (str, int, float, Decimal)):
        raise BadValue("text is expected here")
    shown = raw if isinstance(raw, str) else _number_as_text(raw)
    if SURROGATE.search(shown):
        raise ValueError("it holds broken characters; type the value again")
    shown = unicodedata.normalize("NFC", INVISIBLE.sub("", shown))
    shown = SPACES.sub(" ", shown).strip()
    if EXCEL_ERROR.fullmatch(shown):
        raise ValueError(f"the formula gives {shown}; put the value itself there")
    if len(shown) > limit:
        raise ValueError(f"it is {len(shown)} characters long; at most {limit} fit")
    if not shown:
        raise ValueError("it holds nothing that can be seen; leave it empty or type the value")
    return shown


def _number_as_text(number: float | Decimal) -> str:
    """A number Excel made of an article or a barcode, its digits as typed."""
    exact = money.exact_decimal(number)
    if exact != exact.to_integral_value():
        return format(exact.normalize(), "f")
    shown = str(int(exact))
    if isinstance(number, float) and len(shown) > EXCEL_DIGITS:
        raise ValueError(
            f"Excel kept only {EXCEL_DIGITS} digits of {shown}; set the column's format to Text "
            "and type the value again"
        )
    return shown


def _unrounded(shown: str) -> str:
    """`4600000000000.0` and `4.601234567893E+12` as digits; raises when digits were lost."""
    if found := WITH_ZEROS.fullmatch(shown):
        return found[1]
    if not (found := EXPONENT.fullmatch(shown)):
        return shown
    mantissa, power = found[1].replace(",", "."), int(found[2])
    if len(mantissa.replace(".", "")) <= power:
        raise ValueError(
            f"Excel rounded it to «{shown}» and its digits are lost; set the column's format to "
            "Text and paste the value again"
        )
    exact = Decimal(f"{mantissa}E{power}")
    return str(int(exact)) if exact == exact.to_integral_value() else shown


def _sku(raw: Any) -> str:
    shown = _text(raw, 100)
    return _unrounded(shown) if EXPONENT.fullmatch(shown) else shown


def _gtin(raw: Any) -> str:
    return gtin.normalise(_unrounded(_text(raw, 40)))


def _whole(low: int, high: int) -> Callable[[Any], int]:
    def read(raw: Any) -> int:
        shown = _unrounded(_text(raw, 40)).replace(" ", "")
        if not (shown.isascii() and shown.removeprefix("-").isdecimal()):
            raise ValueError(f"«{shown}» is not a whole number")
        if not low <= int(shown) <= high:
            raise ValueError(f"{shown} is not between {low} and {high}")
        return int(shown)

    return read


def _rubles(raw: Any) -> int:
    """Rubles, as people write them, to kopecks: `1 290,50 ₽`, `1,290.50`, 1290.5."""
    shown = raw
    if isinstance(raw, (str, date, time, timedelta, bool)):
        shown = CURRENCY.sub("", _text(raw, 40)).replace(" ", "")
        if "," in shown and "." in shown:
            thousands = "," if shown.rindex(".") > shown.rindex(",") else "."
            shown = shown.replace(thousands, "")
        fraction = re.split(r"[.,]", shown)[-1] if re.search(r"[.,]", shown) else ""
        # Three digits may be thousands: `1,290` is 1290 to one and 1.29 to another.
        if len(fraction) == 3 or fraction[2:].strip("0"):
            raise ValueError(f"«{raw}» is not clear; write rubles like 1290 or 1290,50")
    amount = money.kopecks(shown)
    if not 0 <= amount <= MAX_KOPECKS:
        raise ValueError(f"«{raw}» cannot be a price")
    return amount


def _list(limit: int, most: int) -> Callable[[Any], tuple[str, ...]]:
    def read(raw: Any) -> tuple[str, ...]:
        parts = raw if isinstance(raw, (list, tuple)) else LIST.split(_lines(raw))
        given = [_text(part, limit) for part in parts if not _is_empty(part)]
        found = tuple(dict.fromkeys(given))
        if len(found) > most:
            raise ValueError(f"there are {len(found)} values; at most {most} fit")
        return found

    return read


def _lines(raw: Any) -> str:
    return raw.replace("\r", "\n") if isinstance(raw, str) else _text(raw, 10_000)


def _url(raw: Any) -> str:
    shown = _text(raw, 2_000)
    if not URL.fullmatch(shown):
        raise ValueError(f"«{shown[:60]}» is not a link; write it whole, from https:// on")
    return shown


def _offers(raw: Any) -> dict[str, str]:
    """{channel: link}, or the text `ozon=https://… | wildberries=https://…`."""
    if not isinstance(raw, Mapping):
        pairs = [part.partition("=") for part in OFFER.split(_lines(raw)) if part.strip()]
        raw = {channel: url for channel, _, url in pairs}
    if len(raw) > MAX_OFFERS:
        raise ValueError(f"there are {len(raw)} links; at most {MAX_OFFERS} fit")
    return {channels.read(channel): _url(url) for channel, url in raw.items()}


def _channel(raw: Any) -> str:
    return channels.read(_text(raw, 60))


# Column -> (product field, reader). Values that are taken away become what EMPTY says, else None.
READERS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "sku": ("sku", _sku),
    "gtin": ("gtin", _gtin),
    "name": ("name", lambda raw: _text(raw, 500)),
    "brand": ("brand", lambda raw: _text(raw, 200)),
    "line": ("line", lambda raw: _text(raw, 200)),
    "category": ("category", lambda raw: _text(raw, 200)),
    "tags": ("tags", _list(100, MAX_TAGS)),
    "size": ("size", lambda raw: _text(raw, 100)),
    "shade": ("shade", lambda raw: _text(raw, 200)),
    "set_units": ("set_units", _whole(1, 10_000)),
    "price_kopecks": ("price_kopecks", _whole(0, MAX_KOPECKS)),
    "price": ("price_kopecks", _rubles),
    "cost_kopecks": ("cost_kopecks", _whole(0, MAX_KOPECKS)),
    "cost": ("cost_kopecks", _rubles),
    "replenish_days": ("replenish_days", _whole(1, 3_650)),
    "photo_url": ("photo_url", _url),
    "aliases": ("aliases", _list(300, MAX_ALIASES)),
    "nm_id": ("nm_id", _whole(1, MAX_ID)),
    "ozon_sku": ("ozon_sku", _whole(1, MAX_ID)),
    "market_sku": ("market_sku", _whole(1, MAX_ID)),
    "offers": ("offers", _offers),
    "only_on": ("only_on", _channel),
}
EMPTY: dict[str, Any] = {"tags": (), "aliases": (), "offers": {}}
