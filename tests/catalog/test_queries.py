import contextlib

import pytest

from vezde.catalog import operations, queries
from vezde.catalog.matcher import Item
from vezde.catalog.model import Mode

CREAM = {"sku": "A", "name": "Крем ночной Морошка", "brand": "Лунария"}


@pytest.fixture
def imported(db, now):
    async def run(*products, mode=Mode.MERGE):
        await operations.import_products(db, products, mode=mode, now=now, actor="key:1")

    return run


class TestProducts:
    async def test_come_in_pages_by_sku(self, imported, db):
        await imported(*[{**CREAM, "sku": sku} for sku in ("Б", "b", "B", "a", "A")])
        first = await queries.products(db, after=None, limit=3)
        assert [product.sku for product in first] == ["A", "B", "a"]
        rest = await queries.products(db, after="a", limit=3)
        assert [product.sku for product in rest] == ["b", "Б"]
        assert await queries.count(db) == 5

    async def test_by_sku_leaves_out_the_unknown(self, imported, db):
        await imported(CREAM)
        assert list(await queries.products_by_sku(db, ["A", "Z"])) == ["A"]
        assert await queries.products_by_sku(db, []) == {}


class TestMatcher:
    async def test_of_an_empty_database_finds_nothing(self, db):
        matcher = await queries.matcher(db)
        assert matcher.match([Item("Крем ночной Морошка")])[0].sku is None

    async def test_is_the_same_until_the_catalogue_changes(self, imported, db):
        await imported(CREAM)
        first = await queries.matcher(db)
        await imported(CREAM)
        assert await queries.matcher(db) is first
        await imported({**CREAM, "sku": "B", "name": "Мыло твёрдое Морошка"})
        assert await queries.matcher(db) is not first

    async def test_keeps_products_when_an_alias_is_learned(self, imported, db, now):
        await imported(CREAM)
        first = await queries.matcher(db)
        await operations.learn_alias(
            db, seller_inn="7801234564", name="КР.", sku="A", now=now, actor="system"
        )
        second = await queries.matcher(db)
        assert second is not first
        assert second._assortment is first._assortment

    async def test_is_not_fooled_by_a_change_rolled_back(self, database, now):
        async def put(db, name):
            await operations.import_products(
                db, [{**CREAM, "name": name}], mode=Mode.MERGE, now=now, actor="system"
            )
            return await queries.matcher(db)

        async with database.transaction() as db:
            await put(db, "Крем ночной Морошка")
        with contextlib.suppress(ZeroDivisionError):
            async with database.transaction() as db:
                await put(db, "Пена для бритья Утро")
                raise ZeroDivisionError
        async with database.transaction() as db:
            await put(db, "Мыло твёрдое Морошка")
            matcher = await queries.matcher(db)
        asked = [Item("Лунария Пена для бритья Утро"), Item("Лунария Мыло твёрдое Морошка")]
        assert [match.sku for match in matcher.match(asked)] == [None, "A"]

    async def test_keeps_a_few_only(self, imported, db):
        for number in range(queries.KEPT + 3):
            await imported({**CREAM, "price_kopecks": number})
            await queries.matcher(db)
        assert len(queries._matchers) == queries.KEPT
        assert len(queries._assortments) == queries.KEPT
