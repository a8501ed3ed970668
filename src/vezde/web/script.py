"""The widget's script: one file that pages of other sites load by its address.

Its name has no hash, so browsers ask again: an entity tag answers most of that with 304.
"""

import hashlib
from pathlib import Path

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from vezde.web.pages import NOT_BUILT

HEADERS = {
    "Content-Type": "text/javascript; charset=utf-8",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "cross-origin",
    # For `integrity` and `crossorigin` in the page's script tag; there is nothing secret in it.
    "Access-Control-Allow-Origin": "*",
    "Cache-Control": "public, max-age=300",
}


class Script:
    """ASGI application of this one file; `path` None: it was not built."""

    def __init__(self, path: Path | None) -> None:
        self._content = path.read_bytes() if path is not None and path.is_file() else None
        self._tag = f'"{hashlib.sha256(self._content or b"").hexdigest()[:32]}"'

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._answer(scope)(scope, receive, send)

    def _answer(self, scope: Scope) -> Response:
        if scope["method"] not in {"GET", "HEAD"}:
            return PlainTextResponse("Method not allowed\n", 405, {"Allow": "GET, HEAD"})
        if self._content is None:
            return PlainTextResponse(NOT_BUILT, 503, {"Cache-Control": "no-store"})
        headers = {**HEADERS, "ETag": self._tag}
        known = Headers(scope=scope).get("if-none-match", "")
        if self._tag in [one.strip().removeprefix("W/") for one in known.split(",")]:
            return Response(status_code=304, headers=headers)
        return Response(self._content, headers=headers)
