"""Returns that nobody showed: seller reports take back what came back, once, whatever came first."""

import json
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from vezde.catalog import queries as catalog
from vezde.catalog.matcher import Item
from vezde.ledger import queries as ledger
from vezde.purchases import queries
from vezde.purchases.reports import loading
from vezde.testing.receipts import NOON, OZON, WILDBERRIES, line, receipt
from vezde.testing.reports import OZON_POSTINGS, OZON_RETURNS, POSTING, SRID, sold, weekly

from .conftest import Shop

OTHER = "eA9.00112233445566778899aabbccddeeff.1.0"
BACK = {"Обоснование для оплаты": "Возврат", "Тип документа": "Возврат",
        "Дата продажи": "2026-11-14"}  # fmt: skip


def marked(name: str, mark: str, kopecks: int = 83_000):
    return replace(line(name, kopecks), mark=mark.lower())


async def load(shop: Shop, content: bytes) -> loading.Loaded:
    return await loading.load(
        shop.database, content, name="week.xlsx", clock=shop.clock, actor="key:test"
    )


async def total(shop: Shop, who: UUID) -> int:
    points = await shop.points(who)
    return points.active + points.pending


class TestPace:
    async def test_rows_of_a_report_give_way(self, paced):
        shop, paces = paced
        await load(shop, weekly(sold()))
        assert len(paces) == 1


class TestAWeeklyReport:
    async def test_takes_back_what_came_back_once(self, shop, anna):
        await shop.take(
            anna,
            _receipt(1, marked("Крем для лица LUNARIA 50мл", SRID),
                     marked("Крем для лица LUNARIA 50мл", OTHER)),
        )  # fmt: skip
        assert await total(shop, anna) == 83
        first = await load(shop, weekly(sold(), sold(**BACK), sold(Srid=OTHER)))
        assert (first.sold, first.returned, first.lines, first.points) == (2, 1, 2, 42)
        again = await load(shop, weekly(sold(), sold(**BACK), sold(Srid=OTHER)))
        assert (again.sold, again.returned, again.repeated, again.points) == (0, 0, 3, 0)
        assert await total(shop, anna) == 41
        async with shop.database.transaction() as db:
            newest = (await ledger.history(db, anna, limit=1))[0]
        assert newest.title == "Возврат покупки, по отчёту продавца"

    async def test_may_come_before_the_receipt(self, shop, anna):
        await load(shop, weekly(sold(), sold(**BACK)))
        await shop.take(anna, _receipt(1, marked("Крем для лица LUNARIA 50мл", SRID)))
        assert await total(shop, anna) == 0

    async def test_and_a_receipt_of_the_same_return_take_once(self, shop, anna):
        shop.passes(days=8)
        await shop.take(anna, _receipt(1, marked("Крем для лица LUNARIA 50мл", SRID)))
        back = receipt(
            2,
            lines=[marked("Крем для лица LUNARIA 50мл", SRID)],
            seller=WILDBERRIES,
            at=NOON + timedelta(days=3),
            operation=2,
        )
        await shop.take(anna, back)
        await load(shop, weekly(sold(), sold(**BACK)))
        assert await total(shop, anna) == 0

    async def test_a_storno_of_the_return_gives_again(self, shop, anna):
        await shop.take(anna, _receipt(1, marked("Крем для лица LUNARIA 50мл", SRID)))
        await load(shop, weekly(sold(), sold(**BACK)))
        storno = {"Обоснование для оплаты": "Сторно возвратов", "Дата продажи": "2026-11-20"}
        loaded = await load(shop, weekly(sold(**storno)))
        assert loaded.points == -41
        assert await total(shop, anna) == 41

    async def test_of_strangers_orders_touches_nobody(self, shop, anna):
        await shop.take(anna, _receipt(1, marked("Крем для лица LUNARIA 50мл", OTHER)))
        loaded = await load(shop, weekly(sold(), sold(**BACK)))
        assert (loaded.lines, loaded.points) == (0, 0)
        assert await total(shop, anna) == 41

    async def test_tells_broken_rows_and_keeps_the_others(self, shop):
        loaded = await load(shop, weekly(sold(Srid=None), sold()))
        assert (loaded.broken, loaded.sold) == (1, 1)
        assert loaded.told[0].row == 2

    async def test_teaches_the_titles_of_cards(self, shop, anna):
        title = "Сияние утра набор заботы 3 в 1 подарок маме"
        await load(shop, weekly(sold(Название=title)))
        async with shop.database.transaction() as db:
            matcher = await catalog.matcher(db)
        (found,) = matcher.match([Item(title)])
        assert (found.sku, found.method) == ("CREAM-50", "name")


class TestMarkedGoods:
    async def test_name_the_line_of_a_receipt_by_its_fiscal_key(self, shop, anna):
        paper = receipt(1, lines=[line("Крем для лица LUNARIA 50мл", 83_000)], seller=WILDBERRIES)
        await shop.take(anna, paper)
        row = {"excise_short": "0104605035006964215AbCdE", "operation_type_id": 1,
               "fiscal_doc_number": paper.key.fd, "fiscal_dt": "2026-11-17",
               "fiscal_drive_number": str(paper.key.fn), "srid": SRID}  # fmt: skip
        await load(shop, json.dumps([row]).encode())
        await load(shop, weekly(sold(**BACK)))
        assert await total(shop, anna) == 0


class TestOzon:
    async def test_returns_by_posting_and_product(self, shop, anna):
        paper = receipt(
            1,
            lines=[
                marked("Крем для лица LUNARIA 50мл", POSTING),
                marked("Маска для волос LUNARIA 100мл", POSTING, 40_000),
            ],
            seller=OZON,
        )
        await shop.take(anna, paper)
        before = await total(shop, anna)
        rows = f"FBO;Маска;{POSTING};MASK-100;1;20.11.2026;Возвращён;;1;i1\n"
        loaded = await load(shop, (OZON_RETURNS + rows).encode())
        assert (loaded.lines, loaded.points) == (2, before - 41)
        assert await total(shop, anna) == 41


class TestTheLag:
    async def test_of_enough_returns_suggests_a_hold(self, shop):
        sales, backs = OZON_POSTINGS, OZON_RETURNS
        for number in range(40):
            posting = f"55887469-{number:04d}-1"
            sales += f"1;{posting};2026-10-01;Доставлен;2026-10-05;Крем;1;CREAM-50;1;\n"
            day = 6 + number % 10
            backs += f"FBO;Крем;{posting};CREAM-50;1;{day:02d}.10.2026;Возвращён;;1;i{number}\n"
        await load(shop, sales.encode())
        await load(shop, backs.encode())
        async with shop.database.transaction() as db:
            (lag,) = await queries.return_lags(db)
            (newest, *_) = await queries.reports(db, before=None, limit=5)
        assert (lag.sales_channel, lag.returns, lag.median_days) == ("ozon", 40, 5)
        assert lag.suggested_hold_days == lag.p95_days == 10
        assert (newest.returned, newest.finished_at is not None) == (40, True)


def _receipt(number: int, *lines):
    return receipt(number, lines=lines, seller=WILDBERRIES)
