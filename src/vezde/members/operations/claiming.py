"""Claims: whose an identity is, in the whole programme.

A claim is taken before anything else is written or locked, all of a call at once and in one order.
Whoever comes second waits for the first to commit and then reads whose it is, so two processes
that enrol the same phone agree and never wait for each other in a circle.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import LiteralString
from uuid import UUID

from vezde.kit.db import Db
from vezde.kit.errors import DomainError, Kind

TAKE: LiteralString = """
INSERT INTO members.claim (kind, blind, member_id)
SELECT kind, blind, member_id
FROM unnest(%(kinds)s::text[], %(blinds)s::bytea[], %(members)s::uuid[])
     WITH ORDINALITY AS wanted (kind, blind, member_id, place)
ORDER BY place
ON CONFLICT (kind, blind) DO NOTHING
RETURNING kind, blind, member_id
"""
READ: LiteralString = """
SELECT kind, blind, member_id FROM members.claim
WHERE (kind, blind) IN (SELECT * FROM unnest(%(kinds)s::text[], %(blinds)s::bytea[]))
"""
DROP: LiteralString = """
DELETE FROM members.claim WHERE kind = %s AND blind = %s AND member_id = %s
"""

Key = tuple[str, bytes]  # kind and blind index


class ClaimContested(DomainError):
    """The identity was claimed and given up again while we looked; nothing was changed."""

    code = "unavailable"
    kind = Kind.UNAVAILABLE


async def take(db: Db, wanted: Mapping[Key, UUID]) -> dict[Key, UUID]:
    """Claim each key for its member; answers whose every key is now, theirs or another's."""
    owners: dict[Key, UUID] = {}
    for _attempt in range(3):
        # A claim that stood in the way and is gone when read is worth another try.
        owners |= await _run(db, TAKE, _left(wanted, owners))
        owners |= await _run(db, READ, _left(wanted, owners))
        if len(owners) == len(wanted):
            return owners
    raise ClaimContested(
        "Somebody else is moving the same phone or id at this moment; try again",
        retry_after_seconds=1,
    )


async def read(db: Db, keys: Collection[Key]) -> dict[Key, UUID]:
    """Whose these keys are, in one read; those that nobody has are left out."""
    return await _run(db, READ, [(*key, None) for key in keys])


def _left(wanted: Mapping[Key, UUID], owners: Mapping[Key, UUID]) -> list[tuple[str, bytes, UUID]]:
    return sorted((*key, member_id) for key, member_id in wanted.items() if key not in owners)


async def _run(
    db: Db, query: LiteralString, rows: Sequence[tuple[str, bytes, UUID | None]]
) -> dict[Key, UUID]:
    if not rows:
        return {}
    kinds, blinds, members = zip(*rows, strict=True)
    cursor = await db.execute(
        query, {"kinds": list(kinds), "blinds": list(blinds), "members": list(members)}
    )
    return {(kind, blind): member_id for kind, blind, member_id in await cursor.fetchall()}
