"""A built page: its files are read once, so no path of a request ever touches the disk.

What Vite builds has the hash of its content in its name under `assets/` and may be kept for a year;
everything else is asked for again. Headers: https://owasp.org/www-project-secure-headers/.
"""

import mimetypes
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
    "font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
SECURE = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
}
CAMERA = {
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=(), payment=()",
}
KEPT = "public, max-age=31536000, immutable"
ASKED_AGAIN = "no-cache"
TYPES = {  # not left to the machine's own tables
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
NOT_BUILT = (
    "Страница ещё не собрана: остановите Vezde и запустите make run.\n"
    "This page is not built yet: stop Vezde and run make run.\n"
)


class Pages:
    """The files of one built page, by paths like "" (its index) and "assets/index-1a2b.js"."""

    def __init__(self, folder: Path | None, *, camera: bool = False) -> None:
        """`folder` None: nothing was built, and that is what it says; `camera`: it may scan."""
        self._secure = {**SECURE, **(CAMERA if camera else {})}
        self._files: dict[str, tuple[bytes, str]] = {}
        if folder is not None:
            for path in sorted(folder.rglob("*")):
                if path.is_file():
                    name = path.relative_to(folder).as_posix()
                    self._files[name] = path.read_bytes(), _type(path)
        self._built = "index.html" in self._files

    def answer(self, path: str) -> Response:
        """The file of that path; 404 for what was not built."""
        if not self._built:
            return PlainTextResponse(NOT_BUILT, 503, {**self._secure, "Cache-Control": "no-store"})
        found = self._files.get(path or "index.html")
        if found is None:
            return PlainTextResponse(
                "Not found\n", 404, {**self._secure, "Cache-Control": "no-store"}
            )
        content, kind = found
        kept = KEPT if path.startswith("assets/") else ASKED_AGAIN
        return Response(
            content, headers={**self._secure, "Content-Type": kind, "Cache-Control": kept}
        )


def _type(path: Path) -> str:
    known = TYPES.get(path.suffix)
    return known or mimetypes.guess_type(path.name)[0] or "application/octet-stream"


def served(pages: Pages, path: str) -> ASGIApp:
    """The page at `path` and its files below."""

    async def answer(request: Request) -> Response:
        return pages.answer(request.path_params.get("file", ""))

    return Starlette(routes=[Route(path, answer), Route(f"{path}/{{file:path}}", answer)])
