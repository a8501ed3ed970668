"""Two clocks: the wall, and the programme's, which a sandbox may move ahead.

Wall time: leases, codes, signatures, back-off. Programme time: everything with a calendar.
The programme clock is wall time plus an offset kept in one row that only the sandbox moves;
outside a sandbox the row is never read. No SQL asks a database for the time.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from vezde.kit.db import Db

OFFSET = "SELECT offset_seconds FROM kit.clock"


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Clock:
    """`wall()` is now; `await programme(db)` is the programme's now, both aware and in UTC."""

    sandbox: bool = False
    wall: Callable[[], datetime] = utc_now

    async def programme(self, db: Db) -> datetime:
        if not self.sandbox:
            return self.wall()
        return self.wall() + timedelta(seconds=await offset_seconds(db))


async def offset_seconds(db: Db) -> int:
    row = await (await db.execute(OFFSET)).fetchone()
    assert row is not None, "migration 0001 writes the clock's only row"
    return int(row[0])
