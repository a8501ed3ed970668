"""The same goods as an order the shop reports and as receipts its member shows: earned once."""

import asyncio
from datetime import datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from vezde.testing.receipts import (
    NOON,
    Shop,
    advance_and_settlement,
    line,
    receipt,
    render,
)

from .conftest import PROGRAM, Api
from .test_checkout import CREAM, LIP, balance, commit, give, give_back, held, ordered

PAID = "2026-11-17T09:30:00Z"  # noon and a half in Moscow
OUR_SITE = Shop("7801234564", 'ООО "ЛУНАРИЯ"', "https://lunaria.example", "191186, СПб", True)
OUR_SHOP = Shop("7801234564", 'ООО "ЛУНАРИЯ"', "Лунария на Мойке", "191186, СПб")
CREAM_SOLD = line("Крем для лица LUNARIA 50мл", 119_000)
LIP_SOLD = line("Помада LUNARIA тон 01", 100_000, quantity=2)


@pytest.fixture(autouse=True)
async def own(api: Api) -> None:
    document = {**PROGRAM, "sellers": {"own_inns": ["7801234564"]}}
    await api.ok("PUT", "/v1/program", {"document": document})


async def show(api: Api, member: str, paper: Any) -> dict[str, Any]:
    (shown,) = await api.batch({"member_id": member, "document": render(paper)})
    return shown


class TestOneOrderOneReceipt:
    async def test_the_receipt_after_the_order_confirms_it(self, api, anna):
        order = await ordered(api, anna, "7", CREAM, paid_at=PAID)
        shown = await show(api, anna, receipt(1, lines=[CREAM_SOLD], seller=OUR_SITE))
        assert (shown["status"], shown["points"]["active"]) == ("accepted", 0)
        assert (await balance(api, anna))[0] == order["earned"]["active"] == 59
        paper = await api.ok("GET", f"/v1/receipts/{shown['id']}")
        assert paper["purchase_id"] == order["purchase_id"]

    async def test_the_order_after_the_receipt_earns_no_more_and_takes_it_back(self, api, anna):
        shown = await show(api, anna, receipt(1, lines=[CREAM_SOLD], seller=OUR_SITE))
        order = await ordered(api, anna, "7", CREAM, paid_at=PAID)
        assert (shown["points"]["active"], order["earned"]["active"]) == (59, 0)
        paper = await api.ok("GET", f"/v1/receipts/{shown['id']}")
        assert paper["purchase_id"] == order["purchase_id"]
        back = (await give_back(api, "7", "r", (1, 1))).json()
        assert back["reversed_points"] == 59
        assert await balance(api, anna) == (0, 0, 0)

    async def test_a_receipt_of_what_points_left_to_pay_is_the_orders(self, api, anna):
        await give(api, anna, 190)
        hold = await held(api, anna, 190, CREAM)
        await commit(api, hold["hold_id"])
        now = datetime.fromisoformat((await api.ok("GET", "/v1/sandbox/clock"))["now"])
        paper = receipt(
            1,
            lines=[line("Крем для лица LUNARIA 50мл", 100_000)],
            seller=OUR_SITE,
            at=(now + timedelta(hours=3)).replace(tzinfo=None, microsecond=0),
        )
        assert (await show(api, anna, paper))["points"]["active"] == 0
        assert await balance(api, anna) == (50, 0, 0)

    async def test_a_receipt_that_was_refused_leaves_the_order_its_points(self, api, anna):
        document = {
            **PROGRAM,
            "sellers": {"own_inns": ["7801234564"]},
            "receipts": {"window_days": 1, "per_day": None},
        }
        await api.ok("POST", "/v1/sandbox/reset", {"program": document})
        await api.ok(
            "PUT",
            "/v1/catalog/products",
            {"items": [{"sku": "CREAM-50", "name": "Крем для лица LUNARIA 50 мл",
                        "brand": "LUNARIA", "size": "50 мл"}], "mode": "merge"},
        )  # fmt: skip
        anna = (await api.ok("POST", "/v1/members", {"phone": "+79000000001"}))["id"]
        shown = await show(
            api, anna, receipt(1, lines=[CREAM_SOLD], seller=OUR_SITE, at=datetime(2026, 11, 1, 12))
        )
        assert shown["reason"]["code"] == "too_old"
        order = await ordered(api, anna, "7", CREAM, paid_at="2026-11-01T09:00:00Z")
        assert order["earned"]["active"] == 59

    async def test_a_doubtful_line_decided_after_the_order_earns_nothing(self, api, anna):
        await ordered(api, anna, "7", {**CREAM, "sku": "LIP-01"}, paid_at=PAID)
        doubt = receipt(1, lines=[line("Помада LUNARIA", 119_000)], seller=OUR_SITE)
        shown = await show(api, anna, doubt)
        assert shown["status"] == "in_review"
        await api.ok("POST", f"/v1/receipts/{shown['id']}/lines/1/match", {"product_sku": "LIP-01"})
        assert await balance(api, anna) == (59, 0, 0)


class TestOtherPurchases:
    async def test_elsewhere_earn_for_themselves(self, api, anna):
        await ordered(api, anna, "7", CREAM, paid_at=PAID)
        shown = await show(api, anna, receipt(1, lines=[CREAM_SOLD]))
        assert shown["points"]["active"] == 119

    async def test_of_other_goods_or_long_after_earn_for_themselves(self, api, anna):
        await ordered(api, anna, "7", CREAM, paid_at="2026-09-01T09:00:00Z")
        later = await show(api, anna, receipt(1, lines=[CREAM_SOLD], seller=OUR_SITE))
        other = await show(api, anna, receipt(2, lines=[LIP_SOLD], seller=OUR_SITE))
        assert (later["points"]["active"], other["points"]["active"]) == (59, 50)

    async def test_in_the_own_shop_are_the_orders_only_for_the_very_sum(self, api, anna):
        await ordered(api, anna, "7", CREAM, paid_at=PAID)
        dearer = line("Крем для лица LUNARIA 50мл", 129_000)
        other = await show(api, anna, receipt(1, lines=[dearer], seller=OUR_SHOP))
        fetched = await show(api, anna, receipt(2, lines=[CREAM_SOLD], seller=OUR_SHOP))
        assert (other["points"]["active"], fetched["points"]["active"]) == (64, 0)

    async def test_two_orders_and_two_receipts_earn_twice(self, api, anna):
        for papers_first in (False, True):
            number = 10 if papers_first else 20
            papers = [
                receipt(number + n, lines=[LIP_SOLD], seller=OUR_SITE, at=NOON + timedelta(days=n))
                for n in range(2)
            ]
            before = (await balance(api, anna))[0]
            orders = [(f"{number}-{n}", f"2026-11-{17 + n}T09:30:00Z") for n in range(2)]
            steps: list[Any] = [*papers, *orders] if papers_first else [*orders, *papers]
            for step in steps:
                if isinstance(step, tuple):
                    await ordered(api, anna, step[0], LIP, paid_at=step[1])
                else:
                    await show(api, anna, step)
            assert (await balance(api, anna))[0] - before == 100


class TestPaidAhead:
    async def test_both_receipts_of_an_order_are_covered_whatever_comes_first(self, api, boris):
        for number, order in enumerate(permutations(["order", "advance", "settlement"])):
            anna = await api.ok("POST", "/v1/members", {"phone": f"+7900000{1000 + number}"})
            advance, settlement = advance_and_settlement(
                100 + 2 * number,
                lines=[CREAM_SOLD],
                seller=OUR_SITE,
                handed_over_at=NOON + timedelta(days=5),
            )
            shown = {}
            for step in order:
                if step == "order":
                    await ordered(api, anna["id"], f"o{number}", CREAM, paid_at=PAID)
                else:
                    paper = advance if step == "advance" else settlement
                    shown[step] = await show(api, anna["id"], paper)
            assert await balance(api, anna["id"]) == (59, 0, 0), order
            settled = await api.settled(shown["settlement"]["id"])
            assert settled["status"] == "accepted", order
            assert await accepted(api, shown["advance"]["id"]), order

    async def test_an_order_is_what_an_advance_waited_for(self, api, anna):
        advance, _ = advance_and_settlement(
            1, lines=[CREAM_SOLD], seller=OUR_SITE, handed_over_at=NOON + timedelta(days=5)
        )
        shown = await show(api, anna, advance)
        assert shown["status"] == "awaiting_settlement"
        await ordered(api, anna, "7", CREAM, paid_at=PAID)
        assert await accepted(api, shown["id"])


async def accepted(api: Api, receipt_id: str) -> bool:
    for _ in range(200):
        if (await api.ok("GET", f"/v1/receipts/{receipt_id}"))["status"] == "accepted":
            return True
        await asyncio.sleep(0.02)
    return False


class TestAnyOrder:
    """An order of two lines, its two parcels' receipts, a return: the same whatever comes when."""

    async def test_of_order_receipts_and_return_gives_the_same_points(self, api):
        for number, steps in enumerate(permutations(["order", "one", "two", "return"])):
            member = await api.ok("POST", "/v1/members", {"phone": f"+7900001{1000 + number}"})
            papers = {
                "one": receipt(1_000 + 2 * number, lines=[CREAM_SOLD], seller=OUR_SITE),
                "two": receipt(
                    1_001 + 2 * number,
                    lines=[LIP_SOLD],
                    seller=OUR_SITE,
                    at=NOON + timedelta(days=3),
                ),
            }
            left = list(steps) * 2  # everything is sent twice
            order_id = f"any-{number}"
            while left:
                step = left.pop(0)
                if step == "order":
                    await ordered(api, member["id"], order_id, CREAM, LIP, paid_at=PAID)
                elif step == "return":
                    answer = await give_back(
                        api, order_id, "r", (1, 1), (2, 1), returned_at="2026-11-24T10:00:00Z"
                    )
                    if answer.status_code == 404:  # before its order: the shop sends it again
                        left.append("return")
                else:
                    await show(api, member["id"], papers[step])
            assert await balance(api, member["id"]) == (25, 0, 0), steps
