"""Messages that may not have arrived, to be looked at.

That people block a bot, withdraw a consent or leave is their right and no trouble; `queries.sends`
shows it with the member.
"""

from datetime import datetime
from typing import LiteralString
from uuid import UUID

from vezde.kit.db import Db
from vezde.kit.troubles import Source

LISTED: LiteralString = """
SELECT member_id AS first, send_id AS second, finished_wall AS at,
    purpose || ' ' || channel AS about, state || coalesce(' ' || reason, '') AS because,
    NULL::integer AS attempts, member_id
FROM messaging.send
WHERE state IN ('unknown', 'refused') AND seen_wall IS NULL
  AND (reason IS NULL OR reason NOT IN ('blocked', 'deactivated', 'chat_missing', 'no_member',
       'no_address', 'no_consent'))
  AND (finished_wall, member_id, send_id) < (%(at)s, %(first)s, %(second)s)
ORDER BY finished_wall DESC, member_id DESC, send_id DESC LIMIT %(limit)s
"""
COUNT: LiteralString = """
SELECT count(*) FROM messaging.send
WHERE state IN ('unknown', 'refused') AND seen_wall IS NULL
  AND (reason IS NULL OR reason NOT IN ('blocked', 'deactivated', 'chat_missing', 'no_member',
       'no_address', 'no_consent'))
"""
SEEN: LiteralString = """
UPDATE messaging.send SET seen_wall = %s
WHERE member_id = %s AND send_id = %s AND state IN ('unknown', 'refused') AND seen_wall IS NULL
"""
WORDS_ARE_GONE = (
    "What a message said is not kept, and this one may have arrived, so it is not sent again. "
    "Drop it once you have seen it."
)


async def _drop(db: Db, member_id: UUID, send_id: UUID, wall: datetime, _actor: str) -> bool:
    return (await db.execute(SEEN, [wall, member_id, send_id])).rowcount == 1


SOURCE = Source("send", LISTED, COUNT, WORDS_ARE_GONE, _drop)
