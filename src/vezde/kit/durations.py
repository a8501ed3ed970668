"""ISO 8601 durations: `P30D`, `PT2H30M`, `P2W`; months and years have no fixed length."""

import re
from datetime import timedelta

from vezde.kit.errors import DomainError, Kind

PATTERN = re.compile(
    r"P(?:(?P<weeks>\d{1,5})W)?(?:(?P<days>\d{1,5})D)?"
    r"(?:T(?:(?P<hours>\d{1,6})H)?(?:(?P<minutes>\d{1,8})M)?(?:(?P<seconds>\d{1,9})S)?)?",
    re.ASCII,
)


class BadDuration(DomainError):
    code = "bad_duration"
    kind = Kind.INVALID


def parse(text: str) -> timedelta:
    """A duration of weeks, days, hours, minutes and seconds; raises `BadDuration`."""
    match = PATTERN.fullmatch(text.strip())
    parts = {
        name: int(value) for name, value in (match.groupdict() if match else {}).items() if value
    }
    if not parts:
        raise BadDuration("A duration is written like P30D, PT2H or P1DT12H.")
    return timedelta(**parts)
