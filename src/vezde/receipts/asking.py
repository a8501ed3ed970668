"""One round of asking: who is asked in which order, and what is learned of the providers by it."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

import structlog

from vezde.receipts import standing
from vezde.receipts.providers.protocol import Answer, Provider, Query, Source, Verdict
from vezde.receipts.standing import OPENS_AT, Standing, Tally

log = structlog.get_logger(__name__)

# Whose «not there» counts: tills owe the tax service every document, their operators' pages show
# only their own, a folder has what somebody put there.
WEIGHT: Final = (Source.OWN, Source.OPERATOR_PAGES, Source.TAX_SERVICE)
SURE: Final = frozenset({Verdict.FOUND, Verdict.FORGED})
MISSING: Final = frozenset({Verdict.NOT_YET, Verdict.NOT_FOUND})
TROUBLES: Final = frozenset({Verdict.QUOTA, Verdict.REFUSED, Verdict.WRONG})
FAILURES: Final = TROUBLES | {Verdict.UNAVAILABLE}
# A receipt whose provider is paused looks again when that is over, but now and then in between:
# somebody may have put it right.
LEAST_SECONDS, MOST_SECONDS = 30, 600
SPARED_SECONDS: Final = 3_600  # until somebody unknown is tried again where asks are spared


@dataclass
class Desk:
    """A provider in this round: what it may still be asked, and what came of it."""

    provider: Provider
    stood: Standing
    left: int
    again: datetime | None
    tally: Tally = field(default_factory=Tally)

    def take(self) -> bool:
        """One of the asks set apart, unless there is none or it failed meanwhile."""
        if not self.left or self.tally.trouble is not None or self._tripped:
            return False
        self.left -= 1
        return True

    def heard(self, answer: Answer) -> None:
        """Count an answer."""
        tally = self.tally
        if answer.verdict in TROUBLES:
            self.tally = replace(tally, failed=tally.failed + 1, trouble=answer)
        elif answer.verdict is Verdict.UNAVAILABLE:
            failures = tally.failures + 1
            self.tally = replace(tally, failed=tally.failed + 1, failures=failures, last=answer)
        else:
            found = tally.found + (answer.verdict is Verdict.FOUND)
            self.tally = replace(tally, found=found, answered=True, failures=0, last=None)

    @property
    def _tripped(self) -> bool:
        before = 0 if self.tally.answered else self.stood.failures
        return bool(self.tally.failures) and before + self.tally.failures >= OPENS_AT


class Round:
    """The providers of a round in their order; many receipts ask them side by side."""

    def __init__(
        self,
        providers: Sequence[Provider],
        given: Mapping[str, tuple[Standing, int]],
        *,
        wall: datetime,
        seconds: float,
    ) -> None:
        self._wall = wall
        self._seconds = seconds / max(1, len(providers))
        self._desks = [
            Desk(one, stood, number, standing.asks_again(stood, wall=wall))
            for one in ordered(providers, {name: each for name, (each, _) in given.items()})
            for stood, number in (given[one.name],)
        ]

    @property
    def tallies(self) -> dict[str, Tally]:
        """What each provider's asks came to; nothing of those that have nothing to tell."""
        told = {one.provider.name: replace(one.tally, unused=one.left) for one in self._desks}
        probed = {one.provider.name for one in self._desks if one.stood.paused_because is not None}
        return {name: tally for name, tally in told.items() if tally != Tally() or name in probed}

    async def consult(self, query: Query, *, is_known: bool = True) -> tuple[str, Answer]:
        """Ask one after another until somebody is sure; whose answer counts, and the answer.

        What one of a source has not got the others of it are not asked for. If nobody has it, the
        word of the weightiest source counts, even if that is that it could not be asked. Whoever
        spares its asks is not asked for a member who is not known.
        """
        heard: dict[Source, tuple[str, Answer]] = {}
        for desk in self._desks:
            name, source = desk.provider.name, desk.provider.source
            shared = source is not Source.OWN
            if shared and source in heard and heard[source][1].verdict in MISSING:
                continue
            if desk.stood.spared and not is_known:
                answer = Answer(
                    Verdict.WAIT, retry_after_seconds=SPARED_SECONDS, note="spared, so not asked"
                )
            else:
                answer = await self._ask(desk, query)
            if answer.verdict in SURE:
                return name, answer
            before = heard.get(source)
            if before is None or _says_more(answer.verdict, before[1].verdict):
                heard[source] = name, answer
        return heard[max(heard, key=WEIGHT.index)]

    async def _ask(self, desk: Desk, query: Query) -> Answer:
        if not desk.take():
            return self._not_asked(desk)
        try:
            async with asyncio.timeout(self._seconds):
                answer = await desk.provider.fetch(query)
        except TimeoutError:
            answer = Answer(Verdict.UNAVAILABLE, note="no answer in time")
        desk.heard(answer)
        if answer.verdict in FAILURES:
            log.info("provider_failed", provider=desk.provider.name, note=answer.note)
        return answer

    def _not_asked(self, desk: Desk) -> Answer:
        wait = (desk.again - self._wall).total_seconds() if desk.again else MOST_SECONDS
        seconds = round(min(MOST_SECONDS, max(LEAST_SECONDS, wait)))
        return Answer(Verdict.WAIT, retry_after_seconds=seconds, note="paused, so not asked")


def _says_more(new: Verdict, old: Verdict) -> bool:
    """«Not yet» says more than «not here», both more than that somebody could not be asked."""
    return new in MISSING and (old not in MISSING or new is Verdict.NOT_YET)


def ordered(providers: Sequence[Provider], stood: Mapping[str, Standing]) -> list[Provider]:
    """Those with a place of an operator's first, then as they are installed."""
    return sorted(providers, key=lambda one: stood[one.name].place or standing.LAST)
