"""Lists and rows as parameters of statements, written at once."""

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import lru_cache
from types import NoneType
from typing import Any, LiteralString
from uuid import UUID

from psycopg.abc import DumperKey
from psycopg.adapt import PyFormat
from psycopg.types.array import BaseListDumper, ListDumper


def _text(one: str) -> str:
    escaped = one.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


FEW = 4
ARRAYS = re.compile(r"unnest\(\s*%s::\w+\[\](?:,\s*%s::\w+\[\])*\s*\)")
TYPES = re.compile(r"%s::(\w+)\[\]")


def asked(
    query: LiteralString, rows: Sequence[Sequence[Any]]
) -> tuple[LiteralString, Sequence[Any]]:
    """A statement that unnests arrays, a column each, and its parameters for one row or more.

    A few rows are written as VALUES instead: to unnest eight arrays takes the server three times
    what the insert itself does.
    """
    if len(rows) <= FEW:
        return _of_values(query, len(rows)), [value for row in rows for value in row]
    return query, [list(column) for column in zip(*rows, strict=True)]


@lru_cache
def _of_values(query: LiteralString, count: int) -> LiteralString:
    arrays = ARRAYS.search(query)
    assert arrays, "it unnests arrays, each a parameter that is cast"
    row = "(" + ", ".join(f"%s::{one}" for one in TYPES.findall(arrays[0])) + ")"
    values = "(VALUES " + ", ".join([row] * count) + ")"
    return query[: arrays.start()] + values + query[arrays.end() :]


# How an item of a list is written for PostgreSQL, by its type.
WRITTEN: dict[type, Callable[[Any], str]] = {
    UUID: lambda one: one.hex,
    int: str,
    bool: lambda one: "t" if one else "f",
    str: _text,
    bytes: lambda one: f'"\\\\x{one.hex()}"',
    datetime: lambda one: f'"{one}"',
    NoneType: lambda _one: "NULL",
}


class Flat(ListDumper):
    """Lists of one type, of which some may be None, written by one join; others psycopg's own way.

    That looks for the largest integer, asks of each item how to dump it and whether it needs
    quotes. What a list is a list of the statement says, by a cast or what it is compared with:
    told by the values it would be another one, planned anew, when all of them are None or small.
    """

    def get_key(self, obj: list[Any], format: PyFormat) -> DumperKey:  # noqa: A002 - psycopg's name
        return self.cls if _written(obj) else super().get_key(obj, format)

    def upgrade(self, obj: list[Any], format: PyFormat) -> BaseListDumper:  # noqa: A002
        return self if _written(obj) else super().upgrade(obj, format)

    def dump(self, obj: list[Any]) -> Any:
        write = _written(obj)
        if write is None:
            return super().dump(obj)
        if None in obj:
            items = ["NULL" if one is None else write(one) for one in obj]
        else:
            items = [write(one) for one in obj]
        text = ",".join(items)
        # What PostgreSQL cannot keep psycopg refuses in its own words.
        return super().dump(obj) if "\0" in text else f"{{{text}}}".encode()


def _written(items: list[Any]) -> Callable[[Any], str] | None:
    """How the items are written if they are all of one type that is known."""
    kinds = set(map(type, items))
    if len(kinds) > 1:
        kinds.discard(NoneType)
    return WRITTEN.get(kinds.pop() if kinds else NoneType) if len(kinds) < 2 else None
