"""Receipts that signals hold for a person: listed with reasons, released, declined."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from vezde.access.model import Key, Scope
from vezde.api import names
from vezde.api.callers import scope
from vezde.api.once import Done, once
from vezde.api.pages import BadCursor, Cursor, Limit, Page, cursor_of, page
from vezde.api.receipts import ReceiptOut, receipt_out
from vezde.api.tools import Tools, tools
from vezde.kit.db import Db
from vezde.receipts import quarantine, queries
from vezde.receipts.operations import quarantining
from vezde.receipts.quarantine import Held
from vezde.receipts.signals import words
from vezde.receipts.signals.model import Finding

router = APIRouter(tags=["receipts"])
Caller = Annotated[Key, Depends(scope(Scope.RECEIPTS_VERIFIED))]
Using = Annotated[Tools, Depends(tools)]


class FindingOut(BaseModel):
    """A signal, how much it weighs, and what it saw, in words of both languages."""

    signal: str
    score: int
    text: str
    text_en: str


class HeldOut(BaseModel):
    """A receipt that waits, or waited: then `outcome` is `released` or `declined`."""

    receipt: ReceiptOut
    score: int
    reasons: list[FindingOut]
    held_at: datetime
    promised_at: datetime
    outcome: str | None


class ReleaseIn(BaseModel):
    """Why it is sound, if there is anything to say."""

    model_config = ConfigDict(extra="forbid")
    note: Annotated[str, Field(max_length=quarantining.NOTE_LENGTH)] = ""


class DeclineIn(BaseModel):
    """Why it brings nothing; the member is not shown this."""

    model_config = ConfigDict(extra="forbid")
    note: Annotated[str, Field(min_length=1, max_length=quarantining.NOTE_LENGTH)]


def finding_out(one: Finding) -> FindingOut:
    return FindingOut(
        signal=one.signal,
        score=one.score,
        text=words.text(one, "ru"),
        text_en=words.text(one, "en"),
    )


async def held_out(db: Db, rows: Sequence[Held], now: datetime) -> list[HeldOut]:
    """Each with its receipt, in one read."""
    stored = await queries.receipts(db, [(one.member_id, one.receipt_id) for one in rows])
    return [
        HeldOut(
            receipt=receipt_out(stored[one.receipt_id], now),
            score=one.score,
            reasons=[finding_out(finding) for finding in one.findings],
            held_at=one.held_at,
            promised_at=one.promised_at,
            outcome=one.outcome,
        )
        for one in rows
    ]


@router.get("/v1/quarantine")
async def listed(
    _caller: Caller, using: Using, limit: Limit = 50, cursor: Cursor = None
) -> Page[HeldOut]:
    """Receipts that wait for a person, the longest first, with what signals saw."""
    after = place(cursor)
    async with using.database.transaction() as db:
        now = await using.clock.programme(db)
        rows = await quarantine.page(db, after=after, limit=limit + 1)
        shown = await held_out(db, rows[:limit], now)
    listed = page(rows, limit, show=lambda one: one, position=position)
    return Page(items=shown, next_cursor=listed.next_cursor)


@router.post("/v1/receipts/{receipt_id}/release", response_model=ReceiptOut)
async def release(request: Request, receipt_id: str, given: ReleaseIn, caller: Caller) -> Response:
    """The receipt is sound: it earns as of its purchase, once. Again changes nothing."""
    return await _end(request, receipt_id, given, caller, quarantining.release)


@router.post("/v1/receipts/{receipt_id}/decline", response_model=ReceiptOut)
async def decline(request: Request, receipt_id: str, given: DeclineIn, caller: Caller) -> Response:
    """The receipt brings nothing; its member is told kindly. Again changes nothing."""
    return await _end(request, receipt_id, given, caller, quarantining.decline)


async def _end(
    request: Request,
    receipt_id: str,
    given: ReleaseIn | DeclineIn,
    caller: Caller,
    ending: quarantining.Ending,
) -> Response:
    member_id, internal = names.receipt_ids(receipt_id)

    async def work(db: Db, now: datetime) -> Done:
        receipt = await ending(
            db, member_id, internal, note=given.note, now=now, actor=caller.actor
        )
        return Done(200, receipt_out(receipt, now), member_id)

    return await once(request, caller, given, work)


def position(one: Held) -> str:
    return f"{one.held_at.isoformat()} {one.receipt_id}"


def place(cursor: str | None) -> tuple[datetime, UUID] | None:
    """Where a page begins; raises `BadCursor`."""
    text = cursor_of(cursor)
    if text is None:
        return None
    try:
        at, receipt_id = text.split(" ")
        found = datetime.fromisoformat(at), UUID(receipt_id)
        aware = found[0].tzinfo is not None
    except ValueError:
        aware = False
    if not aware:
        raise BadCursor("Take the cursor from next_cursor of the page before.")
    return found
