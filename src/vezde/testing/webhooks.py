"""A receiver of webhooks on loopback: checks every signature, answers what it was ordered to.

    async with WebhookReceiver() as receiver:
        receiver.secrets = [secret]             # from the answer of POST /v1/webhooks
        receiver.order(http(500), slow(12))     # what the next requests get instead of 204
        (first,) = await receiver.wait_for(1)
        first.valid, first.id, first.type, first.data

`verify` is the check a real receiver makes; copy it, or take the library `standardwebhooks`.
"""

import asyncio
import base64
import hmac
import json
import socket
import ssl
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import uvicorn
from fastapi import FastAPI, Request, Response

TOLERANCE = timedelta(minutes=5)


class NotGenuine(Exception):
    """The request is not from whom it says: its signature is wrong, or it is old."""


@dataclass(frozen=True)
class Fault:
    """What one request is answered; by default it is taken with 204."""

    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    delay_seconds: float = 0


def http(status: int, *, retry_after: int | None = None) -> Fault:
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return Fault(status, headers, b"{}")


def slow(seconds: float) -> Fault:
    """Taken, late."""
    return Fault(delay_seconds=seconds)


def redirect(url: str) -> Fault:
    return Fault(307, {"Location": url})


def oversized(size: int = 3_000_000) -> Fault:
    """Taken, with an answer that nobody needs."""
    return Fault(200, body=b"x" * size)


@dataclass(frozen=True)
class Received:
    """A request as it came; `refusal` says what was wrong with its signature."""

    id: str
    timestamp: str
    signatures: list[str]
    body: bytes
    refusal: str | None
    path: str
    at: datetime

    @property
    def valid(self) -> bool:
        return self.refusal is None

    @property
    def content(self) -> dict[str, Any]:
        return dict(json.loads(self.body))

    @property
    def type(self) -> str:
        return str(self.content["type"])

    @property
    def data(self) -> dict[str, Any]:
        return dict(self.content["data"])


def verify(
    body: bytes,
    headers: Any,
    *,
    secrets: Sequence[str],
    now: datetime,
    tolerance: timedelta = TOLERANCE,
) -> None:
    """Raises `NotGenuine` unless one of the signatures is by one of the secrets, and now.

    `headers` by their names in lower case. Protocol: standard-webhooks, "Verifying signatures".
    """
    message_id = headers.get("webhook-id", "")
    timestamp = headers.get("webhook-timestamp", "")
    if not message_id or not (timestamp.isascii() and timestamp.isdigit()):
        raise NotGenuine("the headers webhook-id and webhook-timestamp are missing")
    if abs(now - datetime.fromtimestamp(int(timestamp), UTC)) > tolerance:
        raise NotGenuine("its timestamp is too far from now")
    signed = f"{message_id}.{timestamp}.".encode() + body
    given = [one.partition(",") for one in headers.get("webhook-signature", "").split(" ")]
    for secret in secrets:
        key = base64.b64decode(secret.removeprefix("whsec_"))
        expected = base64.b64encode(hmac.digest(key, signed, "sha256"))
        for version, _, signature in given:
            if version == "v1" and hmac.compare_digest(expected, signature.encode()):
                return
    raise NotGenuine("no signature fits")


class WebhookReceiver:
    """A receiver on a real socket, in a thread of its own; `async with` or `with`.

    `wall` is its clock; `certificate` (chain and key in a PEM file) makes it speak https.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
        certificate: Path | None = None,
    ) -> None:
        self.secrets: list[str] = []
        self.received: list[Received] = []
        self.always: Fault | None = None  # an outage: every request gets it until it is None
        self.most_at_once = 0
        self._at_once = 0
        self._wall = wall
        self._certificate = certificate
        self._faults: deque[Fault] = deque()
        self._address = (host, port)
        self._stopping = threading.Event()
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        scheme = "https" if self._certificate else "http"
        return f"{scheme}://{self._address[0]}:{self._address[1]}/in"

    @property
    def port(self) -> int:
        return self._address[1]

    def order(self, *faults: Fault) -> None:
        """The next requests are answered these, one each, in order."""
        self._faults.extend(faults)

    async def wait_for(self, count: int, *, seconds: float = 10) -> list[Received]:
        """What was received once it is at least `count`; raises TimeoutError."""
        async with asyncio.timeout(seconds):
            while len(self.received) < count:  # noqa: ASYNC110 -- filled by another thread
                await asyncio.sleep(0.01)
        return list(self.received)

    def start(self) -> Self:
        listener = socket.create_server(self._address)
        self._address = listener.getsockname()[:2]
        self._stopping.clear()
        config = uvicorn.Config(
            self._app(),
            log_config=None,
            access_log=False,
            lifespan="off",
            ws="none",
            timeout_graceful_shutdown=1,
            ssl_certfile=self._certificate,
            ssl_version=ssl.PROTOCOL_TLS_SERVER,
        )
        server = self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=lambda: server.run(sockets=[listener]), name="webhook-receiver", daemon=True
        )
        self._thread.start()
        return self

    def stop(self) -> None:
        """Close within a second, whatever is still being answered slowly."""
        if self._server is None or self._thread is None:
            return
        self._stopping.set()
        self._server.should_exit = True
        self._thread.join(timeout=5)
        self._server = self._thread = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_exc: object) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        return self.start()

    async def __aexit__(self, *_exc: object) -> None:
        await asyncio.to_thread(self.stop)

    def _app(self) -> FastAPI:
        app = FastAPI(openapi_url=None)
        app.add_api_route("/{path:path}", self._take, methods=["POST"])
        return app

    async def _take(self, request: Request) -> Response:
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            received = self._checked(request, await request.body())
            self.received.append(received)
            if not received.valid:
                return Response(status_code=401)
            fault = self.always or (self._faults.popleft() if self._faults else Fault())
            await self._wait(fault.delay_seconds)
            return Response(fault.body, fault.status, fault.headers)
        finally:
            self._at_once -= 1

    def _checked(self, request: Request, body: bytes) -> Received:
        headers, now, refusal = request.headers, self._wall(), None
        try:
            verify(body, headers, secrets=self.secrets, now=now)
        except NotGenuine as error:
            refusal = str(error)
        return Received(
            id=headers.get("webhook-id", ""),
            timestamp=headers.get("webhook-timestamp", ""),
            signatures=headers.get("webhook-signature", "").split(" "),
            body=body,
            refusal=refusal,
            path=request.url.path,
            at=now,
        )

    async def _wait(self, seconds: float) -> None:
        """Wait, but not longer than the server runs."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while loop.time() < until and not self._stopping.is_set():  # noqa: ASYNC110 -- set by stop()
            await asyncio.sleep(min(0.02, seconds))
