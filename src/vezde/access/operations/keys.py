"""Create and revoke API keys, and note when one was used."""

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import LiteralString
from uuid import UUID

from vezde.access import events, model, queries
from vezde.access.model import Key, KeyNameTaken, KeyNotFound, Page, Scope
from vezde.kit import db as kit_db
from vezde.kit import ids
from vezde.kit.db import Db
from vezde.outbox import operations as outbox_ops

INSERT: LiteralString = """
INSERT INTO access.key
    (key_id, name, secret_sha256, scopes, created_at, created_by, origins, sales_channel, enrols)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (name) WHERE revoked_at IS NULL DO NOTHING
RETURNING key_id
"""
REVOKE: LiteralString = """
UPDATE access.key SET revoked_at = %s, revoked_by = %s
WHERE key_id = %s AND revoked_at IS NULL
RETURNING key_id
"""
# Skips a locked row: requests of one key must not queue behind the one that notes the time.
TOUCH: LiteralString = """
UPDATE access.key SET last_used_wall = %(wall)s
WHERE key_id = (SELECT key_id FROM access.key
    WHERE key_id = %(key_id)s AND (last_used_wall IS NULL OR last_used_wall < %(before)s)
    FOR NO KEY UPDATE SKIP LOCKED)
"""

TOUCH_EVERY = timedelta(minutes=1)
SECRET_BYTES = 32


async def create_key(
    db: Db, *, name: str, scopes: Iterable[str], now: datetime, actor: str
) -> tuple[str, Key]:
    """A new key and its text `vezde_<id>_<secret>`, which is never to be had again.

    Raises `InvalidKeyRequest`, and `KeyNameTaken` while a live key has the name.
    """
    return await _create(db, model.sound_name(name), model.sound_scopes(scopes), None, now, actor)


async def create_publishable_key(
    db: Db,
    *,
    name: str,
    origins: Iterable[str],
    sales_channel: str,
    enrols: bool,
    now: datetime,
    actor: str,
) -> tuple[str, Key]:
    """A key for pages of these origins, `vezde_pub_<id>_<secret>`: it opens the widget's routes.

    Raises as `create_key`.
    """
    page = model.sound_page(origins, sales_channel=sales_channel, enrols=enrols)
    return await _create(db, model.sound_name(name), frozenset({Scope.WIDGET}), page, now, actor)


async def _create(
    db: Db, name: str, granted: frozenset[Scope], page: Page | None, now: datetime, actor: str
) -> tuple[str, Key]:
    key_id, secret = ids.new(), secrets.token_urlsafe(SECRET_BYTES)
    row = [key_id, name, model.secret_hash(secret), sorted(granted), now, actor]
    row += [list(page.origins), page.sales_channel, page.enrols] if page else [None, None, None]
    if await kit_db.fetch_value(db, INSERT, row) is None:
        raise KeyNameTaken("A live key has this name; revoke that one or take another name")
    await outbox_ops.record(db, [events.key_created(key_id, now=now)])
    text = model.key_text(key_id, secret, publishable=page is not None)
    return text, Key(key_id, name, granted, now, actor, page=page)


async def revoke_key(db: Db, key_id: UUID, *, now: datetime, actor: str) -> Key:
    """Close the key for good; one revoked before answers as it was revoked then.

    Raises `KeyNotFound`.
    """
    if await kit_db.fetch_value(db, REVOKE, [now, actor, key_id]):
        await outbox_ops.record(db, [events.key_revoked(key_id, now=now)])
    row = await kit_db.fetch_one(db, queries.KeyRow, queries.BY_ID, [key_id])
    if row is None:
        raise KeyNotFound("There is no such key; list the keys for those there are")
    return row.key()


async def touch_key(db: Db, key: Key, *, wall: datetime) -> None:
    """Note that the key was used, at most once a minute; mostly this asks nothing of the database.

    Never waits: when another request is noting it, this one leaves it to that.
    """
    before = wall - TOUCH_EVERY
    if key.last_used_wall is None or key.last_used_wall < before:
        await db.execute(TOUCH, {"key_id": key.key_id, "wall": wall, "before": before})
