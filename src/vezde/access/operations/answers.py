"""Answers of requests that carry an Idempotency-Key.

The protocol, all of it inside the transaction of the effect:

    stored = await claim_answer(db, …)      # waits while the same request runs elsewhere
    if stored is None:
        …                                   # the effect
        await store_answer(db, …)

The claim is a row that a second request's insert waits on. When the first commits, the second finds
the answer; when the first rolls back, the row was never there and the second does the work. A
refusal is a rollback, so refusals are not stored: repeating the request asks again.
"""

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

# DO UPDATE locks the row that is in the way also when WHERE leaves it alone, so that no sweep takes
# it away before READ.
CLAIM: LiteralString = """
INSERT INTO access.answer AS kept
    (key_id, route, idempotency_hmac, fingerprint, created_wall, expires_wall)
VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT (key_id, route, idempotency_hmac) DO UPDATE
SET fingerprint = excluded.fingerprint, status = NULL, media_type = NULL, sealed = NULL,
    member_id = NULL, created_wall = excluded.created_wall, expires_wall = excluded.expires_wall
WHERE kept.expires_wall <= excluded.created_wall
RETURNING key_id
"""
READ: LiteralString = """
SELECT fingerprint, status, media_type, sealed, member_id FROM access.answer
WHERE key_id = %s AND route = %s AND idempotency_hmac = %s
"""
# A route that stores an answer it has not claimed is a bug, which a division by zero rolls back:
# nobody waits for this statement, it leaves with the COMMIT.
STORE: LiteralString = """
WITH kept AS (
    UPDATE access.answer SET status = %s, media_type = %s, sealed = %s, member_id = %s
    WHERE key_id = %s AND route = %s AND idempotency_hmac = %s AND status IS NULL
    RETURNING key_id
)
SELECT 1 / count(*) FROM kept
"""
SWEEP: LiteralString = """
DELETE FROM access.answer WHERE (key_id, route, idempotency_hmac) IN (
    SELECT key_id, route, idempotency_hmac FROM access.answer
    WHERE expires_wall <= %s ORDER BY expires_wall LIMIT %s FOR UPDATE SKIP LOCKED)
"""


FORGET_ALL: LiteralString = "DELETE FROM access.answer"


@dataclass(frozen=True)
class AnswerRow:
    """What is kept of a request; without a status its work is still being done."""

    fingerprint: bytes
    status: int | None
    media_type: str | None
    sealed: bytes | None
    member_id: UUID | None


async def claim_answer(
    db: Db,
    *,
    key_id: UUID,
    route: str,
    idempotency_key: str,
    fingerprint: bytes,
    wall: datetime,
    vault: Vault,
) -> Stored | None:
    """The answer this request got before, or None: then do the work and `store_answer`.

    Waits while the same request runs in another transaction. `route` is the method and the path
    template; `fingerprint` as `model.fingerprint` makes it; an answer older than 48 h is forgotten.
    Raises `InvalidIdempotencyKey`, and `KeyReused` when the content is another.
    """
    place = _place(key_id, route, idempotency_key, vault)
    expires = wall + model.ANSWER_TTL
    if await kit_db.fetch_value(db, CLAIM, [*place, fingerprint, wall, expires]):
        return None
    row = await kit_db.fetch_one(db, AnswerRow, READ, place)
    assert row is not None, "the claim has locked the row"
    if row.fingerprint != fingerprint:
        raise KeyReused(
            "This Idempotency-Key was used for a request of other content; send a fresh key with "
            "a new request, and the same content when you repeat one"
        )
    if row.status is None or row.media_type is None or row.sealed is None:
        raise AssertionError(f"{route} committed its claim without store_answer, or claims twice")
    body = zlib.decompress(vault.decrypt(row.sealed, context=_context(place)))
    return Stored(row.status, row.media_type, body, row.member_id)


async def store_answer(
    db: Db,
    *,
    key_id: UUID,
    route: str,
    idempotency_key: str,
    status: int,
    body: bytes,
    member_id: UUID | None,
    vault: Vault,
    media_type: str = "application/json",
) -> None:
    """Keep what the request is answered, in the transaction that claimed it.

    `member_id`: whom the answer is about, so that it goes when they are forgotten.
    """
    place = _place(key_id, route, idempotency_key, vault)
    # Compressed first, as sealed bytes no longer shrink: an answer of a batch is long and monotone.
    sealed = vault.encrypt(zlib.compress(body, level=1), context=_context(place))
    try:
        await db.execute(STORE, [status, media_type, sealed, member_id, *place])
    except DivisionByZero as error:
        raise AssertionError(f"{route} stores an answer it has not claimed") from error


async def sweep_answers(db: Db, *, wall: datetime, limit: int) -> int:
    """Delete up to `limit` answers whose time is over; returns how many."""
    return (await db.execute(SWEEP, [wall, limit])).rowcount


async def forget_answers(db: Db) -> None:
    """Delete every stored answer (a sandbox begins anew); needs the owner's login.

    Row by row and not by TRUNCATE: the very request that asks for it holds its claim here.
    """
    await db.execute(FORGET_ALL)


def _place(key_id: UUID, route: str, idempotency_key: str, vault: Vault) -> tuple[UUID, str, bytes]:
    text = model.sound_idempotency_key(idempotency_key)
    return key_id, route, vault.blind(text, purpose="access.idempotency_key")


def _context(place: tuple[UUID, str, bytes]) -> bytes:
    key_id, route, blind = place
    return b"access.answer " + key_id.bytes + blind + route.encode()
