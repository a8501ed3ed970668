"""From a verified document to points, or to an answer why not."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from vezde.kit.vault import Vault
from vezde.receipts import parsers
from vezde.receipts.model import Reason, Status
from vezde.testing.people import ANNA
from vezde.testing.receipts import (
    NOON,
    OZON,
    PYATEROCHKA,
    WILDBERRIES,
    advance_and_settlement,
    line,
    receipt,
)

from .conftest import Shop

CREAM = line("Крем для лица LUNARIA 50мл", 83_000)
BREAD = line("Хлеб бородинский", 5_000)


class TestAPlainSale:
    async def test_earns_at_the_channels_rate(self, shop, anna):
        (result,) = await shop.take(anna, receipt(1, lines=[CREAM, BREAD], seller=PYATEROCHKA))
        assert (result.status, result.reason) == (Status.ACCEPTED, None)
        assert (result.points.active, result.points.pending) == (83, 0)
        points = await shop.points(anna)
        assert (points.active, points.pending) == (83, 0)

    async def test_waits_for_the_hold_of_a_marketplace(self, shop, anna):
        (result,) = await shop.take(anna, receipt(1, lines=[CREAM], seller=WILDBERRIES))
        assert (result.points.active, result.points.pending) == (0, 41)
        paid_at = datetime.fromisoformat("2026-11-17T12:30:00+03:00")
        assert result.points.active_at == paid_at + timedelta(days=14)
        shop.at = paid_at + timedelta(days=14)
        assert (await shop.points(anna)).active == 41

    async def test_shows_what_was_recognised_and_where(self, shop, anna):
        (result,) = await shop.take(anna, receipt(1, lines=[BREAD, CREAM], seller=PYATEROCHKA))
        shown = await shop.receipt(anna, result.receipt_id)
        assert shown.sales_channel == "chain"
        assert shown.seller_inn == PYATEROCHKA.inn
        assert [(one.line, one.sku, one.points) for one in shown.matched] == [(2, "CREAM-50", 83)]
        assert shown.purchase_id is not None
        assert shown.wall_time == NOON

    async def test_of_foreign_goods_is_not_ours(self, shop, anna):
        (result,) = await shop.take(anna, receipt(1, lines=[BREAD]))
        assert (result.status, result.reason) == (Status.REJECTED, Reason.NOT_OURS)
        assert (await shop.points(anna)).active == 0


class TestRefusals:
    async def test_a_return_a_payout_and_a_correction_earn_nothing(self, shop, anna):
        back, payout, fixed = await shop.take(
            anna,
            receipt(1, lines=[CREAM], operation=2),
            receipt(3, lines=[CREAM], operation=3),
            receipt(2, lines=[CREAM], code=31),
        )
        assert (back.reason, back.points.active) == (Reason.RETURNED, 0)
        assert payout.reason is Reason.WRONG_OPERATION
        assert fixed.reason is Reason.CORRECTION

    async def test_an_old_receipt_and_one_of_tomorrow(self, shop, anna):
        old, ahead = await shop.take(
            anna,
            receipt(1, lines=[CREAM], at=NOON - timedelta(days=31)),
            receipt(2, lines=[CREAM], at=NOON + timedelta(days=3)),
        )
        assert old.reason is Reason.TOO_OLD
        assert ahead.reason is Reason.FROM_FUTURE

    async def test_the_eleventh_of_a_day(self, shop, anna):
        papers = [receipt(number, lines=[CREAM]) for number in range(11)]
        results = await shop.take(anna, *papers)
        assert [one.reason for one in results] == [None] * 10 + [Reason.DAILY_LIMIT]
        shop.passes(days=1)
        (next_day,) = await shop.take(anna, receipt(99, lines=[CREAM]))
        assert next_day.status is Status.ACCEPTED


class TestAdvanceAndSettlement:
    async def test_earn_once_in_either_order(self, shop, anna, boris):
        for number, (who, order) in enumerate(
            zip((anna, boris), permutations((0, 1)), strict=True)
        ):
            pair = advance_and_settlement(
                10 * number, lines=[CREAM], handed_over_at=NOON + timedelta(hours=1)
            )
            for index in order:
                await shop.take(who, pair[index])
            points = await shop.points(who)
            assert points.pending + points.active == 41

    async def test_the_advance_waits_and_is_closed_by_the_settlement(self, shop, anna):
        advance, settlement = advance_and_settlement(
            1, lines=[CREAM], handed_over_at=NOON + timedelta(hours=1)
        )
        (waiting,) = await shop.take(anna, advance)
        assert (waiting.status, waiting.reason) == (Status.AWAITING_SETTLEMENT, Reason.ADVANCE)
        (settled,) = await shop.take(anna, settlement)
        assert settled.status is Status.ACCEPTED
        first = await shop.receipt(anna, waiting.receipt_id)
        second = await shop.receipt(anna, settled.receipt_id)
        assert (first.status, first.reason) == (Status.ACCEPTED, None)
        assert first.purchase_id == second.purchase_id
        assert [one.points for one in first.matched] == [0]

    async def test_in_one_batch(self, shop, anna):
        pair = advance_and_settlement(1, lines=[CREAM], handed_over_at=NOON + timedelta(hours=1))
        results = await shop.take(anna, *pair)
        assert (await shop.points(anna)).pending == 41
        shown = [await shop.receipt(anna, one.receipt_id) for one in results]
        assert [one.status for one in shown] == [Status.ACCEPTED] * 2

    async def test_an_advance_without_names_waits(self, shop, anna):
        nameless = replace(line(None, 5_000), payment_type=3, product_type=10)
        (result,) = await shop.take(anna, receipt(1, lines=[nameless]))
        assert (result.status, result.reason) == (Status.AWAITING_SETTLEMENT, Reason.ADVANCE)

    async def test_a_line_paid_ahead_beside_a_settled_one(self, shop, anna):
        mixed = receipt(1, lines=[CREAM, replace(CREAM, payment_type=1)], seller=OZON)
        (result,) = await shop.take(anna, mixed)
        assert result.status is Status.ACCEPTED
        assert result.points.pending == 41


class TestCredit:
    async def test_an_instalment_after_the_hand_over_earns_nothing_more(self, shop, anna):
        on_credit = receipt(1, lines=[replace(CREAM, payment_type=6)])
        paid_off = receipt(2, lines=[replace(CREAM, payment_type=7)], at=NOON + timedelta(hours=1))
        for paper in (on_credit, paid_off):
            (result,) = await shop.take(anna, paper)
            assert result.status is Status.ACCEPTED
        assert (await shop.points(anna)).active == 83


class TestDoubt:
    async def test_between_two_shades_is_reviewed(self, shop, anna):
        (result,) = await shop.take(anna, receipt(1, lines=[line("Помада LUNARIA", 50_000)]))
        assert (result.status, result.reason) == (Status.IN_REVIEW, Reason.DOUBTFUL_MATCH)
        assert (await shop.points(anna)).active == 0


class TestRealPapers:
    @pytest.mark.parametrize("order", [("019", "025"), ("025", "019")])
    async def test_of_one_marketplace_order_earn_once(self, database, shared, order):
        shop = Shop(database, Vault(bytes(32)), at=datetime(2025, 1, 2, tzinfo=UTC))
        await shop.publish()
        await shop.stock([{"sku": "PEELER", "name": "UPPFYLLD картофелечистка", "brand": "IKEA"}])
        anna = await shop.enrol(ANNA)
        for name in order:
            (paper,) = parsers.read((shared / "data" / "receipts" / f"{name}.json").read_bytes())
            await shop.take(anna, paper)
        points = await shop.points(anna)
        assert (points.pending, points.active) == (29, 0)
        shop.passes(days=14)
        assert (await shop.points(anna)).active == 29
