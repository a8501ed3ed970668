"""Devices that members' receipts came from, as a keyed hash of what the caller calls them."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, LiteralString
from uuid import UUID

from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.kit.vault import Vault

BYTES: Final = 16
KEPT, FRESH = timedelta(days=365), timedelta(hours=1)

SEEN: LiteralString = """
INSERT INTO receipts.device AS known (member_id, device, first_seen_at, last_seen_at)
VALUES (%s, %s, %s, %s)
ON CONFLICT (member_id, device) DO UPDATE SET last_seen_at = excluded.last_seen_at
WHERE known.last_seen_at < %s
"""
OLD: LiteralString = """
DELETE FROM receipts.device WHERE member_id = ANY(%s) AND last_seen_at < %s
"""
MOVE: LiteralString = """
INSERT INTO receipts.device AS known (member_id, device, first_seen_at, last_seen_at)
SELECT %(into)s, device, first_seen_at, last_seen_at FROM receipts.device
WHERE member_id = %(gone)s ORDER BY device
ON CONFLICT (member_id, device) DO UPDATE SET
    first_seen_at = least(known.first_seen_at, excluded.first_seen_at),
    last_seen_at = greatest(known.last_seen_at, excluded.last_seen_at)
RETURNING encode(device, 'hex')
"""
MINE: LiteralString = """
SELECT encode(device, 'hex') FROM receipts.device WHERE member_id = %s ORDER BY device
"""
BACK: LiteralString = """
INSERT INTO receipts.device (member_id, device, first_seen_at, last_seen_at)
SELECT %(gone)s, device, first_seen_at, last_seen_at FROM receipts.device
WHERE member_id = %(into)s AND encode(device, 'hex') = ANY(%(devices)s) ORDER BY device
ON CONFLICT DO NOTHING
"""
LEAVE: LiteralString = """
DELETE FROM receipts.device WHERE member_id = %s AND encode(device, 'hex') = ANY(%s)
"""
FORGET: LiteralString = "DELETE FROM receipts.device WHERE member_id = %s"


def blinded(vault: Vault, mark: str) -> bytes:
    """What is kept of a caller's mark: it can be compared, and not read back."""
    return vault.blind(mark, purpose="device")[:BYTES]


async def seen(db: Db, used: Collection[tuple[UUID, bytes]], *, now: datetime) -> None:
    """Members (present already) showed receipts from these devices; what is a year old goes."""
    if not used:
        return
    rows = [(member_id, device, now, now, now - FRESH) for member_id, device in sorted(set(used))]
    await kit_db.execute_many(db, SEEN, rows)
    await db.execute(OLD, [sorted({member_id for member_id, _ in used}), now - KEPT])


async def merge(db: Db, into: UUID, gone: UUID) -> dict[str, list[str]]:
    """`into` has both members' devices; answers whose they were, for `unmerge`."""
    before = set(await kit_db.fetch_column(db, MINE, [into]))
    moved = await kit_db.fetch_column(db, MOVE, {"into": into, "gone": gone})
    await db.execute(FORGET, [gone])
    return {"devices": moved, "devices_shared": [one for one in moved if one in before]}


async def unmerge(db: Db, into: UUID, gone: UUID, *, moved: Mapping[str, list[Any]]) -> None:
    """`gone` has theirs again; those that both had stay with both."""
    devices = moved.get("devices", [])
    await db.execute(BACK, {"into": into, "gone": gone, "devices": devices})
    shared = set(moved.get("devices_shared", []))
    await db.execute(LEAVE, [into, [one for one in devices if one not in shared]])


async def forget(db: Db, member_id: UUID) -> None:
    await db.execute(FORGET, [member_id])
