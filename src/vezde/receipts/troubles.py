"""Receipts whose check broke on our side, to be looked at: their members still wait."""

from datetime import datetime
from typing import LiteralString
from uuid import UUID

from vezde.kit.db import Db
from vezde.kit.troubles import Source
from vezde.receipts.operations.registering import SETTLE

# Those that wait for a turn («ask») are well.
LISTED: LiteralString = """
SELECT member_id AS first, receipt_id AS second, try_at AS at, 'receipt' AS about,
    parked_because AS because, NULL::integer AS attempts, member_id
FROM receipts.verification
WHERE step = 'settle' AND parked_because IS NOT NULL
  AND (try_at, member_id, receipt_id) < (%(at)s, %(first)s, %(second)s)
ORDER BY try_at DESC, member_id DESC, receipt_id DESC LIMIT %(limit)s
"""
COUNT: LiteralString = """
SELECT count(*) FROM receipts.verification WHERE step = 'settle' AND parked_because IS NOT NULL
"""
RETRY: LiteralString = """
UPDATE receipts.verification SET parked_because = NULL, try_at = %s
WHERE member_id = %s AND receipt_id = %s AND step = 'settle' AND parked_because IS NOT NULL
"""
SOMEBODY_WAITS = "Somebody waits for the answer to this receipt, so it stays; try it again instead."


async def _retry(db: Db, member_id: UUID, receipt_id: UUID, wall: datetime, _actor: str) -> bool:
    done = await db.execute(RETRY, [wall, member_id, receipt_id])
    db.wake(SETTLE)
    return done.rowcount == 1


SOURCE = Source("receipt", LISTED, COUNT, _retry, SOMEBODY_WAITS)
