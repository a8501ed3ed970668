"""The programme's section `moderation`: what people look at, and by when."""

from typing import Annotated, LiteralString

from pydantic import BaseModel, ConfigDict, Field

from vezde.program.sections import Kept

INSTALL: LiteralString = """
INSERT INTO receipts.section (version, valid_from, section) VALUES (%s, %s, %s)
"""
IN_FORCE: LiteralString = """
SELECT section::text FROM receipts.section
WHERE valid_from <= %(at)s OR version = (SELECT min(version) FROM receipts.section)
ORDER BY version DESC LIMIT 1
"""


class ModerationSection(BaseModel):
    """Which lines of receipts a person looks at, and how soon."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    promised_hours: Annotated[int, Field(ge=1, le=720)] = Field(
        default=24, description="A line in doubt is to be decided within so many hours"
    )
    audit_bp: Annotated[int, Field(ge=0, le=10_000)] = Field(
        default=200,
        description="Share of lines accepted by their words that a person checks afterwards; "
        "100 is 1 %. It is what the measured precision stands on",
    )
    first_names: Annotated[int, Field(ge=0, le=1000)] = Field(
        default=20,
        description="So many first names of a new catalogue are checked, each once, beside the "
        "share; the points are given at once and taken back where a name was wrong",
    )
    photo_days: Annotated[int, Field(ge=0, le=180)] = Field(
        default=45,
        description="A picture of a receipt in doubt is kept so many days after the receipt was "
        "shown, at the longest; 0: no pictures are kept",
    )
    photo_decided_days: Annotated[int, Field(ge=0, le=90)] = Field(
        default=3,
        description="It is erased so many days after the last of its lines was decided",
    )
    disputes_per_week: Annotated[int, Field(ge=0, le=100)] = Field(
        default=3,
        description="How many receipts that another member has shown a member may say are theirs "
        "in seven days; 0: none, people write to support",
    )
    disputes_alone: bool = Field(
        default=True,
        description="Whether clear disputes decide themselves: the claimant has shown the code of "
        "the very pack on the receipt, who has the receipt had only typed it and showed nothing "
        "within a day",
    )
    recheck_channels: tuple[Annotated[str, Field(min_length=1, max_length=60)], ...] = Field(
        default=(),
        max_length=50,
        description="Sales channels whose receipts are asked for once more before the hold of "
        "their points ends; a document that is gone or changed is held back for a person",
    )
    recheck_from_kopecks: Annotated[int, Field(ge=0, le=10**12)] = Field(
        default=300_000, description="Only receipts of this sum or more: an ask costs quota"
    )
    recheck_days: Annotated[int, Field(ge=1, le=14)] = Field(
        default=3,
        description="Asking begins so many days before the hold ends; what cannot be asked by then "
        "becomes active on its day",
    )


KEPT = Kept(ModerationSection, install=INSTALL, in_force=IN_FORCE)
install_section, in_force = KEPT.install, KEPT.in_force
