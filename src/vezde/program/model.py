"""Facts, standings, decisions and programmes: what `decide` reads and answers."""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID
from zoneinfo import ZoneInfo

from vezde.kit.errors import DomainError, Kind
from vezde.kit.i18n import Locale, Plural
from vezde.kit.money import Rounding
from vezde.ledger.model import Part

PURCHASE_RECORDED = "purchase.recorded/1"
# An order that the shop itself reported: nobody showed it, so the rules of showing do not apply.
ORDER_RECORDED = "order.recorded/1"
LINES_RECOGNISED = "purchase.lines_recognised/1"
# A marking code of the brand's own was scanned; nothing was bought by that.
PACK_SCANNED = "pack.scanned/1"

# The first version is in force from here: earlier than any receipt with a fiscal key.
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


class Refusal(StrEnum):
    """Why a whole fact earns nothing; a plain string wherever it is stored or answered."""

    TOO_OLD = "too_old"
    FROM_FUTURE = "from_future"
    DAILY_LIMIT = "daily_limit"


class NoProgramme(DomainError):
    """Nothing can be priced: no programme was ever published here."""

    code = "program_missing"
    kind: ClassVar[Kind] = Kind.REFUSED


@dataclass(frozen=True, slots=True)
class Variant:
    """Products of one product line that rules cannot tell apart but by SKU."""

    skus: tuple[str, ...]
    category: str | None = None
    tags: tuple[str, ...] = ()
    product_line: str | None = None


@dataclass(frozen=True, slots=True)
class FactLine:
    """One line of a basket; without `sku` and `variants` it is not (yet) the brand's.

    `variants`: it is surely one of these products of a product line, and which of them the till
    does not say. `product_line` is the catalogue's name of the SKU's. `decided` lines were priced
    before and only stand there for the basket's sake; what is not `earnable` the shop itself keeps
    out of the programme.
    """

    line: int
    sku: str | None
    category: str | None
    tags: tuple[str, ...]
    quantity_micro: int
    sum_kopecks: int
    decided: bool
    earnable: bool = True
    product_line: str | None = None
    variants: tuple[Variant, ...] = ()


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that happened to a member and may earn.

    `occurred_at` picks the version, the day of the points cap and the start of the hold;
    `registered_at` is when the member showed it, `recorded_at` when it is decided; `wall_time` is
    naive, as printed. `proof` goes into the lot as it is, beside what the decision adds; `place` is
    named in the member's history.
    """

    id: UUID
    kind: str
    member_id: UUID
    purchase_id: UUID
    occurred_at: datetime
    wall_time: datetime
    registered_at: datetime
    recorded_at: datetime
    sales_channel: str
    lines: tuple[FactLine, ...]
    proof: dict[str, Any] = field(default_factory=dict)
    place: str | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """What a member's earlier decisions add up to, as one fact has to see it.

    `earned_that_day`: points of the local day of the fact's `occurred_at`; `shown_that_day`:
    purchases that were not refused, by the local day of its `registered_at`; `purchase_refusal`:
    of lines recognised later, why their purchase had been refused.
    """

    earned_that_day: int = 0
    shown_that_day: int = 0
    purchase_refusal: str | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What a fact is worth: `parts` add up to `points`, which is at most `wanted`.

    `active_at` and `expires_at` are None when there are no points (the latter also when points
    never expire). `at_once` of the points do not wait for `active_at`.
    """

    fact_id: UUID
    version: int
    refusal: str | None
    wanted: int
    points: int
    parts: tuple[Part, ...]
    active_at: datetime | None
    expires_at: datetime | None
    at_once: int = 0


@dataclass(frozen=True, slots=True)
class Miss:
    """A rule that gave nothing: its id, a stable code, a sentence, the line or the whole fact."""

    rule: str
    code: str
    because: str
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Earning:
    """How one sales channel earns: `rule` is the id that parts and proofs carry.

    `at_once_bp` is the share of a receipt's points that does not wait for the hold's end.
    """

    rule: str
    rate_bp: int
    hold_days: int
    at_once_bp: int = 0


@dataclass(frozen=True, slots=True)
class Trust:
    """Points promised for a receipt up to a sum before it is checked, so many a member a day."""

    up_to_kopecks: int
    points: int
    per_day: int


class Period(StrEnum):
    """A calendar period, at whose end points may end."""

    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


class Activity(StrEnum):
    """What a member does that may put off the end of points by inactivity."""

    PURCHASE = "purchase"
    SPEND = "spend"


@dataclass(frozen=True, slots=True)
class Inactivity:
    """All points end after whole days or calendar months (one of both) without an `activity`."""

    days: int | None
    months: int | None
    activity: frozenset[Activity]


@dataclass(frozen=True, slots=True)
class Expiry:
    """Exactly one is set: days, calendar months, a period with how many after it, inactivity."""

    days: int | None = None
    months: int | None = None
    end_of: tuple[Period, int] | None = None
    inactivity: Inactivity | None = None


@dataclass(frozen=True, slots=True)
class PackBonus:
    """What the first scan of a code of the brand's own brings, and how many a day."""

    points: int
    per_day: int


@dataclass(frozen=True, slots=True)
class Programme:
    """One version, ready to decide; None is no limit, `expiry` None is never.

    `in_force_from` is `BEGINNING` for the first version. `excluded_categories`, `excluded_tags`
    and the names of `line_rates` (product line: rule and rate) are case-folded.
    """

    version: int
    in_force_from: datetime
    zone: ZoneInfo
    point_value_kopecks: int
    rounding: Rounding
    default_earning: Earning
    earning: Mapping[str, Earning]
    line_rates: Mapping[str, tuple[str, int]]
    excluded_skus: frozenset[str]
    excluded_categories: frozenset[str]
    excluded_tags: frozenset[str]
    points_per_day: int | None
    pack_bonus: PackBonus | None
    window_days: int | None
    receipts_per_day: int | None
    trust: Trust | None
    expiry: Expiry | None
    sales_channels: frozenset[str]
    name: str | None
    points_name: Mapping[Locale, Plural]


@dataclass(frozen=True, slots=True)
class Programmes:
    """All published versions, oldest first; raises `NoProgramme` where one is asked for in vain.

    `chain` is the hash that names all their documents: equal chains are equal rules of every
    section, so other domains keep their own parsed sections by it.
    """

    versions: tuple[Programme, ...]
    starts: tuple[datetime, ...]
    chain: bytes = b""

    def at(self, instant: datetime) -> Programme:
        """The version in force: of those that had started, the one published last."""
        if not self.versions:
            raise NoProgramme("No programme is published yet. Publish one: PUT /v1/program.")
        return self.versions[max(bisect_right(self.starts, instant), 1) - 1]

    def number(self, version: int) -> Programme:
        """The version of this number (they count from 1)."""
        return self.versions[version - 1]


@dataclass(frozen=True, slots=True)
class Version:
    """A published document as it was given, by whom and from when."""

    version: int
    valid_from: datetime
    document: dict[str, Any]
    published_at: datetime
    published_by: str

    @property
    def in_force_from(self) -> datetime:
        return BEGINNING if self.version == 1 else self.valid_from
