"""Questions about SMS."""

from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from vezde.kit import db as kit_db
from vezde.kit.db import Db

BY_KEY: LiteralString = """
SELECT sms_id, member_id, state, reason, delivery, segments, cost_kopecks, attempts, reserved_at
FROM messaging.sms WHERE key = %s
"""
BY_STATE: LiteralString = """
SELECT coalesce(delivery, state), count(*), sum(segments)::bigint, sum(cost_kopecks)::bigint
FROM messaging.sms WHERE reserved_wall > %s GROUP BY 1
"""

BY_REASON: LiteralString = """
SELECT coalesce(reason, 'unknown'), count(*) FROM messaging.sms
WHERE reserved_wall > %s AND state = 'failed' GROUP BY 1
"""


@dataclass(frozen=True)
class SmsRow:
    """A row of the ledger of SMS, without phone and text."""

    sms_id: UUID
    member_id: UUID | None
    state: str
    reason: str | None
    delivery: str | None
    segments: int
    cost_kopecks: int | None
    attempts: int
    reserved_at: datetime


@dataclass(frozen=True)
class Counted:
    """How many SMS and segments, and what they cost."""

    count: int
    segments: int
    cost_kopecks: int


async def by_key(db: Db, key: str) -> SmsRow | None:
    """The SMS of this key."""
    return await kit_db.fetch_one(db, SmsRow, BY_KEY, [key])


async def counted(db: Db, *, since: datetime) -> dict[str, Counted]:
    """Figures by state, by delivery where that is known, of what was reserved since."""
    rows = await (await db.execute(BY_STATE, [since])).fetchall()
    return {state: Counted(count, parts, cost or 0) for state, count, parts, cost in rows}


async def failures(db: Db, *, since: datetime) -> dict[str, int]:
    """How many of what was reserved since were never sent, by reason."""
    return dict(await (await db.execute(BY_REASON, [since])).fetchall())
