"""Taps that say nothing are answered at once, past the ledger of sends.

Such an answer only ends the waiting sign on the person's button: it does no harm twice, is worth
nothing a minute later, and half of what a lively bot sends is of this kind. One that the messenger
does not take goes through the ledger, as do those that come while many are under way.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from vezde.kit.work import failures
from vezde.messaging.model import Outgoing, Rendered, Tap
from vezde.messaging.transports.protocol import Answer, Delivered, Refused

log = structlog.get_logger(__name__)

AT_ONCE = 64
NOBODY = ""  # a tap's answer goes to the tap


class Answers(Protocol):
    """A messenger: `messaging.transports.protocol.Transport`."""

    async def deliver(self, address: str, item: Rendered) -> Answer: ...


@dataclass
class Taps:
    """The taps of one process; `later` writes one into the ledger of sends."""

    messengers: Mapping[str, Answers]
    later: Callable[[Tap], Awaitable[None]]
    under_way: set[asyncio.Task[None]] = field(default_factory=set)

    def sort_out(self, say: Iterable[Outgoing | Tap]) -> tuple[list[Tap], list[Outgoing | Tap]]:
        """Those to `answer` when what they belong to is committed, and the rest."""
        room = AT_ONCE - len(self.under_way)
        bare: list[Tap] = []
        rest: list[Outgoing | Tap] = []
        for one in say:
            if len(bare) < room and self._is_bare(one):
                assert isinstance(one, Tap), "what is bare is a tap"
                bare.append(one)
            else:
                rest.append(one)
        return bare, rest

    def answer(self, taps: Iterable[Tap]) -> None:
        for tap in taps:
            task = asyncio.create_task(self._answer(tap))
            self.under_way.add(task)
            task.add_done_callback(self.under_way.discard)

    def _is_bare(self, one: Outgoing | Tap) -> bool:
        return isinstance(one, Tap) and one.toast is None and one.channel in self.messengers

    async def _answer(self, tap: Tap) -> None:
        try:
            messenger = self.messengers[tap.channel]
            answer = await messenger.deliver(NOBODY, Rendered("", answers=tap.callback_id))
            if not isinstance(answer, Delivered | Refused):
                await self.later(tap)
        except Exception as error:  # the person sees the sign a moment longer
            log.warning("tap not answered", error=failures.describe(error))
