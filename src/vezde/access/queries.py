"""Questions about API keys."""

import hmac
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from vezde.access import model
from vezde.access.model import Key, KeyNotFound, Scope, Unauthenticated
from vezde.kit import db as kit_db
from vezde.kit.db import Db

BY_ID: LiteralString = """
SELECT key_id, name, scopes, created_at, created_by, revoked_at, revoked_by, last_used_wall,
       secret_sha256
FROM access.key WHERE key_id = %s
"""
BY_NAME: LiteralString = """
SELECT key_id, name, scopes, created_at, created_by, revoked_at, revoked_by, last_used_wall,
       secret_sha256
FROM access.key WHERE name = %s AND revoked_at IS NULL
"""
ALL_KEYS: LiteralString = """
SELECT key_id, name, scopes, created_at, created_by, revoked_at, revoked_by, last_used_wall,
       secret_sha256
FROM access.key ORDER BY created_at, key_id
"""


@dataclass(frozen=True)
class KeyRow:
    """A key as it is stored; the secret is known by its hash alone."""

    key_id: UUID
    name: str
    scopes: list[str]
    created_at: datetime
    created_by: str
    revoked_at: datetime | None
    revoked_by: str | None
    last_used_wall: datetime | None
    secret_sha256: bytes

    def key(self) -> Key:
        return Key(
            self.key_id,
            self.name,
            frozenset(Scope(word) for word in self.scopes),
            self.created_at,
            self.created_by,
            self.revoked_at,
            self.revoked_by,
            self.last_used_wall,
        )


async def key_by_text(db: Db, text: str) -> Key:
    """The live key of this text, as it came in the Authorization header after «Bearer ».

    Raises `Unauthenticated`. The secret is compared in constant time.
    """
    given = model.KEY_TEXT.fullmatch(text)
    if given is None:
        raise Unauthenticated
    row = await kit_db.fetch_one(db, KeyRow, BY_ID, [UUID(hex=given["id"])])
    if row is None or row.revoked_at is not None:
        raise Unauthenticated
    if not hmac.compare_digest(row.secret_sha256, model.secret_hash(given["secret"])):
        raise Unauthenticated
    return row.key()


async def key_by_name(db: Db, name: str) -> Key:
    """The live key of this name; raises `KeyNotFound`."""
    row = await kit_db.fetch_one(db, KeyRow, BY_NAME, [name.strip()])
    if row is None:
        raise KeyNotFound("There is no live key of this name; list the keys for those there are")
    return row.key()


async def keys(db: Db) -> list[Key]:
    """Every key there ever was, oldest first."""
    return [row.key() for row in await kit_db.fetch_all(db, KeyRow, ALL_KEYS)]
