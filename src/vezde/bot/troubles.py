"""Events of chats given up on, to be looked at; what they say stays sealed."""

from datetime import datetime
from typing import LiteralString
from uuid import UUID

from vezde.bot import inbox
from vezde.kit.db import Db
from vezde.kit.troubles import Source

LISTED: LiteralString = """
SELECT event.event_id AS first, '00000000-0000-0000-0000-000000000000'::uuid AS second,
    event.due_wall AS at, split_part(event.bot, ':', 1) AS about, event.error AS because,
    event.attempts, chat.member_id
FROM bot.event
LEFT JOIN bot.chat
    ON chat.chat = event.chat AND chat.channel = split_part(event.bot, ':', 1)
WHERE event.state = 'parked' AND (event.due_wall, event.event_id) < (%(at)s, %(first)s)
  AND %(second)s::uuid IS NOT NULL
ORDER BY event.due_wall DESC, event.event_id DESC LIMIT %(limit)s
"""
COUNT: LiteralString = "SELECT count(*) FROM bot.event WHERE state = 'parked'"
RETRY: LiteralString = """
UPDATE bot.event SET state = 'waiting', attempts = 0, due_wall = %s
WHERE event_id = %s AND state = 'parked'
"""
DROP: LiteralString = "DELETE FROM bot.event WHERE event_id = %s AND state = 'parked'"


async def _retry(db: Db, event_id: UUID, _: UUID, wall: datetime, _actor: str) -> bool:
    done = await db.execute(RETRY, [wall, event_id])
    db.wake(inbox.WORK)
    return done.rowcount == 1


async def _drop(db: Db, event_id: UUID, _: UUID, _wall: datetime, _actor: str) -> bool:
    return (await db.execute(DROP, [event_id])).rowcount == 1


SOURCE = Source("update", LISTED, COUNT, _retry, _drop)
