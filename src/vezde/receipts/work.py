"""Two stages of background work: ask providers for documents, settle what they found."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog

from vezde.kit import db as kit_db
from vezde.kit import ids
from vezde.kit.clock import Clock
from vezde.kit.db import Database, Db
from vezde.kit.errors import Unavailable
from vezde.kit.work import failures
from vezde.members import operations as members
from vezde.receipts import asking, queries, standing
from vezde.receipts.asking import Round
from vezde.receipts.model import FiscalDocument, Reason
from vezde.receipts.operations import checking, claims, providing, turns, writing
from vezde.receipts.operations.checking import Answered, Check
from vezde.receipts.operations.claims import Turn
from vezde.receipts.operations.settling import Item, settle
from vezde.receipts.providers.protocol import Provider, Query

log = structlog.get_logger(__name__)

LEASE_SECONDS = 120
ASK_AT_ONCE = 8
GATHER_SECONDS = 0.02
SETTLE_AT_ONCE = 100

DUE = """
SELECT member_id FROM receipts.verification
WHERE step = 'settle' AND parked_because IS NULL AND due_at <= %s
ORDER BY due_at, receipt_id
LIMIT %s
"""
READY = """
SELECT verification.member_id, verification.receipt_id, receipt.registered_at, document.document
FROM receipts.verification
JOIN receipts.receipt USING (member_id, receipt_id)
JOIN receipts.document USING (member_id, receipt_id)
WHERE verification.step = 'settle' AND verification.parked_because IS NULL
  AND verification.due_at <= %s AND verification.member_id = ANY(%s)
ORDER BY verification.due_at, verification.receipt_id
LIMIT %s
FOR UPDATE OF verification SKIP LOCKED
"""
PARK = """
UPDATE receipts.verification SET parked_because = %s WHERE member_id = %s AND receipt_id = %s
"""


def unnamed(_member_id: UUID) -> str:
    """No name of a member for providers: all asks are the installation's own."""
    return ""


async def ask_once(
    database: Database,
    providers: Sequence[Provider],
    *,
    clock: Clock,
    person: Callable[[UUID], str] = unnamed,
) -> int:
    """Lease due checks, ask the providers side by side, finish each; returns how many were due.

    `person` gives a member's pseudonym, for vendors that want to know one from another. While no
    provider may be asked, nothing is leased: what waits is as it was when one may.
    """
    if not providers:
        return 0
    token = ids.new()
    names = [one.name for one in providers]
    async with database.transaction(pipeline=True) as db:
        now, wall = await clock.programme(db), clock.wall()
        stood = await queries.providers(db, names, wall=wall)
        free = sum(standing.allowed(one, ASK_AT_ONCE, wall=wall) for one in stood)
        limit = min(free, ASK_AT_ONCE)
        checks = await checking.lease(
            db,
            token=token,
            now=now,
            wall=wall,
            seconds=LEASE_SECONDS,
            limit=limit,
            sparing=any(one.spared for one in stood),
        )
        if not checks:
            return 0
        given = await providing.reserve(db, names, wanted=len(checks), now=now, wall=wall)
    asked = asking.Round(providers, given, wall=wall, seconds=LEASE_SECONDS * 3 / 4)
    async with asyncio.TaskGroup() as group:
        calls = {group.create_task(_ask(asked, check, person)) for check in checks}
        while calls:
            await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.sleep(GATHER_SECONDS)  # those that answer soon are finished together
            come = {call for call in calls if call.done()}
            calls -= come
            await _finish(database, [call.result() for call in come], token=token, clock=clock)
    if tallies := asked.tallies:
        async with database.transaction(pipeline=True) as db:
            now, wall = await clock.programme(db), clock.wall()
            await providing.note(db, tallies, now=now, wall=wall, jitter=failures.jitter())
    return len(checks)


async def next_ask(db: Db, *, providers: Sequence[Provider], clock: Clock) -> datetime | None:
    """When a document falls due to be asked for; None while nobody may be asked for it."""
    stood = await queries.providers(db, [one.name for one in providers], wall=clock.wall())
    if not any(standing.allowed(one, 1, wall=clock.wall()) for one in stood):
        return None
    return await checking.next_due(db, step="ask")


async def _ask(asked: Round, check: Check, person: Callable[[UUID], str]) -> Answered:
    query = Query(check.fields, check.asked, person(check.member_id))
    name, answer = await asked.consult(query, is_known=check.is_known)
    return Answered(check, answer, provider=name)


async def _finish(
    database: Database, answered: Sequence[Answered], *, token: UUID, clock: Clock
) -> None:
    """Together, and where that fails one by one: the others are not held up by one of them."""
    try:
        async with database.transaction(pipeline=True) as db:
            lost = await checking.finish(
                db,
                answered,
                token=token,
                now=await clock.programme(db),
                wall=clock.wall(),
                jitter=failures.jitter(),
            )
    except Unavailable:
        raise
    except Exception as error:
        if len(answered) == 1:
            raise
        log.warning("checks_finished_one_by_one", error=failures.describe(error))
    else:
        for receipt_id in lost:
            log.info("check_lease_lost", receipt_id=str(receipt_id))
        return
    for one in answered:
        await _finish(database, [one], token=token, clock=clock)


@dataclass(frozen=True, slots=True)
class _Ready:
    member_id: UUID
    receipt_id: UUID
    registered_at: datetime
    document: dict[str, Any]

    def item(self) -> Item:
        document = FiscalDocument.from_json(self.document)
        return Item(self.member_id, self.receipt_id, document, self.registered_at)


async def settle_once(database: Database, *, clock: Clock, limit: int = SETTLE_AT_ONCE) -> int:
    """Settle a batch of found documents; one that fails alone is parked and shown.

    Returns how many were taken off the queue.
    """
    try:
        return await _settle_batch(database, clock=clock, limit=limit)
    except Unavailable:
        raise
    except Exception:
        log.exception("settle_batch_failed", limit=limit)
    done = 0
    for _ in range(limit):
        if not await _settle_alone(database, clock=clock):
            break
        done += 1
    return done


async def _settle_alone(database: Database, *, clock: Clock) -> bool:
    first: list[_Ready] = []
    try:
        return bool(await _settle_batch(database, clock=clock, limit=1, seen=first))
    except Unavailable:
        raise
    except Exception as error:
        if not first:
            raise
        receipt = first[0]
        log.exception("receipt_parked", receipt_id=str(receipt.receipt_id))
        async with database.transaction() as db:
            why = f"{type(error).__name__} while settling"
            await db.execute(PARK, [why, receipt.member_id, receipt.receipt_id])
        return True


async def _settle_batch(
    database: Database, *, clock: Clock, limit: int, seen: list[_Ready] | None = None
) -> int:
    async with database.transaction(pipeline=True) as db:
        now = await clock.programme(db)
        # Members first: whoever is being merged or forgotten just now is settled another time.
        due = await (await db.execute(DUE, [now, limit])).fetchall()
        free = await members.undisturbed(db, {row[0] for row in due}) if due else ()
        ready = await kit_db.fetch_all(db, _Ready, READY, [now, list(free), limit])
        if seen is not None:
            seen.extend(ready)
        if ready:
            await settle_found(db, [one.item() for one in ready], now=now)
    return len(ready)


async def settle_found(db: Db, items: Sequence[Item], *, now: datetime) -> None:
    """Confirm the claims of documents that were found and decide their receipts.

    A document whose claim went to another meanwhile is refused as taken or registered already.
    """
    held = {
        claim.key: claim
        for claim in await claims.lock(
            db, sorted({(one.document.key.fn, one.document.key.fd) for one in items})
        )
    }
    mine: list[Item] = []
    refused: list[tuple[UUID, UUID, Reason, UUID | None]] = []
    changed: dict[tuple[int, int], claims.Claim] = {}
    decided: list[tuple[int, int]] = []
    for item in items:
        want = claims.want_document(
            item.document, member_id=item.member_id, receipt_id=item.receipt_id
        )
        claim = held[want.key]
        if claim.receipt_id == item.receipt_id:
            answer = claims.Answer(
                Turn.MINE, item.receipt_id, others_wait=claim.state != "confirmed"
            )
            after = claims.fresh(want)
        else:
            answer, after = claims.answer(claim, want)
        held[want.key] = after
        if after != claim:
            changed[want.key] = after
        if answer.others_wait:
            decided.append(want.key)
        if answer.turn is Turn.MINE:
            mine.append(item)
        elif answer.turn is Turn.OWN:
            first = answer.first_receipt_id
            refused.append((item.member_id, item.receipt_id, Reason.ALREADY_REGISTERED, first))
        else:
            refused.append((item.member_id, item.receipt_id, Reason.TAKEN, None))
    outcomes = await settle(db, mine, now=now, actor="system")
    await claims.change(db, list(changed.values()), now=now)
    await writing.decide(db, outcomes, now=now)
    await writing.reject(db, refused, now=now)
    if decided:
        await turns.confirmed(db, decided, now=now)
