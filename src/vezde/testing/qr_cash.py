"""OFD.ru «QR Cash» on loopback: its fields, your documents, statuses to order.

async with FakeQrCash() as fake:
fake.add(paper)
provider = QrCash(token=fake.token, base_url=fake.base_url)
"""

from collections import deque
from typing import Any, Self

from aiohttp import web

from vezde.receipts.model import FiscalDocument
from vezde.testing import receipts

TOKEN = "test-qr-cash"  # noqa: S105 -- opens nothing but this fake


class FakeQrCash:
    """`asked` are the questions without their token; `orders` HTTP statuses, one a request."""

    def __init__(self, *, token: str = TOKEN) -> None:
        self.token = token
        self.asked: list[dict[str, Any]] = []
        self.orders: deque[int] = deque()
        self.answers: deque[Any] = deque()  # bodies instead of the document
        self.base_url = ""
        self._held: dict[tuple[str, str], FiscalDocument] = {}
        self._runner: web.AppRunner | None = None

    def add(self, paper: FiscalDocument) -> None:
        self._held[f"{paper.key.fn:016d}", str(paper.key.fd)] = paper

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/api/partner/v3/receipts/GetReceipt", self._get)
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.base_url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_exc: object) -> None:
        assert self._runner is not None, "entered before"
        await self._runner.cleanup()

    async def _get(self, request: web.Request) -> web.Response:
        sent = await request.json()
        token = sent.pop("tokenSecret", "")
        self.asked.append(sent)
        if self.orders:
            return web.Response(status=self.orders.popleft(), headers={"Retry-After": "90"})
        if token != self.token:
            return web.Response(status=401)
        if self.answers:
            return web.json_response(self.answers.popleft())
        held = self._held.get((sent["FnNumber"], sent["DocNumber"]))
        if held is None:
            return web.Response(status=404)
        told = sent["DocFiscalSign"], sent["TotalSum"], sent["DocDateTime"]
        true = str(held.key.fp), held.total_kopecks, f"{held.wall_time:%Y-%m-%dT%H:%M}:00"
        if told != true:
            return web.Response(status=406)
        return web.json_response(receipts.render(held, receipts.Shape.OFD_RU))
