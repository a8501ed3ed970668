"""The two clients: how a call is sent. What a call is, and when it is sent again, they share."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any, Self, TypeVar

import httpx

from vezde_client import errors, reading
from vezde_client.calls import Call, Page
from vezde_client.retrying import AGAIN, Retrying, retry_after

T = TypeVar("T")

TIMEOUT_SECONDS, CONNECT_SECONDS = 10.0, 3.0
AGENT = "vezde-client/0.1"


class _Sending:
    """What both clients do alike: write a request, read an answer, decide about another try."""

    def __init__(
        self, url: str, key: str, *, timeout_seconds: float, retrying: Retrying | None
    ) -> None:
        self.url = url.rstrip("/")
        self.retrying = retrying or Retrying()
        self._options: dict[str, Any] = {
            "base_url": self.url,
            "timeout": httpx.Timeout(
                timeout_seconds, connect=min(CONNECT_SECONDS, timeout_seconds)
            ),
            "headers": {
                "Authorization": f"Bearer {key}",
                "Accept": "application/json",
                "User-Agent": AGENT,
            },
        }

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.url!r})"

    def _request(self, call: Call[Any]) -> dict[str, Any]:
        headers = {} if call.key is None else {"Idempotency-Key": call.key}
        asked: dict[str, Any] = {"method": call.method, "url": call.path, "headers": headers}
        if call.params:
            asked["params"] = dict(call.params)
        if call.file is not None:
            asked["data"], asked["files"] = dict(call.body or {}), {"file": ("receipt", call.file)}
        elif call.body is not None:
            headers["Content-Type"] = "application/json"
            asked["content"] = reading.dumps(call.body).encode()
        return asked

    def _pause(self, came: httpx.Response | httpx.TransportError, attempt: int) -> float | None:
        """Seconds until the call is sent again; None: this is what it came to."""
        if isinstance(came, httpx.TransportError):
            return self.retrying.pause(attempt)
        if came.status_code not in AGAIN:
            return None
        return self.retrying.pause(attempt, retry_after(came.headers.get("retry-after")))

    def _answer(self, call: Call[T], came: httpx.Response | httpx.TransportError) -> T:
        if isinstance(came, httpx.TransportError):
            said = f"{call.method} {call.path}: {type(came).__name__}: {came}"
            raise errors.Unreachable(said) from came
        if not came.is_success:
            seconds = retry_after(came.headers.get("retry-after"))
            raise errors.problem(came.status_code, came.content, seconds)
        try:
            return call.read(reading.loads(came.content) if came.content else None)
        except reading.Unfit as error:
            raise errors.Unreadable(f"{call.method} {call.path}: {error}") from error


class Vezde(_Sending):
    """Sends calls and waits. Safe to share between threads; close it, or use it by `with`."""

    def __init__(
        self,
        url: str,
        key: str,
        *,
        timeout_seconds: float = TIMEOUT_SECONDS,
        retrying: Retrying | None = None,
    ) -> None:
        super().__init__(url, key, timeout_seconds=timeout_seconds, retrying=retrying)
        self._http = httpx.Client(**self._options)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def send(self, call: Call[T]) -> T:
        """The call's answer; raises `Problem`, `Unreachable`, `Unreadable`."""
        attempt = 1
        while True:
            came = self._once(call)
            pause = self._pause(came, attempt)
            if pause is None:
                return self._answer(call, came)
            time.sleep(pause)
            attempt += 1

    def each(self, call: Call[Page[T]]) -> Iterator[T]:
        """Every item of a list, page by page."""
        asked: Call[Page[T]] | None = call
        while asked is not None:
            page = self.send(asked)
            yield from page.items
            asked = page.next

    def _once(self, call: Call[Any]) -> httpx.Response | httpx.TransportError:
        try:
            return self._http.request(**self._request(call))
        except httpx.TransportError as error:
            return error


class AsyncVezde(_Sending):
    """The same for asyncio."""

    def __init__(
        self,
        url: str,
        key: str,
        *,
        timeout_seconds: float = TIMEOUT_SECONDS,
        retrying: Retrying | None = None,
    ) -> None:
        super().__init__(url, key, timeout_seconds=timeout_seconds, retrying=retrying)
        self._http = httpx.AsyncClient(**self._options)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self.close()

    async def close(self) -> None:
        await self._http.aclose()

    async def send(self, call: Call[T]) -> T:
        """The call's answer; raises `Problem`, `Unreachable`, `Unreadable`."""
        attempt = 1
        while True:
            came = await self._once(call)
            pause = self._pause(came, attempt)
            if pause is None:
                return self._answer(call, came)
            await asyncio.sleep(pause)
            attempt += 1

    async def each(self, call: Call[Page[T]]) -> AsyncIterator[T]:
        """Every item of a list, page by page."""
        asked: Call[Page[T]] | None = call
        while asked is not None:
            page = await self.send(asked)
            for one in page.items:
                yield one
            asked = page.next

    async def _once(self, call: Call[Any]) -> httpx.Response | httpx.TransportError:
        try:
            return await self._http.request(**self._request(call))
        except httpx.TransportError as error:
            return error
