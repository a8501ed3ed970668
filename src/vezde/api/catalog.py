"""The catalogue: the brand's products."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict

from vezde.access.model import Key, Scope
from vezde.api import bodies
from vezde.api.callers import scope
from vezde.api.pages import Cursor, Limit, Page, cursor_of, page
from vezde.api.tools import Tools, tools
from vezde.catalog import operations, queries
from vezde.catalog.model import Mode, Product

router = APIRouter(tags=["catalog"])
Caller = Annotated[Key, Depends(scope(Scope.CATALOG))]
Using = Annotated[Tools, Depends(tools)]
MOST_BYTES = 32 * 1024 * 1024


class ProductOut(BaseModel):
    """An article of the brand; the same fields are what an import takes."""

    sku: str
    name: str
    brand: str
    gtin: str | None
    line: str | None
    category: str | None
    tags: list[str]
    size: str | None
    shade: str | None
    set_units: int | None
    price_kopecks: int | None
    cost_kopecks: int | None
    replenish_days: int | None
    photo_url: str | None
    aliases: list[str]
    nm_id: int | None
    ozon_sku: int | None
    market_sku: int | None
    offers: dict[str, str]
    only_on: str | None

    @classmethod
    def of(cls, product: Product) -> "ProductOut":
        return cls.model_validate(product, from_attributes=True)


class ImportIn(BaseModel):
    """Products by field. Merging, an absent field stays as it was and null takes it away."""

    model_config = ConfigDict(extra="forbid")
    items: list[dict[str, Any]]
    mode: Mode


class OutcomeOut(BaseModel):
    row: int
    sku: str | None
    outcome: str
    error: str | None = None


class ReportOut(BaseModel):
    items: list[OutcomeOut]


@router.put(
    "/v1/catalog/products",
    openapi_extra=bodies.json_body(ImportIn),
)
async def put(request: Request, caller: Caller, using: Using) -> ReportOut:
    """Create and change products; `replace` archives those that are not in `items`.

    A wrong row changes nothing and stops nothing; the answer has one item a row, in order.
    """
    given = await bodies.read_json(request, ImportIn, most_bytes=MOST_BYTES)
    async with using.database.transaction() as db:
        outcomes = await operations.import_products(
            db,
            given.items,
            mode=given.mode,
            now=await using.clock.programme(db),
            actor=caller.actor,
        )
    return ReportOut(
        items=[
            OutcomeOut(row=one.row, sku=one.sku, outcome=one.outcome, error=one.error)
            for one in outcomes
        ]
    )


@router.get("/v1/catalog/products")
async def listed(
    _caller: Caller, using: Using, limit: Limit = 50, cursor: Cursor = None
) -> Page[ProductOut]:
    """Products by SKU; archived ones are left out."""
    async with using.database.transaction() as db:
        rows = await queries.products(db, after=cursor_of(cursor), limit=limit + 1)
    return page(rows, limit, show=ProductOut.of, position=lambda product: product.sku)
