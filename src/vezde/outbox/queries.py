"""What was recorded, what waits, what is stuck."""

from datetime import datetime
from typing import LiteralString

from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.outbox.model import FactRow

RECORDED: LiteralString = """
SELECT id, member_id, subject, kind, occurred_at, recorded_at, data
FROM outbox.fact
WHERE recorded_at >= %s AND recorded_at < %s
ORDER BY recorded_at, id
LIMIT %s
"""
REST: LiteralString = "SELECT count(*) FROM outbox.fact_rest"


async def recorded(db: Db, *, since: datetime, until: datetime, limit: int) -> list[FactRow]:
    """Facts with `since <= recorded_at < until`, in order."""
    return await kit_db.fetch_all(db, FactRow, RECORDED, [since, until, limit])


async def rest(db: Db) -> int:
    """Facts that no month's partition took: a metric, zero in health."""
    return int(await kit_db.fetch_value(db, REST))
