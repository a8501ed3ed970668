"""What a sandbox has from its first start: a programme, a catalogue, a key, sample receipts."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import date
from functools import partial

import structlog

from vezde import wiring
from vezde.access import operations, queries
from vezde.access.model import KeyNotFound, Scope, Unauthenticated
from vezde.cli import samples
from vezde.kit.db import Db
from vezde.kit.postgres import folder
from vezde.program import queries as program
from vezde.testing.telegram import door
from vezde.web.playground.model import Card
from vezde.wiring import House

KEY = "playground"
log = structlog.get_logger(__name__)


async def prepare(house: House) -> None:
    """Put in place whatever is missing; safe to repeat."""
    await wiring.furnish(house)
    await _keep_key(house)
    await write_samples(house)


async def write_samples(house: House) -> None:
    """Sample receipts in the data folder, dated from the programme's today."""
    place = house.settings.data_dir / "samples"
    await asyncio.to_thread(samples.write, place, today=await _today(house))


async def tray(house: House) -> list[Card]:
    """The receipts beside the phone; their documents are known under the same dates.

    None where documents come from a folder that is not the sandbox's own: they are not in there.
    """
    if house.settings.documents_dir != house.settings.data_dir / "samples":
        return []
    await write_samples(house)
    return await asyncio.to_thread(samples.tray, await _today(house))


@contextlib.asynccontextmanager
async def opened(house: House) -> AsyncIterator[wiring.Application]:
    """The HTTP application of a sandbox, with a playground where its bot speaks to a fake."""
    base = house.settings.fake_telegram
    anew = partial(begin_anew, house)
    if base is None:
        yield wiring.web(house, after_reset=anew)
        return
    simulator = door.Door(base)
    try:
        scenery = wiring.Scenery(partial(tray, house), simulator)
        yield wiring.web(house, after_reset=anew, scenery=scenery)
    finally:
        await simulator.close()


async def begin_anew(house: House) -> None:
    """After a reset of the sandbox: its messenger forgets everybody, the samples are fresh."""
    if (base := house.settings.fake_telegram) is not None:
        try:
            await door.reset(base)
        except door.Unreachable as error:
            log.warning("messenger_not_reset", because=str(error))
    await write_samples(house)


async def _today(house: House) -> date:
    async with house.database.transaction() as db:
        now = await house.clock.programme(db)
        zone = (await program.programmes(db)).at(now).zone
    return now.astimezone(zone).date()


async def _keep_key(house: House) -> None:
    """A key in a file beside the data: it opens play money only, and people lose it."""
    path = house.settings.data_dir / "api.key"
    kept = path.read_text("utf-8").strip() if path.exists() else ""
    async with house.database.transaction() as db:
        try:
            await queries.key_by_text(db, kept)
        except Unauthenticated:
            text = await _new_key(db, house)
        else:
            return
    folder.write(path, f"{text}\n", mode=0o600)


async def _new_key(db: Db, house: House) -> str:
    now = await house.clock.programme(db)
    with contextlib.suppress(KeyNotFound):
        lost = await queries.key_by_name(db, KEY)
        await operations.revoke_key(db, lost.key_id, now=now, actor="system")
    text, _ = await operations.create_key(db, name=KEY, scopes=[Scope.ALL], now=now, actor="system")
    return text
