"""When to try again, and what may be said of an error where no person may be named."""

import random
import traceback
from datetime import datetime, timedelta
from pathlib import PurePath

import psycopg

from vezde.kit.errors import DomainError

BACKOFF = (
    timedelta(seconds=5),
    timedelta(seconds=30),
    timedelta(minutes=5),
    timedelta(hours=1),
    timedelta(hours=6),
)


def next_try(failures: int, *, wall: datetime) -> datetime | None:
    """When to try again after this many failures (1 is the first); None: park it."""
    return wall + BACKOFF[failures - 1] if failures <= len(BACKOFF) else None


def jitter() -> float:
    """From 0 to 1, by chance: spreads the retries of many, hides nothing."""
    return random.random()  # noqa: S311


def describe(error: BaseException) -> str:
    """`UniqueViolation 23505 at operations.py:42 in enrol`: kind and place, never the message.

    Messages quote values (PostgreSQL prints the key that clashed), so they may name a person.
    """
    words = [type(error).__name__]
    if isinstance(error, DomainError):
        words.append(error.code)
    if isinstance(error, psycopg.Error) and error.sqlstate:
        words.append(error.sqlstate)
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "vezde" in PurePath(frame.filename).parts]
    if frames:
        frame = (ours or frames)[-1]
        words.append(f"at {PurePath(frame.filename).name}:{frame.lineno} in {frame.name}")
    return " ".join(words)
