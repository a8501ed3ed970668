"""Calendar days and months in the programme's zone; instants in UTC come in and go out.

A local time that a clock change skips is read with the offset before the change, one that it
repeats is the earlier of the two (PEP 495, fold 0).
"""

from calendar import monthrange
from datetime import MAXYEAR, MINYEAR, UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

ONE_DAY = timedelta(days=1)


def day_of(zone: ZoneInfo, instant: datetime) -> tuple[datetime, datetime]:
    """The local day of an instant: its first instant and the first of the next day.

    An instant at the ends of the calendar (a misread year) has an empty day.
    """
    if not MINYEAR < instant.year < MAXYEAR:
        return instant, instant
    start = _midnight(instant.astimezone(zone))
    return start.astimezone(UTC), (start + ONE_DAY).astimezone(UTC)


def plus_days(zone: ZoneInfo, instant: datetime, days: int) -> datetime:
    """The same local time so many days later (earlier when negative)."""
    return (instant.astimezone(zone) + timedelta(days=days)).astimezone(UTC)


def end_of(zone: ZoneInfo, day: date) -> datetime:
    """The end of a local day, as the first instant of the day after."""
    return (datetime.combine(day, time(), zone) + ONE_DAY).astimezone(UTC)


def end_after_days(zone: ZoneInfo, instant: datetime, days: int) -> datetime:
    """The end of the local day so many days later, as the first instant of the day after."""
    return (_midnight(instant.astimezone(zone)) + timedelta(days=days + 1)).astimezone(UTC)


def end_after_months(zone: ZoneInfo, instant: datetime, months: int) -> datetime:
    """The end of the local day so many months later; 31 January + 1 is the end of February."""
    local = instant.astimezone(zone)
    years, month = divmod(local.month - 1 + months, 12)
    year, month = local.year + years, month + 1
    day = min(local.day, monthrange(year, month)[1])
    last = _midnight(local).replace(year=year, month=month, day=day)
    return (last + ONE_DAY).astimezone(UTC)


def end_of_period(zone: ZoneInfo, instant: datetime, *, months: int, after: int) -> datetime:
    """The end of the local period of so many months (1, 3, 12), `after` whole ones later."""
    local = instant.astimezone(zone)
    first = (local.month - 1) // months * months + (after + 1) * months
    year, month = local.year + first // 12, first % 12 + 1
    return _midnight(local).replace(year=year, month=month, day=1).astimezone(UTC)


def _midnight(local: datetime) -> datetime:
    return local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
