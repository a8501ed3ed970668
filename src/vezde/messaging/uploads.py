"""Which pictures a bot's account has at its messenger, so that each is uploaded once."""

import hashlib
from dataclasses import dataclass
from typing import LiteralString

from vezde.kit import db as kit_db
from vezde.kit.clock import Clock
from vezde.kit.db import Database

FIND: LiteralString = "SELECT file_id FROM messaging.picture WHERE account = %s AND sha256 = %s"
NOTE: LiteralString = """
INSERT INTO messaging.picture (account, sha256, file_id, uploaded_wall) VALUES (%s, %s, %s, %s)
ON CONFLICT (account, sha256) DO UPDATE
SET file_id = excluded.file_id, uploaded_wall = excluded.uploaded_wall
"""


@dataclass(frozen=True)
class Uploads:
    """Ids of uploads of one account, like `telegram:7000000001`: another bot cannot use them."""

    database: Database
    clock: Clock
    account: str

    async def find(self, content: bytes) -> str | None:
        """The messenger's id of a picture; raises `Unavailable`, `Contested`."""
        async with self.database.transaction() as db:
            found: str | None = await kit_db.fetch_value(db, FIND, [self.account, _sha256(content)])
        return found

    async def note(self, content: bytes, file_id: str) -> None:
        """The picture has this id now; raises `Unavailable`, `Contested`."""
        row = [self.account, _sha256(content), file_id, self.clock.wall()]
        async with self.database.transaction() as db:
            await db.execute(NOTE, row)


def _sha256(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()
