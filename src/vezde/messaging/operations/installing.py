"""The programme's section `texts`."""

from datetime import datetime
from typing import Any, LiteralString

from psycopg.types.json import Jsonb

from vezde.kit.db import Db
from vezde.messaging.catalogue import TextsSection

INSTALL: LiteralString = (
    "INSERT INTO messaging.texts (version, valid_from, section) VALUES (%s, %s, %s)"
)


async def install_section(
    db: Db, section: dict[str, Any], *, version: int, valid_from: datetime
) -> None:
    """Keep the section `texts` of a version just published; raises pydantic's ValidationError."""
    checked = TextsSection.model_validate(section)
    await db.execute(INSTALL, [version, valid_from, Jsonb(checked.model_dump(mode="json"))])
