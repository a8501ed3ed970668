"""Documents that the brand's own operator of fiscal data pushes, before or after they are shown.

They are kept for as long as a receipt may be shown late, and asked for like any provider's: a
receipt that waits for one is asked for at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, LiteralString

import structlog
from psycopg.types.json import Jsonb

from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.receipts.model import FiscalDocument
from vezde.receipts.operations.registering import ASK

log = structlog.get_logger(__name__)

KEPT: timedelta = timedelta(days=45)
MOST = 1_000

KEEP: LiteralString = """
INSERT INTO receipts.pushed (fn, fd, document, pushed_by, pushed_at)
SELECT fn, fd, document, %s, %s
FROM unnest(%s::bigint[], %s::bigint[], %s::jsonb[]) AS given (fn, fd, document)
ORDER BY fn, fd
ON CONFLICT (fn, fd) DO NOTHING
RETURNING fn, fd
"""
HELD: LiteralString = """
SELECT fn, fd, document FROM receipts.pushed
WHERE (fn, fd) IN (SELECT * FROM unnest(%s::bigint[], %s::bigint[]))
"""
# Whoever is just asking may have looked before this: without the lease that ends in vain.
HURRY: LiteralString = """
UPDATE receipts.verification AS waiting
SET due_at = least(waiting.due_at, %(now)s), try_at = least(waiting.try_at, %(wall)s),
    lease = NULL, leased_until = NULL
FROM receipts.claim
WHERE (claim.fn, claim.fd) IN (SELECT * FROM unnest(%(fns)s::bigint[], %(fds)s::bigint[]))
  AND waiting.member_id = claim.member_id AND waiting.receipt_id = claim.receipt_id
  AND waiting.step = 'ask' AND waiting.parked_because IS NULL
"""
SWEEP: LiteralString = """
DELETE FROM receipts.pushed WHERE (fn, fd) IN (
    SELECT fn, fd FROM receipts.pushed WHERE pushed_at < %s ORDER BY pushed_at LIMIT %s
)
"""


class Kept(StrEnum):
    """What became of a document that was pushed."""

    STORED = "stored"
    KNOWN = "known"  # the same was pushed before
    DIFFERS = "differs"  # another one of this fiscal drive and number was; that one stays


@dataclass(frozen=True, slots=True)
class _Row:
    fn: int
    fd: int
    document: dict[str, Any]


async def push(
    db: Db, documents: Sequence[FiscalDocument], *, now: datetime, wall: datetime, actor: str
) -> list[Kept]:
    """Keep documents, in order; the receipts that wait for them are asked for now."""
    first = {(one.key.fn, one.key.fd): one for one in reversed(documents)}
    fns, fds = [fn for fn, _ in first], [fd for _, fd in first]
    rows = [Jsonb(one.to_json()) for one in first.values()]
    cursor = await db.execute(KEEP, [actor, now, fns, fds, rows])
    stored = set(await cursor.fetchall())
    held = {(one.fn, one.fd): one for one in await kit_db.fetch_all(db, _Row, HELD, [fns, fds])}
    outcomes = []
    for one in documents:
        key = one.key.fn, one.key.fd
        if FiscalDocument.from_json(held[key].document) != one:
            outcomes.append(Kept.DIFFERS)
            log.warning("pushed_document_differs", fn=key[0], fd=key[1], by=actor)
        else:
            outcomes.append(Kept.STORED if key in stored else Kept.KNOWN)
            stored.discard(key)
    await db.execute(HURRY, {"now": now, "wall": wall, "fns": fns, "fds": fds})
    db.wake(ASK)
    return outcomes


async def sweep(db: Db, *, now: datetime, limit: int) -> int:
    """Forget documents that nobody showed in time; returns how many."""
    return (await db.execute(SWEEP, [now - KEPT, limit])).rowcount
