"""What was given up on, for those who look after it: listed, tried again, dropped."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from vezde.access import operations as access
from vezde.access.staff import Right, Shift
from vezde.api import troubles as api_troubles
from vezde.api.callers import right
from vezde.api.console.sessions import PATH
from vezde.api.once import Done, Till, once
from vezde.api.pages import Cursor, Limit, Page, page
from vezde.api.tools import Tools, tools
from vezde.api.troubles import OfKind, RetriedOut, TroubleOut, found, trouble_out
from vezde.kit import troubles
from vezde.kit.db import Db

router = APIRouter(tags=["console"])
Looker = Annotated[Shift, Depends(right(Right.TROUBLES))]
Using = Annotated[Tools, Depends(tools)]


@router.get(f"{PATH}/troubles")
async def listed(
    _shift: Looker, using: Using, kind: OfKind = None, limit: Limit = 50, cursor: Cursor = None
) -> Page[TroubleOut]:
    """What was given up on, the newest first."""
    before = api_troubles.place_of(cursor)
    async with using.database.transaction() as db:
        rows = await troubles.listed(db, using.troubles, kind=kind, before=before, limit=limit + 1)
    return page(
        rows,
        limit,
        show=lambda one: trouble_out(using.troubles, one),
        position=lambda one: api_troubles.position_of(one.place),
    )


@router.post(f"{PATH}/troubles/{{trouble_id}}/retry", status_code=202, response_model=RetriedOut)
async def retry(request: Request, trouble_id: str, shift: Looker, using: Using) -> Response:
    """Try it again from the first attempt."""
    source, first, second = found(using.troubles, trouble_id)

    async def work(db: Db, now: datetime) -> Done:
        wall, actor = using.clock.wall(), shift.operator.actor
        await troubles.retry(db, source, first, second, wall=wall, actor=actor)
        details = {"trouble": trouble_id}
        await access.note(db, shift.operator, "trouble_retried", now=now, details=details)
        return Done(202, RetriedOut(id=trouble_id, kind=source.kind))

    return await once(request, Till(shift.operator.operator_id), None, work)


@router.delete(f"{PATH}/troubles/{{trouble_id}}", status_code=204)
async def drop(trouble_id: str, shift: Looker, using: Using) -> None:
    """Have done with it."""
    source, first, second = found(using.troubles, trouble_id)
    async with using.database.transaction() as db:
        wall, actor = using.clock.wall(), shift.operator.actor
        await troubles.drop(db, source, first, second, wall=wall, actor=actor)
        now = await using.clock.programme(db)
        details = {"trouble": trouble_id}
        await access.note(db, shift.operator, "trouble_dropped", now=now, details=details)
