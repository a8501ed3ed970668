"""The guard of the blind index: a programme is searched with the key it was filled with."""

from datetime import datetime
from typing import LiteralString

from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.kit.vault import Vault
from vezde.members.model import WrongIndexKey

PIN: LiteralString = """
INSERT INTO members.index_key (key_id, pinned_at, pinned_by) VALUES (%s, %s, %s)
ON CONFLICT (only_row) DO NOTHING
"""
PINNED: LiteralString = "SELECT key_id FROM members.index_key"


async def pin_index_key(db: Db, *, vault: Vault, now: datetime, actor: str) -> None:
    """Remember the vault's index key at the first start, and insist on it at every later one.

    Raises `WrongIndexKey`: with another key every phone would look unknown and be enrolled again.
    """
    await db.execute(PIN, [vault.index_key_id, now, actor])
    pinned = await kit_db.fetch_value(db, PINNED)
    if pinned != vault.index_key_id:
        raise WrongIndexKey(
            f"Members of this database are indexed by vault key {pinned.hex()}, but the oldest "
            f"key given is {vault.index_key_id.hex()}. Put the former key file back, or, after "
            "a rotation, list that key as the last of the older ones."
        )
