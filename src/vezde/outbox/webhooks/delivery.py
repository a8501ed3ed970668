"""One attempt over HTTP: a POST to a checked address, and what its answer means.

The name is resolved here and the connection goes to the very address that was checked, so a name
that changes between the two leads nowhere else. Redirects are not followed, proxies of the
environment not used, and of the answer only the status, Retry-After and at most 4 KB are read.
"""

import asyncio
import contextlib
import functools
import logging
import socket
import ssl
from collections.abc import Awaitable, Callable
from typing import Final

import httpx

from vezde.outbox.webhooks.model import Outcome, Reach

TIMEOUT_SECONDS = 10.0
ANSWER_BYTES = 4_096
SKIM_SECONDS = 1.0
MOST_ADDRESSES = 2  # an IPv6 and an IPv4 one, tried in the system's order

USER_AGENT: Final = "Vezde-Webhooks/1"

# Resolve(host, port) -> addresses, or raises OSError.
Resolve = Callable[[str, int], Awaitable[list[str]]]


async def resolved(host: str, port: int) -> list[str]:
    """The system's addresses of a host, each once, in its order."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


@functools.cache
def _public_authorities() -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=False)


class Post:
    """Posts to webhooks within `reach`; the instance is called, and is `work.Post`."""

    def __init__(
        self,
        reach: Reach,
        *,
        timeout_seconds: float = TIMEOUT_SECONDS,
        resolve: Resolve = resolved,
        authorities: ssl.SSLContext | None = None,
    ) -> None:
        # Its line a request tells the address, and addresses of webhooks may hold somebody's token.
        logging.getLogger("httpx").setLevel(logging.WARNING)
        self._reach = reach
        self._timeout_seconds = timeout_seconds
        self._resolve = resolve
        self._authorities = authorities

    async def __call__(self, url: str, body: bytes, headers: dict[str, str]) -> Outcome:
        """Taken by any 2xx; otherwise the reason. Never raises for what name, net or answer do."""
        try:
            async with asyncio.timeout(self._timeout_seconds) as limit:
                return await self._post(httpx.URL(url), body, headers, limit)
        except (TimeoutError, httpx.TimeoutException):
            return Outcome(reason="timeout")
        except httpx.ConnectError as error:
            return Outcome(reason="tls" if _is_tls(error) else "unreachable")
        except (httpx.HTTPError, httpx.InvalidURL):
            return Outcome(reason="broken_answer")
        except (OSError, UnicodeError):  # of the resolver
            return Outcome(reason="name_not_found")

    async def _post(
        self, url: httpx.URL, body: bytes, headers: dict[str, str], limit: asyncio.Timeout
    ) -> Outcome:
        if url.scheme != "https" and not self._reach.plain_http:
            return Outcome(reason="https_required")
        port = url.port or (443 if url.scheme == "https" else 80)
        found = await self._resolve(_host(url), port)
        allowed = [one for one in found if self._reach.allows(one)][:MOST_ADDRESSES]
        if not allowed:
            return Outcome(reason="address_not_public")
        for address in allowed[:-1]:
            # Nothing was sent then, so the next one is no repetition.
            with contextlib.suppress(httpx.ConnectError, httpx.ConnectTimeout):
                return await self._post_to(address, url, body, headers, limit)
        return await self._post_to(allowed[-1], url, body, headers, limit)

    async def _post_to(
        self,
        address: str,
        url: httpx.URL,
        body: bytes,
        headers: dict[str, str],
        limit: asyncio.Timeout,
    ) -> Outcome:
        # No kept connections: one made for another name at this address is never used.
        client = httpx.AsyncClient(
            verify=self._authorities or _public_authorities(),
            timeout=httpx.Timeout(self._timeout_seconds, connect=self._timeout_seconds / 2),
            trust_env=False,
            follow_redirects=False,
        )
        sent = {
            "host": url.netloc.decode("ascii"),
            "content-type": "application/json",
            "user-agent": USER_AGENT,
            "connection": "close",
            "accept-encoding": "identity",
            **headers,
        }
        async with (
            client,
            client.stream(
                "POST",
                url.copy_with(host=address),
                content=body,
                headers=sent,
                extensions={"sni_hostname": _host(url)},
            ) as answer,
        ):
            limit.reschedule(None)  # the status has been said: no slow body unsays it
            outcome = read(answer.status_code, answer.headers.get("retry-after", ""))
            await _skim(answer)
        return outcome


def read(status: int, retry_after: str) -> Outcome:
    """What a status means; Retry-After counts as seconds, with 429 and 503 alone."""
    if 200 <= status < 300:
        return Outcome(status)
    seconds = None
    if status in {429, 503} and retry_after.isascii() and retry_after.isdigit():
        seconds = int(retry_after[:9])
    if 300 <= status < 400:
        return Outcome(status, "redirect")
    return Outcome(status, f"http_{status}", seconds)


async def _skim(answer: httpx.Response) -> None:
    """Read a little of the answer, so that a side that is still writing is not cut off at once."""
    size = 0
    with contextlib.suppress(httpx.HTTPError, TimeoutError):
        async with asyncio.timeout(SKIM_SECONDS):
            async for chunk in answer.aiter_raw():
                size += len(chunk)
                if size >= ANSWER_BYTES:
                    return


def _host(url: httpx.URL) -> str:
    """As it goes over the wire: ASCII."""
    return url.raw_host.decode("ascii")


def _is_tls(error: BaseException) -> bool:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return True
        cause = cause.__cause__ or cause.__context__
    return False
