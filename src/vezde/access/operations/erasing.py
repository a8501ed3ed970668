"""What access keeps of a member follows a merge and its undoing, and goes with them."""

from datetime import datetime
from typing import LiteralString
from uuid import UUID

from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.members import queries as member_queries
from vezde.members.operations import Moved

MOVE: LiteralString = """
UPDATE access.answer SET member_id = %s WHERE member_id = %s
RETURNING key_id::text, route, encode(idempotency_hmac, 'hex')
"""
MOVE_BACK: LiteralString = """
UPDATE access.answer SET member_id = %s
WHERE member_id = %s AND key_id = %s AND route = %s
  AND idempotency_hmac = decode(%s, 'hex')
"""
# Who goes is signed out everywhere: pages know them by an id that is nobody's any more.
SIGN_OUT: tuple[LiteralString, ...] = (
    "DELETE FROM access.session WHERE member_id = %s",
    "DELETE FROM access.sign_in WHERE member_id = %s",
    "DELETE FROM access.card WHERE member_id = %s",
)
# What they were asked is withdrawn: nobody is there to answer.
WITHDRAW: LiteralString = """
UPDATE access.approval
SET state = 'withdrawn', decided_wall = expires_wall, decided_how = %s
WHERE member_id = %s AND state = 'asked'
"""
FORGET_APPROVALS: LiteralString = "DELETE FROM access.approval WHERE member_id = %s"
FORGET_ANSWERS: LiteralString = "DELETE FROM access.answer WHERE member_id = ANY(%s)"
SWEEP: tuple[LiteralString, ...] = (
    """
    DELETE FROM access.sign_in WHERE sign_in_id IN (
        SELECT sign_in_id FROM access.sign_in WHERE expires_wall < %s
        ORDER BY expires_wall LIMIT %s FOR UPDATE SKIP LOCKED)
    """,
    """
    DELETE FROM access.session WHERE (member_id, session_id) IN (
        SELECT member_id, session_id FROM access.session WHERE expires_wall < %s
        ORDER BY expires_wall LIMIT %s FOR UPDATE SKIP LOCKED)
    """,
    """
    DELETE FROM access.card WHERE code_hmac IN (
        SELECT code_hmac FROM access.card WHERE expires_wall < %s
        ORDER BY expires_wall LIMIT %s FOR UPDATE SKIP LOCKED)
    """,
    """
    DELETE FROM access.operator_session WHERE session_id IN (
        SELECT session_id FROM access.operator_session WHERE expires_wall < %s
        ORDER BY expires_wall LIMIT %s FOR UPDATE SKIP LOCKED)
    """,
    """
    DELETE FROM access.operator_invitation WHERE operator_id IN (
        SELECT operator_id FROM access.operator_invitation WHERE expires_wall < %s
        ORDER BY expires_wall LIMIT %s FOR UPDATE SKIP LOCKED)
    """,
    """
    DELETE FROM access.pace WHERE bucket IN (
        SELECT bucket FROM access.pace WHERE empty_wall < %s
        ORDER BY empty_wall LIMIT %s FOR UPDATE SKIP LOCKED)
    """,
)


async def merge(db: Db, into: UUID, gone: UUID, *, now: datetime, actor: str) -> Moved:  # noqa: ARG001
    """Answers about `gone` are about `into` from now on; `gone` is signed out everywhere."""
    moved = await (await db.execute(MOVE, [into, gone])).fetchall()
    await db.execute(WITHDRAW, ["merged", gone])
    for statement in SIGN_OUT:
        await db.execute(statement, [gone])
    return {"answers": [list(one) for one in moved]}


async def unmerge(
    db: Db,
    into: UUID,
    gone: UUID,
    *,
    moved: Moved,
    now: datetime,  # noqa: ARG001
    actor: str,  # noqa: ARG001
) -> None:
    """Answers about `gone` are about them again; `into` is signed out everywhere.

    Whoever signed in since the merge may be either of the two, and so may who was asked to agree.
    """
    answers = [(gone, into, *one) for one in moved["answers"]]
    await kit_db.execute_many(db, MOVE_BACK, answers)
    await db.execute(WITHDRAW, ["unmerged", into])
    for statement in SIGN_OUT:
        await db.execute(statement, [into])


async def forget(db: Db, member_id: UUID, *, now: datetime, actor: str) -> None:  # noqa: ARG001
    """Delete answers, questions, cards and sessions of the member; the journal has ids alone.

    Answers about another one, who they were part of until that was undone, may tell of both.
    """
    for statement in (*SIGN_OUT, FORGET_APPROVALS):
        await db.execute(statement, [member_id])
    told = [member_id, *await member_queries.was_part_of(db, member_id)]
    await db.execute(FORGET_ANSWERS, [told])


async def sweep_doors(db: Db, *, wall: datetime, limit: int) -> int:
    """Delete what ran out: sign-ins, sessions, cards, shifts, links, paces; how many rows."""
    gone = 0
    for one in SWEEP:
        gone += (await db.execute(one, [wall, limit])).rowcount
    return gone
