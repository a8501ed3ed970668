"""The service: tokens that end, questions that take their time, answers that are thrown away."""

import asyncio
import base64
import json
import uuid
from collections import deque
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Self
from zoneinfo import ZoneInfo

from aiohttp import web
from lxml import etree

from vezde.receipts import parsers
from vezde.receipts.model import FiscalDocument
from vezde.testing import receipts
from vezde.testing.fns import faults
from vezde.testing.fns.faults import Order

MASTER_TOKEN = "test-master-token"  # noqa: S105 -- opens nothing but this fake
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
SYNC = "urn://x-artefacts-gnivc-ru/inplat/servin/OpenApiMessageConsumerService/types/1.0"
ASYNC = faults.ASYNC
AUTH = "urn://x-artefacts-gnivc-ru/ais3/kkt/AuthService/types/1.0"
KKT = "urn://x-artefacts-gnivc-ru/ais3/kkt/KktTicketService/types/1.0"
MOSCOW = ZoneInfo("Europe/Moscow")
ORDER = ("Sum", "Date", "Fn", "TypeOperation", "FiscalDocumentId", "FiscalSign")


@dataclass(frozen=True)
class Asked:
    """A request: `what` is Auth, Get, Check (a ticket's) or Poll; `person` as it was sent."""

    what: str
    person: str | None = None
    fields: tuple[tuple[str, str], ...] = ()


@dataclass
class Message:
    """A question and when its answer is there."""

    what: str
    fields: dict[str, str]
    ready: float


class FakeFns:
    """`documents` by (fn, fd); `asked` is every request, oldest first."""

    def __init__(
        self, *, master_token: str = MASTER_TOKEN, lifetime: timedelta = timedelta(hours=1)
    ) -> None:
        self.master_token = master_token
        self.lifetime = lifetime
        self.work_seconds = 0.0  # how long every answer takes
        self.kept_seconds = 60.0
        self.ticket: Any = None  # what every ticket says instead of its own, once
        self.asked: list[Asked] = []
        self.documents: dict[tuple[int, int], FiscalDocument] = {}
        self._codes: dict[tuple[int, int], int] = {}
        self._slow: dict[tuple[int, int], float] = {}
        self._tokens: set[str] = set()
        self._messages: dict[str, Message] = {}
        self._orders: deque[Order] = deque()
        self._runner: web.AppRunner | None = None
        self.base_url = ""

    def add(self, document: Any) -> None:
        """Hold a document; raises `UnreadableDocument`."""
        read = [document] if isinstance(document, FiscalDocument) else parsers.read(document)
        for one in read:
            self.documents[one.key.fn, one.key.fd] = one

    def slow(self, document: FiscalDocument, *, seconds: float) -> None:
        """The answer about this one takes so long."""
        self._slow[document.key.fn, document.key.fd] = seconds

    def code(self, document: FiscalDocument, code: int | None) -> None:
        """The answer about this one is that code; None: its own again."""
        if code is None:
            self._codes.pop((document.key.fn, document.key.fd), None)
        else:
            self._codes[document.key.fn, document.key.fd] = code

    def order(self, *orders: Order) -> None:
        """The next requests get these, one each."""
        self._orders.extend(orders)

    def end_tokens(self) -> None:
        """Every temporary token given so far is over."""
        self._tokens.clear()

    def throw_answers_away(self) -> None:
        self._messages.clear()

    def count(self, what: str) -> int:
        return sum(one.what == what for one in self.asked)

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/open-api/AuthService/0.1", self._auth)
        app.router.add_post("/open-api/ais3/KktService/0.1", self._kkt)
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.base_url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_exc: object) -> None:
        assert self._runner is not None, "entered before"
        await self._runner.cleanup()

    async def _ordered(self) -> web.Response | None:
        if not self._orders:
            return None
        order = self._orders.popleft()
        await asyncio.sleep(order.seconds)
        if order.body is None:
            return None
        return web.Response(
            body=order.body,
            status=order.status,
            headers=dict(order.headers),
            content_type="text/xml",
        )

    async def _auth(self, request: web.Request) -> web.Response:
        body = etree.fromstring(await request.read())
        self.asked.append(Asked("Auth"))
        if (ordered := await self._ordered()) is not None:
            return ordered
        path = f"{{{SOAP}}}Body/{{{SYNC}}}GetMessageRequest/{{{SYNC}}}Message/{{{AUTH}}}AuthRequest"
        token = body.findtext(f"{path}/{{{AUTH}}}AuthAppInfo/{{{AUTH}}}MasterToken")
        if token != self.master_token:
            inside = (
                f'<Fault xmlns="{AUTH}"><Message>Передан неверный MasterToken</Message></Fault>'
            )
        else:
            given = uuid.uuid4().hex
            self._tokens.add(given)
            end = (datetime.now(MOSCOW) + self.lifetime).isoformat(timespec="milliseconds")
            inside = (
                f'<Result xmlns="{AUTH}"><Token>{given}</Token><ExpireTime>{end}</ExpireTime>'
                "</Result>"
            )
        return _soap(
            f'<GetMessageResponse xmlns="{SYNC}"><Message><AuthResponse xmlns="{AUTH}">{inside}'
            "</AuthResponse></Message></GetMessageResponse>"
        )

    async def _kkt(self, request: web.Request) -> web.Response:
        body = etree.fromstring(await request.read()).find(f"{{{SOAP}}}Body")
        person = request.headers.get("FNS-OpenApi-UserToken")
        if person is not None:
            base64.b64decode(person, validate=True)
        assert body is not None, "a client of ours sends envelopes"
        what, fields = _question(body[0])
        self.asked.append(Asked(what, person, tuple(fields.items())))
        if (ordered := await self._ordered()) is not None:
            return ordered
        if request.headers.get("FNS-OpenApi-Token") not in self._tokens:
            return _raised(faults.wrong_token())
        if what == "Poll":
            return self._poll(fields["MessageId"])
        return self._take(what, fields)

    def _take(self, what: str, fields: dict[str, str]) -> web.Response:
        if tuple(fields)[: len(ORDER)] != ORDER:
            return _raised(faults.fault("cvc-complex-type.2.4.a: Invalid content was found"))
        key = int(fields["Fn"]), int(fields["FiscalDocumentId"])
        ready = asyncio.get_running_loop().time() + self._slow.get(key, self.work_seconds)
        message_id = str(uuid.uuid4())
        self._messages[message_id] = Message(what, fields, ready)
        return _soap(
            f'<SendMessageResponse xmlns="{ASYNC}"><MessageId>{message_id}</MessageId>'
            "</SendMessageResponse>"
        )

    def _poll(self, message_id: str) -> web.Response:
        message, now = self._messages.get(message_id), asyncio.get_running_loop().time()
        if message is None or message.ready + self.kept_seconds < now:
            return _raised(faults.not_found(message_id))
        if message.ready > now:
            return _soap(
                f'<GetMessageResponse xmlns="{ASYNC}"><ProcessingStatus>PROCESSING'
                "</ProcessingStatus></GetMessageResponse>"
            )
        code, ticket = self._answer(message)
        said = "" if ticket is None else f"<ns2:Ticket>{_escaped(ticket)}</ns2:Ticket>"
        return _soap(
            f'<GetMessageResponse xmlns="{ASYNC}"><ProcessingStatus>COMPLETED</ProcessingStatus>'
            f'<Message><{message.what}TicketResponse xmlns:ns2="{KKT}" xmlns="{KKT}"><ns2:Result>'
            f"<ns2:Code>{code}</ns2:Code>{said}</ns2:Result></{message.what}TicketResponse>"
            "</Message></GetMessageResponse>"
        )

    def _answer(self, message: Message) -> tuple[int, str | None]:
        fields = message.fields
        key = int(fields["Fn"]), int(fields["FiscalDocumentId"])
        if key in self._codes and message.what == "Get":
            return self._codes[key], None
        held = self.documents.get(key)
        if held is None:
            return 404, None
        told = (
            int(fields["FiscalSign"]),
            int(fields["Sum"]),
            fields["Date"],
            fields["TypeOperation"],
        )
        true = (
            held.key.fp,
            held.total_kopecks,
            f"{held.wall_time:%Y-%m-%dT%H:%M}:00",
            str(held.operation),
        )
        if told != true:
            return 406, None
        if message.what == "Check":
            return 200, None
        return 200, self._ticket(held)

    def _ticket(self, held: FiscalDocument) -> str:
        if self.ticket is not None:
            said, self.ticket = self.ticket, None
            return said if isinstance(said, str) else json.dumps(said, ensure_ascii=False)
        shown = replace(held, wall_time=held.wall_time.replace(second=0))
        return json.dumps(receipts.render(shown, receipts.Shape.CONTENT), ensure_ascii=False)


def _question(request: etree._Element) -> tuple[str, dict[str, str]]:
    message_id = request.findtext(f"{{{ASYNC}}}MessageId")
    if message_id is not None:
        return "Poll", {"MessageId": message_id}
    for what in ("Get", "Check"):
        info = request.find(
            f"{{{ASYNC}}}Message/{{{KKT}}}{what}TicketRequest/{{{KKT}}}{what}TicketInfo"
        )
        if info is not None:
            return what, {etree.QName(one).localname: one.text or "" for one in info}
    return "odd", {}


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")


def _soap(inside: str) -> web.Response:
    body = f'<soap:Envelope xmlns:soap="{SOAP}"><soap:Body>{inside}</soap:Body></soap:Envelope>'
    return web.Response(body=body.encode(), content_type="text/xml", charset="utf-8")


def _raised(order: Order) -> web.Response:
    return web.Response(body=order.body, status=order.status, content_type="text/xml")
