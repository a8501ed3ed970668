"""Who may use what needs no key: a browser on this machine, and no page but our own.

A page of another site, open in the same browser, can send requests to 127.0.0.1, and by a name of
its own that it points there (DNS rebinding) even read the answers. So: the peer is this machine,
Host is a loopback name or the address that was called, and a request that some page made comes
from this very origin, by Origin or by Sec-Fetch-Site (https://www.w3.org/TR/fetch-metadata/), which
pages cannot forge.
"""

import ipaddress
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send

NAMES = frozenset({"127.0.0.1", "localhost", "::1"})
OWN = frozenset({"same-origin", "none"})
REFUSED = (
    "Песочница открывается только в браузере на этом же компьютере: {address}\n"
    "The sandbox opens only in a browser on this machine: {address}\n"
)


class Loopback:
    """Lets requests of this machine through.

    `page` is a path that a link of elsewhere may open; `address` is where a browser of this machine
    finds it, to be told to others.
    """

    def __init__(self, app: ASGIApp, *, page: str | None = None, address: str = "") -> None:
        self._app = app
        self._page = page
        self._refused = REFUSED.format(address=address)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if _is_here(scope) and (self._opens(scope) or _is_own(scope)):
            await self._app(scope, receive, send)
            return
        headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
        await PlainTextResponse(self._refused, 403, headers)(scope, receive, send)

    def _opens(self, scope: Scope) -> bool:
        """Whether a person opens the page itself, be it by a link of another site."""
        return scope["method"] in {"GET", "HEAD"} and scope["path"].rstrip("/") == self._page


def below(path: str, app: ASGIApp) -> ASGIApp:
    """The application as if `path` were its root."""
    return Starlette(routes=[Mount(path, app)])


def _is_here(scope: Scope) -> bool:
    """From this machine to itself, under a name that no foreign one stands behind."""
    peer, own = ((scope.get(end) or ("",))[0] for end in ("client", "server"))
    try:
        local = ipaddress.ip_address(peer).is_loopback or peer == own
    except ValueError:
        local = False
    return local and _name(Headers(scope=scope).get("host", "")) in NAMES | {own}


def _is_own(scope: Scope) -> bool:
    headers = Headers(scope=scope)
    origin, site = headers.get("origin"), headers.get("sec-fetch-site")
    if origin is not None and origin != f"{scope['scheme']}://{headers.get('host', '')}":
        return False
    return site is None or site in OWN


def _name(host: str) -> str | None:
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None
