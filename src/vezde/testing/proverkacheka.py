"""A proverkacheka.com of your own on loopback: the vendor's protocol, your documents, your faults.

    async with FakeProverkacheka() as fake:
        fake.add(document)                      # the receipt's JSON, bare or wrapped
        fake.add(another, not_yet=2)            # code 2 twice, then the document
        fake.order(code(3), http(500), slow(5))  # what the next requests get instead
        provider = Proverkacheka(token=fake.token, base_url=fake.base_url)

It answers form, JSON and multipart requests by fields or by `qrraw`, as the vendor does; pictures
and addresses of pictures (`qrfile`, `qrurl`) it answers with code 5. `serve` runs it alone.
"""

import asyncio
import json
import socket
import threading
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qsl

import uvicorn
from fastapi import FastAPI, Request, Response
from starlette.datastructures import UploadFile

from vezde.kit import money
from vezde.receipts import parsers
from vezde.receipts.model import FiscalDocument
from vezde.receipts.parsers import UnreadableDocument

CHECK = "/api/v1/check/get"
TOKEN = "test-token"  # noqa: S105 -- opens nothing but this fake
FIELDS = ("fn", "fd", "fp", "t", "n", "s")
MESSAGES = {
    0: "Чек некорректен",
    2: "Данные чека пока не получены",
    3: "Превышено количество запросов",
    4: "Ожидание перед повторным запросом",
    5: "Данные не получены",
}


@dataclass(frozen=True)
class Fault:
    """What one request gets instead of, or before, its true answer."""

    status: int = 200
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    delay_seconds: float = 0


def code(number: int) -> Fault:
    """The vendor's own refusal: HTTP 200 with this code."""
    return Fault(body=json.dumps({"code": number, "data": MESSAGES.get(number, "")}).encode())


def http(status: int, *, retry_after: int | None = None) -> Fault:
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return Fault(status=status, body=b'{"code":5,"data":"error"}', headers=headers)


def slow(seconds: float) -> Fault:
    """The true answer, late."""
    return Fault(delay_seconds=seconds)


def broken() -> Fault:
    """A page where JSON should be."""
    return Fault(body=b"<html><body>502 Bad Gateway</body></html>")


def oversized(size: int = 3_000_000) -> Fault:
    return Fault(body=b'{"code":1,"data":"' + b"x" * size + b'"}')


@dataclass(frozen=True)
class Asked:
    """A request as it came, without its token; `how` is form, json or multipart."""

    how: str
    fields: dict[str, str]


@dataclass
class Held:
    """A document and how often it is still "not there yet"."""

    receipt: dict[str, Any]
    document: FiscalDocument
    not_yet: int
    asked_before: bool = False


class FakeProverkacheka:
    """The vendor on a real socket, in a thread of its own; `async with` or `with`."""

    def __init__(self, *, host: str = "127.0.0.1", port: int = 0, token: str = TOKEN) -> None:
        self.token = token
        self.asked: list[Asked] = []
        self.always: Fault | None = None  # an outage: every request gets it until it is None
        self._faults: deque[Fault] = deque()
        self._held: dict[tuple[int, int], Held] = {}
        self._address = (host, port)
        self._stopping = threading.Event()
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def base_url(self) -> str:
        return f"http://{self._address[0]}:{self._address[1]}"

    def add(self, document: dict[str, Any] | str | bytes, *, not_yet: int = 0) -> None:
        """Hold a document; the first `not_yet` requests for it get code 2.

        Raises `UnreadableDocument` when no receipt is in it. One more of the same fiscal drive and
        number takes the other's place.
        """
        text = json.dumps(document) if isinstance(document, dict) else document
        body = text.encode() if isinstance(text, str) else text
        for read in parsers.read(body):
            whole = json.loads(body)
            receipt = _receipt(whole, read) or whole
            self._held[read.key.fn, read.key.fd] = Held(receipt, read, not_yet)

    def add_folder(self, folder: Path) -> None:
        """Hold every `*.json` under the folder; raises `UnreadableDocument` naming the file."""
        for path in sorted(folder.rglob("*.json")):
            try:
                self.add(path.read_bytes())
            except UnreadableDocument as error:
                raise UnreadableDocument(f"{path}: {error}") from error

    def order(self, *faults: Fault) -> None:
        """The next requests get these, one each, in order."""
        self._faults.extend(faults)

    def reset(self) -> None:
        """Forget documents, faults and what was asked; go on serving."""
        self.asked.clear()
        self.always = None
        self._faults.clear()
        self._held.clear()

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
        )
        server = self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=lambda: server.run(sockets=[listener]), name="fake-proverkacheka", daemon=True
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
        app.add_api_route(CHECK, self._check, methods=["POST"])
        return app

    async def _check(self, request: Request) -> Response:
        how, fields = await _read(request)
        token = fields.pop("token", "")
        self.asked.append(Asked(how, fields))
        fault = self.always or (self._faults.popleft() if self._faults else Fault())
        await self._wait(fault.delay_seconds)
        if fault.body is not None:
            return Response(fault.body, fault.status, fault.headers)
        if token != self.token:
            return _json({"code": 5, "data": "Неверный токен"}, status=401)
        return _json(self._answer(fields))

    async def _wait(self, seconds: float) -> None:
        """Wait, but not longer than the server runs."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while loop.time() < until and not self._stopping.is_set():  # noqa: ASYNC110 -- set by stop()
            await asyncio.sleep(min(0.02, seconds))

    def _answer(self, fields: dict[str, str]) -> dict[str, Any]:
        manual = _manual(fields)
        told = {name: fields.get(name, "") for name in ("qrurl", "qrfile", "qrraw")}
        request = {**told, "manual": manual}
        number, held = self._find(fields, manual)
        if number != 1 or held is None:
            return {"code": number, "first": 0, "data": MESSAGES[number], "request": request}
        first, held.asked_before = int(not held.asked_before), True
        data = {"json": held.receipt, "html": '<table class="b-check_table"></table>'}
        return {"code": 1, "first": first, "data": data, "request": request}

    def _find(self, fields: dict[str, str], manual: dict[str, str]) -> tuple[int, Held | None]:
        if not manual["fn"] and (fields.get("qrfile") or fields.get("qrurl")):
            return 5, None
        try:
            key = int(manual["fn"]), int(manual["fd"])
            sign, total = int(manual["fp"]), money.kopecks(manual["sum"])
        except ValueError:
            return 0, None
        held = self._held.get(key)
        if held is None:
            return 2, None
        if held.not_yet > 0:
            held.not_yet -= 1
            return 2, None
        minute = manual["check_time"].upper()[:13]
        document = held.document
        fits = (sign, total, minute) == (
            document.key.fp,
            document.total_kopecks,
            document.wall_time.strftime("%Y%m%dT%H%M"),
        )
        return (1, held) if fits else (0, None)


async def _read(request: Request) -> tuple[str, dict[str, str]]:
    kind = request.headers.get("content-type", "")
    if kind.startswith("application/json"):
        sent = await request.json()
        return "json", {str(name): str(value) for name, value in sent.items()}
    form = await request.form()
    fields = {
        name: value.filename or "file" if isinstance(value, UploadFile) else value
        for name, value in form.items()
    }
    return "multipart" if kind.startswith("multipart/") else "form", fields


def _manual(fields: dict[str, str]) -> dict[str, str]:
    """The fields asked for, from a QR's text or one by one, under the vendor's own names."""
    told = dict(parse_qsl(fields.get("qrraw", ""))) or fields
    sent = {name: told.get(name, told.get({"fd": "i"}.get(name, name), "")) for name in FIELDS}
    return {
        "fn": sent["fn"],
        "fd": sent["fd"],
        "fp": sent["fp"],
        "check_time": sent["t"],
        "type": sent["n"],
        "sum": sent["s"],
    }


def _receipt(found: Any, read: FiscalDocument) -> dict[str, Any]:
    """The bare receipt inside whatever wraps it: that is what the vendor hands out."""
    if isinstance(found, dict) and str(found.get("fiscalDocumentNumber")) == str(read.key.fd):
        return found
    inside = found.values() if isinstance(found, dict) else found
    for value in inside if isinstance(found, (dict, list)) else ():
        if receipt := _receipt(value, read):
            return receipt
    return {}


def _json(content: dict[str, Any], *, status: int = 200) -> Response:
    body = json.dumps(content, ensure_ascii=False)
    return Response(body, status, media_type="application/json")


def serve(folder: Path, port: int) -> None:
    """Answer for the documents of a folder until the process is told to stop."""
    fake = FakeProverkacheka(port=port)
    fake.add_folder(folder)
    with fake:
        threading.Event().wait()
