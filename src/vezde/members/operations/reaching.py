"""Whether a member can be written to over a messenger: noted beside the identity, with a fact."""

from datetime import datetime
from typing import LiteralString
from uuid import UUID

from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.members import events
from vezde.outbox import operations as outbox_ops

MARK: LiteralString = """
INSERT INTO members.unreachable (member_id, kind, reason, since) VALUES (%s, %s, %s, %s)
ON CONFLICT (member_id, kind) DO NOTHING
RETURNING kind
"""
CLEAR: LiteralString = """
DELETE FROM members.unreachable WHERE member_id = %s AND kind = %s RETURNING kind
"""
CLEAR_ALL: LiteralString = "DELETE FROM members.unreachable WHERE member_id = %s"


async def mark_unreachable(db: Db, member_id: UUID, kind: str, reason: str, now: datetime) -> bool:
    """Note that the messenger `kind` refuses this member for good; False: it was noted before.

    Consents stay: who unblocks the bot has not withdrawn them.
    """
    noted = await kit_db.fetch_value(db, MARK, [member_id, kind, reason, now])
    if noted is not None:
        await outbox_ops.record(db, [events.unreachable(member_id, kind, reason, now=now)])
    return noted is not None


async def mark_reachable(db: Db, member_id: UUID, kind: str, now: datetime) -> bool:
    """Note that they wrote, or got what was sent; False: nothing spoke against it."""
    noted = await kit_db.fetch_value(db, CLEAR, [member_id, kind])
    if noted is not None:
        await outbox_ops.record(db, [events.reachable(member_id, kind, now=now)])
    return noted is not None


async def drop_unreachable(db: Db, member_id: UUID) -> None:
    """Drop what is noted of a member who is forgotten or merged into another."""
    await db.execute(CLEAR_ALL, [member_id])
