"""Answers of requests that carry an Idempotency-Key.

The protocol, all of it inside the transaction of the effect:

    stored = await claim_answer(db, request)    # waits while the same request runs elsewhere
    if stored is None:
        …                                       # the effect
        await store_answer(db, request, answer)

The claim is a lock for the time of the transaction. When the first of two commits, the second finds
the answer; when it rolls back, nothing was there and the second does the work. A refusal is a
rollback, so refusals are not stored: repeating the request asks again.
"""

import hashlib
import zlib
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from psycopg.errors import DivisionByZero

from vezde.access import model
from vezde.access.model import KeyReused, Stored
from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.kit.vault import Vault

CLAIM: LiteralString = "SELECT pg_advisory_xact_lock(%s::bigint)"
# By itself, after the lock: a statement sees what was committed when it began.
READ: LiteralString = """
SELECT fingerprint, status, media_type, sealed, member_id FROM access.answer
WHERE key_id = %s AND route = %s AND idempotency_hmac = %s AND expires_wall > %s
"""
# A route that stores two answers under one claim is a bug, which a division by zero rolls back:
# nobody waits for this statement, it leaves with the COMMIT.
STORE: LiteralString = """
WITH stored AS (
    INSERT INTO access.answer AS kept
        (key_id, route, idempotency_hmac, fingerprint, created_wall, expires_wall,
         status, media_type, sealed, member_id)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT (key_id, route, idempotency_hmac) DO UPDATE
    SET fingerprint = excluded.fingerprint, status = excluded.status,
        media_type = excluded.media_type, sealed = excluded.sealed,
        member_id = excluded.member_id, created_wall = excluded.created_wall,
        expires_wall = excluded.expires_wall
    WHERE kept.expires_wall <= excluded.created_wall
    RETURNING key_id
)
SELECT 1 / count(*) FROM stored
"""
SWEEP: LiteralString = """
DELETE FROM access.answer WHERE (key_id, route, idempotency_hmac) IN (
    SELECT key_id, route, idempotency_hmac FROM access.answer
    WHERE expires_wall <= %s ORDER BY expires_wall LIMIT %s FOR UPDATE SKIP LOCKED)
"""


FORGET_ALL: LiteralString = "DELETE FROM access.answer"


@dataclass(frozen=True)
class Asked:
    """A request that carries an Idempotency-Key, as it is told from others; made by `asked`."""

    key_id: UUID
    route: str
    blind: bytes
    fingerprint: bytes
    wall: datetime

    @property
    def place(self) -> tuple[UUID, str, bytes]:
        return self.key_id, self.route, self.blind

    @property
    def lock(self) -> int:
        """What its claim locks: 64 bits of its own, so that two of them hardly ever meet."""
        digest = hashlib.blake2b(self.context, digest_size=8).digest()
        return int.from_bytes(digest, signed=True)

    @property
    def context(self) -> bytes:
        """What its answer is sealed for."""
        return b"access.answer " + self.key_id.bytes + self.blind + self.route.encode()


@dataclass(frozen=True)
class AnswerRow:
    """What is kept of a request."""

    fingerprint: bytes
    status: int
    media_type: str
    sealed: bytes
    member_id: UUID | None


def asked(
    *,
    key_id: UUID,
    route: str,
    idempotency_key: str,
    fingerprint: bytes,
    wall: datetime,
    vault: Vault,
) -> Asked:
    """The request, at this wall time.

    `route` is the method and the path template; `fingerprint` as `model.fingerprint` makes it.
    Raises `InvalidIdempotencyKey`.
    """
    text = model.sound_idempotency_key(idempotency_key)
    blind = vault.blind(text, purpose="access.idempotency_key")
    return Asked(key_id, route, blind, fingerprint, wall)


async def claim_answer(db: Db, request: Asked, *, vault: Vault) -> Stored | None:
    """The answer this request got before, or None: then do the work and `store_answer`.

    Waits while the same request runs in another transaction; an answer older than 48 h is
    forgotten. Raises `KeyReused` when the content is another.
    """
    await db.execute(CLAIM, [request.lock])
    row = await kit_db.fetch_one(db, AnswerRow, READ, [*request.place, request.wall])
    if row is None:
        return None
    if row.fingerprint != request.fingerprint:
        raise KeyReused(
            "This Idempotency-Key was used for a request of other content; send a fresh key with "
            "a new request, and the same content when you repeat one"
        )
    body = zlib.decompress(vault.decrypt(row.sealed, context=request.context))
    return Stored(row.status, row.media_type, body, row.member_id)


async def store_answer(db: Db, request: Asked, answer: Stored, *, vault: Vault) -> None:
    """Keep what the request is answered, in the transaction that claimed it.

    Its `member_id` is whom the answer is about, so that it goes when they are forgotten.
    """
    # Compressed first, as sealed bytes no longer shrink: an answer of a batch is long and monotone.
    sealed = vault.encrypt(zlib.compress(answer.body, level=1), context=request.context)
    row = [
        *request.place,
        request.fingerprint,
        request.wall,
        request.wall + model.ANSWER_TTL,
        answer.status,
        answer.media_type,
        sealed,
        answer.member_id,
    ]
    try:
        await db.execute(STORE, row)
    except DivisionByZero as error:
        raise AssertionError(f"{request.route} stores a second answer") from error


async def sweep_answers(db: Db, *, wall: datetime, limit: int) -> int:
    """Delete up to `limit` answers whose time is over; returns how many."""
    return (await db.execute(SWEEP, [wall, limit])).rowcount


async def forget_answers(db: Db) -> None:
    """Delete every stored answer (a sandbox begins anew); needs the owner's login.

    Row by row and not by TRUNCATE, which would wait for the very request that asks for it: that has
    looked here for its answer, and its transaction is open.
    """
    await db.execute(FORGET_ALL)
