"""The programme's section `bot`, as marketers write it, and this domain's copy of it."""

from datetime import datetime
from typing import Annotated, Any, LiteralString

from psycopg.types.json import Jsonb
from pydantic import BaseModel, ConfigDict, Field

from vezde.kit import db as kit_db
from vezde.kit.db import Db

INSTALL: LiteralString = (
    "INSERT INTO bot.section (version, valid_from, section) VALUES (%s, %s, %s)"
)
IN_FORCE: LiteralString = """
SELECT section::text FROM bot.section
WHERE valid_from <= %(at)s OR version = (SELECT min(version) FROM bot.section)
ORDER BY version DESC LIMIT 1
"""


# Sections of this process by their text, so whichever database they come from.
_PARSED: dict[str, "BotSection"] = {}
MOST_PARSED = 32


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


async def install_section(
    db: Db, section: dict[str, Any], *, version: int, valid_from: datetime
) -> None:
    """Keep the section `bot` of a version just published; raises pydantic's ValidationError."""
    checked = BotSection.model_validate(section)
    await db.execute(INSTALL, [version, valid_from, Jsonb(checked.model_dump(mode="json"))])


async def in_force(db: Db, at: datetime) -> BotSection:
    """The section of the programme in force at that instant."""
    text = await kit_db.fetch_value(db, IN_FORCE, {"at": at}) or "{}"
    if text not in _PARSED:
        while len(_PARSED) >= MOST_PARSED:
            _PARSED.pop(next(iter(_PARSED)))
        _PARSED[text] = BotSection.model_validate_json(text)
    return _PARSED[text]
