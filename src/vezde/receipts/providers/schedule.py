"""When to ask again; pure: a count in, a wait out.

A document that is not there yet waits by the programme's clock; a vendor's outage and quota wait by
the wall and never use up the document's days. `jitter` in [0, 1) spreads receipts that came
together; only a vendor's own word is never cut short.
"""

from datetime import timedelta

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

# Ages at which a document is asked for again, counted from the first time. A till without a
# connection keeps documents for up to 30 days, so after that no more will come.
AGES = (5 * MINUTE, HOUR, 6 * HOUR, DAY, 3 * DAY, *(day * DAY for day in range(4, 31)))
LONGEST = AGES[-1]
UNAVAILABLE = (timedelta(seconds=30), 2 * MINUTE, 10 * MINUTE, 30 * MINUTE, HOUR)
QUOTA = (HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY)
SPREAD = 0.1


def not_yet(attempt: int, *, jitter: float) -> timedelta | None:
    """Programme time until the next ask; None when no more asks make sense.

    `attempt` is how often the document was not there before this time, from 0. Up to a tenth
    earlier by `jitter`.
    """
    if attempt >= len(AGES):
        return None
    before = AGES[attempt - 1] if attempt else timedelta(0)
    return (AGES[attempt] - before) * (1 - SPREAD * jitter)


def unavailable(failures: int, *, jitter: float) -> timedelta:
    """Wall time until a vendor that failed is tried again; `failures` before this one, from 0."""
    return UNAVAILABLE[min(failures, len(UNAVAILABLE) - 1)] * (1 - SPREAD * jitter)


def quota(failures: int, retry_after_seconds: int | None, *, jitter: float) -> timedelta:
    """Wall time until a vendor that counts our requests is asked again; never before it says so."""
    if retry_after_seconds:
        return told(retry_after_seconds, jitter=jitter)
    return QUOTA[min(failures, len(QUOTA) - 1)] * (1 + SPREAD * jitter)


def told(seconds: int, *, jitter: float) -> timedelta:
    """Wall time that somebody asked us to wait; never less."""
    return timedelta(seconds=seconds) * (1 + SPREAD * jitter)
