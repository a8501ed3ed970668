"""What signals see, and what they say of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID


class Signal(StrEnum):
    """What a finding is about; the names are those of the programme's section."""

    PER_HOUR = "per_hour"
    PER_DAY = "per_day"
    PER_WEEK = "per_week"
    PER_SHOP = "per_shop"
    AGE = "age"
    OLD_IN_BULK = "old_in_bulk"
    NEW_SELLER = "new_seller"
    TILL_RUN = "till_run"
    PACK_SEEN = "pack_seen"
    TRAVEL = "travel"
    PRICE = "price"
    NIGHT = "night"
    DEVICE = "device"
    WATCHED_SELLER = "watched_seller"


@dataclass(frozen=True, slots=True)
class Past:
    """A receipt of the member that signals have looked at; `shop` is None at a distance."""

    receipt_id: UUID
    registered_at: datetime
    occurred_at: datetime
    wall_time: datetime
    seller_inn: str | None
    shop: int | None
    subject: str | None
    fn: int
    fd: int


@dataclass(frozen=True, slots=True)
class Shown:
    """A receipt to look at, of a verified sale of the brand's goods.

    `named`: its seller is known; `stance` is what operators think of it. `packs` are (GTIN,
    serial) of sold lines, `price_percent` of the recommended price by line, where one is known.
    """

    member_id: UUID
    past: Past
    named: bool
    stance: str | None = None
    packs: Sequence[tuple[str, str]] = ()
    price_percent: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Known:
    """What was there before, by member, unknown seller, pack (its receipt), and member."""

    past: Mapping[UUID, Sequence[Past]] = field(default_factory=dict)
    seller_receipts: Mapping[str, int] = field(default_factory=dict)
    packs: Mapping[tuple[str, str], UUID] = field(default_factory=dict)
    sharing: Mapping[UUID, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Finding:
    """A signal that is there: its score, and the numbers that it saw."""

    signal: Signal
    score: int
    saw: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Assessment:
    """All findings of a receipt, the heaviest first; `held` for a person to look at it."""

    findings: tuple[Finding, ...]
    held: bool

    @property
    def score(self) -> int:
        return sum(one.score for one in self.findings)

    def to_json(self) -> list[list[Any]]:
        return [[one.signal, one.score, dict(one.saw)] for one in self.findings]


def findings(rows: Sequence[Sequence[Any]]) -> tuple[Finding, ...]:
    """What `Assessment.to_json` made."""
    return tuple(Finding(Signal(signal), score, saw) for signal, score, saw in rows)
