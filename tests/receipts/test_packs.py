"""Packs: the code on the jar confirms, completes, is worth a little, and alone proves nothing."""

import io
import json
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from vezde.purchases import operations as purchases
from vezde.purchases.marking import Pack
from vezde.purchases.operations import NotAMarkingCode, Scan
from vezde.purchases.operations.scanning import Outcome
from vezde.purchases.reports import loading
from vezde.receipts.model import Status
from vezde.receipts.reading import files
from vezde.testing.receipts import NOON, OZON, advance_and_settlement, line, receipt

from .conftest import Shop

if TYPE_CHECKING:
    from PIL.Image import Image

MASK = Pack("04605035006964", "5AbCdE")
CODE = MASK.text + "\x1d93dGVz"
LINE = line("Маска для волос LUNARIA 100мл", 40_000, gtin=MASK.gtin, serial=MASK.serial)
PLAIN = line("Маска для волос LUNARIA 100мл", 40_000)


async def scan(shop: Shop, who: UUID, code: str = CODE) -> Scan:
    async with shop.database.transaction() as db:
        return await purchases.scan(db, who, code, now=shop.at, actor=f"member:{who}")


async def own(shop: Shop, *codes: Pack) -> int:
    async with shop.database.transaction() as db:
        return await purchases.add_own_codes(db, codes, now=shop.at, actor="key:test")


async def report(shop: Shop, *operations: int, day: str = "2026-11-18") -> None:
    rows = [
        {"excise_short": MASK.text, "operation_type_id": one, "fiscal_dt": day,
         "fiscal_drive_number": "", "srid": f"ea9.00112233445566778899aabbccddeeff.{place}.0"}
        for place, one in enumerate(operations)
    ]  # fmt: skip
    await loading.load(
        shop.database, json.dumps(rows).encode(), name="x", clock=shop.clock, actor="key:test"
    )


async def total(shop: Shop, who: UUID) -> int:
    points = await shop.points(who)
    return points.active + points.pending


@pytest.fixture
async def bonus(shop: Shop) -> Shop:
    """The programme gives 5 points for a code of the brand's own, twice a day."""
    await shop.publish(earning={"default_rate_bp": 500, "pack_bonus": {"points": 5, "per_day": 2}})
    shop.passes(minutes=1)
    return shop


class TestAPackOnAReceipt:
    async def test_is_confirmed(self, shop, anna):
        (result,) = await shop.take(anna, receipt(1, lines=[LINE]))
        found = await scan(shop, anna)
        assert (found.outcome, found.receipt_id) == (Outcome.CONFIRMED, result.receipt_id)
        assert found.product is not None
        assert (found.product.sku, found.points) == ("MASK-100", 0)

    async def test_is_nobody_elses(self, shop, anna, boris):
        await shop.take(anna, receipt(1, lines=[LINE]))
        assert (await scan(shop, boris)).outcome is Outcome.TAKEN

    async def test_beats_a_scan(self, shop, anna, boris):
        await own(shop, MASK)
        assert (await scan(shop, boris)).outcome is Outcome.OWN
        await shop.take(anna, receipt(1, lines=[LINE]))
        assert (await scan(shop, anna)).outcome is Outcome.CONFIRMED
        assert (await scan(shop, boris)).outcome is Outcome.TAKEN

    async def test_back_in_circulation_takes_its_points_and_is_free_again(self, shop, anna, boris):
        await shop.take(anna, receipt(1, lines=[LINE]))
        assert await total(shop, anna) == 40
        await report(shop, 2)
        assert await total(shop, anna) == 0
        await shop.take(boris, receipt(2, lines=[LINE], at=NOON + timedelta(hours=1)))
        assert (await scan(shop, boris)).outcome is Outcome.CONFIRMED


class TestAnAdvance:
    async def test_is_completed_by_a_pack_that_was_sold(self, shop, anna):
        advance, settlement = advance_and_settlement(
            1, lines=[PLAIN], handed_over_at=NOON + timedelta(hours=5)
        )
        (waiting,) = await shop.take(anna, advance)
        await report(shop, 1)
        found = await scan(shop, anna)
        assert (found.outcome, found.points) == (Outcome.COMPLETED, 20)
        assert found.receipt_id == waiting.receipt_id
        assert (await scan(shop, anna)).points == 0
        await shop.take(anna, settlement)  # the second receipt comes after all
        assert await total(shop, anna) == 20

    async def test_is_not_completed_by_a_pack_on_the_shelf(self, shop, anna):
        advance, _ = advance_and_settlement(
            1, lines=[PLAIN], handed_over_at=NOON + timedelta(hours=5)
        )
        (waiting,) = await shop.take(anna, advance)
        await own(shop, MASK)
        assert (await scan(shop, anna)).outcome is Outcome.OWN
        shown = await shop.receipt(anna, waiting.receipt_id)
        assert shown.status is Status.AWAITING_SETTLEMENT

    async def test_completed_by_a_pack_that_came_back_loses_its_points(self, shop, anna):
        advance, _ = advance_and_settlement(
            1, lines=[PLAIN], seller=OZON, handed_over_at=NOON + timedelta(hours=5)
        )
        await shop.take(anna, advance)
        await report(shop, 1)
        await scan(shop, anna)
        await report(shop, 2, day="2026-11-25")
        assert await total(shop, anna) == 0


class TestAScanAlone:
    async def test_of_an_unknown_code_proves_nothing(self, bonus, anna):
        assert (await scan(bonus, anna)).outcome is Outcome.UNKNOWN
        assert await total(bonus, anna) == 0

    async def test_of_an_own_code_is_worth_a_little_once(self, bonus, anna, boris):
        await own(bonus, MASK)
        first = await scan(bonus, anna)
        assert (first.outcome, first.points) == (Outcome.OWN, 5)
        assert (await scan(bonus, anna)).outcome is Outcome.KNOWN
        assert (await scan(bonus, boris)).outcome is Outcome.TAKEN
        assert (await total(bonus, anna), await total(bonus, boris)) == (5, 0)

    async def test_is_worth_it_so_often_a_day(self, bonus, anna):
        codes = [Pack(MASK.gtin, f"serie{number}") for number in range(4)]
        assert await own(bonus, *codes) == 4
        assert await own(bonus, *codes) == 0
        points = [(await scan(bonus, anna, one.text)).points for one in codes]
        assert points == [5, 5, 0, 0]

    async def test_loses_it_when_the_code_is_back_in_circulation(self, bonus, anna):
        await own(bonus, MASK)
        await scan(bonus, anna)
        await report(bonus, 2)
        assert await total(bonus, anna) == 0

    async def test_of_what_is_no_code_says_so(self, shop, anna):
        with pytest.raises(NotAMarkingCode):
            await scan(shop, anna, "4605035006964")


class TestAPicture:
    def test_of_a_datamatrix_is_read(self):
        found = files.picture(_photo(CODE))
        assert (found.receipts, found.packs) == ((), (MASK.text,))

    def test_without_one_has_none(self):
        from PIL import Image

        assert files.picture(_png(Image.new("L", (300, 300), 255))).packs == ()


def _photo(code: str) -> bytes:
    """The code printed small and crooked on a jar."""
    import zxingcpp
    from PIL import Image

    made = zxingcpp.create_barcode(code, zxingcpp.BarcodeFormat.DataMatrix)
    printed = Image.fromarray(zxingcpp.write_barcode_to_image(made, scale=6)).convert("L")
    jar = Image.new("L", (1_400, 1_000), 190)
    jar.paste(printed.rotate(11, expand=True, fillcolor=255), (600, 400))
    return _png(jar)


def _png(picture: "Image") -> bytes:
    kept = io.BytesIO()
    picture.save(kept, "PNG")
    return kept.getvalue()
