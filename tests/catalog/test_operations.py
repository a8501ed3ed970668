import asyncio
from datetime import timedelta

import pytest

from vezde.catalog import operations, queries, reading
from vezde.catalog.matcher import Item
from vezde.catalog.model import Mode, Product
from vezde.kit import db as kit_db

INN = "7801234564"
CREAM = {"sku": "A", "name": "Крем ночной Морошка", "brand": "Лунария", "gtin": "4600000000008"}
SOAP = {"sku": "B", "name": "Мыло твёрдое Морошка", "brand": "Лунария", "gtin": "4600000000015"}


@pytest.fixture
def imported(db, now):
    async def run(*products, mode=Mode.MERGE, at=now):
        found = await operations.import_products(db, products, mode=mode, now=at, actor="key:1")
        return [(one.row, one.sku, one.outcome.value) for one in found]

    return run


@pytest.fixture
def refused(db, now):
    """The errors of an import, by row."""

    async def run(*products, mode=Mode.MERGE):
        found = await operations.import_products(db, products, mode=mode, now=now, actor="key:1")
        assert all((one.outcome == "invalid") == (one.error is not None) for one in found)
        return {one.row: one.error for one in found if one.error}

    return run


async def live(db):
    return [product.sku for product in await queries.products(db, after=None, limit=100)]


async def facts(db):
    cursor = await db.execute(
        "SELECT data FROM outbox.fact WHERE kind = 'catalog.imported/1' ORDER BY id"
    )
    return [row[0] for row in await cursor.fetchall()]


class TestImportProducts:
    async def test_creates_updates_and_leaves_alone(self, imported, db):
        assert await imported(CREAM, SOAP) == [(1, "A", "created"), (2, "B", "created")]
        changed = {**SOAP, "price_kopecks": 22_000}
        assert await imported(CREAM, changed) == [(1, "A", "unchanged"), (2, "B", "updated")]
        assert (await queries.products_by_sku(db, ["B"]))["B"].price_kopecks == 22_000

    async def test_keeps_every_field(self, db, now, lunaria):
        for outcome in ("created", "unchanged"):
            found = await operations.import_products(
                db, lunaria, mode=Mode.REPLACE, now=now, actor="operator:cli"
            )
            assert {one.outcome.value for one in found} == {outcome}
        kept = await queries.products_by_sku(db, [product.sku for product in lunaria])
        assert kept == {product.sku: product for product in lunaria}

    async def test_changes_revision_and_tells_only_when_something_changed(self, imported, db):
        await imported(CREAM)
        first = await queries.revision(db)
        await imported(CREAM)
        assert await queries.revision(db) == first
        assert await facts(db) == [
            {
                "created": 1,
                "updated": 0,
                "unchanged": 0,
                "invalid": 0,
                "archived": 0,
                "mode": "merge",
                "revision": 1,
            }
        ]

    async def test_merging_leaves_what_a_row_does_not_say(self, imported, db):
        await imported({**CREAM, "size": "50 мл", "tags": ["хит"], "line": "Морошка"}, SOAP)
        await imported({"sku": "A", "price_kopecks": 100, "size": None})
        assert (await queries.products_by_sku(db, ["A"]))["A"] == Product(
            sku="A",
            name=CREAM["name"],
            brand="Лунария",
            gtin="04600000000008",
            line="Морошка",
            tags=("хит",),
            price_kopecks=100,
        )
        assert await live(db) == ["A", "B"]

    async def test_replacing_takes_away_what_a_row_does_not_say(self, imported, db):
        await imported({**CREAM, "size": "50 мл"})
        await imported(CREAM, mode="replace")
        assert (await queries.products_by_sku(db, ["A"]))["A"].size is None

    async def test_replacing_archives_the_absent_until_they_come_back(self, imported, db, now):
        await imported(CREAM, SOAP)
        await imported(CREAM, mode=Mode.REPLACE)
        assert await live(db) == ["A"]
        assert await queries.count(db) == 1
        assert (await facts(db))[-1]["archived"] == 1
        assert (await queries.products_by_sku(db, ["B"]))["B"].name == SOAP["name"]
        matcher = await queries.matcher(db)
        assert matcher.match([Item("LUNARIA " + SOAP["name"])])[0].sku is None
        assert await imported({"sku": "B"}) == [(1, "B", "updated")]
        matcher = await queries.matcher(db)
        assert matcher.match([Item("LUNARIA " + SOAP["name"])])[0].sku == "B"

    async def test_replacing_keeps_a_product_whose_row_is_wrong(self, imported, refused, db):
        await imported(CREAM, SOAP)
        errors = await refused({**CREAM, "price": "дорого"}, mode=Mode.REPLACE)
        assert list(errors) == [1]
        assert await live(db) == ["A", "B"]  # nothing readable: nothing archived
        await refused(
            {**CREAM, "price": "дорого"}, {**SOAP, "sku": "C", "gtin": None}, mode="replace"
        )
        assert await live(db) == ["A", "C"]

    async def test_replacing_with_nothing_is_refused(self, imported, db):
        await imported(CREAM)
        with pytest.raises(operations.EmptyReplacement):
            await imported(mode=Mode.REPLACE)
        assert await imported() == []

    async def test_lets_a_wrong_row_stop_nothing(self, imported, refused, db):
        errors = await refused({"sku": "X"}, CREAM, {"name": "Без артикула"}, SOAP)
        assert list(errors) == [1, 3]
        assert "row 1, column «name»" in errors[1]
        assert await live(db) == ["A", "B"]

    async def test_answers_by_the_rows_of_a_table(self, imported):
        table = reading.read("Артикул;Название;Бренд\n\nA;Крем;Лунария\n;Мыло;Лунария".encode())
        assert await imported(*table.rows) == [(3, "A", "created"), (4, None, "invalid")]

    async def test_takes_the_first_row_of_an_article(self, refused, db):
        errors = await refused(CREAM, {**SOAP, "sku": "A"})
        assert "the article «A» stands in row 1 already" in errors[2]
        assert (await queries.products_by_sku(db, ["A"]))["A"].name == CREAM["name"]

    async def test_gives_a_barcode_to_one_product(self, imported, refused, db):
        errors = await refused(CREAM, {**SOAP, "gtin": CREAM["gtin"]})
        assert "the barcode 04600000000008 of «B» belongs to «A»" in errors[2]
        assert list(await refused({**SOAP, "gtin": CREAM["gtin"]})) == [1]
        assert await live(db) == ["A"]

    async def test_lets_products_swap_barcodes(self, imported, db):
        await imported(CREAM, SOAP)
        swapped = [{**CREAM, "gtin": SOAP["gtin"]}, {**SOAP, "gtin": CREAM["gtin"]}]
        assert [one[2] for one in await imported(*swapped)] == ["updated", "updated"]
        assert (await queries.products_by_sku(db, ["A"]))["A"].gtin == "04600000000015"

    async def test_counts_a_barcode_its_wrong_row_does_not_give_up(self, imported, refused):
        await imported(CREAM, SOAP)
        # A would take B's code, B's row gives it up but takes C's, which C keeps.
        await imported({**CREAM, "sku": "C", "gtin": "4600000000022"})
        errors = await refused(
            {"sku": "A", "gtin": SOAP["gtin"]}, {"sku": "B", "gtin": "4600000000022"}
        )
        assert "belongs to «C»" in errors[2]
        assert "belongs to «B»" in errors[1]

    async def test_gives_an_archived_products_barcode_away(self, imported, refused, db):
        await imported(CREAM, SOAP)
        await imported(SOAP, {**CREAM, "sku": "A2"}, mode=Mode.REPLACE)
        assert await live(db) == ["A2", "B"]
        errors = await refused({"sku": "A"})
        assert "belongs to «A2»" in errors[1]
        assert await imported({"sku": "A", "gtin": None}) == [(1, "A", "updated")]

    async def test_does_ten_thousand_in_seconds(self, db, now):
        many = [{**CREAM, "sku": f"S{i}", "gtin": None, "tags": ["a"]} for i in range(10_000)]
        loop = asyncio.get_running_loop()
        started = loop.time()
        found = await operations.import_products(db, many, mode="merge", now=now, actor="system")
        assert {one.outcome.value for one in found} == {"created"}
        assert loop.time() - started < 15  # under 1 s on an idle core

    async def test_runs_one_after_another(self, database, now):
        async def run(*products, mode):
            async with database.transaction() as db:
                return await operations.import_products(
                    db, products, mode=mode, now=now, actor="key:1"
                )

        both = [run(CREAM, SOAP, mode=Mode.MERGE) for _ in range(4)]
        found = [[one.outcome.value for one in done] for done in await asyncio.gather(*both)]
        assert sorted(found) == [["created"] * 2] + [["unchanged"] * 2] * 3
        taken = [
            run({**CREAM, "sku": f"N{i}", "gtin": "4600000000039"}, mode=Mode.MERGE)
            for i in range(4)
        ]
        found = [done[0].outcome.value for done in await asyncio.gather(*taken)]
        assert sorted(found) == ["created", "invalid", "invalid", "invalid"]
        async with database.transaction() as db:
            assert await queries.count(db) == 3


class TestLearnAlias:
    @pytest.fixture
    def learn(self, db, now):
        async def run(name, sku, *, inn=INN, at=now):
            return await operations.learn_alias(
                db, seller_inn=inn, name=name, sku=sku, now=at, actor="operator:cli"
            )

        return run

    async def test_makes_a_name_certain_for_its_seller(self, imported, learn, db):
        await imported(CREAM, SOAP)
        line = Item("КР.НОЧ.МОР.", seller_inn=INN)
        assert (await queries.matcher(db)).match([line])[0].sku is None
        assert await learn("Кр.ноч.мор.", "A")
        found = (await queries.matcher(db)).match([line])[0]
        assert (found.sku, found.method, found.score) == ("A", "alias", 1.0)

    async def test_says_when_it_is_known_already(self, imported, learn, db):
        await imported(CREAM)
        assert await learn("КР.НОЧ.МОР.", "A") is True
        before = await queries.revision(db)
        assert await learn("кр ноч мор", "A") is False
        assert await queries.revision(db) == before

    async def test_replaces_with_who_and_when(self, imported, learn, db, now):
        await imported(CREAM, SOAP)
        await learn("КР.НОЧ.МОР.", "A")
        await learn("КР.НОЧ.МОР.", None, at=now + timedelta(days=1))
        found = (await queries.matcher(db)).match([Item("КР.НОЧ.МОР.", seller_inn=INN)])[0]
        assert (found.sku, found.candidate_sku, found.method) == (None, None, "alias")
        cursor = await db.execute("SELECT sku, learned_at, learned_by FROM catalog.alias")
        assert await cursor.fetchall() == [(None, now + timedelta(days=1), "operator:cli")]

    async def test_refuses_a_product_that_is_not_there(self, imported, learn):
        await imported(CREAM)
        with pytest.raises(operations.UnknownProduct, match="no product «Z»"):
            await learn("КР.НОЧ.МОР.", "Z")
        await imported(SOAP, mode=Mode.REPLACE)
        with pytest.raises(operations.UnknownProduct):
            await learn("КР.НОЧ.МОР.", "A")

    async def test_refuses_a_name_of_nothing(self, learn):
        with pytest.raises(operations.EmptyName):
            await learn("***", None)

    async def test_knows_before_the_first_import_what_is_not_ours(self, learn, db):
        assert await learn("ПАКЕТ", None, inn=None)
        assert (await queries.matcher(db)).match([Item("Пакет")])[0].method == "alias"


class TestRights:
    async def test_the_application_deletes_nothing(self, db):
        for table in ("product", "alias", "revision"):
            allowed = await kit_db.fetch_value(
                db, "SELECT has_table_privilege(%s, 'DELETE')", [f"catalog.{table}"]
            )
            assert allowed is False
