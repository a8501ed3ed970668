"""What of receipts somebody has to look at: checks that broke on our side, providers that fail."""

from datetime import datetime
from typing import LiteralString
from uuid import UUID

from vezde.kit.db import Db
from vezde.kit.troubles import Source
from vezde.receipts.operations import providing
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


# An outage or a quota becomes a trouble when three probes were in vain: some twelve minutes of the
# one, half a day of the other. What runs out is a trouble of its own beside them.
PROVIDERS: LiteralString = """
SELECT provider_id AS first, kind AS second, at, name AS about, because,
    NULL::integer AS attempts, NULL::uuid AS member_id
FROM (
    SELECT provider_id, '00000000-0000-0000-0000-000000000001'::uuid AS kind, paused_wall AS at,
        name, concat_ws(': ', paused_because, nullif(paused_note, '')) AS because
    FROM receipts.provider
    WHERE paused_because IN ('refused', 'distrusted')
       OR paused_because IN ('outage', 'quota') AND failures >= 6
    UNION ALL
    SELECT provider_id, '00000000-0000-0000-0000-000000000002'::uuid, warned_wall, name,
        'runs out: ' || warned_of
    FROM receipts.provider WHERE warned_of IS NOT NULL
) AS troubled
WHERE (at, provider_id, kind) < (%(at)s, %(first)s, %(second)s)
ORDER BY at DESC, provider_id DESC, kind DESC LIMIT %(limit)s
"""
PROVIDERS_COUNT: LiteralString = """
SELECT count(*) FILTER (WHERE paused_because IN ('refused', 'distrusted')
            OR paused_because IN ('outage', 'quota') AND failures >= 6)
     + count(*) FILTER (WHERE warned_of IS NOT NULL)
FROM receipts.provider
"""


async def _try_provider(db: Db, provider_id: UUID, what: UUID, wall: datetime, actor: str) -> bool:
    """Ask it again from now on; what runs out is only taken note of."""
    if what != PAUSED:
        return await providing.heeded(db, provider_id)
    return await providing.try_again(db, provider_id, wall=wall, actor=actor)


async def _leave_provider(db: Db, provider_id: UUID, what: UUID, _wall: datetime, by: str) -> bool:
    """Ask it no more until an operator resumes it; what runs out is only taken note of."""
    if what != PAUSED:
        return await providing.heeded(db, provider_id)
    return await providing.give_up(db, provider_id, actor=by)


PAUSED = UUID(int=1)
PROVIDER = Source("provider", PROVIDERS, PROVIDERS_COUNT, _try_provider, _leave_provider)
