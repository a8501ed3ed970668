"""Points spent at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString

from vezde.kit.db import Db
from vezde.ledger import model
from vezde.ledger.model import Debit, EntryKind, Hold, Redemption, Taken
from vezde.ledger.operations.accounts import (
    REFUSALS,
    InsufficientPoints,
    call_each,
    check,
    named,
    refusal,
)
from vezde.ledger.rows import taken_of

SPEND: LiteralString = """
SELECT outcome, seq, active, lots, taken, expires_at
FROM ledger.spend(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""


@dataclass(frozen=True)
class Spent:
    """An entry that took points for good, and the lots it took them from, in use order."""

    seq: int
    points: int
    lots: tuple[Taken, ...]


async def redeem(db: Db, command: Redemption, *, now: datetime, actor: str) -> Spent:
    """Spend active points, soonest to expire first.

    Raises `BadCommand`, `AccountMissing`, `AccountClosed`, `OpConflict`, `InsufficientPoints`.
    """
    return (await redeem_all(db, [command], now=now, actor=actor))[0]


async def redeem_all(
    db: Db, commands: Sequence[Redemption], *, now: datetime, actor: str
) -> list[Spent]:
    """As many redemptions in one go; raises what `redeem` does, for the first refused as given.

    Others of the call did write then, so the transaction has to be rolled back.
    """
    answers = await spend_all(db, EntryKind.REDEEM, commands, now=now, actor=actor)
    return [
        Spent(seq, command.points, taken_of(lots, taken))
        for command, (seq, lots, taken, _) in zip(commands, answers, strict=True)
    ]


async def spend_all(
    db: Db, kind: EntryKind, commands: Sequence[Debit], *, now: datetime, actor: str
) -> list[tuple[int, list[int], list[int], Any]]:
    """Seq, lots, points taken of each, and the end of a hold; in the order given."""
    for command in commands:
        check(command)
    order = sorted(range(len(commands)), key=lambda i: commands[i].member_id.int)
    rows = [_arguments(kind, commands[i], now, actor) for i in order]
    answers = dict(zip(order, await call_each(db, SPEND, rows), strict=True))
    for i, command in enumerate(commands):
        outcome, active = answers[i][0], answers[i][2]
        if outcome == "insufficient":
            raise InsufficientPoints(
                f"Only {active} points are active, {abs(command.points)} were to be spent.",
                extra={**named(command.member_id, command.op_key), "active": active},
            )
        if outcome in REFUSALS:
            raise refusal(outcome, command.member_id, command.op_key)
    return [(answers[i][1], *answers[i][3:]) for i in range(len(commands))]


def _arguments(kind: EntryKind, command: Debit, now: datetime, actor: str) -> tuple[Any, ...]:
    proof = model.proof_json(command)
    hold: tuple[Any, ...] = (None, None, None)
    activity: tuple[Any, ...] = (False, None)
    if isinstance(command, Hold):
        hold = (command.hold_id, command.expires_at, command.held_outlives_lot)
    elif isinstance(command, Redemption):
        activity = (command.counts_as_activity, command.inactive_at)
    return (
        command.member_id,
        kind,
        command.op_key,
        model.fingerprint(command, proof),
        abs(command.points),
        *hold,
        command.occurred_at,
        *activity,
        now,
        actor,
        command.title,
        proof,
    )
