"""Members stay who they are while others work with what is theirs.

Whoever writes rows of a member in another domain holds the member's row first, in the weakest way;
merge and forget hold it in the strongest and so find nothing of the member half written. Lock order
of the programme: a member's new identities, members by id, claims of documents, accounts by id.
"""

from collections.abc import Collection
from typing import LiteralString
from uuid import UUID

from vezde.kit.db import Db
from vezde.members.model import Status

# The weakest row lock: it is in nobody's way but a merge's and a forgetting's.
PRESENT: LiteralString = """
SELECT member_id, status FROM members.member WHERE member_id = ANY(%s)
ORDER BY member_id FOR KEY SHARE
"""
UNDISTURBED: LiteralString = """
SELECT member_id FROM members.member WHERE member_id = ANY(%s)
ORDER BY member_id FOR KEY SHARE SKIP LOCKED
"""
# Nobody else refers to these rows from now on until the transaction ends.
ALONE: LiteralString = """
SELECT member_id, status FROM members.member WHERE member_id = ANY(%s)
ORDER BY member_id FOR UPDATE
"""


async def present(db: Db, member_ids: Collection[UUID]) -> frozenset[UUID]:
    """Which of these are active members; they stay so until the transaction ends.

    Waits for a merge or a forgetting in hand. Comes before any other lock but new identities.
    """
    statuses = await _locked(db, PRESENT, member_ids)
    return frozenset(who for who, status in statuses.items() if status is Status.ACTIVE)


async def undisturbed(db: Db, member_ids: Collection[UUID]) -> frozenset[UUID]:
    """Of these, whom nobody merges or forgets just now, nor before the transaction ends.

    For background work, which does not wait: the others come another time.
    """
    cursor = await db.execute(UNDISTURBED, [list(member_ids)])
    return frozenset(row[0] for row in await cursor.fetchall())


async def alone(db: Db, member_ids: Collection[UUID]) -> dict[UUID, Status]:
    """Lock these members for a merge or a forgetting, in id order; unknown ones are left out."""
    return await _locked(db, ALONE, member_ids)


async def _locked(db: Db, query: LiteralString, member_ids: Collection[UUID]) -> dict[UUID, Status]:
    cursor = await db.execute(query, [list(member_ids)])
    return {member_id: Status(status) for member_id, status in await cursor.fetchall()}
