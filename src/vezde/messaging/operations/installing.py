"""The programme's section `texts`."""

import hashlib
import json
from datetime import datetime
from typing import Any, LiteralString

from psycopg.types.json import Jsonb

from vezde.kit.db import Db
from vezde.messaging.catalogue import TextsSection

INSTALL: LiteralString = """
INSERT INTO messaging.texts (version, valid_from, section, sha256) VALUES (%s, %s, %s, %s)
"""


async def install_section(
    db: Db, section: dict[str, Any], *, version: int, valid_from: datetime
) -> None:
    """Keep the section `texts` of a version just published; raises pydantic's ValidationError."""
    words = TextsSection.model_validate(section).model_dump(mode="json")
    sha256 = hashlib.sha256(json.dumps(words, sort_keys=True).encode()).digest()
    await db.execute(INSTALL, [version, valid_from, Jsonb(words), sha256])
