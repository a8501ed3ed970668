"""What the timetable does."""

from collections.abc import Mapping
from datetime import datetime

from vezde.access import operations as access
from vezde.bot import guests as bot_guests
from vezde.bot import inbox as bot_inbox
from vezde.insights import operations as insights
from vezde.kit.db import Db
from vezde.kit.work import timetable
from vezde.members import operations as members
from vezde.messaging import operations as messaging
from vezde.messaging.sms import operations as sms
from vezde.outbox.webhooks import operations as webhooks
from vezde.receipts.mailing import operations as mailing
from vezde.receipts.operations import disputing, pushing
from vezde.receipts.photos import operations as photos
from vezde.wiring.house import MONTHS_AHEAD, House, open_months
from vezde.wiring.messengers import guests

SWEEP_AT_ONCE = 1_000
DELIVERIES_AT_ONCE = 20_000


def tick_handlers(house: House) -> Mapping[str, timetable.Handler]:
    """What each tick of `TICKS` does."""

    async def months(db: Db, now: datetime) -> None:
        await open_months(db, now, now + MONTHS_AHEAD)

    async def merges(db: Db, now: datetime) -> None:
        await members.sweep_merges(db, before=now - house.settings.unmerge_within)

    async def answers(db: Db, _now: datetime) -> None:
        await access.sweep_answers(db, wall=house.clock.wall(), limit=SWEEP_AT_ONCE)

    async def doors(db: Db, _now: datetime) -> None:
        await access.sweep_doors(db, wall=house.clock.wall(), limit=SWEEP_AT_ONCE)

    async def texts(db: Db, _now: datetime) -> None:
        await sms.sweep(db, wall=house.clock.wall(), limit=DELIVERIES_AT_ONCE)

    async def deliveries(db: Db, _now: datetime) -> None:
        await webhooks.sweep(db, wall=house.clock.wall(), limit=DELIVERIES_AT_ONCE)

    async def messages(db: Db, _now: datetime) -> None:
        await messaging.sweep(db, wall=house.clock.wall(), limit=DELIVERIES_AT_ONCE)

    async def letters(db: Db, _now: datetime) -> None:
        await mailing.sweep(db, wall=house.clock.wall(), limit=DELIVERIES_AT_ONCE)

    async def pictures(db: Db, now: datetime) -> None:
        await photos.sweep(db, now=now, limit=SWEEP_AT_ONCE)

    async def updates(db: Db, _now: datetime) -> None:
        await bot_inbox.sweep(db, wall=house.clock.wall())

    async def pushed(db: Db, now: datetime) -> None:
        await pushing.sweep(db, now=now, limit=DELIVERIES_AT_ONCE)

    async def proofs(db: Db, now: datetime) -> None:
        await disputing.FILES.sweep(db, now=now, limit=SWEEP_AT_ONCE)

    return {
        "receipts.pushed": pushed,
        "receipts.proofs_sweep": proofs,
        "outbox.months": months,
        "outbox.deliveries": deliveries,
        "members.merges": merges,
        "access.answers": answers,
        "access.doors": doors,
        "messaging.sms_sweep": texts,
        "messaging.sweep": messages,
        "receipts.letters_sweep": letters,
        "receipts.photos_sweep": pictures,
        "bot.sweep": updates,
        bot_guests.TICK: guests(house).tick,
        insights.TICK: insights.tally,
    }
