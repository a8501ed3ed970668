"""Public pages of operators of fiscal data: what a buyer may look up, asked for best effort.

A receipt is on the pages of one operator, and nobody says of which: they are asked one after
another. Pages change, hide behind captchas and show less than documents, so whoever has anything
better puts them last. Only the addresses that stand here are ever asked; redirects are not
followed.
"""

import asyncio
import json
import re
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
UID: Final = re.compile(r"[0-9A-Za-z-]{1,64}")


class Pages:
    """Asks each host in turn; `through` is where they are instead, a folder a host (a fake)."""

    name = NAME
    source = Source.OPERATOR_PAGES

    def __init__(self, *, through: str | None = None, timeout_seconds: float = 12) -> None:
        self._through = through
        self._timeout_seconds = timeout_seconds
        self._client = vendor.client(seconds=timeout_seconds)

    async def fetch(self, query: Query) -> Answer:
        """The document, NOT_FOUND when whoever answered has none, UNAVAILABLE when nobody did.

        Each host has its share of the time, so that one that hangs does not silence the others.
        """
        told: list[str] = []
        asked = {PLATFORMA: self._platforma, TAXCOM: self._taxcom, ONE_OFD: self._one_ofd}
        for host, ask in asked.items():
            try:
                async with asyncio.timeout(self._timeout_seconds / len(asked)):
                    answer = await self._try(host, ask, query.qr, told)
            except TimeoutError:
                told.append(f"{host} no answer in time")
                continue
            if answer is not None:
                return answer
        verdict = Verdict.UNAVAILABLE if len(told) >= len(asked) else Verdict.NOT_FOUND
        return Answer(verdict, note=f"{NAME}: {'; '.join(told)}" if told else "")

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
        except (vendor.BadAnswer, _Odd) as error:
            told.append(f"{host} {error}")
            return None
        except (httpx.HTTPError, UnreadableDocument) as error:
            told.append(f"{host} {type(error).__name__}")
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
        if not UID.fullmatch(uid):
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
        response, body = await vendor.answer(
            self._client, method, base + path, most_bytes=MOST_BYTES, **more
        )
        if response.status_code != httpx.codes.OK:
            raise _Odd(f"HTTP {response.status_code}")
        return body


class _Odd(Exception):
    """An answer that is none of theirs."""


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _Odd("no JSON") from error
