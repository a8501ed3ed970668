"""Where members come from, and the steps they take: the first of each counts.

`forget` is this capability's part of the members' own.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import LiteralString
from uuid import UUID

from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.members import model as members_model
from vezde.members.links import events, queries
from vezde.members.links.model import Arrived, Link, Step, Touch
from vezde.members.model import MemberClosed, Status
from vezde.outbox import operations as outbox_ops

# A door may enrol first and tell of the link a moment, or a screen, later: still the same coming.
SAME_COMING = timedelta(hours=1)

LOCK: LiteralString = """
SELECT status FROM members.member WHERE member_id = %s FOR NO KEY UPDATE
"""
BEGIN: LiteralString = """
INSERT INTO members.arrival
    (member_id, source, campaign, code, came_at, enrolled_at, consented_at, points)
VALUES (%s, %s, %s, %s, %s, %s, %s, 0)
"""
TOUCH: LiteralString = """
INSERT INTO members.touch (member_id, code, at, last_at, times) VALUES (%s, %s, %s, %s, 1)
ON CONFLICT (member_id, code) DO UPDATE
SET last_at = greatest(touch.last_at, excluded.last_at), times = touch.times + 1
RETURNING times
"""
COME: LiteralString = """
UPDATE members.arrival
SET source = %(source)s, campaign = %(campaign)s, code = %(code)s,
    came_at = CASE WHEN enrolled_at >= %(joined)s THEN enrolled_at ELSE %(now)s END,
    points = CASE WHEN enrolled_at >= %(joined)s THEN points ELSE 0 END
WHERE member_id = %(member_id)s AND source IS NULL
RETURNING member_id
"""
NAME: LiteralString = """
UPDATE members.member SET source = %(source)s, changed_at = %(now)s, changed_by = %(actor)s
WHERE member_id = %(member_id)s
"""
# A source that somebody corrects was the member's from the beginning, unless a touch says when.
RENAME: LiteralString = """
UPDATE members.arrival
SET source = %(source)s::text, campaign = NULL, code = NULL,
    came_at = CASE WHEN %(source)s::text IS NOT NULL THEN coalesce(came_at, enrolled_at) END
WHERE member_id = %(member_id)s
"""
REACH: Mapping[Step, LiteralString] = {
    Step.CONSENTED: """
UPDATE members.arrival SET consented_at = %(at)s
WHERE member_id = %(member_id)s AND consented_at IS NULL
RETURNING member_id
""",
    Step.RECEIPT: """
UPDATE members.arrival SET receipt_at = %(at)s
WHERE member_id = %(member_id)s AND receipt_at IS NULL
RETURNING member_id
""",
    # What was accepted was shown before.
    Step.ACCEPTED: """
UPDATE members.arrival SET accepted_at = %(at)s, receipt_at = coalesce(receipt_at, %(at)s)
WHERE member_id = %(member_id)s AND accepted_at IS NULL
RETURNING member_id
""",
}
EARN: LiteralString = """
UPDATE members.arrival SET points = points + %s WHERE member_id = %s RETURNING member_id
"""
EARN_ALL: LiteralString = """
UPDATE members.arrival SET points = arrival.points + earned.points
FROM unnest(%s::uuid[], %s::bigint[]) AS earned (member_id, points)
WHERE arrival.member_id = earned.member_id
"""
NOT_THERE_YET: LiteralString = """
SELECT member_id FROM members.arrival
WHERE member_id = ANY(%s)
  AND (receipt_at IS NULL OR accepted_at IS NULL)
ORDER BY member_id FOR UPDATE
"""
# Reactions take members in this order as well.
LOCK_BOTH: LiteralString = """
SELECT member_id FROM members.arrival WHERE member_id = ANY(%s) ORDER BY member_id FOR UPDATE
"""
FORGET_TOUCHES: LiteralString = "DELETE FROM members.touch WHERE member_id = %s"
# What another program wrote as a source may be anything; what stands on a link names no person.
FORGET_SOURCE: LiteralString = """
UPDATE members.arrival SET source = NULL, campaign = NULL, came_at = NULL
WHERE member_id = %s AND code IS NULL
"""


async def came_by(db: Db, member_id: UUID, code: str, *, now: datetime) -> Touch | None:
    """A member came through a door by the link of this code.

    The first touch makes the link's source the member's, unless one is known already; every touch
    is kept. Who joined within the hour before came by this link, others were members already. None
    when no link has the code: a start's payload may be of another kind. Raises `MemberNotFound`,
    `MemberClosed`.
    """
    link = (await queries.links_by_code(db, [code])).get(code)
    if link is None:
        return None
    status = await kit_db.fetch_value(db, LOCK, [member_id])
    if status is None:
        raise members_model.no_such_member()
    if status != Status.ACTIVE:
        raise MemberClosed("This member is closed; nothing can be added to them")
    times = await kit_db.fetch_value(db, TOUCH, [member_id, link.code, now, now])
    asked = {
        "member_id": member_id,
        "source": link.source,
        "campaign": link.campaign,
        "code": link.code,
        "now": now,
        "joined": now - SAME_COMING,
        "actor": f"member:{member_id}",
    }
    first = await kit_db.fetch_value(db, COME, asked) is not None
    if first:
        await db.execute(NAME, asked)
    if times == 1:
        await outbox_ops.record(db, [events.came_by(member_id, link.code, first=first, now=now)])
    return Touch(link, first=first, new=times == 1)


async def begin(db: Db, arrived: Mapping[UUID, Arrived], *, now: datetime) -> None:
    """Write where new members came from; works inside a pipeline."""
    await kit_db.execute_many(
        db, BEGIN, [_row(member_id, one, now) for member_id, one in arrived.items()]
    )
    by_link = {member_id: one.link for member_id, one in arrived.items() if one.link}
    await kit_db.execute_many(
        db, TOUCH, [(member_id, link.code, now, now) for member_id, link in by_link.items()]
    )
    await outbox_ops.record(
        db,
        [
            events.came_by(member_id, link.code, first=True, now=now)
            for member_id, link in by_link.items()
        ],
    )


async def links_of(db: Db, sources: Sequence[str | None]) -> dict[str, Link]:
    """The links among what was given as people's sources, by the text as given."""
    return await queries.links_by_code(db, [text for text in sources if text])


async def rename(db: Db, member_id: UUID, source: str | None) -> None:
    """Somebody corrected the member's source, or cleared it."""
    await db.execute(RENAME, {"member_id": member_id, "source": source})


async def reached_all(db: Db, steps: Sequence[tuple[UUID, Step, datetime]]) -> None:
    """Members showed receipts (member, step, programme time): the first of each kind counts.

    Most have done so before: one read tells who has not, locked in the order of ids.
    """
    assert Step.CONSENTED not in {step for _, step, _ in steps}, "a consent is no receipt"
    cursor = await db.execute(NOT_THERE_YET, [list({member_id for member_id, _, _ in steps})])
    news = {row[0] for row in await cursor.fetchall()}
    for step in (Step.RECEIPT, Step.ACCEPTED):
        rows = [
            {"member_id": member_id, "at": at}
            for member_id, taken, at in steps
            if taken is step and member_id in news
        ]
        await kit_db.execute_many(db, REACH[step], rows)


async def earned_all(db: Db, points: Mapping[UUID, int]) -> None:
    """Members accrued points: one statement for all of them, locked in the order of ids."""
    members = sorted(points)
    await db.execute(LOCK_BOTH, [members])
    await db.execute(EARN_ALL, [members, [points[member_id] for member_id in members]])


async def consented(db: Db, member_id: UUID, *, at: datetime) -> None:
    """A member consented, at this programme time; works inside a pipeline."""
    await db.execute(REACH[Step.CONSENTED], {"member_id": member_id, "at": at})


async def reached(db: Db, member_id: UUID, step: Step, *, at: datetime) -> bool:
    """A member took a step, at this programme time; whether it was their first of its kind."""
    asked = {"member_id": member_id, "at": at}
    return await kit_db.fetch_value(db, REACH[step], asked) is not None


async def earned(db: Db, member_id: UUID, points: int) -> bool:
    """A member accrued points; whether there is still somebody to count them for."""
    return await kit_db.fetch_value(db, EARN, [points, member_id]) is not None


async def forget(db: Db, member_id: UUID) -> None:
    """Erase which links a member came by; that somebody came, and went how far, stays counted."""
    await db.execute(FORGET_TOUCHES, [member_id])
    await db.execute(FORGET_SOURCE, [member_id])


def _row(member_id: UUID, one: Arrived, now: datetime) -> tuple[object, ...]:
    return (
        member_id,
        one.source,
        one.link.campaign if one.link else None,
        one.link.code if one.link else None,
        now if one.source else None,
        now,
        now if one.consented else None,
    )
