"""What happens to those in turn when a claim is confirmed or released."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.receipts.model import ClaimState, Reason
from vezde.receipts.operations import claims, writing
from vezde.receipts.operations.claims import Claim

JOIN = """
INSERT INTO receipts.turn (fn, fd, receipt_id, member_id, fp, content)
VALUES (%s, %s, %s, %s, %s, %s)
"""
IN_TURN = """
SELECT fn, fd, receipt_id, member_id, fp, content
FROM receipts.turn
WHERE (fn, fd) IN (SELECT * FROM unnest(%s::bigint[], %s::bigint[]))
ORDER BY fn, fd, receipt_id
FOR UPDATE
"""
LEAVE = "DELETE FROM receipts.turn WHERE fn = %s AND fd = %s AND receipt_id = %s"
ASK_NOW = """
UPDATE receipts.verification SET due_at = greatest(due_at, %s), parked_because = NULL
WHERE member_id = %s AND receipt_id = %s AND step = 'ask'
"""


@dataclass(frozen=True, slots=True)
class InTurn:
    """A receipt that waits for the claim on its document to be confirmed or released."""

    fn: int
    fd: int
    receipt_id: UUID
    member_id: UUID
    fp: int
    content: str


async def join(db: Db, wants: Sequence[claims.Want]) -> None:
    """Put receipts behind the provisional claim on their document."""
    await kit_db.execute_many(
        db,
        JOIN,
        [
            (want.fn, want.fd, want.receipt_id, want.member_id, want.fp, want.content)
            for want in wants
        ],
    )


async def leave(db: Db, places: Sequence[tuple[int, int, UUID]]) -> None:
    """Take receipts (fn, fd, receipt) out of the turn; no matter whether they were in it."""
    await kit_db.execute_many(db, LEAVE, places)


async def _in_turn(db: Db, keys: Sequence[tuple[int, int]]) -> list[InTurn]:
    return await kit_db.fetch_all(
        db, InTurn, IN_TURN, [[fn for fn, _ in keys], [fd for _, fd in keys]]
    )


async def confirmed(db: Db, keys: Sequence[tuple[int, int]], *, now: datetime) -> None:
    """The documents (fn, fd) are verified: everybody else in turn gets the answer.

    The same paper: taken, or registered already by the member; anything else in it: forged.
    """
    by_key = {claim.key: claim for claim in await claims.lock(db, sorted(set(keys)))}
    waiting = await _in_turn(db, list(by_key)) if by_key else []
    refused: list[tuple[UUID, UUID, Reason, UUID | None]] = []
    for one in waiting:
        owner = by_key[one.fn, one.fd]
        if one.receipt_id == owner.receipt_id:
            continue
        if one.member_id == owner.member_id:
            refused.append(
                (one.member_id, one.receipt_id, Reason.ALREADY_REGISTERED, owner.receipt_id)
            )
        else:
            same = (one.fp, one.content) == (owner.fp, owner.content)
            reason = Reason.TAKEN if same else Reason.FORGED
            refused.append((one.member_id, one.receipt_id, reason, None))
    await leave(db, [(one.fn, one.fd, one.receipt_id) for one in waiting])
    await writing.reject(db, refused, now=now)


async def released(db: Db, claim: Claim, *, now: datetime) -> None:
    """The holder's document is doubted: the next in turn holds the claim and is asked for."""
    waiting = await _in_turn(db, [claim.key])
    if not waiting:
        await claims.change(db, [replace(claim, state=ClaimState.RELEASED)], now=now)
        return
    await _give(db, claim, waiting[0], now=now)


async def hand_on(db: Db, claim: Claim, *, now: datetime) -> None:
    """The holder's document is not there yet: let the next in turn ask meanwhile.

    A wrong signature must not lock the owner out for the weeks a late till is given.
    """
    waiting = await _in_turn(db, [claim.key])
    if not waiting:
        return
    await _give(db, claim, waiting[0], now=now)
    await kit_db.execute_many(
        db, JOIN, [(claim.fn, claim.fd, claim.receipt_id, claim.member_id, claim.fp, claim.content)]
    )


# Whose document nobody is just asking for: it is not there yet, or was put off.
IDLE: LiteralString = """
SELECT claim.fn, claim.fd, claim.fp, claim.content, claim.state, claim.member_id, claim.receipt_id
FROM receipts.claim
CROSS JOIN LATERAL (
    SELECT step, due_at, lease FROM receipts.verification AS own
    WHERE own.member_id = claim.member_id AND own.receipt_id = claim.receipt_id
    LIMIT 1
) AS verification
WHERE (claim.fn, claim.fd) IN (SELECT * FROM unnest(%s::bigint[], %s::bigint[]))
  AND claim.state = 'provisional' AND verification.step = 'ask' AND verification.due_at > %s
  AND verification.lease IS NULL
ORDER BY claim.fn, claim.fd
"""


async def pass_by(db: Db, keys: Sequence[tuple[int, int]], *, now: datetime) -> None:
    """Let those in turn go before holders whose documents are only asked for later.

    The claims are locked by whoever calls.
    """
    if not keys:
        return
    asked = [[fn for fn, _ in keys], [fd for _, fd in keys], now]
    for claim in await kit_db.fetch_all(db, Claim, IDLE, asked):
        await hand_on(db, claim, now=now)


async def _give(db: Db, claim: Claim, to: InTurn, *, now: datetime) -> None:
    await leave(db, [(to.fn, to.fd, to.receipt_id)])
    holder = replace(
        claim,
        fp=to.fp,
        content=to.content,
        state=ClaimState.PROVISIONAL,
        member_id=to.member_id,
        receipt_id=to.receipt_id,
    )
    await claims.change(db, [holder], now=now)
    await db.execute(ASK_NOW, [now, to.member_id, to.receipt_id])
    db.wake("receipts.ask")
