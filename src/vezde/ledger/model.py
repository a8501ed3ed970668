"""What the ledger speaks of, and its rules that need no database."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from vezde.kit.money import MAX_BIGINT

NEVER = datetime.max.replace(tzinfo=UTC)
MAX_OP_KEY = 200


class EntryKind(StrEnum):
    ACCRUE = "accrue"
    ACTIVATE = "activate"
    HOLD = "hold"
    COMMIT = "commit"
    RELEASE = "release"
    REDEEM = "redeem"
    REVERSE = "reverse"
    RESTORE = "restore"
    EXPIRE = "expire"
    ADJUST = "adjust"
    IMPORT = "import"
    CLOSE = "close"
    OPEN = "open"


@dataclass(frozen=True)
class Part:
    """What one line earned by one rule; line 0 is the purchase as a whole."""

    line: int
    rule: str
    rate_bp: int
    points: int


@dataclass(frozen=True)
class Accrual:
    """A command: give the member `points` that live from `active_at` to `expires_at`.

    `op_key` is unique for the member and names the reason (`purchase:<id>`). `proof` is JSON of
    ids and numbers; `parts` are kept in it under that name.
    """

    member_id: UUID
    op_key: str
    points: int
    active_at: datetime
    expires_at: datetime | None
    occurred_at: datetime
    parts: tuple[Part, ...]
    proof: dict[str, Any]
    title: str


@dataclass(frozen=True)
class Entry:
    """One line of a member's history; `points` are signed, `…_after` are the balances after it.

    `lot_seq` is the lot that an activation is about, `reverses_seq` the entry taken back.
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
    reverses_seq: int | None = None


@dataclass(frozen=True)
class Lot:
    """Points of one accrual (`seq` is its entry) with `remaining` of them still there.

    `activated_seq` is the entry that made it active, None while it is pending.
    """

    seq: int
    points: int
    remaining: int
    active_at: datetime
    expires_at: datetime | None
    activated_seq: int | None


@dataclass(frozen=True)
class CarriedLot:
    """What was left of a lot when its account was closed into another one.

    `from_…` is the lot's entry on the closed account, `origin_…` the accrual it once was made by.
    """

    from_member: UUID
    from_seq: int
    points: int
    active_at: datetime
    expires_at: datetime | None
    use_order: datetime
    title: str
    origin_member: UUID
    origin_seq: int

    @property
    def op_key(self) -> str:
        return f"open:{self.from_member}:{self.from_seq}"

    @property
    def proof(self) -> str:
        origin = [str(self.origin_member), self.origin_seq]
        return _canonical({"from": [str(self.from_member), self.from_seq], "origin": origin})

    @property
    def fingerprint(self) -> bytes:
        head = [
            EntryKind.OPEN,
            self.points,
            *map(_instant, (self.active_at, self.expires_at, self.use_order)),
            self.title,
        ]
        return _hashed(head, self.proof)


@dataclass(frozen=True)
class Closing:
    """A command: close the account; `proof` is JSON that names the one its points went into."""

    op_key: str
    title: str
    proof: str
    fingerprint: bytes


@dataclass(frozen=True)
class Taken:
    """How many points an entry took from a lot (negative: gave back), or made active."""

    lot_seq: int
    points: int


@dataclass(frozen=True)
class Explained:
    """An entry with what it was decided on; accruals have parts, debits and activations lots.

    `origin` is the accrual (member, seq) of an account now closed whose points an `open` brought.
    """

    entry: Entry
    parts: tuple[Part, ...] = ()
    proof: dict[str, Any] = field(default_factory=dict)
    lots: tuple[Taken, ...] = ()

    @property
    def origin(self) -> tuple[UUID, int] | None:
        if self.entry.kind is not EntryKind.OPEN:
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


def fault(accrual: Accrual) -> str | None:
    """What is wrong with the command itself, as a sentence; None when nothing is."""
    if not 0 < accrual.points <= MAX_BIGINT:
        return f"An accrual is of one point or more, not of {accrual.points}."
    if any(part.points < 0 for part in accrual.parts):
        return "No part of an accrual may be negative; take points away by a reversal."
    total = sum(part.points for part in accrual.parts)
    if total != accrual.points:
        return f"The parts add up to {total}, the accrual is of {accrual.points}; send both alike."
    if not 0 < len(accrual.op_key) <= MAX_OP_KEY:
        return f"The operation's key has 1 to {MAX_OP_KEY} characters."
    if "parts" in accrual.proof:
        return "«parts» in a proof is the ledger's own; name that member otherwise."
    instants = (accrual.active_at, accrual.occurred_at, accrual.expires_at)
    if any(instant is not None and instant.tzinfo is None for instant in instants):
        return "Every instant of an accrual needs its offset from UTC."
    if accrual.expires_at is not None and accrual.expires_at <= accrual.active_at:
        return "The points would expire before they are active; set expires_at later."
    return None


def use_order(accrual: Accrual) -> datetime:
    """By what lots are used, with seq to break ties: soonest to expire first."""
    return accrual.expires_at or NEVER


def proof_json(accrual: Accrual) -> str:
    """The proof with its parts as canonical JSON; raises ValueError on NaN or an infinity."""
    parts = [[part.line, part.rule, part.rate_bp, part.points] for part in accrual.parts]
    return _canonical({**accrual.proof, "parts": parts})


def parts_of(proof: dict[str, Any]) -> tuple[tuple[Part, ...], dict[str, Any]]:
    """A stored proof as its parts and the rest."""
    rest = dict(proof)
    return tuple(Part(*part) for part in rest.pop("parts", ())), rest


def fingerprint(accrual: Accrual, proof: str) -> bytes:
    """SHA-256 of the whole command; `proof` is its `proof_json`.

    Two commands of one key are the same command exactly when these are equal. The kind of command
    is in it, so that a key cannot serve twice for different things.
    """
    head = [
        EntryKind.ACCRUE,
        accrual.points,
        *map(_instant, (accrual.active_at, accrual.expires_at, accrual.occurred_at)),
        accrual.title,
    ]
    return _hashed(head, proof)


def closing(into: UUID | None) -> Closing:
    """The command that closes an account into another one, or (None) for good."""
    if into is None:
        op_key, title, proof = "forget", "Счёт закрыт", "{}"
    else:
        op_key, title = f"merge:{into}", "Баллы перешли на объединённый счёт"
        proof = _canonical({"into": str(into)})
    return Closing(op_key, title, proof, _hashed([EntryKind.CLOSE, op_key], proof))


def points_at(last: Entry | None, lots: Sequence[Lot], as_of: datetime) -> Points:
    """The balances known at `as_of`: the last entry by then, plus what time has done since.

    `lots` are those with points remaining after that entry, as they were then. A pending lot is
    active from its `active_at` on, whether or not anybody has written that down yet.
    """
    if last is None:
        return NO_POINTS
    ripe = sum(
        lot.remaining for lot in lots if lot.activated_seq is None and lot.active_at <= as_of
    )
    return Points(
        last.active_after + ripe,
        last.pending_after - ripe,
        last.held_after,
        last.debt_after,
        next_expiry(lots, as_of),
    )


def next_expiry(lots: Sequence[Lot], as_of: datetime) -> NextExpiry | None:
    """The earliest instant after `as_of` at which lots expire, and their points together."""
    ahead: dict[datetime, int] = {}
    for lot in lots:
        if lot.remaining and lot.expires_at is not None and lot.expires_at > as_of:
            ahead[lot.expires_at] = ahead.get(lot.expires_at, 0) + lot.remaining
    first = min(ahead, default=None)
    return None if first is None else NextExpiry(ahead[first], first)


def _instant(instant: datetime | None) -> str | None:
    return None if instant is None else instant.astimezone(UTC).isoformat()


def _hashed(head: list[Any], proof: str) -> bytes:
    return hashlib.sha256(f"{_canonical(head)}\n{proof}".encode()).digest()


def _canonical(value: Any) -> str:
    return json.dumps(
        value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
    )
