"""Figures by day."""

from datetime import date, datetime, time, timedelta
from typing import LiteralString
from zoneinfo import ZoneInfo

from vezde.insights.model import CHANNEL, FACTS, SHOP, STATUS, Tally
from vezde.kit import clock, ids
from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.outbox import queries as outbox
from vezde.program import queries as program
from vezde.receipts import queries as receipts

MOST_SHOPS = 20
NOTHING = "none"  # the row of a day on which nothing happened
COUNTED_LIVE = 3
CLOCKS = timedelta(minutes=10)  # by which processes' clocks may differ
OTHER_SHOPS = ""

DAYS: LiteralString = """
SELECT day, what, of, number, amount FROM insights.tally
WHERE day BETWEEN %s AND %s
ORDER BY day, what, of
"""


async def zone(db: Db, at: datetime) -> ZoneInfo:
    """The programme's zone: days are its days."""
    return (await program.programmes(db)).at(at).zone


async def today(db: Db, now: datetime) -> date:
    """The programme's day of this instant."""
    return now.astimezone(await zone(db, now)).date()


async def days(db: Db, first: date, last: date, *, now: datetime) -> list[Tally]:
    """Figures of these days, both ends with them; of today as it is so far.

    What ended just now and is not kept yet is counted, too.
    """
    current = await today(db, now)
    kept = await kit_db.fetch_all(db, Tally, DAYS, [first, last])
    known = {one.day for one in kept} - {current}
    found = [one for one in kept if one.day in known and one.what != NOTHING]
    for back in range(COUNTED_LIVE):
        day = current - timedelta(days=back)
        if first <= day <= last and day not in known:
            found += await count(db, day, now=now)
    return found


async def count(db: Db, day: date, *, now: datetime) -> list[Tally]:
    """The day's figures, counted: reads what was recorded on that day and nothing else."""
    place = await zone(db, now)
    since = datetime.combine(day, time(), place)
    until = datetime.combine(day + timedelta(days=1), time(), place)
    found = [
        Tally(day, FACTS, one.kind, one.number, one.points)
        for one in await outbox.tally(db, since=since, until=until)
    ]
    # Ids bear the wall's time, which a sandbox's programme is ahead of.
    ahead = timedelta(seconds=await clock.offset_seconds(db))
    came = await receipts.tally(
        db,
        since=since,
        until=until,
        first_id=ids.first_at(since - ahead - CLOCKS),
        last_id=ids.first_at(until + CLOCKS),
    )
    sums: dict[tuple[str, str], tuple[int, int]] = {}
    for one in came:
        for key in ((STATUS, one.status), (CHANNEL, one.sales_channel), (SHOP, one.seller_name)):
            number, amount = sums.get(key, (0, 0))
            sums[key] = number + one.number, amount + one.total_kopecks
    shops = sorted((key for key in sums if key[0] == SHOP), key=lambda key: -sums[key][0])
    for key in shops[MOST_SHOPS:]:
        rest, gone = sums.get((SHOP, OTHER_SHOPS), (0, 0)), sums.pop(key)
        sums[SHOP, OTHER_SHOPS] = rest[0] + gone[0], rest[1] + gone[1]
    return found + [Tally(day, *key, *sums[key]) for key in sorted(sums)]
