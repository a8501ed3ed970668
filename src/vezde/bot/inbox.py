"""The inbox: updates kept before they are confirmed, events worked in the order of their chat."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, LiteralString
from uuid import UUID

from vezde.kit import db as kit_db
from vezde.kit import ids
from vezde.kit.db import Db
from vezde.kit.vault import Vault

WORK = "bot.work"
# What a person may have waiting: more than an album; the rest is answered once and dropped.
MOST_WAITING = 12
KEEP = timedelta(days=14)  # Telegram hands over again for a day
FLOOD: dict[str, Any] = {"flooded": True}

KNOW: LiteralString = """
INSERT INTO bot.inbox (bot, event_key, state, received_wall)
SELECT %(bot)s, event_key, state, %(wall)s
FROM unnest(%(keys)s::text[], %(states)s::text[]) AS given (event_key, state)
ORDER BY event_key
ON CONFLICT (bot, event_key) DO NOTHING
RETURNING event_key
"""
KNOWN: LiteralString = "SELECT event_key FROM bot.inbox WHERE bot = %s AND event_key = ANY(%s)"
WAITING: LiteralString = """
SELECT chat, count(*) FROM bot.event
WHERE bot = %s AND chat = ANY(%s) AND state <> 'parked' GROUP BY chat
"""
OPEN_TURNS: LiteralString = """
INSERT INTO bot.turn (bot, chat) SELECT %s, chat FROM unnest(%s::bytea[]) AS given (chat)
ORDER BY chat ON CONFLICT (bot, chat) DO NOTHING
"""
# Against `drop_turns`, and in nobody else's way.
KEEP_TURNS: LiteralString = """
SELECT FROM bot.turn WHERE bot = %s AND chat = ANY(%s) ORDER BY chat FOR KEY SHARE
"""
ADD: LiteralString = """
INSERT INTO bot.event
    (bot, chat, event_id, event_key, state, sealed, received_wall, due_wall, attempts)
SELECT %(bot)s, chat, event_id, event_key, 'waiting', sealed, %(wall)s, %(wall)s, 0
FROM unnest(%(chats)s::bytea[], %(ids)s::uuid[], %(keys)s::text[], %(sealed)s::bytea[])
    AS came (chat, event_id, event_key, sealed)
"""
# First events of chats that nobody works; later ones of them are not looked at. Ordered and
# limited, the look at a chat's first event can only go by the chat: planned while the table was
# empty, a NOT EXISTS went through everything that waits, for each event.
FREE: LiteralString = """
SELECT turn.bot, turn.chat
FROM bot.event AS head
CROSS JOIN LATERAL (
    SELECT event_id FROM bot.event AS first
    WHERE first.bot = head.bot AND first.chat = head.chat AND first.state = 'waiting'
    ORDER BY first.event_id LIMIT 1
) AS first
JOIN bot.turn ON turn.bot = head.bot AND turn.chat = head.chat
WHERE head.state = 'waiting' AND head.due_wall <= %(wall)s AND first.event_id = head.event_id
ORDER BY head.due_wall, head.event_id
LIMIT %(limit)s
FOR NO KEY UPDATE OF turn SKIP LOCKED
"""
TURN: LiteralString = """
SELECT bot, chat FROM bot.turn WHERE bot = %s AND chat = %s FOR NO KEY UPDATE SKIP LOCKED
"""
# Looked at again under the lock: another may have worked them since.
HEADS: LiteralString = """
SELECT head.*
FROM unnest(%(chats)s::bytea[]) AS free (chat)
CROSS JOIN LATERAL (
    SELECT bot, chat, event_id, event_key, sealed, attempts, due_wall FROM bot.event
    WHERE bot = %(bot)s AND event.chat = free.chat AND state = 'waiting'
    ORDER BY event_id LIMIT 1
) AS head
WHERE head.due_wall <= %(wall)s
ORDER BY head.due_wall, head.event_id
"""
LEASE: LiteralString = """
UPDATE bot.event SET lease = %s, due_wall = %s, attempts = attempts + 1
WHERE bot = %s AND chat = %s AND event_id = %s
"""
# Events are found one by one and named by their place: a join planned while nothing waited reads
# all that does.
STILL_MINE: LiteralString = """
SELECT event.event_id
FROM unnest(%s::text[], %s::bytea[], %s::uuid[], %s::uuid[]) AS given (bot, chat, event_id, lease)
JOIN bot.turn USING (bot, chat)
CROSS JOIN LATERAL (
    SELECT event_id FROM bot.event AS own
    WHERE own.bot = given.bot AND own.chat = given.chat AND own.event_id = given.event_id
      AND own.lease = given.lease
    LIMIT 1
    FOR NO KEY UPDATE
) AS event
ORDER BY event.event_id
FOR NO KEY UPDATE OF turn
"""
DONE: LiteralString = """
DELETE FROM bot.event
USING unnest(%s::text[], %s::bytea[], %s::uuid[]) AS over (bot, chat, event_id)
CROSS JOIN LATERAL (
    SELECT ctid FROM bot.event AS own
    WHERE own.bot = over.bot AND own.chat = over.chat AND own.event_id = over.event_id
    LIMIT 1
) AS place
WHERE event.ctid = place.ctid
"""
POSTPONE: LiteralString = """
UPDATE bot.event SET due_wall = %s WHERE bot = %s AND chat = %s AND event_id = %s
"""
HOLD: LiteralString = """
UPDATE bot.event SET state = 'held', lease = NULL, attempts = 0
WHERE bot = %s AND chat = %s AND event_id = %s
"""
LET_GO: LiteralString = """
UPDATE bot.event SET state = 'waiting', due_wall = %s
FROM (
    SELECT ctid FROM bot.event WHERE bot = %s AND chat = %s ORDER BY event_id OFFSET 0
) AS place
WHERE event.ctid = place.ctid AND event.state = 'held'
"""
FAILED: LiteralString = """
UPDATE bot.event SET attempts = %s, lease = NULL, due_wall = %s, state = %s, error = %s
WHERE bot = %s AND chat = %s AND event_id = %s
"""
DROP_CHAT: LiteralString = """
DELETE FROM bot.event WHERE chat = ANY(%s) AND state <> 'waiting'
"""
NOBODYS: LiteralString = """
SELECT bot, chat FROM bot.turn
WHERE NOT EXISTS (SELECT FROM bot.chat WHERE chat.chat = turn.chat)
  AND NOT EXISTS (
      SELECT FROM bot.event WHERE event.bot = turn.bot AND event.chat = turn.chat)
LIMIT 1000
FOR UPDATE SKIP LOCKED
"""
# Looked at again under the lock: an event may have come since.
DROP_TURNS: LiteralString = """
DELETE FROM bot.turn
WHERE (bot, chat) IN (SELECT * FROM unnest(%s::text[], %s::bytea[])) AND NOT EXISTS (
    SELECT FROM bot.event WHERE event.bot = turn.bot AND event.chat = turn.chat)
"""
SWEEP_INBOX: LiteralString = "DELETE FROM bot.inbox WHERE received_wall < %s"
SWEEP_EVENTS: LiteralString = """
DELETE FROM bot.event WHERE state <> 'waiting' AND received_wall < %s
"""
BY_STATE: LiteralString = "SELECT state, count(*) FROM bot.inbox GROUP BY state"


class Fate(StrEnum):
    """What became of an update when it came."""

    TAKEN = "taken"
    IGNORED = "ignored"
    MALFORMED = "malformed"
    FLOODED = "flooded"


@dataclass(frozen=True)
class Update:
    """An update as its messenger names it; `chat` and `payload` of one that is taken."""

    key: str
    fate: Fate
    chat: str | None = field(default=None, repr=False)
    payload: dict[str, Any] | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Waiting:
    """An event in hand."""

    bot: str
    chat: bytes
    event_id: UUID
    event_key: str
    sealed: bytes = field(repr=False)
    attempts: int
    due_wall: datetime

    @property
    def place(self) -> tuple[str, bytes, UUID]:
        return self.bot, self.chat, self.event_id

    def payload(self, vault: Vault) -> dict[str, Any]:
        opened: dict[str, Any] = json.loads(
            vault.decrypt(self.sealed, context=_context(self.event_id))
        )
        return opened


def channel_of(bot: str) -> str:
    """The messenger of a bot that is like `telegram:7000000001`."""
    return bot.partition(":")[0]


def blind(vault: Vault, channel: str, chat: str) -> bytes:
    """A chat's index: its id at the messenger names a person."""
    return vault.blind(f"{channel}:{chat}", purpose="bot.chat")


async def take(
    db: Db, bot: str, updates: Sequence[Update], *, vault: Vault, wall: datetime
) -> list[Fate]:
    """Keep updates that are not known yet, in the order given; what became of each new one.

    `bot` is like `telegram:7000000001`. Commit before the messenger is told that we have them.
    """
    by_key = {one.key: one for one in updates}
    keys = list(by_key)
    known = {row[0] for row in await (await db.execute(KNOWN, [bot, keys])).fetchall()}
    fresh = [one for key, one in by_key.items() if key not in known]
    channel = channel_of(bot)
    chats = {one.chat: blind(vault, channel, one.chat) for one in fresh if one.chat is not None}
    counted = dict(await (await db.execute(WAITING, [bot, list(chats.values())])).fetchall())
    fates, rows = [], []
    for one in fresh:
        fate, payload = one.fate, one.payload
        if fate is Fate.TAKEN:
            assert one.chat is not None, "what is taken is somebody's"
            chat = chats[one.chat]
            counted[chat] = counted.get(chat, 0) + 1
            if counted[chat] > MOST_WAITING:
                fate = Fate.FLOODED
                payload = {"of": one.payload, **FLOOD}
            if counted[chat] <= MOST_WAITING + 1:
                rows.append((chat, one.key, payload))
        fates.append(fate)
    row = {"bot": bot, "keys": [one.key for one in fresh], "states": fates, "wall": wall}
    new = {row[0] for row in await (await db.execute(KNOW, row)).fetchall()}
    await _add(db, bot, [one for one in rows if one[1] in new], vault=vault, wall=wall)
    return [fate for one, fate in zip(fresh, fates, strict=True) if one.key in new]


async def _add(
    db: Db,
    bot: str,
    rows: Sequence[tuple[bytes, str, dict[str, Any] | None]],
    *,
    vault: Vault,
    wall: datetime,
) -> None:
    if not rows:
        return
    chats = sorted({chat for chat, _, _ in rows})
    await db.execute(OPEN_TURNS, [bot, chats])
    if (await db.execute(KEEP_TURNS, [bot, chats])).rowcount < len(chats):
        await db.execute(OPEN_TURNS, [bot, chats])
    events = sorted(ids.new() for _ in rows)
    came = {
        "chats": [chat for chat, _, _ in rows],
        "ids": events,
        "keys": [key for _, key, _ in rows],
        "sealed": [
            vault.encrypt(json.dumps(payload).encode(), context=_context(event_id))
            for event_id, (_, _, payload) in zip(events, rows, strict=True)
        ],
    }
    await db.execute(ADD, {**came, "bot": bot, "wall": wall})
    db.wake(WORK)


async def claim(db: Db, *, wall: datetime, limit: int) -> list[Waiting]:
    """First events of up to `limit` chats of one bot that are due, the chats locked until the end
    of the transaction; none: nothing is due.
    """
    while True:
        free = await (await db.execute(FREE, {"wall": wall, "limit": limit})).fetchall()
        if not free:
            return []
        bot = free[0][0]
        if heads := await _heads(db, bot, [row[1] for row in free if row[0] == bot], wall=wall):
            return heads


async def claim_of(db: Db, bot: str, chat: bytes, *, wall: datetime) -> Waiting | None:
    """As `claim`, of this chat; None: nothing of it is due, or another works it."""
    if await (await db.execute(TURN, [bot, chat])).fetchone() is None:
        return None
    heads = await _heads(db, bot, [chat], wall=wall)
    return heads[0] if heads else None


async def _heads(db: Db, bot: str, free: Sequence[bytes], *, wall: datetime) -> list[Waiting]:
    asked = {"bot": bot, "chats": list(free), "wall": wall}
    return await kit_db.fetch_all(db, Waiting, HEADS, asked)


async def lease(db: Db, event: Waiting, *, seconds: float, wall: datetime) -> UUID:
    """Keep the event, and so its chat, to oneself beyond the transaction; the lease's token."""
    token = ids.new()
    await db.execute(LEASE, [token, wall + timedelta(seconds=seconds), *event.place])
    return token


async def mine(db: Db, leased: Sequence[tuple[Waiting, UUID]]) -> set[UUID]:
    """The events whose leases still hold; then they and their chats are locked."""
    rows = sorted((*event.place, token) for event, token in leased)
    asked = [list(part) for part in zip(*rows, strict=True)]
    return {row[0] for row in await (await db.execute(STILL_MINE, asked)).fetchall()}


async def done(db: Db, events: Sequence[Waiting]) -> None:
    """The events are worked."""
    if events:
        places = zip(*(one.place for one in events), strict=True)
        await db.execute(DONE, [list(part) for part in places])


async def postpone(db: Db, event: Waiting, *, seconds: float, wall: datetime) -> None:
    """Work the event, and so its chat, in a while: nothing is wrong with it."""
    await db.execute(POSTPONE, [wall + timedelta(seconds=seconds), *event.place])


async def hold(db: Db, event: Waiting) -> None:
    """Keep the event until `let_go`."""
    await db.execute(HOLD, event.place)


async def let_go(db: Db, bot: str, chat: bytes, *, wall: datetime) -> None:
    """The chat's held events are worked now."""
    await db.execute(LET_GO, [wall, bot, chat])
    db.wake(WORK)


async def failed(
    db: Db, event: Waiting, *, again: datetime | None, error: str, wall: datetime
) -> None:
    """Try the event again then; None: park it."""
    state = "parked" if again is None else "waiting"
    await db.execute(FAILED, [event.attempts + 1, again or wall, state, error, *event.place])


async def drop_chats(db: Db, chats: Sequence[bytes]) -> None:
    """Forget what is held or parked of these chats, and that there were any."""
    await db.execute(DROP_CHAT, [list(chats)])
    await drop_turns(db)


async def drop_turns(db: Db) -> None:
    """Drop the turns of chats that are nobody's any more; one in use goes another time."""
    rows = await (await db.execute(NOBODYS)).fetchall()
    if rows:
        await db.execute(DROP_TURNS, [[row[0] for row in rows], [row[1] for row in rows]])


async def sweep(db: Db, *, wall: datetime) -> None:
    """Drop what came long ago: known keys, events held or parked, turns of nobody."""
    await db.execute(SWEEP_INBOX, [wall - KEEP])
    await db.execute(SWEEP_EVENTS, [wall - KEEP])
    await drop_turns(db)


async def by_fate(db: Db) -> dict[str, int]:
    """How many updates of the last days came to what."""
    return dict(await (await db.execute(BY_STATE)).fetchall())


def _context(event_id: UUID) -> bytes:
    return b"bot.event " + event_id.bytes
