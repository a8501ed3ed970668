"""Points given and taken by operators who are signed in at the till, each under their own name."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from vezde.access import operations as access
from vezde.access.staff import Shift
from vezde.api import adjustments, names
from vezde.api.adjustments import AdjustmentIn, AdjustmentOut, adjustment_out
from vezde.api.callers import adjuster
from vezde.api.once import Done, Till, once
from vezde.api.pages import Cursor, Limit, Page
from vezde.api.tools import Tools, tools
from vezde.kit.db import Db
from vezde.ledger.model import Adjusted

router = APIRouter(tags=["till"])
OnShift = Annotated[Shift, Depends(adjuster)]
Using = Annotated[Tools, Depends(tools)]


@router.post(
    "/v1/till/members/{member_id}/adjustments", status_code=201, response_model=AdjustmentOut
)
async def adjust(
    request: Request, member_id: str, given: AdjustmentIn, shift: OnShift, using: Using
) -> Response:
    """Give or take points: at once, or `pending` until another operator approves it."""
    internal = names.member_id(member_id)
    given.check()

    async def work(db: Db, now: datetime) -> Done:
        done = await adjustments.ask(
            db, internal, given, using, now=now, actor=shift.operator.actor
        )
        await _noted(db, shift, "adjustment_asked", done, now)
        return Done(201, adjustment_out(done), internal)

    return await once(request, _asker(shift), given, work, required=True)


@router.get("/v1/till/adjustments")
async def waiting(
    _shift: OnShift, using: Using, limit: Limit = 50, cursor: Cursor = None
) -> Page[AdjustmentOut]:
    """What waits for a second operator, longest first."""
    return await adjustments.pending(using, limit, cursor)


@router.post("/v1/till/adjustments/{adjustment_id}/approve", response_model=AdjustmentOut)
async def approve(request: Request, adjustment_id: str, shift: OnShift) -> Response:
    """Agree, as another operator than the one who asked; the points move."""
    member_id, internal = names.adjustment_ids(adjustment_id)

    async def work(db: Db, now: datetime) -> Done:
        done = await adjustments.agree(db, member_id, internal, now=now, actor=shift.operator.actor)
        await _noted(db, shift, "adjustment_approved", done, now)
        return Done(200, adjustment_out(done), member_id)

    return await once(request, _asker(shift), None, work)


@router.post("/v1/till/adjustments/{adjustment_id}/refuse", response_model=AdjustmentOut)
async def refuse(request: Request, adjustment_id: str, shift: OnShift) -> Response:
    """It is not to be; who asked for it may take it back this way too."""
    member_id, internal = names.adjustment_ids(adjustment_id)

    async def work(db: Db, now: datetime) -> Done:
        done = await adjustments.disagree(
            db, member_id, internal, now=now, actor=shift.operator.actor
        )
        await _noted(db, shift, "adjustment_refused", done, now)
        return Done(200, adjustment_out(done), member_id)

    return await once(request, _asker(shift), None, work)


def _asker(shift: Shift) -> Till:
    operator_id: UUID = shift.operator.operator_id
    return Till(operator_id)


async def _noted(db: Db, shift: Shift, what: str, one: Adjusted, now: datetime) -> None:
    """The words of the reason stay in the adjustment, where forgetting finds them."""
    details = {
        "adjustment_id": str(one.adjustment_id),
        "points": one.points,
        "state": one.state,
    }
    await access.note(db, shift.operator, what, now=now, member_id=one.member_id, details=details)
