"""When a call is sent again, and after how long."""

import random
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

# Too many at once; a proxy that found nobody behind it; not just now. A plain 500 is a bug: what
# broke once breaks again.
AGAIN = frozenset({429, 502, 503, 504})


@dataclass(frozen=True)
class Retrying:
    """At most `attempts` in all; pauses double from `first_seconds` to `longest_seconds`.

    The answer's own Retry-After goes before; one longer than `longest_seconds` is not waited for.
    """

    attempts: int = 4
    first_seconds: float = 0.25
    longest_seconds: float = 15.0

    def pause(self, attempt: int, retry_after_seconds: float | None = None) -> float | None:
        """Seconds to wait after this attempt, counted from 1; None: no more of them."""
        if attempt >= self.attempts:
            return None
        if retry_after_seconds is not None:
            return retry_after_seconds if retry_after_seconds <= self.longest_seconds else None
        longest = min(self.longest_seconds, self.first_seconds * float(2 ** (attempt - 1)))
        # Half of it by chance: callers that failed together do not come back together.
        return longest * (0.5 + random.random() / 2)  # noqa: S311


def retry_after(text: str | None, now: datetime | None = None) -> float | None:
    """Seconds of a Retry-After header: a number, or a date (RFC 9110, 10.2.3)."""
    if not text:
        return None
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return max(0.0, (at - (now or datetime.now(UTC))).total_seconds())
