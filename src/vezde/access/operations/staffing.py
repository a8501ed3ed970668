"""Operators: taken on, signed in by a code or a link, gone; what they did is written down."""

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from psycopg.types.json import Jsonb

from vezde.access import doors, staff
from vezde.access.queries import OperatorRow
from vezde.access.staff import (
    Contact,
    Door,
    InvalidOperator,
    InvitationOver,
    Operator,
    OperatorCodeWrong,
    OperatorExists,
    OperatorNotFound,
    OwnAccount,
    RightMissing,
    Shift,
    ShiftOver,
)
from vezde.kit import db as kit_db
from vezde.kit import ids
from vezde.kit.db import Db
from vezde.kit.vault import Vault
from vezde.members import identities

TAKE_ON: LiteralString = """
INSERT INTO access.operator
    (operator_id, name, role, sales_channel, contact, phone_blind, created_at, created_by)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT DO NOTHING
RETURNING operator_id
"""
BY_ID: LiteralString = """
SELECT operator_id, name, role, sales_channel, created_at, created_by, left_at, left_by
FROM access.operator WHERE operator_id = %s
"""
BY_NAME: LiteralString = """
SELECT operator_id, name, role, sales_channel, created_at, created_by, left_at, left_by
FROM access.operator WHERE name = %s AND left_at IS NULL
"""
BY_PHONE: LiteralString = """
SELECT operator_id, contact FROM access.operator WHERE phone_blind = %s AND left_at IS NULL
"""
# Whoever signs in holds the operator's row, so nobody leaves meanwhile.
PRESENT: LiteralString = """
SELECT operator_id, name, role, sales_channel, created_at, created_by, left_at, left_by
FROM access.operator WHERE operator_id = %s AND left_at IS NULL FOR SHARE
"""
LEAVE: LiteralString = """
UPDATE access.operator SET left_at = %s, left_by = %s, contact = NULL, phone_blind = NULL
WHERE operator_id = %s AND left_at IS NULL
"""
NEW_CODE: LiteralString = """
INSERT INTO access.operator_code (operator_id, code_hmac, expires_wall) VALUES (%s, %s, %s)
ON CONFLICT (operator_id) DO UPDATE
SET code_hmac = excluded.code_hmac, expires_wall = excluded.expires_wall
"""
TAKEN: LiteralString = "SELECT true FROM access.operator_code WHERE code_hmac = %s"
USE_CODE: LiteralString = """
DELETE FROM access.operator_code WHERE code_hmac = %s RETURNING operator_id, expires_wall
"""
DROP_CODE: LiteralString = "DELETE FROM access.operator_code WHERE operator_id = %s"
INVITE: LiteralString = """
INSERT INTO access.operator_invitation (operator_id, secret_sha256, expires_wall)
VALUES (%s, %s, %s)
ON CONFLICT (operator_id) DO UPDATE
SET secret_sha256 = excluded.secret_sha256, expires_wall = excluded.expires_wall
"""
USE_INVITATION: LiteralString = """
DELETE FROM access.operator_invitation WHERE secret_sha256 = %s RETURNING operator_id, expires_wall
"""
DROP_INVITATION: LiteralString = "DELETE FROM access.operator_invitation WHERE operator_id = %s"
CHANGE_ROLE: LiteralString = """
UPDATE access.operator SET role = %s WHERE operator_id = %s AND left_at IS NULL
RETURNING operator_id
"""
OPEN_SHIFT: LiteralString = """
INSERT INTO access.operator_session
    (session_id, operator_id, token_sha256, created_wall, expires_wall, door)
VALUES (%s, %s, %s, %s, %s, %s)
"""
SHIFT: LiteralString = """
SELECT session.session_id, session.token_sha256, session.expires_wall,
    operator.operator_id, name, role, sales_channel, created_at, created_by, left_at, left_by
FROM access.operator_session AS session JOIN access.operator USING (operator_id)
WHERE session_id = %s AND door = %s AND left_at IS NULL
"""
END_SHIFT: LiteralString = "DELETE FROM access.operator_session WHERE session_id = %s"
END_SHIFTS: LiteralString = "DELETE FROM access.operator_session WHERE operator_id = %s"
NOTE: LiteralString = """
INSERT INTO access.journal (entry_id, operator_id, what, member_id, details, at)
VALUES (%s, %s, %s, %s, %s, %s)
"""

MOST_SECRET = 100
PREFIX = {Door.TILL: doors.TILL, Door.CONSOLE: doors.CONSOLE}


@dataclass(frozen=True)
class ShiftRow(OperatorRow):
    """A shift with its operator."""

    session_id: UUID
    token_sha256: bytes
    expires_wall: datetime


async def take_on(
    db: Db,
    *,
    name: str,
    role: str,
    sales_channel: str = "own_shop",
    phone: str | None = None,
    telegram: str | None = None,
    vault: Vault,
    now: datetime,
    actor: str,
) -> Operator:
    """A new operator; `telegram` is the account's number.

    Raises `InvalidOperator`, `OperatorExists`, `identities.InvalidPhone`.
    """
    made = Operator(
        *(ids.new(), staff.sound_name(name), staff.sound_role(role), sales_channel, now, actor)
    )
    if telegram is not None and not (telegram.isascii() and telegram.isdigit()):
        raise InvalidOperator("A Telegram account is given by its number, like 7000000001")
    number = identities.phone(phone) if phone is not None else None
    contact = json.dumps({"phone": number, "telegram": telegram}).encode()
    row = [made.operator_id, made.name, made.role, sales_channel]
    row += [vault.encrypt(contact, context=_context(made.operator_id))]
    row += [_blind(vault, number) if number else None, now, actor]
    if await kit_db.fetch_value(db, TAKE_ON, row) is None:
        raise OperatorExists("Somebody of this name or phone is there; take another name")
    return made


async def operator(db: Db, operator_id: UUID) -> Operator:
    """Raises `OperatorNotFound`."""
    row = await kit_db.fetch_one(db, OperatorRow, BY_ID, [operator_id])
    if row is None:
        raise OperatorNotFound("There is no such operator; list them for those there are")
    return row.operator()


async def operator_by_name(db: Db, name: str) -> Operator:
    """The operator of this name who is there; raises `OperatorNotFound`."""
    row = await kit_db.fetch_one(db, OperatorRow, BY_NAME, [name.strip()])
    if row is None:
        raise OperatorNotFound("Nobody of this name is there; list the operators for those who are")
    return row.operator()


async def operator_by_phone(db: Db, phone: str, *, vault: Vault) -> tuple[UUID, Contact] | None:
    """Whose phone it is and how they are reached; `phone` in E.164."""
    row = await (await db.execute(BY_PHONE, [_blind(vault, phone)])).fetchone()
    if row is None:
        return None
    held = json.loads(vault.decrypt(row[1], context=_context(row[0])))
    return row[0], Contact(held["phone"], held["telegram"])


async def leave(
    db: Db, operator_id: UUID, *, now: datetime, actor: str, by: Operator | None = None
) -> Operator:
    """The operator is gone: codes, links and sessions end at once; again, as it was then.

    What they did stays under their name, how they were reached does not. Raises `OperatorNotFound`,
    and `OwnAccount` where `by`, who does it, means themselves.
    """
    _not_oneself(by, operator_id)
    await db.execute(LEAVE, [now, actor, operator_id])
    await db.execute(DROP_CODE, [operator_id])
    await db.execute(DROP_INVITATION, [operator_id])
    await db.execute(END_SHIFTS, [operator_id])
    return await operator(db, operator_id)


async def operator_code(
    db: Db, operator_id: UUID, *, vault: Vault, wall: datetime
) -> tuple[str, datetime]:
    """A one-time code of the operator and until when it is good; the one before is not any more.

    Raises `OperatorNotFound` for one who left.
    """
    if await kit_db.fetch_one(db, OperatorRow, PRESENT, [operator_id]) is None:
        raise OperatorNotFound("This operator is not there (any more)")
    while True:
        code = doors.code(doors.OPERATOR_DIGITS)
        kept = doors.code_hmac(vault, "operator", code)
        if await kit_db.fetch_value(db, TAKEN, [kept]) is None:
            expires = wall + doors.OPERATOR_CODE_TTL
            await db.execute(NEW_CODE, [operator_id, kept, expires])
            return code, expires


async def change_role(
    db: Db, operator_id: UUID, role: str, *, by: Operator | None = None
) -> tuple[Operator, Operator]:
    """Give an operator another role; as they were, and as they are. Sessions go on with it.

    `by` is who does it: nobody takes their own role away. Raises `InvalidOperator`,
    `OperatorNotFound`, `OwnAccount`.
    """
    given, before = staff.sound_role(role), await operator(db, operator_id)
    _not_oneself(by, operator_id)
    if await kit_db.fetch_value(db, CHANGE_ROLE, [given, operator_id]) is None:
        raise OperatorNotFound("This operator is not there (any more)")
    return before, await operator(db, operator_id)


async def invite(db: Db, operator_id: UUID, *, wall: datetime) -> tuple[str, datetime]:
    """The secret of a link that signs the operator in once, and until when; the one before is void.

    256 random bits: there is nothing to guess. Raises `OperatorNotFound` for one who left, and
    `RightMissing` for one who has nothing to do in the console.
    """
    row = await kit_db.fetch_one(db, OperatorRow, PRESENT, [operator_id])
    if row is None:
        raise OperatorNotFound("This operator is not there (any more)")
    _may_enter(row.operator(), Door.CONSOLE)
    secret, expires = doors.secret(), wall + doors.INVITATION_TTL
    await db.execute(INVITE, [operator_id, doors.secret_sha256(secret), expires])
    return secret, expires


async def open_shift(
    db: Db, code: str, *, vault: Vault, now: datetime, wall: datetime, door: Door = Door.TILL
) -> tuple[str, Shift]:
    """Sign an operator in by their code, which is used up; the token is shown this once.

    Raises `OperatorCodeWrong`, and `RightMissing` for a cashier at the console.
    """
    kept = doors.code_hmac(vault, "operator", doors.digits_of(code))
    used = await (await db.execute(USE_CODE, [kept])).fetchone()
    if used is None or used[1] <= wall:
        raise OperatorCodeWrong
    row = await kit_db.fetch_one(db, OperatorRow, PRESENT, [used[0]])
    if row is None:
        raise OperatorCodeWrong
    return await _open(db, row.operator(), door, now=now, wall=wall)


async def open_by_invitation(
    db: Db, secret: str, *, now: datetime, wall: datetime
) -> tuple[str, Shift]:
    """Sign an operator in to the console by their link's secret, which is used up.

    Raises `InvitationOver`, `RightMissing`.
    """
    used = await (
        await db.execute(USE_INVITATION, [doors.secret_sha256(secret[:MOST_SECRET])])
    ).fetchone()
    if used is None or used[1] <= wall:
        raise InvitationOver
    row = await kit_db.fetch_one(db, OperatorRow, PRESENT, [used[0]])
    if row is None:
        raise InvitationOver
    return await _open(db, row.operator(), Door.CONSOLE, now=now, wall=wall)


async def _open(
    db: Db, who: Operator, door: Door, *, now: datetime, wall: datetime
) -> tuple[str, Shift]:
    _may_enter(who, door)
    session_id, secret, expires = ids.new(), doors.secret(), wall + doors.SHIFT
    opened = [session_id, who.operator_id, doors.secret_sha256(secret), wall, expires, door]
    await db.execute(OPEN_SHIFT, opened)
    await note(db, who, "signed_in", now=now, details={"door": door})
    return doors.token(PREFIX[door], session_id, secret=secret), Shift(session_id, who, expires)


async def shift(db: Db, token: str, *, wall: datetime, door: Door = Door.TILL) -> Shift:
    """The live shift of this token at this door; raises `ShiftOver`."""
    read = doors.read_token(token, PREFIX[door], parts=1)
    row = await kit_db.fetch_one(db, ShiftRow, SHIFT, [read[0][0], door]) if read else None
    if (
        read is None
        or row is None
        or not hmac.compare_digest(row.token_sha256, read[1])
        or row.expires_wall <= wall
    ):
        raise ShiftOver
    return Shift(row.session_id, row.operator(), row.expires_wall)


async def end_shift(db: Db, found: Shift, *, now: datetime) -> None:
    """Sign out."""
    await db.execute(END_SHIFT, [found.session_id])
    await note(db, found.operator, "signed_out", now=now)


async def note(
    db: Db,
    who: Operator,
    what: str,
    *,
    now: datetime,
    member_id: UUID | None = None,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Write down what an operator does, in the transaction in which they do it.

    `what` is a word like `member_found`; `details` hold ids and numbers, nothing personal.
    """
    row = [ids.new(), who.operator_id, what, member_id, Jsonb(dict(details or {})), now]
    await db.execute(NOTE, row)


def _may_enter(who: Operator, door: Door) -> None:
    if door is Door.CONSOLE and not who.rights:
        raise RightMissing("This account is for the till; ask an administrator for another role")


def _not_oneself(by: Operator | None, operator_id: UUID) -> None:
    if by is not None and by.operator_id == operator_id:
        raise OwnAccount("Another administrator must do this: it is your own account")


def _blind(vault: Vault, phone: str) -> bytes:
    return vault.blind(phone, purpose="access.operator")


def _context(operator_id: UUID) -> bytes:
    return b"access.operator " + operator_id.bytes
