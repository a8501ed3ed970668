"""What only a sandbox has: a clock to move, and a clean slate."""

from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict

from vezde.access.model import Key, Scope
from vezde.api import bodies
from vezde.api.callers import scope
from vezde.api.once import Done, once
from vezde.api.problems import Malformed
from vezde.api.tools import Sandbox, Tools, tools
from vezde.kit import clock, durations
from vezde.kit.db import Db
from vezde.kit.errors import DomainError, Kind

router = APIRouter(tags=["sandbox"])
Caller = Annotated[Key, Depends(scope(Scope.SANDBOX))]
Using = Annotated[Tools, Depends(tools)]


class NotASandbox(DomainError):
    """A real installation's clock does not move and nobody empties it."""

    code = "not_a_sandbox"
    kind = Kind.REFUSED


class MoveIn(BaseModel):
    """`advance`: an ISO 8601 duration (P30D, PT2H); or `set`: an instant ahead."""

    model_config = ConfigDict(extra="forbid")
    advance: str | None = None
    set: datetime | None = None


class ResetIn(BaseModel):
    """The programme and catalogue to begin with; left out, the shipped ones."""

    model_config = ConfigDict(extra="forbid")
    program: dict[str, Any] | None = None
    catalog: list[dict[str, Any]] | None = None


class ClockOut(BaseModel):
    now: datetime
    offset_seconds: int


def _sandbox(using: Tools) -> Sandbox:
    if using.sandbox is None:
        raise NotASandbox("This is a real installation; start one with VEZDE_SANDBOX=1 to play.")
    return using.sandbox


async def _shown(using: Tools) -> ClockOut:
    async with using.database.transaction() as db:
        return ClockOut(
            now=await using.clock.programme(db), offset_seconds=await clock.offset_seconds(db)
        )


@router.get("/v1/sandbox/clock")
async def look(_caller: Caller, using: Using) -> ClockOut:
    """The programme's time."""
    _sandbox(using)
    return await _shown(using)


@router.post("/v1/sandbox/clock", response_model=ClockOut)
async def move(request: Request, given: MoveIn, caller: Caller, using: Using) -> Response:
    """Move the programme's time ahead; all that comes due is worked off, each at its own time."""
    sandbox = _sandbox(using)
    if (given.advance is None) == (given.set is None):
        raise Malformed("Send either advance, a duration like P30D, or set, an instant.")
    if given.set is not None:
        until = bodies.instant("set", given.set)
    else:
        ahead: timedelta = durations.parse(given.advance or "")
        async with using.database.transaction() as db:
            until = await using.clock.programme(db) + ahead

    async def work(_db: Db, _now: datetime) -> Done:
        await sandbox.advance(until)
        return Done(200, await _shown(using))

    return await once(request, caller, given, work)


@router.post("/v1/sandbox/reset", response_model=ClockOut)
async def reset(
    request: Request, caller: Caller, using: Using, given: ResetIn | None = None
) -> Response:
    """Empty everything but keys and operators and begin anew at the wall's time."""
    sandbox, documents = _sandbox(using), given or ResetIn()

    async def work(_db: Db, _now: datetime) -> Done:
        await sandbox.reset(documents.program, documents.catalog)
        return Done(200, await _shown(using))

    return await once(request, caller, documents, work)
