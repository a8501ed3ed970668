"""The programme: looked at, checked, published."""

import asyncio
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict

from vezde.access.model import Key, Scope
from vezde.api import bodies
from vezde.api.callers import scope
from vezde.api.once import Done, once
from vezde.api.tools import Tools, tools
from vezde.kit.db import Db
from vezde.kit.errors import FieldError
from vezde.program import checking, operations, queries
from vezde.program import document as documents
from vezde.program.model import NoProgramme

router = APIRouter(tags=["program"])
Caller = Annotated[Key, Depends(scope(Scope.PROGRAM))]
Using = Annotated[Tools, Depends(tools)]


class DocumentIn(BaseModel):
    """The programme's document, and from when it is to be in force (now, if left out)."""

    model_config = ConfigDict(extra="forbid")
    document: dict[str, Any]
    valid_from: datetime | None = None


class CheckIn(BaseModel):
    """The document as an object, or as YAML or JSON text, which gives errors their lines."""

    model_config = ConfigDict(extra="forbid")
    document: dict[str, Any] | str


class VersionOut(BaseModel):
    version: int
    valid_from: datetime


class ProgramOut(VersionOut):
    document: dict[str, Any]
    published_at: datetime


class ErrorOut(BaseModel):
    path: str
    line: int | None = None
    code: str
    detail: str


class CheckOut(BaseModel):
    errors: list[ErrorOut]


@router.put("/v1/program", status_code=201)
async def publish(given: DocumentIn, caller: Caller, using: Using) -> VersionOut:
    """Publish a version; the first is in force for all earlier time, later ones from now on.

    The document of the latest version published again answers that version.
    """
    valid_from = bodies.instant("valid_from", given.valid_from) if given.valid_from else None
    async with using.database.transaction() as db:
        version = await operations.publish(
            db,
            given.document,
            sections=using.sections,
            valid_from=valid_from,
            now=await using.clock.programme(db),
            actor=caller.actor,
        )
    return VersionOut(version=version.version, valid_from=version.valid_from)


@router.get("/v1/program")
async def in_force(_caller: Caller, using: Using) -> ProgramOut:
    """The version in force now, with its document."""
    async with using.database.transaction() as db:
        version = await queries.in_force(db, at=await using.clock.programme(db))
    if version is None:
        raise NoProgramme("No programme is published yet. Publish one: PUT /v1/program.")
    return ProgramOut(
        version=version.version,
        valid_from=version.valid_from,
        document=version.document,
        published_at=version.published_at,
    )


@router.post("/v1/program/check", response_model=CheckOut)
async def check(request: Request, given: CheckIn, caller: Caller, using: Using) -> Response:
    """What is wrong with a document; nothing is published."""

    async def work(_db: Db, _now: datetime) -> Done:
        # A quarter of a megabyte of YAML takes a second to read: not in the loop of all requests.
        checked = await asyncio.to_thread(checking.check, given.document, sections=using.sections)
        return Done(200, CheckOut(errors=[_error(one) for one in checked.errors]))

    return await once(request, caller, given, work)


@router.get("/v1/program/schema")
async def schema(_caller: Caller, using: Using) -> Response:
    """The JSON Schema (2020-12) of the document, for editors."""
    from fastapi.responses import JSONResponse

    return JSONResponse(documents.schema(using.sections), media_type="application/schema+json")


def _error(one: FieldError) -> ErrorOut:
    return ErrorOut(path=one.path, line=one.line, code=one.code, detail=one.detail)
