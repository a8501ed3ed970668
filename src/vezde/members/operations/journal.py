"""What merges moved, kept sealed for as long as they may be undone."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from vezde.kit import db as kit_db
from vezde.kit import ids
from vezde.kit.db import Db
from vezde.kit.vault import Vault

WRITE: LiteralString = """
INSERT INTO members.merge (member_id, merge_id, into_id, sealed, merged_at, merged_by)
VALUES (%s, %s, %s, %s, %s, %s)
"""
LAST: LiteralString = """
SELECT member_id, merge_id, into_id, sealed, merged_at, undone_at FROM members.merge
WHERE member_id = %s ORDER BY merged_at DESC, merge_id DESC LIMIT 1
"""
UNDONE: LiteralString = """
UPDATE members.merge SET sealed = NULL, undone_at = %s, undone_by = %s
WHERE member_id = %s AND merge_id = %s
"""
# Of the member, and of those who became part of them.
ERASE: LiteralString = """
UPDATE members.merge SET sealed = NULL
WHERE sealed IS NOT NULL AND (member_id = %(member_id)s OR into_id = %(member_id)s
    OR member_id IN (SELECT merged.member_id FROM members.merged WHERE into_id = %(member_id)s))
"""
SWEEP: LiteralString = """
UPDATE members.merge SET sealed = NULL WHERE sealed IS NOT NULL AND merged_at < %s
"""


@dataclass(frozen=True)
class Merge:
    """A merge of `member_id` into another member; `sealed` None: nothing to undo it by is kept."""

    member_id: UUID
    merge_id: UUID
    into_id: UUID
    sealed: bytes | None
    merged_at: datetime
    undone_at: datetime | None

    def moved(self, vault: Vault) -> dict[str, Any]:
        """By domain, what moved."""
        assert self.sealed is not None, "asked before"
        opened: dict[str, Any] = json.loads(
            vault.decrypt(self.sealed, context=_context(self.merge_id))
        )
        return opened


async def write(
    db: Db,
    into: UUID,
    gone: UUID,
    moved: dict[str, Any],
    *,
    vault: Vault,
    now: datetime,
    actor: str,
) -> None:
    """Keep what a merge moved, by domain."""
    merge_id = ids.new()
    plain = json.dumps(moved, ensure_ascii=False, separators=(",", ":")).encode()
    sealed = vault.encrypt(plain, context=_context(merge_id))
    await db.execute(WRITE, [gone, merge_id, into, sealed, now, actor])


async def last(db: Db, gone: UUID) -> Merge | None:
    """The newest merge that took this member, undone or not."""
    return await kit_db.fetch_one(db, Merge, LAST, [gone])


async def undone(db: Db, merge: Merge, *, now: datetime, actor: str) -> None:
    """Note that it was undone; nothing to undo it by is kept any more."""
    await db.execute(UNDONE, [now, actor, merge.member_id, merge.merge_id])


async def erase(db: Db, member_id: UUID) -> None:
    """Drop what merges of this member, and of those who are part of them, were to be undone by."""
    await db.execute(ERASE, {"member_id": member_id})


async def sweep_merges(db: Db, *, before: datetime) -> int:
    """Drop what older merges were to be undone by; of how many."""
    return (await db.execute(SWEEP, [before])).rowcount


def _context(merge_id: UUID) -> bytes:
    return b"members.merge " + merge_id.bytes
