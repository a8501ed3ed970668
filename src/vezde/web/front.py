"""One application of several: a page by its path, everything else the API's."""

from collections.abc import Mapping

from starlette.types import ASGIApp, Receive, Scope, Send


class Front:
    """`pages` by path, like {"/playground": app}: each gets its path and all below it.

    Of two that fit the longer one.
    """

    def __init__(self, rest: ASGIApp, pages: Mapping[str, ASGIApp]) -> None:
        self._rest = rest
        self._pages = sorted(pages.items(), key=lambda page: -len(page[0]))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = f"/{scope.get('path', '').lstrip('/')}/"
        fits = (app for path, app in self._pages if asked.startswith(f"{path}/"))
        await next(fits, self._rest)(scope, receive, send)
