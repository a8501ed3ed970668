"""Jobs that failed for the last time, to be looked at."""

from datetime import datetime
from typing import LiteralString
from uuid import UUID

from vezde.kit.db import Db
from vezde.kit.troubles import Source
from vezde.kit.work import jobs

LISTED: LiteralString = """
SELECT id AS first, '00000000-0000-0000-0000-000000000000'::uuid AS second, parked_at AS at,
    kind AS about, error AS because, attempts::integer AS attempts,
    (payload ->> 'member_id')::uuid AS member_id
FROM kit.job
WHERE parked_at IS NOT NULL AND (parked_at, id) < (%(at)s, %(first)s)
  AND %(second)s::uuid IS NOT NULL
ORDER BY parked_at DESC, id DESC LIMIT %(limit)s
"""
COUNT: LiteralString = "SELECT count(*) FROM kit.job WHERE parked_at IS NOT NULL"
DROP: LiteralString = "DELETE FROM kit.job WHERE id = %s AND parked_at IS NOT NULL"


async def _retry(db: Db, job_id: UUID, _: UUID, _wall: datetime, actor: str) -> bool:
    try:
        await jobs.unpark(db, job_id=job_id, actor=actor)
    except jobs.NotParked:
        return False
    return True


async def _drop(db: Db, job_id: UUID, _: UUID, _wall: datetime, _actor: str) -> bool:
    return (await db.execute(DROP, [job_id])).rowcount == 1


SOURCE = Source("job", LISTED, COUNT, _retry, _drop)
