"""Pages that call: which origin a request is from, CORS for the widget, and who is turned away.

CORS is answered under `/v1/widget` alone, for origins of live publishable keys, never with
credentials: what a page may do there it does by its key and a session's token, not by cookies.
"""

import ipaddress
from urllib.parse import urlsplit

from fastapi import Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vezde.access import queries as access
from vezde.access.model import OriginRefused
from vezde.api import problems
from vezde.api.tools import Tools
from vezde.kit.errors import DomainError

WIDGET = "/v1/widget"
METHODS = "GET, POST, DELETE"
HEADERS = "Authorization, Content-Type, Vezde-Session"
KEPT_SECONDS = "600"


def of(request: Request) -> str | None:
    """The origin of the page that asks; None: no page does.

    A browser leaves Origin out of its own site's plain reads, and then says so in Sec-Fetch-Site
    (https://www.w3.org/TR/fetch-metadata/).
    """
    given = request.headers.get("origin")
    if given is None and request.headers.get("sec-fetch-site") == "same-origin":
        return f"{request.url.scheme}://{request.headers.get('host', '')}"
    return given


def is_own(request: Request, origin: str, public_url: str) -> bool:
    """Whether a page of this origin is one of this installation's."""
    own, asked = urlsplit(public_url), urlsplit(origin)
    at = request.headers.get("host", "")
    return origin == f"{own.scheme}://{own.netloc}" or (
        asked.scheme in {"http", "https"} and asked.netloc == at
    )


def refuse_foreign(request: Request, public_url: str) -> None:
    """Raises `OriginRefused` when a page of another site asks."""
    origin = of(request)
    if origin is not None and not is_own(request, origin, public_url):
        raise OriginRefused(
            "A page of another site may not ask for this: secret keys stay on servers. Pages use a "
            "publishable key: vezde keys create --publishable"
        )


def caller_address(request: Request) -> str:
    """Whom attempts are counted by: an address, of IPv6 the network a household has."""
    host = request.client.host if request.client else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, 64), strict=False))
    return host


class WidgetCors:
    """ASGI middleware: preflights answered, answers readable by pages with a publishable key."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope) if scope["type"] == "http" else Headers({})
        origin = headers.get("origin")
        if origin is None or not _is_widget(scope["path"]):
            await self.app(scope, receive, send)
            return
        known = await self._is_known(scope, origin)
        asks_first = scope["method"] == "OPTIONS" and "access-control-request-method" in headers
        if asks_first and isinstance(known, Response):
            await known(scope, receive, send)
        elif asks_first:
            await _preflight(origin)(scope, receive, send)
        elif known is not True:
            await self.app(scope, receive, send)
        else:
            await self.app(scope, receive, _readable(send, origin))

    async def _is_known(self, scope: Scope, origin: str) -> bool | Response:
        """True, or what a preflight is answered instead."""
        using: Tools = scope["app"].state.tools
        try:
            async with using.database.transaction() as db:
                if "\0" not in origin and await access.origin_is_known(db, origin):
                    return True
        except DomainError as error:
            return problems.of(error)
        return problems.of(
            OriginRefused("No publishable key is for pages of this origin; add it to one")
        )


def _is_widget(path: str) -> bool:
    return path == WIDGET or path.startswith(f"{WIDGET}/")


def _preflight(origin: str) -> Response:
    return Response(
        status_code=204,
        headers={
            "Access-Control-Allow-Origin": origin,
            "Access-Control-Allow-Methods": METHODS,
            "Access-Control-Allow-Headers": HEADERS,
            "Access-Control-Max-Age": KEPT_SECONDS,
            "Vary": "Origin",
        },
    )


def _readable(send: Send, origin: str) -> Send:
    async def with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers["Access-Control-Allow-Origin"] = origin
            headers["Access-Control-Expose-Headers"] = "Retry-After"
            headers.add_vary_header("Origin")
        await send(message)

    return with_headers
