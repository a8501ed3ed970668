"""Errors as `application/problem+json`: one shape for ours and for the framework's own.

RFC 9457 with stable `code` and `errors`; `detail` says what to do.
"""

import json
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException

from vezde.access.doors import SessionOver
from vezde.access.model import OriginRefused, PublishableOnly, ScopeMissing, Unauthenticated
from vezde.access.staff import RightMissing, ShiftOver
from vezde.api import described, names
from vezde.kit.errors import DomainError, FieldError, Kind

log = structlog.get_logger("vezde.api")

MEDIA_TYPE = "application/problem+json"
STATUS = {
    Kind.INVALID: 400,
    Kind.MISSING: 404,
    Kind.CONFLICT: 409,
    Kind.REFUSED: 422,
    Kind.EXHAUSTED: 429,
    Kind.UNAVAILABLE: 503,
}
HTTP_CODES = {
    400: ("malformed", "The body is not what its Content-Type says; send JSON, or a whole form."),
    404: ("not_found", "There is nothing at this address; see /docs for what there is."),
    405: ("method_not_allowed", "This address takes other methods; see /docs."),
    413: ("too_large", "The request is too large; send less at once."),
}


class TooLarge(DomainError):
    """The body is over the limit; `detail` names it."""

    code = "too_large"
    kind = Kind.INVALID


class Malformed(DomainError):
    """The body is not what its content type says, or lacks what it must have."""

    code = "malformed"
    kind = Kind.INVALID


def status_of(error: DomainError) -> int:
    if isinstance(error, Unauthenticated | SessionOver | ShiftOver):
        return 401
    if isinstance(error, ScopeMissing | OriginRefused | PublishableOnly | RightMissing):
        return 403
    if error.code == TooLarge.code:  # a table or a body, wherever it was measured
        return 413
    return STATUS[error.kind]


def problem(
    status: int,
    code: str,
    detail: str,
    *,
    errors: Sequence[FieldError] = (),
    extra: dict[str, Any] | None = None,
    retry_after_seconds: int | None = None,
) -> Response:
    body: dict[str, Any] = {
        "type": f"urn:vezde:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
        **(extra or {}),
    }
    if errors:
        body["errors"] = [error_json(one) for one in errors]
    headers = {}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if status in {429, 503}:
        headers["Retry-After"] = str(retry_after_seconds or 5)
    # Details quote what was sent, and what was sent may hold halves of surrogate pairs.
    content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    return Response(content, status_code=status, headers=headers, media_type=MEDIA_TYPE)


def error_json(one: FieldError) -> dict[str, Any]:
    shown: dict[str, Any] = {"path": one.path, "code": one.code, "detail": one.detail}
    if one.line is not None:
        shown["line"] = one.line
    return shown


def of(error: DomainError) -> Response:
    """A domain's error as an answer."""
    return problem(
        status_of(error),
        error.code,
        error.detail,
        errors=error.errors,
        extra=names.in_extra(error.extra),
        retry_after_seconds=error.retry_after_seconds,
    )


class ProblemField(BaseModel):
    """One wrong place of a request or a document."""

    path: str
    code: str
    detail: str
    line: int | None = None


class Problem(BaseModel):
    """RFC 9457; `code` is stable, `detail` says what to do, other members depend on the code."""

    model_config = ConfigDict(extra="allow")
    type: str
    title: str
    status: int
    code: str
    detail: str
    errors: list[ProblemField] | None = None


# In OpenAPI, of every route; with it the framework leaves out its own 422, which is never sent.
RESPONSES: dict[int | str, dict[str, Any]] = {
    "default": {
        "description": "A problem",
        "content": {MEDIA_TYPE: {"schema": described.schema(Problem)}},
    }
}


def install(app: FastAPI) -> None:
    """Answer every error of the app in this shape, bugs included."""

    @app.exception_handler(DomainError)
    async def domain_error(_request: Request, error: DomainError) -> Response:
        return of(error)

    @app.exception_handler(RequestValidationError)
    async def validation_error(_request: Request, error: RequestValidationError) -> Response:
        errors = [validation(one) for one in error.errors()]
        return problem(400, "invalid", f"{errors[0].path}: {errors[0].detail}", errors=errors)

    @app.exception_handler(HTTPException)
    async def http_error(_request: Request, error: HTTPException) -> Response:
        code, detail = HTTP_CODES.get(error.status_code, ("http_error", str(error.detail)))
        return problem(error.status_code, code, detail)

    @app.exception_handler(Exception)
    async def bug(request: Request, error: Exception) -> Response:
        route = request.scope.get("route")
        log.error("request_failed", route=getattr(route, "path", None), exc_info=error)
        return problem(
            500, "internal", "Something broke on our side; nothing was changed. Try again later."
        )


def validation(error: Any) -> FieldError:
    """One of pydantic's errors; the place of the body (`body`, `query`) is left out of the path."""
    location = [str(step) for step in error["loc"]]
    if location and location[0] in {"body", "query", "path", "header"}:
        location = location[1:]
    return FieldError(".".join(location) or "body", str(error["type"]), str(error["msg"]))
