"""Receipts that signals hold, on the console: the queue, and two ways out of it."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel

from vezde.access import operations as access
from vezde.access.staff import Right, Shift
from vezde.api import names
from vezde.api.callers import right
from vezde.api.console.sessions import PATH
from vezde.api.once import Done, Till, once
from vezde.api.pages import Cursor, Limit, page
from vezde.api.quarantine import DeclineIn, FindingOut, ReleaseIn, finding_out, place, position
from vezde.api.receipts import LineOut, SellerOut, receipt_out
from vezde.api.tools import Tools, tools
from vezde.kit.db import Db
from vezde.receipts import quarantine, queries
from vezde.receipts.model import Status
from vezde.receipts.operations import quarantining
from vezde.receipts.photos import operations as photos
from vezde.receipts.photos.operations import State
from vezde.receipts.quarantine import Held

router = APIRouter(tags=["console"])
Moderator = Annotated[Shift, Depends(right(Right.MODERATE))]
Using = Annotated[Tools, Depends(tools)]


class HeldOut(BaseModel):
    """A receipt that waits, as it is looked at; `photo` is asked for as in moderation."""

    receipt_id: str
    member_id: str
    score: int
    reasons: list[FindingOut]
    held_at: datetime
    due_at: datetime
    late: bool
    seller: SellerOut | None
    address: str | None
    wall_time: str | None
    registered_at: datetime
    total_kopecks: int | None
    lines: list[LineOut]
    photo: State


class QueueOut(BaseModel):
    """`waiting` is counted up to ten thousand."""

    items: list[HeldOut]
    next_cursor: str | None
    waiting: int


class EndedOut(BaseModel):
    """What the receipt came to, and the points it brought."""

    receipt_id: str
    status: Status
    reason: str | None
    points: int


@router.get(f"{PATH}/quarantine")
async def queue(
    _shift: Moderator, using: Using, limit: Limit = 20, cursor: Cursor = None
) -> QueueOut:
    """Receipts that wait, the longest first, with score and reasons."""
    after = place(cursor)
    async with using.database.transaction() as db:
        now = await using.clock.programme(db)
        rows = await quarantine.page(db, after=after, limit=limit + 1)
        keys = [(one.member_id, one.receipt_id) for one in rows[:limit]]
        stored = await queries.receipts(db, keys)
        pictured = await photos.states(db, keys)
        waiting = await quarantine.waiting(db)
    shown = [
        _shown(one, stored[one.receipt_id], pictured.get(one.receipt_id, State.NONE), now)
        for one in rows[:limit]
    ]
    listed = page(rows, limit, show=lambda one: one.score, position=position)
    return QueueOut(items=shown, next_cursor=listed.next_cursor, waiting=waiting.receipts)


@router.post(f"{PATH}/quarantine/{{receipt_id}}/release", response_model=EndedOut)
async def release(
    request: Request, receipt_id: str, given: ReleaseIn, shift: Moderator
) -> Response:
    """The receipt is sound: it earns as of its purchase."""
    how = (quarantining.release, "receipt_released")
    return await _end(request, receipt_id, given, shift, *how)


@router.post(f"{PATH}/quarantine/{{receipt_id}}/decline", response_model=EndedOut)
async def decline(
    request: Request, receipt_id: str, given: DeclineIn, shift: Moderator
) -> Response:
    """The receipt brings nothing; the note stays with it and is nobody's to read but ours."""
    how = (quarantining.decline, "receipt_declined")
    return await _end(request, receipt_id, given, shift, *how)


async def _end(
    request: Request,
    receipt_id: str,
    given: ReleaseIn | DeclineIn,
    shift: Shift,
    ending: quarantining.Ending,
    noted: str,
) -> Response:
    """Take the receipt out of the queue, and write into the journal who did."""
    member_id, internal = names.receipt_ids(receipt_id)

    async def work(db: Db, now: datetime) -> Done:
        receipt = await ending(
            db, member_id, internal, note=given.note, now=now, actor=shift.operator.actor
        )
        ended = _ended(receipt, now)
        await access.note(
            *(db, shift.operator, noted),
            now=now,
            member_id=receipt.member_id,
            details={"receipt_id": receipt_id, "points": ended.points},
        )
        return Done(200, ended, receipt.member_id)

    return await once(request, Till(shift.operator.operator_id), given, work)


def _ended(receipt: queries.Receipt, now: datetime) -> EndedOut:
    pending, active, _ = receipt.points(now)
    return EndedOut(
        receipt_id=names.receipt(receipt.member_id, receipt.receipt_id),
        status=receipt.status,
        reason=receipt.reason,
        points=pending + active,
    )


def _shown(one: Held, receipt: queries.Receipt, photo: State, now: datetime) -> HeldOut:
    said = receipt_out(receipt, now)
    return HeldOut(
        receipt_id=said.id,
        member_id=said.member_id,
        score=one.score,
        reasons=[finding_out(finding) for finding in one.findings],
        held_at=one.held_at,
        due_at=one.promised_at,
        late=one.promised_at < now,
        seller=said.seller,
        address=receipt.document.address if receipt.document else None,
        wall_time=said.wall_time,
        registered_at=said.registered_at,
        total_kopecks=said.total_kopecks,
        lines=said.lines,
        photo=photo,
    )
