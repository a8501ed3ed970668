"""What a sandbox has from its first start: programme, catalogue, key, administrator, receipts."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from vezde import wiring
from vezde.access import operations, queries
from vezde.access.model import KeyNotFound, Scope, Unauthenticated
from vezde.access.operations import staffing
from vezde.access.staff import OperatorExists, Role
from vezde.cli import samples
from vezde.kit.db import Db
from vezde.kit.postgres import folder
from vezde.program import queries as program
from vezde.receipts import queries as receipts
from vezde.settings import own_address
from vezde.testing.telegram import door
from vezde.web.playground.model import Card
from vezde.wiring import House

if TYPE_CHECKING:
    from vezde.testing.shop.server import Shop

KEY, PAGE_KEY = "playground", "sample shop"
PAGE_FILE = "shop.key"
ADMIN = "Администратор"
log = structlog.get_logger(__name__)


async def prepare(house: House) -> None:
    """Put in place whatever is missing; safe to repeat."""
    await wiring.furnish(house)
    await _keep_key(house)
    await _keep_page_key(house)
    await _keep_admin(house)
    await write_samples(house)


async def write_samples(house: House) -> None:
    """Sample receipts in the data folder, dated from the programme's today."""
    place = house.settings.data_dir / "samples"
    today, printed = await _dates(house)
    await asyncio.to_thread(samples.write, place, today=today, printed=printed)


async def tray(house: House) -> list[Card]:
    """The receipts beside the phone; their documents are known under the same dates.

    None where documents come from a folder that is not the sandbox's own: they are not in there.
    """
    if house.settings.documents_dir != house.settings.data_dir / "samples":
        return []
    await write_samples(house)
    return await asyncio.to_thread(samples.tray, *await _dates(house))


@contextlib.asynccontextmanager
async def opened(house: House) -> AsyncIterator[wiring.Application]:
    """The HTTP application of a sandbox, with a playground where its bot speaks to a fake."""
    base = house.settings.fake_telegram
    anew = partial(begin_anew, house)
    if base is None:
        yield wiring.web(house, after_reset=anew)
        return
    simulator = door.Door(base)
    async with _shop(house) as shop:
        try:
            scenery = wiring.Scenery(partial(tray, house), simulator, shop.app())
            yield wiring.web(house, after_reset=anew, scenery=scenery)
        finally:
            await simulator.close()


def _shop(house: House) -> "Shop":
    """The sample shop: its server speaks to this installation as any shop's does."""
    from vezde.testing.shop.server import Shop
    from vezde.web.pages import Pages
    from vezde_client import AsyncVezde

    async def now() -> datetime:
        async with house.database.transaction() as db:
            return await house.clock.programme(db)

    folder, url = house.settings.data_dir, own_address(house.settings.http)
    vezde = AsyncVezde(url, _kept(folder / "api.key"))
    return Shop(vezde, Pages(wiring.built("shop")), key=_kept(folder / PAGE_FILE), now=now, url=url)


async def begin_anew(house: House) -> None:
    """After a reset of the sandbox: its messenger forgets everybody, the samples are fresh."""
    if (base := house.settings.fake_telegram) is not None:
        try:
            await door.reset(base)
        except door.Unreachable as error:
            log.warning("messenger_not_reset", because=str(error))
    await write_samples(house)


async def _dates(house: House) -> tuple[date, samples.Printed]:
    """The programme's today, and the dates of samples that somebody has shown."""
    keys = await asyncio.to_thread(samples.keys)
    async with house.database.transaction() as db:
        now = await house.clock.programme(db)
        zone = (await program.programmes(db)).at(now).zone
        printed = await receipts.printed(db, keys)
    return now.astimezone(zone).date(), {key: at.date() for key, at in printed.items()}


async def _keep_key(house: House) -> None:
    """A key in a file beside the data: it opens play money only, and people lose it."""
    path = house.settings.data_dir / "api.key"
    kept = _kept(path)
    async with house.database.transaction() as db:
        try:
            await queries.key_by_text(db, kept)
        except Unauthenticated:
            text = await _new_key(db, house)
        else:
            return
    folder.write(path, f"{text}\n", mode=0o600)


async def _keep_page_key(house: House) -> None:
    """The key in the sample shop's page, good for pages of this address."""
    path = house.settings.data_dir / PAGE_FILE
    url = own_address(house.settings.http)
    origins = {url, url.replace("//127.0.0.1", "//localhost")}
    async with house.database.transaction() as db:
        try:
            known = await queries.key_by_text(db, _kept(path))
        except Unauthenticated:
            known = None  # lost, or the first start
        if known is not None and known.page is not None and set(known.page.origins) == origins:
            return
        now = await house.clock.programme(db)
        await _revoke_lost(db, PAGE_KEY, now)
        text, _ = await operations.create_publishable_key(
            db,
            name=PAGE_KEY,
            origins=sorted(origins),
            sales_channel="own_site",
            enrols=True,
            now=now,
            actor="system",
        )
    folder.write(path, f"{text}\n", mode=0o600)


async def _keep_admin(house: House) -> None:
    """Somebody for whom the console opens; their link is made when it is told."""
    async with house.database.transaction() as db:
        now = await house.clock.programme(db)
        with contextlib.suppress(OperatorExists):
            await operations.take_on(
                db, name=ADMIN, role=Role.ADMIN, vault=house.vault, now=now, actor="system"
            )


async def invitation(db: Db, *, wall: datetime) -> str:
    """The secret of a fresh link for the sandbox's administrator."""
    found = await staffing.operator_by_name(db, ADMIN)
    secret, _ = await operations.invite(db, found.operator_id, wall=wall)
    return secret


def _kept(path: Path) -> str:
    return path.read_text("utf-8").strip() if path.exists() else ""


async def _revoke_lost(db: Db, name: str, now: datetime) -> None:
    with contextlib.suppress(KeyNotFound):
        lost = await queries.key_by_name(db, name)
        await operations.revoke_key(db, lost.key_id, now=now, actor="system")


async def _new_key(db: Db, house: House) -> str:
    now = await house.clock.programme(db)
    await _revoke_lost(db, KEY, now)
    text, _ = await operations.create_key(db, name=KEY, scopes=[Scope.ALL], now=now, actor="system")
    return text
