"""What the ledger can be told to do, and what makes two commands the same one.

Every command has the member, a key that is unique for the member and names the reason, the instant
it occurred, a title the member reads, and a proof: JSON of ids and numbers.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from vezde.kit.money import MAX_BIGINT
from vezde.ledger.model.entries import NEVER, EntryKind, Part

MAX_OP_KEY = 200


@dataclass(frozen=True)
class Accrual:
    """Give the member `points` that live from `active_at` to `expires_at`.

    `op_key` names the reason (`purchase:<id>`). `parts` are kept in the proof under that name.
    `active_at` None: the points wait for an `Activation`. `inactive_at` is when inactivity ends
    points without a date, counted from this; an import (`kind`) is no activity of the member.
    """

    member_id: UUID
    op_key: str
    points: int
    active_at: datetime | None
    expires_at: datetime | None
    occurred_at: datetime
    parts: tuple[Part, ...]
    proof: dict[str, Any]
    title: str
    kind: EntryKind = EntryKind.ACCRUE
    counts_as_activity: bool = True
    inactive_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Command:
    """What all other commands have."""

    member_id: UUID
    op_key: str
    occurred_at: datetime
    title: str
    proof: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Activation(Command):
    """An event makes the pending lot of an accrual active now.

    `expires_at` is its end from now on, where it has none yet.
    """

    accrual_seq: int
    expires_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Hold(Command):
    """Reserve active points for an order until `expires_at`.

    Held points stay usable past the date of their lot, unless `held_outlives_lot` is False: then
    the hold lasts no longer than the first of the lots it reserves.
    """

    hold_id: UUID
    points: int
    expires_at: datetime
    held_outlives_lot: bool = True


@dataclass(frozen=True, kw_only=True)
class Commit(Command):
    """Spend `points` of a hold for good; the rest is released."""

    hold_id: UUID
    points: int
    counts_as_activity: bool = True
    inactive_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Release(Command):
    """Give up a hold."""

    hold_id: UUID


@dataclass(frozen=True, kw_only=True)
class Redemption(Command):
    """Spend active points at once."""

    points: int
    counts_as_activity: bool = True
    inactive_at: datetime | None = None


class DebtPolicy(StrEnum):
    """What happens to points that are to be taken back but were spent."""

    FORBID = "forbid"
    FORGIVE = "forgive"
    DEBT = "debt"


@dataclass(frozen=True)
class Debt:
    """A policy; with `debt` what would be owed above `limit` (None: no limit) is forgiven."""

    policy: DebtPolicy
    limit: int | None = None


@dataclass(frozen=True, kw_only=True)
class Reversal(Command):
    """Take back points of an accrual: `points`, or those of its `parts` given.

    `accrual_member`: whose account the accrual was written in, when that was merged into this one.
    """

    accrual_seq: int
    points: int
    parts: tuple[Part, ...] = ()
    debt: Debt = Debt(DebtPolicy.FORGIVE)
    accrual_member: UUID | None = None


@dataclass(frozen=True, kw_only=True)
class Restoration(Command):
    """Give back points of a redemption or commit, to the lots they came from.

    `grace_until`: how long points live whose lot's date has passed; None: they go at once.
    `debit_member`: whose account the debit was written in, when that was merged into this one.
    """

    debit_seq: int
    points: int
    grace_until: datetime | None = None
    debit_member: UUID | None = None


@dataclass(frozen=True, kw_only=True)
class Adjustment(Command):
    """An operator gives (`points` above zero) or takes active points.

    `active_at` None: at once. The words of `reason` are kept apart from the proof.
    """

    points: int
    reason: str
    active_at: datetime | None = None
    expires_at: datetime | None = None
    inactive_at: datetime | None = None


Debit = Hold | Redemption | Adjustment
Returning = Reversal | Restoration | Activation


def fault(command: Accrual) -> str | None:
    """What is wrong with an accrual itself, as a sentence; None when nothing is."""
    if not 0 < command.points <= MAX_BIGINT:
        return f"An accrual is of one point or more, not of {command.points}."
    if any(part.points < 0 for part in command.parts):
        return "No part of an accrual may be negative; take points away by a reversal."
    total = sum(part.points for part in command.parts)
    if total != command.points and (command.parts or command.kind is EntryKind.ACCRUE):
        return f"The parts add up to {total}, the accrual is of {command.points}; send both alike."
    if command.kind not in {EntryKind.ACCRUE, EntryKind.IMPORT, EntryKind.ADJUST}:
        return f"Points are given by accrue, import or adjust, not by {command.kind}."
    found = _fault(command.op_key, command.proof)
    instants = (command.active_at, command.occurred_at, command.expires_at, command.inactive_at)
    if found is None and any(one is not None and one.tzinfo is None for one in instants):
        return "Every instant of an accrual needs its offset from UTC."
    if command.active_at and command.expires_at and command.expires_at <= command.active_at:
        return "The points would expire before they are active; set expires_at later."
    return found


def command_fault(command: Command) -> str | None:
    """What is wrong with any other command itself, as a sentence; None when nothing is."""
    points = getattr(command, "points", 1)
    if isinstance(command, Adjustment):
        if points == 0 or abs(points) > MAX_BIGINT:
            return "An adjustment gives or takes one point or more."
        if not command.reason.strip():
            return "An adjustment needs its reason; say why the points are given or taken."
    elif not 0 < points <= MAX_BIGINT:
        return f"It takes one point or more, not {points}."
    if isinstance(command, Reversal) and command.parts:
        if any(part.points < 0 for part in command.parts):
            return "Parts taken back are not negative; send how many points each loses."
        if sum(part.points for part in command.parts) != command.points:
            return "The parts do not add up to the points taken back; send both alike."
    instants = [value for value in vars(command).values() if isinstance(value, datetime)]
    if any(instant.tzinfo is None for instant in instants):
        return "Every instant of a command needs its offset from UTC."
    if isinstance(command, Hold) and command.expires_at <= command.occurred_at:
        return "The hold would be over at once; set expires_at later."
    return _fault(command.op_key, command.proof)


def credit(command: Adjustment) -> Accrual:
    """An adjustment that gives points, as the accrual it is."""
    return Accrual(
        member_id=command.member_id,
        op_key=command.op_key,
        points=command.points,
        active_at=command.active_at or command.occurred_at,
        expires_at=command.expires_at,
        occurred_at=command.occurred_at,
        parts=(),
        proof=command.proof,
        title=command.title,
        kind=EntryKind.ADJUST,
        counts_as_activity=False,
        inactive_at=command.inactive_at,
    )


def use_order(expires_at: datetime | None) -> datetime:
    """By what lots are used, with seq to break ties: soonest to expire first."""
    return expires_at or NEVER


def proof_json(command: Accrual | Command) -> str:
    """The proof as canonical JSON, an accrual's with its parts; ValueError on NaN or infinity."""
    parts = getattr(command, "parts", ())
    if not parts and not (isinstance(command, Accrual) and command.kind is EntryKind.ACCRUE):
        return canonical(command.proof)
    told = [[part.line, part.rule, part.rate_bp, part.points] for part in parts]
    return canonical({**command.proof, "parts": told})


def parts_of(proof: Mapping[str, Any]) -> tuple[tuple[Part, ...], dict[str, Any]]:
    """A stored proof as its parts and the rest."""
    rest = dict(proof)
    return tuple(Part(*part) for part in rest.pop("parts", ())), rest


def fingerprint(command: Accrual | Command, proof: str) -> bytes:
    """SHA-256 of the whole command; `proof` is its `proof_json`.

    Two commands of one key are the same command exactly when these are equal. The kind of command
    is in it, so that a key cannot serve twice for different things. What a repeat works out anew
    from the clock or from a policy is not: a hold's end, a grace, what becomes of a debt.
    """
    if isinstance(command, Accrual) and command.kind is EntryKind.ADJUST:
        # When it was asked for is not what it is: a repeat has another clock.
        head = [command.kind, command.points, instant_text(command.expires_at), command.title]
    elif isinstance(command, Accrual):
        instants = (command.active_at, command.expires_at, command.occurred_at)
        head = [command.kind, command.points, *map(instant_text, instants), command.title]
    else:
        head = [type(command).__name__, *_content(command), command.title]
    return hashed(head, proof)


def instant_text(instant: datetime | None) -> str | None:
    return None if instant is None else instant.astimezone(UTC).isoformat()


def hashed(head: Sequence[Any], proof: str) -> bytes:
    return hashlib.sha256(f"{canonical(list(head))}\n{proof}".encode()).digest()


def canonical(value: Any) -> str:
    """JSON that is the same for the same value, whoever writes it."""
    return json.dumps(
        value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
    )


def _fault(op_key: str, proof: Mapping[str, Any]) -> str | None:
    if not 0 < len(op_key) <= MAX_OP_KEY:
        return f"The operation's key has 1 to {MAX_OP_KEY} characters."
    if "parts" in proof:
        return "«parts» in a proof is the ledger's own; name that member otherwise."
    return None


def _content(command: Command) -> list[Any]:
    occurred_at = instant_text(command.occurred_at)
    match command:
        case Hold():
            return [str(command.hold_id), command.points]
        case Commit():
            return [str(command.hold_id), command.points, occurred_at]
        case Release():
            return [str(command.hold_id)]
        case Redemption():
            return [command.points, occurred_at]
        case Reversal():
            about = [_named(command.accrual_member), command.accrual_seq]
            return [*about, command.points, occurred_at]
        case Restoration():
            return [_named(command.debit_member), command.debit_seq, command.points, occurred_at]
        case Adjustment():
            return [command.points, instant_text(command.expires_at)]
        case Activation():
            return [command.accrual_seq, occurred_at]
    raise TypeError(f"{type(command).__name__} is no command of the ledger")


def _named(member_id: UUID | None) -> str | None:
    return None if member_id is None else str(member_id)
