"""Which webhooks there are, what was sent to them, what waits."""

from dataclasses import dataclass
from typing import LiteralString
from uuid import UUID

from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.kit.errors import DomainError, Kind
from vezde.outbox.webhooks.model import Delivery, State, Webhook

COUNT: LiteralString = "SELECT count(*) FROM outbox.webhook"
WEBHOOKS: LiteralString = """
SELECT webhook_id, url, description, created_at, created_by, paused_at, paused_by, paused_because,
    failures, failing_since, held_until, last_failure,
    ARRAY(SELECT kind FROM outbox.webhook_kind AS wanted
          WHERE wanted.webhook_id = webhook.webhook_id ORDER BY kind) AS kinds
FROM outbox.webhook
WHERE webhook_id = %(webhook_id)s::uuid
   OR (%(webhook_id)s::uuid IS NULL
       AND (%(after)s::uuid IS NULL OR webhook_id > %(after)s::uuid))
ORDER BY webhook_id
LIMIT %(limit)s
"""
DELIVERIES: LiteralString = """
SELECT webhook_id, fact_id, kind, state, queued_at, attempts, next_try, last_at, last_status,
    last_reason
FROM outbox.delivery
WHERE webhook_id = %(webhook_id)s AND (%(state)s::text IS NULL OR state = %(state)s)
  AND (%(before)s::uuid IS NULL OR fact_id < %(before)s::uuid)
ORDER BY fact_id DESC
LIMIT %(limit)s
"""
DELIVERY: LiteralString = """
SELECT webhook_id, fact_id, kind, state, queued_at, attempts, next_try, last_at, last_status,
    last_reason
FROM outbox.delivery WHERE webhook_id = %s AND fact_id = %s
"""
BACKLOG: LiteralString = """
SELECT (SELECT count(*) FROM outbox.delivery WHERE state = 'waiting') AS waiting,
       (SELECT count(*) FROM outbox.webhook WHERE paused_at IS NOT NULL) AS paused,
       (SELECT count(*) FROM outbox.webhook WHERE paused_at IS NULL AND failures > 0) AS failing
"""


class WebhookMissing(DomainError):
    code = "webhook_not_found"
    kind = Kind.MISSING


class DeliveryMissing(DomainError):
    code = "delivery_not_found"
    kind = Kind.MISSING


@dataclass(frozen=True)
class Backlog:
    """Deliveries that wait; webhooks that are paused; webhooks that fail and are not."""

    waiting: int
    paused: int
    failing: int


def no_such_webhook() -> WebhookMissing:
    """The error that says so."""
    return WebhookMissing("There is no such webhook; GET /v1/webhooks lists those there are.")


async def count(db: Db) -> int:
    """How many webhooks there are."""
    return int(await kit_db.fetch_value(db, COUNT))


async def webhook(db: Db, webhook_id: UUID) -> Webhook:
    """A webhook; raises `WebhookMissing`."""
    row = {"webhook_id": webhook_id, "after": None, "limit": 1}
    found = await kit_db.fetch_one(db, Webhook, WEBHOOKS, row)
    if found is None:
        raise no_such_webhook()
    return found


async def webhooks(db: Db, *, limit: int, after: UUID | None = None) -> list[Webhook]:
    """Webhooks in the order they were made."""
    row = {"webhook_id": None, "after": after, "limit": limit}
    return await kit_db.fetch_filtered(db, Webhook, WEBHOOKS, row)


async def delivery(db: Db, webhook_id: UUID, fact_id: UUID) -> Delivery:
    """A delivery; raises `DeliveryMissing`."""
    found = await kit_db.fetch_one(db, Delivery, DELIVERY, [webhook_id, fact_id])
    if found is None:
        raise DeliveryMissing("This webhook has no such delivery; they are kept for 14 days.")
    return found


async def deliveries(
    db: Db, webhook_id: UUID, *, limit: int, state: State | None = None, before: UUID | None = None
) -> list[Delivery]:
    """Deliveries of a webhook, the newest fact first; `before` is the last fact of a page.

    Raises `WebhookMissing`.
    """
    await webhook(db, webhook_id)
    row = {"webhook_id": webhook_id, "state": state, "before": before, "limit": limit}
    return await kit_db.fetch_filtered(db, Delivery, DELIVERIES, row)


async def backlog(db: Db) -> Backlog:
    """The webhooks' metrics; counts rows, so ask it by the minute."""
    found = await kit_db.fetch_one(db, Backlog, BACKLOG)
    assert found is not None, "aggregates answer one row"
    return found
