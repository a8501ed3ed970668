"""CPU or batch work that a face hands to a worker process and waits for.

The rows are leased (`leases`): a worker that dies is replaced by another once its lease is over,
three times at most, so a picture that kills its reader does not kill every reader.
"""

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, LiteralString, TypeVar
from uuid import UUID

import structlog
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from vezde.kit import db as kit_db
from vezde.kit import ids
from vezde.kit.clock import utc_now
from vezde.kit.db import Database, Db
from vezde.kit.errors import DomainError, FieldError, Kind, Unavailable
from vezde.kit.work import failures, leases, waiting, wake
from vezde.kit.work.leases import Lease
from vezde.kit.work.wake import Waker

log = structlog.get_logger("vezde.work")

Row = TypeVar("Row")

STAGE = "kit.calls"
MOST_WAITING = 200
MOST_ATTEMPTS = 3
LEASE_SECONDS = 20.0
FIRST_LOOK_SECONDS, LONGEST_LOOK_SECONDS = 0.05, 1.0
KEEP_ABANDONED = timedelta(minutes=1)

# The wake-ups go with the transaction: a call is rare and somebody waits for it.
PLACE: LiteralString = """
WITH placed AS (
    INSERT INTO kit.call (id, kind, payload, created_at, give_up_at, attempts)
    SELECT %(id)s, %(kind)s, %(payload)s, %(wall)s, %(give_up_at)s, 0
    WHERE (SELECT count(*) FROM kit.call WHERE done_at IS NULL AND give_up_at > %(wall)s)
        < %(most_waiting)s
    RETURNING id
)
SELECT id, pg_notify('vezde_wake', %(note)s) FROM placed
"""
CLAIM: LiteralString = """
UPDATE kit.call SET lease_token = %(token)s, leased_until = %(until)s, attempts = attempts + 1
WHERE id = (
    SELECT id FROM kit.call
    WHERE done_at IS NULL AND (leased_until IS NULL OR leased_until <= %(wall)s)
      AND attempts < %(most_attempts)s AND give_up_at > %(wall)s AND kind = ANY(%(kinds)s)
    ORDER BY created_at, id
    LIMIT 1
    FOR UPDATE SKIP LOCKED
)
RETURNING id, kind, payload
"""
FINISH: LiteralString = """
WITH finished AS (
    UPDATE kit.call SET done_at = %(wall)s, answer = %(answer)s, error = %(error)s
    WHERE id = %(id)s AND lease_token = %(token)s AND done_at IS NULL
    RETURNING id
)
SELECT id, pg_notify('vezde_wake', %(note)s) FROM finished
"""
LET_GO: LiteralString = """
WITH free AS (
    UPDATE kit.call SET lease_token = NULL, leased_until = %(wall)s
    WHERE id = %(id)s AND lease_token = %(token)s
    RETURNING id
)
SELECT id, pg_notify('vezde_wake', %(note)s) FROM free
"""
LOOK: LiteralString = """
SELECT done_at, answer, error, attempts, leased_until FROM kit.call WHERE id = %s
"""
FORGET: LiteralString = "DELETE FROM kit.call WHERE id = %s"
SWEEP: LiteralString = "DELETE FROM kit.call WHERE give_up_at < %s"


class Busy(DomainError):
    """Too many callers wait already."""

    code = "busy"
    kind = Kind.EXHAUSTED


@dataclass(frozen=True)
class _State:
    done_at: datetime | None
    answer: bytes | None
    error: dict[str, Any] | None
    attempts: int
    leased_until: datetime | None


@dataclass(frozen=True)
class _Claimed:
    id: UUID
    kind: str
    payload: bytes


# Handler(payload, call id) -> answer. It may be run again with the same id after a crash. What it
# raises as a DomainError the caller gets, anything else is tried again.
Handler = Callable[[bytes, UUID], Awaitable[bytes]]


async def request(
    database: Database,
    waker: Waker,
    kind: str,
    payload: bytes,
    *,
    timeout_seconds: float,
    most_waiting: int = MOST_WAITING,
    wall: Callable[[], datetime] = utc_now,
) -> bytes:
    """The answer of a worker's handler for `kind`; the handler's `DomainError` is raised here.

    Raises `Busy` when `most_waiting` calls are not done yet, `Unavailable` when no answer came in
    time or the work failed three times.
    """
    call_id = ids.new()
    row = {
        "id": call_id,
        "kind": kind,
        "payload": payload,
        "wall": wall(),
        "give_up_at": wall() + timedelta(seconds=timeout_seconds),
        "most_waiting": most_waiting,
        "note": wake.payload([STAGE]),
    }
    with waker.watch(_name(call_id)) as answered:
        await _place(database, row)
        try:
            async with asyncio.timeout(timeout_seconds):
                state = await _answer(database, call_id, answered, wall)
        except TimeoutError as error:
            async with database.transaction() as db:
                await db.execute(FORGET, [call_id])
            raise Unavailable(
                "The work was not done in time. Try again in a few seconds.",
                retry_after_seconds=5,
            ) from error
    if state.error is not None:
        raise _raised(state.error)
    assert state.answer is not None, "a done call has an answer or an error"
    return state.answer


async def work_calls(
    database: Database,
    handlers: Mapping[str, Handler],
    *,
    lease_seconds: float = LEASE_SECONDS,
    wall: Callable[[], datetime] = utc_now,
) -> int:
    """Take one waiting call, work it, answer it: 1; nothing to take: sweep, 0.

    A handler must end well within `lease_seconds`, or another worker starts the same work.
    """
    lease = leases.take(wall=wall(), seconds=lease_seconds)
    call = await _claim(database, handlers, lease, wall())
    if call is None:
        return 0
    try:
        answer = await handlers[call.kind](call.payload, call.id)
    except DomainError as error:
        await _finish(database, call.id, lease, wall(), error=error)
    except Exception as error:
        said = failures.describe(error)
        log.error("call failed", kind=call.kind, call=str(call.id), error=said)  # noqa: TRY400 (messages may name a person)
        await _let_go(database, call.id, lease, wall())
    else:
        await _finish(database, call.id, lease, wall(), answer=answer)
    return 1


async def sweep(db: Db, *, wall: datetime) -> int:
    """Delete calls whose callers are gone, answered or not; how many."""
    return (await db.execute(SWEEP, [wall - KEEP_ABANDONED])).rowcount


async def _place(database: Database, row: dict[str, Any]) -> None:
    async with database.transaction() as db:
        if await kit_db.fetch_value(db, PLACE, row) is None:
            raise Busy(
                "Too much is being worked on just now. Try again in a few seconds.",
                retry_after_seconds=3,
            )


async def _answer(
    database: Database, call_id: UUID, answered: asyncio.Event, wall: Callable[[], datetime]
) -> _State:
    seconds = FIRST_LOOK_SECONDS
    while True:
        await waiting.until(answered, seconds=seconds)
        answered.clear()
        seconds = min(seconds * 2, LONGEST_LOOK_SECONDS)
        async with database.transaction() as db:
            state = await _fetch(db, _State, LOOK, [call_id])
            if state is None:  # the table does not outlive a crash of the server
                raise Unavailable("The work was lost. Try again.", retry_after_seconds=1)
            if state.done_at is not None or _dead(state, wall()):
                await db.execute(FORGET, [call_id])
                break
    if state.done_at is None:
        raise Unavailable("The work failed several times. Try again later.", retry_after_seconds=60)
    return state


def _dead(state: _State, wall: datetime) -> bool:
    """Every attempt ended with its worker."""
    over = state.leased_until is not None and state.leased_until <= wall
    return over and state.attempts >= MOST_ATTEMPTS


async def _claim(
    database: Database, kinds: Collection[str], lease: Lease, wall: datetime
) -> _Claimed | None:
    row = {
        "token": lease.token,
        "until": lease.until,
        "wall": wall,
        "most_attempts": MOST_ATTEMPTS,
        "kinds": list(kinds),
    }
    async with database.transaction() as db:
        call = await _fetch(db, _Claimed, CLAIM, row)
        if call is None:
            await sweep(db, wall=wall)
        return call


async def _fetch(db: Db, row: type[Row], query: LiteralString, params: Any) -> Row | None:
    """As `fetch_one`, in binary: a picture as text would be twice as long."""
    async with db.cursor(row_factory=class_row(row), binary=True) as cursor:
        await cursor.execute(query, params)
        return await cursor.fetchone()


async def _finish(
    database: Database,
    call_id: UUID,
    lease: Lease,
    wall: datetime,
    *,
    answer: bytes | None = None,
    error: DomainError | None = None,
) -> None:
    row = {
        "wall": wall,
        "answer": answer,
        "error": Jsonb(_said(error)) if error else None,
        "id": call_id,
        "token": lease.token,
        "note": wake.payload([_name(call_id)]),
    }
    async with database.transaction() as db:
        if await kit_db.fetch_value(db, FINISH, row) is None:
            log.warning("call finished too late", call=str(call_id))


async def _let_go(database: Database, call_id: UUID, lease: Lease, wall: datetime) -> None:
    """Let another take it; after the last attempt its caller sees that and gives up."""
    note = wake.payload([STAGE, _name(call_id)])
    row = {"wall": wall, "id": call_id, "token": lease.token, "note": note}
    async with database.transaction() as db:
        await db.execute(LET_GO, row)


def _name(call_id: UUID) -> str:
    return f"call:{call_id}"


def _said(error: DomainError) -> dict[str, Any]:
    return {
        "code": error.code,
        "kind": error.kind,
        "detail": error.detail,
        "errors": [dataclasses.asdict(wrong) for wrong in error.errors],
        "extra": error.extra,
        "retry_after_seconds": error.retry_after_seconds,
    }


def _raised(said: dict[str, Any]) -> DomainError:
    """An error of the same code and kind as the handler's, which may live in another process."""
    its = {"code": said["code"], "kind": Kind(said["kind"])}
    made: type[DomainError] = type("RaisedByHandler", (DomainError,), its)
    return made(
        said["detail"],
        errors=tuple(FieldError(**wrong) for wrong in said["errors"]),
        extra=said["extra"],
        retry_after_seconds=said["retry_after_seconds"],
    )
