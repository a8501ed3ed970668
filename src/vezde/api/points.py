"""Points: balances, history, and why."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from vezde.access.model import Key, Scope
from vezde.api import bodies, names
from vezde.api.callers import scope
from vezde.api.pages import BadCursor, Cursor, Limit, Page, cursor_of, page
from vezde.api.receipts import SellerOut
from vezde.api.tools import Tools, tools
from vezde.kit.db import Db
from vezde.ledger import queries as ledger
from vezde.ledger.model import Entry, Explained
from vezde.program import queries as program
from vezde.receipts import queries as receipts
from vezde.receipts.operations.settling import Matched

router = APIRouter(tags=["points"])
Caller = Annotated[Key, Depends(scope(Scope.POINTS))]
Using = Annotated[Tools, Depends(tools)]


class ExpiryOut(BaseModel):
    points: int
    at: datetime


class PointsOut(BaseModel):
    """Balances; `point_value_kopecks` is what a point pays."""

    active: int
    pending: int
    held: int
    debt: int
    next_expiry: ExpiryOut | None
    point_value_kopecks: int


class EntryOut(BaseModel):
    id: str
    kind: str
    points: int
    active_after: int
    pending_after: int
    occurred_at: datetime
    recorded_at: datetime
    title: str


class ExplainedLineOut(BaseModel):
    name: str | None
    product_sku: str | None
    method: str | None
    score: float | None
    sum_kopecks: int | None
    rate_bp: int
    points: int
    rule: str


class FiscalOut(BaseModel):
    fn: str
    fd: int
    fp: int


class LotOut(BaseModel):
    """Points of one lot (negative: it got them back), and what these points were given for."""

    entry_id: str
    points: int
    title: str | None = None
    occurred_at: datetime | None = None
    rule: str | None = None
    program_version: int | None = None
    receipt_id: str | None = None


class MissOut(BaseModel):
    rule: str
    because: str
    line: int | None = None


class ExplanationOut(BaseModel):
    """Why an entry is what it is: the rule, the version, the receipt's lines, the lots.

    `about` is the accrual reversed, the debit restored, the hold committed or released.
    """

    entry: EntryOut
    rule: str | None
    program_version: int | None
    receipt_id: str | None
    seller: SellerOut | None
    lines: list[ExplainedLineOut]
    fiscal: FiscalOut | None
    lots: list[LotOut] | None
    about: str | None = None
    misses: list[MissOut] | None = None


def entry_out(entry: Entry) -> EntryOut:
    return EntryOut(
        id=names.entry(entry.member_id, entry.seq),
        kind=entry.kind,
        points=entry.points,
        active_after=entry.active_after,
        pending_after=entry.pending_after,
        occurred_at=entry.occurred_at,
        recorded_at=entry.recorded_at,
        title=entry.title,
    )


@router.get("/v1/members/{member_id}/points")
async def balance(
    member_id: str,
    _caller: Caller,
    using: Using,
    as_of: datetime | None = None,
    by: ledger.By = ledger.By.RECORDED,
) -> PointsOut:
    """The balances now, or at `as_of`: as known then, or (`by=occurred`) what had happened by then
    of all that is known today.
    """
    known_at = bodies.instant("as_of", as_of) if as_of is not None else None
    async with using.database.transaction() as db:
        at = known_at or await using.clock.programme(db)
        points = await ledger.points(db, names.member_id(member_id), as_of=at, by=by)
        value = (await program.programmes(db)).at(at).point_value_kopecks
    due = points.next_expiry
    return PointsOut(
        active=points.active,
        pending=points.pending,
        held=points.held,
        debt=points.debt,
        next_expiry=ExpiryOut(points=due.points, at=due.at) if due else None,
        point_value_kopecks=value,
    )


@router.get("/v1/members/{member_id}/history")
async def history(
    member_id: str, _caller: Caller, using: Using, limit: Limit = 50, cursor: Cursor = None
) -> Page[EntryOut]:
    """What happened to the member's points, newest first."""
    position = cursor_of(cursor)
    if position is not None and not position.isdigit():
        raise BadCursor("Take the cursor from next_cursor of the page before.")
    async with using.database.transaction() as db:
        entries = await ledger.history(
            db,
            names.member_id(member_id),
            limit=limit + 1,
            before_seq=int(position) if position else None,
        )
    return page(entries, limit, show=entry_out, position=lambda entry: str(entry.seq))


@router.get("/v1/history/{entry_id}/explanation")
async def explanation(
    entry_id: str, _caller: Caller, using: Using, misses: bool = False
) -> ExplanationOut:
    """Why these points: rules, lines and the receipt; with `misses=true` what did not fire too."""
    member_id, seq = names.entry_key(entry_id)
    async with using.database.transaction() as db:
        found = await ledger.entry(db, member_id, seq)
        # What came from another account is explained by what it was earned for there.
        origin = found if found.origin is None else await ledger.entry(db, *found.origin)
        earner = origin.entry.member_id
        lots = await _lots(db, found, origin)
        receipt = await _receipt(db, earner, origin.proof)
        missed = await _misses(db, earner, origin.proof) if misses else None
    return _explained(found, origin, receipt, lots, missed)


async def _receipt(db: Db, member_id: UUID, proof: dict[str, Any]) -> receipts.Receipt | None:
    receipt_id = proof.get("receipt_id")
    if receipt_id is None:
        return None
    return await receipts.receipt(db, member_id, UUID(receipt_id))


async def _misses(db: Db, member_id: UUID, proof: dict[str, Any]) -> list[MissOut]:
    fact_id = proof.get("fact_id")
    if fact_id is None:
        return []
    return [
        MissOut(rule=one.rule, because=one.because, line=one.line)
        for one in await program.misses(db, member_id, UUID(fact_id))
    ]


def _explained(
    found: Explained,
    origin: Explained,
    receipt: receipts.Receipt | None,
    lots: list[LotOut],
    missed: list[MissOut] | None,
) -> ExplanationOut:
    proof = origin.proof
    fiscal = proof.get("fiscal")
    rules = list(dict.fromkeys(part.rule for part in origin.parts))
    return ExplanationOut(
        entry=entry_out(found.entry),
        rule=rules[0] if rules else None,
        program_version=proof.get("version"),
        receipt_id=names.receipt(receipt.member_id, receipt.receipt_id) if receipt else None,
        seller=SellerOut(
            inn=receipt.seller_inn,
            name=receipt.seller_name,
            kind=receipt.seller_kind,
            sales_channel=receipt.sales_channel,
        )
        if receipt
        else None,
        lines=_lines(origin, receipt),
        fiscal=FiscalOut(fn=f"{fiscal[0]:016d}", fd=fiscal[1], fp=fiscal[2]) if fiscal else None,
        lots=lots or None,
        about=_about(found),
        misses=missed,
    )


async def _lots(db: Db, found: Explained, origin: Explained) -> list[LotOut]:
    """The lots a debit took from; of what came from another account the accrual there."""
    member_id = found.entry.member_id
    if origin is not found:
        return [_lot(found.entry.points, origin)]
    shown = []
    for lot in found.lots:
        gave = await ledger.entry(db, member_id, lot.lot_seq)
        earned = gave if gave.origin is None else await ledger.entry(db, *gave.origin)
        shown.append(_lot(lot.points, earned))
    return shown


def _lot(points: int, earned: Explained) -> LotOut:
    entry, proof = earned.entry, earned.proof
    receipt_id = proof.get("receipt_id")
    rules = [part.rule for part in earned.parts]
    return LotOut(
        entry_id=names.entry(entry.member_id, entry.seq),
        points=points,
        title=entry.title,
        occurred_at=entry.occurred_at,
        rule=rules[0] if rules else None,
        program_version=proof.get("version"),
        receipt_id=names.receipt(entry.member_id, UUID(receipt_id)) if receipt_id else None,
    )


def _about(found: Explained) -> str | None:
    """The entry this one is about, wherever it was written."""
    if found.entry.about_seq is not None:
        return names.entry(found.entry.member_id, found.entry.about_seq)
    if "about" in found.proof:
        member_id, seq = found.proof["about"]
        return names.entry(UUID(member_id), int(seq))
    return None


def _score(match: Matched) -> float:
    """How surely it is the product, or where that is not known its product line."""
    return match.score if match.sku else match.line_score


def _lines(found: Explained, receipt: receipts.Receipt | None) -> list[ExplainedLineOut]:
    document = receipt.document if receipt else None
    printed = {line.line: line for line in document.lines} if document else {}
    matched = {one.line: one for one in receipt.matched} if receipt else {}
    shown = []
    for part in found.parts:
        line, match = printed.get(part.line), matched.get(part.line)
        shown.append(
            ExplainedLineOut(
                name=line.name if line else None,
                product_sku=match.sku if match else None,
                method=match.method if match else None,
                score=_score(match) if match else None,
                sum_kopecks=line.sum_kopecks if line else None,
                rate_bp=part.rate_bp,
                points=part.points,
                rule=part.rule,
            )
        )
    return shown
