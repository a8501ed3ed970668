"""What a sandbox has from its first start: a programme, a catalogue, a key, sample receipts."""

import asyncio
import contextlib

from vezde import wiring
from vezde.access import operations, queries
from vezde.access.model import KeyNotFound, Scope, Unauthenticated
from vezde.cli import samples
from vezde.kit.db import Db
from vezde.kit.postgres import folder
from vezde.program import queries as program
from vezde.wiring import House

KEY = "playground"


async def prepare(house: House) -> None:
    """Put in place whatever is missing; safe to repeat."""
    await wiring.furnish(house)
    await _keep_key(house)
    await write_samples(house)


async def write_samples(house: House) -> None:
    """Sample receipts in the data folder, dated from the programme's today."""
    async with house.database.transaction() as db:
        now = await house.clock.programme(db)
        zone = (await program.programmes(db)).at(now).zone
    place = house.settings.data_dir / "samples"
    await asyncio.to_thread(samples.write, place, today=now.astimezone(zone).date())


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
