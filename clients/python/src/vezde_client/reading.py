"""JSON out of plain values and into frozen dataclasses; numbers stay int or Decimal."""

import json
import types
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")


class Unfit(ValueError):
    """What came is not of the type it should be; the message names the place."""


def dumps(value: Any) -> str:
    """JSON of dicts, sequences, text, int, bool, None, Decimal, date and datetime.

    A Decimal is written as the number it is. Raises TypeError for a float, whose digits are not
    what the shop meant, and ValueError for an instant without a zone.
    """
    match value:
        case None | bool() | int() | str():
            return json.dumps(value, ensure_ascii=False)
        case Decimal():
            return _number(value)
        case datetime():
            return json.dumps(instant(value))
        case date():
            return json.dumps(value.isoformat())
        case Mapping():
            pairs = (f"{json.dumps(str(key))}:{dumps(one)}" for key, one in value.items())
            return "{" + ",".join(pairs) + "}"
        case list() | tuple():
            return "[" + ",".join(dumps(one) for one in value) + "]"
    raise TypeError(f"{type(value).__name__} cannot be sent; use int or Decimal for numbers")


def instant(value: datetime) -> str:
    """RFC 3339 in UTC; raises ValueError without a zone."""
    if value.tzinfo is None:
        raise ValueError("an instant needs a zone: datetime(…, tzinfo=…)")
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def loads(text: bytes) -> Any:
    """JSON with Decimal for whatever is not an integer; raises `Unfit`."""
    try:
        return json.loads(text, parse_float=Decimal)
    except ValueError as error:
        raise Unfit(f"not JSON: {error}") from error


def read(kind: type[T], value: Any) -> T:
    """`value` as this dataclass, or this plain type; raises `Unfit`.

    Fields that are not known are passed over: the contract only grows.
    """
    found: Callable[[Any], Any] = _reader(cast("Any", kind))
    return cast("T", found(value))


@cache
def _reader(kind: Any) -> Callable[[Any], Any]:
    if is_dataclass(kind):
        return _of_dataclass(kind)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in {Union, types.UnionType}:
        (inner,) = (one for one in arguments if one is not type(None))
        some = _reader(inner)
        return lambda value: None if value is None else some(value)
    if origin is tuple:
        each = _reader(arguments[0])
        return lambda value: tuple(each(one) for one in _exactly(list, value))
    if kind is Any:
        return lambda value: value
    return PLAIN[kind]


def _of_dataclass(kind: Any) -> Callable[[Any], Any]:
    hints = get_type_hints(kind)
    names = [one.name for one in fields(kind)]

    def made(value: Any) -> Any:
        given = _exactly(dict, value)
        found = {}
        for name in names:
            try:
                found[name] = _reader(hints[name])(given.get(name))
            except Unfit as error:
                raise Unfit(f"{name}: {error}") from error
        return kind(**found)

    return made


def _exactly(kind: type[T], value: Any) -> T:
    if isinstance(value, bool) and kind is not bool:
        raise Unfit(f"{value!r} is not {kind.__name__}")
    if not isinstance(value, kind):
        raise Unfit(f"{type(value).__name__} is not {kind.__name__}")
    return value


def _decimal(value: Any) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(_exactly(int, value))


def _instant(value: Any) -> datetime:
    try:
        return datetime.fromisoformat(_exactly(str, value))
    except ValueError as error:
        raise Unfit(str(error)) from error


def _date(value: Any) -> date:
    try:
        return date.fromisoformat(_exactly(str, value))
    except ValueError as error:
        raise Unfit(str(error)) from error


def _number(value: Decimal) -> str:
    if not value.is_finite():
        raise ValueError(f"{value} is no number")
    return f"{value:f}"


PLAIN: dict[Any, Callable[[Any], Any]] = {
    str: lambda value: _exactly(str, value),
    int: lambda value: _exactly(int, value),
    bool: lambda value: _exactly(bool, value),
    Decimal: _decimal,
    datetime: _instant,
    date: _date,
}
