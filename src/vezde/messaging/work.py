"""The stage that sends: claim and commit, call the messenger, finish.

A death in between leaves a lease that runs out. A new message is then *unknown*: it may have
arrived, so it is not sent again. An edit and a tap's answer do no harm twice and are repeated.
"""

import asyncio
import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog

from vezde.kit.clock import Clock
from vezde.kit.db import Contested, Database
from vezde.kit.errors import Unavailable
from vezde.kit.vault import Vault
from vezde.kit.work import Waker, failures, leases, waiting
from vezde.messaging.operations import claiming, finishing
from vezde.messaging.operations.reserving import DELIVER
from vezde.messaging.operations.sends import Claimed
from vezde.messaging.transports.protocol import Answer, Lost, Transport

log = structlog.get_logger(__name__)

LEASE_SECONDS = 60.0
CALL_SECONDS = 30.0  # of a transport that does not keep its own limit
AT_ONCE = 64
# No new claims after so long: while the messenger answers, a run ends within a worker's grace.
CLAIM_FOR_SECONDS = 2.0
LOOK_AGAIN_SECONDS = 0.05
POLL_SECONDS = 1.0
LINGER_SECONDS = 0.5
NOTE_AGAIN_SECONDS = 0.5
# What comes soon after a first message or answer is claimed and noted with it.
GATHER_SECONDS = 0.05


@dataclass(frozen=True)
class Channel:
    """A transport and how many messages a second it may send, all workers together."""

    transport: Transport
    per_second: float


async def deliver_once(
    database: Database,
    channel: Channel,
    *,
    vault: Vault,
    clock: Clock,
    waker: Waker | None = None,
) -> int:
    """Send what is due on one channel and what falls due meanwhile, for 2 s; how many it was.

    As much as the channel's allowance lets, every chat in its order. Without `waker` it looks every
    50 ms for what is new, as long as anything is under way.
    """
    with _woken(waker) as woken:
        return await _Run(database, channel, vault, clock, woken).run()


@contextlib.contextmanager
def _woken(waker: Waker | None) -> Iterator[asyncio.Event | None]:
    if waker is None:
        yield None
    else:
        with waker.watch(DELIVER) as event:
            yield event


Call = asyncio.Task[Any]  # of (claimed, answer)


@dataclass
class _Run:
    """One run of the stage; `calls` are under way, or answered and not noted yet."""

    database: Database
    channel: Channel
    vault: Vault
    clock: Clock
    woken: asyncio.Event | None
    calls: set[Call] = field(default_factory=set)

    @property
    def name(self) -> str:
        return self.channel.transport.name

    async def run(self) -> int:
        loop = asyncio.get_running_loop()
        until = loop.time() + CLAIM_FOR_SECONDS
        broken: Exception | None = None
        sent, look, wait = 0, True, None
        try:
            while True:
                claims = broken is None and loop.time() < until
                if claims and look and len(self.calls) < AT_ONCE:
                    look, wait = False, None
                    try:
                        count, wait = await self._claim()
                        sent += count
                    except Exception as error:  # raised below, when what is under way is noted
                        broken = error
                lingers = wait is not None and wait <= LINGER_SECONDS and loop.time() < until
                if not self.calls and not lingers:
                    break
                look |= await self._wait(wait if lingers else None)
                if over := [call for call in self.calls if call.done()]:
                    self.calls.difference_update(over)
                    await self._settle([call.result() for call in over])
                    look = True  # what waited for it in its chat
        finally:
            await waiting.end(*self.calls)
        if broken is not None:
            raise broken
        return sent

    async def _claim(self) -> tuple[int, float | None]:
        """Start what may be sent; how much that is, and when to look again."""
        if self.woken is not None:
            self.woken.clear()
        wall = self.clock.wall()
        async with self.database.transaction(pipeline=True) as db:
            taken = await claiming.claim(
                db,
                self.name,
                per_second=self.channel.per_second,
                lease=leases.take(wall=wall, seconds=LEASE_SECONDS),
                room=AT_ONCE - len(self.calls),
                vault=self.vault,
                wall=wall,
            )
        self.calls |= {asyncio.create_task(self._call(one)) for one in taken.claimed}
        if taken.down:
            return 0, 0.0 if await self._probe() else None
        return len(taken.claimed), taken.wait_seconds

    async def _call(self, one: Claimed) -> tuple[Claimed, Answer]:
        try:
            async with asyncio.timeout(CALL_SECONDS):
                return one, await self.channel.transport.deliver(one.address, one.item)
        except TimeoutError:
            return one, Lost("timeout")
        except Exception as error:  # our fault, after who knows what: as if the answer was lost
            said = failures.describe(error)
            log.error("send_broke", send=str(one.send_id), error=said)  # noqa: TRY400 (messages may name a person)
            return one, Lost("broken")

    async def _wait(self, seconds: float | None) -> bool:
        """Until a call is over, something is woken, or time is up; whether to look for more."""
        look_again = LOOK_AGAIN_SECONDS if self.woken is None else POLL_SECONDS
        timeout = look_again if seconds is None else min(seconds, look_again)
        # Without anything to wake us the pause itself is what we wait for.
        pause = asyncio.sleep(timeout) if self.woken is None else self.woken.wait()
        stirred: asyncio.Task[Any] = asyncio.create_task(pause)
        try:
            done, under_way = await asyncio.wait(
                [*self.calls, stirred], timeout=timeout, return_when=asyncio.FIRST_COMPLETED
            )
            woken = stirred in done
        finally:
            await waiting.end(stirred)
        if done and (woken or under_way > {stirred}):
            await asyncio.sleep(GATHER_SECONDS)
        return woken or not done

    async def _settle(self, answered: Sequence[tuple[Claimed, Answer]]) -> None:
        """Note answers, those that cannot be noted together one by one."""
        if await self._noted(answered):
            return
        for one in answered:
            if not await self._noted([one]):
                log.error("send_not_noted", send=str(one[0].send_id))

    async def _noted(self, answered: Sequence[tuple[Claimed, Answer]]) -> bool:
        """False: they cannot be. While the database is away they are kept, for they are true."""
        loop = asyncio.get_running_loop()
        until = loop.time() + LEASE_SECONDS
        while True:
            try:
                await self._note(answered)
            except (Unavailable, Contested) as error:
                if loop.time() > until:
                    log.warning("answers_not_noted", error=failures.describe(error))
                    return False
                await asyncio.sleep(NOTE_AGAIN_SECONDS)
            except Exception as error:
                said = failures.describe(error)
                log.error("answers_not_noted", count=len(answered), error=said)  # noqa: TRY400 (messages may name a person)
                return False
            else:
                return True

    async def _note(self, answered: Sequence[tuple[Claimed, Answer]]) -> None:
        async with self.database.transaction(pipeline=True) as db:
            await finishing.settle(
                db,
                self.name,
                answered,
                vault=self.vault,
                now=await self.clock.programme(db),
                wall=self.clock.wall(),
            )

    async def _probe(self) -> bool:
        """See whether a channel that seems away answers; True when it does."""
        async with self.database.transaction() as db:
            if not await finishing.take_probe(db, self.name, wall=self.clock.wall()):
                return False
        answers = await self.channel.transport.alive()
        log.info("channel_probed", channel=self.name, answers=answers)
        async with self.database.transaction() as db:
            await finishing.probed(db, self.name, answers=answers, wall=self.clock.wall())
        return answers
