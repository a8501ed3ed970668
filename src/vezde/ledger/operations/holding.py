"""Points reserved for an order: held, extended, committed, released."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from vezde.kit.db import Db
from vezde.kit.errors import DomainError, Kind
from vezde.ledger import model, rows
from vezde.ledger.model import Commit, EntryKind, Hold, HoldState, Release, State, Taken
from vezde.ledger.operations.accounts import (
    REFUSALS,
    BadCommand,
    call_each,
    check,
    named,
    refusal,
)
from vezde.ledger.operations.spending import Spent, spend_all

FINISH: LiteralString = """
SELECT outcome, seq, lots, taken
FROM ledger.finish(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
EXTEND: LiteralString = "SELECT outcome FROM ledger.extend(%s, %s, %s, %s, %s)"


@dataclass(frozen=True)
class Held:
    """A hold as it was made: what it reserves of which lots, in use order, and until when."""

    seq: int
    points: int
    lots: tuple[Taken, ...]
    expires_at: datetime


class HoldMissing(DomainError):
    code = "hold_missing"
    kind = Kind.MISSING


class HoldClosed(DomainError):
    """The hold has ended; `state` tells how."""

    code = "hold_closed"
    kind = Kind.CONFLICT

    def __init__(self, state: State, extra: dict[str, Any]) -> None:
        super().__init__(
            f"The hold is {state} already; nothing was changed. Make a new one if need be.",
            extra={**extra, "state": str(state)},
        )
        self.state = state


async def hold(db: Db, command: Hold, *, now: datetime, actor: str) -> Held:
    """Reserve active points, soonest to expire first.

    Raises `BadCommand`, `AccountMissing`, `AccountClosed`, `OpConflict`, `InsufficientPoints`, and
    `HoldTaken` when a hold of that id was made by another command.
    """
    return (await hold_all(db, [command], now=now, actor=actor))[0]


async def hold_all(db: Db, commands: Sequence[Hold], *, now: datetime, actor: str) -> list[Held]:
    """As many holds in one go; raises what `hold` does, for the first refused as given.

    Others of the call did write then, so the transaction has to be rolled back.
    """
    answers = await spend_all(db, EntryKind.HOLD, commands, now=now, actor=actor)
    return [
        Held(seq, command.points, rows.taken_of(lots, taken), expires_at)
        for command, (seq, lots, taken, expires_at) in zip(commands, answers, strict=True)
    ]


async def extend(
    db: Db,
    member_id: UUID,
    hold_id: UUID,
    *,
    expires_at: datetime,
    now: datetime,
    actor: str,
    held_outlives_lot: bool = True,
) -> HoldState:
    """Let a hold last until `expires_at`; one that lasts longer already stays as it is.

    No points move, so there is no entry and `actor` is not kept. Raises `AccountMissing`,
    `AccountClosed`, `HoldMissing`, `HoldClosed`.
    """
    del actor
    arguments = [member_id, hold_id, expires_at, held_outlives_lot, now]
    ((outcome,),) = await call_each(db, EXTEND, [arguments])
    if outcome != "done":
        raise _refusal(outcome, {**named(member_id, None), "hold_id": str(hold_id)})
    found = await rows.hold(db, member_id, hold_id)
    assert found is not None, "a hold that was extended is there"
    return found


async def commit(db: Db, command: Commit, *, now: datetime, actor: str) -> Spent:
    """Spend points of a hold for good; the rest of it goes back to its lots in the same op.

    Raises `BadCommand` (also for more than is held), `AccountMissing`, `AccountClosed`,
    `OpConflict`, `HoldMissing`, `HoldClosed`.
    """
    return (await commit_all(db, [command], now=now, actor=actor))[0]


async def commit_all(
    db: Db, commands: Sequence[Commit], *, now: datetime, actor: str
) -> list[Spent]:
    """As many commits in one go; raises what `commit` does, for the first refused as given.

    Others of the call did write then, so the transaction has to be rolled back.
    """
    answers = await _finish(db, EntryKind.COMMIT, commands, now=now, actor=actor)
    return [
        Spent(seq, command.points, lots)
        for command, (seq, lots) in zip(commands, answers, strict=True)
    ]


async def release(db: Db, command: Release, *, now: datetime, actor: str) -> int:
    """Give all points of a hold back to their lots; answers the entry's seq.

    Points whose lot's date has passed meanwhile expire at once. Raises what `commit` does.
    """
    return (await _finish(db, EntryKind.RELEASE, [command], now=now, actor=actor))[0][0]


async def _finish(
    db: Db,
    kind: EntryKind,
    commands: Sequence[Commit | Release],
    *,
    now: datetime,
    actor: str,
) -> list[tuple[int, tuple[Taken, ...]]]:
    for command in commands:
        check(command)
    order = sorted(range(len(commands)), key=lambda i: commands[i].member_id.int)
    asked = [_arguments(kind, commands[i], now, actor) for i in order]
    answers = dict(zip(order, await call_each(db, FINISH, asked), strict=True))
    for i, command in enumerate(commands):
        outcome = answers[i][0]
        if outcome not in {"done", "repeated"}:
            extra = named(command.member_id, command.op_key)
            raise _refusal(outcome, {**extra, "hold_id": str(command.hold_id)})
    return [(answers[i][1], rows.taken_of(*answers[i][2:])) for i in range(len(commands))]


def _refusal(outcome: str, extra: dict[str, Any]) -> DomainError:
    if outcome in REFUSALS:
        return refusal(outcome, UUID(extra["member_id"]), extra.get("op_key"))
    if outcome == "hold_missing":
        return HoldMissing("There is no such hold of this member; make one first.", extra=extra)
    if outcome == "over_held":
        return BadCommand("The hold has fewer points; commit at most what is held.", extra=extra)
    return HoldClosed(State(outcome.removeprefix("hold_")), extra)


def _arguments(
    kind: EntryKind, command: Commit | Release, now: datetime, actor: str
) -> tuple[Any, ...]:
    proof = model.proof_json(command)
    commits: tuple[Any, ...] = (None, command.occurred_at, False, None)
    if isinstance(command, Commit):
        activity = (command.counts_as_activity, command.inactive_at)
        commits = (command.points, command.occurred_at, *activity)
    return (
        command.member_id,
        kind,
        command.op_key,
        model.fingerprint(command, proof),
        command.hold_id,
        *commits,
        now,
        actor,
        command.title,
        proof,
    )
