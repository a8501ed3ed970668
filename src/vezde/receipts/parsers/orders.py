"""Which order a receipt or a line of it is of, from the requisites that tills fill in as they like.

Tag 1084 is a name (1085) and a value (1086), one or a list; 1192 a text of the receipt, 1191 one of
a line. Only an order's number is taken out of them: there may be phones and names in the rest.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from vezde.purchases import marks

USER: Final = ("properties", "userProperty", "userProperties", "propertiesUser")
NAME: Final = ("propertyName", "name", "key")
VALUE: Final = ("propertyValue", "value")
RECEIPT: Final = "propertiesData"
ITEM: Final = "propertiesItem"
MOST_PROPERTIES: Final = 20
MOST_BITS: Final = 128  # of a number that stands for a text


def of_receipt(fields: Mapping[str, Any]) -> str | None:
    """The number of the order that all of the receipt is of; None when it names none."""
    for name in USER:
        for label, value in _properties(fields.get(name)):
            if number := marks.order_number(label, value):
                return number
    text = _text(fields.get(RECEIPT))
    return marks.order_stated(text) if text else None


def of_item(item: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """(mark of the unit or None, number of the order or None) that a line names apart."""
    text = _text(item.get(ITEM))
    if not text:
        return None, None
    mark = marks.find(text)
    return mark, None if mark else marks.order_stated(text)


def _properties(value: Any) -> Iterator[tuple[str, str]]:
    given = value if isinstance(value, list) else [value]
    for one in given[:MOST_PROPERTIES]:
        if isinstance(one, Mapping):
            yield _first(one, NAME), _first(one, VALUE)


def _first(one: Mapping[str, Any], names: tuple[str, ...]) -> str:
    return next((text for name in names if (text := _text(one.get(name)))), "")


def _text(value: Any) -> str:
    if type(value) is int and 0 <= value.bit_length() <= MOST_BITS:
        return str(value)
    return value if isinstance(value, str) else ""
