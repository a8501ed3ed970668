"""Letters that nobody could work, to be looked at: their receipts are not registered."""

from datetime import datetime
from typing import LiteralString
from uuid import UUID

from vezde.kit.db import Db
from vezde.kit.troubles import Source
from vezde.receipts.mailing.operations import WORK

LISTED: LiteralString = """
SELECT member_id AS first, letter_id AS second, due_wall AS at, 'letter' AS about,
    error AS because, attempts, member_id
FROM receipts.letter
WHERE state = 'parked' AND (due_wall, member_id, letter_id) < (%(at)s, %(first)s, %(second)s)
ORDER BY due_wall DESC, member_id DESC, letter_id DESC LIMIT %(limit)s
"""
COUNT: LiteralString = "SELECT count(*) FROM receipts.letter WHERE state = 'parked'"
RETRY: LiteralString = """
UPDATE receipts.letter SET state = 'waiting', attempts = 0, due_wall = %s
WHERE member_id = %s AND letter_id = %s AND state = 'parked'
"""
DROP: LiteralString = """
UPDATE receipts.letter SET state = 'done', sealed = NULL
WHERE member_id = %s AND letter_id = %s AND state = 'parked'
"""


async def _retry(db: Db, member_id: UUID, letter_id: UUID, wall: datetime, _actor: str) -> bool:
    done = await db.execute(RETRY, [wall, member_id, letter_id])
    db.wake(WORK)
    return done.rowcount == 1


async def _drop(db: Db, member_id: UUID, letter_id: UUID, _wall: datetime, _actor: str) -> bool:
    return (await db.execute(DROP, [member_id, letter_id])).rowcount == 1


SOURCE = Source("letter", LISTED, COUNT, _retry, _drop)
