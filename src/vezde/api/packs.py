"""Marking codes: a member scans the jar; the brand tells which codes are its own."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict

from vezde.access.model import Key, Scope
from vezde.api import bodies, names, receipts
from vezde.api.callers import scope
from vezde.api.once import Done, once
from vezde.api.problems import Malformed
from vezde.api.tools import Tools, tools
from vezde.kit.db import Db
from vezde.purchases import marking
from vezde.purchases import operations as purchases
from vezde.purchases.operations import NotAMarkingCode, Scan
from vezde.receipts.operations import disputing

router = APIRouter(tags=["packs"])
Using = Annotated[Tools, Depends(tools)]
Caller = Annotated[Key, Depends(scope(Scope.RECEIPTS))]
Owner = Annotated[Key, Depends(scope(Scope.CATALOG))]

IMAGE_BYTES = 20 * 1024 * 1024
LIST_BYTES = 64 * 1024 * 1024
AT_ONCE = 5_000
MOST_TOLD = 1_000


class ScanIn(BaseModel):
    """A scanned code's text; a picture of it comes as multipart instead."""

    model_config = ConfigDict(extra="forbid")
    member_id: str
    code: str


class ScanOut(BaseModel):
    """What a scan came to.

    `confirmed`: this very pack is on the member's receipt `receipt_id`. `completed`: a seller
    report shows it as sold, so the advance `receipt_id` is bought. `own`: the first scan of a code
    of the brand's. `known`: scanned before. `taken`: another member has it. `unknown`: it proves
    nothing.
    """

    outcome: str
    gtin: str
    product_sku: str | None
    product_name: str | None
    points: int
    receipt_id: str | None


class BrokenOut(BaseModel):
    row: int
    error: str


class OwnCodesOut(BaseModel):
    """New codes, those known before, and lines that are no codes (the first thousand told)."""

    added: int
    known: int
    broken: int
    errors: list[BrokenOut] = []


@router.post(
    "/v1/packs/scans",
    response_model=ScanOut,
    openapi_extra=bodies.json_or_multipart(ScanIn),
)
async def scan(request: Request, caller: Caller, using: Using) -> Response:
    """A member scanned the marking code on a jar: its text, or a picture (`member_id`, `file`).

    A scan alone is no purchase; the same again changes nothing.
    """
    if request.headers.get("content-type", "").startswith("multipart/"):
        sent = await bodies.read_multipart(request, most_bytes=IMAGE_BYTES)
        member, picture = sent.member_id, sent.file
        member_id, code = names.member_id(member), await _of_picture(picture, using)
        content: dict[str, Any] = {"member_id": member}
        files: tuple[bytes, ...] = (picture,)
    else:
        given = await bodies.read_json(request, ScanIn, most_bytes=10_000)
        member_id, code = names.member_id(given.member_id), given.code
        content, files = given.model_dump(), ()

    async def work(db: Db, now: Any) -> Done:
        found = await purchases.scan(db, member_id, code, now=now, actor=caller.actor)
        await disputing.show_pack(db, member_id, found.pack, now=now)
        return Done(200, _out(member_id, found), member_id)

    return await once(request, caller, content, work, files=files, required=True)


async def _of_picture(picture: bytes, using: Tools) -> str:
    """The first marking code in a picture, read by a worker."""
    found = await receipts.read_sent(receipts.Sent.FILE, picture, using)
    if not found.packs:
        raise NotAMarkingCode(
            "No marking code was found in the picture: take the small square code closer, in "
            "good light."
        )
    return found.packs[0]


def _out(member_id: UUID, found: Scan) -> ScanOut:
    return ScanOut(
        outcome=found.outcome,
        gtin=found.pack.gtin,
        product_sku=found.product.sku if found.product else None,
        product_name=found.product.name if found.product else None,
        points=found.points,
        receipt_id=names.receipt(member_id, found.receipt_id) if found.receipt_id else None,
    )


@router.post(
    "/v1/packs/own",
    openapi_extra={"requestBody": {"required": True, "content": {"text/plain": {}}}},
)
async def own(request: Request, caller: Owner, using: Using) -> OwnCodesOut:
    """Tell which codes are the brand's own: a text, one code a line, as they were ordered.

    Codes that are known already stay; a line that is no code is told and stops nothing.
    """
    body = await bodies.read(request, most_bytes=LIST_BYTES)
    try:
        lines = body.decode("utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise Malformed("The list is no text in UTF-8; one code stands in each line.") from error
    codes, errors, broken = [], [], 0
    for number, line in enumerate(lines, 1):
        shown = line.strip("\r\t \"'")
        if not shown:
            continue
        if pack := marking.read(shown):
            codes.append(pack)
            continue
        broken += 1
        if broken <= MOST_TOLD:
            why = "no marking code: 01, 14 digits with a right check digit, 21, serial"
            errors.append(BrokenOut(row=number, error=why))
    added = 0
    for start in range(0, len(codes), AT_ONCE):
        async with using.database.transaction() as db:
            added += await purchases.add_own_codes(
                db,
                codes[start : start + AT_ONCE],
                now=await using.clock.programme(db),
                actor=caller.actor,
            )
    return OwnCodesOut(added=added, known=len(set(codes)) - added, broken=broken, errors=errors)
