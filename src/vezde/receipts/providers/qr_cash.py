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

from vezde.receipts.model import QrFields
from vezde.receipts.providers import vendor
from vezde.receipts.providers.protocol import Answer, Query, Source, Verdict

NAME = "qr_cash"
BASE_URL = "https://ofd.ru"
GET = "/api/partner/v3/receipts/GetReceipt"


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
        self._client = vendor.client(base_url=base_url, proxy=proxy, seconds=timeout_seconds)

    async def fetch(self, query: Query) -> Answer:
        """The document or why not; never raises for what the vendor or the net does."""
        sent = {**question(query.qr), "tokenSecret": self._token}
        try:
            async with asyncio.timeout(self._timeout_seconds):
                response, body = await vendor.answer(self._client, "POST", GET, json=sent)
        except (httpx.HTTPError, TimeoutError) as error:
            return vendor.unavailable(NAME, type(error).__name__)
        except vendor.BadAnswer as error:
            return vendor.unavailable(NAME, str(error))
        if response.status_code != httpx.codes.OK:
            return read_status(response.status_code, response.headers, query.qr)
        return await asyncio.to_thread(read_body, body, query.qr)

    async def close(self) -> None:
        await self._client.aclose()


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
            wait = vendor.retry_after(headers)
            return Answer(Verdict.QUOTA, retry_after_seconds=wait, note=note)
    return Answer(Verdict.UNAVAILABLE, note=note)


def read_body(body: bytes, qr: QrFields) -> Answer:
    """The verdict of an answer with HTTP 200: a document, or none."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return vendor.unavailable(NAME, "an answer that is not JSON")
    if told is None or (isinstance(told, dict) and "Document" in told and not told["Document"]):
        return Answer(Verdict.NOT_YET)
    return vendor.document_in(body, qr, name=NAME)
