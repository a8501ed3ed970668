"""SMS, their states, and how many segments a text is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from vezde.kit.i18n import Locale

# GSM 03.38: the basic alphabet, and what takes two places of it.
BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENDED = frozenset("^{}\\[~]|€")
GSM_ONE, GSM_PART, UCS2_ONE, UCS2_PART = 160, 153, 70, 67
# When delivery is asked for, after it was sent; then it is left as it is.
ASK_AFTER = (
    timedelta(seconds=15),
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=3),
)
RETRY_AFTER = (timedelta(seconds=2), timedelta(seconds=10), timedelta(seconds=30))
LEASE_SECONDS = 40.0
DAY = timedelta(days=1)
KEEP = timedelta(days=400)


class State(StrEnum):
    """`unknown`: it may have been sent; the gateway is asked. The last two are final."""

    RESERVED = "reserved"
    UNKNOWN = "unknown"
    SENT = "sent"
    FAILED = "failed"


@dataclass(frozen=True)
class Sms:
    """A text to a phone (E.164); `key` is sent once, nothing is sent after `useless`.

    `member_id` is whose phone it is, when it is anybody's.
    """

    key: str
    phone: str = field(repr=False)
    text: str
    variables: Mapping[str, Any] = field(repr=False)
    locale: Locale
    useless: datetime
    member_id: UUID | None = None


@dataclass(frozen=True)
class InHand:
    """An SMS a worker has in hand: to send, or to ask about."""

    sms_id: UUID
    state: State
    phone: str = field(repr=False)
    text: str = field(repr=False)
    attempts: int
    asked: int
    lease: UUID
    useless: datetime


def segments(text: str) -> int:
    """How many SMS a text is sent as (3GPP TS 23.038, 23.040)."""
    if all(char in BASIC or char in EXTENDED for char in text):
        length = sum(2 if char in EXTENDED else 1 for char in text)
        one, part = GSM_ONE, GSM_PART
    else:
        length = len(text.encode("utf-16-le")) // 2
        one, part = UCS2_ONE, UCS2_PART
    return 1 if length <= one else -(-length // part)
