"""What is to be done, as a value: the request, its Idempotency-Key and how its answer is read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar
from urllib.parse import quote as quoted
from uuid import uuid4

from vezde_client import reading

T = TypeVar("T")


@dataclass(frozen=True)
class Call(Generic[T]):
    """A request whose answer is a `T`. Sent again, by whatever client, it happens once.

    `key` is the Idempotency-Key; the installation keeps it for 48 hours.
    """

    method: str
    path: str
    read: Callable[[Any], T] = field(repr=False)
    params: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: Any = field(default=None, repr=False)
    file: bytes | None = field(default=None, repr=False)
    key: str | None = None


@dataclass(frozen=True)
class Page(Generic[T]):
    """Some of a list; `next` asks for those that follow, None: these were the last."""

    items: tuple[T, ...]
    next: "Call[Page[T]] | None" = field(repr=False)


def get(kind: type[T], path: str, params: Mapping[str, str | None] | None = None) -> Call[T]:
    """A question; parameters that are None are left out."""
    return Call("GET", path, lambda value: reading.read(kind, value), _given(params or {}))


def post(
    kind: type[T],
    path: str,
    body: Mapping[str, Any] | None = None,
    *,
    key: str | None = None,
    file: bytes | None = None,
) -> Call[T]:
    """A command with an Idempotency-Key: `key`, or one made now."""
    return Call(
        "POST",
        path,
        lambda value: reading.read(kind, value),
        body=body,
        file=file,
        key=key or uuid4().hex,
    )


def pages(kind: type[T], path: str, params: Mapping[str, str | None]) -> Call[Page[T]]:
    """A question with a list for an answer."""
    asked = _given(params)
    call: Call[Page[T]]

    def page(value: Any) -> Page[T]:
        found = reading.read(_Page, value)
        items = tuple(reading.read(kind, one) for one in found.items)
        if found.next_cursor is None:
            return Page(items, None)
        return Page(items, replace(call, params={**asked, "cursor": found.next_cursor}))

    call = Call("GET", path, page, asked)
    return call


def segment(text: str) -> str:
    """An id as a part of a path."""
    return quoted(text, safe="")


@dataclass(frozen=True)
class _Page:
    items: tuple[Any, ...]
    next_cursor: str | None


def _given(params: Mapping[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in params.items() if value is not None}
