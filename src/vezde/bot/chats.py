"""Chats of members, and which receipts were shown in them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from psycopg.types.json import Jsonb

from vezde.bot import inbox
from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.kit.vault import Vault
from vezde.members.operations import Moved
from vezde.receipts import queries as receipts

OF_CHAT: LiteralString = """
SELECT member_id, channel, chat, address, state, data, guest_since FROM bot.chat
WHERE channel = %s AND chat = %s
"""
OF_CHATS: LiteralString = """
SELECT member_id, channel, chat, address, state, data, guest_since FROM bot.chat
WHERE channel = %s AND chat = ANY(%s)
"""
OF_MEMBER: LiteralString = """
SELECT member_id, channel, chat, address, state, data, guest_since FROM bot.chat
WHERE member_id = %s ORDER BY channel, chat
"""
OPEN: LiteralString = """
INSERT INTO bot.chat
    (member_id, channel, chat, address, state, data, guest_since, changed_at)
VALUES (%s, %s, %s, %s, 'new', '{}', %s, %s)
"""
CHANGE: LiteralString = """
UPDATE bot.chat SET state = given.state, data = given.data, changed_at = %s
FROM unnest(%s::text[], %s::bytea[], %s::text[], %s::jsonb[]) AS given (channel, chat, state, data)
WHERE chat.channel = given.channel AND chat.chat = given.chat
"""
KNOWN_WELL: LiteralString = """
UPDATE bot.chat SET guest_since = NULL, guest_warned_at = NULL WHERE member_id = %s
"""
GUESTS_TO_WARN: LiteralString = """
SELECT DISTINCT member_id FROM bot.chat
WHERE guest_since < %s AND guest_warned_at IS NULL LIMIT %s
"""
WARNED: LiteralString = """
UPDATE bot.chat SET guest_warned_at = %s WHERE member_id = %s AND guest_warned_at IS NULL
"""
GUESTS_TO_FORGET: LiteralString = """
SELECT DISTINCT member_id FROM bot.chat
WHERE guest_since < %s AND guest_warned_at <= %s LIMIT %s
"""
IS_OVER: LiteralString = """
SELECT count(*) > 0 AND bool_and(guest_since < %s AND guest_warned_at <= %s)
FROM bot.chat WHERE member_id = %s AND guest_since IS NOT NULL
"""
SHOW: LiteralString = """
INSERT INTO bot.shown (member_id, receipt_id, channel, chat, slot) VALUES (%s, %s, %s, %s, %s)
"""
SHOWN: LiteralString = """
SELECT one.member_id, one.receipt_id, shown.channel, shown.chat, shown.slot, shown.receipt_id
FROM unnest(%s::uuid[], %s::uuid[]) AS asked (member_id, receipt_id)
JOIN bot.shown AS one
    ON one.member_id = asked.member_id AND one.receipt_id = asked.receipt_id
JOIN bot.shown ON shown.member_id = one.member_id AND shown.slot = one.slot
ORDER BY shown.receipt_id
"""
QUIET: LiteralString = """
UPDATE bot.shown SET quiet_since = %s
WHERE member_id = %s AND receipt_id = %s AND quiet_since IS NULL
"""
IS_QUIET: LiteralString = """
SELECT quiet_since IS NOT NULL FROM bot.shown WHERE member_id = %s AND receipt_id = %s
"""
MERGE_CHATS: LiteralString = """
UPDATE bot.chat SET member_id = %(into)s WHERE member_id = %(gone)s
RETURNING channel, encode(chat, 'hex'), guest_since::text
"""
MERGE_SHOWN: LiteralString = """
UPDATE bot.shown SET member_id = %(into)s WHERE member_id = %(gone)s RETURNING receipt_id::text
"""
MERGE_ACTIVATED: LiteralString = """
WITH gone AS (DELETE FROM bot.activated WHERE member_id = %(gone)s RETURNING points, told_at)
INSERT INTO bot.activated AS known (member_id, points, told_at)
SELECT %(into)s, points, told_at FROM gone
ON CONFLICT (member_id) DO UPDATE SET points = known.points + excluded.points,
    told_at = greatest(known.told_at, excluded.told_at)
RETURNING (SELECT points FROM gone), (SELECT told_at::text FROM gone)
"""
CHAT_BACK: LiteralString = """
UPDATE bot.chat SET member_id = %s, guest_since = %s::timestamptz
WHERE member_id = %s AND channel = %s AND chat = decode(%s, 'hex')
"""
SHOWN_BACK: LiteralString = """
UPDATE bot.shown SET member_id = %s WHERE member_id = %s AND receipt_id = ANY(%s)
"""
# Points that nobody told of yet are told to whom they went.
ACTIVATED_LESS: LiteralString = """
UPDATE bot.activated SET points = points - least(points, %(points)s) WHERE member_id = %(into)s
"""
ACTIVATED_BACK: LiteralString = """
INSERT INTO bot.activated (member_id, points, told_at)
VALUES (%(gone)s, %(points)s, %(told_at)s::timestamptz)
"""
FORGET_ACTIVATED: LiteralString = "DELETE FROM bot.activated WHERE member_id = %s"
FORGET_CHATS: LiteralString = "DELETE FROM bot.chat WHERE member_id = %s RETURNING chat"
FORGET_SHOWN: LiteralString = "DELETE FROM bot.shown WHERE member_id = %s"


@dataclass(frozen=True)
class Chat:
    """`address` is sealed; `guest_since`: when a member without a phone came."""

    member_id: UUID
    channel: str
    chat: bytes
    address: bytes = field(repr=False)
    state: str
    data: dict[str, Any]
    guest_since: datetime | None

    def opened(self, vault: Vault) -> str:
        """The chat's address at its messenger."""
        return vault.decrypt(self.address, context=_context(self.chat)).decode()


@dataclass(frozen=True)
class Shown:
    """Receipts that one message tells of, in the order they were shown."""

    channel: str
    chat: bytes
    slot: str
    receipt_ids: tuple[UUID, ...]


async def of_chat(db: Db, channel: str, chat: bytes) -> Chat | None:
    """The chat of this blind index; None: nobody wrote from there yet, or they were forgotten."""
    return await kit_db.fetch_one(db, Chat, OF_CHAT, [channel, chat])


async def of_chats(db: Db, channel: str, indexes: Sequence[bytes]) -> dict[bytes, Chat]:
    """As `of_chat`, for several in one read."""
    found = await kit_db.fetch_all(db, Chat, OF_CHATS, [channel, list(indexes)])
    return {chat.chat: chat for chat in found}


async def of_member(db: Db, member_id: UUID) -> list[Chat]:
    """A member's chats: one for each account that was merged into them."""
    return await kit_db.fetch_all(db, Chat, OF_MEMBER, [member_id])


async def open_chat(
    db: Db,
    member_id: UUID,
    channel: str,
    chat: bytes,
    address: str,
    *,
    guest: bool,
    vault: Vault,
    now: datetime,
) -> Chat:
    """Begin a conversation."""
    sealed = vault.encrypt(address.encode(), context=_context(chat))
    since = now if guest else None
    await db.execute(OPEN, [member_id, channel, chat, sealed, since, now])
    return Chat(member_id, channel, chat, sealed, "new", {}, since)


async def change(
    db: Db, changed: Sequence[tuple[Chat, str, dict[str, Any]]], *, now: datetime
) -> None:
    """Where these conversations are now: chat, state, data."""
    if changed:
        rows = [(chat.channel, chat.chat, state, Jsonb(data)) for chat, state, data in changed]
        await db.execute(CHANGE, [now, *map(list, zip(*rows, strict=True))])


async def known_well(db: Db, member_id: UUID) -> None:
    """The member gave a phone and is no guest any more."""
    await db.execute(KNOWN_WELL, [member_id])


async def guests_to_warn(db: Db, *, before: datetime, limit: int) -> list[UUID]:
    """Members who came before that instant, gave no phone since and were not warned."""
    rows = await (await db.execute(GUESTS_TO_WARN, [before, limit])).fetchall()
    return [row[0] for row in rows]


async def warned(db: Db, member_id: UUID, *, now: datetime) -> None:
    """The guest has been told that the term ends."""
    await db.execute(WARNED, [now, member_id])


async def guests_to_forget(db: Db, *, before: datetime, warned: datetime, limit: int) -> list[UUID]:
    """Members who came before that instant, gave no phone since and were warned by `warned`."""
    rows = await (await db.execute(GUESTS_TO_FORGET, [before, warned, limit])).fetchall()
    return [row[0] for row in rows]


async def is_over(db: Db, member_id: UUID, *, before: datetime, warned: datetime) -> bool:
    """Whether a guest came and was warned so long ago, in every chat."""
    return bool(await kit_db.fetch_value(db, IS_OVER, [before, warned, member_id]))


async def show(db: Db, shown: Sequence[tuple[Chat, UUID, str]]) -> None:
    """Receipts were shown in these chats; the slot's message tells what becomes of them."""
    rows = [(chat.member_id, one, chat.channel, chat.chat, slot) for chat, one, slot in shown]
    await kit_db.execute_many(db, SHOW, rows)


async def shown(db: Db, member_id: UUID, receipt_id: UUID) -> Shown | None:
    """The message that tells of a receipt, with all it tells of; None: shown elsewhere."""
    return (await shown_all(db, [(member_id, receipt_id)])).get((member_id, receipt_id))


async def shown_all(db: Db, asked: Collection[tuple[UUID, UUID]]) -> dict[tuple[UUID, UUID], Shown]:
    """As `shown`, for many members' receipts in one read; left out: shown elsewhere."""
    members, receipts = [one for one, _ in asked], [one for _, one in asked]
    rows = await (await db.execute(SHOWN, [members, receipts])).fetchall()
    found: dict[tuple[UUID, UUID], Shown] = {}
    for member_id, receipt_id, channel, chat, slot, other in rows:
        before = found.get((member_id, receipt_id))
        told = (*before.receipt_ids, other) if before else (other,)
        found[member_id, receipt_id] = Shown(channel, chat, slot, told)
    return found


async def be_quiet(db: Db, member_id: UUID, receipt_id: UUID, *, now: datetime) -> None:
    """Remind of this receipt no more."""
    await db.execute(QUIET, [now, member_id, receipt_id])


async def is_quiet(db: Db, member_id: UUID, receipt_id: UUID) -> bool:
    """Whether there is nobody to remind of this receipt any more."""
    return await kit_db.fetch_value(db, IS_QUIET, [member_id, receipt_id]) is not False


async def merge(db: Db, into: UUID, gone: UUID, *, now: datetime, actor: str) -> Moved:  # noqa: ARG001 (a step of members)
    """Chats of the one who goes are the other's, who is known by a phone."""
    both = {"into": into, "gone": gone}
    moved = await (await db.execute(MERGE_CHATS, both)).fetchall()
    told = await kit_db.fetch_column(db, MERGE_SHOWN, both)
    activated = await (await db.execute(MERGE_ACTIVATED, both)).fetchall()
    return {
        "chats": [list(one) for one in moved],
        "shown": told,
        "activated": [list(one) for one in activated],
    }


async def unmerge(
    db: Db,
    into: UUID,
    gone: UUID,
    *,
    moved: Moved,
    now: datetime,  # noqa: ARG001
    actor: str,  # noqa: ARG001
) -> None:
    """Chats of `gone` are theirs again, with the receipts shown there that went back to them."""
    rows = [(gone, since, into, channel, chat) for channel, chat, since in moved["chats"]]
    await kit_db.execute_many(db, CHAT_BACK, rows)
    shown_before = [(gone, UUID(receipt_id)) for receipt_id in moved["shown"]]
    back = await receipts.receipts(db, shown_before)
    await db.execute(SHOWN_BACK, [gone, into, list(back)])
    for points, told_at in moved["activated"]:
        asked = {"into": into, "gone": gone, "points": points, "told_at": told_at}
        await db.execute(ACTIVATED_LESS, asked)
        await db.execute(ACTIVATED_BACK, asked)


async def forget(db: Db, member_id: UUID, *, now: datetime, actor: str) -> None:  # noqa: ARG001 (a step of members)
    """Drop the member's chats with what is held in them."""
    gone = await (await db.execute(FORGET_CHATS, [member_id])).fetchall()
    await inbox.drop_chats(db, [row[0] for row in gone])
    await db.execute(FORGET_SHOWN, [member_id])
    await db.execute(FORGET_ACTIVATED, [member_id])


def _context(chat: bytes) -> bytes:
    return b"bot.chat " + chat
