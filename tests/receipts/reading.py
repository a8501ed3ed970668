"""A receipt to spoil, and what reading says of it."""

from collections.abc import Mapping
from typing import Any

import pytest

from vezde.receipts import parsers
from vezde.receipts.model import FiscalDocument, FiscalLine
from vezde.receipts.parsers import UnreadableDocument
from vezde.testing import receipts as factories
from vezde.testing.receipts import line, receipt, render

PAPER = receipt(
    7,
    lines=[
        line("Крем LUNARIA 50 мл", 83_010, quantity=3, provider_inn="7801234564"),
        line("Маска LUNARIA", 120_050, gtin="04605035006964", serial="5OoyE8qxeIOn>"),
        line("Пакет", 900, payment_type=None, product_type=None, gtin="00000046070012"),
    ],
    seller=factories.OZON,
)
QR = PAPER.qr
# An integer that Python itself refuses to print.
HUGE = pytest.param(10**5_000, id="huge")
BARE: dict[str, Any] = render(PAPER)


def without(name: str) -> dict[str, Any]:
    return {other: value for other, value in BARE.items() if other != name}


def read(value: Any, **options: Any) -> FiscalDocument:
    [document] = parsers.read(value, **options)
    return document


def told(**fields: Any) -> FiscalDocument:
    """What is read when the receipt says otherwise."""
    return read(BARE | fields)


def item(**fields: Any) -> FiscalLine:
    """What is read of a line when it says otherwise."""
    plain: Mapping[str, Any] = {"name": "Крем", "price": 500, "sum": 500, "quantity": 1}
    [line] = told(items=[{**plain, **fields}]).lines
    return line


def refusal(value: Any, **options: Any) -> str:
    """The detail of the error."""
    with pytest.raises(UnreadableDocument) as caught:
        parsers.read(value, **options)
    return caught.value.detail
