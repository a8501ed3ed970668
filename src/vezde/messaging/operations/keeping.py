"""What is kept of a member's messages: merged, parted, forgotten, swept in time."""

from datetime import datetime, timedelta
from typing import LiteralString
from uuid import UUID

from psycopg.types.json import Jsonb

from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.members.operations import Moved
from vezde.messaging.operations.reserving import DELIVER

KEEP_SLOTS = timedelta(days=400)
KEEP_PACE = timedelta(days=1)

# First, as claiming and finishing do: whoever has one of these in hand now is waited for.
LOCK_QUEUE: LiteralString = """
SELECT send_id FROM messaging.queue WHERE member_id = %(gone)s ORDER BY send_id FOR UPDATE
"""
# Of a key that both have had the one who stays is in the right: it was sent to them.
DROP_DOUBLES: LiteralString = """
WITH doubled AS (
    DELETE FROM messaging.send
    WHERE member_id = %(gone)s
      AND key IN (SELECT key FROM messaging.send WHERE member_id = %(into)s)
    RETURNING *
), unqueued AS (
    DELETE FROM messaging.queue
    WHERE member_id = %(gone)s AND lease IS NULL AND send_id IN (SELECT send_id FROM doubled)
)
SELECT to_jsonb(doubled) FROM doubled WHERE state <> 'reserved'
"""
# What is in hand of a worker stays where the worker will look for it.
MOVE_QUEUE: LiteralString = """
UPDATE messaging.queue SET member_id = %(into)s WHERE member_id = %(gone)s AND lease IS NULL
"""
MOVE_SENDS: LiteralString = """
UPDATE messaging.send SET member_id = %(into)s
WHERE member_id = %(gone)s AND send_id NOT IN (
    SELECT send_id FROM messaging.queue WHERE member_id = %(gone)s)
RETURNING send_id::text
"""
# The slots of who goes are the newer ones: that is the chat they write from.
DROP_SLOTS: LiteralString = """
DELETE FROM messaging.slot AS old USING messaging.slot AS new
WHERE old.member_id = %(into)s AND new.member_id = %(gone)s
  AND new.channel = old.channel AND new.slot = old.slot
RETURNING to_jsonb(old)
"""
MOVE_SLOTS: LiteralString = """
UPDATE messaging.slot SET member_id = %(into)s WHERE member_id = %(gone)s
RETURNING channel, slot, message_id
"""
LOCK_MOVED: LiteralString = """
SELECT send_id FROM messaging.queue
WHERE member_id = %(into)s AND send_id = ANY(%(sends)s::uuid[]) ORDER BY send_id FOR UPDATE
"""
BACK: tuple[LiteralString, ...] = (
    """
    UPDATE messaging.queue SET member_id = %(gone)s
    WHERE member_id = %(into)s AND send_id = ANY(%(sends)s::uuid[]) AND lease IS NULL
    """,
    """
    UPDATE messaging.send SET member_id = %(gone)s
    WHERE member_id = %(into)s AND send_id = ANY(%(sends)s::uuid[]) AND send_id NOT IN (
        SELECT send_id FROM messaging.queue WHERE member_id = %(into)s)
    """,
    # So that nobody is sent the same again.
    """
    INSERT INTO messaging.send
    SELECT (jsonb_populate_recordset(NULL::messaging.send, %(doubles)s)).*
    ON CONFLICT DO NOTHING
    """,
)
SLOT_BACK: LiteralString = """
UPDATE messaging.slot SET member_id = %s
WHERE member_id = %s AND channel = %s AND slot = %s AND message_id = %s
"""
SLOTS_AGAIN: LiteralString = """
INSERT INTO messaging.slot
SELECT (jsonb_populate_recordset(NULL::messaging.slot, %s)).*
ON CONFLICT DO NOTHING
"""
FORGET: tuple[LiteralString, ...] = (
    "DELETE FROM messaging.queue WHERE member_id = %s",
    "DELETE FROM messaging.send WHERE member_id = %s",
    "DELETE FROM messaging.slot WHERE member_id = %s",
    "DELETE FROM messaging.chat WHERE member_id = %s",
)
SWEEP_SLOTS: LiteralString = """
DELETE FROM messaging.slot WHERE (member_id, channel, slot) IN (
    SELECT member_id, channel, slot FROM messaging.slot
    WHERE named_wall < %s ORDER BY named_wall LIMIT %s FOR UPDATE SKIP LOCKED)
"""
SWEEP_CHATS: LiteralString = """
DELETE FROM messaging.chat WHERE (member_id, channel) IN (
    SELECT member_id, channel FROM messaging.chat
    WHERE paced_until < %(before)s AND (paused_until IS NULL OR paused_until < %(before)s)
    LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
"""


async def merge(db: Db, into: UUID, gone: UUID, *, now: datetime, actor: str) -> Moved:  # noqa: ARG001 (a step of members.merge)
    """Make the messages of `gone` those of `into`, what waits to be sent included.

    A key that both have counts once. What a worker has in hand at this moment ends under `gone`.
    """
    both = {"into": into, "gone": gone}
    await db.execute(LOCK_QUEUE, both)
    doubles = await kit_db.fetch_column(db, DROP_DOUBLES, both)
    await db.execute(MOVE_QUEUE, both)
    sends = await kit_db.fetch_column(db, MOVE_SENDS, both)
    replaced = await kit_db.fetch_column(db, DROP_SLOTS, both)
    slots = await (await db.execute(MOVE_SLOTS, both)).fetchall()
    db.wake(DELIVER)
    return {
        "doubles": doubles,
        "sends": sends,
        "replaced": replaced,
        "slots": [list(one) for one in slots],
    }


async def unmerge(
    db: Db,
    into: UUID,
    gone: UUID,
    *,
    moved: Moved,
    now: datetime,  # noqa: ARG001
    actor: str,  # noqa: ARG001
) -> None:
    """Give `gone` their messages back, those that still wait to be sent included.

    What a worker has in hand at this moment ends under `into`.
    """
    both = {"into": into, "gone": gone, "sends": moved["sends"]}
    await db.execute(LOCK_MOVED, both)
    for statement in BACK:
        await db.execute(statement, {**both, "doubles": Jsonb(moved["doubles"])})
    slots = [(gone, into, *one) for one in moved["slots"]]
    await kit_db.execute_many(db, SLOT_BACK, slots)
    await db.execute(SLOTS_AGAIN, [Jsonb(moved["replaced"])])
    db.wake(DELIVER)


async def forget(db: Db, member_id: UUID, *, now: datetime, actor: str) -> None:  # noqa: ARG001 (a step of members.forget)
    """Delete all messages of a member, what waits to be sent too."""
    for statement in FORGET:
        await db.execute(statement, [member_id])


async def sweep(db: Db, *, wall: datetime, limit: int) -> int:
    """Delete what nobody edits or paces by any more, at most `limit` of each; how much it was.

    The ledger of sends stays; texts are gone from it the moment they are sent.
    """
    slots = await db.execute(SWEEP_SLOTS, [wall - KEEP_SLOTS, limit])
    chats = await db.execute(SWEEP_CHATS, {"before": wall - KEEP_PACE, "limit": limit})
    return slots.rowcount + chats.rowcount
