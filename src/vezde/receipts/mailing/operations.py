"""Mailboxes are made, letters kept, worked and erased."""

import hashlib
import json
import re
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final, LiteralString
from uuid import UUID

from psycopg.types.json import Jsonb

from vezde.kit import db as kit_db
from vezde.kit import ids
from vezde.kit.db import Db
from vezde.kit.errors import DomainError, Kind
from vezde.kit.vault import Vault
from vezde.kit.work.leases import Lease
from vezde.members import operations as members
from vezde.members.operations import Moved
from vezde.outbox import operations as outbox
from vezde.outbox.model import FactRow
from vezde.receipts.reading.model import Excerpt

WORK: Final = "receipts.letters"
READ: Final = "receipts.letter_read/1"
# Without letters and digits that look alike; a name is typed into a profile by hand.
ALPHABET: Final = "23456789abcdefghjkmnpqrstuvwxyz"
NAME_LENGTH: Final = 6
NAME = re.compile(rf"m-[{ALPHABET}]{{{NAME_LENGTH}}}")
MOST_WAITING: Final = 5_000  # of everybody; more says that nobody works them
MOST_A_DAY: Final = 60  # of one member
MOST_TOLD: Final = 200
KEEP: Final = timedelta(days=60)  # how long a repeat is known
PAUSES: Final = (timedelta(seconds=30), timedelta(minutes=10), timedelta(hours=2))

OF_MEMBER: LiteralString = """
SELECT name FROM receipts.mailbox WHERE member_id = %s ORDER BY made_at, name LIMIT 1
"""
MAKE: LiteralString = """
INSERT INTO receipts.mailbox (name, member_id, made_at) VALUES (%s, %s, %s)
ON CONFLICT (name) DO NOTHING RETURNING name
"""
OWNERS: LiteralString = "SELECT name, member_id FROM receipts.mailbox WHERE name = ANY(%s)"
COUNTS: LiteralString = """
SELECT (SELECT count(*) FROM receipts.letter WHERE state = 'waiting'),
       (SELECT count(*) FROM receipts.letter WHERE member_id = %s AND received_wall > %s)
"""
KEEP_LETTER: LiteralString = """
INSERT INTO receipts.letter
    (member_id, letter_id, letter_key, state, sealed, received_wall, due_wall)
VALUES (%s, %s, %s, 'waiting', %s, %s, %s)
ON CONFLICT (member_id, letter_key) DO NOTHING
RETURNING letter_id
"""
CLAIM: LiteralString = """
UPDATE receipts.letter SET lease = %(token)s, due_wall = %(until)s, attempts = attempts + 1
WHERE (member_id, letter_id) IN (
    SELECT member_id, letter_id FROM receipts.letter
    WHERE state = 'waiting' AND due_wall <= %(wall)s
    ORDER BY due_wall LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
RETURNING member_id, letter_id, sealed, attempts
"""
STILL_MINE: LiteralString = """
SELECT letter_id FROM receipts.letter
WHERE member_id = %s AND letter_id = %s AND lease = %s FOR UPDATE
"""
DONE: LiteralString = """
UPDATE receipts.letter SET state = 'done', sealed = NULL, lease = NULL, excerpt = %s
WHERE member_id = %s AND letter_id = %s
"""
FAILED: LiteralString = """
UPDATE receipts.letter SET state = %s, due_wall = %s, lease = NULL, error = %s
WHERE member_id = %s AND letter_id = %s AND lease = %s
"""
TAKE_EXCERPT: LiteralString = """
UPDATE receipts.letter AS told SET excerpt = NULL
FROM receipts.letter AS before
WHERE told.member_id = %(member)s AND told.letter_id = %(letter)s
  AND before.member_id = %(member)s AND before.letter_id = %(letter)s
RETURNING before.excerpt
"""
SWEEP: LiteralString = """
DELETE FROM receipts.letter WHERE (member_id, letter_id) IN (
    SELECT member_id, letter_id FROM receipts.letter WHERE received_wall < %s LIMIT %s)
"""
MERGE_BOXES: LiteralString = """
UPDATE receipts.mailbox SET member_id = %(into)s WHERE member_id = %(gone)s RETURNING name
"""
# What both were sent is worked once; letters that are being read are claimed anew.
DROP_DOUBLES: LiteralString = """
DELETE FROM receipts.letter AS double USING receipts.letter AS kept
WHERE double.member_id = %(gone)s AND kept.member_id = %(into)s
  AND kept.letter_key = double.letter_key
RETURNING to_jsonb(double)
"""
MERGE_LETTERS: LiteralString = """
UPDATE receipts.letter SET member_id = %(into)s, lease = NULL WHERE member_id = %(gone)s
RETURNING letter_id::text
"""
UNMERGE: tuple[LiteralString, ...] = (
    """
    UPDATE receipts.mailbox SET member_id = %(gone)s
    WHERE member_id = %(into)s AND name = ANY(%(mailboxes)s)
    """,
    """
    UPDATE receipts.letter SET member_id = %(gone)s, lease = NULL
    WHERE member_id = %(into)s AND letter_id = ANY(%(letters)s::uuid[])
    """,
    """
    INSERT INTO receipts.letter
    SELECT (jsonb_populate_recordset(NULL::receipts.letter, %(doubled)s)).*
    ON CONFLICT DO NOTHING
    """,
)
FORGET_BOXES: LiteralString = "DELETE FROM receipts.mailbox WHERE member_id = %s"
FORGET_LETTERS: LiteralString = "DELETE FROM receipts.letter WHERE member_id = %s"
WAITING: LiteralString = "SELECT count(*) FROM receipts.letter WHERE state = 'waiting'"


class MailboxFull(DomainError):
    """More letters than are worked; their sender tries again."""

    code = "mailbox_full"
    kind: ClassVar[Kind] = Kind.EXHAUSTED


@dataclass(frozen=True)
class Letter:
    """A letter in hand; `raw` as its sender wrote it."""

    member_id: UUID
    letter_id: UUID
    raw: bytes = field(repr=False)
    attempts: int


async def mailbox(db: Db, member_id: UUID, *, now: datetime) -> str:
    """The member's own name before the @, made at the first call.

    The caller holds the member's row, so that two calls make one.
    """
    if known := await kit_db.fetch_value(db, OF_MEMBER, [member_id]):
        return str(known)
    while True:
        name = "m-" + "".join(secrets.choice(ALPHABET) for _ in range(NAME_LENGTH))
        if await kit_db.fetch_value(db, MAKE, [name, member_id, now]):
            return name


async def owners(db: Db, names: Collection[str]) -> dict[str, UUID]:
    """Whose these names are, those that are somebody's; capitals are no other name."""
    wanted = [one.casefold() for one in names if NAME.fullmatch(one.casefold())]
    rows = await (await db.execute(OWNERS, [wanted])).fetchall() if wanted else []
    return dict(rows)


async def keep(
    db: Db, member_ids: Sequence[UUID], raw: bytes, *, message_id: str, vault: Vault, wall: datetime
) -> int:
    """Keep a letter for each of these members; how many did not have it yet.

    Commit before its sender is told. Raises `MailboxFull`; nothing was kept then. Whoever is no
    member any more gets nothing.
    """
    kept = 0
    for member_id in sorted(await members.present(db, set(member_ids))):
        row = await (await db.execute(COUNTS, [member_id, wall - timedelta(days=1)])).fetchone()
        if row and (row[0] >= MOST_WAITING or row[1] >= MOST_A_DAY):
            raise MailboxFull("Too many letters; try again later.", retry_after_seconds=3_600)
        letter_id = ids.new()
        sealed = vault.encrypt(raw, context=_context(letter_id))
        key = vault.blind(message_id, purpose="receipts.letter")
        new = [member_id, letter_id, key, sealed, wall, wall]
        kept += await kit_db.fetch_value(db, KEEP_LETTER, new) is not None
    if kept:
        db.wake(WORK)
    return kept


def name_of(raw: bytes, message_id: str | None) -> str:
    """By what a letter is known: its Message-ID, else what it says itself."""
    given = (message_id or "").strip()
    return given[:998] if given else hashlib.sha256(raw).hexdigest()


async def claim(db: Db, lease: Lease, *, vault: Vault, wall: datetime, limit: int) -> list[Letter]:
    """Letters that are due, leased."""
    row = {"token": lease.token, "until": lease.until, "wall": wall, "limit": limit}
    rows = await (await db.execute(CLAIM, row)).fetchall()
    return [
        Letter(member_id, letter_id, vault.decrypt(sealed, context=_context(letter_id)), attempts)
        for member_id, letter_id, sealed, attempts in rows
    ]


async def mine(db: Db, letter: Letter, lease: Lease) -> bool:
    """Whether the lease still holds; then the letter is locked."""
    wanted = [letter.member_id, letter.letter_id, lease.token]
    return await kit_db.fetch_value(db, STILL_MINE, wanted) is not None


async def done(
    db: Db,
    letter: Letter,
    receipt_ids: Sequence[UUID],
    excerpt: Excerpt | None,
    *,
    vault: Vault,
    now: datetime,
) -> None:
    """Erase a letter that was worked, and tell of its new receipts, or that it has to be seen."""
    sealed = None
    if excerpt is not None:
        said = json.dumps(excerpt.to_json()).encode()
        sealed = vault.encrypt(said, context=_context(letter.letter_id))
    await db.execute(DONE, [sealed, letter.member_id, letter.letter_id])
    if not receipt_ids and excerpt is None:
        return
    data = {
        "letter_id": str(letter.letter_id),
        "receipt_ids": [str(one) for one in receipt_ids[:MOST_TOLD]],
    }
    fact = FactRow(
        id=ids.new(),
        member_id=letter.member_id,
        subject=None,
        kind=READ,
        occurred_at=now,
        recorded_at=now,
        data=data,
    )
    await outbox.record(db, [fact])


async def failed(db: Db, letter: Letter, lease: Lease, error: str, *, wall: datetime) -> None:
    """Try again later, at last park it."""
    again = letter.attempts <= len(PAUSES)
    due = wall + PAUSES[letter.attempts - 1] if again else wall
    state = "waiting" if again else "parked"
    place = [letter.member_id, letter.letter_id, lease.token]
    await db.execute(FAILED, [state, due, error, *place])


async def take_excerpt(db: Db, member_id: UUID, letter_id: UUID, *, vault: Vault) -> Excerpt | None:
    """What is to be shown of a letter that asks its reader to do something; then it is erased."""
    asked = {"member": member_id, "letter": letter_id}
    sealed = await kit_db.fetch_value(db, TAKE_EXCERPT, asked)
    if sealed is None:
        return None
    return Excerpt.from_json(json.loads(vault.decrypt(sealed, context=_context(letter_id))))


async def sweep(db: Db, *, wall: datetime, limit: int) -> int:
    """Forget old letters, worked or parked; how many."""
    return (await db.execute(SWEEP, [wall - KEEP, limit])).rowcount


async def waiting(db: Db) -> int:
    """How many letters are to be read."""
    return int(await kit_db.fetch_value(db, WAITING) or 0)


async def merge(db: Db, into: UUID, gone: UUID) -> Moved:
    """Both members' addresses are the one's, with what came to them."""
    both = {"into": into, "gone": gone}
    mailboxes = await kit_db.fetch_column(db, MERGE_BOXES, both)
    doubled = await kit_db.fetch_column(db, DROP_DOUBLES, both)
    letters = await kit_db.fetch_column(db, MERGE_LETTERS, both)
    # A letter to both that waits is worked once, for `into`.
    worked = [one for one in doubled if one["state"] != "waiting"]
    return {"mailboxes": mailboxes, "doubled": worked, "letters": letters}


async def unmerge(db: Db, into: UUID, gone: UUID, *, moved: Moved) -> None:
    """The addresses of `gone` are theirs again, with what had come to them before the merge."""
    asked: dict[str, Any] = {"into": into, "gone": gone, "doubled": Jsonb(moved["doubled"])}
    asked |= {name: moved[name] for name in ("mailboxes", "letters")}
    for statement in UNMERGE:
        await db.execute(statement, asked)


async def forget(db: Db, member_id: UUID) -> None:
    """The addresses are nobody's from now on, and their letters are gone."""
    await db.execute(FORGET_BOXES, [member_id])
    await db.execute(FORGET_LETTERS, [member_id])


def _context(letter_id: UUID) -> bytes:
    return b"receipts.letter " + letter_id.bytes
