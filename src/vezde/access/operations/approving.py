"""What a member is asked to agree to: by a button in the bot, or by a code they read out."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from psycopg.types.json import Jsonb

from vezde.access import doors
from vezde.access.doors import ApprovalOver, ApprovalUnknown, WrongCode
from vezde.kit import db as kit_db
from vezde.kit import ids
from vezde.kit.db import Db
from vezde.kit.errors import DomainError
from vezde.kit.vault import Vault

PAYMENT = "payment"
ASKED, GIVEN, DECLINED, WITHDRAWN, EXPIRED = "asked", "given", "declined", "withdrawn", "expired"

ASK: LiteralString = """
INSERT INTO access.approval (member_id, approval_id, kind, state, code_hmac, attempts, details,
    asked_by, asked_wall, expires_wall)
VALUES (%s, %s, %s, 'asked', %s, 0, %s, %s, %s, %s)
"""
BY_ID: LiteralString = """
SELECT member_id, approval_id, kind, state, code_hmac, attempts, details, asked_by, asked_wall,
    expires_wall
FROM access.approval WHERE member_id = %s AND approval_id = %s FOR NO KEY UPDATE
"""
TRIED: LiteralString = """
UPDATE access.approval SET attempts = attempts + 1 WHERE member_id = %s AND approval_id = %s
"""
DECIDE: LiteralString = """
UPDATE access.approval SET state = %s, decided_wall = %s, decided_how = %s
WHERE member_id = %s AND approval_id = %s
"""


@dataclass(frozen=True)
class Approval:
    """A question to a member; `details` are the ids and numbers of what is agreed to.

    `state` is asked, given, declined, withdrawn or expired.
    """

    member_id: UUID
    approval_id: UUID
    kind: str
    state: str
    details: Mapping[str, Any]
    asked_by: str
    asked_wall: datetime
    expires_wall: datetime


@dataclass(frozen=True)
class Row(Approval):
    """A question as it is stored; expiry is not written."""

    code_hmac: bytes
    attempts: int

    def at(self, wall: datetime) -> Approval:
        given = {name: getattr(self, name) for name in Approval.__dataclass_fields__}
        late = self.state == ASKED and self.expires_wall <= wall
        return Approval(**{**given, "state": EXPIRED if late else self.state})


async def ask(
    db: Db,
    member_id: UUID,
    kind: str,
    details: Mapping[str, Any],
    *,
    vault: Vault,
    wall: datetime,
    actor: str,
) -> tuple[str, Approval]:
    """Put a question to a member, and the code by which they may answer it aloud."""
    approval_id, code = ids.new(), doors.code(doors.CODE_DIGITS)
    expires = wall + doors.APPROVAL_TTL
    kept = doors.code_hmac(vault, approval_id.hex, code)
    row = [member_id, approval_id, kind, kept, Jsonb(dict(details)), actor, wall, expires]
    await db.execute(ASK, row)
    return code, Approval(member_id, approval_id, kind, ASKED, details, actor, wall, expires)


async def approval(db: Db, member_id: UUID, approval_id: UUID, *, wall: datetime) -> Approval:
    """The question, locked; raises `ApprovalUnknown`."""
    return (await _row(db, member_id, approval_id)).at(wall)


async def try_approval(
    db: Db, member_id: UUID, approval_id: UUID, code: str, *, vault: Vault, wall: datetime
) -> DomainError | None:
    """Try the code a member read out: None, it is theirs; or an error to raise once committed.

    A wrong attempt counts, so commit whatever it answers. Raises `ApprovalUnknown`.
    """
    row = await _row(db, member_id, approval_id)
    found = row.at(wall)
    if found.state != ASKED:
        return over(found)
    if row.attempts >= doors.MOST_ATTEMPTS:
        return _exhausted()
    given = doors.code_hmac(vault, approval_id.hex, doors.digits_of(code))
    if hmac.compare_digest(row.code_hmac, given):
        return None
    await db.execute(TRIED, [member_id, approval_id])
    left = doors.MOST_ATTEMPTS - row.attempts - 1
    if not left:
        return _exhausted()
    return WrongCode("This is not the code of this payment", extra={"attempts_left": left})


async def decide(db: Db, found: Approval, state: str, *, how: str, wall: datetime) -> Approval:
    """Note the answer to a question that is open; `found` as it was locked.

    `state` is given, declined or withdrawn, `how` a word like button, code. Raises `ApprovalOver`.
    """
    if found.state != ASKED:
        raise over(found)
    await db.execute(DECIDE, [state, wall, how, found.member_id, found.approval_id])
    return Approval(**{**_fields(found), "state": state})


def over(found: Approval) -> ApprovalOver:
    """Why a question cannot be answered any more, to be raised."""
    return ApprovalOver(
        "This was decided, or its time is over; begin anew", extra={"state": found.state}
    )


def _exhausted() -> ApprovalOver:
    return ApprovalOver(
        "The code was tried too often; cancel and begin anew", extra={"state": "exhausted"}
    )


def _fields(found: Approval) -> dict[str, Any]:
    return {name: getattr(found, name) for name in Approval.__dataclass_fields__}


async def _row(db: Db, member_id: UUID, approval_id: UUID) -> Row:
    row = await kit_db.fetch_one(db, Row, BY_ID, [member_id, approval_id])
    if row is None:
        raise ApprovalUnknown("There is no such payment")
    return row
