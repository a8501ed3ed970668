"""A merge undone: the closed account opens again, with what is still there of its points."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.kit.errors import DomainError, Kind
from vezde.ledger import model, rows
from vezde.ledger.model import CarriedDebt, CarriedLot, Command, Standing
from vezde.ledger.operations.accounts import LOCK, lock, named, refusal, settle
from vezde.ledger.operations.closing import open_all
from vezde.ledger.operations.settling import REMIND
from vezde.ledger.operations.writing import write

# The merge that closed an account, if it was a merge.
CLOSED_INTO: LiteralString = """
SELECT a.closed_at, e.seq FROM ledger.account a
JOIN ledger.entry e ON e.member_id = a.member_id AND e.seq = a.seq AND e.kind = 'close'
WHERE a.member_id = %s AND a.closed_at IS NOT NULL AND e.proof ->> 'into' = %s
"""
# What came from that account by the merge or since: open lots, and those an open hold has of. Lots
# that have been in a third account and came back tell by their origin.
CAME: LiteralString = """
SELECT l.member_id AS from_member, l.seq AS from_seq, l.remaining AS points, l.active_at,
    l.expires_at, e.title,
    coalesce((e.proof -> 'origin' ->> 0)::uuid, l.member_id) AS origin_member,
    coalesce((e.proof -> 'origin' ->> 1)::bigint, l.seq) AS origin_seq
FROM ledger.lot l
JOIN ledger.entry e ON e.member_id = l.member_id AND e.seq = l.seq
WHERE l.member_id = %(into)s AND (l.open OR l.seq = ANY(%(reserved)s::bigint[])) AND (
    e.proof -> 'from' ->> 0 = %(gone)s OR e.proof -> 'origin' ->> 0 = ANY(%(parts)s::text[]))
ORDER BY l.seq
"""
OWED: LiteralString = """
SELECT -e.points FROM ledger.entry e
JOIN ledger.op o ON o.member_id = e.member_id AND o.first_seq = e.seq
WHERE e.member_id = %s AND o.op_key = %s
"""
ASK_AGAIN: LiteralString = """
UPDATE ledger.adjustment SET member_id = %s
WHERE member_id = %s AND adjustment_id = ANY(%s::uuid[]) AND state = 'pending'
"""
REOPEN: LiteralString = """
UPDATE ledger.account a
SET closed_at = NULL, updated_at = greatest(a.updated_at, %(at)s), inactive_at = %(inactive_at)s,
    next_due_at = %(inactive_at)s
WHERE a.member_id = %(member_id)s
"""


class NotMerged(DomainError):
    """The one member is not part of the other, or not any more."""

    code = "not_merged"
    kind = Kind.CONFLICT


async def unmerge(
    db: Db, into: UUID, gone: UUID, *, moved: Mapping[str, list[Any]], now: datetime, actor: str
) -> None:
    """Open `gone` again and give it what came of it and is still there: lots as they were, debt.

    What was spent or taken back meanwhile stays done; points earned since stay with `into`. The sum
    of both does not change. `moved` is what `merge` answered. Raises `AccountMissing`,
    `AccountClosed` (of `into`), `NotMerged`, and `PointsUnsettled` while a hold of `into` has
    points that came of `gone`.
    """
    await db.execute(LOCK, [[into, gone]])
    await lock(db, [into])
    merged = await (await db.execute(CLOSED_INTO, [gone, str(into)])).fetchone()
    if merged is None:
        raise NotMerged(
            "The account was not merged into that one, or that was undone already.",
            extra=named(gone, None),
        )
    closed_at, close_seq = merged
    _, at = await settle(db, into, now=max(now, closed_at))
    standing = await rows.standing(db, into)
    came = await _came(db, standing, into, gone, moved["parts"])
    carried = await kit_db.fetch_value(db, OWED, [into, f"open:{gone}:{close_seq}"])
    owed = min(carried or 0, standing.debt)
    draft = model.parting([standing.lot(one.from_seq) for one in came], owed, gone, at=at)
    command = Command(
        member_id=into,
        op_key=f"unmerge:{gone}:{close_seq}",
        occurred_at=at,
        title=draft.title or "",
    )
    fingerprint = model.hashed([command.op_key], draft.proof or "")
    seq = await write(db, command, fingerprint, [draft], at=at, actor=actor)
    reopened = {"member_id": gone, "at": at, "inactive_at": standing.inactive_at}
    await db.execute(REOPEN, reopened)
    await db.execute(REMIND, [[gone]])
    debts = [CarriedDebt(into, seq, owed)] if owed else []
    await open_all(db, gone, [*came, *debts], at=at, actor=actor)
    await db.execute(ASK_AGAIN, [gone, into, moved["asked"]])


async def _came(
    db: Db, standing: Standing, into: UUID, gone: UUID, parts: Sequence[str]
) -> list[CarriedLot]:
    """What is left of the lots that came; raises `PointsUnsettled` when some of it is held."""
    reserved = {one.lot_seq for hold in standing.holds for one in hold.lots}
    asked = {
        "into": into,
        "gone": str(gone),
        "parts": list(parts),
        "reserved": sorted(reserved),
    }
    came = await kit_db.fetch_all(db, CarriedLot, CAME, asked)
    if any(one.from_seq in reserved for one in came):
        raise refusal("held", into)
    return came
