"""What is written: entries, lots, holds, and the balances they add up to."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

NEVER = datetime.max.replace(tzinfo=UTC)
# Written by time itself, under no command's key.
TIME = "system"
EXPIRED_TITLE = "Срок баллов истёк"
REPAID_TITLE = "Погашение долга"


class EntryKind(StrEnum):
    ACCRUE = "accrue"
    ACTIVATE = "activate"
    HOLD = "hold"
    COMMIT = "commit"
    RELEASE = "release"
    REDEEM = "redeem"
    REVERSE = "reverse"
    REPAY = "repay"
    RESTORE = "restore"
    EXPIRE = "expire"
    ADJUST = "adjust"
    IMPORT = "import"
    CLOSE = "close"
    OPEN = "open"


class State(StrEnum):
    """Of a hold; every one but `open` is final."""

    OPEN = "open"
    COMMITTED = "committed"
    RELEASED = "released"
    EXPIRED = "expired"


@dataclass(frozen=True)
class Part:
    """What one line earned by one rule; line 0 is the purchase as a whole."""

    line: int
    rule: str
    rate_bp: int
    points: int


@dataclass(frozen=True)
class Entry:
    """One line of a member's history; `points` are signed, `…_after` are the balances after it.

    `lot_seq` is the lot that an activation is about, `about_seq` the accrual reversed, the debit
    restored, the hold committed or released. Without `op_key`, time did it.
    """

    member_id: UUID
    seq: int
    kind: EntryKind
    points: int
    active_after: int
    pending_after: int
    held_after: int
    debt_after: int
    occurred_at: datetime
    recorded_at: datetime
    title: str
    actor: str
    op_key: str | None = None
    lot_seq: int | None = None
    about_seq: int | None = None


@dataclass(frozen=True)
class Lot:
    """Points of one accrual (`seq` is its entry) with `remaining` of them free to use.

    What a hold reserves is not remaining. `active_at` None: the lot waits for an event.
    `activated_seq` is the entry that made it active, None while it is pending.
    """

    seq: int
    points: int
    remaining: int
    active_at: datetime | None
    expires_at: datetime | None
    activated_seq: int | None

    @property
    def order(self) -> tuple[datetime, int]:
        """By what lots are used: soonest to expire first, then oldest, never-expiring last."""
        return self.expires_at or NEVER, self.seq


@dataclass(frozen=True)
class Taken:
    """How many points an entry took from a lot (negative: gave back), or made active."""

    lot_seq: int
    points: int


@dataclass(frozen=True)
class HoldState:
    """Points reserved for an order; `lots` are in use order, as they were when it was made."""

    hold_id: UUID
    seq: int
    points: int
    expires_at: datetime
    state: State
    closed_seq: int | None
    lots: tuple[Taken, ...]


@dataclass(frozen=True)
class Adjusted:
    """Points an operator gives or takes: asked for by whom, decided by whom.

    `state` is pending, done or refused; `reason` None once the member is forgotten; `seq` is the
    entry of one that is done.
    """

    member_id: UUID
    adjustment_id: UUID
    points: int
    expires_at: datetime | None
    reason: str | None
    title: str
    state: str
    asked_at: datetime
    asked_by: str
    decided_at: datetime | None = None
    decided_by: str | None = None
    seq: int | None = None


@dataclass(frozen=True)
class Explained:
    """An entry with what it was decided on; accruals have parts, debits and activations lots.

    `origin` is the accrual (member, seq) of another account, or of this one, whose points an
    `open` or a `restore` brought in a lot of its own.
    """

    entry: Entry
    parts: tuple[Part, ...] = ()
    proof: dict[str, Any] = field(default_factory=dict)
    lots: tuple[Taken, ...] = ()

    @property
    def origin(self) -> tuple[UUID, int] | None:
        if "origin" not in self.proof:
            return None
        member_id, seq = self.proof["origin"]
        return UUID(member_id), int(seq)


@dataclass(frozen=True)
class NextExpiry:
    points: int
    at: datetime


@dataclass(frozen=True)
class Points:
    """Balances at an instant; `next_expiry` is what goes first, pending points included."""

    active: int
    pending: int
    held: int
    debt: int
    next_expiry: NextExpiry | None


NO_POINTS = Points(0, 0, 0, 0, None)
