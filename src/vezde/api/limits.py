"""No request is read without an end: a body over the limit is refused, not collected."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vezde.api import problems

MEGABYTE = 1024 * 1024
MOST_BYTES = 1 * MEGABYTE
# Routes that take more say so themselves; this is their bound with room for a frame.
LARGER = {
    "/v1/catalog/products": 33 * MEGABYTE,
    "/v1/sandbox/reset": 33 * MEGABYTE,
    "/v1/receipts": 21 * MEGABYTE,
    "/v1/receipts/batch": 17 * MEGABYTE,
}


class BodyLimit:
    """ASGI middleware: 413 for an announced body over the route's bound, an error when one that was
    not announced turns out longer.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        most = LARGER.get(scope["path"], MOST_BYTES)
        announced = dict(scope["headers"]).get(b"content-length", b"")
        if announced.isdigit() and int(announced) > most:
            await problems.of(_too_large(most))(scope, receive, send)
            return
        size = 0

        async def counted() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > most:
                raise _too_large(most)
            return message

        await self.app(scope, counted, send)


def _too_large(most: int) -> problems.TooLarge:
    return problems.TooLarge(f"The body is over {most // MEGABYTE} MB; send less at once.")
