"""A receipt's page, fetched from an allowed host and nowhere else.

Each hop is checked anew: the scheme, the host against `model.HOSTS`, the port, and the very
address that the connection then goes to, so a name that resolves otherwise a moment later leads
nowhere. Proxies and cookies are not used; a page has a limit of size, packed or not, and of time.
"""

import asyncio
import contextlib
import functools
import logging
import socket
import ssl
from collections.abc import Awaitable, Callable
from typing import ClassVar, Final

import httpx

from vezde.kit import packed
from vezde.kit.errors import DomainError, Kind
from vezde.outbox.webhooks.model import Reach
from vezde.receipts.links import model

SECONDS: Final = 6.0
MOST_HOPS: Final = 4
MOST_BYTES: Final = 4 * 1024 * 1024
MOST_ADDRESSES: Final = 2
REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
# A page for people, in their language; some hosts answer nothing to what they take for a program.
HEADERS: Final = {
    "user-agent": "Mozilla/5.0 (compatible; Vezde-Receipts/1)",
    "accept": "text/html,application/json,application/pdf;q=0.9,image/*;q=0.8",
    "accept-language": "ru,en;q=0.5",
    "accept-encoding": "gzip, identity",
    "connection": "close",
}

# Resolve(host, port) -> addresses, or raises OSError.
Resolve = Callable[[str, int], Awaitable[list[str]]]


class LinkRefused(DomainError):
    """The link leads, or led on, to where nobody goes."""

    code = "link_refused"
    kind: ClassVar[Kind] = Kind.INVALID


class LinkDead(DomainError):
    """The page did not answer, or not with a receipt's page."""

    code = "link_dead"
    kind: ClassVar[Kind] = Kind.INVALID


async def resolved(host: str, port: int) -> list[str]:
    """The system's addresses of a host, each once, in its order."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


@functools.cache
def _public_authorities() -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=False)


class Pages:
    """Fetches pages within `reach`; the instance is called, and is `reading.reader.Fetch`.

    `ports` that a link may name beside 443; `resolve` and `authorities` are the tests' own.
    """

    def __init__(
        self,
        reach: Reach,
        *,
        seconds: float = SECONDS,
        ports: frozenset[int] = frozenset(),
        resolve: Resolve = resolved,
        authorities: ssl.SSLContext | None = None,
    ) -> None:
        # Its line a request tells the address, which is a person's receipt.
        logging.getLogger("httpx").setLevel(logging.WARNING)
        self._reach, self._seconds, self._ports = reach, seconds, ports | {443}
        self._resolve, self._authorities = resolve, authorities

    async def __call__(self, link: str) -> tuple[str, bytes]:
        """The address it led to, and the content; raises `LinkRefused` or `LinkDead`."""
        try:
            async with asyncio.timeout(self._seconds):
                return await self._follow(link)
        except (TimeoutError, httpx.HTTPError, httpx.InvalidURL) as error:
            raise LinkDead("The page did not answer.") from error
        except (OSError, UnicodeError) as error:  # of the resolver
            raise LinkDead("The page's host is not known.") from error

    async def _follow(self, link: str) -> tuple[str, bytes]:
        for _ in range(MOST_HOPS):
            url = self._checked(link)
            answer = await self._get(url)
            if isinstance(answer, bytes):
                return str(url), answer
            link = str(url.join(answer))
        raise LinkRefused("The link leads from page to page.")

    def _checked(self, link: str) -> httpx.URL:
        """The address to ask; what came as http is asked by https."""
        if len(link) > model.MOST_CHARACTERS or not model.is_known(link):
            raise LinkRefused("The link does not lead to a receipt's page.")
        url = httpx.URL(link)
        if url.scheme == "http":
            url = url.copy_with(scheme="https", port=None if url.port in {None, 80} else url.port)
        if url.scheme != "https" or (url.port or 443) not in self._ports:
            raise LinkRefused("The link does not lead to a receipt's page.")
        return url.copy_with(fragment=None)

    async def _get(self, url: httpx.URL) -> bytes | str:
        """The content, or where it has moved to."""
        found = await self._resolve(_host(url), url.port or 443)
        allowed = [one for one in found if self._reach.allows(one)][:MOST_ADDRESSES]
        if not allowed:
            raise LinkRefused("The link's host has no public address.")
        for address in allowed[:-1]:
            with contextlib.suppress(httpx.ConnectError, httpx.ConnectTimeout):
                return await self._get_from(address, url)
        return await self._get_from(allowed[-1], url)

    async def _get_from(self, address: str, url: httpx.URL) -> bytes | str:
        client = httpx.AsyncClient(
            verify=self._authorities or _public_authorities(),
            timeout=httpx.Timeout(self._seconds, connect=self._seconds / 2),
            trust_env=False,
            follow_redirects=False,
        )
        async with (
            client,
            client.stream(
                "GET",
                url.copy_with(host=address),
                headers={**HEADERS, "host": url.netloc.decode("ascii")},
                extensions={"sni_hostname": _host(url)},
            ) as answer,
        ):
            if answer.status_code in REDIRECTS and (led := answer.headers.get("location")):
                return str(led)
            if answer.status_code != httpx.codes.OK:
                raise LinkDead(f"The page answered {answer.status_code}.")
            return await _content(answer)


async def _content(answer: httpx.Response) -> bytes:
    encoding = answer.headers.get("content-encoding", "")
    try:
        return await packed.read(answer.aiter_raw(), encoding=encoding, most_bytes=MOST_BYTES)
    except packed.TooLong as error:
        raise LinkDead("The page is too large for one of a receipt.") from error
    except packed.BadBody as error:
        raise LinkDead("The page is packed in a way that was not asked for.") from error


def _host(url: httpx.URL) -> str:
    """As it goes over the wire: ASCII."""
    return url.raw_host.decode("ascii")
