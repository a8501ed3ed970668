"""Disputes about receipts and packs: listed, their proofs shown, decided."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from vezde.access import operations as access
from vezde.access.staff import Right, Shift
from vezde.api import disputes as shared
from vezde.api import names
from vezde.api.callers import right
from vezde.api.console.sessions import PATH
from vezde.api.disputes import CaseOut, Of, VerdictIn
from vezde.api.once import Done, Till, once
from vezde.api.pages import Cursor, Limit, Page
from vezde.api.tools import Tools, tools
from vezde.kit.db import Db
from vezde.kit.files import FileMissing
from vezde.receipts import disputes
from vezde.receipts.operations import disputing

router = APIRouter(tags=["console"])
Moderator = Annotated[Shift, Depends(right(Right.MODERATE))]
Using = Annotated[Tools, Depends(tools)]

# What a browser shows itself; anything else is saved, never run.
KINDS = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"%PDF-", "application/pdf"),
)
HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
}


@router.get(f"{PATH}/disputes")
async def listed(
    _shift: Moderator,
    using: Using,
    about: Of = "receipt",
    decided: bool = False,
    limit: Limit = 20,
    cursor: Cursor = None,
) -> Page[CaseOut]:
    """Disputes that wait, the oldest first, or those decided, with both claims and the proofs."""
    async with using.database.transaction() as db:
        now = await using.clock.programme(db)
        return await shared.cases_out(
            db, about, decided=decided, limit=limit, cursor=cursor, now=now
        )


@router.post(f"{PATH}/disputes/{{dispute_id}}/decision", response_model=CaseOut)
async def decide(request: Request, dispute_id: str, given: VerdictIn, shift: Moderator) -> Response:
    """Say whose it is; 409 `dispute_decided` where somebody said otherwise meanwhile."""
    internal = names.dispute_id(dispute_id)

    async def work(db: Db, at: datetime) -> Done:
        about = await shared.decide_any(
            db, internal, move=given.move, now=at, actor=shift.operator.actor
        )
        shown = await shared.case_out(db, internal, about, now=at)
        member_id = names.member_id(shown.claimant.member_id)
        await access.note(
            *(db, shift.operator, "dispute_decided"),
            now=at,
            member_id=member_id,
            details={"dispute_id": dispute_id, "kind": about, "outcome": shown.outcome},
        )
        return Done(200, shown, member_id)

    return await once(request, Till(shift.operator.operator_id), given, work)


@router.get(f"{PATH}/disputes/{{dispute_id}}/proofs/{{proof_id}}")
async def proof(dispute_id: str, proof_id: UUID, _shift: Moderator, using: Using) -> Response:
    """The file of a proof, as it was sent."""
    internal = names.dispute_id(dispute_id)
    async with using.database.transaction() as db:
        (case,) = await disputes.cases(db, [await disputing.one(db, internal)])
        name = next((one.file for one in case.proofs if one.proof_id == proof_id), None)
        if name is None:
            raise FileMissing("There is no such file; it may have been removed meanwhile.")
        kept = await disputing.FILES.get(db, name=name)
    content = using.vault.decrypt(kept.content, context=name.encode())
    media_type = next((of for start, of in KINDS if content.startswith(start)), None)
    headers = dict(HEADERS)
    if media_type is None:
        headers["Content-Disposition"] = "attachment"
    return Response(content, media_type=media_type or "application/octet-stream", headers=headers)
