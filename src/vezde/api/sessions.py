"""Where a member is signed in, and signing them out."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel

from vezde.access import operations as access
from vezde.access import queries as access_queries
from vezde.access.doors import Session
from vezde.access.model import Key, Scope
from vezde.api import names
from vezde.api.callers import scope
from vezde.api.tools import Tools, tools
from vezde.kit import ids
from vezde.members import queries as members

router = APIRouter(tags=["members"])
Caller = Annotated[Key, Depends(scope(Scope.MEMBERS))]
Using = Annotated[Tools, Depends(tools)]


class OpenSessionOut(BaseModel):
    """A live session on a page of the brand's; `how` is code or link."""

    id: str
    origin: str
    how: str
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime


class OpenSessionsOut(BaseModel):
    items: list[OpenSessionOut]


@router.get("/v1/members/{member_id}/sessions")
async def listed(member_id: str, _caller: Caller, using: Using) -> OpenSessionsOut:
    """A member's live sessions, the newest first."""
    async with using.database.transaction() as db:
        member = await members.member(db, names.member_id(member_id), vault=using.vault)
        found = await access_queries.sessions(db, member.member_id, wall=using.clock.wall())
    return OpenSessionsOut(items=[_shown(one) for one in found])


@router.delete("/v1/members/{member_id}/sessions", status_code=204)
async def end(member_id: str, _caller: Caller, using: Using) -> Response:
    """Sign the member out everywhere."""
    async with using.database.transaction() as db:
        member = await members.member(db, names.member_id(member_id), vault=using.vault)
        await access.end_sessions(db, member.member_id)
    return Response(status_code=204)


def _shown(one: Session) -> OpenSessionOut:
    return OpenSessionOut(
        id=ids.public(names.SESSION, one.member_id, one.session_id),
        origin=one.origin,
        how=one.how,
        created_at=one.created_wall,
        last_used_at=one.last_used_wall,
        expires_at=one.expires_wall,
    )
