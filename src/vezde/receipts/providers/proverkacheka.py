"""proverkacheka.com: a paid window to the tax service's receipts.

Protocol: https://proverkacheka.com/page/api (POST /api/v1/check/get; HTTP 200 even on errors;
`code` 0 the receipt is not correct, 1 found, 2 no data yet, 3 too many requests, 4 wait before
asking again, 5 anything else; HTTP 401 token, 402 tariff, 403 and 429 limits).
The token travels in the body only and stands in no log, note or error.
"""

import asyncio
import json
from collections.abc import Mapping

import httpx

from vezde.receipts.model import QrFields
from vezde.receipts.parsers import values
from vezde.receipts.providers import vendor
from vezde.receipts.providers.protocol import Answer, Query, Source, Verdict

NAME = "proverkacheka"
BASE_URL = "https://proverkacheka.com"
CHECK = "/api/v1/check/get"
WAIT_SECONDS = 60  # code 4 comes when the same receipt is asked for within a minute or so


class Proverkacheka:
    """Asks by fields, then by the QR's text, then by fields with seconds, a way an attempt.

    `base_url` and `proxy` are settings; proxies of the environment are not used.
    """

    name = NAME
    source = Source.TAX_SERVICE

    def __init__(
        self,
        *,
        token: str,
        base_url: str = BASE_URL,
        proxy: str | None = None,
        timeout_seconds: float = 20,
    ) -> None:
        self._token = token
        self._timeout_seconds = timeout_seconds
        self._client = vendor.client(base_url=base_url, proxy=proxy, seconds=timeout_seconds)

    async def fetch(self, query: Query) -> Answer:
        """The vendor's answer as a verdict; never raises for what the vendor or the net does."""
        form = {"token": self._token, **question(query)}
        try:
            async with asyncio.timeout(self._timeout_seconds):
                response, body = await vendor.answer(self._client, "POST", CHECK, data=form)
        except (httpx.HTTPError, TimeoutError) as error:
            return vendor.unavailable(NAME, type(error).__name__)
        except vendor.BadAnswer as error:
            return vendor.unavailable(NAME, str(error))
        if response.status_code != httpx.codes.OK:
            return read_status(response.status_code, response.headers)
        return await asyncio.to_thread(read_body, body, query.qr)

    async def close(self) -> None:
        await self._client.aclose()


def question(query: Query) -> dict[str, str]:
    """The form's fields without the token; which way to ask turns with the attempt."""
    qr, way = query.qr, query.attempt % 3
    if way == 1:
        return {"qrraw": qr.text()}
    rubles, kopecks = divmod(qr.total_kopecks, 100)
    return {
        "fn": f"{qr.fn:016d}",
        "fd": str(qr.fd),
        "fp": str(qr.fp),
        "t": qr.wall_time.strftime("%Y%m%dT%H%M%S" if way == 2 else "%Y%m%dT%H%M"),
        "n": str(qr.operation),
        "s": f"{rubles}.{kopecks:02d}",
        "qr": "0",
    }


def read_status(status: int, headers: Mapping[str, str]) -> Answer:
    """The verdict of any HTTP status but 200."""
    note = f"{NAME}: HTTP {status}"
    if status == httpx.codes.UNAUTHORIZED:
        return Answer(Verdict.REFUSED, note=f"{note}; the token is not valid, put in another")
    if status == httpx.codes.PAYMENT_REQUIRED:
        return Answer(Verdict.REFUSED, note=f"{note}; the tariff does not cover this, pay for it")
    if status in {httpx.codes.FORBIDDEN, httpx.codes.TOO_MANY_REQUESTS}:
        wait = vendor.retry_after(headers)
        return Answer(Verdict.QUOTA, retry_after_seconds=wait, note=note)
    return Answer(Verdict.UNAVAILABLE, note=note)


def read_body(body: bytes, qr: QrFields) -> Answer:
    """The verdict of an answer with HTTP 200."""
    try:
        code = values.small(json.loads(body)["code"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return vendor.unavailable(NAME, "an answer that is not its JSON")
    match code:
        case 0:
            return _not_correct(qr)
        case 1:
            return vendor.document_in(body, qr, name=NAME)
        case 2:
            return Answer(Verdict.NOT_YET)
        case 3:
            # No time is told: the schedule's own steps, an hour first, then longer.
            return Answer(Verdict.QUOTA, note=f"{NAME}: code 3, too many requests")
        case 4:
            note = f"{NAME}: code 4, too soon"
            return Answer(Verdict.WAIT, retry_after_seconds=WAIT_SECONDS, note=note)
    return vendor.unavailable(NAME, f"code {code}")


def _not_correct(qr: QrFields) -> Answer:
    """The tax service's check of the sign failed; our guess of the operation may be the reason."""
    if qr.operation_assumed:
        return Answer(Verdict.NOT_FOUND, note=f"{NAME}: code 0, the operation was assumed")
    return Answer(Verdict.FORGED, note=f"{NAME}: code 0, not a correct receipt")
