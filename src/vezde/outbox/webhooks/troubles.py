"""Deliveries given up on, to be looked at."""

from datetime import datetime
from typing import LiteralString
from uuid import UUID

from vezde.kit.db import Db
from vezde.kit.troubles import Source
from vezde.outbox.webhooks import model

LISTED: LiteralString = """
SELECT delivery.webhook_id AS first, delivery.fact_id AS second, delivery.last_at AS at,
    delivery.kind AS about, coalesce(delivery.last_reason, delivery.last_status::text) AS because,
    delivery.attempts::integer AS attempts, NULL::uuid AS member_id
FROM outbox.delivery
WHERE delivery.state = 'failed'
  AND (delivery.last_at, delivery.webhook_id, delivery.fact_id) < (%(at)s, %(first)s, %(second)s)
ORDER BY delivery.last_at DESC, delivery.webhook_id DESC, delivery.fact_id DESC LIMIT %(limit)s
"""
COUNT: LiteralString = "SELECT count(*) FROM outbox.delivery WHERE state = 'failed'"
RETRY: LiteralString = """
UPDATE outbox.delivery SET state = 'waiting', attempts = 0, queued_at = %s, next_try = %s
WHERE webhook_id = %s AND fact_id = %s AND state = 'failed'
"""
DROP: LiteralString = """
DELETE FROM outbox.delivery WHERE webhook_id = %s AND fact_id = %s AND state = 'failed'
"""


async def _retry(db: Db, webhook_id: UUID, fact_id: UUID, wall: datetime, _actor: str) -> bool:
    done = await db.execute(RETRY, [wall, wall, webhook_id, fact_id])
    db.wake(model.SEND)
    return done.rowcount == 1


async def _drop(db: Db, webhook_id: UUID, fact_id: UUID, _wall: datetime, _actor: str) -> bool:
    return (await db.execute(DROP, [webhook_id, fact_id])).rowcount == 1


SOURCE = Source("delivery", LISTED, COUNT, _retry, _drop)
