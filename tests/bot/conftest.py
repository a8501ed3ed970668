"""An installation with a Telegram of its own: the bot's real code over HTTP, stages in this loop."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from vezde import settings as vezde_settings
from vezde import wiring
from vezde.bot import inbox
from vezde.catalog import operations as catalog
from vezde.catalog.model import Mode
from vezde.kit.vault import Vault
from vezde.kit.work import Runner, heartbeat
from vezde.program import operations as program
from vezde.receipts.model import FiscalDocument
from vezde.testing.receipts import line, picture, receipt, render
from vezde.testing.telegram.fake import FakeTelegram
from vezde.testing.telegram.person import Person

PROGRAM: dict[str, Any] = {
    "name": "Лунария",
    "timezone": "Europe/Moscow",
    "point_value_kopecks": 100,
    "rounding": "floor",
    "earning": {
        "default_rate_bp": 500,
        "channels": {
            "ozon": {"rate_bp": 500, "hold_days": 14},
            "chain": {"rate_bp": 1000, "hold_days": 0},
        },
    },
    "receipts": {"window_days": 30, "per_day": 10},
    "sellers": {"own_inns": ["7801234564"]},
    "bot": {
        "personal_data": {"url": "https://lunaria.example/consent", "version": "2026-11"},
        "guest_days": 30,
    },
}
PRODUCTS = [
    {"sku": "CREAM-50", "name": "Крем для лица LUNARIA 50 мл", "brand": "LUNARIA", "size": "50 мл"},
]
CREAM = "Крем для лица LUNARIA 50 мл"


@dataclass
class Door:
    """What a test has: the house, its Telegram, a folder of documents the tax service knows."""

    house: wiring.House
    telegram: FakeTelegram
    documents: Path
    conninfo: str

    def paper(self, number: int, **changes: Any) -> FiscalDocument:
        """A receipt of yesterday with 83 points in it, known to the tax service."""
        yesterday = self.house.clock.wall().replace(tzinfo=None) - timedelta(days=1)
        given = {"lines": [line(CREAM, 83_000)], "at": yesterday.replace(second=0, microsecond=0)}
        return self.known(receipt(number, **{**given, **changes}))

    def known(self, paper: FiscalDocument) -> FiscalDocument:
        name = f"{paper.key.fn}-{paper.key.fd}.json"
        part = self.documents / f"{name}.part"
        part.write_text(json.dumps(render(paper)), "utf-8")
        part.rename(self.documents / name)
        return paper

    async def member(self, name: str = "Анна", **fields: Any) -> Person:
        """Somebody who has agreed to the processing of personal data."""
        person = self.telegram.user(name, **fields)
        await person.start()
        await person.sees_button("Дальше")
        await person.tap("Дальше")
        await person.sees_button("Даю согласие")
        await person.tap("Даю согласие")
        await person.sees("фото чека")
        return person

    async def guest(self, name: str = "Анна", *, number: int = 1, **fields: Any) -> Person:
        """A member who showed a receipt and has points."""
        person = await self.member(name, **fields)
        await person.photo(picture(self.paper(number)))
        await person.sees("+83 балла")
        await person.sees("Оставьте телефон")
        return person

    async def fates(self) -> dict[str, int]:
        async with self.house.database.transaction() as db:
            return await inbox.by_fate(db)

    async def value(self, query: str, *given: Any) -> Any:
        async with self.house.database.transaction() as db:
            row = await (await db.execute(query.encode(), given)).fetchone()
            return row[0] if row else None

    async def until(self, query: str, *given: Any) -> None:
        """Wait until the query answers true: what follows a message is noted a moment after."""
        for _ in range(100):
            if await self.value(query, *given):
                return
            await asyncio.sleep(0.05)
        raise AssertionError(f"never true: {query}")

    async def publish(self, **changes: Any) -> None:
        async with self.house.database.transaction() as db:
            now = await self.house.clock.programme(db)
            await program.publish(
                db,
                {**PROGRAM, **changes},
                sections=wiring.SECTIONS,
                valid_from=None,
                now=now,
                actor="system",
            )

    async def stock(self, products: list[dict[str, str]] = PRODUCTS) -> None:
        async with self.house.database.transaction() as db:
            now = await self.house.clock.programme(db)
            await catalog.import_products(db, products, mode=Mode.MERGE, now=now, actor="system")

    async def passes(self, **time: float) -> None:
        """The sandbox's clock is moved on, all that falls due is worked."""
        async with self.house.database.transaction() as db:
            now = await self.house.clock.programme(db)
        await wiring.advance(self.house, now + timedelta(**time))


@asynccontextmanager
async def working(door: Door, *, polling: bool = True) -> AsyncIterator[None]:
    """The stages and the poller, as a worker process runs them."""
    house, stop = door.house, asyncio.Event()
    stages = wiring.stages(house)
    runner = Runner(house.database, stages, house.waker, house.clock)
    listener = wiring.listener(house, door.conninfo)
    assert listener is not None, "the token is set"
    async with (
        asyncio.TaskGroup() as group,
        heartbeat.beating(house.database, [one.name for one in stages]),
    ):
        group.create_task(runner.run(stop))
        if polling:
            group.create_task(listener.run(stop))
        try:
            yield
        finally:
            stop.set()


@pytest.fixture(scope="session")
async def telegram_server() -> AsyncIterator[FakeTelegram]:
    async with FakeTelegram(webhook_pause_seconds=0.02) as started:
        yield started


@pytest.fixture
async def still(fresh: Any, telegram_server: FakeTelegram, tmp_path: Path) -> AsyncIterator[Door]:
    """An installation in which nothing works yet."""
    telegram_server.reset()
    environ = {
        "VEZDE_SANDBOX": "1",
        "VEZDE_TELEGRAM_TOKEN": telegram_server.token,
        "VEZDE_TELEGRAM_API_BASE": telegram_server.base_url,
        "VEZDE_TELEGRAM_PER_SECOND": "1000",
        "VEZDE_DOCUMENTS_DIR": str(tmp_path),
        "VEZDE_MAIL_DOMAIN": "mail.lunaria.example",
    }
    settings = vezde_settings.load(environ)
    async with wiring.open_house(settings, fresh.app, vault=Vault(bytes(32))) as house:
        door = Door(house, telegram_server, tmp_path, fresh.app)
        await door.publish()
        await door.stock()
        yield door


@pytest.fixture
async def door(still: Door) -> AsyncIterator[Door]:
    async with working(still):
        yield still
