"""What asking a vendor over HTTP takes, whoever it is: a client, a bounded answer, its document."""

from collections.abc import Mapping
from typing import Any

import httpx

from vezde.receipts import parsers
from vezde.receipts.model import QrFields
from vezde.receipts.parsers import UnreadableDocument
from vezde.receipts.providers import protocol
from vezde.receipts.providers.protocol import Answer, Verdict

ANSWER_BYTES = 2_000_000
CONNECT_SECONDS = 5.0


class TooLong(Exception):
    """An answer that goes on and on; nothing of it is used."""

    def __init__(self) -> None:
        super().__init__(f"an answer of more than {ANSWER_BYTES} bytes")


def client(*, base_url: str = "", proxy: str | None = None, seconds: float) -> httpx.AsyncClient:
    """A client that takes no proxy from the environment and follows no redirect."""
    timeout = httpx.Timeout(seconds, connect=min(CONNECT_SECONDS, seconds))
    return httpx.AsyncClient(base_url=base_url, proxy=proxy, timeout=timeout, trust_env=False)


async def answer(
    of: httpx.AsyncClient, method: str, path: str, **sent: Any
) -> tuple[httpx.Response, bytes]:
    """The response and its whole body; raises what httpx raises, and `TooLong`."""
    body = bytearray()
    async with of.stream(method, path, **sent) as response:
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > ANSWER_BYTES:
                raise TooLong
    return response, bytes(body)


def document_in(body: bytes | str, qr: QrFields, *, name: str) -> Answer:
    """The receipt asked for among the documents of an answer; CPU work."""
    try:
        documents = parsers.read(body, expected=qr, most_bytes=ANSWER_BYTES)
    except UnreadableDocument as error:
        return unavailable(name, f"a document of a shape not known yet ({type(error).__name__})")
    for document in documents:
        if (document.key.fn, document.key.fd) == (qr.fn, qr.fd):
            return protocol.compare(document, qr, name=name)
    return Answer(Verdict.WRONG, note=f"{name}: the document of another receipt")


def retry_after(headers: Mapping[str, str]) -> int | None:
    """The seconds that a limit asks to wait, if it tells them."""
    told = headers.get("retry-after", "")
    return int(told) if told.isascii() and told.isdigit() else None


def unavailable(name: str, why: str) -> Answer:
    """They could not be asked, or said nothing that is theirs."""
    return Answer(Verdict.UNAVAILABLE, note=f"{name}: {why}")
