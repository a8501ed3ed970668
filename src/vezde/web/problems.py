"""Errors of a page's own routes: problem+json with a stable code, as `/v1` has them."""

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from vezde.kit.errors import DomainError, Kind

MOST_BYTES = 64 * 1024
STATUS = {
    Kind.INVALID: 400,
    Kind.MISSING: 404,
    Kind.CONFLICT: 409,
    Kind.REFUSED: 422,
    Kind.EXHAUSTED: 429,
    Kind.UNAVAILABLE: 503,
}


class Malformed(DomainError):
    """The body is not the JSON object that the route takes."""

    code = "malformed"
    kind = Kind.INVALID


def answer(_request: Request, error: Exception) -> Response:
    """The problem that this error is."""
    assert isinstance(error, DomainError), "installed for those alone"
    body = {"code": error.code, "detail": error.detail}
    return shown(body, STATUS[error.kind], kind="application/problem+json")


def shown(body: Any, status: int = 200, *, kind: str = "application/json") -> Response:
    """A JSON answer that nobody keeps."""
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return Response(json.dumps(body, ensure_ascii=False), status, headers, media_type=kind)


async def body(request: Request) -> dict[str, Any]:
    """The request's JSON object; raises `Malformed`."""
    read = bytearray()
    async for chunk in request.stream():
        read += chunk
        if len(read) > MOST_BYTES:
            raise Malformed("The body is over 64 KB; send a small JSON object.")
    try:
        given = json.loads(read or b"{}")
    except ValueError as error:
        raise Malformed("The body is no JSON; send an object.") from error
    if not isinstance(given, dict):
        raise Malformed("The body is to be a JSON object.")
    return given
