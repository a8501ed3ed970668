"""One receipt's fields, of whatever source, to a `FiscalDocument`. Numbers in brackets are tags."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from vezde.kit import money
from vezde.receipts.model import FiscalDocument, FiscalKey, FiscalLine, QrFields
from vezde.receipts.parsers import marking
from vezde.receipts.parsers.errors import UnreadableDocument
from vezde.receipts.parsers.wrappers import Found

MOST_LINES = 2_000
MOST_CHARACTERS = 512
EARLIEST, LATEST = 2017, 2100
MAX_UINT32 = 2**32 - 1
MONEY = ("totalSum", "cashTotalSum", "ecashTotalSum", "prepaidSum", "creditSum", "provisionSum")


def document(found: Found, *, expected: QrFields | None) -> FiscalDocument:
    """The receipt in normal form; raises `UnreadableDocument` naming what is missing or wrong."""
    fields = found.fields
    items = fields.get("items") or []
    if not isinstance(items, list) or len(items) > MOST_LINES:
        raise UnreadableDocument(f"The receipt's items are not a list of up to {MOST_LINES}.")
    scale = 100 if _in_rubles(fields, items, expected) else 1
    total, cash, ecash, prepaid, credit, provision = (
        _money(fields.get(name), scale, name) for name in MONEY
    )
    return FiscalDocument(
        key=_key(fields, expected),
        wall_time=_wall_time(fields.get("dateTime"), expected),
        operation=_operation(fields.get("operationType"), expected),
        code=_small(fields.get("code"), fields.get("receiptCode")) or found.code,
        seller_inn=_text(fields.get("userInn")),
        seller_name=_text(fields.get("user")),
        retail_place=_text(fields.get("retailPlace")),
        address=_text(fields.get("retailPlaceAddress"), fields.get("retailAddress"), found.address),
        sender=_text(fields.get("sellerAddress")),
        kkt_reg_id=_text(fields.get("kktRegId")),
        internet=_small(fields.get("internetSign")) == 1,
        region=_text(fields.get("region")),
        total_kopecks=total,
        cash_kopecks=cash,
        ecash_kopecks=ecash,
        prepaid_kopecks=prepaid,
        credit_kopecks=credit,
        provision_kopecks=provision,
        lines=tuple(_line(number, item, scale) for number, item in enumerate(items, start=1)),
    )


def _in_rubles(fields: Mapping[str, Any], items: list[Any], expected: QrFields | None) -> bool:
    """Rubles or kopecks, decided once for a receipt.

    The QR's sum decides; without it, a fraction in a sum is of rubles, and so are a signature as
    text beside nulls: «Мои чеки онлайн» writes them so, kopecks come as whole numbers.
    """
    total = fields.get("totalSum")
    if expected is not None and total is not None:
        exact = _exact(total, "totalSum")
        if exact != expected.total_kopecks and exact * 100 == expected.total_kopecks:
            return True
        if exact == expected.total_kopecks:
            return False
    sums = [fields.get(name) for name in MONEY]
    sums += [item.get(name) for item in items if isinstance(item, Mapping) for name in PRICES]
    if any(_has_fraction(one) for one in sums):
        return True
    as_text = isinstance(fields.get("fiscalSign"), str)
    return as_text and any(value is None for value in fields.values())


PRICES = ("sum", "price")


def _has_fraction(value: Any) -> bool:
    if isinstance(value, float):
        return not value.is_integer()
    return isinstance(value, Decimal) and value != value.to_integral_value()


def _key(fields: Mapping[str, Any], expected: QrFields | None) -> FiscalKey:
    numbers = [
        _whole(fields.get("fiscalDriveNumber"), "fiscalDriveNumber"),
        _whole(fields.get("fiscalDocumentNumber"), "fiscalDocumentNumber"),
        _whole(fields.get("fiscalSign"), "fiscalSign"),
    ]
    if None in numbers and expected is not None:
        known = (expected.fn, expected.fd, expected.fp)
        numbers = [own if own is not None else qr for own, qr in zip(numbers, known, strict=True)]
    fn, fd, fp = numbers
    if fn is None or fd is None or fp is None:
        raise UnreadableDocument(
            "The receipt has no fiscal key (fiscalDriveNumber, fiscalDocumentNumber, fiscalSign); "
            "send one that has it."
        )
    if not (0 < fn < 10**17 and 0 < fd <= MAX_UINT32 and 0 <= fp <= MAX_UINT32):
        raise UnreadableDocument("The receipt's fiscal key is not one that a till can print.")
    return FiscalKey(fn, fd, fp)


def _wall_time(value: Any, expected: QrFields | None) -> datetime:
    """The till's time, naive. Epoch seconds are local time stored as if it were UTC."""
    try:
        if isinstance(value, int | Decimal) and not isinstance(value, bool):
            at = datetime.fromtimestamp(int(value), UTC).replace(tzinfo=None)
        elif isinstance(value, str) and len(value) > len("2020-01-01"):
            at = datetime.fromisoformat(value.strip()).replace(tzinfo=None, microsecond=0)
        elif expected is not None:
            at = expected.wall_time
        else:
            raise ValueError("no time")
    except (ValueError, OverflowError, OSError) as error:
        raise UnreadableDocument("The receipt's dateTime cannot be read.") from error
    if not EARLIEST <= at.year < LATEST:
        raise UnreadableDocument("The receipt's dateTime is not of this time.")
    return at


def _operation(value: Any, expected: QrFields | None) -> int:
    operation = _small(value)
    if operation is None:
        return expected.operation if expected else 1
    if not 1 <= operation <= 4:
        raise UnreadableDocument("The receipt's operationType is not 1 to 4.")
    return operation


def _line(number: int, item: Any, scale: int) -> FiscalLine:
    if not isinstance(item, Mapping):
        raise UnreadableDocument(f"Item {number} of the receipt is not an object.")
    gtin, serial = marking.code(item)
    return FiscalLine(
        line=number,
        name=_text(item.get("name")),
        quantity_micro=_quantity(item.get("quantity"), number),
        price_kopecks=_money(item.get("price"), scale, "price"),
        sum_kopecks=_money(item.get("sum"), scale, "sum"),
        payment_type=_small(item.get("paymentType")),
        product_type=_small(item.get("productType")),
        provider_inn=_text(item.get("providerInn")),
        gtin=gtin,
        serial=serial,
    )


def _quantity(value: Any, number: int) -> int:
    if value is None:
        return money.MILLION
    if type(value) is int and 0 <= value < 10**9:
        return value * money.MILLION
    try:
        micro = money.micro(value)
    except (ValueError, TypeError) as error:
        raise UnreadableDocument(f"The quantity of item {number} is not a number.") from error
    if micro < 0:
        raise UnreadableDocument(f"The quantity of item {number} is below zero.")
    return micro


def _money(value: Any, scale: int, name: str) -> int:
    if value is None:
        return 0
    if type(value) is int and scale == 1:
        amount = value
    else:
        amount = int((_exact(value, name) * scale).to_integral_value(rounding="ROUND_HALF_UP"))
    if not 0 <= amount <= money.MAX_BIGINT // 1_000_000:
        raise UnreadableDocument(f"The receipt's {name} is not a sum that a till can print.")
    return amount


def _exact(value: Any, name: str) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise UnreadableDocument(f"The receipt's {name} is not a number.")
    try:
        exact = money.exact_decimal(value)
    except ValueError as error:
        raise UnreadableDocument(f"The receipt's {name} is not a number.") from error
    if exact.adjusted() > 18:
        raise UnreadableDocument(f"The receipt's {name} is not a sum that a till can print.")
    return exact


def _whole(value: Any, name: str) -> int | None:
    """An integer, given as a number or padded text; None when it is not there."""
    if value is None:
        return None
    if type(value) is int:
        return value
    text = str(value).strip() if isinstance(value, str) else ""
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 20):
        raise UnreadableDocument(f"The receipt's {name} is not a number.")
    return int(text)


def _small(*values: Any) -> int | None:
    """The first value that is a small whole number (a tag's code), also as text."""
    for value in values:
        if type(value) is int:
            return value if abs(value) < 1_000 else None
        if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit():
            return int(value.strip()[:4])
    return None


def _text(*values: Any) -> str | None:
    """The first value that is text, without padding and control characters, bounded."""
    for value in values:
        if isinstance(value, str) and (text := value.strip()):
            if not text.isprintable():
                text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
            if text:
                return text[:MOST_CHARACTERS]
    return None
