"""A door to a fake's simulator for pages of another port, and its reset from another process.

`Door` is an ASGI application that passes on what a page of chats needs: people, what they do, what
they see, files. Faults, calls and resets stay with the fake. It guards nothing by itself: whoever
mounts it says who may come in.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any

import aiohttp

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

ALLOWED = re.compile(
    r"(?:GET /(?:state|users|users/\d+/messages|events|files/[\w-]+)|POST /users(?:/\d+/[a-z]+)?)"
)
ASKED_WITH = (b"content-type", b"accept", b"last-event-id")
PICTURES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
MOST_BYTES = 51 * 1024 * 1024  # what a person may send, with room for a form around it
CONNECT_SECONDS, RESET_SECONDS = 5, 10


class Door:
    """The simulator at `base_url`, by paths without their `/sim`."""

    def __init__(self, base_url: str) -> None:
        self._base = base_url.rstrip("/")
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        if not ALLOWED.fullmatch(f"{scope['method']} {path}"):
            await _say(send, 404, "there is nothing at this address")
            return
        given = dict(scope["headers"])
        if int(given.get(b"content-length", b"0")) > MOST_BYTES:
            await _say(send, 413, "that is too large for a messenger")
            return
        query = scope["query_string"].decode("latin-1")
        headers = {
            name.decode(): given[name].decode("latin-1") for name in ASKED_WITH if name in given
        }
        gone = asyncio.Event()
        body = _body(receive, gone) if scope["method"] == "POST" else None
        asking = asyncio.create_task(
            self._pass_on(
                send, scope["method"], f"/sim{path}{'?' if query else ''}{query}", headers, body
            )
        )
        watching = asyncio.create_task(gone.wait() if body else _until_gone(receive))
        await asyncio.wait((asking, watching), return_when=asyncio.FIRST_COMPLETED)
        watching.cancel()
        if not asking.done():
            asking.cancel()
        with suppress(asyncio.CancelledError):
            await asking

    async def _pass_on(
        self,
        send: Send,
        method: str,
        path: str,
        headers: dict[str, str],
        body: AsyncIterator[bytes] | None,
    ) -> None:
        started = False
        try:
            async with self._open().request(
                method, f"{self._base}{path}", headers=headers, data=body
            ) as answer:
                start = {"type": "http.response.start", "status": answer.status}
                await send({**start, "headers": _headers(answer, file="/files/" in path)})
                started = True
                async for chunk in answer.content.iter_any():
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
        except aiohttp.ClientError:
            if not started:
                await _say(send, 503, "the messenger is not there yet; it is tried again")
                return
        await send({"type": "http.response.body", "body": b""})

    def _open(self) -> aiohttp.ClientSession:
        """Made in the loop that uses it."""
        if self._session is None:
            patience = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS)
            self._session = aiohttp.ClientSession(timeout=patience, auto_decompress=False)
        return self._session


class Unreachable(Exception):
    """The fake does not answer; `__cause__` says how."""


async def reset(base_url: str) -> None:
    """Have the fake forget people, chats and updates; raises `Unreachable`."""
    patience = aiohttp.ClientTimeout(total=RESET_SECONDS)
    try:
        async with (
            aiohttp.ClientSession(timeout=patience) as session,
            session.post(f"{base_url.rstrip('/')}/sim/reset") as answer,
        ):
            answer.raise_for_status()
    except (aiohttp.ClientError, TimeoutError) as error:
        raise Unreachable(f"no fake Telegram at {base_url}") from error


async def _body(receive: Receive, gone: asyncio.Event) -> AsyncIterator[bytes]:
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            gone.set()
            raise aiohttp.ClientConnectionError("the page went away")
        size += len(message.get("body", b""))
        if size > MOST_BYTES:
            raise aiohttp.ClientPayloadError("too large")
        yield message.get("body", b"")
        if not message.get("more_body"):
            return


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _headers(answer: aiohttp.ClientResponse, *, file: bool) -> list[tuple[bytes, bytes]]:
    """What a page may see; a file that is no picture is saved, never shown by this origin."""
    kind = answer.headers.get("Content-Type", "application/octet-stream")
    headers = [(b"content-type", kind.encode("latin-1")), (b"x-content-type-options", b"nosniff")]
    if not file or answer.status != 200:
        return [*headers, (b"cache-control", b"no-store")]
    headers.append((b"cache-control", b"private, max-age=3600"))
    if kind.partition(";")[0].strip() not in PICTURES:
        headers.append((b"content-disposition", b"attachment"))
    return [*headers, (b"content-security-policy", b"sandbox; default-src 'none'")]


async def _say(send: Send, status: int, said: str) -> None:
    body = f'{{"error": "{said}"}}'.encode()
    headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
