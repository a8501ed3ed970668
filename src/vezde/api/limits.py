"""No request is read without an end: a body over the limit is refused, not collected."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vezde.api import problems

MOST_BYTES = 33 * 1024 * 1024  # the largest a route takes (a catalogue), with room for its frame


class BodyLimit:
    """ASGI middleware: 413 for an announced body over `MOST_BYTES`, an error while a longer one is
    read in chunks.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        announced = dict(scope["headers"]).get(b"content-length", b"")
        if announced.isdigit() and int(announced) > MOST_BYTES:
            await problems.of(_too_large())(scope, receive, send)
            return
        size = 0

        async def counted() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > MOST_BYTES:
                raise _too_large()
            return message

        await self.app(scope, counted, send)


def _too_large() -> problems.TooLarge:
    return problems.TooLarge("The body is over 33 MB; send less at once.")
