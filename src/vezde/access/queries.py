"""Questions about API keys, sessions, operators and what they did."""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from vezde.access import model
from vezde.access.doors import Session
from vezde.access.model import Key, KeyNotFound, Page, Scope, Unauthenticated
from vezde.access.staff import JournalEntry, Operator, Role
from vezde.kit import db as kit_db
from vezde.kit.db import Db

BY_ID: LiteralString = """
SELECT key_id, name, scopes, created_at, created_by, revoked_at, revoked_by, last_used_wall,
       secret_sha256, origins, sales_channel, enrols
FROM access.key WHERE key_id = %s
"""
BY_NAME: LiteralString = """
SELECT key_id, name, scopes, created_at, created_by, revoked_at, revoked_by, last_used_wall,
       secret_sha256, origins, sales_channel, enrols
FROM access.key WHERE name = %s AND revoked_at IS NULL
"""
ALL_KEYS: LiteralString = """
SELECT key_id, name, scopes, created_at, created_by, revoked_at, revoked_by, last_used_wall,
       secret_sha256, origins, sales_channel, enrols
FROM access.key ORDER BY created_at, key_id
"""
KNOWN_ORIGIN: LiteralString = """
SELECT true FROM access.key WHERE origins @> %s AND revoked_at IS NULL LIMIT 1
"""
SESSIONS: LiteralString = """
SELECT member_id, session_id, key_id, origin, how, created_wall, expires_wall, last_used_wall
FROM access.session WHERE member_id = %s AND expires_wall > %s ORDER BY created_wall DESC
"""
OPERATORS: LiteralString = """
SELECT operator_id, name, role, sales_channel, created_at, created_by, left_at, left_by
FROM access.operator ORDER BY created_at, operator_id
"""
JOURNAL: LiteralString = """
SELECT entry_id, operator_id, what, member_id, details, at FROM access.journal
WHERE (%(operator)s::uuid IS NULL OR operator_id = %(operator)s)
  AND (%(members)s::uuid[] IS NULL OR member_id = ANY(%(members)s))
  AND (%(before)s::uuid IS NULL OR entry_id < %(before)s)
ORDER BY entry_id DESC LIMIT %(limit)s
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
    origins: list[str] | None
    sales_channel: str | None
    enrols: bool | None

    def key(self) -> Key:
        page = None
        if self.origins is not None:
            assert self.sales_channel is not None, "a check of the table"
            page = Page(tuple(self.origins), self.sales_channel, bool(self.enrols))
        return Key(
            self.key_id,
            self.name,
            frozenset(Scope(word) for word in self.scopes),
            self.created_at,
            self.created_by,
            self.revoked_at,
            self.revoked_by,
            self.last_used_wall,
            page,
        )


@dataclass(frozen=True)
class OperatorRow:
    """An operator as stored, without how they are reached."""

    operator_id: UUID
    name: str
    role: str
    sales_channel: str
    created_at: datetime
    created_by: str
    left_at: datetime | None
    left_by: str | None

    def operator(self) -> Operator:
        given = {name: getattr(self, name) for name in Operator.__dataclass_fields__}
        return Operator(**{**given, "role": Role(self.role)})


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
    if (row.origins is None) != (given["publishable"] is None):
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


async def origin_is_known(db: Db, origin: str) -> bool:
    """Whether pages of this origin have a live publishable key."""
    return await kit_db.fetch_value(db, KNOWN_ORIGIN, [[origin]]) is not None


async def sessions(db: Db, member_id: UUID, *, wall: datetime) -> list[Session]:
    """A member's live sessions on the brand's pages, the newest first."""
    return await kit_db.fetch_all(db, Session, SESSIONS, [member_id, wall])


async def operators(db: Db) -> list[Operator]:
    """Every operator there ever was, oldest first."""
    return [row.operator() for row in await kit_db.fetch_all(db, OperatorRow, OPERATORS)]


async def journal(
    db: Db,
    *,
    operator_id: UUID | None = None,
    member_ids: Sequence[UUID] | None = None,
    before: UUID | None = None,
    limit: int,
) -> list[JournalEntry]:
    """What operators did, the newest first, entries after `before` in that order."""
    asked = {
        "operator": operator_id,
        "members": None if member_ids is None else list(member_ids),
        "before": before,
        "limit": limit,
    }
    return await kit_db.fetch_filtered(db, JournalEntry, JOURNAL, asked)
