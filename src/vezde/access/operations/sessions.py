"""Sessions of members on the brand's pages: opened, looked up, ended."""

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import LiteralString
from uuid import UUID

from vezde.access import doors
from vezde.access.doors import Session, SessionOver, SignIn
from vezde.access.model import Key
from vezde.kit import db as kit_db
from vezde.kit import ids
from vezde.kit.db import Db

TOUCH_EVERY = timedelta(minutes=5)

OPEN: LiteralString = """
INSERT INTO access.session (member_id, session_id, token_sha256, key_id, origin, how, created_wall,
    expires_wall, last_used_wall)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
BY_ID: LiteralString = """
SELECT member_id, session_id, key_id, origin, how, created_wall, expires_wall, last_used_wall,
    token_sha256
FROM access.session WHERE member_id = %s AND session_id = %s
"""
TOUCH: LiteralString = """
UPDATE access.session SET last_used_wall = %s WHERE member_id = %s AND session_id = %s
"""
END: LiteralString = "DELETE FROM access.session WHERE member_id = %s AND session_id = %s"
END_ALL: LiteralString = "DELETE FROM access.session WHERE member_id = %s"


@dataclass(frozen=True)
class SessionRow(Session):
    """A session as it is stored."""

    token_sha256: bytes

    def session(self) -> Session:
        return Session(**{name: getattr(self, name) for name in Session.__dataclass_fields__})


async def open_session(
    db: Db, member_id: UUID, found: SignIn, *, wall: datetime
) -> tuple[str, Session]:
    """A session of this member by a sign-in that is used now, and its token, shown this once."""
    session_id, secret = ids.new(), doors.secret()
    session = Session(
        *(member_id, session_id, found.key_id, found.origin, str(found.how)),
        created_wall=wall,
        expires_wall=wall + doors.SESSION_TTL,
        last_used_wall=wall,
    )
    row = [member_id, session_id, doors.secret_sha256(secret), found.key_id, found.origin]
    await db.execute(OPEN, [*row, found.how, wall, session.expires_wall, wall])
    return doors.token(doors.SESSION, member_id, session_id, secret=secret), session


async def session(db: Db, token: str, *, key: Key, origin: str, wall: datetime) -> Session:
    """The live session of this token on a page of this key and origin; raises `SessionOver`."""
    read = doors.read_token(token, doors.SESSION, parts=2)
    row = await kit_db.fetch_one(db, SessionRow, BY_ID, list(read[0])) if read else None
    if (
        read is None
        or row is None
        or not hmac.compare_digest(row.token_sha256, read[1])
        or (row.key_id, row.origin) != (key.key_id, origin)
        or row.expires_wall <= wall
    ):
        raise SessionOver("The session is over; sign in again")
    if row.last_used_wall < wall - TOUCH_EVERY:
        await db.execute(TOUCH, [wall, row.member_id, row.session_id])
    return row.session()


async def end_session(db: Db, found: Session) -> None:
    """Sign out of this one."""
    await db.execute(END, [found.member_id, found.session_id])


async def end_sessions(db: Db, member_id: UUID) -> int:
    """Sign the member out everywhere; how many sessions it were."""
    return (await db.execute(END_ALL, [member_id])).rowcount
