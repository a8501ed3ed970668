"""What no vendor should send and somebody will: any JSON, true answers changed, HTTP gone wrong."""

import asyncio
import contextlib
import copy
import gzip
import json
import re
from collections.abc import Callable, Iterator
from typing import Any, Self

from hypothesis import strategies as st

# Stand for what would make a failure unreadable: 70,000 letters, 4,000 digits.
LONG, DIGITS = "(long)", "(digits)"
NUMBERS = (
    st.integers()
    | st.floats()
    | st.sampled_from([0, 1, 2, 4, -1, 1.5, 1e308, 10**30, 2**63, "²", "١", DIGITS])
)
TEXTS = st.text(max_size=30) | st.sampled_from(
    ["", "1", "1.50", "{}", "[", "\0", "\ud800", "2026-11-17T12:30:00", LONG, "a/../b"]
)
# As `json.loads` reads it, with the Infinity and NaN that it reads too.
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
STATUSES = st.sampled_from(
    [
        100,
        101,
        200,
        201,
        204,
        206,
        301,
        302,
        304,
        400,
        401,
        402,
        403,
        404,
        406,
        429,
        500,
        503,
        599,
        999,
    ]
)
HEADERS = st.sampled_from(
    [
        *(("Retry-After", one) for one in ("90", "-1", "²", "9" * 11, DIGITS, "soon", "1e9")),
        ("Retry-After", "Wed, 25 Nov 2026 10:00:00 GMT"),
        *(("Content-Encoding", one) for one in ("gzip", "gzip, gzip", "deflate", "br", "\xff")),
        *(("Content-Length", one) for one in ("0", "5", "-1", "9" * 30, "a")),
        *(("Transfer-Encoding", one) for one in ("chunked", "gzip, chunked", "identity")),
        ("Content-Type", "text/html; charset=utf-7"),
        ("Location", "http://127.0.0.1:1/" + LONG),
        ("Set-Cookie", "a=b; expires=never; max-age=x; path=;;; domain=.."),
        ("Set-Cookie", "=\xff; version=²"),
    ]
)


def text(value: Any) -> bytes:
    """JSON of anything, Infinity and lone halves of pairs too."""
    written = json.dumps(value)
    return written.replace(f'"{DIGITS}"', "9" * 4_000).replace(LONG, "A" * 70_000).encode()


@st.composite
def changed(draw: st.DrawFn, true: Any) -> Any:
    """A JSON value with one to three places of it taken by something else, or left out."""
    value = copy.deepcopy(true)
    for _ in range(draw(st.integers(1, 3))):
        places = list(_places(value))
        if not places:
            break
        holder, at = draw(st.sampled_from(places))
        if draw(st.booleans()):
            holder[at] = draw(VALUES)
        else:
            del holder[at]
    return value


@st.composite
def damaged(draw: st.DrawFn, true: bytes) -> bytes:
    """Bytes with some of them taken by others, or cut short."""
    at = draw(st.integers(0, len(true)))
    noise = draw(st.binary(max_size=8))
    return true[:at] + noise + true[at + len(noise) :] if draw(st.booleans()) else true[:at]


@st.composite
def answers(draw: st.DrawFn, bodies: st.SearchStrategy[bytes]) -> bytes:
    """An answer of HTTP with a body of these, whose head may lie about it; or no HTTP at all."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.binary(max_size=200))
    body = draw(bodies)
    if draw(st.integers(0, 3)):
        return plain(body)
    if draw(st.booleans()):
        body = gzip.compress(body)
    return framed(draw(STATUSES), draw(st.lists(HEADERS, max_size=3)), body)


def plain(body: bytes) -> bytes:
    return framed(200, [("Content-Length", str(len(body)))], body)


def framed(status: int, headers: list[tuple[str, str]], body: bytes) -> bytes:
    told = "".join(f"{name}: {value}\r\n" for name, value in [*headers, ("Connection", "close")])
    head = f"HTTP/1.1 {status} Whatever\r\n{told}\r\n".replace(DIGITS, "9" * 4_000)
    return head.replace(LONG, "a" * 70_000).encode("latin-1") + body


class Vendor:
    """Answers each request with the bytes that `says` has for its path, then hangs up.

    With `drips` it goes on with a byte of that now and then, for as long as somebody listens.
    """

    def __init__(self, says: Callable[[str], bytes] | None = None) -> None:
        self.says = says or (lambda _: b"")
        self.drips = b""
        self.base_url = ""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=2**20)
        self.base_url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_exc: object) -> None:
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            # Some hang up, having read enough.
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                head = await reader.readuntil(b"\r\n\r\n")
                length = re.search(rb"content-length: *([0-9]+)", head, re.IGNORECASE)
                await reader.readexactly(int(length[1]) if length else 0)
                path = head.split()[1].decode("ascii")
                writer.write(self.says(path))
                await writer.drain()
                while self.drips:
                    await asyncio.sleep(0.05)
                    writer.write(self.drips)
                    await writer.drain()
        finally:
            writer.close()


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every (holder, index or name) of a JSON value."""
    if not isinstance(value, dict | list):
        return
    for at, one in value.items() if isinstance(value, dict) else enumerate(value):
        yield value, at
        yield from _places(one)
