"""How the installation is: alive, ready, and its figures."""

import time
from datetime import datetime
from typing import Annotated

import structlog
from fastapi import APIRouter, Depends, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vezde.api.tools import Tools, tools
from vezde.checkout import queries as checkout
from vezde.kit import migrate, troubles
from vezde.kit.db import Db
from vezde.kit.errors import Unavailable
from vezde.kit.work import heartbeat
from vezde.ledger import queries as ledger
from vezde.messaging import queries as messaging
from vezde.messaging.sms import model as sms_model
from vezde.messaging.sms import queries as sms
from vezde.outbox import queries as outbox
from vezde.outbox.webhooks import queries as webhooks
from vezde.receipts import quarantine, standing
from vezde.receipts import queries as receipts
from vezde.receipts.mailing import operations as mailing
from vezde.receipts.operations import rechecking

router = APIRouter(tags=["running"])
log = structlog.get_logger("vezde.http")
Using = Annotated[Tools, Depends(tools)]

REGISTRY = CollectorRegistry()
SENT = frozenset({"sent", "delivered", "undelivered"})
SECONDS = Histogram(
    "vezde_http_seconds", "Time to answer", ["method", "route", "status", "face"], registry=REGISTRY
)
BUGS = Counter(
    "vezde_http_failures_total", "Requests that broke on our side", ["face"], registry=REGISTRY
)
CHECKS = Gauge(
    "vezde_receipt_checks", "Receipts being checked", ["step", "parked"], registry=REGISTRY
)
WORKERS = Gauge("vezde_workers", "Worker processes alive", registry=REGISTRY)
STRAY = Gauge(
    "vezde_facts_without_month", "Facts in the partition that catches the rest", registry=REGISTRY
)
PARKED = Gauge("vezde_reactions_parked", "Reactions given up on", registry=REGISTRY)
WAITING = Gauge("vezde_facts_to_hand_over", "Facts not handed over yet", registry=REGISTRY)
DELIVERIES = Gauge(
    "vezde_webhook_deliveries_waiting", "Deliveries to webhooks not taken yet", registry=REGISTRY
)
QUARANTINED = Gauge(
    "vezde_receipts_held",
    "Receipts that signals hold until a person looks, counted up to 10,000",
    registry=REGISTRY,
)
QUARANTINED_AGE = Gauge(
    "vezde_receipts_held_age_seconds",
    "Since the oldest of them was held; 0 when there is none",
    registry=REGISTRY,
)
LETTERS = Gauge("vezde_letters_waiting", "Letters of members not read yet", registry=REGISTRY)
SENDS = Gauge("vezde_sends_waiting", "Messages to members not sent yet", registry=REGISTRY)
UNKNOWN = Gauge(
    "vezde_sends_unknown", "Messages that may or may not have arrived", registry=REGISTRY
)
TROUBLES = Gauge(
    "vezde_troubles",
    "What was given up on and waits for somebody to look",
    ["kind"],
    registry=REGISTRY,
)
PROVIDERS = Gauge(
    "vezde_provider_state",
    "1 for how a provider of documents is: working, probing, paused",
    ["provider", "state"],
    registry=REGISTRY,
)
ASKED = Gauge(
    "vezde_provider_asked",
    "Asks of a provider of documents today, Moscow's day",
    ["provider", "came_to"],
    registry=REGISTRY,
)
SPENT = Gauge(
    "vezde_provider_spent_kopecks",
    "What a provider of documents has cost today",
    ["provider"],
    registry=REGISTRY,
)
LEFT = Gauge(
    "vezde_provider_left",
    "Asks that a provider's limits leave today; none where it has no limits",
    ["provider"],
    registry=REGISTRY,
)
RECHECKS = Gauge(
    "vezde_receipt_rechecks",
    "Receipts asked for again before their hold ends, of holds that ended in the last 31 days or "
    "will: waiting, same, unasked, held, released, declined",
    ["state"],
    registry=REGISTRY,
)
HOLDS = Gauge("vezde_holds_open", "Holds that wait for their orders", registry=REGISTRY)
HELD = Gauge("vezde_points_held", "Points in open holds", registry=REGISTRY)
WEBHOOKS = Gauge(
    "vezde_webhooks", "Webhooks that are paused, or fail and are not", ["state"], registry=REGISTRY
)

SMS = Gauge(
    "vezde_sms_day",
    "SMS of the last 24 hours by what became of them",
    ["state"],
    registry=REGISTRY,
)
SMS_FAILED = Gauge(
    "vezde_sms_day_failed",
    "SMS of the last 24 hours that were never sent, by reason",
    ["reason"],
    registry=REGISTRY,
)
SMS_SEGMENTS = Gauge(
    "vezde_sms_day_segments", "Segments of SMS sent in the last 24 hours", registry=REGISTRY
)
SMS_COST = Gauge(
    "vezde_sms_day_kopecks", "What SMS of the last 24 hours cost, as told", registry=REGISTRY
)
VIOLATIONS = Gauge(
    "vezde_ledger_violations",
    "What does not hold in the ledger; anything but 0 is an alarm",
    registry=REGISTRY,
)
AUDITED = Gauge(
    "vezde_ledger_audited_accounts", "Accounts of the last whole audit", registry=REGISTRY
)
AUDIT_AGE = Gauge(
    "vezde_ledger_audit_age_seconds",
    "Since the last whole audit of the ledger ended",
    registry=REGISTRY,
)


@router.get("/healthz", response_class=PlainTextResponse)
async def alive() -> str:
    """This process answers."""
    return "ok"


@router.get("/readyz")
async def ready(using: Using) -> Response:
    """Whether it can serve: the database answers, is migrated, and a worker is alive."""
    problem = None
    checks = {"database": False, "migrations": False, "workers": False}
    try:
        async with using.database.transaction() as db:
            checks["database"] = True
            checks["migrations"] = await migrate.newest(db) == using.migrations
            checks["workers"] = bool(await heartbeat.alive(db, wall=using.clock.wall()))
    except Unavailable as error:
        problem = error.detail
    good = all(checks.values())
    body = {"ready": good, **checks, **({"detail": problem} if problem else {})}
    return JSONResponse(body, status_code=200 if good else 503)


@router.get("/metrics", response_class=PlainTextResponse)
async def metrics(using: Using) -> Response:
    """Figures for Prometheus."""
    async with using.database.transaction() as db:
        await _measure(db, using)
    return Response(generate_latest(REGISTRY), media_type="text/plain; version=0.0.4")


async def _measure(db: Db, using: Tools) -> None:
    queues = await receipts.queues(db)
    for step in ("ask", "settle"):
        for parked in (False, True):
            CHECKS.labels(step, str(parked).lower()).set(queues.get((step, parked), 0))
    audit = await ledger.audit(db)
    VIOLATIONS.set(audit.violations)
    AUDITED.set(audit.finished_accounts)
    if audit.finished_wall is not None:
        AUDIT_AGE.set((using.clock.wall() - audit.finished_wall).total_seconds())
    WORKERS.set(len(await heartbeat.alive(db, wall=using.clock.wall())))
    STRAY.set(await outbox.rest(db))
    backlog = await outbox.backlog(db)
    WAITING.set(backlog.waiting)
    PARKED.set(backlog.parked)
    sends = await messaging.backlog(db)
    SENDS.set(sends.waiting)
    UNKNOWN.set(sends.unknown)
    LETTERS.set(await mailing.waiting(db))
    now = await using.clock.programme(db)
    holds, points = await checkout.open_holds(db, now=now)
    HOLDS.set(holds)
    HELD.set(points)
    quarantined = await quarantine.waiting(db)
    QUARANTINED.set(quarantined.receipts)
    QUARANTINED_AGE.set((now - (quarantined.since or now)).total_seconds())
    told = await webhooks.backlog(db)
    DELIVERIES.set(told.waiting)
    WEBHOOKS.labels("paused").set(told.paused)
    WEBHOOKS.labels("failing").set(told.failing)
    await _measure_providers(db, using)
    RECHECKS.clear()
    for state, count in (await rechecking.counted(db, now=now)).items():
        RECHECKS.labels(state).set(count)
    for kind, count in (await troubles.counted(db, using.troubles)).items():
        TROUBLES.labels(kind).set(count)
    await _measure_sms(db, using.clock.wall())


async def _measure_sms(db: Db, wall: datetime) -> None:
    since = wall - sms_model.DAY
    counted = await sms.counted(db, since=since)
    states = {*(str(one) for one in sms_model.State), "delivered", "undelivered"}
    for state in states:
        SMS.labels(state).set(counted[state].count if state in counted else 0)
    SMS_SEGMENTS.set(sum(one.segments for state, one in counted.items() if state in SENT))
    SMS_COST.set(sum(one.cost_kopecks for one in counted.values()))
    SMS_FAILED.clear()  # a reason that is over has no figure
    for reason, count in (await sms.failures(db, since=since)).items():
        SMS_FAILED.labels(reason).set(count)


async def _measure_providers(db: Db, using: Tools) -> None:
    wall = using.clock.wall()
    for one in await receipts.providers(db, using.providers, wall=wall):
        now = standing.status(one, wall=wall)
        for state in ("working", "probing", "paused"):
            PROVIDERS.labels(one.name, state).set(state == now)
        ASKED.labels(one.name, "found").set(one.found)
        ASKED.labels(one.name, "failed").set(one.failed)
        ASKED.labels(one.name, "other").set(max(0, one.asked - one.found - one.failed))
        SPENT.labels(one.name).set(one.spent_kopecks)
        if one.left is not None:
            LEFT.labels(one.name).set(one.left)


class Timed:
    """ASGI middleware: measure and log every request by its route, never by its address.

    Addresses hold phones.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        start = time.perf_counter()
        status = 500

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, noted)
        finally:
            _tell(scope, status, time.perf_counter() - start)


def _tell(scope: Scope, status: int, seconds: float) -> None:
    face = str(scope["app"].state.tools.face)
    method, route = scope["method"], getattr(scope.get("route"), "path", "unknown")
    SECONDS.labels(method, route, str(status), face).observe(seconds)
    if status >= 500:
        BUGS.labels(face).inc()
    log.info("request", method=method, route=route, status=status, ms=round(seconds * 1e3, 1))
