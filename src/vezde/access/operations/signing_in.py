"""Sign-ins under way: begun by a phone or a link, proved by a code or a tap, used once.

The handle that a page goes on with and the link it shows are two secrets: who sees the link on a
screen can confirm it, but not collect the session.
"""

import hmac
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from vezde.access import doors
from vezde.access.doors import How, SignIn, SignInOver, SignInUnknown, SignInWaiting, State
from vezde.access.model import Key
from vezde.kit import db as kit_db
from vezde.kit import ids
from vezde.kit.db import Db
from vezde.kit.errors import DomainError
from vezde.kit.vault import Vault

HANDLE, LINK = "sgn", "login-"

BEGIN: LiteralString = """
INSERT INTO access.sign_in (sign_in_id, secret_sha256, key_id, origin, how, state, phone,
    code_hmac, link_sha256, number, member_id, attempts, created_wall, expires_wall)
VALUES (%(sign_in_id)s, %(secret)s, %(key_id)s, %(origin)s, %(how)s, 'waiting', %(phone)s,
    %(code)s, %(link)s, %(number)s, %(member_id)s, 0, %(wall)s, %(expires)s)
"""
BY_ID: LiteralString = """
SELECT sign_in_id, secret_sha256, key_id, origin, how, state, phone, code_hmac, number, member_id,
    attempts, expires_wall
FROM access.sign_in WHERE sign_in_id = %s FOR NO KEY UPDATE
"""
BY_LINK: LiteralString = """
SELECT sign_in_id, secret_sha256, key_id, origin, how, state, phone, code_hmac, number, member_id,
    attempts, expires_wall
FROM access.sign_in WHERE link_sha256 = %s FOR NO KEY UPDATE
"""
TRIED: LiteralString = """
UPDATE access.sign_in SET attempts = %s, state = %s WHERE sign_in_id = %s
"""
DECIDE: LiteralString = """
UPDATE access.sign_in SET state = %s, member_id = %s WHERE sign_in_id = %s
"""
USE: LiteralString = """
UPDATE access.sign_in SET state = 'used', member_id = %s WHERE sign_in_id = %s
"""


@dataclass(frozen=True)
class Begun:
    """A sign-in just begun: its handle, and what is to be sent or shown."""

    sign_in_id: UUID
    handle: str = field(repr=False)
    expires_wall: datetime
    code: str | None = field(default=None, repr=False)
    link: str | None = field(default=None, repr=False)
    number: int | None = None


@dataclass(frozen=True)
class Row:
    """A sign-in as it is stored."""

    sign_in_id: UUID
    secret_sha256: bytes
    key_id: UUID
    origin: str
    how: str
    state: str
    phone: bytes | None
    code_hmac: bytes | None
    number: int | None
    member_id: UUID | None
    attempts: int
    expires_wall: datetime

    def sign_in(self, vault: Vault, wall: datetime) -> SignIn:
        phone = None
        if self.phone is not None:
            phone = vault.decrypt(self.phone, context=_context(self.sign_in_id)).decode()
        state = State(self.state)
        if self.expires_wall <= wall and state is not State.USED:
            state = State.EXPIRED
        return SignIn(
            *(self.sign_in_id, self.key_id, self.origin, How(self.how), state, phone),
            number=self.number,
            member_id=self.member_id,
            expires_wall=self.expires_wall,
        )


async def begin_by_code(
    db: Db,
    *,
    key: Key,
    origin: str,
    phone: str,
    member_id: UUID | None,
    sends: bool,
    vault: Vault,
    wall: datetime,
) -> Begun:
    """Begin a sign-in by a code that is told to the phone's owner; `phone` in E.164.

    `sends` False: nobody is told a code, because the phone is nobody's and the key enrols nobody.
    To the page it looks the same.
    """
    sign_in_id, handle, row = _begun(key, origin, How.CODE, wall + doors.CODE_TTL, wall)
    code = doors.code(doors.CODE_DIGITS) if sends else None
    row["phone"] = vault.encrypt(phone.encode(), context=_context(sign_in_id))
    row["code"] = doors.code_hmac(vault, sign_in_id.hex, code) if code else None
    row["member_id"] = member_id
    await db.execute(BEGIN, row)
    return Begun(sign_in_id, handle, row["expires"], code=code)


async def begin_by_link(db: Db, *, key: Key, origin: str, wall: datetime) -> Begun:
    """Begin a sign-in by a link into a messenger; `link` is its start payload, 28 characters.

    The number is shown by the page and by the bot, so that people see they belong together.
    """
    sign_in_id, handle, row = _begun(key, origin, How.LINK, wall + doors.LINK_TTL, wall)
    link = f"{LINK}{secrets.token_urlsafe(16)}"
    row["link"], row["number"] = doors.secret_sha256(link), 10 + secrets.randbelow(90)
    await db.execute(BEGIN, row)
    return Begun(sign_in_id, handle, row["expires"], link=link, number=row["number"])


async def sign_in(
    db: Db, handle: str, *, key: Key, origin: str, vault: Vault, wall: datetime
) -> SignIn:
    """The sign-in of this handle, locked; raises `SignInUnknown` for another page's, too."""
    return (await _by_handle(db, handle, key, origin)).sign_in(vault, wall)


async def try_code(
    db: Db, handle: str, code: str, *, key: Key, origin: str, vault: Vault, wall: datetime
) -> SignIn | DomainError:
    """Try a code: the sign-in, proved, or why not, an error to raise once this is committed.

    The attempt counts, so commit whatever it answers. Raises `SignInUnknown`.
    """
    row = await _by_handle(db, handle, key, origin)
    found = row.sign_in(vault, wall)
    if found.how is not How.CODE or found.state not in {State.WAITING, State.PROVED}:
        return over(found)
    if row.attempts >= doors.MOST_ATTEMPTS:
        return _exhausted()
    given = doors.code_hmac(vault, row.sign_in_id.hex, doors.digits_of(code))
    right = row.code_hmac is not None and hmac.compare_digest(row.code_hmac, given)
    state = State.PROVED if right else found.state
    attempts = row.attempts + (not right)
    await db.execute(TRIED, [attempts, state, row.sign_in_id])
    if right:
        return SignIn(**{**vars(found), "state": state})
    left = doors.MOST_ATTEMPTS - attempts
    if not left:
        return _exhausted()
    return doors.WrongCode(
        "This is not the code that was sent; look again, the newest counts",
        extra={"attempts_left": left},
    )


async def linked(db: Db, link: str, *, vault: Vault, wall: datetime) -> SignIn | None:
    """The sign-in of a link's start payload, locked; None: there is none such (any more)."""
    row = await kit_db.fetch_one(db, Row, BY_LINK, [doors.secret_sha256(link)])
    return row.sign_in(vault, wall) if row else None


async def decide_link(
    db: Db, link: str, *, member_id: UUID, agrees: bool, vault: Vault, wall: datetime
) -> SignIn | None:
    """Confirm or decline the sign-in of this link as this member; the first answer counts.

    Answers the sign-in as it is now, None when there is none such. Another's answer, one given
    before and one too late change nothing: look at its state and member.
    """
    found = await linked(db, link, vault=vault, wall=wall)
    if found is None or found.state is not State.WAITING:
        return found
    state = State.PROVED if agrees else State.DECLINED
    await db.execute(DECIDE, [state, member_id, found.sign_in_id])
    return SignIn(**{**vars(found), "state": state, "member_id": member_id})


async def use(db: Db, found: SignIn, member_id: UUID) -> None:
    """Turn a proved sign-in into a session of this member, once; its row is locked by now.

    Raises `SignInWaiting`, `SignInOver`.
    """
    if found.state is State.WAITING:
        raise SignInWaiting("Nobody confirmed it yet; ask again in two seconds")
    if found.state is not State.PROVED:
        raise over(found)
    await db.execute(USE, [member_id, found.sign_in_id])


def over(found: SignIn) -> SignInOver | SignInWaiting:
    """Why a sign-in cannot be gone on with, to be raised."""
    if found.state is State.WAITING:  # a link takes no code
        return SignInWaiting("It is confirmed in the messenger; ask for the session without a code")
    return SignInOver("This sign-in is over; begin a new one", extra={"state": str(found.state)})


def _exhausted() -> SignInOver:
    return SignInOver(
        "The code was tried too often; begin a new sign-in", extra={"state": "exhausted"}
    )


def _begun(
    key: Key, origin: str, how: How, expires: datetime, wall: datetime
) -> tuple[UUID, str, dict[str, Any]]:
    sign_in_id, secret = ids.new(), doors.secret()
    row = {
        "sign_in_id": sign_in_id,
        "secret": doors.secret_sha256(secret),
        "key_id": key.key_id,
        "origin": origin,
        "how": how,
        "wall": wall,
        "expires": expires,
        **dict.fromkeys(("phone", "code", "link", "number", "member_id")),
    }
    return sign_in_id, doors.token(HANDLE, sign_in_id, secret=secret), row


async def _by_handle(db: Db, handle: str, key: Key, origin: str) -> Row:
    read = doors.read_token(handle, HANDLE, parts=1)
    row = await kit_db.fetch_one(db, Row, BY_ID, [read[0][0]]) if read else None
    if (
        read is None
        or row is None
        or not hmac.compare_digest(row.secret_sha256, read[1])
        or (row.key_id, row.origin) != (key.key_id, origin)
    ):
        raise SignInUnknown("There is no such sign-in of this page; begin a new one")
    return row


def _context(sign_in_id: UUID) -> bytes:
    return b"access.sign_in " + sign_in_id.bytes
