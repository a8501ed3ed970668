"""Take deliveries under a lease, and note what came of them; between the two they are sent."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

import structlog

from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.kit.work.leases import Lease
from vezde.outbox.model import FactRow
from vezde.outbox.webhooks import model, operations
from vezde.outbox.webhooks.model import GONE_STATUS, Because, Due, Outcome

log = structlog.get_logger("vezde.outbox")

# A few of each webhook, so that none keeps the others waiting; of one that fails, one.
CLAIM: LiteralString = """
WITH due AS (
    SELECT next.webhook_id, next.fact_id
    FROM outbox.webhook
    CROSS JOIN LATERAL (
        SELECT delivery.webhook_id, delivery.fact_id FROM outbox.delivery
        WHERE delivery.webhook_id = webhook.webhook_id AND delivery.state = 'waiting'
          AND delivery.next_try <= %(wall)s
          AND (delivery.leased_until IS NULL OR delivery.leased_until <= %(wall)s)
        ORDER BY delivery.next_try, delivery.fact_id
        LIMIT CASE webhook.failures WHEN 0 THEN %(each)s::int ELSE 1 END
        FOR UPDATE SKIP LOCKED
    ) AS next
    WHERE webhook.paused_at IS NULL
      AND (webhook.held_until IS NULL OR webhook.held_until <= %(wall)s)
      AND webhook.webhook_id <> ALL(%(busy)s::uuid[])
    LIMIT %(most)s
), claimed AS (
    UPDATE outbox.delivery SET lease_token = %(token)s, leased_until = %(until)s,
        attempts = attempts + 1
    FROM due WHERE delivery.webhook_id = due.webhook_id AND delivery.fact_id = due.fact_id
    RETURNING delivery.webhook_id, delivery.fact_id, delivery.recorded_at, delivery.attempts
)
SELECT claimed.webhook_id, claimed.attempts, webhook.url, webhook.secret, webhook.former_secret,
    webhook.former_until, fact.id, fact.member_id, fact.subject, fact.kind, fact.occurred_at,
    fact.recorded_at, fact.data
FROM claimed
JOIN outbox.webhook USING (webhook_id)
CROSS JOIN LATERAL (
    SELECT * FROM outbox.fact
    WHERE fact.recorded_at = claimed.recorded_at AND fact.id = claimed.fact_id LIMIT 1
) AS fact
"""
WELL: LiteralString = """
UPDATE outbox.webhook SET failures = 0, failing_since = NULL, held_until = NULL, last_failure = NULL
WHERE webhook_id = %s AND failures > 0
"""
DELIVERED: LiteralString = """
UPDATE outbox.delivery SET state = 'delivered', next_try = NULL, lease_token = NULL,
    leased_until = NULL, last_at = %s, last_status = %s, last_reason = NULL
WHERE webhook_id = %s AND fact_id = %s AND lease_token = %s
"""
NOT_TAKEN: LiteralString = """
UPDATE outbox.delivery SET state = %s, next_try = %s, lease_token = NULL, leased_until = NULL,
    last_at = %s, last_status = %s, last_reason = %s
WHERE webhook_id = %s AND fact_id = %s AND lease_token = %s
"""
HEALTH: LiteralString = """
SELECT failures, failing_since FROM outbox.webhook WHERE webhook_id = %s FOR NO KEY UPDATE
"""
FAILING: LiteralString = """
UPDATE outbox.webhook SET failures = %s, failing_since = %s, held_until = %s, last_failure = %s
WHERE webhook_id = %s
"""


@dataclass(frozen=True)
class _Claimed:
    webhook_id: UUID
    attempts: int
    url: str
    secret: bytes
    former_secret: bytes | None
    former_until: datetime | None
    id: UUID
    member_id: UUID | None
    subject: str | None
    kind: str
    occurred_at: datetime
    recorded_at: datetime
    data: dict[str, Any]

    def due(self) -> Due:
        return Due(
            webhook_id=self.webhook_id,
            url=self.url,
            secret=self.secret,
            former_secret=self.former_secret,
            former_until=self.former_until,
            attempts=self.attempts,
            fact=FactRow(
                self.id,
                self.member_id,
                self.subject,
                self.kind,
                self.occurred_at,
                self.recorded_at,
                self.data,
            ),
        )


@dataclass(frozen=True)
class _Health:
    failures: int
    failing_since: datetime | None


async def claim(
    db: Db, *, lease: Lease, wall: datetime, busy: Collection[UUID], each: int, most: int
) -> list[Due]:
    """Lease up to `most` due deliveries, `each` of a webhook, none of the `busy` webhooks.

    Commit before they are sent.
    """
    row = {
        "token": lease.token,
        "until": lease.until,
        "wall": wall,
        "busy": list(busy),
        "each": each,
        "most": most,
    }
    return [one.due() for one in await kit_db.fetch_all(db, _Claimed, CLAIM, row)]


async def finish(
    db: Db,
    due: Due,
    outcome: Outcome,
    *,
    token: UUID,
    now: datetime,
    wall: datetime,
    jitter: float,
) -> bool:
    """Note what came of an attempt; False: the lease was lost, another has it, nothing is noted.

    The webhook is locked before the delivery, as everywhere. 410 pauses it at once, failing for
    three days does too.
    """
    if outcome.taken:
        await db.execute(WELL, [due.webhook_id])
        row = [wall, outcome.status, due.webhook_id, due.fact.id, token]
        return (await db.execute(DELIVERED, row)).rowcount == 1
    health = await kit_db.fetch_one(db, _Health, HEALTH, [due.webhook_id])
    if health is None:
        return False
    again = model.next_try(due.attempts, outcome, wall=wall, jitter=jitter)
    if outcome.status == GONE_STATUS:  # resumed by somebody, it is tried again
        again = again or wall
    state = model.State.FAILED if again is None else model.State.WAITING
    said = [state, again, wall, outcome.status, outcome.reason]
    noted = await db.execute(NOT_TAKEN, [*said, due.webhook_id, due.fact.id, token])
    if noted.rowcount != 1:
        return False
    await _failing(db, due.webhook_id, health, outcome, now=now, wall=wall)
    return True


async def _failing(
    db: Db, webhook_id: UUID, health: _Health, outcome: Outcome, *, now: datetime, wall: datetime
) -> None:
    failures, since = health.failures + 1, health.failing_since or wall
    held = model.hold(failures, since, wall=wall)
    await db.execute(FAILING, [failures, since, held, outcome.reason, webhook_id])
    because = None
    if outcome.status == GONE_STATUS:
        because = Because.GONE
    elif wall - since >= model.PAUSED_AFTER:
        because = Because.FAILING
    if because is not None:
        await operations.pause(db, webhook_id, because=because, now=now, wall=wall, actor="system")
