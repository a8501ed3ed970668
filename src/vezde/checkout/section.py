"""The programme's sections `burning` and `returns` as marketers write them, and our copy."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, LiteralString

from psycopg.types.json import Jsonb
from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from vezde.checkout.model import Change, Limits, Rules
from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.ledger.model import Debt, DebtPolicy
from vezde.program.document import Exclude
from vezde.program.model import Programmes

INSTALL: LiteralString = """
INSERT INTO checkout.section (version, name, valid_from, section) VALUES (%s, %s, %s, %s)
"""
ALL: LiteralString = "SELECT version, name, section FROM checkout.section ORDER BY version"

# By the chain that names all versions of the programme, as `program.queries` keeps them.
_PARSED: dict[bytes, Mapping[int, Rules]] = {}
MAX_PARSED = 32

ShareBp = Annotated[int, Field(ge=0, le=10_000)]
Floor = Annotated[int, Field(ge=0, le=1)]
Points = Annotated[int, Field(ge=1, le=1_000_000_000)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class BurningRule(_Part):
    """What is otherwise in a sales channel; what is left out is as in general."""

    share_bp: ShareBp | None = Field(default=None, description="As `burning.share_bp`")
    line_floor_kopecks: Floor | None = Field(
        default=None, description="As `burning.line_floor_kopecks`"
    )
    delivery: bool | None = Field(default=None, description="As `burning.delivery`")
    min_points: Points | None = Field(default=None, description="As `burning.min_points`")
    max_points: Points | None = Field(default=None, description="As `burning.max_points`")


class BurningSection(_Part):
    """What of an order of the brand's own points can pay."""

    share_bp: ShareBp = Field(
        default=10_000, description="Share of the order: 10000 is all of it, 0 nothing"
    )
    line_floor_kopecks: Floor = Field(
        default=0, description="Money that must be left of every line: nothing or one kopeck"
    )
    delivery: bool = Field(default=False, description="Whether points pay the delivery too")
    min_points: Points | None = Field(
        default=None, description="Least points that an order can be paid with; null is no limit"
    )
    max_points: Points | None = Field(
        default=None, description="Most points that an order can be paid with; null is no limit"
    )
    exclude: Exclude = Field(default_factory=Exclude, description="Products that points never pay")
    channels: dict[str, BurningRule] = Field(
        default_factory=dict, description="Otherwise in these sales channels"
    )
    earn_on_points: bool = Field(
        default=False, description="Whether the part paid with points earns points, too"
    )

    @model_validator(mode="before")
    @classmethod
    def _no_levels(cls, given: Any) -> Any:
        """A limit that nobody has would look like one that is kept."""
        if isinstance(given, dict) and given.get("levels"):
            raise PydanticCustomError(
                "no_levels",
                "Members have no levels yet, so points cannot pay otherwise at one. Leave "
                "`burning.levels` out; limits can differ by sales channel, in `burning.channels`.",
            )
        return _without_levels(given)


class ReturnsSection(_Part):
    """What becomes of points when an order, or a part of it, is returned."""

    grace_days: Annotated[int, Field(ge=0, le=366)] = Field(
        default=0,
        description="Points given back whose date has passed live so many days more; 0: they "
        "expire at once",
    )
    debt: DebtPolicy = Field(
        default=DebtPolicy.FORGIVE,
        strict=False,
        description="Points to be taken back that were spent already: `forgive` them, `forbid` "
        "the return, or keep them as `debt` that the next points repay",
    )
    debt_limit: Points | None = Field(
        default=None, description="With `debt`: most that may be owed; the rest is forgiven"
    )


async def install_burning(
    db: Db, section: dict[str, Any], *, version: int, valid_from: datetime
) -> None:
    """Keep the section `burning` of a version just published."""
    checked = BurningSection.model_validate(section)
    await _install(db, "burning", checked, version=version, valid_from=valid_from)


async def install_returns(
    db: Db, section: dict[str, Any], *, version: int, valid_from: datetime
) -> None:
    """Keep the section `returns` of a version just published."""
    checked = ReturnsSection.model_validate(section)
    await _install(db, "returns", checked, version=version, valid_from=valid_from)


async def rules(db: Db, programmes: Programmes, *, version: int) -> Rules:
    """The rules of a version; nothing is read when no version was published since the last time.

    A version published before these sections were known has the default ones.
    """
    parsed = _PARSED.get(programmes.chain)
    if parsed is None:
        parsed = await _parse(db)
        while len(_PARSED) >= MAX_PARSED:
            _PARSED.pop(next(iter(_PARSED)))
        _PARSED[programmes.chain] = parsed
    return parsed.get(version) or compiled(BurningSection(), ReturnsSection())


def compiled(burning: BurningSection, returns: ReturnsSection) -> Rules:
    """Both sections as one flat set of rules."""
    return Rules(
        general=Limits(
            burning.share_bp,
            burning.line_floor_kopecks,
            burning.delivery,
            burning.min_points,
            burning.max_points,
        ),
        channels={name: _change(rule) for name, rule in burning.channels.items()},
        excluded_skus=frozenset(burning.exclude.skus),
        excluded_categories=frozenset(one.casefold() for one in burning.exclude.categories),
        excluded_tags=frozenset(one.casefold() for one in burning.exclude.tags),
        earn_on_points=burning.earn_on_points,
        grace_days=returns.grace_days,
        debt=Debt(returns.debt, returns.debt_limit if returns.debt is DebtPolicy.DEBT else None),
    )


async def _install(
    db: Db, name: str, checked: BaseModel, *, version: int, valid_from: datetime
) -> None:
    await db.execute(INSTALL, [version, name, valid_from, Jsonb(checked.model_dump(mode="json"))])


@dataclass(frozen=True)
class _Row:
    version: int
    name: str
    section: dict[str, Any]


async def _parse(db: Db) -> dict[int, Rules]:
    found: dict[int, dict[str, dict[str, Any]]] = {}
    for row in await kit_db.fetch_all(db, _Row, ALL):
        found.setdefault(row.version, {})[row.name] = row.section
    return {
        version: compiled(
            BurningSection.model_validate(_without_levels(sections.get("burning", {}))),
            ReturnsSection.model_validate(sections.get("returns", {})),
        )
        for version, sections in found.items()
    }


def _without_levels(given: Any) -> Any:
    """Sections published before could hold levels, which never meant anything."""
    if not isinstance(given, dict):
        return given
    return {name: value for name, value in given.items() if name != "levels"}


def _change(rule: BurningRule) -> Change:
    return Change(
        rule.share_bp,
        rule.line_floor_kopecks,
        rule.delivery,
        rule.min_points,
        rule.max_points,
    )
