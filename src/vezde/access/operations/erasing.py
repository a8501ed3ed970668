"""What access keeps of a member follows a merge, and goes when they are forgotten."""

from datetime import datetime
from typing import LiteralString
from uuid import UUID

from vezde.kit.db import Db

MOVE: LiteralString = "UPDATE access.answer SET member_id = %s WHERE member_id = %s"
# Who goes is signed out everywhere: pages know them by an id that is nobody's any more.
SIGN_OUT: tuple[LiteralString, ...] = (
    "DELETE FROM access.session WHERE member_id = %s",
    "DELETE FROM access.sign_in WHERE member_id = %s",
    "DELETE FROM access.card WHERE member_id = %s",
)
# What they were asked is withdrawn: nobody is there to answer.
WITHDRAW: LiteralString = """
UPDATE access.approval
SET state = 'withdrawn', decided_wall = expires_wall, decided_how = 'merged'
WHERE member_id = %s AND state = 'asked'
"""
FORGET: tuple[LiteralString, ...] = (
    "DELETE FROM access.answer WHERE member_id = %s",
    "DELETE FROM access.approval WHERE member_id = %s",
)
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


async def merge(db: Db, into: UUID, gone: UUID, *, now: datetime, actor: str) -> None:  # noqa: ARG001
    """Answers about `gone` are about `into` from now on; `gone` is signed out everywhere."""
    await db.execute(MOVE, [into, gone])
    await db.execute(WITHDRAW, [gone])
    for statement in SIGN_OUT:
        await db.execute(statement, [gone])


async def forget(db: Db, member_id: UUID, *, now: datetime, actor: str) -> None:  # noqa: ARG001
    """Delete answers, questions, cards and sessions of the member; the journal has ids alone."""
    for statement in (*SIGN_OUT, *FORGET):
        await db.execute(statement, [member_id])


async def sweep_doors(db: Db, *, wall: datetime, limit: int) -> int:
    """Delete what ran out: sign-ins, sessions, cards, shifts, links, paces; how many rows."""
    gone = 0
    for one in SWEEP:
        gone += (await db.execute(one, [wall, limit])).rowcount
    return gone
