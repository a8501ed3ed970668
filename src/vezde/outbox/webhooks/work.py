"""The stage that sends: lease, commit, call, note.

While one webhook answers slowly the others go on: each is sent to by a task of its own, and what
falls due for the rest is claimed meanwhile.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from uuid import UUID

import structlog

from vezde.kit.clock import Clock
from vezde.kit.db import Database
from vezde.kit.errors import DomainError
from vezde.kit.vault import Vault
from vezde.kit.work import Stage, failures, leases, waiting
from vezde.kit.work.leases import Lease
from vezde.outbox.model import FactRow
from vezde.outbox.webhooks import model, operations, sending, signing
from vezde.outbox.webhooks.model import Due, Message, Outcome

log = structlog.get_logger("vezde.outbox")

LEASE_SECONDS = 60.0  # an attempt takes 10 s at most
EACH, MOST = 8, 64  # attempts at once: to one webhook, to all
# No new claims after so long: with the last attempts it ends within a worker's grace (20 s).
CLAIM_FOR_SECONDS = 6.0
LOOK_AGAIN_SECONDS = 0.5

# Render(fact) -> what is sent of it; the same fact always gives the same id.
Render = Callable[[FactRow], Message]
# Post(url, body, headers) -> what came of it; never raises for what the other side does.
Post = Callable[[str, bytes, dict[str, str]], Awaitable[Outcome]]


@dataclass(frozen=True)
class Sender:
    """What sending takes; `post` is `delivery.Post(…)`, `render` the public shape of a fact."""

    database: Database
    vault: Vault
    clock: Clock
    render: Render
    post: Post

    def stage(self) -> Stage:
        """The worker's stage. Nothing of it is the programme's time, so a jump does not stop it."""
        return Stage(model.SEND, self.send_due, pauses=False)

    async def send_due(self) -> int:
        """Send what is due and what falls due meanwhile, for 6 s and the last answers; how many."""
        loop = asyncio.get_running_loop()
        until = loop.time() + CLAIM_FOR_SECONDS
        running: dict[asyncio.Task[None], tuple[UUID, int]] = {}
        sent = 0
        try:
            while True:
                if loop.time() < until:
                    sent += await self._start(running)
                if not running:
                    return sent
                done, _ = await asyncio.wait(
                    running, timeout=LOOK_AGAIN_SECONDS, return_when=asyncio.FIRST_COMPLETED
                )
                for task in done:
                    del running[task]
                    task.result()
        finally:
            await waiting.end(*running)

    async def _start(self, running: dict[asyncio.Task[None], tuple[UUID, int]]) -> int:
        """Claim for webhooks that nothing is being sent to, a task each; how many deliveries."""
        most = MOST - sum(count for _, count in running.values())
        if most <= 0:
            return 0
        wall = self.clock.wall()
        lease = leases.take(wall=wall, seconds=LEASE_SECONDS)
        busy = [webhook_id for webhook_id, _ in running.values()]
        async with self.database.transaction() as db:
            due = await sending.claim(db, lease=lease, wall=wall, busy=busy, each=EACH, most=most)
        due.sort(key=lambda one: one.webhook_id)
        for webhook_id, group in groupby(due, key=lambda one: one.webhook_id):
            batch = list(group)
            running[asyncio.create_task(self._send_all(batch, lease))] = webhook_id, len(batch)
        return len(due)

    async def _send_all(self, batch: Sequence[Due], lease: Lease) -> None:
        """Side by side; one that fails on our side leaves the others alone, its lease runs out."""
        results = await asyncio.gather(
            *(self._send(due, lease) for due in batch), return_exceptions=True
        )
        for due, result in zip(batch, results, strict=True):
            if isinstance(result, BaseException):
                said = failures.describe(result)
                log.error("delivery broke", webhook=str(due.webhook_id), error=said)

    async def _send(self, due: Due, lease: Lease) -> None:
        outcome = await self._attempt(due)
        async with self.database.transaction() as db:
            noted = await sending.finish(
                db,
                due,
                outcome,
                token=lease.token,
                now=await self.clock.programme(db),
                wall=self.clock.wall(),
                jitter=failures.jitter(),
            )
        if not noted:
            log.info("delivery lease lost", webhook=str(due.webhook_id), fact=str(due.fact.id))

    async def _attempt(self, due: Due) -> Outcome:
        try:
            message = self.render(due.fact)
            signed = signing.headers(
                message.id,
                message.body,
                wall=self.clock.wall(),
                secrets=self._secrets(due, self.clock.wall()),
            )
        except Exception as error:  # our fault: shown with the delivery, and tried again as theirs
            said = failures.describe(error)
            log.error("delivery not sent", fact=str(due.fact.id), error=said)  # noqa: TRY400 (messages may name a person)
            return Outcome(reason=error.code if isinstance(error, DomainError) else "not_sent")
        return await self.post(due.url, message.body, signed)

    def _secrets(self, due: Due, wall: datetime) -> list[str]:
        sealed = [due.secret]
        if due.former_secret and due.former_until and wall < due.former_until:
            sealed.append(due.former_secret)
        return [operations.unseal(one, due.webhook_id, vault=self.vault) for one in sealed]
