"""Figures of days, and what a week comes to."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

FACTS, STATUS, CHANNEL, SHOP = "facts", "status", "channel", "shop"
WEEK = 7


@dataclass(frozen=True, slots=True)
class Tally:
    """`number` of things, and what they come to: points of facts, kopecks of receipts."""

    day: date
    what: str
    of: str
    number: int
    amount: int


@dataclass(frozen=True, slots=True)
class Sum:
    number: int = 0
    amount: int = 0


@dataclass(frozen=True)
class Figures:
    """What some days come to: by kind of fact, by status, channel and shop of receipts."""

    first: date
    last: date
    by: Mapping[str, Mapping[str, Sum]] = field(default_factory=dict)

    def of(self, what: str, of: str) -> Sum:
        return self.by.get(what, {}).get(of, Sum())


def figures(tallies: Iterable[Tally], first: date, last: date) -> Figures:
    """The sums of these days, both ends with them."""
    by: dict[str, dict[str, Sum]] = {}
    for one in tallies:
        if first <= one.day <= last:
            sums = by.setdefault(one.what, {})
            known = sums.get(one.of, Sum())
            sums[one.of] = Sum(known.number + one.number, known.amount + one.amount)
    return Figures(first, last, by)


def week_before(today: date, weeks: int = 0) -> tuple[date, date]:
    """First and last day of the last whole week (Monday to Sunday) before today; or of earlier."""
    monday = today - timedelta(days=today.weekday() + WEEK * (weeks + 1))
    return monday, monday + timedelta(days=WEEK - 1)
