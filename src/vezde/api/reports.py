"""Seller reports of marketplaces, and how long buyers take to bring things back."""

import json
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel

from vezde.access.model import Key, Scope
from vezde.api import bodies
from vezde.api.callers import scope
from vezde.api.pages import Cursor, Limit, Page, cursor_of, page
from vezde.api.problems import Malformed
from vezde.api.tools import Tools, tools
from vezde.kit.clock import Clock
from vezde.kit.db import Database
from vezde.kit.work import calls
from vezde.purchases import queries
from vezde.purchases.reports import loading, reading
from vezde.purchases.reports.reading import BadReport

router = APIRouter(tags=["reports"])
Using = Annotated[Tools, Depends(tools)]
Caller = Annotated[Key, Depends(scope(Scope.RECEIPTS_VERIFIED))]
Reader = Annotated[Key, Depends(scope(Scope.RECEIPTS))]

LOAD = "purchases.load_report"
SECONDS = 300
FILE = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


class BrokenOut(BaseModel):
    """A row that was left out: its number in the file, and what to correct."""

    row: int
    error: str


class LoadedOut(BaseModel):
    """What became of a report's rows; of the broken ones the first thousand are told.

    `lines` are lines of members' purchases that new rows were about, `reversed_points` what was
    taken back from them.
    """

    report_id: str
    marketplace: str
    kind: str
    sold: int
    returned: int
    repeated: int
    broken: int
    lines: int
    reversed_points: int
    errors: list[BrokenOut] = []


class ReportOut(BaseModel):
    report_id: str
    marketplace: str
    kind: str
    name: str
    sold: int
    returned: int
    repeated: int
    broken: int
    lines: int
    reversed_points: int
    uploaded_at: datetime
    finished_at: datetime | None


class LagOut(BaseModel):
    """How many days after the purchase things came back in a sales channel.

    `suggested_hold_days` covers 95 of 100 returns; null where fewer than thirty are known.
    """

    sales_channel: str
    returns: int
    median_days: int
    p90_days: int
    p95_days: int
    suggested_hold_days: int | None


class LagsOut(BaseModel):
    items: list[LagOut]


@router.post("/v1/seller-reports", openapi_extra=FILE)
async def load(
    request: Request,
    caller: Caller,
    using: Using,
    name: Annotated[str, Query(max_length=200)] = "report",
) -> LoadedOut:
    """Load a seller report: the file itself is the body (XLSX, CSV, JSON, or a ZIP with one).

    The report is told by its columns. Loading it again changes nothing, so after a timeout send
    the same file again.
    """
    content = await bodies.read(request, most_bytes=reading.MOST_BYTES)
    if not content:
        raise Malformed("The body is the report's file; it is empty.")
    head = json.dumps({"name": name, "actor": caller.actor}).encode()
    answer = json.loads(
        await calls.request(
            using.database, using.waker, LOAD, head + b"\n" + content, timeout_seconds=SECONDS
        )
    )
    if "refused" in answer:
        raise BadReport(answer["refused"])
    return LoadedOut.model_validate(answer)


class Worker:
    """A worker's part: it reads the file and keeps its rows."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def __call__(self, payload: bytes, _call_id: UUID) -> bytes:
        head, _, content = payload.partition(b"\n")
        asked = json.loads(head)
        try:
            loaded = await loading.load(
                self._database,
                content,
                name=asked["name"],
                clock=self._clock,
                actor=asked["actor"],
            )
        except BadReport as error:
            return json.dumps({"refused": str(error)}).encode()
        return json.dumps(_shown(loaded)).encode()


def _shown(loaded: loading.Loaded) -> dict[str, Any]:
    return {
        "report_id": str(loaded.report_id),
        "marketplace": loaded.kind.marketplace,
        "kind": loaded.kind,
        "sold": loaded.sold,
        "returned": loaded.returned,
        "repeated": loaded.repeated,
        "broken": loaded.broken,
        "lines": loaded.lines,
        "reversed_points": loaded.points,
        "errors": [{"row": one.row, "error": one.why} for one in loaded.told],
    }


@router.get("/v1/seller-reports")
async def listed(
    _caller: Reader, using: Using, limit: Limit = 50, cursor: Cursor = None
) -> Page[ReportOut]:
    """Reports that were loaded, newest first."""
    async with using.database.transaction() as db:
        rows = await queries.reports(db, before=_before(cursor), limit=limit + 1)
    return page(
        rows,
        limit,
        show=lambda one: ReportOut(
            **{
                name: getattr(one, name)
                for name in ReportOut.model_fields
                if name not in {"report_id", "reversed_points"}
            },
            report_id=str(one.report_id),
            reversed_points=one.points,
        ),
        position=lambda one: str(one.report_id),
    )


def _before(cursor: Cursor) -> UUID | None:
    position = cursor_of(cursor)
    try:
        return UUID(position) if position else None
    except ValueError as error:
        raise Malformed("Take the cursor from next_cursor of the page before.") from error


@router.get("/v1/returns/lag")
async def lag(_caller: Reader, using: Using) -> LagsOut:
    """How long after the purchase things come back, by sales channel, and the hold it suggests."""
    async with using.database.transaction() as db:
        rows = await queries.return_lags(db)
    return LagsOut(
        items=[LagOut(**vars(one), suggested_hold_days=one.suggested_hold_days) for one in rows]
    )
