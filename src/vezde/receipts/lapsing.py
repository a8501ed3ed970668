"""Background work over time: advances whose second receipt never came, past lines known later."""

from datetime import datetime, timedelta

from vezde.kit.clock import Clock
from vezde.kit.db import Database, Db
from vezde.members import operations as members
from vezde.purchases import operations as purchases
from vezde.receipts.operations import rematching, writing

AT_ONCE = 200
MATCHED_AT_ONCE = 200
# «Later than 45 days»: the instant itself still belongs to them.
JUST_AFTER = timedelta(seconds=1)


async def lapse_once(database: Database, *, clock: Clock) -> int:
    """Stop waiting for advances of more than 45 days ago; returns how many receipts ended.

    A receipt of which a part was handed over is accepted, another one is rejected as `lapsed`.
    """
    async with database.transaction() as db:
        now = await clock.programme(db)
        due = await purchases.overdue(db, now=now, limit=AT_ONCE)
        free = await members.undisturbed(db, due) if due else ()
        if not free:
            return 0
        lapsed = await purchases.lapse(db, sorted(free), now=now)
        active = await members.present(db, free)
        told = [one for one in lapsed if one[0] in active]
        await writing.lapse(db, [one[:2] for one in told if not one[2]], now=now)
        await writing.close(db, [one[:2] for one in told if one[2]], now=now)
    return len(lapsed)


async def rematch_once(database: Database, *, clock: Clock, limit: int = MATCHED_AT_ONCE) -> int:
    """Match one slice of past receipts again; returns how many were looked at, 0 for nothing."""
    async with database.transaction() as db:
        return await rematching.next_slice(db, now=await clock.programme(db), limit=limit)


async def next_lapse(db: Db) -> datetime | None:
    due = await purchases.next_lapse(db)
    return due + JUST_AFTER if due is not None else None
