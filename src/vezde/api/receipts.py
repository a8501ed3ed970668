"""Receipts: shown, looked at, decided by a person."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from vezde.access.model import Key, Scope
from vezde.api import bodies, names
from vezde.api.callers import scope
from vezde.api.once import Done, once
from vezde.api.pages import Cursor, Limit, Page, cursor_of, page
from vezde.api.problems import Malformed
from vezde.api.tools import Tools, tools
from vezde.kit import db as kit_db
from vezde.kit import money
from vezde.kit.db import Db
from vezde.kit.work import calls
from vezde.receipts import parsers, queries, reasons
from vezde.receipts.model import FiscalLine, Note, Reason, Status, Way
from vezde.receipts.operations import moderating, registering
from vezde.receipts.operations.registering import Registered, Submission
from vezde.receipts.operations.settling import Matched
from vezde.receipts.providers import schedule
from vezde.receipts.reading import handing, reader
from vezde.receipts.reading.model import Findings, Found
from vezde.receipts.reading.slips import Slip
from vezde.receipts.signals import devices

router = APIRouter(tags=["receipts"])

READ_SENT = "receipts.read_sent"
FILE_BYTES = 20 * 1024 * 1024
READ_SECONDS = 20

Caller = Annotated[Key, Depends(scope(Scope.RECEIPTS))]
Using = Annotated[Tools, Depends(tools)]


class ReasonOut(BaseModel):
    code: str
    text: str


class SellerOut(BaseModel):
    inn: str | None
    name: str | None
    kind: str | None
    sales_channel: str | None


class CandidateOut(BaseModel):
    product_sku: str
    score: float


class ProductLineOut(BaseModel):
    """How surely a line is one of a product line; its products stand here when it is certain."""

    score: float
    product_skus: list[str]


class MatchOut(BaseModel):
    """How a line was recognised.

    In doubt there are up to three `candidates`, the likeliest first (`candidate_sku` as well), and
    the `product_line`: certain where only the size, colour or count is not.
    """

    method: str | None
    score: float
    candidate_sku: str | None = None
    candidates: list[CandidateOut] = []
    product_line: ProductLineOut | None = None


class LineOut(BaseModel):
    line: int
    name: str | None
    quantity: int | float
    sum_kopecks: int
    product_sku: str | None
    match: MatchOut | None
    points: int


class PointsOut(BaseModel):
    pending: int
    active: int
    active_at: datetime | None


class SlipLineOut(BaseModel):
    name: str
    quantity: int | float
    sum_kopecks: int
    order_mark: str | None
    seller_inn: str | None


class SlipOut(BaseModel):
    """What an e-receipt's text layer said, `order_mark` the unit of the order: proves nothing."""

    place: str
    paid_ahead: bool
    lines: list[SlipLineOut]


class CheckOut(BaseModel):
    """How the check goes: `asked` times the document was not there yet.

    `next_at`, when it is asked for again; null: just now, or it waits for another's check. No more
    after `until`. `promised_points` are pending until it is checked.
    """

    asked: int
    next_at: datetime | None
    until: datetime
    promised_points: int


class ReceiptOut(BaseModel):
    """A receipt; `lines` are there once the document is verified.

    `promised_at`, of one that is held for a person: it is decided by then.
    Of one receipt alone: `slip`, what the member's PDF said beside its code; `check`, while it is
    being checked.
    """

    id: str
    member_id: str
    status: Status
    reason: ReasonOut | None
    seller: SellerOut | None
    purchased_at: datetime | None
    wall_time: str | None
    total_kopecks: int | None
    lines: list[LineOut]
    points: PointsOut
    purchase_id: str | None
    first_receipt_id: str | None = None
    registered_at: datetime
    promised_at: datetime | None = None
    slip: SlipOut | None = None
    check: CheckOut | None = None


class SummaryOut(BaseModel):
    """What all receipts of one file came to; `unread` are those that could not be read."""

    receipts: int
    by_status: dict[Status, int]
    repeated: int
    unread: int


class SeveralOut(ReceiptOut):
    """The first of several receipts that came at once, with the others and a summary."""

    others: list[ReceiptOut]
    summary: SummaryOut


class NewReceiptIn(BaseModel):
    """A QR's text, a receipt's details in any order, a link to one, or a document.

    A picture or another file comes as multipart instead. `device` is a mark of the device it was
    shown on, as your application calls it; only a keyed hash of it is kept.
    """

    model_config = ConfigDict(extra="forbid")
    member_id: str
    qr: str | None = None
    document: dict[str, Any] | list[Any] | None = None
    device: Annotated[str, Field(min_length=8, max_length=200)] | None = None


class DecisionIn(BaseModel):
    """Which product the line is; null: none of ours."""

    model_config = ConfigDict(extra="forbid")
    product_sku: str | None


def reason_out(
    reason: Reason | None, note: Note | None = None, *, operator: bool = False
) -> ReasonOut | None:
    """The reason in words; that a document is forged only an operator is told."""
    if reason is None:
        return None
    shown = Reason.NOT_FOUND if reason is Reason.FORGED and not operator else reason
    return ReasonOut(code=shown, text=reasons.text(shown, "ru", note))


def receipt_out(receipt: queries.Receipt, now: datetime) -> ReceiptOut:
    pending, active, active_at = receipt.points(now)
    matched = {one.line: one for one in receipt.matched}
    lines = receipt.document.lines if receipt.document else ()
    return ReceiptOut(
        id=names.receipt(receipt.member_id, receipt.receipt_id),
        member_id=names.member(receipt.member_id),
        status=receipt.status,
        reason=reason_out(receipt.reason, receipt.note),
        seller=_seller(receipt),
        purchased_at=receipt.occurred_at,
        wall_time=receipt.wall_time.isoformat(timespec="seconds") if receipt.wall_time else None,
        total_kopecks=receipt.total_kopecks,
        lines=[_line(line, matched.get(line.line)) for line in lines],
        points=PointsOut(pending=pending, active=active, active_at=active_at),
        purchase_id=(
            names.purchase(receipt.member_id, receipt.purchase_id) if receipt.purchase_id else None
        ),
        first_receipt_id=(
            names.receipt(receipt.member_id, receipt.first_receipt_id)
            if receipt.first_receipt_id
            else None
        ),
        registered_at=receipt.registered_at,
        promised_at=receipt.promised_at,
    )


def _seller(receipt: queries.Receipt) -> SellerOut | None:
    if receipt.document is None or receipt.sales_channel is None:  # not read, or not placed yet
        return None
    return SellerOut(
        inn=receipt.seller_inn,
        name=receipt.seller_name,
        kind=receipt.seller_kind,
        sales_channel=receipt.sales_channel,
    )


def _line(line: FiscalLine, matched: Matched | None) -> LineOut:
    return LineOut(
        line=line.line,
        name=line.name,
        quantity=money.quantity_number(line.quantity_micro),
        sum_kopecks=line.sum_kopecks,
        product_sku=matched.sku if matched else None,
        match=_match(matched) if matched else None,
        points=matched.points if matched else 0,
    )


def _match(matched: Matched) -> MatchOut:
    line = ProductLineOut(score=matched.line_score, product_skus=list(matched.line_skus))
    return MatchOut(
        method=matched.method,
        score=matched.score,
        candidate_sku=matched.candidate,
        candidates=[CandidateOut(product_sku=one.sku, score=one.score) for one in matched.guesses],
        product_line=line if matched.candidate else None,
    )


@router.post(
    "/v1/receipts",
    status_code=202,
    response_model=ReceiptOut | SeveralOut,
    openapi_extra=bodies.json_or_multipart(NewReceiptIn, marked=True),
)
async def submit(request: Request, caller: Caller, using: Using) -> Response:
    """Register what a member shows: a QR's text, a document, or a file (multipart).

    `qr` may be typed details or a link to a receipt's page, too. A file (`member_id`, `file`) is a
    picture, a PDF, an export of the FNS app or a letter; several receipts in it are each their own.
    Answers at once; what becomes of it is read by `GET /v1/receipts/{id}`. A document counts as
    verified only with the scope `receipts:verified`; otherwise a provider is asked.
    """
    if request.headers.get("content-type", "").startswith("multipart/"):
        sent = await bodies.read_multipart(request, most_bytes=FILE_BYTES, marked=True)
        member, file, device = sent.member_id, sent.file, sent.device
        found = await read_sent(Sent.FILE, file, using)
        content: dict[str, Any] = {"member_id": member, "device": device}
        files: tuple[bytes, ...] = (file,)
        submissions = _of_found(names.member_id(member), found, caller, using, Way.FILE)
    else:
        given = await bodies.read_json(request, NewReceiptIn, most_bytes=parsers.DOCUMENT_BYTES)
        submissions, found = await _of_json(given, caller, using)
        content, files, device = given.model_dump(), (), given.device
    if device is not None:
        mark = devices.blinded(using.vault, device)
        submissions = [replace(one, device=mark) for one in submissions]

    async def work(db: Db, now: datetime) -> Done:
        several = len(submissions) > 1
        registered = await registering.register(
            db, submissions, now=now, wall=using.clock.wall(), actor=caller.actor, once=several
        )
        keys = list(dict.fromkeys((one.member_id, one.receipt_id) for one in registered))
        stored = await queries.receipts(db, keys)
        first, *others = [receipt_out(stored[receipt_id], now) for _, receipt_id in keys]
        shown = first if not several else _several(first, others, registered, found.unread)
        return Done(202, shown, registered[0].member_id)

    return await once(request, caller, content, work, files=files, required=True, pipeline=True)


def _several(
    first: ReceiptOut, others: list[ReceiptOut], registered: Sequence[Registered], unread: int
) -> SeveralOut:
    counted = Counter(one.status for one in (first, *others))
    summary = SummaryOut(
        receipts=len(others) + 1,
        by_status={status: counted[status] for status in Status if counted[status]},
        repeated=sum(one.repeated for one in registered),
        unread=unread,
    )
    return SeveralOut(**dict(first), others=others, summary=summary)


async def _of_json(
    given: NewReceiptIn, caller: Key, using: Tools
) -> tuple[Sequence[Submission], Findings]:
    member_id = names.member_id(given.member_id)
    if (given.qr is None) == (given.document is None):
        raise Malformed("Send either qr, the text of the code, or document, the receipt itself.")
    if given.qr is not None:
        found = reader.of_text(given.qr)
        if found.links:
            found = await read_sent(Sent.TEXT, given.qr.encode("utf-8", "replace"), using)
        return handing.submissions(member_id, found, way=Way.TEXT), found
    documents = parsers.read(given.document or {})
    if len(documents) != 1:
        raise Malformed("Send one document; for several use POST /v1/receipts/batch.")
    found = Findings((Found(documents[0].qr, documents[0]),))
    return _of_found(member_id, found, caller, using, Way.DOCUMENT), found


def _of_found(
    member_id: UUID, found: Findings, caller: Key, using: Tools, way: Way
) -> Sequence[Submission]:
    evidence = caller.actor if caller.has(Scope.RECEIPTS_VERIFIED) else None
    pictured = handing.small(using.vault)
    return handing.submissions(member_id, found, way=way, evidence=evidence, pictured=pictured)


class Sent(StrEnum):
    """What a worker is handed to read."""

    FILE = "file"
    TEXT = "text"


async def read_sent(kind: Sent, content: bytes, using: Tools) -> Findings:
    """What a worker finds in it; a file without a receipt is a rejected receipt, no error."""
    payload = kind.encode() + b"\n" + content
    answer = await calls.request(
        using.database, using.waker, READ_SENT, payload, timeout_seconds=READ_SECONDS
    )
    return Findings.from_json(json.loads(answer))


@dataclass(frozen=True)
class SentReader:
    """A worker's part: the findings of a file or a text as JSON."""

    reader: reader.Reader

    async def __call__(self, payload: bytes, _call_id: UUID) -> bytes:
        kind, _, content = payload.partition(b"\n")
        if kind == Sent.TEXT.encode():
            found = await self.reader.text(content.decode("utf-8", "replace"))
        else:
            found = await self.reader.file(content, photos=True)
        return json.dumps(found.to_json()).encode()


@router.get("/v1/receipts/{receipt_id}")
async def one(receipt_id: str, _caller: Caller, using: Using) -> ReceiptOut:
    """A receipt with its lines, what was recognised in them, and the points they brought."""
    member_id, internal = names.receipt_ids(receipt_id)
    async with using.database.glance() as db:
        now = await using.clock.programme(db)
        receipt = await queries.receipt(db, member_id, internal)
        slip, check = await kit_db.together(
            db,
            queries.slip(db, receipt.member_id, receipt.receipt_id),
            queries.check(db, receipt.member_id, receipt.receipt_id),
        )
    shown = receipt_out(receipt, now)
    more = {"slip": _slip(slip) if slip else None, "check": _check(check, receipt)}
    return shown.model_copy(update=more)


def _check(check: queries.Check | None, receipt: queries.Receipt) -> CheckOut | None:
    if check is None or receipt.status is not Status.CHECKING:
        return None
    return CheckOut(
        asked=check.asked,
        next_at=check.next_at,
        until=receipt.registered_at + schedule.LONGEST,
        promised_points=check.promised_points,
    )


def _slip(slip: Slip) -> SlipOut:
    lines = [
        SlipLineOut(
            name=one.name,
            quantity=money.quantity_number(one.quantity_micro),
            sum_kopecks=one.sum_kopecks,
            order_mark=one.mark,
            seller_inn=one.seller_inn,
        )
        for one in slip.lines
    ]
    return SlipOut(place=slip.place, paid_ahead=slip.paid_ahead, lines=lines)


@router.get("/v1/receipts")
async def listed(
    _caller: Caller,
    using: Using,
    member_id: str | None = None,
    status: Status | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[ReceiptOut]:
    """Receipts, newest first: of a member, in a status, or all."""
    async with using.database.transaction() as db:
        now = await using.clock.programme(db)
        rows = await queries.page(
            db,
            member_id=names.member_id(member_id) if member_id else None,
            status=status,
            before=_before(cursor),
            limit=limit + 1,
        )
    return page(
        rows,
        limit,
        show=lambda receipt: receipt_out(receipt, now),
        position=lambda receipt: str(receipt.receipt_id),
    )


def _before(cursor: Cursor) -> UUID | None:
    position = cursor_of(cursor)
    try:
        return UUID(position) if position else None
    except ValueError as error:
        raise Malformed("Take the cursor from next_cursor of the page before.") from error


@router.post("/v1/receipts/{receipt_id}/lines/{line}/match")
async def decide_line(
    request: Request,
    receipt_id: str,
    line: int,
    decision: DecisionIn,
    caller: Annotated[Key, Depends(scope(Scope.CATALOG))],
) -> Response:
    """Decide a doubtful line: which product it is, or none; the shop's wording is learned."""
    member_id, internal = names.receipt_ids(receipt_id)

    async def work(db: Db, now: datetime) -> Done:
        receipt = await moderating.decide_line(
            db,
            member_id,
            internal,
            line=line,
            sku=decision.product_sku,
            now=now,
            actor=caller.actor,
        )
        return Done(200, receipt_out(receipt, now), member_id)

    return await once(request, caller, decision, work)
