"""Points became active: told in the chat by day, once a day at most, all of it together."""

from datetime import datetime, time, timedelta
from typing import LiteralString
from uuid import UUID
from zoneinfo import ZoneInfo

from vezde.bot import chats, telling
from vezde.bot.conversation import screens
from vezde.bot.telling import Voice
from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.kit.work import jobs
from vezde.ledger import events as ledger_events
from vezde.ledger import queries as ledger
from vezde.members import operations as members
from vezde.members import queries as member_queries
from vezde.outbox.model import FactRow, Reaction
from vezde.program import queries as program

TELL = "bot.activated"
KINDS = frozenset({ledger_events.ACTIVATED})
ONCE_IN = timedelta(days=1)
MORNING, EVENING = time(9), time(21)  # in the programme's zone

ADD: LiteralString = """
INSERT INTO bot.activated AS known (member_id, points) VALUES (%s, %s)
ON CONFLICT (member_id) DO UPDATE SET points = known.points + excluded.points
RETURNING told_at
"""
WAITING: LiteralString = "SELECT points FROM bot.activated WHERE member_id = %s FOR UPDATE"
TOLD: LiteralString = "UPDATE bot.activated SET points = 0, told_at = %s WHERE member_id = %s"


class Herald(Voice):
    """Collects what became active, and tells of it."""

    def reaction(self) -> Reaction:
        return Reaction("bot.activated", KINDS, self.collect)

    async def collect(self, db: Db, fact: FactRow) -> None:
        """Put these points to those of which the member is to be told."""
        assert fact.member_id is not None, "points are somebody's"
        member_id = await member_queries.surviving(db, fact.member_id)
        if not await members.present(db, [member_id]):
            return
        if not await chats.of_member(db, member_id):
            return
        now = await self.clock.programme(db)
        zone = (await program.programmes(db)).at(now).zone
        told_at = await kit_db.fetch_value(db, ADD, [member_id, fact.data["points"]])
        await jobs.enqueue(
            db,
            kind=TELL,
            payload={"member_id": str(member_id)},
            due_at=by_day(max(now, told_at + ONCE_IN) if told_at else now, zone),
            key=f"{TELL}/{member_id}",
        )

    async def tell(self, db: Db, job: jobs.Job, now: datetime) -> None:
        """The job that tells; who withdrew the consent or has spent it all since hears nothing."""
        member_id = await member_queries.surviving(db, UUID(job.payload["member_id"]))
        waiting = await kit_db.fetch_value(db, WAITING, [member_id])
        if not waiting or not await chats.of_member(db, member_id):
            return
        await db.execute(TOLD, [now, member_id])
        chat = await telling.chat_of(db, member_id)
        if chat is None:
            return
        active = (await ledger.points(db, member_id, as_of=now)).active
        if not active:
            return
        programme = (await program.programmes(db)).at(now)
        view = screens.activated(waiting, active, programme.point_value_kopecks)
        key = f"activated/{now:%Y%m%d%H%M%S}"
        await self.say(db, [self.message(chat, key, view)], programme, now=now)


def by_day(at: datetime, zone: ZoneInfo) -> datetime:
    """`at`, or the next morning when it is night in that zone."""
    local = at.astimezone(zone)
    if local.time() < MORNING:
        return datetime.combine(local.date(), MORNING, zone)
    if local.time() >= EVENING:
        return datetime.combine(local.date() + timedelta(days=1), MORNING, zone)
    return at
