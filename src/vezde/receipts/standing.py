"""Whether a provider may be asked just now; pure rules over its row and its day.

A provider that fails three times in a row is paused, longer each time; when a pause is over, one
ask probes it. A quota's pause ends when the vendor says; one that answered with another receipt
than asked for is *distrusted* until an operator has looked. Beside that it has asks and a budget
of a day, counted before they are used, so that no number of workers goes past them.

Where half of a day is gone, and most of it for receipts that were none, somebody makes numbers up,
maybe under a thousand names. The rest is *spared*: for members who have shown a receipt before.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final, Literal
from zoneinfo import ZoneInfo

from vezde.receipts.providers import schedule
from vezde.receipts.providers.protocol import Answer, Verdict

VENDORS_ZONE: Final = ZoneInfo("Europe/Moscow")  # their days begin and their quotas end there
OPENS_AT: Final = 3  # failures in a row
WARN_AT_PERCENT: Final = 80
FEWEST_IN_VAIN: Final = 30  # a few late documents are no flood
LAST: Final = 2**31  # after every place an operator can give
PROBE: Final = timedelta(seconds=120)


class Pause(StrEnum):
    """Why a provider is not asked."""

    OUTAGE = "outage"
    QUOTA = "quota"
    REFUSED = "refused"  # our token or tariff
    DISTRUSTED = "distrusted"
    OPERATOR = "operator"


class Limit(StrEnum):
    """What of a day may run out."""

    ASKS = "asks"
    BUDGET = "budget"


@dataclass(frozen=True, slots=True)
class Standing:
    """A provider as it stands, and what was asked and spent today (a day of Moscow's)."""

    name: str
    place: int | None = None
    price_kopecks: int = 0
    asks_per_day: int | None = None
    budget_kopecks_per_day: int | None = None
    failures: int = 0
    paused_because: str | None = None
    paused_note: str | None = None
    paused_by: str | None = None
    paused_wall: datetime | None = None
    until_wall: datetime | None = None
    probed_until_wall: datetime | None = None
    warned_of: str | None = None
    warned_wall: datetime | None = None
    asked: int = 0
    found: int = 0
    failed: int = 0
    spent_kopecks: int = 0

    @property
    def left(self) -> int | None:
        """How many asks the day still has, by number and by money; None: no limit."""
        by_number = [self.asks_per_day - self.asked] if self.asks_per_day is not None else []
        if self.budget_kopecks_per_day is not None and self.price_kopecks:
            spare = self.budget_kopecks_per_day - self.spent_kopecks
            by_number.append(spare // self.price_kopecks)
        return max(0, min(by_number)) if by_number else None

    @property
    def used_up(self) -> Limit | None:
        """Which limit of the day leaves no more asks."""
        if self.left != 0:
            return None
        by_number = self.asks_per_day is not None and self.asked >= self.asks_per_day
        return Limit.ASKS if by_number else Limit.BUDGET

    @property
    def spared(self) -> bool:
        """Whether the day's other half is kept for those whose receipts were there before."""
        in_vain = self.asked - self.found - self.failed
        left = self.left
        gone = left is not None and left < self.asked
        return gone and in_vain >= FEWEST_IN_VAIN and 2 * in_vain > self.asked

    @property
    def running_out(self) -> Limit | None:
        """Which limit is used by four fifths, or by half in vain; the one nearer to its end."""
        used = {
            Limit.ASKS: _percent(self.asked, self.asks_per_day),
            Limit.BUDGET: _percent(self.spent_kopecks, self.budget_kopecks_per_day),
        }
        nearest = max(used, key=lambda limit: used[limit])
        return nearest if used[nearest] >= WARN_AT_PERCENT or self.spared else None


@dataclass(frozen=True, slots=True)
class Tally:
    """What the asks of one round came to.

    `failures` are those since the last ask that was answered, `last` the newest of them;
    `trouble` is an answer after which it must not be asked further.
    """

    unused: int = 0
    found: int = 0
    failed: int = 0
    answered: bool = False
    failures: int = 0
    last: Answer | None = None
    trouble: Answer | None = None


def day(wall: datetime) -> date:
    return wall.astimezone(VENDORS_ZONE).date()


def next_day(wall: datetime) -> datetime:
    """When the limits of a day begin anew."""
    local = wall.astimezone(VENDORS_ZONE)
    return local.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)


def allowed(one: Standing, wanted: int, *, wall: datetime) -> int:
    """How many asks may be made now, up to `wanted`: none, one that probes, or what is left."""
    if one.paused_because is not None:
        probed = one.probed_until_wall is not None and one.probed_until_wall > wall
        if probed or not _over(one, wall):
            return 0
        wanted = min(wanted, 1)
    return wanted if one.left is None else min(wanted, one.left)


def status(one: Standing, *, wall: datetime) -> Literal["working", "probing", "paused"]:
    """How it is: a pause that is over is tried by one ask; a day that is used up is a pause too."""
    if one.left == 0:
        return "paused"
    if one.paused_because is None:
        return "working"
    return "probing" if _over(one, wall) else "paused"


def asks_again(one: Standing, *, wall: datetime) -> datetime | None:
    """When it may be asked again: now at the earliest; None when that is up to an operator."""
    times = [wall]
    if one.paused_because is not None:
        if one.until_wall is None:
            return None
        times.append(one.until_wall)
        if one.probed_until_wall is not None:
            times.append(one.probed_until_wall)
    if one.left == 0:
        times.append(next_day(wall))
    return max(times)


def after(one: Standing, tally: Tally, *, wall: datetime, jitter: float) -> Standing:
    """The provider after a round; what an operator decided or others found out meanwhile stays."""
    if one.paused_because in HELD:
        return one
    if tally.trouble is not None:
        return _tripped(one, tally.trouble, wall=wall, jitter=jitter)
    if tally.last is not None:
        failures = tally.failures if tally.answered else one.failures + tally.failures
        if one.paused_because is not None or failures >= OPENS_AT:
            return _tripped(one, tally.last, wall=wall, jitter=jitter)
        return replace(one, failures=failures)
    waits = one.paused_because == Pause.QUOTA and not _over(one, wall)
    if tally.answered and not waits:
        return resumed(one)
    return replace(one, probed_until_wall=None)


def resumed(one: Standing) -> Standing:
    return replace(
        one,
        failures=0,
        paused_because=None,
        paused_note=None,
        paused_by=None,
        paused_wall=None,
        until_wall=None,
        probed_until_wall=None,
    )


def paused(
    one: Standing, because: Pause, *, note: str, by: str, wall: datetime, until: datetime | None
) -> Standing:
    return replace(
        one,
        paused_because=because,
        paused_note=note,
        paused_by=by,
        paused_wall=wall,
        until_wall=until,
        probed_until_wall=None,
    )


def _tripped(one: Standing, trouble: Answer, *, wall: datetime, jitter: float) -> Standing:
    """Paused for a failure, longer each time; of two workers' failures the first counts."""
    because = PAUSES[trouble.verdict]
    again = one.paused_because is not None
    if again and not _over(one, wall) and because in {one.paused_because, Pause.OUTAGE}:
        return one
    failures = one.failures + 1 if again else OPENS_AT
    times = failures - OPENS_AT
    until: datetime | None = None
    if because is Pause.QUOTA:
        until = wall + schedule.quota(times, trouble.retry_after_seconds, jitter=jitter)
    elif because is not Pause.DISTRUSTED:
        until = wall + schedule.unavailable(times, jitter=jitter)
    since = one.paused_wall if one.paused_because == because else None
    made = paused(one, because, note=trouble.note, by="system", wall=since or wall, until=until)
    return replace(made, failures=failures)


def _over(one: Standing, wall: datetime) -> bool:
    return one.until_wall is not None and one.until_wall <= wall


HELD: Final = frozenset({Pause.DISTRUSTED, Pause.OPERATOR})
PAUSES: Final = {
    Verdict.QUOTA: Pause.QUOTA,
    Verdict.REFUSED: Pause.REFUSED,
    Verdict.WRONG: Pause.DISTRUSTED,
    Verdict.UNAVAILABLE: Pause.OUTAGE,
}


def _percent(used: int, most: int | None) -> int:
    """Of nothing allowed nothing runs out: the operator wanted none."""
    return used * 100 // most if most else 0
