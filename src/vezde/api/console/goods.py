"""Products to choose from, names that were learned, shops that wait for a name."""

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from vezde.access import operations as access
from vezde.access import queries as access_queries
from vezde.access.staff import Right, Shift
from vezde.api import sellers
from vezde.api.callers import right
from vezde.api.console.sessions import PATH
from vezde.api.pages import BadCursor, Cursor, Limit, Page, cursor_of, page
from vezde.api.sellers import LabelIn, SellerOut, StanceIn
from vezde.api.tools import Tools, tools
from vezde.catalog import operations as catalog
from vezde.catalog import queries as catalog_queries
from vezde.catalog.queries import Alias
from vezde.kit import clock, ids
from vezde.kit.db import Db
from vezde.kit.errors import DomainError
from vezde.kit.errors import Kind as ErrorKind
from vezde.program import queries as program
from vezde.receipts import looks
from vezde.receipts.looks import Key
from vezde.receipts.operations import moderating
from vezde.sellers import operations as seller_operations
from vezde.sellers import queries as seller_queries
from vezde.sellers.model import Kind, Stance

router = APIRouter(tags=["console"])
Moderator = Annotated[Shift, Depends(right(Right.MODERATE))]
Using = Annotated[Tools, Depends(tools)]
Asked = Annotated[str, Query(max_length=200)]
RECEIPTS_AT_ONCE, LINES_AT_ONCE = 300, 50


class AliasUnknown(DomainError):
    """Nothing was learned of this name at this seller, or it was taken back."""

    code = "alias_unknown"
    kind = ErrorKind.MISSING


class ProductOut(BaseModel):
    sku: str
    name: str
    brand: str
    size: str | None
    shade: str | None
    price_kopecks: int | None


class ProductsOut(BaseModel):
    items: list[ProductOut]


class ChoicesOut(BaseModel):
    """What a shop can be called."""

    kinds: list[str]
    sales_channels: list[str]


class AliasOut(BaseModel):
    """What a seller prints for a product (null: for none of ours), and who taught it."""

    seller_inn: str
    name: str
    printed: str
    product_sku: str | None
    product_name: str | None
    learned_at: datetime
    learned_by: str


class AliasIn(BaseModel):
    """Which learned name to take back; `after` is `next` of the answer before."""

    model_config = ConfigDict(extra="forbid")
    seller_inn: Annotated[str, Field(max_length=12)]
    name: Annotated[str, Field(max_length=2_000)]
    after: str | None = None


class WithdrawnOut(BaseModel):
    """`lines` wait again and their points went back; `next`: there may be more, ask again."""

    lines: int
    skipped: int
    next: str | None


@router.get(f"{PATH}/products")
async def products(_shift: Moderator, using: Using, q: Asked) -> ProductsOut:
    """Products whose SKU, barcode or name has all these words; else those most like them."""
    async with using.database.transaction() as db:
        found = await catalog_queries.search(db, q, limit=20)
    return ProductsOut(
        items=[
            ProductOut(
                sku=one.sku,
                name=one.name,
                brand=one.brand,
                size=one.size,
                shade=one.shade,
                price_kopecks=one.price_kopecks,
            )
            for one in found
        ]
    )


@router.get(f"{PATH}/sellers")
async def listed(
    _shift: Moderator,
    using: Using,
    unknown: bool | None = None,
    stance: Stance | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[SellerOut]:
    """Sellers by INN; `unknown=true` are those that wait for a name, or those with a `stance`."""
    async with using.database.transaction() as db:
        rows = await sellers.some(db, unknown, stance, limit=limit + 1, after=cursor_of(cursor))
    return page(rows, limit, show=sellers.seller_out, position=lambda seller: seller.inn)


@router.get(f"{PATH}/choices")
async def choices(_shift: Moderator, using: Using) -> ChoicesOut:
    """Kinds of shops and sales channels there are."""
    async with using.database.transaction() as db:
        now = await using.clock.programme(db)
        channels = (await program.programmes(db)).at(now).sales_channels
    return ChoicesOut(kinds=list(Kind), sales_channels=sorted(channels))


@router.put(f"{PATH}/sellers/{{inn}}")
async def label(inn: str, given: LabelIn, shift: Moderator, using: Using) -> SellerOut:
    """Say what an INN is; its past receipts are relabelled."""
    async with using.database.transaction() as db:
        now = await using.clock.programme(db)
        before = await seller_queries.seller(db, inn)
        named = await sellers.named(db, inn, given, now=now, actor=shift.operator.actor)
        was = {"kind": before.kind, "sales_channel": before.sales_channel} if before else None
        await access.note(
            *(db, shift.operator, "seller_named"),
            now=now,
            details={"inn": inn, "before": was, "after": given.model_dump(exclude={"name"})},
        )
    return sellers.seller_out(named)


@router.put(f"{PATH}/sellers/{{inn}}/stance")
async def judge(inn: str, given: StanceIn, shift: Moderator, using: Using) -> SellerOut:
    """Trust, watch or block a seller from now on; null takes it back."""
    async with using.database.transaction() as db:
        now = await using.clock.programme(db)
        before = await seller_queries.seller(db, inn)
        judged = await seller_operations.judge(
            *(db, inn), stance=given.stance, note=given.note, now=now, actor=shift.operator.actor
        )
        was = {"stance": before.stance if before else None}
        await access.note(
            *(db, shift.operator, "seller_judged"),
            now=now,
            details={"inn": judged.inn, "before": was, "after": {"stance": given.stance}},
        )
    return sellers.seller_out(judged)


@router.get(f"{PATH}/aliases")
async def aliases(
    _shift: Moderator, using: Using, q: Asked = "", limit: Limit = 50, cursor: Cursor = None
) -> Page[AliasOut]:
    """Learned names, the newest first; `q`: a SKU, or how the printed name begins."""
    after = _place(cursor)
    async with using.database.transaction() as db:
        rows = await catalog_queries.aliases(db, text=q or None, after=after, limit=limit + 1)
        skus = sorted({one.sku for one in rows if one.sku})
        known = await catalog_queries.products_by_sku(db, skus) if skus else {}
        people = await _people(db)
    return page(
        rows,
        limit,
        show=lambda one: AliasOut(
            seller_inn=one.seller_inn,
            name=one.name,
            printed=one.printed,
            product_sku=one.sku,
            product_name=known[one.sku].name if one.sku in known else None,
            learned_at=one.learned_at,
            learned_by=people.get(one.learned_by, one.learned_by.partition(":")[0]),
        ),
        position=_position,
    )


@router.post(f"{PATH}/aliases/withdraw")
async def withdraw(given: AliasIn, shift: Moderator, using: Using) -> WithdrawnOut:
    """Unlearn a name; what it paid is taken back and waits for a person. Again with `next`."""
    inn = given.seller_inn or None
    async with using.database.transaction() as db:
        now = await using.clock.programme(db)
        if given.after is None:
            known = await _unlearn(db, given, shift, now)
            ahead = timedelta(seconds=await clock.offset_seconds(db))
            start = ids.first_at(known.learned_at - ahead)
            decided = await looks.taught(
                db, seller_inn=inn, printed=known.printed, limit=LINES_AT_ONCE
            )
        else:
            start, decided = _after(given.after), []
        paid, last = await looks.by_alias(
            db, seller_inn=inn, key=given.name, after=start, limit=RECEIPTS_AT_ONCE
        )
    done = skipped = 0
    for key in [*(key for key, _ in decided), *paid]:
        if await _doubted(key, shift, using):
            done += 1
        else:
            skipped += 1
    return WithdrawnOut(lines=done, skipped=skipped, next=str(last) if last else None)


async def _unlearn(db: Db, given: AliasIn, shift: Shift, now: datetime) -> Alias:
    known = await catalog_queries.alias(db, seller_inn=given.seller_inn, name=given.name)
    if known is None:
        raise AliasUnknown("Nothing is learned of this name (any more); look at the list again.")
    await catalog.unlearn_alias(
        *(db,),
        seller_inn=given.seller_inn,
        name=known.printed,
        now=now,
        actor=shift.operator.actor,
    )
    details = {"inn": given.seller_inn, "printed": known.printed}
    before = {"product_sku": known.sku}
    await access.note(
        *(db, shift.operator, "alias_withdrawn"), now=now, details={**details, "before": before}
    )
    return known


async def _doubted(key: Key, shift: Shift, using: Tools) -> bool:
    """Whether the line waits again; one that was returned or changed meanwhile is left alone."""
    member_id, receipt_id, line = key
    try:
        async with using.database.transaction() as db:
            now = await using.clock.programme(db)
            return await moderating.doubt(
                *(db, member_id, receipt_id), line=line, now=now, actor=shift.operator.actor
            )
    except DomainError:
        return False


async def _people(db: Db) -> dict[str, str]:
    return {one.actor: one.name for one in await access_queries.operators(db)}


def _after(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise BadCursor("Take `after` from `next` of the answer before.") from error


def _position(one: Alias) -> str:
    return f"{one.learned_at.isoformat()} {one.seller_inn} {one.name}"


def _place(cursor: str | None) -> tuple[datetime, str, str] | None:
    position = cursor_of(cursor)
    if position is None:
        return None
    try:
        at, inn, name = position.split(" ", 2)
        learned_at = datetime.fromisoformat(at)
        aware = learned_at.tzinfo is not None
    except ValueError:
        aware = False
    if not aware:
        raise BadCursor("Take the cursor from next_cursor of the page before.")
    return learned_at, inn, name
