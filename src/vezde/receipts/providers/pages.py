"""Public pages of operators of fiscal data: what a buyer may look up, asked for best effort.

A receipt is on the pages of one operator, and nobody says of which: they are asked one after
another. Pages change, hide behind captchas and show less than documents, so whoever has anything
better puts them last. Only the addresses that stand here are ever asked; redirects are not
followed.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any, Final

import httpx

from vezde.receipts import parsers
from vezde.receipts.model import FiscalDocument, QrFields
from vezde.receipts.parsers import UnreadableDocument, pages
from vezde.receipts.providers import protocol, vendor
from vezde.receipts.providers.protocol import Answer, Query, Source, Verdict

NAME = "pages"
PLATFORMA, TAXCOM, ONE_OFD = "lk.platformaofd.ru", "receipt.taxcom.ru", "consumer.1-ofd.ru"
HOSTS: Final = (PLATFORMA, TAXCOM, ONE_OFD)
MOST_BYTES = pages.PAGE_BYTES


class Pages:
    """Asks each host in turn; `through` is where they are instead, a folder a host (a fake)."""

    name = NAME
    source = Source.OPERATOR_PAGES

    def __init__(self, *, through: str | None = None, timeout_seconds: float = 12) -> None:
        self._through = through
        self._timeout_seconds = timeout_seconds
        self._client = vendor.client(seconds=timeout_seconds)

    async def fetch(self, query: Query) -> Answer:
        """The document, NOT_FOUND when nobody has it, UNAVAILABLE when nobody could be asked."""
        told: list[str] = []
        asked = {PLATFORMA: self._platforma, TAXCOM: self._taxcom, ONE_OFD: self._one_ofd}
        try:
            async with asyncio.timeout(self._timeout_seconds):
                for host, ask in asked.items():
                    answer = await self._try(host, ask, query.qr, told)
                    if answer is not None:
                        return answer
        except TimeoutError:
            told.append("no answer in time")
        if len(told) >= len(asked):
            return Answer(Verdict.UNAVAILABLE, note=f"{NAME}: {'; '.join(told)}")
        return Answer(Verdict.NOT_FOUND, note=f"{NAME}: {'; '.join(told)}" if told else "")

    async def close(self) -> None:
        await self._client.aclose()

    async def _try(
        self,
        host: str,
        ask: Callable[[QrFields], Awaitable[FiscalDocument | None]],
        qr: QrFields,
        told: list[str],
    ) -> Answer | None:
        """The answer of one host; None when it has no such receipt or fails, which is `told`."""
        try:
            document = await ask(qr)
        except (httpx.HTTPError, UnreadableDocument, _Odd) as error:
            told.append(f"{host} {error if isinstance(error, _Odd) else type(error).__name__}")
            return None
        if document is None:
            return None
        if (document.key.fn, document.key.fd) != (qr.fn, qr.fd):
            return Answer(Verdict.WRONG, note=f"{NAME}: {host}, the document of another receipt")
        return protocol.compare(document, qr, name=f"{NAME} {host}")

    async def _platforma(self, qr: QrFields) -> FiscalDocument | None:
        asked = {"fn": f"{qr.fn:016d}", "fp": str(qr.fp), "i": str(qr.fd)}
        return await self._page(PLATFORMA, "/web/noauth/cheque", asked, qr)

    async def _taxcom(self, qr: QrFields) -> FiscalDocument | None:
        rubles, kopecks = divmod(qr.total_kopecks, 100)
        asked = {"fp": str(qr.fp), "s": f"{rubles}.{kopecks:02d}"}
        document = await self._page(TAXCOM, "/v01/show", asked, qr)
        # Found by sign and sum alone, which two receipts may share: then it is not the one.
        known = document is not None and (document.key.fn, document.key.fd) == (qr.fn, qr.fd)
        return document if known else None

    async def _one_ofd(self, qr: QrFields) -> FiscalDocument | None:
        asked = {
            "fiscalDriveId": f"{qr.fn:016d}",
            "fiscalDocumentNumber": str(qr.fd),
            "fiscalId": str(qr.fp),
        }
        found = _json(await self._read("POST", ONE_OFD, "/api/tickets/find-ticket", json=asked))
        uid = found.get("uid") if isinstance(found, dict) else None
        if not isinstance(uid, str) or not uid:
            return None
        if not uid.replace("-", "").isalnum():
            raise _Odd("an id that is none")
        body = await self._read("GET", ONE_OFD, f"/api/tickets/ticket/{uid}")
        documents = await asyncio.to_thread(parsers.read, body, expected=qr, most_bytes=MOST_BYTES)
        return documents[0]

    async def _page(
        self, host: str, path: str, asked: dict[str, str], qr: QrFields
    ) -> FiscalDocument | None:
        body = await self._read("GET", host, path, params=asked)
        return await asyncio.to_thread(pages.read, body, expected=qr)

    async def _read(self, method: str, host: str, path: str, **more: Any) -> bytes:
        base = f"{self._through}/{host}" if self._through else f"https://{host}"
        read = bytearray()
        async with self._client.stream(method, base + path, **more) as response:
            if response.status_code == httpx.codes.NOT_FOUND:
                raise _Odd("HTTP 404")
            if response.status_code != httpx.codes.OK:
                raise _Odd(f"HTTP {response.status_code}")
            async for chunk in response.aiter_bytes():
                read += chunk
                if len(read) > MOST_BYTES:
                    raise _Odd(f"more than {MOST_BYTES} bytes")
        return bytes(read)


class _Odd(Exception):
    """An answer that is none of theirs."""


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _Odd("no JSON") from error
