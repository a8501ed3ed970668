"""Lists by cursor: `?limit=&cursor=` -> `{items, next_cursor}`."""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Annotated, Generic, TypeVar

from fastapi import Query
from pydantic import BaseModel

from vezde.kit.errors import DomainError, Kind

Item = TypeVar("Item")
Row = TypeVar("Row")

Limit = Annotated[int, Query(ge=1, le=200, description="How many items at most")]
Cursor = Annotated[str | None, Query(description="`next_cursor` of the page before")]


class BadCursor(DomainError):
    code = "bad_cursor"
    kind = Kind.INVALID


class Page(BaseModel, Generic[Item]):
    """`next_cursor` is null on the last page."""

    items: list[Item]
    next_cursor: str | None = None


def cursor_of(text: str | None) -> str | None:
    """The position inside an opaque cursor; raises `BadCursor`."""
    if text is None:
        return None
    try:
        position = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    except (binascii.Error, ValueError) as error:
        raise BadCursor("Take the cursor from next_cursor of the page before.") from error
    if "\0" in position:  # no position of ours, and PostgreSQL would not take it
        raise BadCursor("Take the cursor from next_cursor of the page before.")
    return position


def page(
    rows: Sequence[Row], limit: int, *, show: Callable[[Row], Item], position: Callable[[Row], str]
) -> Page[Item]:
    """A page of `rows`, of which one more than `limit` was read to see whether there is a next."""
    shown = rows[:limit]
    more = len(rows) > limit
    after = base64.urlsafe_b64encode(position(shown[-1]).encode()).rstrip(b"=") if more else None
    return Page(
        items=[show(row) for row in shown], next_cursor=after.decode("ascii") if after else None
    )
