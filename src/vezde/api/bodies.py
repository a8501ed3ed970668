"""Request bodies read by hand where the framework would read them without a limit."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException

from vezde.api import described
from vezde.api.problems import Malformed, TooLarge, validation

Model = TypeVar("Model", bound=BaseModel)
YEARS = (1970, 2200)  # of instants in requests; at the calendar's ends a zone cannot be added


async def read(request: Request, *, most_bytes: int) -> bytes:
    """The whole body; raises `TooLarge` as soon as it is longer."""
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > most_bytes:
        raise _too_large(most_bytes)
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > most_bytes:
            raise _too_large(most_bytes)
        parts.append(part)
    return b"".join(parts)


async def read_json(request: Request, model: type[Model], *, most_bytes: int) -> Model:
    """The body as `model`; raises `Malformed` with the fields that are wrong, or `TooLarge`."""
    body = await read(request, most_bytes=most_bytes)
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Malformed("The body is not JSON.") from error
    return checked(model, fields)


def checked(model: type[Model], fields: Any) -> Model:
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        errors = tuple(validation(one) for one in error.errors())
        raise Malformed(f"{errors[0].path}: {errors[0].detail}", errors=errors) from error


@dataclass(frozen=True)
class Form:
    """A member's file; `device` marks what it was shown on."""

    member_id: str
    file: bytes
    device: str | None


async def read_multipart(request: Request, *, most_bytes: int, marked: bool = False) -> Form:
    """`member_id`, `file` and, where it may be `marked`, `device`.

    Raises `Malformed` or `TooLarge`.
    """
    announced = request.headers.get("content-length", "")
    # The form's own headers and the member's id are small beside the file.
    if not announced.isdigit() or int(announced) > most_bytes + 10_000:
        raise (
            _too_large(most_bytes)
            if announced.isdigit()
            else Malformed("Send a Content-Length with the form.")
        )
    try:
        form = await request.form(max_files=1, max_fields=2 if marked else 1)
    except MultiPartException as error:
        raise Malformed("Send a form with the fields member_id and file, one of each.") from error
    member, file = form.get("member_id"), form.get("file")
    if not isinstance(member, str) or not isinstance(file, UploadFile):
        raise Malformed("Send a form with the fields member_id and file, one of each.")
    device = form.get("device")
    if device is not None and not (isinstance(device, str) and 8 <= len(device) <= 200):
        raise Malformed("A device's mark is 8 to 200 characters.")
    if form.keys() - {"member_id", "file", "device"}:
        raise Malformed("Send member_id, file and perhaps device, and no other fields.")
    picture = await file.read()
    await form.close()
    return Form(member, picture, device)


def _too_large(most_bytes: int) -> TooLarge:
    return TooLarge(f"The body is over {most_bytes // 1024 // 1024} MB; send less at once.")


def instant(field: str, at: datetime) -> datetime:
    """A moment of a request, in UTC; raises `Malformed` without a zone or outside all calendars."""
    if at.utcoffset() is None:
        raise Malformed(f"Give {field} with its zone, like 2026-12-01T00:00:00Z.")
    if not YEARS[0] <= at.year <= YEARS[1]:
        raise Malformed(f"Give {field} between the years {YEARS[0]} and {YEARS[1]}.")
    return at.astimezone(UTC)


def json_body(model: type[BaseModel]) -> dict[str, Any]:
    """OpenAPI of a JSON body that is read by hand."""
    content = {"application/json": {"schema": described.schema(model)}}
    return {"requestBody": {"required": True, "content": content}}


def json_or_multipart(model: type[BaseModel], *, marked: bool = False) -> dict[str, Any]:
    """OpenAPI of a body that is read by hand: JSON, or a form with a file."""
    fields: dict[str, Any] = {
        "member_id": {"type": "string"},
        "file": {"type": "string", "format": "binary"},
    }
    if marked:
        fields["device"] = {"type": "string", "minLength": 8, "maxLength": 200}
    form = {"type": "object", "required": ["member_id", "file"], "properties": fields}
    return {
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": described.schema(model)},
                "multipart/form-data": {"schema": form},
            },
        }
    }


# OpenAPI of a body of any shape that is read by hand.
ANY_JSON: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": {}}}}
}


def lines(body: bytes, *, most: int) -> Sequence[bytes]:
    """The lines of an NDJSON body, empty ones left out; raises `TooLarge` over `most`."""
    found = [line for line in body.split(b"\n") if line.strip()]
    if len(found) > most:
        raise TooLarge(f"A batch has at most {most} lines; send the rest in the next one.")
    return found


async def read_object(request: Request, *, most_bytes: int) -> dict[str, Any]:
    """The body as a JSON object; raises `Malformed` or `TooLarge`."""
    body = await read(request, most_bytes=most_bytes)
    try:
        given = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Malformed("The body is not JSON.") from error
    if not isinstance(given, dict):
        raise Malformed("The body is not a JSON object.")
    return given


def merge_patch() -> dict[str, Any]:
    """OpenAPI of a JSON merge patch (RFC 7396) that is read by hand."""
    media = {"schema": {"type": "object"}}
    return {
        "requestBody": {
            "required": True,
            "content": {"application/merge-patch+json": media, "application/json": media},
        }
    }
