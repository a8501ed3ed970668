"""The programme's section `bot`, as marketers write it, and this domain's copy of it."""

from typing import Annotated, LiteralString

from pydantic import BaseModel, ConfigDict, Field

from vezde.program.sections import Kept

INSTALL: LiteralString = (
    "INSERT INTO bot.section (version, valid_from, section) VALUES (%s, %s, %s)"
)
IN_FORCE: LiteralString = """
SELECT section::text FROM bot.section
WHERE valid_from <= %(at)s OR version = (SELECT min(version) FROM bot.section)
ORDER BY version DESC LIMIT 1
"""


class ConsentDocument(BaseModel):
    """A document that people agree to."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: Annotated[str, Field(pattern=r"^https?://\S+$", max_length=500)] | None = Field(
        default=None, description="Where its text is; null: the message itself is the whole text"
    )
    version: Annotated[str, Field(min_length=1, max_length=60)] = Field(
        default="1", description="Kept with each consent; change it with the text"
    )


class BotSection(BaseModel):
    """What the bot says of the brand's documents, and how long it keeps guests."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    personal_data: ConsentDocument = Field(
        default=ConsentDocument(), description="Consent to the processing of personal data"
    )
    marketing: ConsentDocument = Field(default=ConsentDocument(), description="Consent to mailings")
    help_pictures: bool = Field(
        default=True, description="Whether /help shows pictures; turn off where own texts differ"
    )
    guest_days: Annotated[int, Field(ge=1, le=366)] = Field(
        default=30, description="A guest who gave no phone is forgotten after so many days"
    )


KEPT = Kept(BotSection, install=INSTALL, in_force=IN_FORCE)
install_section, in_force = KEPT.install, KEPT.in_force
