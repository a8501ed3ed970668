"""Note what became of sends: what is over leaves the queue, what is not waits in it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import LiteralString
from uuid import UUID

import structlog

from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.kit.vault import Vault
from vezde.members import operations as members
from vezde.messaging import sealing
from vezde.messaging.model import TAP_RANK, State
from vezde.messaging.operations.sends import PLACE, Claimed, Ended, keys
from vezde.messaging.transports.protocol import (
    Answer,
    Delivered,
    Later,
    Lost,
    Refused,
    Unreached,
)

log = structlog.get_logger(__name__)

MOST_ATTEMPTS = 6
RETRY_SECONDS = (1, 2, 5, 10, 30)
# The messenger will not let us write to them: noted beside the identity.
UNREACHABLE = frozenset({"blocked", "deactivated", "chat_missing"})
MESSAGE_GONE = "message_gone"
# After so many failures in a row a channel seems away; it is asked after these pauses.
SEEMS_DOWN = 3
PROBE_SECONDS = (1, 2, 4, 8, 15)
PROBE_LEASE = timedelta(seconds=20)

HELD: LiteralString = (
    """
SELECT queue.send_id
FROM unnest(%(members)s::uuid[], %(sends)s::uuid[], %(leases)s::uuid[])
    AS given (member_id, send_id, lease)
"""
    + PLACE
    + """
JOIN messaging.queue ON queue.ctid = place.ctid AND queue.lease = given.lease
FOR UPDATE OF queue
"""
)
FINISH: LiteralString = """
UPDATE messaging.send SET state = over.state, reason = over.reason, message_id = over.message_id,
    finished_wall = %(wall)s
FROM unnest(%(members)s::uuid[], %(sends)s::uuid[], %(states)s::text[], %(reasons)s::text[],
    %(messages)s::text[]) AS over (member_id, send_id, state, reason, message_id)
WHERE send.member_id = over.member_id AND send.send_id = over.send_id
"""
LEAVE: LiteralString = (
    """
DELETE FROM messaging.queue
USING unnest(%(members)s::uuid[], %(sends)s::uuid[]) AS given (member_id, send_id)
"""
    + PLACE
    + "WHERE queue.ctid = place.ctid"
)
AGAIN: LiteralString = (
    """
UPDATE messaging.queue SET lease = NULL, due_wall = given.due_wall, attempts = given.attempts
FROM unnest(
    %(members)s::uuid[], %(sends)s::uuid[], %(due)s::timestamptz[], %(attempts)s::smallint[]
) AS given (member_id, send_id, due_wall, attempts)
"""
    + PLACE
    + "WHERE queue.ctid = place.ctid"
)
NAME_SLOT: LiteralString = """
INSERT INTO messaging.slot AS slot
    (member_id, channel, slot, address, message_id, send_id, named_wall)
VALUES (%s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (member_id, channel, slot) DO UPDATE
SET address = excluded.address, message_id = excluded.message_id, send_id = excluded.send_id
WHERE slot.send_id < excluded.send_id
"""
LOSE_SLOT: LiteralString = """
DELETE FROM messaging.slot
WHERE member_id = %s AND channel = %s AND slot = %s AND message_id = %s
"""
PAUSE: LiteralString = """
UPDATE messaging.chat SET paused_until = %s WHERE member_id = %s AND channel = %s
"""
CLOSE: LiteralString = """
UPDATE messaging.allowance SET closed_until = greatest(closed_until, %s) WHERE channel = %s
"""
WELL: LiteralString = """
UPDATE messaging.allowance SET failures = 0 WHERE channel = %s AND failures > 0
"""
# Many calls fail at once when a channel goes away: while it is closed they count as one.
FAILED: LiteralString = """
UPDATE messaging.allowance SET failures = greatest(failures + 1, %(least)s),
    closed_until = CASE WHEN greatest(failures + 1, %(least)s) >= %(down)s THEN
        %(wall)s::timestamptz + make_interval(secs => (%(pauses)s::integer[])[least(
            greatest(failures + 1, %(least)s) - %(down)s + 1,
            cardinality(%(pauses)s::integer[]))]) END
WHERE channel = %(channel)s AND (closed_until IS NULL OR closed_until <= %(wall)s)
"""
PROBE: LiteralString = """
UPDATE messaging.allowance SET closed_until = %(until)s
WHERE channel = %(channel)s AND (closed_until IS NULL OR closed_until <= %(wall)s)
RETURNING channel
"""
OPEN: LiteralString = """
UPDATE messaging.allowance SET failures = 0, closed_until = NULL WHERE channel = %s
"""
STILL_AWAY: LiteralString = "UPDATE messaging.allowance SET closed_until = NULL WHERE channel = %s"


@dataclass(frozen=True)
class _Again:
    """A send that stays in the queue."""

    member_id: UUID
    send_id: UUID
    due: datetime
    attempts: int


@dataclass
class _Sum:
    """What a batch of answers comes to; `paused` and `closed` until when."""

    ended: list[Ended] = field(default_factory=list)
    again: list[_Again] = field(default_factory=list)
    paused: dict[UUID, datetime] = field(default_factory=dict)
    closed: datetime | None = None
    well: bool = False
    lost: bool = False
    away: bool = False


async def finish(db: Db, ended: Sequence[Ended], *, wall: datetime) -> None:
    """Take sends that are over out of the queue and note in the ledger what became of them."""
    if not ended:
        return
    for one in ended:
        if one.state is State.UNKNOWN:
            log.warning("send_unknown", send=str(one.send_id), reason=one.reason)
    messages = [one for one in ended if one.rank != TAP_RANK]
    over = {
        **keys(messages),
        "states": [one.state for one in messages],
        "reasons": [_printable(one.reason) for one in messages],
        "messages": [_printable(one.message_id) for one in messages],
        "wall": wall,
    }
    await db.execute(FINISH, over)
    await db.execute(LEAVE, keys(ended))


async def settle(
    db: Db,
    channel: str,
    answered: Sequence[tuple[Claimed, Answer]],
    *,
    vault: Vault,
    now: datetime,
    wall: datetime,
) -> None:
    """Note what a messenger answered to sends in hand; what is in other hands by now is left.

    Locks the channel's allowance before chats, as claiming does.
    """
    sends = [one for one, _ in answered]
    asked = {**keys(sends), "leases": [one.lease for one in sends]}
    held = {row[0] for row in await (await db.execute(HELD, asked)).fetchall()}
    mine = [(one, answer) for one, answer in answered if one.send_id in held]
    if len(mine) < len(answered):
        log.warning("sends_finished_too_late", count=len(answered) - len(mine))
    total = _Sum()
    for one, answer in mine:
        _add(total, one, answer, wall)
    await _note_channel(db, channel, total, wall)
    for member_id, until in sorted(total.paused.items()):
        await db.execute(PAUSE, [until, member_id, channel])
    await finish(db, total.ended, wall=wall)
    await _queue_again(db, total.again)
    await _note_slots(db, mine, vault=vault, wall=wall)
    for one, answer in mine:
        await _note_member(db, one, answer, now=now)


async def take_probe(db: Db, channel: str, *, wall: datetime) -> bool:
    """Whether it is on the caller to see if the channel answers; the others wait meanwhile."""
    asked = {"channel": channel, "until": wall + PROBE_LEASE, "wall": wall}
    return await kit_db.fetch_value(db, PROBE, asked) is not None


async def probed(db: Db, channel: str, *, answers: bool, wall: datetime) -> None:
    """Note what came of it: the channel is open again, or looked at again in a while."""
    if answers:
        await db.execute(OPEN, [channel])
        return
    await db.execute(STILL_AWAY, [channel])
    await _failed(db, channel, wall)


def _add(total: _Sum, one: Claimed, answer: Answer, wall: datetime) -> None:
    """What one answer means for its send and for its channel."""
    total.well |= not isinstance(answer, Lost | Unreached)
    match answer:
        case Delivered(message_id):
            shown = message_id or one.item.edits
            total.ended.append(_over(one, State.SENT, message_id=shown))
        case Refused(reason) if reason == MESSAGE_GONE and one.item.edits and _may_retry(one):
            total.again.append(_later(one, wall, attempts=one.attempts + 1))
        case Refused(reason):
            total.ended.append(_over(one, State.REFUSED, reason))
        case Later(seconds, whole_channel):
            until = wall + timedelta(seconds=max(seconds, 0.1))
            # The vendor does not say which limit it was: a chat that got others just now is its
            # own reason, else everybody waits.
            if whole_channel or not one.crowded:
                total.closed = max(total.closed or until, until)
            else:
                total.paused[one.member_id] = until
            total.again.append(_later(one, until))
        case Unreached():
            total.away = True
            total.again.append(_later(one, wall))
        case Lost(note) if not one.harmless:
            total.lost = True
            total.ended.append(_over(one, State.UNKNOWN, note))
        case Lost(note) if _may_retry(one):
            total.lost = True
            pause = RETRY_SECONDS[min(one.attempts, len(RETRY_SECONDS) - 1)]
            due = wall + timedelta(seconds=pause)
            total.again.append(_later(one, due, attempts=one.attempts + 1))
        case Lost(note):
            total.lost = True
            total.ended.append(_over(one, State.UNKNOWN, note))


def _may_retry(one: Claimed) -> bool:
    return one.attempts + 1 < MOST_ATTEMPTS


def _over(
    one: Claimed, state: State, reason: str | None = None, *, message_id: str | None = None
) -> Ended:
    return Ended(one.member_id, one.channel, one.rank, one.send_id, state, reason, message_id)


def _later(one: Claimed, due: datetime, *, attempts: int | None = None) -> _Again:
    tried = one.attempts if attempts is None else attempts
    return _Again(one.member_id, one.send_id, due, tried)


async def _note_channel(db: Db, channel: str, total: _Sum, wall: datetime) -> None:
    if total.closed is not None:
        await db.execute(CLOSE, [total.closed, channel])
    if total.well:
        await db.execute(WELL, [channel])
    elif total.lost or total.away:
        await _failed(db, channel, wall, least=SEEMS_DOWN if total.away else 0)


async def _failed(db: Db, channel: str, wall: datetime, *, least: int = 0) -> None:
    asked = {"channel": channel, "wall": wall, "least": least, "down": SEEMS_DOWN}
    await db.execute(FAILED, {**asked, "pauses": list(PROBE_SECONDS)})


async def _queue_again(db: Db, again: Sequence[_Again]) -> None:
    if not again:
        return
    row = {
        "members": [one.member_id for one in again],
        "sends": [one.send_id for one in again],
        "due": [one.due for one in again],
        "attempts": [one.attempts for one in again],
    }
    await db.execute(AGAIN, row)


async def _note_slots(
    db: Db, mine: Sequence[tuple[Claimed, Answer]], *, vault: Vault, wall: datetime
) -> None:
    """Which message each slot names now."""
    named, lost = [], []
    for one, answer in sorted(mine, key=lambda pair: pair[0].member_id):
        key = (one.member_id, one.channel, one.slot)
        if one.slot is None:
            continue
        if isinstance(answer, Delivered) and (shown := answer.message_id or one.item.edits):
            chat = sealing.blind(vault, one.address)
            named.append((*key, chat, shown, one.send_id, wall))
        if isinstance(answer, Refused) and answer.reason == MESSAGE_GONE and one.item.edits:
            lost.append((*key, one.item.edits))
    await kit_db.execute_many(db, NAME_SLOT, named)
    await kit_db.execute_many(db, LOSE_SLOT, lost)


async def _note_member(db: Db, one: Claimed, answer: Answer, *, now: datetime) -> None:
    """Whether the member can be reached."""
    if not one.main or one.rank == TAP_RANK:
        return
    if isinstance(answer, Delivered) and one.revived:
        await members.mark_reachable(db, one.member_id, one.channel, now)
    if isinstance(answer, Refused) and answer.reason in UNREACHABLE:
        await members.mark_unreachable(db, one.member_id, one.channel, answer.reason, now)


def _printable(text: str | None) -> str | None:
    """PostgreSQL takes no NUL, and the ledger no stories."""
    return None if text is None else text.replace("\0", "")[:200]
