"""The code of a member's card: made by the bot, read at a till, good once."""

from datetime import datetime
from typing import LiteralString
from uuid import UUID

from vezde.access import doors
from vezde.access.doors import CardUnknown
from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.kit.vault import Vault

# Never another live card's code: nine digits, so the second try is a story.
MAKE: LiteralString = """
INSERT INTO access.card AS card (code_hmac, member_id, made_wall, expires_wall)
VALUES (%(code)s, %(member_id)s, %(wall)s, %(expires)s)
ON CONFLICT (member_id) DO UPDATE SET code_hmac = excluded.code_hmac,
    made_wall = excluded.made_wall, expires_wall = excluded.expires_wall
WHERE NOT EXISTS (SELECT FROM access.card AS other WHERE other.code_hmac = %(code)s)
RETURNING member_id
"""
TAKEN: LiteralString = "SELECT true FROM access.card WHERE code_hmac = %s"
READ: LiteralString = """
DELETE FROM access.card WHERE code_hmac = %s RETURNING member_id, expires_wall
"""


async def make_card(
    db: Db, member_id: UUID, *, vault: Vault, wall: datetime
) -> tuple[str, datetime]:
    """A fresh code of the member's card and until when it is good; the one before is not any more.

    Nine digits, read by a scanner or aloud.
    """
    while True:
        code = doors.code(doors.CARD_DIGITS)
        kept = doors.code_hmac(vault, "card", code)
        if await kit_db.fetch_value(db, TAKEN, [kept]):
            continue
        expires = wall + doors.CARD_TTL
        row = {"code": kept, "member_id": member_id, "wall": wall, "expires": expires}
        if await kit_db.fetch_value(db, MAKE, row) is not None:
            return code, expires


async def read_card(db: Db, code: str, *, vault: Vault, wall: datetime) -> UUID:
    """Whose card has this code; it is used up. Raises `CardUnknown`."""
    kept = doors.code_hmac(vault, "card", doors.digits_of(code))
    row = await (await db.execute(READ, [kept])).fetchone()
    if row is None or row[1] <= wall:
        raise CardUnknown("No card has this code (any more); ask for a fresh one: /card in the bot")
    member_id: UUID = row[0]
    return member_id
