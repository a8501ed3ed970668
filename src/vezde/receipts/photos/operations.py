"""Keeping, fetching and erasing pictures; what is kept is sealed for its fiscal document."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, LiteralString
from uuid import UUID

from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.kit.errors import DomainError, Kind
from vezde.kit.vault import Vault
from vezde.kit.work.leases import Lease
from vezde.receipts import section
from vezde.receipts.reading.model import Key

WORK: Final = "receipts.photos"
PAUSES: Final = (timedelta(minutes=1), timedelta(minutes=15), timedelta(hours=2))
Place = tuple[UUID, UUID]  # member, receipt

KEEP: LiteralString = """
INSERT INTO receipts.photo (member_id, receipt_id, shown_at, awaited, picture)
VALUES (%s, %s, %s, false, %s)
"""
# Who says that a receipt is theirs may have shown its paper before: asked for only then.
KEEP_DOUBLE: LiteralString = """
INSERT INTO receipts.photo (member_id, receipt_id, shown_at, awaited, source, picture)
VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
"""
AWAIT: LiteralString = """
UPDATE receipts.photo SET awaited = true
WHERE (member_id, receipt_id) IN (SELECT * FROM unnest(%s::uuid[], %s::uuid[]))
"""
TO_FETCH: LiteralString = """
INSERT INTO receipts.photo (member_id, receipt_id, shown_at, awaited, source)
SELECT member_id, receipt_id, receipt.registered_at, true, verification.picture
FROM unnest(%s::uuid[], %s::uuid[]) AS given (member_id, receipt_id)
CROSS JOIN LATERAL (
    SELECT picture FROM receipts.verification AS own
    WHERE own.member_id = given.member_id AND own.receipt_id = given.receipt_id
    LIMIT 1
) AS verification
JOIN receipts.receipt USING (member_id, receipt_id)
WHERE verification.picture IS NOT NULL
ON CONFLICT DO NOTHING
RETURNING receipt_id
"""
DROP: LiteralString = """
DELETE FROM receipts.photo
WHERE (member_id, receipt_id) IN (SELECT * FROM unnest(%s::uuid[], %s::uuid[]))
"""
CLAIM: LiteralString = """
UPDATE receipts.photo
SET lease = %(token)s, try_wall = %(until)s, attempts = attempts + 1
FROM receipts.receipt
WHERE receipt.member_id = photo.member_id AND receipt.receipt_id = photo.receipt_id
  AND (photo.member_id, photo.receipt_id) IN (
    SELECT member_id, receipt_id FROM receipts.photo
    WHERE source IS NOT NULL AND awaited AND (try_wall IS NULL OR try_wall <= %(wall)s)
    ORDER BY try_wall NULLS FIRST LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
RETURNING photo.member_id, photo.receipt_id, receipt.fn, receipt.fd, photo.source, photo.attempts
"""
FETCHED: LiteralString = """
UPDATE receipts.photo SET source = NULL, picture = %s, lease = NULL, try_wall = NULL
WHERE member_id = %s AND receipt_id = %s AND lease = %s
"""
AGAIN: LiteralString = """
UPDATE receipts.photo SET lease = NULL, try_wall = %s
WHERE member_id = %s AND receipt_id = %s AND lease = %s
"""
GIVE_UP: LiteralString = """
DELETE FROM receipts.photo WHERE member_id = %s AND receipt_id = %s AND lease = %s
"""
STATES: LiteralString = """
SELECT receipt_id, picture IS NOT NULL FROM receipts.photo
WHERE (member_id, receipt_id) IN (SELECT * FROM unnest(%s::uuid[], %s::uuid[])) AND awaited
"""
ONE: LiteralString = """
SELECT photo.picture, receipt.fn, receipt.fd
FROM receipts.photo JOIN receipts.receipt USING (member_id, receipt_id)
WHERE member_id = %s AND receipt_id = %s AND photo.awaited AND photo.picture IS NOT NULL
"""
SWEEP: LiteralString = """
DELETE FROM receipts.photo WHERE (member_id, receipt_id) IN (
    SELECT member_id, receipt_id FROM receipts.photo
    WHERE shown_at <= %(latest)s OR awaited AND NOT EXISTS (
        SELECT FROM receipts.look
        WHERE look.member_id = photo.member_id AND look.receipt_id = photo.receipt_id
          AND (look.decided_at IS NULL OR look.decided_at > %(decided)s))
      AND NOT EXISTS (
        SELECT FROM receipts.quarantine AS held
        WHERE held.member_id = photo.member_id AND held.receipt_id = photo.receipt_id
          AND (held.ended_at IS NULL OR held.ended_at > %(decided)s))
      AND NOT EXISTS (
        SELECT FROM receipts.proof JOIN receipts.dispute USING (dispute_id)
        WHERE proof.member_id = photo.member_id AND proof.receipt_id = photo.receipt_id
          AND (dispute.decided_at IS NULL OR dispute.decided_at > %(decided)s))
    LIMIT %(limit)s)
"""
# A lease names the receipt under its old id: who holds it ends in vain.
MOVE: LiteralString = """
UPDATE receipts.photo SET member_id = %(into)s, lease = NULL, try_wall = NULL
WHERE member_id = %(gone)s
"""
MOVE_BACK: LiteralString = """
UPDATE receipts.photo SET member_id = %(gone)s, lease = NULL, try_wall = NULL
WHERE member_id = %(into)s AND receipt_id = ANY(%(receipts)s)
"""
FORGET: LiteralString = "DELETE FROM receipts.photo WHERE member_id = %s"


class PhotoNotKept(DomainError):
    """No picture of the receipt, or not any more."""

    code = "photo_not_kept"
    kind = Kind.MISSING


class State(StrEnum):
    """Of a receipt's picture, for who looks at its lines."""

    KEPT = "kept"
    COMING = "coming"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Photo:
    """A picture, sealed: the messenger's name of it (`source`), or itself (`picture`)."""

    source: bytes | None = field(default=None, repr=False)
    picture: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A picture to fetch: `file_id` of this bot."""

    member_id: UUID
    receipt_id: UUID
    key: Key
    bot: str
    file_id: str = field(repr=False)
    attempts: int


def of_messenger(vault: Vault, key: Key, *, bot: str, file_id: str) -> Photo:
    """A picture that the messenger keeps."""
    said = json.dumps([bot, file_id]).encode()
    return Photo(source=vault.encrypt(said, context=_context(key)))


def of_bytes(vault: Vault, key: Key, jpeg: bytes) -> Photo:
    """A picture that nobody else keeps."""
    return Photo(picture=vault.encrypt(jpeg, context=_context(key)))


async def keep(db: Db, photos: Sequence[tuple[UUID, UUID, Photo]], *, now: datetime) -> None:
    """Keep pictures (member, receipt, picture) until their receipts are settled.

    None when the programme wants none.
    """
    own = [one for one in photos if one[2].picture is not None]
    if not own or not (await section.in_force(db, now)).photo_days:
        return
    rows = [(member_id, receipt_id, now, one.picture) for member_id, receipt_id, one in own]
    await kit_db.execute_many(db, KEEP, rows)


async def keep_doubles(
    db: Db,
    photos: Sequence[tuple[UUID, UUID, Photo]],
    proving: Collection[UUID],
    *,
    now: datetime,
) -> None:
    """Keep where pictures of refused doubles (member, receipt, picture) are to be had.

    Of `proving` receipts a person is to look at them; others wait for their member's word.
    """
    if photos and (await section.in_force(db, now)).photo_days:
        rows = [
            (member_id, receipt_id, now, receipt_id in proving, one.source, one.picture)
            for member_id, receipt_id, one in photos
        ]
        await kit_db.execute_many(db, KEEP_DOUBLE, rows)
        db.wake(WORK)


async def prove(db: Db, receipts: Sequence[Place]) -> None:
    """A person is to look at the pictures of these receipts: they prove something."""
    if receipts:
        await db.execute(AWAIT, _columns(receipts))
        db.wake(WORK)


async def settled(
    db: Db, receipts: Sequence[Place], looked_at: Collection[Place], *, now: datetime
) -> None:
    """Receipts were settled: pictures of those that a person is to look at stay, others go.

    Before the work rows go, which name what is to be fetched.
    """
    wanted: Collection[Place] = looked_at
    if wanted and not (await section.in_force(db, now)).photo_days:
        wanted = ()
    if wanted:
        await db.execute(AWAIT, _columns(wanted))
        if await kit_db.fetch_column(db, TO_FETCH, _columns(wanted)):
            db.wake(WORK)
    await drop(db, [one for one in receipts if one not in wanted])


async def drop(db: Db, receipts: Sequence[Place]) -> None:
    """Nobody is to look at these receipts."""
    if receipts:
        await db.execute(DROP, _columns(receipts))


async def claim(db: Db, lease: Lease, *, vault: Vault, wall: datetime, limit: int) -> list[Wanted]:
    """Pictures to fetch, leased."""
    asked = {"token": lease.token, "until": lease.until, "wall": wall, "limit": limit}
    rows = await (await db.execute(CLAIM, asked)).fetchall()
    found = []
    for member_id, receipt_id, fn, fd, source, attempts in rows:
        bot, file_id = json.loads(vault.decrypt(source, context=_context((fn, fd))))
        found.append(Wanted(member_id, receipt_id, (fn, fd), bot, file_id, attempts))
    return found


async def fetched(db: Db, one: Wanted, lease: Lease, jpeg: bytes, *, vault: Vault) -> None:
    """Keep what was fetched, if the lease still holds."""
    sealed = of_bytes(vault, one.key, jpeg).picture
    await db.execute(FETCHED, [sealed, one.member_id, one.receipt_id, lease.token])


async def failed(db: Db, one: Wanted, lease: Lease, *, wall: datetime) -> bool:
    """Try again later; True: no more, the receipt has no picture."""
    place = [one.member_id, one.receipt_id, lease.token]
    if one.attempts > len(PAUSES):
        await db.execute(GIVE_UP, place)
        return True
    await db.execute(AGAIN, [wall + PAUSES[one.attempts - 1], *place])
    return False


async def give_up(db: Db, one: Wanted, lease: Lease) -> None:
    """The messenger does not have it, or it is no picture."""
    await db.execute(GIVE_UP, [one.member_id, one.receipt_id, lease.token])


async def states(db: Db, receipts: Sequence[Place]) -> dict[UUID, State]:
    """By receipt, of those that have a picture or get one."""
    rows = await (await db.execute(STATES, _columns(receipts))).fetchall()
    return {receipt_id: State.KEPT if kept else State.COMING for receipt_id, kept in rows}


async def picture(db: Db, member_id: UUID, receipt_id: UUID, *, vault: Vault) -> bytes:
    """The JPEG beside a receipt's lines; raises `PhotoNotKept`."""
    row = await (await db.execute(ONE, [member_id, receipt_id])).fetchone()
    if row is None:
        raise PhotoNotKept(
            "There is no picture of this receipt: it came without one, or its time is over. Decide "
            "by its lines."
        )
    sealed, fn, fd = row
    return vault.decrypt(sealed, context=_context((fn, fd)))


async def sweep(db: Db, *, now: datetime, limit: int) -> int:
    """Erase pictures whose time is over, or that were looked at long enough ago; how many."""
    rules = await section.in_force(db, now)
    over = {
        "latest": now - timedelta(days=rules.photo_days),
        "decided": now - timedelta(days=rules.photo_decided_days),
        "limit": limit,
    }
    return (await db.execute(SWEEP, over)).rowcount


def _columns(places: Collection[Place]) -> list[Any]:
    return [[one for one, _ in places], [one for _, one in places]]


def _context(key: Key) -> bytes:
    """Of the document, not of the member: who is merged or parted keeps their pictures."""
    return b"receipts.photo %d %d" % key
