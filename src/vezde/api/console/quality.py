"""How well lines are recognised, brand by brand, and from which scores on they are certain."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from vezde.access import operations as access
from vezde.access import queries as access_queries
from vezde.access.staff import Right, Shift
from vezde.api.callers import right
from vezde.api.console.sessions import PATH
from vezde.api.tools import Tools, tools
from vezde.catalog import measuring
from vezde.catalog import operations as catalog
from vezde.catalog import queries as catalog_queries
from vezde.catalog.matcher import Thresholds
from vezde.catalog.measuring import Because, Stage
from vezde.catalog.queries import BrandThresholds
from vezde.kit.db import Db
from vezde.receipts import section

router = APIRouter(tags=["console"])
Reader = Annotated[Shift, Depends(right(Right.QUALITY))]
Tuner = Annotated[Shift, Depends(right(Right.TUNE))]
Using = Annotated[Tools, Depends(tools)]
Score = Annotated[float, Field(ge=measuring.LOWEST, le=1)]


class ThresholdsIn(BaseModel):
    """Scores from which a product line and a SKU are certain; both null: as everybody has them."""

    model_config = ConfigDict(extra="forbid")
    line: Score | None
    sku: Score | None


class SuggestionOut(BaseModel):
    """Another threshold for SKUs: `safe_lower` where enough lines show it, `wrong_above` where
    accepted lines were wrong; `lines` is how many were looked at.
    """

    sku: float
    because: Because
    lines: int


class BrandOut(BaseModel):
    """`checked` accepted lines were looked at, `wrong` of them were not right.

    `low` and `high` are the 95 % interval of the precision. `needed`: checked lines without an
    error to the next stage. Of `decided` lines in doubt the first guess was right `first_right`
    times. `own` false: the thresholds are those everybody has.
    """

    brand: str
    checked: int
    wrong: int
    precision: float | None
    low: float | None
    high: float | None
    stage: Stage
    needed: int | None
    decided: int
    first_right: int
    line: float
    sku: float
    own: bool
    set_at: datetime | None
    set_by: str | None
    suggestion: SuggestionOut | None


class QualityOut(BaseModel):
    """`audit_bp` is the share of accepted lines that goes to a person; 100 is 1 %."""

    items: list[BrandOut]
    audit_bp: int


@router.get(f"{PATH}/quality")
async def quality(_shift: Reader, using: Using) -> QualityOut:
    """What was measured of each brand, its thresholds, and those that would fit."""
    async with using.database.transaction() as db:
        now = await using.clock.programme(db)
        default = (await catalog_queries.matcher(db)).default
        said = {one.brand: one for one in await catalog_queries.thresholds(db)}
        people = {one.actor: one.name for one in await access_queries.operators(db)}
        return QualityOut(
            items=[
                await _brand(db, brand, said.get(brand), default, people)
                for brand in await catalog_queries.brands(db)
            ],
            audit_bp=(await section.in_force(db, now)).audit_bp,
        )


@router.put(f"{PATH}/quality/{{brand}}/thresholds")
async def tune(brand: str, given: ThresholdsIn, shift: Tuner, using: Using) -> BrandOut:
    """Set a brand's thresholds; what was recognised before stays."""
    if (given.line is None) != (given.sku is None):
        raise catalog.InvalidThresholds("Give both scores, or null for both")
    async with using.database.transaction() as db:
        now = await using.clock.programme(db)
        before = {one.brand: one for one in await catalog_queries.thresholds(db)}.get(brand)
        new = (
            Thresholds(given.line, given.sku)
            if given.line is not None and given.sku is not None
            else None
        )
        await catalog.set_thresholds(db, brand, new, now=now, actor=shift.operator.actor)
        was = {"line": before.line, "sku": before.sku} if before else None
        await access.note(
            *(db, shift.operator, "thresholds_set"),
            now=now,
            details={"brand": brand, "before": was, "after": given.model_dump()},
        )
        default = (await catalog_queries.matcher(db)).default
        said = {one.brand: one for one in await catalog_queries.thresholds(db)}
        people = {shift.operator.actor: shift.operator.name}
        return await _brand(db, brand, said.get(brand), default, people)


async def _brand(
    db: Db,
    brand: str,
    said: BrandThresholds | None,
    default: Thresholds,
    people: dict[str, str],
) -> BrandOut:
    verdicts = await catalog_queries.verdicts(db, brand)
    found = measuring.measure(verdicts)
    own = said.own if said else None
    current = own or default
    fits = measuring.suggest(verdicts, current.sku)
    return BrandOut(
        brand=brand,
        checked=found.checked,
        wrong=found.wrong,
        precision=found.precision,
        low=found.low,
        high=found.high,
        stage=found.stage,
        needed=found.needed,
        decided=found.decided,
        first_right=found.first_right,
        line=round(current.line, 4),
        sku=round(current.sku, 4),
        own=own is not None,
        set_at=said.set_at if said else None,
        set_by=people.get(said.set_by, said.set_by.partition(":")[0]) if said else None,
        suggestion=(
            SuggestionOut(sku=fits.sku, because=fits.because, lines=fits.lines) if fits else None
        ),
    )
