"""Public pages of operators of fiscal data on loopback: their layouts and addresses, your papers.

async with FakePages() as fake:
    fake.add(paper, at="platformaofd")
    provider = Pages(through=fake.base_url)
"""

import asyncio
from collections.abc import Callable, Sequence
from html import escape
from typing import Any, Self

from aiohttp import web
from aiohttp.typedefs import Handler

from vezde.kit import money
from vezde.receipts.model import FiscalDocument, FiscalLine
from vezde.testing import receipts

OPERATIONS = {1: "Приход", 2: "Возврат прихода", 3: "Расход", 4: "Возврат расхода"}
PAYMENT = {1: "ПРЕДОПЛАТА 100%", 2: "ПРЕДОПЛАТА", 3: "АВАНС", 4: "ПОЛНЫЙ РАСЧЕТ"}
PRODUCT = {1: "ТОВАР", 3: "РАБОТА", 4: "УСЛУГА", 10: "ПЛАТЕЖ"}


def platforma(paper: FiscalDocument | None) -> str:
    """As Platforma's page; None: the page of a receipt it has not got, with its sample beside."""
    if paper is None:
        return _page("<form><p>Чек не найден</p></form><p>ИТОГ</p><p>=155.00</p><p>ФН № : 1</p>")
    top = [paper.seller_name or "", paper.address or "", f"ИНН {paper.seller_inn}"]
    rows = [_row(OPERATIONS[paper.operation], f"{paper.wall_time:%d.%m.%Y %H:%M}")]
    for one in paper.lines:
        rows.append(f'<div class="check-product-name"> {escape(one.name or "")}</div>')
        rows.append(f'<div class="check-row"><div class="check-col">{_times(one)}</div></div>')
        rows += [_row(f"{what} расчета", value) for what, _, value in _signs(one)]
        label = "общая стоимость позиции с учетом скидок и наценок"
        rows.append(_row(label, _rubles(one.sum_kopecks)))
    rows += [_row(label, value) for label, value in _foot(paper, "N ФН", "N ФД", "ФП")]
    head = "".join(f"<div>{escape(line)}</div>" for line in top)
    return _page(
        f'<div class="check"><div class="check-top">{head}</div>'
        f'<h1 class="check-headline">Кассовый чек №<span>7</span></h1>{"".join(rows)}</div>'
    )


def taxcom(paper: FiscalDocument | None) -> str:
    """As Taxcom's page: tables, with the same values once more where nobody sees them."""
    if paper is None:
        return _page(
            "<p>Информация о данном кассовом чеке не поступила к оператору фискальных данных</p>"
        )
    at = f"{paper.wall_time:%d.%m.%Y %H:%M}"
    rows = [
        f'<tr><td colspan="2"><b><span>{escape(line)}</span></b></td></tr>'
        for line in (paper.seller_name or "", f"ИНН {paper.seller_inn} ", paper.address or "")
    ]
    rows.append(f'<tr><td colspan="2"><span style="display:none">{at}</span>{at}</td></tr>')
    rows.append('<tr><td colspan="2"><span class="name">КАССОВЫЙ ЧЕК №&nbsp;</span>7</td></tr>')
    rows.append(f"<tr><td><b>{OPERATIONS[paper.operation].upper()}</b></td></tr>")
    for one in paper.lines:
        rows.append(f'<tr><td class="position">{escape(one.name or "")}</td></tr>')
        rows.append(f'<tr class="result"><td>{_times(one)}</td></tr>')
        rows.append(_cells("Сумма", f"= {_rubles(one.sum_kopecks)}"))
        rows += [_cells(f"Признак {what} расчета", value) for _, what, value in _signs(one)]
    rows += [_cells(label, value) for label, value in _foot(paper, "Зав.№ ФН", "№ ФД", "ФПД")]
    return _page(f'<div class="receipt_report"><table>{"".join(rows)}</table></div>')


class FakePages:
    """Three operators behind one address, a folder a host; `asked` are (host, how)."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.broken: dict[str, int] = {}  # host -> the HTTP status it answers instead
        self.hangs: set[str] = set()  # hosts that never answer
        self.base_url = ""
        self._held: dict[str, list[FiscalDocument]] = {}
        self._runner: web.AppRunner | None = None

    def add(self, paper: FiscalDocument, *, at: str) -> None:
        """Hold a document at `platformaofd`, `taxcom` or `1-ofd`."""
        self._held.setdefault(at, []).append(paper)

    async def __aenter__(self) -> Self:
        app = web.Application(middlewares=[self._hang])
        app.router.add_get("/lk.platformaofd.ru/web/noauth/cheque", self._platforma)
        app.router.add_get("/receipt.taxcom.ru/v01/show", self._taxcom)
        app.router.add_post("/consumer.1-ofd.ru/api/tickets/find-ticket", self._find)
        app.router.add_get("/consumer.1-ofd.ru/api/tickets/ticket/{uid}", self._ticket)
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.base_url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_exc: object) -> None:
        assert self._runner is not None, "entered before"
        await self._runner.cleanup()

    @web.middleware
    async def _hang(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        host = request.path.split("/")[1]
        if any(one in host for one in self.hangs):
            await asyncio.Event().wait()
        return await handler(request)

    async def _platforma(self, request: web.Request) -> web.Response:
        asked = request.query
        found = self._one("platformaofd", _keyed(asked["fn"], asked["i"], asked["fp"]))
        return self._html("platformaofd", platforma(found))

    async def _taxcom(self, request: web.Request) -> web.Response:
        asked = request.query
        total = money.kopecks(asked["s"])
        found = self._one(
            "taxcom", lambda one: (str(one.key.fp), one.total_kopecks) == (asked["fp"], total)
        )
        return self._html("taxcom", taxcom(found))

    async def _find(self, request: web.Request) -> web.Response:
        sent = await request.json()
        key = _keyed(sent["fiscalDriveId"], sent["fiscalDocumentNumber"], sent["fiscalId"])
        found = self._one("1-ofd", key)
        if status := self.broken.get("1-ofd"):
            return web.Response(status=status)
        held = self._held.get("1-ofd", [])
        told: dict[str, Any] = {"status": 2, "uid": ""}
        if found is not None:
            told = {"status": 1, "uid": f"uid-{held.index(found)}"}
        return web.json_response(told)

    async def _ticket(self, request: web.Request) -> web.Response:
        held = self._held["1-ofd"][int(request.match_info["uid"].removeprefix("uid-"))]
        return web.json_response(receipts.render(held, receipts.Shape.ONE_OFD))

    def _one(self, at: str, fits: Callable[[FiscalDocument], bool]) -> FiscalDocument | None:
        self.asked.append(at)
        return next((one for one in self._held.get(at, []) if fits(one)), None)

    def _html(self, at: str, page: str) -> web.Response:
        if status := self.broken.get(at):
            return web.Response(status=status, text="<html>captcha</html>")
        return web.Response(text=page, content_type="text/html")


def _keyed(fn: str, fd: str, fp: str) -> Callable[[FiscalDocument], bool]:
    wanted = int(fn), int(fd), int(fp)
    return lambda one: (one.key.fn, one.key.fd, one.key.fp) == wanted


def _signs(one: FiscalLine) -> list[tuple[str, str, str]]:
    """Of what, in two cases of Russian, and the value."""
    found = []
    if one.payment_type is not None:
        found.append(("способ", "способа", PAYMENT[one.payment_type]))
    if one.product_type is not None:
        found.append(("предмет", "предмета", PRODUCT[one.product_type]))
    return found


def _foot(paper: FiscalDocument, fn: str, fd: str, fp: str) -> Sequence[tuple[str, str]]:
    return (
        ("ИТОГ", f"= {_rubles(paper.total_kopecks)}"),
        ("НАЛИЧНЫМИ", f"= {_rubles(paper.cash_kopecks)}"),
        ("ЭЛЕКТРОННЫМИ", f"= {_rubles(paper.ecash_kopecks)}"),
        ("АВАНС", f"= {_rubles(paper.prepaid_kopecks)}"),
        ("Рег.№ ККТ", paper.kkt_reg_id or ""),
        (fn, f"{paper.key.fn:016d}"),
        (fd, str(paper.key.fd)),
        (fp, str(paper.key.fp)),
        *([("Номер заказа", number)] if (number := receipts.order_of(paper)) else []),
    )


def _times(one: FiscalLine) -> str:
    return f"{money.quantity_number(one.quantity_micro):.3f} x {_rubles(one.price_kopecks)}"


def _rubles(kopecks: int) -> str:
    return f"{kopecks // 100}.{kopecks % 100:02d}"


def _row(label: str, value: str) -> str:
    return (
        f'<div class="check-row"><div class="check-col check-col-left">{escape(label)}</div>'
        f'<div class="check-col check-col-right">{escape(value)}</div></div>'
    )


def _cells(label: str, value: str) -> str:
    return f'<tr><td class="name">{escape(label)}</td><td class="result">{escape(value)}</td></tr>'


def _page(inside: str) -> str:
    return f"<!DOCTYPE html><html><head><meta charset=utf-8></head><body>{inside}</body></html>"
