"""A sandbox's beginning: what wiring puts together when everything is emptied."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from conftest import Server, TestDatabase, copied
from vezde import settings as setting
from vezde import wiring
from vezde.kit import migrate, share
from vezde.kit.vault import Vault
from vezde.kit.work.sandbox import NotASandbox
from vezde.members import operations as members
from vezde.members.model import NewMember
from vezde.program.operations import ProgramInvalid
from vezde.wiring import House

TABLES = b"""
SELECT schemaname || '.' || tablename FROM pg_tables
WHERE schemaname = ANY(%s) ORDER BY 1
"""


def counts(database: TestDatabase) -> dict[str, int]:
    """Rows by table, those that come and go with running processes left out."""
    schemas = sorted({one.domain for one in migrate.read(share.folder("migrations"))})
    with psycopg.connect(database.owner) as db:
        names = [row[0] for row in db.execute(TABLES, [schemas])]
        found = {
            name: db.execute(f"SELECT count(*) FROM {name}".encode()).fetchone()[0]
            for name in names
        }
    return {name: count for name, count in found.items() if count and name != "kit.worker"}


async def opened(database: TestDatabase, folder: Path, sandbox: str) -> AsyncIterator[House]:
    environment = {
        "VEZDE_SANDBOX": sandbox,
        "VEZDE_DATABASE_URL": database.app,
        "VEZDE_DATABASE_OWNER_URL": database.owner,
        "VEZDE_DATA_DIR": str(folder),
    }
    settings = setting.load(environment)
    async with wiring.open_house(settings, database.app, vault=Vault(bytes(32))) as house:
        yield house


@pytest.fixture
async def house(fresh: TestDatabase, tmp_path: Path) -> AsyncIterator[House]:
    async for one in opened(fresh, tmp_path, "1"):
        yield one


async def enrol(house: House) -> None:
    async with house.database.transaction() as db:
        now = await house.clock.programme(db)
        person = NewMember(phone="+79000000001")
        await members.enrol(db, [person], vault=house.vault, now=now, actor="system")


class TestReset:
    async def test_leaves_what_a_first_start_leaves(
        self, house: House, fresh: TestDatabase, server: Server, template: str, tmp_path: Path
    ) -> None:
        await wiring.furnish(house)
        await enrol(house)
        async with house.database.transaction() as db:
            now = await house.clock.programme(db)
        await wiring.advance(house, now + timedelta(days=400))
        now = await wiring.reset(house)
        assert abs(now - house.clock.wall()) < timedelta(minutes=1)
        with copied(server, template) as another:
            async for first in opened(another, tmp_path, "1"):
                await wiring.furnish(first)
            expected = counts(another)
        assert counts(fresh) == expected

    async def test_keeps_all_when_the_programme_is_wrong(
        self, house: House, fresh: TestDatabase
    ) -> None:
        await wiring.furnish(house)
        await enrol(house)
        before = counts(fresh)
        with pytest.raises(ProgramInvalid):
            await wiring.reset(house, programme={"name": "Лунария"})
        with pytest.raises(wiring.CatalogInvalid) as wrong:
            await wiring.reset(house, products=[{"sku": "A"}, {"sku": "B", "size": ["?"]}])
        assert [one.path for one in wrong.value.errors] == ["catalog.1", "catalog.2"]
        assert counts(fresh) == before

    async def test_begins_with_no_product_when_none_is_given(self, house: House) -> None:
        await wiring.reset(house, products=[])
        await wiring.reset(house, products=[])

    async def test_is_for_sandboxes_alone(self, fresh: TestDatabase, tmp_path: Path) -> None:
        async for real in opened(fresh, tmp_path, "0"):
            with pytest.raises(NotASandbox):
                await wiring.reset(real)


class TestFurnish:
    async def test_puts_in_place_only_what_is_missing(
        self, house: House, fresh: TestDatabase
    ) -> None:
        await wiring.furnish(house)
        before = counts(fresh)
        assert before["program.version"] == 1
        assert before["catalog.product"] > 20
        await wiring.furnish(house)
        assert counts(fresh) == before
