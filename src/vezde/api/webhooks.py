"""Webhooks: who is told of facts, what was sent to them, and sending it again."""

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict

from vezde.access.model import Key, Scope
from vezde.api import bodies, facts, names
from vezde.api.callers import scope
from vezde.api.once import Done, once
from vezde.api.pages import BadCursor, Cursor, Limit, Page, cursor_of, page
from vezde.api.problems import Malformed
from vezde.api.tools import Tools, tools
from vezde.kit.db import Db
from vezde.outbox.webhooks import model, operations, queries
from vezde.outbox.webhooks.model import Because, Delivery, State, Webhook

router = APIRouter(tags=["webhooks"])
Caller = Annotated[Key, Depends(scope(Scope.WEBHOOKS))]
Using = Annotated[Tools, Depends(tools)]
MOST_BYTES = 64 * 1024
REPLAY_AT_MOST = timedelta(days=31)

BECAUSE = {
    Because.BY_HAND: "Paused by hand.",
    Because.FAILING: "Nothing it was sent was taken for three days.",
    Because.GONE: "It answered 410: this address takes no webhooks any more.",
}


class NewWebhookIn(BaseModel):
    """`kinds` like `receipt.accepted/1`; left out or `["*"]`: all that are told."""

    model_config = ConfigDict(extra="forbid")
    url: str
    kinds: list[str] = [model.ALL_KINDS]
    description: str | None = None


class ChangesIn(BaseModel):
    """What is to change; what is left out stays. `active` resumes, `paused` pauses."""

    model_config = ConfigDict(extra="forbid")
    url: str = ""
    kinds: list[str] = []
    description: str | None = None
    status: Literal["active", "paused"] = "active"

    def given(self, field: str) -> bool:
        return field in self.model_fields_set


class ReplayIn(BaseModel):
    """Facts recorded `since`; with `delivered` those too that were taken already."""

    model_config = ConfigDict(extra="forbid")
    since: datetime
    delivered: bool = False


class PausedOut(BaseModel):
    """Why and since when nothing is sent: `by_hand`, `failing` or `gone`."""

    code: str
    text: str
    at: datetime


class WebhookOut(BaseModel):
    """`failing_since` and `last_failure` are null once something was taken."""

    id: str
    url: str
    kinds: list[str]
    description: str | None
    status: Literal["active", "paused"]
    paused: PausedOut | None
    failing_since: datetime | None
    last_failure: str | None
    created_at: datetime


class WithSecretOut(WebhookOut):
    """`secret` is shown in this answer and never again."""

    secret: str


class DeliveryOut(BaseModel):
    """`id` is what the receiver sees as `webhook-id`; `next_try` is null unless it waits."""

    id: str
    kind: str
    state: State
    attempts: int
    queued_at: datetime
    next_try: datetime | None
    last_at: datetime | None
    last_status: int | None
    last_reason: str | None


class ReplayedOut(BaseModel):
    """`next_since` is where to go on when there were more than one call replays, else null."""

    replayed: int
    next_since: datetime | None


def webhook_out(webhook: Webhook) -> WebhookOut:
    return WebhookOut(**_shown(webhook))


def _shown(webhook: Webhook) -> dict[str, Any]:
    return {
        "id": names.webhook(webhook.webhook_id),
        "url": webhook.url,
        "kinds": webhook.kinds,
        "description": webhook.description,
        "status": "active" if webhook.is_active else "paused",
        "paused": _paused(webhook),
        "failing_since": webhook.failing_since,
        "last_failure": webhook.last_failure,
        "created_at": webhook.created_at,
    }


def _paused(webhook: Webhook) -> PausedOut | None:
    if webhook.paused_at is None or webhook.paused_because is None:
        return None
    because = Because(webhook.paused_because)
    return PausedOut(code=because, text=BECAUSE[because], at=webhook.paused_at)


def _position(cursor: str | None) -> UUID | None:
    position = cursor_of(cursor)
    try:
        return UUID(position) if position else None
    except ValueError as error:
        raise BadCursor("Take the cursor from next_cursor of the page before.") from error


def delivery_out(delivery: Delivery) -> DeliveryOut:
    return DeliveryOut(
        id=names.event(delivery.fact_id),
        kind=delivery.kind,
        state=State(delivery.state),
        attempts=delivery.attempts,
        queued_at=delivery.queued_at,
        next_try=delivery.next_try,
        last_at=delivery.last_at,
        last_status=delivery.last_status,
        last_reason=delivery.last_reason,
    )


@router.post("/v1/webhooks", status_code=201, response_model=WithSecretOut)
async def create(request: Request, given: NewWebhookIn, caller: Caller, using: Using) -> Response:
    """Have facts sent to an address; the answer has the secret that they are signed with."""

    async def work(db: Db, now: datetime) -> Done:
        webhook, secret = await operations.create(
            db,
            url=given.url,
            kinds=given.kinds,
            description=given.description,
            known=facts.KINDS,
            reach=using.reach,
            vault=using.vault,
            now=now,
            wall=using.clock.wall(),
            actor=caller.actor,
        )
        return Done(201, WithSecretOut(**_shown(webhook), secret=secret))

    return await once(request, caller, given, work)


@router.get("/v1/webhooks")
async def listed(
    _caller: Caller, using: Using, limit: Limit = 50, cursor: Cursor = None
) -> Page[WebhookOut]:
    """Webhooks in the order they were made."""
    after = _position(cursor)
    async with using.database.transaction() as db:
        rows = await queries.webhooks(db, limit=limit + 1, after=after)
    return page(rows, limit, show=webhook_out, position=lambda row: str(row.webhook_id))


@router.get("/v1/webhooks/{webhook_id}")
async def one(webhook_id: str, _caller: Caller, using: Using) -> WebhookOut:
    """A webhook; its secret is not shown again."""
    async with using.database.transaction() as db:
        return webhook_out(await queries.webhook(db, names.webhook_id(webhook_id)))


@router.patch("/v1/webhooks/{webhook_id}", openapi_extra=bodies.merge_patch())
async def change(request: Request, webhook_id: str, caller: Caller, using: Using) -> WebhookOut:
    """JSON merge patch of url, kinds, description, status.

    A paused webhook collects what it wants for 14 days and is sent it when it is active again.
    """
    given = await bodies.read_json(request, ChangesIn, most_bytes=MOST_BYTES)
    internal, wall = names.webhook_id(webhook_id), using.clock.wall()
    async with using.database.transaction() as db:
        now = await using.clock.programme(db)
        webhook = await operations.change(
            db,
            internal,
            url=given.url if given.given("url") else None,
            kinds=given.kinds if given.given("kinds") else None,
            # null takes it off
            description=given.description or "" if given.given("description") else None,
            known=facts.KINDS,
            reach=using.reach,
            now=now,
        )
        if not given.given("status"):
            return webhook_out(webhook)
        if given.status == "paused":
            webhook = await operations.pause(
                db, internal, because=Because.BY_HAND, now=now, wall=wall, actor=caller.actor
            )
        else:
            webhook = await operations.resume(db, internal, now=now, wall=wall, actor=caller.actor)
    return webhook_out(webhook)


@router.delete("/v1/webhooks/{webhook_id}", status_code=204)
async def remove(webhook_id: str, _caller: Caller, using: Using) -> None:
    """Delete a webhook and what waits for it."""
    internal = names.webhook_id(webhook_id)
    async with using.database.transaction() as db:
        await operations.remove(db, internal, now=await using.clock.programme(db))


@router.post("/v1/webhooks/{webhook_id}/secret", response_model=WithSecretOut)
async def rotate(request: Request, webhook_id: str, caller: Caller, using: Using) -> Response:
    """A new secret; for 24 hours everything is signed by the one before as well."""
    internal = names.webhook_id(webhook_id)

    async def work(db: Db, now: datetime) -> Done:
        wall = using.clock.wall()
        secret = await operations.rotate(db, internal, vault=using.vault, now=now, wall=wall)
        webhook = await queries.webhook(db, internal)
        return Done(200, WithSecretOut(**_shown(webhook), secret=secret))

    return await once(request, caller, None, work)


@router.post("/v1/webhooks/{webhook_id}/test", status_code=202, response_model=DeliveryOut)
async def test(request: Request, webhook_id: str, caller: Caller, using: Using) -> Response:
    """Send `webhook.pinged` to this webhook; read the delivery to see what came of it."""
    internal = names.webhook_id(webhook_id)

    async def work(db: Db, now: datetime) -> Done:
        delivery = await operations.ping(db, internal, now=now, wall=using.clock.wall())
        return Done(202, delivery_out(delivery))

    return await once(request, caller, None, work)


@router.get("/v1/webhooks/{webhook_id}/deliveries")
async def deliveries(
    webhook_id: str,
    _caller: Caller,
    using: Using,
    state: State | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[DeliveryOut]:
    """What was sent and what waits, the newest fact first; kept for 14 days."""
    before = _position(cursor)
    async with using.database.transaction() as db:
        rows = await queries.deliveries(
            db, names.webhook_id(webhook_id), limit=limit + 1, state=state, before=before
        )
    return page(rows, limit, show=delivery_out, position=lambda row: str(row.fact_id))


@router.get("/v1/webhooks/{webhook_id}/deliveries/{delivery_id}")
async def delivery(webhook_id: str, delivery_id: str, _caller: Caller, using: Using) -> DeliveryOut:
    """One delivery, by what its receiver saw as `webhook-id`."""
    key = names.webhook_id(webhook_id), names.event_id(delivery_id)
    async with using.database.transaction() as db:
        return delivery_out(await queries.delivery(db, *key))


@router.post(
    "/v1/webhooks/{webhook_id}/deliveries/{delivery_id}/replay",
    status_code=202,
    response_model=DeliveryOut,
)
async def replay(
    request: Request, webhook_id: str, delivery_id: str, caller: Caller, using: Using
) -> Response:
    """Send one delivery again, under the same `webhook-id`."""
    key = names.webhook_id(webhook_id), names.event_id(delivery_id)

    async def work(db: Db, _now: datetime) -> Done:
        return Done(202, delivery_out(await operations.replay(db, *key, wall=using.clock.wall())))

    return await once(request, caller, None, work)


@router.post("/v1/webhooks/{webhook_id}/replay", status_code=202, response_model=ReplayedOut)
async def replay_since(
    request: Request, webhook_id: str, given: ReplayIn, caller: Caller, using: Using
) -> Response:
    """Send what was recorded since and not taken (or all of it), 10,000 facts at most a call."""
    internal = names.webhook_id(webhook_id)
    if given.since.utcoffset() is None:
        raise Malformed("Give since with its zone, like 2026-12-01T00:00:00Z.")

    async def work(db: Db, now: datetime) -> Done:
        if given.since < now - REPLAY_AT_MOST:
            raise Malformed(f"Facts of the last {REPLAY_AT_MOST.days} days are sent again at most.")
        done = await operations.replay_since(
            db,
            internal,
            since=given.since,
            delivered=given.delivered,
            known=facts.KINDS,
            wall=using.clock.wall(),
        )
        more = done.replayed == operations.MOST_REPLAYED
        next_since = done.last_recorded_at if more else None
        return Done(202, ReplayedOut(replayed=done.replayed, next_since=next_since))

    return await once(request, caller, given, work)
