"""SMS reserved, taken in hand, over; and what is kept of them."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import LiteralString
from uuid import UUID

import structlog

from vezde.kit import db as kit_db
from vezde.kit import ids
from vezde.kit.db import Db
from vezde.kit.i18n import Locale, Plural
from vezde.kit.vault import Vault
from vezde.kit.work.leases import Lease
from vezde.members.operations import Moved
from vezde.messaging import catalogue, templates
from vezde.messaging.operations import reserving
from vezde.messaging.sms import model
from vezde.messaging.sms.model import InHand, Sms, State

log = structlog.get_logger(__name__)

STAGE = "messaging.sms"
CAP, USELESS = "daily_cap", "too_late"

RESERVE: LiteralString = """
INSERT INTO messaging.sms (sms_id, key, member_id, state, reason, sealed, segments, attempts, asked,
    due_wall, useless_wall, reserved_wall, reserved_at, reserved_by, finished_wall)
VALUES (%(sms_id)s, %(key)s, %(member_id)s, %(state)s, %(reason)s, %(sealed)s, %(segments)s, 0, 0,
    %(due)s, %(useless)s, %(wall)s, %(now)s, %(actor)s, %(finished)s)
ON CONFLICT (key) DO NOTHING
RETURNING sms_id
"""
LOCK_DAY: LiteralString = "SELECT pg_advisory_xact_lock(hashtext('messaging.sms'))"
OF_DAY: LiteralString = """
SELECT coalesce(sum(segments), 0) FROM messaging.sms
WHERE reserved_wall > %s AND reason IS DISTINCT FROM 'daily_cap'
"""
CLAIM: LiteralString = """
UPDATE messaging.sms AS sms
SET lease = %(token)s, due_wall = %(until)s,
    state = CASE WHEN sms.state = 'reserved' AND sms.lease IS NOT NULL THEN 'unknown'
        ELSE sms.state END
WHERE sms_id IN (
    SELECT sms_id FROM messaging.sms WHERE due_wall <= %(wall)s
    ORDER BY due_wall LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
RETURNING sms_id, state, sealed, attempts, asked, useless_wall
"""
FINISH: LiteralString = """
UPDATE messaging.sms
SET state = %(state)s, reason = %(reason)s, delivery = %(delivery)s,
    segments = coalesce(%(segments)s, segments), cost_kopecks = coalesce(%(cost)s, cost_kopecks),
    attempts = attempts + %(attempted)s, asked = asked + %(was_asked)s, due_wall = %(due)s,
    lease = NULL, finished_wall = coalesce(finished_wall, %(finished)s),
    sealed = CASE WHEN %(due)s::timestamptz IS NULL THEN NULL ELSE sealed END
WHERE sms_id = %(sms_id)s AND lease = %(lease)s
RETURNING sms_id
"""
MERGE: LiteralString = """
UPDATE messaging.sms SET member_id = %s WHERE member_id = %s RETURNING sms_id::text
"""
UNMERGE: LiteralString = """
UPDATE messaging.sms SET member_id = %s WHERE member_id = %s AND sms_id = ANY(%s::uuid[])
"""
FORGET: LiteralString = "DELETE FROM messaging.sms WHERE member_id = %s"
SWEEP: LiteralString = """
DELETE FROM messaging.sms WHERE sms_id IN (
    SELECT sms_id FROM messaging.sms WHERE reserved_wall < %s AND due_wall IS NULL
    ORDER BY reserved_wall LIMIT %s FOR UPDATE SKIP LOCKED)
"""


async def reserve(
    db: Db,
    wanted: Sequence[Sms],
    *,
    per_day: int,
    points_name: Mapping[Locale, Plural] | None = None,
    vault: Vault,
    now: datetime,
    wall: datetime,
    actor: str,
) -> list[UUID]:
    """Write what is to be sent; ids of those that are new.

    `per_day` segments within 24 hours are reserved and no more: what is over is written as failed
    by the cap and logged, the caller's business goes on. Raises `UnknownText`, `BrokenTemplate`.
    """
    if not wanted:
        return []
    own = await reserving.own_texts(db, now=now)
    await db.execute(LOCK_DAY)
    room = per_day - await kit_db.fetch_value(db, OF_DAY, [wall - model.DAY])
    written = []
    for one in wanted:
        words = catalogue.words(one.text, one.locale, own)
        name = (points_name or {}).get(one.locale)
        filled = templates.fill(words, one.variables, locale=one.locale, points_name=name)
        text = templates.plain(filled)
        size, sms_id = model.segments(text), ids.new()
        fits = size <= room
        content = json.dumps({"phone": one.phone, "text": text}, ensure_ascii=False).encode()
        row = {
            "sms_id": sms_id,
            "key": one.key,
            "member_id": one.member_id,
            "state": State.RESERVED if fits else State.FAILED,
            "reason": None if fits else CAP,
            "sealed": vault.encrypt(content, context=_context(sms_id)) if fits else None,
            "segments": size,
            "due": wall if fits else None,
            "finished": None if fits else wall,
            "useless": one.useless,
            "wall": wall,
            "now": now,
            "actor": actor,
        }
        if await kit_db.fetch_value(db, RESERVE, row) is None:
            continue
        written.append(sms_id)
        if fits:
            room -= size
            db.wake(STAGE)
        else:
            log.error("sms_over_the_daily_cap", sms=str(sms_id), per_day=per_day)
    return written


async def claim(db: Db, *, lease: Lease, limit: int, vault: Vault, wall: datetime) -> list[InHand]:
    """Take what is due in hand; commit before the gateway is called.

    One whose worker died may have been sent: it comes as `unknown`, to be asked about.
    """
    asked = {"token": lease.token, "until": lease.until, "wall": wall, "limit": limit}
    rows = await (await db.execute(CLAIM, asked)).fetchall()
    found = []
    for sms_id, state, sealed, attempts, was_asked, useless in rows:
        held = json.loads(vault.decrypt(sealed, context=_context(sms_id)))
        told = (held["phone"], held["text"], attempts, was_asked)
        found.append(InHand(sms_id, State(state), *told, lease=lease.token, useless=useless))
    return found


async def finish(
    db: Db,
    one: InHand,
    state: State,
    *,
    wall: datetime,
    again: timedelta | None,
    reason: str | None = None,
    delivery: str | None = None,
    segments: int | None = None,
    cost_kopecks: int | None = None,
    attempted: bool = False,
) -> bool:
    """Note what became of it; `again` is when to look at it next, None when it is over.

    False: another worker has it by now, nothing is noted.
    """
    row = {
        "state": state,
        "reason": reason,
        "delivery": delivery,
        "segments": segments,
        "cost": cost_kopecks,
        "attempted": int(attempted),
        "was_asked": int(not attempted),
        "due": None if again is None else wall + again,
        "finished": wall if state in {State.SENT, State.FAILED} else None,
        "sms_id": one.sms_id,
        "lease": one.lease,
    }
    return await kit_db.fetch_value(db, FINISH, row) is not None


async def merge(db: Db, into: UUID, gone: UUID, *, now: datetime, actor: str) -> Moved:  # noqa: ARG001 (a step of members)
    """SMS to `gone` are `into`'s from now on."""
    return {"sms": await kit_db.fetch_column(db, MERGE, [into, gone])}


async def unmerge(
    db: Db,
    into: UUID,
    gone: UUID,
    *,
    moved: Moved,
    now: datetime,  # noqa: ARG001
    actor: str,  # noqa: ARG001
) -> None:
    """SMS that were sent to `gone` before the merge are theirs again."""
    await db.execute(UNMERGE, [gone, into, moved["sms"]])


async def forget(db: Db, member_id: UUID, *, now: datetime, actor: str) -> None:  # noqa: ARG001 (a step of members)
    """Delete what was sent to the member, and what was to be."""
    await db.execute(FORGET, [member_id])


async def sweep(db: Db, *, wall: datetime, limit: int) -> int:
    """Delete rows nobody counts any more; how many."""
    return (await db.execute(SWEEP, [wall - model.KEEP, limit])).rowcount


def _context(sms_id: UUID) -> bytes:
    return b"messaging.sms " + sms_id.bytes
