"""OFD.ru «QR Cash»: a paid window to the tax service's receipts, by contract with an operator.

Protocol: https://ofd.ru/razrabotchikam/qr-cash (POST /api/partner/v3/receipts/GetReceipt, the
QR's fields in JSON, sums in kopecks). What a refusal looks like is read by its HTTP status; a
document comes in OFD.ru's own words. The token travels in the body only and stands in no log.
"""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import httpx

from vezde.receipts import parsers
from vezde.receipts.model import QrFields
from vezde.receipts.parsers import UnreadableDocument
from vezde.receipts.providers import protocol
from vezde.receipts.providers.protocol import Answer, Query, Source, Verdict

NAME = "qr_cash"
BASE_URL = "https://ofd.ru"
GET = "/api/partner/v3/receipts/GetReceipt"
ANSWER_BYTES = 2_000_000


class QrCash:
    """`base_url` and `proxy` are settings; proxies of the environment are not used."""

    name = NAME
    source = Source.TAX_SERVICE

    def __init__(
        self,
        *,
        token: str,
        base_url: str = BASE_URL,
        proxy: str | None = None,
        timeout_seconds: float = 15,
    ) -> None:
        self._token = token
        self._timeout_seconds = timeout_seconds
        self._client = httpx.AsyncClient(
            base_url=base_url,
            proxy=proxy,
            timeout=httpx.Timeout(timeout_seconds, connect=min(5, timeout_seconds)),
            trust_env=False,
        )

    async def fetch(self, query: Query) -> Answer:
        """The document or why not; never raises for what the vendor or the net does."""
        sent = {**question(query.qr), "tokenSecret": self._token}
        try:
            async with asyncio.timeout(self._timeout_seconds):
                status, headers, body = await self._post(sent)
        except (httpx.HTTPError, TimeoutError) as error:
            return _unavailable(type(error).__name__)
        if status != httpx.codes.OK:
            return read_status(status, headers, query.qr)
        return await asyncio.to_thread(read_body, body, query.qr)

    async def close(self) -> None:
        await self._client.aclose()

    async def _post(self, sent: dict[str, Any]) -> tuple[int, httpx.Headers, bytes]:
        body = bytearray()
        async with self._client.stream("POST", GET, json=sent) as response:
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > ANSWER_BYTES:
                    break
        return response.status_code, response.headers, bytes(body)


def question(qr: QrFields) -> dict[str, Any]:
    """What is asked, without the token."""
    return {
        "TotalSum": qr.total_kopecks,
        "DocDateTime": f"{qr.wall_time:%Y-%m-%dT%H:%M}:00",
        "FnNumber": f"{qr.fn:016d}",
        "ReceiptOperationType": str(qr.operation),
        "DocNumber": str(qr.fd),
        "DocFiscalSign": str(qr.fp),
    }


def read_status(status: int, headers: Mapping[str, str], qr: QrFields) -> Answer:
    """The verdict of any HTTP status but 200."""
    note = f"{NAME}: HTTP {status}"
    match status:
        case 401 | 403:
            return Answer(Verdict.REFUSED, note=f"{note}; the token is not valid, put in another")
        case 402:
            return Answer(Verdict.REFUSED, note=f"{note}; the account is empty, pay it up")
        case 404:
            return Answer(Verdict.NOT_YET)
        case 406:
            verdict = Verdict.NOT_FOUND if qr.operation_assumed else Verdict.FORGED
            return Answer(verdict, note=note)
        case 429:
            told = headers.get("retry-after", "")
            wait = int(told) if told.isascii() and told.isdigit() else None
            return Answer(Verdict.QUOTA, retry_after_seconds=wait, note=note)
    return Answer(Verdict.UNAVAILABLE, note=note)


def read_body(body: bytes, qr: QrFields) -> Answer:
    """The verdict of an answer with HTTP 200: a document, or none."""
    if len(body) > ANSWER_BYTES:
        return _unavailable(f"an answer of more than {ANSWER_BYTES} bytes")
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return _unavailable("an answer that is not JSON")
    if told is None or (isinstance(told, dict) and "Document" in told and not told["Document"]):
        return Answer(Verdict.NOT_YET)
    try:
        documents = parsers.read(body, expected=qr, most_bytes=ANSWER_BYTES)
    except UnreadableDocument as error:
        return _unavailable(f"a document of a shape not known yet ({type(error).__name__})")
    for document in documents:
        if (document.key.fn, document.key.fd) == (qr.fn, qr.fd):
            return protocol.compare(document, qr, name=NAME)
    return Answer(Verdict.WRONG, note=f"{NAME}: the document of another receipt")


def _unavailable(why: str) -> Answer:
    return Answer(Verdict.UNAVAILABLE, note=f"{NAME}: {why}")
