"""The stage that sends SMS: claim and commit, call the gateway, finish; later ask how it went."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog

from vezde.kit.clock import Clock
from vezde.kit.db import Database
from vezde.kit.vault import Vault
from vezde.kit.work import leases
from vezde.messaging.sms import model, operations
from vezde.messaging.sms.model import InHand, State
from vezde.messaging.transports.sms.protocol import Fate, Gateway, Status, Taken, Untaken

log = structlog.get_logger(__name__)

AT_ONCE = 10  # SMSC takes fewer than fifteen requests at once
ASK_UNKNOWN_AFTER = timedelta(seconds=5)


@dataclass(frozen=True)
class Sender:
    """Sends and asks; all that is due, some side by side."""

    database: Database
    gateway: Gateway
    vault: Vault
    clock: Clock

    async def run(self) -> int:
        """Work what is due now; how many."""
        async with self.database.transaction() as db:
            wall = self.clock.wall()
            taken = await operations.claim(
                db,
                lease=leases.take(wall=wall, seconds=model.LEASE_SECONDS),
                limit=AT_ONCE,
                vault=self.vault,
                wall=wall,
            )
        async with asyncio.TaskGroup() as group:
            for one in taken:
                group.create_task(self._work(one))
        return len(taken)

    async def _work(self, one: InHand) -> None:
        if one.state is State.RESERVED:
            if one.useless <= self.clock.wall():
                await self._finish(one, State.FAILED, reason=operations.USELESS)
                return
            await self._sent(one, await self.gateway.send(one.phone, one.text, one.sms_id.hex))
            return
        await self._asked(one, *await self.gateway.status(one.phone, one.sms_id.hex))

    async def _sent(self, one: InHand, answer: Taken | Untaken) -> None:
        if isinstance(answer, Taken):
            await self._finish(
                one,
                State.SENT,
                model.ASK_AFTER[0],
                segments=answer.segments,
                cost_kopecks=answer.cost_kopecks,
                attempted=True,
            )
            return
        log.warning("sms_not_taken", sms=str(one.sms_id), fate=answer.fate, reason=answer.reason)
        match answer.fate:
            case Fate.REFUSED:
                await self._finish(one, State.FAILED, reason=answer.reason, attempted=True)
            case Fate.LOST:
                again = ASK_UNKNOWN_AFTER
                await self._finish(one, State.UNKNOWN, again, reason=answer.reason, attempted=True)
            case Fate.LATER | Fate.UNREACHED:
                again = model.RETRY_AFTER[min(one.attempts, len(model.RETRY_AFTER) - 1)]
                if self.clock.wall() + again >= one.useless:
                    await self._finish(one, State.FAILED, reason=answer.reason, attempted=True)
                else:
                    await self._finish(
                        one, State.RESERVED, again, reason=answer.reason, attempted=True
                    )

    async def _asked(self, one: InHand, status: Status, why: str | None) -> None:
        """What the gateway says of one that was sent, or may have been."""
        later = model.ASK_AFTER[one.asked + 1] if one.asked + 1 < len(model.ASK_AFTER) else None
        match status:
            case Status.DELIVERED:
                await self._finish(one, State.SENT, delivery="delivered")
            case Status.UNDELIVERED:
                await self._finish(one, State.SENT, delivery="undelivered", reason=why)
            case Status.MISSING if one.state is State.UNKNOWN:
                # The gateway never got it, so it may be sent: the one way out of the doubt.
                await self._finish(one, State.RESERVED, timedelta(), reason=why)
            case Status.UNDERWAY:
                await self._finish(one, State.SENT, later)
            case _:
                await self._finish(one, one.state, later, reason=why)

    async def _finish(
        self, one: InHand, state: State, again: timedelta | None = None, **known: Any
    ) -> None:
        """`known` as `operations.finish` takes it."""
        async with self.database.transaction() as db:
            noted = await operations.finish(
                db, one, state, wall=self.clock.wall(), again=again, **known
            )
        if not noted:
            log.warning("sms_finished_too_late", sms=str(one.sms_id))
