"""Reactions given up on, to be looked at."""

from datetime import datetime
from typing import LiteralString
from uuid import UUID

from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.kit.troubles import Source
from vezde.outbox import operations

# Several reactions may have failed on one fact; the second half of the key is of the one's name.
LISTED: LiteralString = """
SELECT * FROM (
    SELECT retry.fact_id AS first,
        encode(substring(sha256(convert_to(retry.reaction, 'UTF8')) FROM 1 FOR 16), 'hex')::uuid
            AS second,
        retry.parked_at AS at, retry.reaction || ' ' || fact.kind AS about, retry.error AS because,
        retry.attempts::integer AS attempts, fact.member_id
    FROM outbox.retry
    JOIN outbox.fact ON fact.recorded_at = retry.recorded_at AND fact.id = retry.fact_id
    WHERE retry.parked_at IS NOT NULL AND retry.parked_at <= %(at)s
) AS parked
WHERE (at, first, second) < (%(at)s, %(first)s, %(second)s)
ORDER BY at DESC, first DESC, second DESC LIMIT %(limit)s
"""
COUNT: LiteralString = "SELECT count(*) FROM outbox.retry WHERE parked_at IS NOT NULL"
REACTION: LiteralString = """
SELECT reaction FROM outbox.retry
WHERE fact_id = %s AND parked_at IS NOT NULL
  AND encode(substring(sha256(convert_to(reaction, 'UTF8')) FROM 1 FOR 16), 'hex')::uuid = %s
FOR UPDATE
"""
DROP: LiteralString = "DELETE FROM outbox.retry WHERE fact_id = %s AND reaction = %s"


async def _retry(db: Db, fact_id: UUID, name: UUID, wall: datetime, actor: str) -> bool:
    reaction = await kit_db.fetch_value(db, REACTION, [fact_id, name])
    if reaction is None:
        return False
    await operations.unpark(db, fact_id=fact_id, reaction=reaction, wall=wall, actor=actor)
    return True


async def _drop(db: Db, fact_id: UUID, name: UUID, _wall: datetime, _actor: str) -> bool:
    reaction = await kit_db.fetch_value(db, REACTION, [fact_id, name])
    return (await db.execute(DROP, [fact_id, reaction])).rowcount == 1


SOURCE = Source("reaction", LISTED, COUNT, _retry, _drop)
