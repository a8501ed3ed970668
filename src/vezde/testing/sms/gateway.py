"""The gateway itself: requests in, answers out, what was sent kept; an ASGI application of it."""

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from vezde.messaging.sms import model
from vezde.testing.sms import faults
from vezde.testing.sms.faults import Fault

TOKEN = "sandbox-sms"  # noqa: S105 (opens nothing but this fake)
KEPT = 500
PRICE = Decimal("3.50")
SAME_WITHIN = timedelta(minutes=1)
SILENCE_SECONDS = 60


@dataclass
class Sent:
    """An SMS as it arrived; `status` is the vendor's number for where it is."""

    id: str
    phone: str
    text: str
    sender: str | None
    segments: int
    at: datetime
    status: int = faults.DELIVERED


@dataclass
class FakeGateway:
    """SMSC in memory: `sent`, oldest first; `orders` are faults, one a request, in order."""

    token: str = TOKEN
    balance: Decimal = Decimal(1000)
    sent: deque[Sent] = field(default_factory=lambda: deque(maxlen=KEPT))
    asked: deque[dict[str, str]] = field(default_factory=lambda: deque(maxlen=KEPT))
    orders: deque[Fault] = field(default_factory=deque)
    reports: dict[str, int] = field(default_factory=dict)

    def order(self, *given: Fault) -> None:
        """The next requests to send get these, one each."""
        self.orders.extend(given)

    def report(self, phone: str, status: int) -> None:
        """What operators say of SMS to this phone, those sent later too."""
        self.reports[_digits(phone)] = status
        for one in self.sent:
            if one.phone == _digits(phone):
                one.status = status

    def to(self, phone: str) -> list[Sent]:
        """What this phone got, oldest first."""
        return [one for one in self.sent if one.phone == _digits(phone)]

    def reset(self) -> None:
        self.balance = Decimal(1000)
        for held in (self.sent, self.asked, self.orders, self.reports):
            held.clear()

    def send(self, form: Mapping[str, str]) -> dict[str, Any]:
        """The answer of send.php."""
        phone, text = _digits(form.get("phones", "")), form.get("mes", "")
        if code := self._refusal(form, phone, text):
            return refusal(code)
        count = model.segments(text)
        cost = PRICE * count
        if cost > self.balance:
            return refusal(3)
        self.balance -= cost
        number = form.get("id") or str(len(self.sent) + 1)
        status = self.reports.get(phone, faults.DELIVERED)
        now = datetime.now(UTC)
        self.sent.append(Sent(number, phone, text, form.get("sender"), count, now, status))
        told: dict[str, Any] = {"id": number, "cnt": count}
        if form.get("cost") in {"2", "3"}:
            told["cost"] = str(cost)
        if form.get("cost") == "3":
            told["balance"] = str(self.balance)
        return told

    def status(self, form: Mapping[str, str]) -> dict[str, Any]:
        """The answer of status.php."""
        if form.get("apikey") != self.token:
            return refusal(2)
        wanted = form.get("id", ""), _digits(form.get("phone", ""))
        found = next((one for one in reversed(self.sent) if (one.id, one.phone) == wanted), None)
        if found is None:
            return {"error": "message not found", "error_code": 3}
        at = int(found.at.timestamp())
        return {"status": found.status, "last_timestamp": at, "err": 0}

    def _refusal(self, form: Mapping[str, str], phone: str, text: str) -> int | None:
        if form.get("apikey") != self.token:
            return 2
        if not phone or not text:
            return 1
        if not 10 <= len(phone) <= 15:
            return 7
        since = datetime.now(UTC) - SAME_WITHIN
        same = any((one.phone, one.text) == (phone, text) and one.at > since for one in self.sent)
        return 9 if same else None

    def app(self) -> Starlette:
        """As ASGI: the vendor's addresses, and `/sent`, `/faults`, `/reports` to look and order."""
        both = ["GET", "POST"]
        return Starlette(
            routes=[
                Route("/sys/send.php", self._send, methods=both),
                Route("/sys/status.php", self._status, methods=both),
                Route("/sys/balance.php", self._balance, methods=both),
                Route("/sent", self._sent),
                Route("/faults", self._faults, methods=["POST"]),
                Route("/reports", self._reports, methods=["POST"]),
            ]
        )

    async def _send(self, request: Request) -> Response:
        form = await _form(request)
        self.asked.append({name: value for name, value in form.items() if name != "apikey"})
        fault = self.orders.popleft() if self.orders else None
        if fault is None:
            return JSONResponse(self.send(form))
        if fault.taken or fault.then == "pass":
            done = self.send(form)
        await asyncio.sleep(SILENCE_SECONDS if fault.then == "hang" else fault.delay_seconds)
        if fault.then == "pass":
            return JSONResponse(done)
        if fault.then in {"cut", "hang"}:
            return _Cut()
        if fault.code is not None:
            return JSONResponse(refusal(fault.code))
        return Response(fault.body, fault.status, media_type="text/html")

    async def _status(self, request: Request) -> Response:
        return JSONResponse(self.status(await _form(request)))

    async def _balance(self, request: Request) -> Response:
        known = (await _form(request)).get("apikey") == self.token
        return JSONResponse({"balance": str(self.balance)} if known else refusal(2))

    async def _sent(self, request: Request) -> Response:
        """`?phone=`: what was sent, newest first, as a page shows it."""
        phone = _digits(request.query_params.get("phone", ""))
        shown = [one for one in reversed(self.sent) if not phone or one.phone == phone]
        items = [asdict(one) | {"at": one.at.isoformat()} for one in shown]
        return JSONResponse({"items": items, "balance": str(self.balance)})

    async def _faults(self, request: Request) -> Response:
        """`{"kind": "no_balance", "times": 2, "taken": true}`"""
        given = await request.json()
        make = faults.NAMED.get(str(given.get("kind")))
        if make is None:
            return JSONResponse({"error": f"kind: one of {', '.join(faults.NAMED)}"}, 400)
        more = {"taken": bool(given["taken"])} if "taken" in given else {}
        self.order(*[make(**more) for _ in range(int(given.get("times", 1)))])
        return JSONResponse({"waiting": len(self.orders)})

    async def _reports(self, request: Request) -> Response:
        """`{"phone": "+79…", "status": 25}`"""
        given = await request.json()
        self.report(str(given["phone"]), int(given["status"]))
        return JSONResponse({})


class _Cut(Response):
    """An answer that breaks off: its length is announced and never comes."""

    async def __call__(self, _scope: Any, _receive: Any, send: Any) -> None:
        headers = [(b"content-length", b"1000"), (b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"{", "more_body": True})
        raise ConnectionResetError("ordered")


def refusal(code: int) -> dict[str, Any]:
    return {"error": faults.MESSAGES.get(code, "error"), "error_code": code}


async def _form(request: Request) -> dict[str, str]:
    """Query and form together, as the vendor reads them."""
    body = (await request.body()).decode("utf-8", "replace")
    return dict(request.query_params) | dict(parse_qsl(body, keep_blank_values=True))


def _digits(phone: str) -> str:
    return "".join(char for char in phone if char.isdigit())
