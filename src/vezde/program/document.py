"""The document's own sections as pydantic models, and the JSON Schema of all sections together.

A default never changes its meaning: versions keep their document as it was given.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Annotated, Any
from zoneinfo import available_timezones

from pydantic import BaseModel, ConfigDict, Field, create_model, model_validator
from pydantic_core import PydanticCustomError

from vezde.kit.money import Rounding
from vezde.program.model import Activity, Period
from vezde.program.sections import Section
from vezde.sellers.model import SALES_CHANNEL, SALES_CHANNELS

RateBp = Annotated[int, Field(ge=0, le=10_000)]
HoldDays = Annotated[int, Field(ge=0, le=366)]
Word = Annotated[str, Field(min_length=1, max_length=60)]
ChannelName = Annotated[str, Field(pattern=SALES_CHANNEL.pattern)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class RussianForms(_Section):
    one: Word = Field(description="1 балл", examples=["балл"])
    few: Word = Field(description="2 балла", examples=["балла"])
    many: Word = Field(description="5 баллов", examples=["баллов"])
    other: Word | None = Field(default=None, description="1,5 балла; as `few` when left out")


class EnglishForms(_Section):
    one: Word = Field(description="1 point", examples=["point"])
    other: Word = Field(description="2 points", examples=["points"])


class PointsName(_Section):
    """What a point is called, by language and number."""

    ru: RussianForms | None = None
    en: EnglishForms | None = None


class ChannelRule(_Section):
    """How purchases of one sales channel earn; what is left out is as for other channels."""

    rate_bp: RateBp | None = Field(
        default=None,
        description="100 is 1 % of the money; null or left out: earning.default_rate_bp",
    )
    hold_days: HoldDays | None = Field(
        default=None,
        description="0: active at the decision; n: active n days after the purchase; "
        "null or left out: earning.default_hold_days",
    )
    at_once_bp: RateBp | None = Field(
        default=None,
        description="Share of a receipt's points that does not wait for the hold: 2000 is 20 %; "
        "null or left out: earning.default_at_once_bp",
    )


class Exclude(_Section):
    """Products that never earn."""

    skus: list[Word] = Field(default_factory=list, description="Products by the catalogue's SKU")
    categories: list[Word] = Field(
        default_factory=list, description="The catalogue's categories; case does not matter"
    )
    tags: list[Word] = Field(
        default_factory=list, description="The catalogue's tags; case does not matter"
    )


class ProductLineRule(_Section):
    """How goods of one product line earn, whatever the sales channel."""

    rate_bp: RateBp = Field(description="100 is 1 % of the money, in place of the channel's rate")


class PackBonusRule(_Section):
    """Points for scanning the marking code of a pack that the brand ordered itself."""

    points: Annotated[int, Field(ge=1, le=10_000)] = Field(
        description="Once for a code, whoever scans it first"
    )
    per_day: Annotated[int, Field(ge=1, le=1_000)] = Field(
        default=3, description="Most such bonuses of a member in one day"
    )


class EarningSection(_Section):
    """What a purchase is worth."""

    default_rate_bp: RateBp = Field(
        description="Sales channels not listed below: 100 is 1 % of the money", examples=[500]
    )
    default_hold_days: HoldDays = Field(
        default=0, description="Sales channels not listed below: days until the points are active"
    )
    default_at_once_bp: RateBp = Field(
        default=0, description="Sales channels not listed below: share that does not wait"
    )
    channels: dict[str, ChannelRule] = Field(
        default_factory=dict,
        description="Rules by sales channel: "
        + ", ".join(SALES_CHANNELS)
        + " and those of sales_channels",
    )
    lines: dict[Word, ProductLineRule] = Field(
        default_factory=dict,
        description="Rules by product line, as the catalogue's column `line` names it; case does "
        "not matter. A receipt that prints no size earns by them, too",
    )
    exclude: Exclude = Field(default_factory=Exclude)
    points_per_day: Annotated[int, Field(ge=1, le=1_000_000_000)] | None = Field(
        default=None, description="Most points for purchases of one day; null is no limit"
    )
    pack_bonus: PackBonusRule | None = Field(
        default=None,
        description="For a scan of the jar; null: none. A scan alone is no purchase, keep it small",
    )


class TrustSection(_Section):
    """Points promised at once for a small receipt that is still being checked."""

    up_to_kopecks: Annotated[int, Field(ge=1, le=100_000_000)] = Field(
        description="Receipts up to this sum are trusted"
    )
    points: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        description="Points promised for each, pending until it is decided, then replaced by what "
        "it really earns"
    )
    per_day: Annotated[int, Field(ge=1, le=1_000)] = Field(
        default=3, description="Most promises to a member in one day"
    )


class ReceiptsSection(_Section):
    """Which purchases are taken at all."""

    window_days: Annotated[int, Field(ge=1, le=3_660)] | None = Field(
        default=None, description="A purchase may be shown so many days after it; null is no limit"
    )
    per_day: Annotated[int, Field(ge=1, le=100_000)] | None = Field(
        default=None, description="Most purchases a member may show in one day; null is no limit"
    )
    trust: TrustSection | None = Field(
        default=None, description="Points promised before a receipt is checked; null is none"
    )


Days = Annotated[int, Field(ge=1, le=36_600)]
Months = Annotated[int, Field(ge=1, le=1_200)]


class EndOfPeriod(_Section):
    """Points live to the end of a calendar period."""

    period: Period = Field(strict=False, description="`month`, `quarter` or `year`")
    after: Annotated[int, Field(ge=0, le=100)] = Field(
        default=0,
        description="0: the period in which points become active; 1: the one after it, and so on",
    )


class InactivitySection(_Section):
    """All points end together when the member does nothing for so long: days or months."""

    model_config = ConfigDict(
        json_schema_extra={"oneOf": [{"required": ["days"]}, {"required": ["months"]}]}
    )

    days: Days | None = None
    months: Months | None = None
    activity: Annotated[list[Annotated[Activity, Field(strict=False)]], Field(min_length=1)] = (
        Field(
            default_factory=lambda: list(Activity),
            description="What counts: `purchase` (one that earns), `spend`; a return never does",
        )
    )

    @model_validator(mode="after")
    def _one_of_both(self) -> "InactivitySection":
        if (self.days is None) == (self.months is None):
            raise PydanticCustomError(
                "days_or_months", "Give either days or months, for example {months: 6}."
            )
        return self


class ExpirySection(_Section):
    """When points end: one of days, months, end_of and inactivity.

    A fixed term counts from the day points become active to the end of its last day.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [{"required": [way]} for way in ("days", "months", "end_of", "inactivity")]
        }
    )

    days: Days | None = None
    months: Months | None = Field(
        default=None, description="Calendar months: 31 January and 1 month is the end of February"
    )
    end_of: EndOfPeriod | None = None
    inactivity: InactivitySection | None = None

    @model_validator(mode="after")
    def _one_of_all(self) -> "ExpirySection":
        ways = (self.days, self.months, self.end_of, self.inactivity)
        if sum(way is not None for way in ways) != 1:
            raise PydanticCustomError(
                "days_or_months",
                "Give one of days, months, end_of and inactivity, for example {months: 12}; "
                "for points that never expire write null instead of the section.",
            )
        return self


class Document(_Section):
    """The programme's own sections; other domains add theirs."""

    name: Annotated[str, Field(min_length=1, max_length=100)] | None = Field(
        default=None, description="The programme's name as members see it"
    )
    points_name: PointsName = Field(default_factory=PointsName)
    timezone: str = Field(
        description="IANA name of the zone whose days the programme counts",
        examples=["Europe/Moscow"],
    )
    point_value_kopecks: Annotated[int, Field(ge=1, le=100_000_000)] = Field(
        description="What a point is worth when spent", examples=[100]
    )
    rounding: Rounding = Field(
        strict=False, description="How a purchase's fraction of a point is rounded, once"
    )
    sales_channels: list[ChannelName] = Field(
        default_factory=list, description="Sales channels of your own beside the known ones"
    )
    earning: EarningSection
    receipts: ReceiptsSection = ReceiptsSection()
    expiry: ExpirySection | None = Field(default=None, description="null: points never expire")


OWN_SECTIONS = frozenset(Document.model_fields)


def model_of(sections: Sequence[Section]) -> type[Document]:
    """The whole document's model: the programme's own sections and the given ones."""
    return _model(tuple((section.name, section.model) for section in sections))


@lru_cache(maxsize=16)
def _model(sections: tuple[tuple[str, type[BaseModel]], ...]) -> type[Document]:
    fields: dict[str, Any] = {
        name: (model, ...)
        if any(field.is_required() for field in model.model_fields.values())
        else (model, Field(default_factory=model))
        for name, model in sections
    }
    return create_model("Programme", __base__=Document, **fields)


def own(document: Mapping[str, Any]) -> Document:
    """The programme's own sections of a stored document."""
    return Document.model_validate(
        {name: value for name, value in document.items() if name in OWN_SECTIONS}
    )


def schema(sections: Sequence[Section]) -> dict[str, Any]:
    """One JSON Schema (draft 2020-12) of the whole document, with titles and descriptions."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **model_of(sections).model_json_schema(),
        "title": "Loyalty programme",
        "description": "The rules of one loyalty programme; null is no limit.",
    }


@lru_cache(maxsize=1)
def timezones() -> frozenset[str]:
    """Names of the zones this installation knows."""
    return frozenset(available_timezones())
