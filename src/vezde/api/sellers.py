"""Sellers: the shops that receipts name, and what they are called here."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from vezde.access.model import Key, Scope
from vezde.api.callers import scope
from vezde.api.pages import Cursor, Limit, Page, cursor_of, page
from vezde.api.problems import Malformed
from vezde.api.tools import Tools, tools
from vezde.kit.db import Db
from vezde.kit.errors import DomainError, FieldError
from vezde.kit.errors import Kind as ErrorKind
from vezde.program import queries as program
from vezde.sellers import operations, queries
from vezde.sellers.model import Seller, Stance

router = APIRouter(tags=["sellers"])
Caller = Annotated[Key, Depends(scope(Scope.SELLERS))]
Using = Annotated[Tools, Depends(tools)]


class UnknownChannel(DomainError):
    """A sales channel that neither Vezde nor the programme in force knows."""

    code = "unknown_channel"
    kind = ErrorKind.INVALID


class LabelIn(BaseModel):
    """What an INN is: the name members know it by, its kind, its sales channel."""

    model_config = ConfigDict(extra="forbid")
    name: str
    kind: str
    sales_channel: str


class SellerOut(BaseModel):
    inn: str
    name: str | None
    kind: str
    sales_channel: str
    known: bool
    first_seen_at: datetime | None
    stance: Stance | None = None
    stance_note: str | None = None


class StanceIn(BaseModel):
    """`trusted`, `watched`, `blocked` or null, and why."""

    model_config = ConfigDict(extra="forbid")
    stance: Stance | None
    note: Annotated[str, Field(max_length=operations.NOTE_LIMIT)] = ""


def seller_out(seller: Seller) -> SellerOut:
    return SellerOut(
        inn=seller.inn,
        name=seller.name or seller.seen_name,
        kind=seller.kind,
        sales_channel=seller.sales_channel,
        known=seller.source is not None,
        first_seen_at=seller.first_seen_at,
        stance=Stance(seller.stance) if seller.stance else None,
        stance_note=seller.stance_note,
    )


@router.get("/v1/sellers")
async def listed(
    _caller: Caller,
    using: Using,
    unknown: bool | None = None,
    stance: Stance | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[SellerOut]:
    """Sellers by INN; `unknown=true` are those that wait for a name, or those with a `stance`."""
    async with using.database.transaction() as db:
        rows = await some(db, unknown, stance, limit=limit + 1, after=cursor_of(cursor))
    return page(rows, limit, show=seller_out, position=lambda seller: seller.inn)


async def some(
    db: Db, unknown: bool | None, stance: Stance | None, *, limit: int, after: str | None
) -> list[Seller]:
    """Sellers asked for in one of the two ways; raises `Malformed` for both at once."""
    if stance is None:
        return await queries.sellers(db, unknown=unknown, limit=limit, after_inn=after)
    if unknown is not None:
        raise Malformed("Ask by unknown or by stance, one of them.")
    return await queries.with_stance(db, stance, limit=limit, after_inn=after)


@router.put("/v1/sellers/{inn}")
async def label(inn: str, given: LabelIn, caller: Caller, using: Using) -> SellerOut:
    """Say what an INN is; its past receipts are relabelled, what was priced stays priced."""
    async with using.database.transaction() as db:
        now = await using.clock.programme(db)
        return seller_out(await named(db, inn, given, now=now, actor=caller.actor))


@router.put("/v1/sellers/{inn}/stance")
async def judge(inn: str, given: StanceIn, caller: Caller, using: Using) -> SellerOut:
    """Trust, watch or block a seller from now on; null takes it back. The past stays decided."""
    async with using.database.transaction() as db:
        now = await using.clock.programme(db)
        return seller_out(
            await operations.judge(
                *(db, inn), stance=given.stance, note=given.note, now=now, actor=caller.actor
            )
        )


async def named(db: Db, inn: str, given: LabelIn, *, now: datetime, actor: str) -> Seller:
    """The seller as it is called from now on; raises `UnknownChannel` and what `label` raises."""
    await _check_channel(db, given.sales_channel, now=now)
    return await operations.label(
        db,
        inn,
        name=given.name,
        kind=given.kind,
        sales_channel=given.sales_channel,
        now=now,
        actor=actor,
    )


async def _check_channel(db: Db, sales_channel: str, *, now: datetime) -> None:
    """Raises `UnknownChannel`: a mistyped one would earn by the default and nobody would notice."""
    known = (await program.programmes(db)).at(now).sales_channels
    if sales_channel not in known:
        detail = (
            f"Take one of {', '.join(sorted(known))}, or add it to the programme's sales_channels."
        )
        errors = (FieldError("sales_channel", UnknownChannel.code, detail),)
        raise UnknownChannel(f"There is no such sales channel. {detail}", errors=errors)
