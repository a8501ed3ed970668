"""When an update was handed out and when its first answer came: what a benchmark of a bot asks.

An answer is a message sent or edited in the chat, or the answer to the very tap. It settles the
oldest update of its chat that was handed out and not yet answered, with an album's other updates.
"""

import time
from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from vezde.testing.telegram.model import JSON, Update

KEPT_TIMINGS = 200_000


@dataclass
class Timing:
    """Seconds of time.monotonic(); None is not yet."""

    update_id: int
    kind: str
    chat_id: int | None
    album: str | None
    callback_id: str | None
    created: float
    handed: float | None = None
    answered: float | None = None
    answered_by: str = ""
    handed_times: int = 0

    def api(self) -> JSON:
        return {
            "update_id": self.update_id,
            "kind": self.kind,
            "chat_id": self.chat_id,
            "created": self.created,
            "handed": self.handed,
            "answered": self.answered,
            "answered_by": self.answered_by,
            "handed_times": self.handed_times,
        }


@dataclass
class Statistics:
    """One bot's; the last `KEPT_TIMINGS` updates."""

    timings: OrderedDict[int, Timing] = field(default_factory=OrderedDict)
    requests: dict[str, int] = field(default_factory=dict)
    refusals: dict[str, int] = field(default_factory=dict)
    _waiting: dict[int, deque[Timing]] = field(default_factory=dict)

    def created(self, update: Update) -> None:
        self.timings[update.id] = Timing(
            update.id,
            update.kind,
            update.chat_id,
            update.album,
            update.callback_id,
            update.created,
        )
        while len(self.timings) > KEPT_TIMINGS:
            _id, gone = self.timings.popitem(last=False)
            self._forget(gone)

    def handed(self, updates: Sequence[Update]) -> None:
        now = time.monotonic()
        for update in updates:
            timing = self.timings.get(update.id)
            if timing is None:
                continue
            timing.handed_times += 1
            if timing.handed is None:
                timing.handed = now
                if timing.chat_id is not None:
                    self._waiting.setdefault(timing.chat_id, deque()).append(timing)

    def asked(self, method: str, refusal: int | None) -> None:
        self.requests[method] = self.requests.get(method, 0) + 1
        if refusal is not None:
            name = f"{method} {refusal}"
            self.refusals[name] = self.refusals.get(name, 0) + 1

    def answered(self, chat_id: int, method: str, *, callback_id: str | None = None) -> None:
        """A message in the chat, or with `callback_id` the answer to that tap."""
        waiting = self._waiting.get(chat_id)
        if not waiting:
            return
        first = waiting[0]
        for timing in list(waiting):
            if callback_id is not None:
                settled = timing.callback_id == callback_id
            else:
                settled = timing is first or (
                    timing.album is not None and timing.album == first.album
                )
            if settled:
                timing.answered, timing.answered_by = time.monotonic(), method
                waiting.remove(timing)
        if not waiting:
            del self._waiting[chat_id]

    def summary(self) -> JSON:
        """Counts, and milliseconds from handing out to the first answer."""
        handed = [one for one in self.timings.values() if one.handed is not None]
        took = sorted(
            (one.answered - one.handed) * 1000
            for one in handed
            if one.answered is not None and one.handed is not None
        )
        return {
            "updates": len(self.timings),
            "handed": len(handed),
            "handed_again": sum(one.handed_times > 1 for one in handed),
            "answered": len(took),
            "unanswered": len(handed) - len(took),
            "p50_ms": _percentile(took, 50),
            "p95_ms": _percentile(took, 95),
            "p99_ms": _percentile(took, 99),
            "max_ms": took[-1] if took else None,
            "requests": dict(sorted(self.requests.items())),
            "refusals": dict(sorted(self.refusals.items())),
        }

    def _forget(self, gone: Timing) -> None:
        waiting = self._waiting.get(gone.chat_id or 0)
        if waiting and gone in waiting:
            waiting.remove(gone)


def _percentile(ordered: Sequence[float], percent: int) -> float | None:
    if not ordered:
        return None
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]
