"""Claim what is due on a channel: leased and committed before anybody is called.

One claim of a channel at a time (its allowance is locked), any number of sends in hand. Of a chat
one message is in hand at a time, answers before mailings and otherwise in order; answers to taps
go beside it and are not counted, the vendors do not count them either.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import LiteralString
from uuid import UUID

import structlog

from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.kit.errors import DomainError
from vezde.kit.vault import Vault
from vezde.kit.work import failures
from vezde.kit.work.leases import Lease
from vezde.members import queries as members
from vezde.members.queries import Reach
from vezde.messaging import sealing
from vezde.messaging.model import RANK, TAP_RANK, Keyboard, Purpose, State
from vezde.messaging.operations import finishing
from vezde.messaging.operations.reserving import MARKETING_CONSENT
from vezde.messaging.operations.sends import PLACE, Claimed, Ended, keys

log = structlog.get_logger(__name__)

RANKS = (TAP_RANK, *sorted(RANK.values()))
# Telegram: a message a second to a chat, short bursts pass (core.telegram.org/bots/faq).
PACE = timedelta(seconds=1)
BURST = timedelta(seconds=3)
# A channel bursts by a third of a second's allowance, so that what is slow on its way and what
# follows it do not arrive as more than a second's.
BURST_SECONDS = 1 / 3
# What waited longer says nothing to anybody any more.
STALE = timedelta(days=3)
STALE_TAP = timedelta(hours=1)
ROOM_FOR_TAPS = 8

ALLOWANCE: LiteralString = """
SELECT tokens, counted_wall, closed_until, failures FROM messaging.allowance WHERE channel = %s
"""
LOCK_ALLOWANCE: LiteralString = """
SELECT tokens, counted_wall, closed_until, failures FROM messaging.allowance WHERE channel = %s
FOR UPDATE
"""
OPEN_ALLOWANCE: LiteralString = """
INSERT INTO messaging.allowance (channel, tokens, counted_wall, failures) VALUES (%s, %s, %s, 0)
ON CONFLICT (channel) DO NOTHING
"""
# Never back: the clocks of two machines differ, and no second may be counted twice.
SPEND: LiteralString = """
UPDATE messaging.allowance SET tokens = %s, counted_wall = greatest(counted_wall, %s)
WHERE channel = %s
"""
# Each rank by its own range of the index, so that what is not due is not looked at. The head of a
# chat is the row that nothing of the chat comes before, while nothing of it is in hand; the chat's
# rows are ordered so that no plan, made while the queue was empty, goes through all of it for each.
HEADS: LiteralString = """
SELECT queue.member_id, queue.rank, queue.send_id, queue.slot, queue.attempts,
    queue.lease IS NOT NULL AS died, queue.sealed, queue.queued_wall,
    queue.slot IS NOT NULL AND EXISTS (
        SELECT FROM (
            SELECT chat.rank, chat.send_id, chat.slot
            FROM messaging.queue AS chat
            WHERE chat.member_id = queue.member_id AND chat.channel = queue.channel
            ORDER BY chat.rank, chat.send_id
            OFFSET 0
        ) AS newer
        WHERE newer.slot = queue.slot AND newer.send_id > queue.send_id
          AND newer.rank <= queue.rank) AS outdated,
    slot.message_id, slot.send_id AS shown, slot.address
FROM unnest(%(ranks)s::smallint[]) AS turn (rank)
CROSS JOIN LATERAL (
    SELECT * FROM messaging.queue AS head
    WHERE head.channel = %(channel)s AND head.rank = turn.rank AND head.due_wall <= %(wall)s
      AND (head.rank = -1 OR NOT EXISTS (
          SELECT FROM (
              SELECT chat.rank, chat.send_id, chat.lease, chat.due_wall
              FROM messaging.queue AS chat
              WHERE chat.member_id = head.member_id AND chat.channel = head.channel
                AND chat.rank > -1
              ORDER BY chat.rank, chat.send_id
              OFFSET 0
          ) AS other
          WHERE other.send_id <> head.send_id
            AND ((other.rank, other.send_id) < (head.rank, head.send_id)
                 OR (other.lease IS NOT NULL AND other.due_wall > %(wall)s))))
    ORDER BY head.due_wall, head.send_id
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
) AS queue
LEFT JOIN LATERAL (
    SELECT message_id, send_id, address FROM messaging.slot AS named
    WHERE named.member_id = queue.member_id AND named.channel = %(channel)s
      AND named.slot = queue.slot
    LIMIT 1
) AS slot ON true
ORDER BY turn.rank
LIMIT %(limit)s
"""
PACED: LiteralString = """
INSERT INTO messaging.chat AS chat (member_id, channel, paced_until)
SELECT member_id, %(channel)s, %(wall)s::timestamptz + %(pace)s::interval
FROM unnest(%(members)s::uuid[]) AS taken (member_id) ORDER BY member_id
ON CONFLICT (member_id, channel) DO UPDATE
SET paced_until = greatest(chat.paced_until, %(wall)s) + %(pace)s::interval
WHERE chat.paced_until <= %(wall)s::timestamptz + %(burst)s::interval
  AND (chat.paused_until IS NULL OR chat.paused_until <= %(wall)s)
RETURNING member_id, paced_until
"""
WAITS: LiteralString = """
SELECT member_id, greatest(paced_until - %(burst)s::interval, paused_until) FROM messaging.chat
WHERE channel = %(channel)s AND member_id = ANY(%(members)s)
"""
POSTPONE: LiteralString = (
    """
UPDATE messaging.queue SET due_wall = given.due_wall
FROM unnest(%(members)s::uuid[], %(sends)s::uuid[], %(due)s::timestamptz[])
    AS given (member_id, send_id, due_wall)
"""
    + PLACE
    + "WHERE queue.ctid = place.ctid"
)
# The chat's row is locked by now: whoever has another message of it in hand is seen here.
TAKE: LiteralString = (
    """
UPDATE messaging.queue SET lease = %(token)s, due_wall = %(until)s
FROM unnest(%(members)s::uuid[], %(sends)s::uuid[]) AS given (member_id, send_id)
"""
    + PLACE
    + """
WHERE queue.ctid = place.ctid
  AND (queue.rank = -1 OR NOT EXISTS (
      SELECT FROM (
          SELECT chat.send_id, chat.lease, chat.due_wall
          FROM messaging.queue AS chat
          WHERE chat.member_id = queue.member_id AND chat.channel = queue.channel
            AND chat.rank > -1
          ORDER BY chat.rank, chat.send_id
          OFFSET 0
      ) AS other
      WHERE other.send_id <> queue.send_id
        AND other.lease IS NOT NULL AND other.due_wall > %(wall)s))
RETURNING queue.send_id
"""
)


@dataclass(frozen=True)
class Taken:
    """What a claim came to. `wait_seconds`: look again then, when nothing wakes us before.

    `down`: the channel seems away, so see whether it answers before more is claimed.
    """

    claimed: list[Claimed]
    wait_seconds: float | None = None
    down: bool = False


@dataclass(frozen=True)
class _Head:
    member_id: UUID
    rank: int
    send_id: UUID
    slot: str | None
    attempts: int
    died: bool
    sealed: bytes
    queued_wall: datetime
    outdated: bool
    message_id: str | None
    shown: UUID | None
    address: bytes | None


@dataclass(frozen=True)
class _Allowance:
    tokens: float
    counted_wall: datetime
    closed_until: datetime | None
    failures: int

    def left(self, per_second: float, wall: datetime) -> float:
        passed = max((wall - self.counted_wall).total_seconds(), 0.0)
        return min(self.tokens + passed * per_second, burst(per_second))


def burst(per_second: float) -> float:
    """How many messages of a channel may go at one moment."""
    return max(1.0, per_second * BURST_SECONDS)


async def claim(
    db: Db,
    channel: str,
    *,
    per_second: float,
    lease: Lease,
    room: int,
    vault: Vault,
    wall: datetime,
) -> Taken:
    """Lease up to `room` sends that are due, as many as the channel's allowance lets.

    Ended here, without a call: what a newer text made needless, what nobody can or may get, what
    was in hand of a worker that did not come back. Commit before anything is sent.
    """
    allowance = await kit_db.fetch_one(db, _Allowance, ALLOWANCE, [channel])
    if allowance is None:
        await db.execute(OPEN_ALLOWANCE, [channel, burst(per_second), wall])
        return Taken([], 0.0)
    if allowance.closed_until is not None and allowance.closed_until > wall:
        return Taken([], (allowance.closed_until - wall).total_seconds())
    if allowance.failures >= finishing.SEEMS_DOWN:
        return Taken([], down=True)
    tokens = int(allowance.left(per_second, wall))
    asked = {
        "channel": channel,
        "ranks": list(RANKS if tokens else [TAP_RANK]),
        "wall": wall,
        "limit": min(room, tokens + ROOM_FOR_TAPS),
    }
    heads = await kit_db.fetch_all(db, _Head, HEADS, asked)
    if not heads:
        return Taken([], None if tokens else 1 / per_second)
    allowance = await kit_db.fetch_one(db, _Allowance, LOCK_ALLOWANCE, [channel])
    assert allowance is not None, "rows are never deleted"
    left = allowance.left(per_second, wall)
    ready, ended = await _sorted_out(db, channel, heads, lease, vault=vault, wall=wall)
    taps = [one for one in ready if one.rank == TAP_RANK]
    messages = [one for one in ready if one.rank != TAP_RANK]
    going = await _paced(db, channel, messages[: int(left)], wall)
    taken = await _take(db, [*taps, *going], lease, wall)
    spent = sum(one.rank != TAP_RANK for one in taken)
    await db.execute(SPEND, [left - spent, wall, channel])
    await finishing.finish(db, ended, wall=wall)
    if len(messages) > int(left) or not tokens:
        return Taken(taken, 1 / per_second)
    return Taken(taken, 0.0 if len(heads) == asked["limit"] or ended else None)


async def _sorted_out(
    db: Db, channel: str, heads: Sequence[_Head], lease: Lease, *, vault: Vault, wall: datetime
) -> tuple[list[Claimed], list[Ended]]:
    """What may be sent, and what ends without a call; both in the order given."""
    people = {head.member_id for head in heads}
    reached = await members.reach(db, people, kind=channel, vault=vault)
    mailed = {head.member_id for head in heads if head.rank == RANK[Purpose.MARKETING]}
    agreed: frozenset[UUID] = frozenset()
    if mailed:
        agreed = await members.agreed(db, mailed, purpose=MARKETING_CONSENT, channel=channel)
    ready, ended = [], []
    for head in heads:
        reach = reached.get(head.member_id)
        may_mail = head.member_id in agreed
        judged = _judged(
            head, channel, reach, may_mail=may_mail, lease=lease, vault=vault, wall=wall
        )
        if isinstance(judged, Claimed):
            ready.append(judged)
        else:
            state, reason = judged
            ended.append(Ended(head.member_id, channel, head.rank, head.send_id, state, reason))
    return ready, ended


def _judged(
    head: _Head,
    channel: str,
    reach: Reach | None,
    *,
    may_mail: bool,
    lease: Lease,
    vault: Vault,
    wall: datetime,
) -> Claimed | tuple[State, str | None]:
    """The send to make, or how it ends and why."""
    try:
        item, address = sealing.unseal(vault, head.send_id, head.sealed)
    except (DomainError, ValueError, TypeError, KeyError) as error:
        log.error("send_unreadable", send=str(head.send_id), error=failures.describe(error))  # noqa: TRY400 (texts may name a person)
        return State.REFUSED, "unreadable"
    to = address or (reach.address if reach else None) or ""
    if head.address is not None and head.address == sealing.blind(vault, to):
        # Messengers edit no message that has a reply keyboard, and none into having one.
        edits = head.message_id if item.keyboard is Keyboard.INLINE else None
        item = replace(item, edits=edits)
    claimed = Claimed(
        *(head.member_id, channel, head.rank, head.send_id, head.slot, head.attempts),
        item=item,
        address=to,
        lease=lease.token,
        main=reach is not None and to == reach.address,
        revived=reach is not None and reach.unreachable is not None,
    )
    if head.rank == TAP_RANK:
        return (State.REFUSED, "expired") if head.queued_wall < wall - STALE_TAP else claimed
    if head.died and not claimed.harmless:
        return State.UNKNOWN, "worker_died"
    if head.outdated or (head.shown is not None and head.shown > head.send_id):
        return State.SUPERSEDED, None
    if reason := _refusal(head, reach, to, may_mail=may_mail, wall=wall):
        return State.REFUSED, reason
    return claimed


def _refusal(
    head: _Head, reach: Reach | None, to: str, *, may_mail: bool, wall: datetime
) -> str | None:
    """Why nobody is to be called for it. Answers are tried all the same: who asks is there."""
    if head.queued_wall < wall - STALE:
        return "expired"
    if reach is None or not reach.active:
        return "no_member"
    if not to:
        return "no_address"
    if head.rank == RANK[Purpose.MARKETING] and not may_mail:
        return "no_consent"
    if head.rank > RANK[Purpose.REPLY] and to == reach.address:
        return reach.unreachable
    return None


async def _paced(
    db: Db, channel: str, messages: Sequence[Claimed], wall: datetime
) -> list[Claimed]:
    """Those whose chat may get one more now; the others wait in the queue."""
    if not messages:
        return []
    asked = {
        "channel": channel,
        "members": [one.member_id for one in messages],
        "wall": wall,
        "pace": PACE,
        "burst": BURST,
    }
    rows = await (await db.execute(PACED, asked)).fetchall()
    paced: dict[UUID, datetime] = dict(rows)
    if late := [one for one in messages if one.member_id not in paced]:
        asked["members"] = [one.member_id for one in late]
        waits: dict[UUID, datetime] = dict(await (await db.execute(WAITS, asked)).fetchall())
        due = [waits[one.member_id] for one in late]
        await db.execute(POSTPONE, {"due": due, **keys(late)})
    return [
        replace(one, crowded=paced[one.member_id] > wall + PACE)
        for one in messages
        if one.member_id in paced
    ]


async def _take(db: Db, wanted: Sequence[Claimed], lease: Lease, wall: datetime) -> list[Claimed]:
    if not wanted:
        return []
    asked = {"token": lease.token, "until": lease.until, "wall": wall}
    done = await db.execute(TAKE, {**asked, **keys(wanted)})
    taken = {row[0] for row in await done.fetchall()}
    return [one for one in wanted if one.send_id in taken]
