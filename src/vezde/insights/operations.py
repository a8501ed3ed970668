"""Count finished days, once."""

from datetime import date, datetime, timedelta
from typing import LiteralString

from vezde.insights import queries
from vezde.insights.model import Tally
from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.outbox import queries as outbox

TICK = "insights.tally"
# A receipt may be decided a day after it came: the newest days are counted again.
COUNTED_AGAIN = 2
DAYS_AT_ONCE = 31

NEWEST: LiteralString = "SELECT max(day) FROM insights.tally"
DROP: LiteralString = "DELETE FROM insights.tally WHERE day = %s"
KEEP: LiteralString = """
INSERT INTO insights.tally (day, what, of, number, amount) VALUES (%s, %s, %s, %s, %s)
"""


async def tally(db: Db, now: datetime) -> None:
    """Count the days that ended and are not counted yet, and the newest ones again."""
    today = await queries.today(db, now)
    first = await _first(db, today)
    for ahead in range(min(DAYS_AT_ONCE, (today - first).days)):
        day = first + timedelta(days=ahead)
        found = await queries.count(db, day, now=now)
        # A day on which nothing happened is counted, too.
        await db.execute(DROP, [day])
        await kit_db.execute_many(
            db,
            KEEP,
            [_row(one) for one in found] or [(day, queries.NOTHING, "", 0, 0)],
        )


async def _first(db: Db, today: date) -> date:
    newest: date | None = await kit_db.fetch_value(db, NEWEST)
    if newest is not None:
        return min(newest + timedelta(days=1), today) - timedelta(days=COUNTED_AGAIN - 1)
    began = await outbox.first(db)
    zone = await queries.zone(db, began) if began else None
    return began.astimezone(zone).date() if began else today


def _row(one: Tally) -> tuple[object, ...]:
    return one.day, one.what, one.of, one.number, one.amount
