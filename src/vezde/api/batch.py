"""NDJSON by the thousand lines: read whole, worked by a worker process, answered line by line."""

import asyncio
import json
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID, uuid5

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from vezde.access.model import Key, Scope
from vezde.api import bodies, described, names
from vezde.api.callers import scope
from vezde.api.once import Done, once
from vezde.api.problems import Malformed
from vezde.api.receipts import reason_out
from vezde.api.tools import Tools, tools
from vezde.kit.clock import Clock
from vezde.kit.db import Database, Db
from vezde.kit.errors import DomainError
from vezde.kit.vault import Vault
from vezde.kit.work import calls
from vezde.receipts import intake, parsers
from vezde.receipts.intake import Desk, Line, Result
from vezde.receipts.reading import reader
from vezde.receipts.signals import devices

router = APIRouter(tags=["receipts"])

TAKE_IN = "receipts.batch"
MOST_LINES = 1_000
MOST_BYTES = 16 * 1024 * 1024
SECONDS = 120
# Each holds its body in memory and, with an Idempotency-Key, a connection of the pool.
AT_ONCE = asyncio.Semaphore(4)


class LineIn(BaseModel):
    """A line of a batch."""

    model_config = ConfigDict(extra="forbid")
    member_id: str | None = None
    phone: str | None = None
    enrol: bool = False
    document: dict[str, Any] | list[Any] | None = None
    qr: str | None = None
    device: Annotated[str, Field(min_length=8, max_length=200)] | None = None


class LineOut(BaseModel):
    """A line's answer, as it stands in the OpenAPI document; `error` instead of the rest."""

    line: int
    id: str | None = None
    status: str | None = None
    reason: dict[str, str] | None = None
    points: dict[str, Any] | None = None
    repeated: bool | None = None
    error: dict[str, Any] | None = None


NDJSON = "application/x-ndjson"
OPENAPI: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {NDJSON: {"schema": described.schema(LineIn)}},
    }
}


@router.post(
    "/v1/receipts/batch",
    openapi_extra=OPENAPI,
    responses={200: {"content": {NDJSON: {"schema": described.schema(LineOut)}}}},
    response_class=Response,
)
async def take_in(
    request: Request,
    caller: Annotated[Key, Depends(scope(Scope.RECEIPTS))],
    using: Annotated[Tools, Depends(tools)],
) -> Response:
    """Up to 1,000 receipts as NDJSON, answered by one line each, in order.

    Final where the document is verified. A bad line stops nothing; a repeat by the same member
    answers the first one's result.
    """
    body = await bodies.read(request, most_bytes=MOST_BYTES)
    bodies.lines(body, most=MOST_LINES)
    rights = {
        "actor": caller.actor,
        "verified": caller.has(Scope.RECEIPTS_VERIFIED),
        "enrol": caller.has(Scope.MEMBERS),
    }
    payload = json.dumps(rights).encode() + b"\n" + body

    async def work(_db: Db, _now: datetime) -> Done:
        answers = await calls.request(
            using.database, using.waker, TAKE_IN, payload, timeout_seconds=SECONDS
        )
        return Done(200, answers, media_type=NDJSON)

    async with AT_ONCE:
        return await once(request, caller, None, work, files=(body,))


@dataclass(frozen=True)
class Worker:
    """The worker's side of a batch."""

    database: Database
    clock: Clock
    vault: Vault

    async def __call__(self, payload: bytes, call_id: UUID) -> bytes:
        """Rights on the first line, the batch after it -> the answers' NDJSON."""
        head, _, body = payload.partition(b"\n")
        rights = json.loads(head)
        desk = Desk(
            database=self.database,
            clock=self.clock,
            vault=self.vault,
            actor=rights["actor"],
            evidence=rights["actor"],
            verified=rights["verified"],
        )
        read = [
            _read(text, uuid5(call_id, str(number)), self.vault, may_enrol=rights["enrol"])
            for number, text in enumerate(bodies.lines(body, most=MOST_LINES))
        ]
        good = [one for one in read if isinstance(one, Line)]
        worked = iter(await intake.take_in(desk, good))
        answers = [next(worked) if isinstance(one, Line) else Result(error=one) for one in read]
        return b"".join(_shown(number, one) for number, one in enumerate(answers, start=1))


def _read(text: bytes, ref: UUID, vault: Vault, *, may_enrol: bool) -> Line | DomainError:
    try:
        return _line(text, ref, vault, may_enrol=may_enrol)
    except DomainError as error:
        return error


def _line(text: bytes, ref: UUID, vault: Vault, *, may_enrol: bool) -> Line:
    try:
        given = bodies.checked(LineIn, json.loads(text, parse_float=parsers.exact))
    except (ValueError, RecursionError) as error:
        raise Malformed("The line is not JSON.") from error
    if (given.member_id is None) == (given.phone is None):
        raise Malformed("Say whose receipt it is: member_id or phone, one of them.")
    if (given.document is None) == (given.qr is None):
        raise Malformed("Send document or qr, one of them.")
    if given.enrol and not may_enrol:
        raise Malformed("This key lacks the scope «members», so it cannot enrol.")
    who = names.member_id(given.member_id) if given.member_id else None
    device = devices.blinded(vault, given.device) if given.device else None
    line = Line(ref=ref, member_id=who, phone=given.phone, enrol=given.enrol, device=device)
    if given.document is not None:
        documents = parsers.read(given.document)
        if len(documents) != 1:
            raise Malformed("A line is one document; put each on a line of its own.")
        return replace(line, document=documents[0])
    found = reader.of_text(given.qr or "")
    if found.receipts:
        return replace(line, qr=found.receipts[0].qr)
    return replace(line, unreadable=found.reason, note=found.note)


def _shown(number: int, result: Result) -> bytes:
    shown: dict[str, Any] = {"line": number}
    if result.error is not None:
        error = result.error
        told = {"code": error.code, "detail": error.detail}
        shown["error"] = told | names.in_extra(error.extra)
    else:
        assert result.member_id, "a line without error has a receipt"
        assert result.receipt_id, "a line without error has a receipt"
        shown["id"] = names.receipt(result.member_id, result.receipt_id)
        shown["status"] = result.status
        if (reason := reason_out(result.reason, result.note)) is not None:
            shown["reason"] = reason.model_dump()
        points = result.points
        shown["points"] = {
            "pending": points.pending,
            "active": points.active,
            "active_at": _instant(points.active_at),
        }
        if result.repeated:
            shown["repeated"] = True
    return json.dumps(shown, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _instant(at: Any) -> str | None:
    return at.isoformat().replace("+00:00", "Z") if at else None
