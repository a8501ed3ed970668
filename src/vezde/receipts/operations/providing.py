"""Who may be asked for documents: asks set apart before they are made, what came of them noted.

Every process works the same rows, locked by name, so a quota, a budget and a probe are shared.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

import structlog

from vezde.kit import db as kit_db
from vezde.kit import ids
from vezde.kit.db import Db
from vezde.kit.errors import DomainError, Kind
from vezde.outbox import operations as outbox
from vezde.receipts import events, queries, standing
from vezde.receipts.operations.registering import ASK
from vezde.receipts.standing import Limit, Pause, Standing, Tally

log = structlog.get_logger(__name__)

NOTE_LENGTH = 200
MOST = 2**31 - 1

INSTALL: LiteralString = """
INSERT INTO receipts.provider (name, provider_id) VALUES (%s, %s) ON CONFLICT (name) DO NOTHING
"""
LOCK: LiteralString = """
SELECT name FROM receipts.provider WHERE name = ANY(%s) ORDER BY name FOR UPDATE
"""
KEEP: LiteralString = """
UPDATE receipts.provider
SET place = %s, price_kopecks = %s, asks_per_day = %s, budget_kopecks_per_day = %s, failures = %s,
    paused_because = %s, paused_note = %s, paused_by = %s, paused_wall = %s, until_wall = %s,
    probed_until_wall = %s, warned_of = %s, warned_wall = %s
WHERE name = %s
"""
COUNT: LiteralString = """
INSERT INTO receipts.provider_day AS today (name, day, asked, found, failed, spent_kopecks)
VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT (name, day) DO UPDATE
SET asked = greatest(0, today.asked + excluded.asked), found = today.found + excluded.found,
    failed = today.failed + excluded.failed,
    spent_kopecks = greatest(0, today.spent_kopecks + excluded.spent_kopecks)
"""
PROBE: LiteralString = """
UPDATE receipts.provider
SET paused_because = 'outage', until_wall = %(wall)s, probed_until_wall = NULL
WHERE provider_id = %(provider_id)s AND paused_because IS DISTINCT FROM 'operator'
  AND paused_because IS NOT NULL
"""
GIVE_UP: LiteralString = """
UPDATE receipts.provider
SET paused_because = 'operator', paused_by = %(actor)s, until_wall = NULL, probed_until_wall = NULL
WHERE provider_id = %(provider_id)s AND paused_because IS DISTINCT FROM 'operator'
  AND paused_because IS NOT NULL
"""
HEED: LiteralString = """
UPDATE receipts.provider SET warned_of = NULL WHERE provider_id = %s AND warned_of IS NOT NULL
"""
# Those that waited for a provider are asked for at once when an operator says that it works.
HURRY: LiteralString = """
UPDATE receipts.verification SET try_at = %(wall)s
WHERE step = 'ask' AND parked_because IS NULL AND faults > 0 AND try_at > %(wall)s
"""


class ProviderUnknown(DomainError):
    """Nobody of this name was ever asked for documents here."""

    code = "provider_unknown"
    kind = Kind.MISSING

    def __init__(self) -> None:
        super().__init__("There is no such provider; list them to see who is asked.")


class InvalidProvider(DomainError):
    """A price, a number or a place that no provider can have."""

    code = "invalid_provider"
    kind = Kind.INVALID


async def reserve(
    db: Db, names: Sequence[str], *, wanted: int, now: datetime, wall: datetime
) -> dict[str, tuple[Standing, int]]:
    """Set apart up to `wanted` asks of each provider: by name how it stood, and how many it gives.

    What is not used is given back by `note`. A provider whose pause is over is probed: one ask, by
    one process at a time.
    """
    before = await _locked(db, names, wall=wall)
    given = {name: standing.allowed(one, wanted, wall=wall) for name, one in before.items()}
    for name, one in before.items():
        if given[name]:
            await _set_apart(db, one, given[name], now=now, wall=wall)
    return {name: (one, given[name]) for name, one in before.items()}


async def _set_apart(db: Db, one: Standing, number: int, *, now: datetime, wall: datetime) -> None:
    spent = number * one.price_kopecks
    await db.execute(COUNT, [one.name, standing.day(wall), number, 0, 0, spent])
    probed_until = wall + standing.PROBE if one.paused_because is not None else None
    after = replace(
        one,
        asked=one.asked + number,
        spent_kopecks=one.spent_kopecks + spent,
        probed_until_wall=probed_until,
    )
    after = await _warned(db, after, now=now, wall=wall)
    if _kept(after) != _kept(one):
        await _keep(db, after)


async def _warned(db: Db, one: Standing, *, now: datetime, wall: datetime) -> Standing:
    """Told once a day, before the asks or the budget of it end."""
    old = one.warned_wall is not None and standing.day(one.warned_wall) != standing.day(wall)
    if old:
        one = replace(one, warned_of=None, warned_wall=None)
    running_out = one.running_out
    if running_out is None or one.warned_wall is not None:
        return one
    used, most = (
        (one.asked, one.asks_per_day)
        if running_out is Limit.ASKS
        else (one.spent_kopecks, one.budget_kopecks_per_day)
    )
    log.warning("provider_running_out", provider=one.name, what=running_out, used=used, most=most)
    told = {"provider": one.name, "what": running_out, "used": used, "most": most}
    await outbox.record(db, [events.of_provider(events.RUNNING_OUT, told, now=now)])
    return replace(one, warned_of=running_out, warned_wall=wall)


async def note(
    db: Db, tallies: Mapping[str, Tally], *, now: datetime, wall: datetime, jitter: float
) -> None:
    """What the asks of a round came to; a provider that fails or lies is paused, and it is told."""
    before = await _locked(db, sorted(tallies), wall=wall)
    for name, tally in tallies.items():
        one = before[name]
        if tally.unused or tally.found or tally.failed:
            spent = -tally.unused * one.price_kopecks
            counts = [-tally.unused, tally.found, tally.failed, spent]
            await db.execute(COUNT, [name, standing.day(wall), *counts])
        after = standing.after(one, tally, wall=wall, jitter=jitter)
        if _kept(after) != _kept(one):
            await _keep(db, after)
        await _tell(db, one, after, now=now)


async def _tell(db: Db, before: Standing, after: Standing, *, now: datetime) -> None:
    """A fact and a line of the log when a provider is paused for something else, or works again."""
    if before.paused_because == after.paused_because:
        return
    if after.paused_because is None:
        log.info("provider_works", provider=after.name)
        told = {"provider": after.name}
        await outbox.record(db, [events.of_provider(events.RESUMED, told, now=now)])
        return
    alarm = after.paused_because in {Pause.DISTRUSTED, Pause.REFUSED}
    (log.error if alarm else log.warning)(
        "provider_paused",
        provider=after.name,
        because=after.paused_because,
        note=after.paused_note,
        until=after.until_wall and after.until_wall.isoformat(),
    )
    told = {"provider": after.name, "because": after.paused_because}
    await outbox.record(db, [events.of_provider(events.PAUSED, told, now=now)])


async def pause(
    db: Db,
    name: str,
    *,
    note: str,
    until: datetime | None,
    now: datetime,
    wall: datetime,
    actor: str,
) -> Standing:
    """Ask it no more, until then or until somebody resumes it; raises `ProviderUnknown`."""
    one = await _one(db, name, wall=wall)
    if until is not None and until <= wall:
        raise InvalidProvider("The pause would end before it begins; give a later time, or none.")
    after = standing.paused(
        one, Pause.OPERATOR, note=note[:NOTE_LENGTH], by=actor, wall=wall, until=until
    )
    await _keep(db, after)
    await _tell(db, one, after, now=now)
    return after


async def resume(db: Db, name: str, *, now: datetime, wall: datetime, actor: str) -> Standing:
    """Ask it again from now on, whatever it was paused for; raises `ProviderUnknown`.

    Receipts that waited are asked for at once. A limit of the day stays.
    """
    one = await _one(db, name, wall=wall)
    after = standing.resumed(one)
    await _keep(db, after)
    await _tell(db, one, after, now=now)
    await db.execute(HURRY, {"wall": wall})
    db.wake(ASK)
    log.info("provider_resumed", provider=name, by=actor)
    return after


async def try_again(db: Db, provider_id: UUID, *, wall: datetime, actor: str) -> bool:
    """Let the next ask probe a provider that failed; False when none of this id is paused."""
    done = await db.execute(PROBE, {"provider_id": provider_id, "wall": wall})
    await db.execute(HURRY, {"wall": wall})
    db.wake(ASK)
    log.info("provider_probed", provider_id=str(provider_id), by=actor)
    return done.rowcount == 1


async def give_up(db: Db, provider_id: UUID, *, actor: str) -> bool:
    """Ask a provider that failed no more until somebody resumes it; False when none is paused."""
    done = await db.execute(GIVE_UP, {"provider_id": provider_id, "actor": actor})
    return done.rowcount == 1


async def heeded(db: Db, provider_id: UUID) -> bool:
    """Somebody took note of what runs out; it is told again another day. False when nothing did."""
    return (await db.execute(HEED, [provider_id])).rowcount == 1


async def configure(
    db: Db, name: str, changes: Mapping[str, Any], *, wall: datetime, actor: str
) -> Standing:
    """Change place, price_kopecks, asks_per_day, budget_kopecks_per_day; None is no limit.

    The place orders who is asked first; those without one come after, as installed. Raises
    `ProviderUnknown`, `InvalidProvider`.
    """
    one = await _one(db, name, wall=wall)
    for field, value in changes.items():
        least = 1 if field == "place" else 0
        if value is None and field == "price_kopecks":
            raise InvalidProvider("An ask costs something or 0; give price_kopecks a number.")
        if value is not None and not least <= value <= MOST:
            raise InvalidProvider(f"{field} is a whole number from {least} to {MOST}.")
    after = replace(one, **changes, warned_of=None, warned_wall=None)
    await _keep(db, after)
    db.wake(ASK)
    log.info("provider_changed", provider=name, by=actor, **changes)
    return after


async def install(db: Db, names: Sequence[str]) -> None:
    """Rows for these providers where there are none."""
    await kit_db.execute_many(db, INSTALL, [(name, ids.new()) for name in sorted(names)])


async def _one(db: Db, name: str, *, wall: datetime) -> Standing:
    if await kit_db.fetch_value(db, LOCK, [[name]]) is None:
        raise ProviderUnknown
    (found,) = await queries.providers(db, [name], wall=wall)
    return found


async def _locked(db: Db, names: Sequence[str], *, wall: datetime) -> dict[str, Standing]:
    """Read after the locks, by another statement: one that waits sees its day as it was before."""
    held = {row[0] for row in await (await db.execute(LOCK, [list(names)])).fetchall()}
    if missing := set(names) - held:
        await install(db, sorted(missing))
        await db.execute(LOCK, [list(names)])
    return {one.name: one for one in await queries.providers(db, names, wall=wall)}


async def _keep(db: Db, one: Standing) -> None:
    await db.execute(KEEP, [*_kept(one), one.name])


def _kept(one: Standing) -> list[object]:
    return [
        one.place,
        one.price_kopecks,
        one.asks_per_day,
        one.budget_kopecks_per_day,
        one.failures,
        one.paused_because,
        one.paused_note,
        one.paused_by,
        one.paused_wall,
        one.until_wall,
        one.probed_until_wall,
        one.warned_of,
        one.warned_wall,
    ]
