"""SMSC's HTTP API (https://smsc.ru/api/http/): send.php and status.php, answers in JSON.

Every answer is HTTP 200, refusals have an `error_code`. An id of our own goes with each SMS, so
after a lost answer the gateway can be asked whether it has it. The key travels in the body only and
stands in no log, note or error; neither do phones and texts.
"""

import asyncio
import json
from collections.abc import Mapping
from decimal import ROUND_CEILING, Decimal, InvalidOperation
from typing import Any

import httpx

from vezde.messaging.transports.sms.protocol import Fate, Status, Taken, Untaken

BASE_URL = "https://smsc.ru"
SEND, STATUS = "/sys/send.php", "/sys/status.php"
ANSWER_BYTES = 100_000
VALID = "00:10"  # hours and minutes that operators try to deliver it: a code lives no longer
JSON_FORMAT, WITH_COST = "3", "3"

# https://smsc.ru/api/http/send/sms/sms_answer/
REFUSALS: Mapping[int, Untaken] = {
    1: Untaken(Fate.REFUSED, "bad_request"),
    2: Untaken(Fate.LATER, "wrong_key"),
    3: Untaken(Fate.LATER, "no_balance"),
    4: Untaken(Fate.LATER, "address_blocked"),
    5: Untaken(Fate.REFUSED, "bad_request"),
    6: Untaken(Fate.REFUSED, "forbidden"),
    7: Untaken(Fate.REFUSED, "invalid_number"),
    8: Untaken(Fate.REFUSED, "undeliverable"),
    # The same request within a minute, or too many at once: whichever it was, it may be there.
    9: Untaken(Fate.LOST, "duplicate"),
}
# https://smsc.ru/api/http/status_messages/
UNDERWAY, DELIVERED, MISSING = frozenset({-1, 0}), frozenset({1, 2, 4}), -3
UNDELIVERED: Mapping[int, str] = {
    -2: "stopped",
    3: "expired",
    20: "undeliverable",
    22: "invalid_number",
    23: "forbidden",
    24: "no_balance",
    25: "unreachable",
}
NOT_FOUND = 3  # of status.php


class Smsc:
    """A `Gateway`; `base_url` is a setting, proxies of the environment are not used."""

    def __init__(
        self,
        token: str,
        *,
        base_url: str = BASE_URL,
        sender: str | None = None,
        timeout_seconds: float = 15,
    ) -> None:
        self._token = token
        self._sender = sender
        self._timeout_seconds = timeout_seconds
        self._client = httpx.AsyncClient(
            base_url=base_url.rstrip("/"),
            timeout=httpx.Timeout(timeout_seconds, connect=min(5, timeout_seconds)),
            trust_env=False,
        )

    def __repr__(self) -> str:
        return f"<SMSC at {self._client.base_url}>"

    async def send(self, phone: str, text: str, sms_id: str) -> Taken | Untaken:
        form = {"phones": phone, "mes": text, "id": sms_id, "cost": WITH_COST, "valid": VALID}
        if self._sender:
            form["sender"] = self._sender
        try:
            told = await self._ask(SEND, form)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            return Untaken(Fate.UNREACHED, type(error).__name__)
        except (httpx.HTTPError, TimeoutError, ValueError) as error:
            return Untaken(Fate.LOST, type(error).__name__)
        code = _whole(told.get("error_code"))
        if code is not None:
            return REFUSALS.get(code, Untaken(Fate.LOST, f"code_{code}"))
        if "id" not in told:
            return Untaken(Fate.LOST, "no_id")
        return Taken(_whole(told.get("cnt")), _kopecks(told.get("cost")))

    async def status(self, phone: str, sms_id: str) -> tuple[Status, str | None]:
        try:
            told = await self._ask(STATUS, {"phone": phone, "id": sms_id})
        except (httpx.HTTPError, TimeoutError, ValueError) as error:
            return Status.UNSAID, type(error).__name__
        code = _whole(told.get("error_code"))
        if code is not None:
            return (Status.MISSING if code == NOT_FOUND else Status.UNSAID), f"code_{code}"
        match _whole(told.get("status")):
            case None:
                return Status.UNSAID, "no_status"
            case found if found == MISSING:
                return Status.MISSING, None
            case found if found in DELIVERED:
                return Status.DELIVERED, None
            case found if found in UNDELIVERED:
                return Status.UNDELIVERED, UNDELIVERED[found]
            case found if found in UNDERWAY:
                return Status.UNDERWAY, None
            case found:
                return Status.UNSAID, f"status_{found}"

    async def close(self) -> None:
        await self._client.aclose()

    async def _ask(self, path: str, form: Mapping[str, str]) -> dict[str, Any]:
        """The answer's JSON; raises httpx's errors, and ValueError for anything but an object."""
        whole = {"apikey": self._token, "fmt": JSON_FORMAT, "charset": "utf-8", **form}
        body = bytearray()
        async with (
            asyncio.timeout(self._timeout_seconds),
            self._client.stream("POST", path, data=whole) as response,
        ):
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > ANSWER_BYTES:
                    raise ValueError("too long an answer")
        if response.status_code != httpx.codes.OK:
            raise ValueError(f"HTTP {response.status_code}")
        told = json.loads(body)
        if not isinstance(told, dict):
            raise ValueError("no object")  # noqa: TRY004 (of the other side's making)
        return told


def _whole(value: object) -> int | None:
    """Numbers come as numbers or as texts."""
    try:
        return int(str(value))
    except ValueError:
        return None


def _kopecks(value: object) -> int | None:
    """Rubles as they come, «2.95», in kopecks, what is less than one rounded up."""
    try:
        rubles = Decimal(str(value))
    except InvalidOperation:
        return None
    if not rubles.is_finite() or not 0 <= rubles <= 1_000_000:
        return None
    return int((rubles * 100).to_integral_value(ROUND_CEILING))
