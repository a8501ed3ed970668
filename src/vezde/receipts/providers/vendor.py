"""What asking a vendor over HTTP takes, whoever it is: a client, a bounded answer, its document."""

from collections.abc import Mapping
from typing import Any

import httpx

from vezde.kit import packed
from vezde.receipts import parsers
from vezde.receipts.model import QrFields
from vezde.receipts.parsers import UnreadableDocument
from vezde.receipts.providers import protocol, schedule
from vezde.receipts.providers.protocol import Answer, Verdict

ANSWER_BYTES = 2_000_000
LONGEST_WAIT = round(schedule.LONGEST.total_seconds())
CONNECT_SECONDS = 5.0


class BadAnswer(Exception):
    """An answer that cannot be read to its end; nothing of it is used."""


def client(*, base_url: str = "", proxy: str | None = None, seconds: float) -> httpx.AsyncClient:
    """A client that takes no proxy from the environment and follows no redirect."""
    return httpx.AsyncClient(
        base_url=base_url,
        proxy=proxy,
        timeout=httpx.Timeout(seconds, connect=min(CONNECT_SECONDS, seconds)),
        trust_env=False,
        headers={"accept-encoding": "gzip"},
    )


async def answer(
    of: httpx.AsyncClient, method: str, path: str, *, most_bytes: int = ANSWER_BYTES, **sent: Any
) -> tuple[httpx.Response, bytes]:
    """The response and its whole body; raises what httpx raises, and `BadAnswer`."""
    async with of.stream(method, path, **sent) as response:
        encoding = response.headers.get("content-encoding", "")
        try:
            body = await packed.read(response.aiter_raw(), encoding=encoding, most_bytes=most_bytes)
        except packed.BadBody as error:
            raise BadAnswer(f"an answer of {error}") from error
    return response, body


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
    """The seconds that a limit asks to wait, if it tells them; at most `LONGEST_WAIT`.

    After that no document is asked for any more, whatever they say.
    """
    told = headers.get("retry-after", "")
    if not (told.isascii() and told.isdigit()):
        return None
    return min(int(told[:9]), LONGEST_WAIT)


def unavailable(name: str, why: str) -> Answer:
    """They could not be asked, or said nothing that is theirs."""
    return Answer(Verdict.UNAVAILABLE, note=f"{name}: {why}")
