"""Lists as parameters of statements, written at once."""

from collections.abc import Callable, Iterable
from datetime import datetime
from types import NoneType
from typing import Any
from uuid import UUID

from psycopg.abc import DumperKey
from psycopg.adapt import PyFormat
from psycopg.types.array import BaseListDumper, ListDumper


def _text(one: str) -> str:
    escaped = one.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def array_text(items: Iterable[str]) -> str:
    """A list of texts as PostgreSQL writes it: for a list of lists, each cast to text[] by itself.

    Its own arrays of arrays have all the same length.
    """
    return "{" + ",".join(map(_text, items)) + "}"


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
