"""Points given and taken by operators; above a limit a second one approves."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from vezde.access.model import Key, Scope
from vezde.api import bodies, names
from vezde.api.callers import scope
from vezde.api.once import Done, once
from vezde.api.pages import BadCursor, Cursor, Limit, Page, cursor_of, page
from vezde.api.tools import Tools, tools
from vezde.kit.db import Db
from vezde.ledger import operations
from vezde.ledger import queries as ledger
from vezde.ledger.model import Adjusted, Adjustment
from vezde.members import operations as members
from vezde.members import queries as member_queries
from vezde.program import decide
from vezde.program import queries as program

router = APIRouter(tags=["points"])
Caller = Annotated[Key, Depends(scope(Scope.POINTS))]
Using = Annotated[Tools, Depends(tools)]
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
MOST_POINTS = 1_000_000_000


class AdjustmentIn(BaseModel):
    """Points given, or (below zero) taken. `expires_at` left out: as the programme says; null:
    never.
    """

    model_config = ConfigDict(extra="forbid")
    points: Annotated[int, Field(ge=-MOST_POINTS, le=MOST_POINTS, strict=True)]
    reason: Words = Field(description="Why, for colleagues; the member does not see it")
    title: Title = Field(default="Корректировка баллов", description="What the member reads")
    expires_at: datetime | None = None

    def check(self) -> None:
        """Raises for an instant without its offset from UTC."""
        if self.expires_at is not None:
            bodies.instant("expires_at", self.expires_at)


class AdjustmentOut(BaseModel):
    """`entry_id` is there once it is done; `asked_by` and `decided_by` are keys or operators."""

    id: str
    member_id: str
    points: int
    expires_at: datetime | None
    reason: str | None
    title: str
    state: str = Field(description="`pending`, `done` or `refused`")
    asked_at: datetime
    asked_by: str
    decided_at: datetime | None
    decided_by: str | None
    entry_id: str | None


def adjustment_out(row: Adjusted) -> AdjustmentOut:
    return AdjustmentOut(
        id=names.adjustment(row.member_id, row.adjustment_id),
        member_id=names.member(row.member_id),
        points=row.points,
        expires_at=row.expires_at,
        reason=row.reason,
        title=row.title,
        state=row.state,
        asked_at=row.asked_at,
        asked_by=row.asked_by,
        decided_at=row.decided_at,
        decided_by=row.decided_by,
        entry_id=names.entry(row.member_id, row.seq) if row.seq else None,
    )


@router.post("/v1/members/{member_id}/adjustments", status_code=201, response_model=AdjustmentOut)
async def adjust(
    request: Request, member_id: str, given: AdjustmentIn, caller: Caller, using: Using
) -> Response:
    """Give or take points: at once, or `pending` until another operator approves it."""
    internal = names.member_id(member_id)
    given.check()

    async def work(db: Db, now: datetime) -> Done:
        done = await ask(db, internal, given, using, now=now, actor=caller.actor)
        return Done(201, adjustment_out(done), member_id=internal)

    return await once(request, caller, given, work, required=True)


@router.get("/v1/members/{member_id}/adjustments")
async def of_member(
    member_id: str, _caller: Caller, using: Using, limit: Limit = 50, cursor: Cursor = None
) -> Page[AdjustmentOut]:
    """What operators gave the member and took, newest first."""
    position = cursor_of(cursor)
    try:
        before = UUID(position) if position else None
    except ValueError as error:
        raise BadCursor("Take the cursor from next_cursor of the page before.") from error
    async with using.database.transaction() as db:
        rows = await ledger.adjustments(
            db, names.member_id(member_id), limit=limit + 1, before=before
        )
    return page(rows, limit, show=adjustment_out, position=lambda row: str(row.adjustment_id))


@router.get("/v1/adjustments")
async def waiting(
    _caller: Caller, using: Using, limit: Limit = 50, cursor: Cursor = None
) -> Page[AdjustmentOut]:
    """What waits for a second operator, longest first."""
    return await pending(using, limit, cursor)


@router.post("/v1/adjustments/{adjustment_id}/approve", response_model=AdjustmentOut)
async def approve(request: Request, adjustment_id: str, caller: Caller) -> Response:
    """Agree, as another operator than the one who asked; the points move."""
    member_id, internal = names.adjustment_ids(adjustment_id)

    async def work(db: Db, now: datetime) -> Done:
        done = await agree(db, member_id, internal, now=now, actor=caller.actor)
        return Done(200, adjustment_out(done), member_id=member_id)

    return await once(request, caller, None, work)


@router.post("/v1/adjustments/{adjustment_id}/refuse", response_model=AdjustmentOut)
async def refuse(request: Request, adjustment_id: str, caller: Caller) -> Response:
    """It is not to be; who asked for it may take it back this way too."""
    member_id, internal = names.adjustment_ids(adjustment_id)

    async def work(db: Db, now: datetime) -> Done:
        done = await disagree(db, member_id, internal, now=now, actor=caller.actor)
        return Done(200, adjustment_out(done), member_id=member_id)

    return await once(request, caller, None, work)


async def ask(
    db: Db, member_id: UUID, given: AdjustmentIn, using: Tools, *, now: datetime, actor: str
) -> Adjusted:
    """Adjust at once, or ask for a second operator's approval."""
    await _present(db, member_id)
    rules = (await program.programmes(db)).at(now)
    as_programmed = "expires_at" not in given.model_fields_set and given.points > 0
    command = Adjustment(
        member_id=member_id,
        op_key="",
        occurred_at=now,
        title=given.title,
        points=given.points,
        reason=given.reason,
        expires_at=decide.expires_after(rules, now) if as_programmed else given.expires_at,
        inactive_at=decide.inactive_after(rules, now),
    )
    return await operations.ask_to_adjust(
        db, command, alone_up_to=using.adjust_alone, now=now, actor=actor
    )


async def agree(
    db: Db, member_id: UUID, adjustment_id: UUID, *, now: datetime, actor: str
) -> Adjusted:
    """A second operator approves."""
    await _present(db, member_id)
    rules = (await program.programmes(db)).at(now)
    inactive_at = decide.inactive_after(rules, now)
    return await operations.approve_adjustment(
        db, member_id, adjustment_id, inactive_at=inactive_at, now=now, actor=actor
    )


async def disagree(
    db: Db, member_id: UUID, adjustment_id: UUID, *, now: datetime, actor: str
) -> Adjusted:
    """Somebody refuses."""
    await _present(db, member_id)
    return await operations.refuse_adjustment(db, member_id, adjustment_id, now=now, actor=actor)


async def pending(using: Tools, limit: int, cursor: str | None) -> Page[AdjustmentOut]:
    """A page of what waits for a second operator."""
    async with using.database.transaction() as db:
        rows = await ledger.pending_adjustments(db, limit=limit + 1, after=_after(cursor))
    return page(rows, limit, show=adjustment_out, position=_position)


async def _present(db: Db, member_id: UUID) -> None:
    if not await members.present(db, [member_id]):
        raise await member_queries.refusal(db, member_id)


def _position(row: Adjusted) -> str:
    return f"{row.asked_at.isoformat()} {row.adjustment_id}"


def _after(cursor: str | None) -> tuple[datetime, UUID] | None:
    position = cursor_of(cursor)
    if position is None:
        return None
    at, _, last = position.partition(" ")
    try:
        asked_at, adjustment_id = datetime.fromisoformat(at), UUID(last)
    except ValueError as error:
        raise BadCursor("Take the cursor from next_cursor of the page before.") from error
    if asked_at.tzinfo is None:
        raise BadCursor("Take the cursor from next_cursor of the page before.")
    return asked_at, adjustment_id
