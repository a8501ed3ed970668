"""Make, change and remove webhooks; ping; replay."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString
from uuid import UUID

import structlog

from vezde.kit import db as kit_db
from vezde.kit import ids
from vezde.kit.db import Db
from vezde.kit.errors import DomainError, Kind
from vezde.kit.vault import Vault
from vezde.outbox import operations as outbox
from vezde.outbox.model import FactRow
from vezde.outbox.webhooks import events, model, queries, signing
from vezde.outbox.webhooks.model import Because, Delivery, Reach, Webhook

log = structlog.get_logger("vezde.outbox")

MOST_REPLAYED = 10_000

CREATE: LiteralString = """
INSERT INTO outbox.webhook (webhook_id, url, description, secret, created_at, created_by, failures)
VALUES (%s, %s, %s, %s, %s, %s, 0)
"""
WANT: LiteralString = """
INSERT INTO outbox.webhook_kind (kind, webhook_id) SELECT unnest(%s::text[]), %s
"""
UNWANT: LiteralString = "DELETE FROM outbox.webhook_kind WHERE webhook_id = %s"
LOCK: LiteralString = "SELECT 1 FROM outbox.webhook WHERE webhook_id = %s FOR NO KEY UPDATE"
MOVE: LiteralString = "UPDATE outbox.webhook SET url = %s WHERE webhook_id = %s"
DESCRIBE: LiteralString = "UPDATE outbox.webhook SET description = %s WHERE webhook_id = %s"
PAUSE: LiteralString = """
UPDATE outbox.webhook SET paused_at = %s, paused_by = %s, paused_because = %s
WHERE webhook_id = %s AND paused_at IS NULL
"""
RESUME: LiteralString = """
UPDATE outbox.webhook SET paused_at = NULL, paused_by = NULL, paused_because = NULL
WHERE webhook_id = %s
"""
TRUST: LiteralString = """
UPDATE outbox.webhook SET failures = 0, failing_since = NULL, held_until = NULL, last_failure = NULL
WHERE webhook_id = %s
"""
# What waits for the end of a back-off goes at once: the reason to wait is gone.
DUE_NOW: LiteralString = """
UPDATE outbox.delivery SET next_try = %(wall)s
WHERE webhook_id = %(webhook_id)s AND state = 'waiting' AND next_try > %(wall)s
"""
REMOVE: LiteralString = "DELETE FROM outbox.webhook WHERE webhook_id = %s RETURNING webhook_id"
ROTATE: LiteralString = """
UPDATE outbox.webhook SET former_secret = secret, former_until = %s, secret = %s
WHERE webhook_id = %s
"""
QUEUE: LiteralString = """
INSERT INTO outbox.delivery
    (webhook_id, fact_id, recorded_at, kind, state, queued_at, attempts, next_try)
SELECT DISTINCT wanted.webhook_id, fact.id, fact.recorded_at, fact.kind,
    'waiting', %(wall)s::timestamptz, 0, %(wall)s::timestamptz
FROM unnest(%(facts)s::uuid[], %(recorded)s::timestamptz[], %(kinds)s::text[])
    AS fact (id, recorded_at, kind)
JOIN outbox.webhook_kind AS wanted ON wanted.kind IN (fact.kind, '*')
ON CONFLICT (webhook_id, fact_id) DO NOTHING
"""
QUEUE_ONE: LiteralString = """
INSERT INTO outbox.delivery
    (webhook_id, fact_id, recorded_at, kind, state, queued_at, attempts, next_try)
VALUES (%s, %s, %s, %s, 'waiting', %s, 0, %s)
"""
PROBE: LiteralString = "UPDATE outbox.webhook SET held_until = NULL WHERE webhook_id = %s"
REPLAY: LiteralString = """
UPDATE outbox.delivery SET state = 'waiting', attempts = 0, queued_at = %(wall)s,
    next_try = %(wall)s
WHERE webhook_id = %(webhook_id)s AND fact_id = %(fact_id)s
"""
REPLAY_SINCE: LiteralString = """
WITH again AS (
    SELECT fact.id, fact.recorded_at, fact.kind
    FROM outbox.fact
    LEFT JOIN outbox.delivery AS known
        ON known.webhook_id = %(webhook_id)s AND known.fact_id = fact.id
    WHERE fact.recorded_at >= %(since)s AND fact.kind = ANY(%(kinds)s)
      AND (known.state IS NULL OR known.state = 'failed'
           OR (known.state = 'delivered' AND %(delivered)s))
    ORDER BY fact.recorded_at, fact.id
    LIMIT %(most)s
), queued AS (
    INSERT INTO outbox.delivery
        (webhook_id, fact_id, recorded_at, kind, state, queued_at, attempts, next_try)
    SELECT %(webhook_id)s, id, recorded_at, kind, 'waiting', %(wall)s, 0, %(wall)s FROM again
    ON CONFLICT (webhook_id, fact_id) DO UPDATE SET
        state = 'waiting', queued_at = excluded.queued_at, attempts = 0,
        next_try = excluded.next_try
    RETURNING recorded_at
)
SELECT count(*) AS replayed, max(recorded_at) AS last_recorded_at FROM queued
"""
SWEEP: LiteralString = """
DELETE FROM outbox.delivery WHERE (webhook_id, fact_id) IN (
    SELECT webhook_id, fact_id FROM outbox.delivery
    WHERE queued_at < %s ORDER BY queued_at LIMIT %s FOR UPDATE SKIP LOCKED
)
"""


class TooManyWebhooks(DomainError):
    code = "too_many_webhooks"
    kind = Kind.REFUSED


class WebhookPaused(DomainError):
    code = "webhook_paused"
    kind = Kind.CONFLICT


@dataclass(frozen=True)
class Replayed:
    """How many facts wait again; `last_recorded_at` of them, where the next replay goes on."""

    replayed: int
    last_recorded_at: datetime | None


async def create(
    db: Db,
    *,
    url: str,
    kinds: Collection[str],
    description: str | None,
    known: Collection[str],
    reach: Reach,
    vault: Vault,
    now: datetime,
    wall: datetime,
    actor: str,
) -> tuple[Webhook, str]:
    """A new webhook and its secret, which is not shown again.

    `known` are the kinds that are ever told. Raises `InvalidWebhook`, `TooManyWebhooks`.
    """
    address = model.sound_url(url, reach)
    wanted = model.sound_kinds(kinds, known=known)
    about = model.sound_description(description)
    if await queries.count(db) >= model.MOST_WEBHOOKS:
        raise TooManyWebhooks(
            f"There are {model.MOST_WEBHOOKS} webhooks, which is the most; delete one of them."
        )
    webhook_id, secret = ids.new(), signing.new_secret()
    sealed = seal(secret, webhook_id, vault=vault)
    await db.execute(CREATE, [webhook_id, address, about, sealed, wall, actor])
    await db.execute(WANT, [wanted, webhook_id])
    await outbox.record(db, [events.happened(events.CREATED, webhook_id, now=now)])
    return await queries.webhook(db, webhook_id), secret


async def change(
    db: Db,
    webhook_id: UUID,
    *,
    url: str | None = None,
    kinds: Collection[str] | None = None,
    description: str | None = None,
    known: Collection[str],
    reach: Reach,
    now: datetime,
) -> Webhook:
    """Change what is not None; an empty description takes it off. A new address starts with trust.

    Raises `WebhookMissing`, `InvalidWebhook`.
    """
    before = await _locked(db, webhook_id)
    if url is not None:
        address = model.sound_url(url, reach)
        if address != before.url:
            await db.execute(MOVE, [address, webhook_id])
            await db.execute(TRUST, [webhook_id])
    if kinds is not None:
        wanted = model.sound_kinds(kinds, known=known)
        await db.execute(UNWANT, [webhook_id])
        await db.execute(WANT, [wanted, webhook_id])
    if description is not None:
        await db.execute(DESCRIBE, [model.sound_description(description), webhook_id])
    after = await queries.webhook(db, webhook_id)
    if after != before:
        await outbox.record(db, [events.happened(events.CHANGED, webhook_id, now=now)])
    return after


async def pause(
    db: Db, webhook_id: UUID, *, because: Because, now: datetime, wall: datetime, actor: str
) -> Webhook:
    """Send nothing until it is resumed; what it wants is still collected, for 14 days.

    One that is paused stays as it was paused. Raises `WebhookMissing`.
    """
    before = await _locked(db, webhook_id)
    if before.is_active:
        await db.execute(PAUSE, [wall, actor, because, webhook_id])
        fact = events.happened(events.PAUSED, webhook_id, now=now, because=because)
        await outbox.record(db, [fact])
        log.warning("webhook paused", webhook=str(webhook_id), because=because, actor=actor)
    return await queries.webhook(db, webhook_id)


async def resume(db: Db, webhook_id: UUID, *, now: datetime, wall: datetime, actor: str) -> Webhook:
    """Send again, all that waits at once. Raises `WebhookMissing`."""
    before = await _locked(db, webhook_id)
    if not before.is_active:
        await db.execute(RESUME, [webhook_id])
        await db.execute(TRUST, [webhook_id])
        await db.execute(DUE_NOW, {"webhook_id": webhook_id, "wall": wall})
        await outbox.record(db, [events.happened(events.RESUMED, webhook_id, now=now)])
        log.info("webhook resumed", webhook=str(webhook_id), actor=actor)
        db.wake(model.SEND)
    return await queries.webhook(db, webhook_id)


async def remove(db: Db, webhook_id: UUID, *, now: datetime) -> None:
    """Delete a webhook with its deliveries. Raises `WebhookMissing`."""
    if await kit_db.fetch_value(db, REMOVE, [webhook_id]) is None:
        raise queries.no_such_webhook()
    await outbox.record(db, [events.happened(events.DELETED, webhook_id, now=now)])


async def rotate(db: Db, webhook_id: UUID, *, vault: Vault, now: datetime, wall: datetime) -> str:
    """A new secret; the one before signs beside it for 24 hours, an older one no more.

    Raises `WebhookMissing`.
    """
    await _locked(db, webhook_id)
    secret = signing.new_secret()
    sealed = seal(secret, webhook_id, vault=vault)
    until = wall + model.FORMER_SECRET_SIGNS
    await db.execute(ROTATE, [until, sealed, webhook_id])
    await outbox.record(db, [events.happened(events.SECRET_ROTATED, webhook_id, now=now)])
    return secret


async def ping(db: Db, webhook_id: UUID, *, now: datetime, wall: datetime) -> Delivery:
    """Have `webhook.pinged/1` told to this webhook alone, now.

    Raises `WebhookMissing`, `WebhookPaused`.
    """
    webhook = await _locked(db, webhook_id)
    if not webhook.is_active:
        raise WebhookPaused("Nothing is sent while it is paused; set its status to active first.")
    fact = events.happened(events.PINGED, webhook_id, now=now)
    await outbox.record(db, [fact])
    await db.execute(QUEUE_ONE, [webhook_id, fact.id, fact.recorded_at, fact.kind, wall, wall])
    await db.execute(PROBE, [webhook_id])
    db.wake(model.SEND)
    return await queries.delivery(db, webhook_id, fact.id)


async def queue(db: Db, facts: Sequence[FactRow], *, wall: datetime) -> None:
    """A delivery of these facts for every webhook that wants them; what is there already stays."""
    row = {
        "facts": [fact.id for fact in facts],
        "recorded": [fact.recorded_at for fact in facts],
        "kinds": [fact.kind for fact in facts],
        "wall": wall,
    }
    if (await db.execute(QUEUE, row)).rowcount:
        db.wake(model.SEND)


async def replay(db: Db, webhook_id: UUID, fact_id: UUID, *, wall: datetime) -> Delivery:
    """Send this delivery again from the first attempt. Raises `DeliveryMissing`."""
    await db.execute(REPLAY, {"webhook_id": webhook_id, "fact_id": fact_id, "wall": wall})
    db.wake(model.SEND)
    return await queries.delivery(db, webhook_id, fact_id)


async def replay_since(
    db: Db,
    webhook_id: UUID,
    *,
    since: datetime,
    delivered: bool,
    known: Collection[str],
    wall: datetime,
    most: int = MOST_REPLAYED,
) -> Replayed:
    """Send the facts recorded since (programme time) that this webhook wants, `most` at once.

    Without `delivered` only those it has not taken: failed ones, and those from before it was made
    or wanted them. Whatever waits already waits on. Raises `WebhookMissing`.
    """
    webhook = await _locked(db, webhook_id)
    row = {
        "webhook_id": webhook_id,
        "since": since,
        "kinds": list(known) if model.ALL_KINDS in webhook.kinds else webhook.kinds,
        "delivered": delivered,
        "wall": wall,
        "most": most,
    }
    done = await kit_db.fetch_one(db, Replayed, REPLAY_SINCE, row)
    assert done is not None, "aggregates answer one row"
    db.wake(model.SEND)
    return done


async def sweep(db: Db, *, wall: datetime, limit: int) -> int:
    """Delete deliveries queued more than 14 days ago, whatever came of them; how many."""
    return (await db.execute(SWEEP, [wall - model.KEEP, limit])).rowcount


def seal(secret: str, webhook_id: UUID, *, vault: Vault) -> bytes:
    """The secret as its row keeps it."""
    return vault.encrypt(secret.encode(), context=_context(webhook_id))


def unseal(sealed: bytes, webhook_id: UUID, *, vault: Vault) -> str:
    """What was sealed for this webhook; raises what `Vault.decrypt` raises."""
    return vault.decrypt(sealed, context=_context(webhook_id)).decode()


def _context(webhook_id: UUID) -> bytes:
    return b"outbox.webhook\0" + webhook_id.bytes


async def _locked(db: Db, webhook_id: UUID) -> Webhook:
    """The webhook, locked before any of its deliveries, as everybody locks them."""
    await db.execute(LOCK, [webhook_id])
    return await queries.webhook(db, webhook_id)
