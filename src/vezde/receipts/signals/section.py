"""The programme's section `signals`, as marketers write it, and our copy."""

from typing import Annotated, LiteralString

from pydantic import BaseModel, ConfigDict, Field

from vezde.program.sections import Kept

INSTALL: LiteralString = """
INSERT INTO receipts.signals_section (version, valid_from, section) VALUES (%s, %s, %s)
"""
IN_FORCE: LiteralString = """
SELECT section::text FROM receipts.signals_section
WHERE valid_from <= %(at)s OR version = (SELECT min(version) FROM receipts.signals_section)
ORDER BY version DESC LIMIT 1
"""

Score = Annotated[int, Field(ge=0, le=1000)]
Number = Annotated[int, Field(ge=1, le=1000)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Scored(_Part):
    """How much it weighs."""

    score: Score = Field(description="Added when the signal is there; 0 switches it off")


class Counted(Scored):
    """How many are too many."""

    more_than: Number = Field(description="So many are still usual")
    each_more: Score = Field(description="Added for every one after the first too many")


class OldInBulk(Counted):
    """Many old receipts within a week of showing."""

    older_than_days: Annotated[int, Field(ge=0, le=365)] = Field(
        description="Days from the purchase to the showing after which a receipt is old"
    )


class Age(Scored):
    """One old receipt."""

    more_than_days: Annotated[int, Field(ge=0, le=365)] = Field(
        description="Days from the purchase to the showing"
    )


class NewSeller(Scored):
    """The first receipts of a seller that nobody knows."""

    first_receipts: Number = Field(description="So many first receipts, of all members together")


class TillRun(Counted):
    """Documents of one till that stand close together."""

    within: Annotated[int, Field(ge=1, le=10_000)] = Field(
        description="Document numbers that are this near to each other"
    )


class Travel(Scored):
    """Two purchases that nobody gets to in time."""

    faster_than_kmh: Annotated[int, Field(ge=50, le=5000)] = Field(
        description="Straight from region to region, 300 km of it free"
    )


class Price(Scored):
    """A price that the product is not sold at."""

    below_percent: Annotated[int, Field(ge=0, le=100)] = Field(
        description="Of the recommended price: cheaper is suspicious"
    )
    above_percent: Annotated[int, Field(ge=100, le=10_000)] = Field(
        description="Of the recommended price: dearer is suspicious"
    )


Hour = Annotated[int, Field(ge=0, le=23)]


class Night(Counted):
    """Several purchases at shops in one night, by the tills' clocks."""

    from_hour: Hour = Field(description="The night begins")
    to_hour: Hour = Field(description="The night is over")


class Device(_Part):
    """Many members on one device."""

    more_than: Number = Field(description="So many members may share a device")
    within_days: Annotated[int, Field(ge=1, le=365)] = Field(
        description="Members whose receipts came from it within so many days"
    )
    score: Score = Field(description="Added when there are more; 0 switches it off")
    each_more: Score = Field(description="Added for every member after the first too many")


class SignalsSection(_Part):
    """What makes a receipt suspicious, and from which score on a person looks at it first."""

    quarantine_at: Annotated[int, Field(ge=1, le=10_000)] | None = Field(
        default=None,
        description="From this score on a receipt waits for a person; null: nothing is looked at",
    )
    promised_hours: Annotated[int, Field(ge=1, le=720)] = Field(
        default=24, description="A receipt that waits is to be decided within so many hours"
    )
    per_hour: Counted = Field(
        default=Counted(more_than=3, score=20, each_more=20),
        description="Purchases at shops within an hour",
    )
    per_day: Counted = Field(
        default=Counted(more_than=2, score=30, each_more=40), description="Purchases of one day"
    )
    per_week: Counted = Field(
        default=Counted(more_than=5, score=5, each_more=15),
        description="Purchases of seven days",
    )
    per_shop: Counted = Field(
        default=Counted(more_than=2, score=15, each_more=30),
        description="Purchases of seven days at one shop",
    )
    age: Age = Field(default=Age(more_than_days=21, score=35), description="An old receipt")
    old_in_bulk: OldInBulk = Field(
        default=OldInBulk(older_than_days=7, more_than=5, score=25, each_more=35),
        description="Many old receipts, shown within seven days",
    )
    new_seller: NewSeller = Field(
        default=NewSeller(first_receipts=20, score=35),
        description="The first receipts of a seller that nobody has named",
    )
    till_run: TillRun = Field(
        default=TillRun(within=60, more_than=1, score=50, each_more=100),
        description="Document numbers of one shop's till that follow one another",
    )
    pack_seen: Scored = Field(
        default=Scored(score=250), description="A marked pack that was on another receipt before"
    )
    travel: Travel = Field(
        default=Travel(faster_than_kmh=600, score=75),
        description="Purchases in two regions too far apart for the time between them",
    )
    price: Price = Field(
        default=Price(below_percent=30, above_percent=165, score=150),
        description="A price far from the recommended one",
    )
    night: Night = Field(
        default=Night(from_hour=0, to_hour=5, more_than=2, score=75, each_more=75),
        description="Several purchases of one night",
    )
    device: Device = Field(
        default=Device(more_than=4, within_days=30, score=110, each_more=75),
        description="Many members whose receipts come from one device",
    )
    watched_seller: Scored = Field(
        default=Scored(score=60), description="A seller that operators watch"
    )


KEPT = Kept(SignalsSection, install=INSTALL, in_force=IN_FORCE)
install_section, in_force = KEPT.install, KEPT.in_force
