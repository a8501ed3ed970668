"""Paying with points over HTTP: quotes, holds, orders, returns."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from vezde.api import names
from vezde.ledger import operations as ledger
from vezde.ledger.model import Accrual, Part

from .conftest import PROGRAM, Api

SITE = "own_site"
CREAM = {"sku": "CREAM-50", "quantity": 1, "price_kopecks": 119_000}
LIP = {"sku": "LIP-01", "quantity": 2, "price_kopecks": 50_000}


async def give(
    api: Api, member: str, points: int, *, name: str = "gift", expires_at: datetime | None = None
) -> None:
    """Points out of nothing, for the tests of spending them."""
    async with api.house.database.transaction() as db:
        now = await api.house.clock.programme(db)
        accrual = Accrual(
            member_id=names.member_id(member),
            op_key=name,
            points=points,
            active_at=now,
            expires_at=expires_at,
            occurred_at=now,
            parts=(Part(0, "gift", 0, points),),
            proof={},
            title="Подарок",
        )
        await ledger.accrue(db, [accrual], now=now, actor="system")


async def now_of(api: Api) -> str:
    return str((await api.ok("GET", "/v1/sandbox/clock"))["now"])


async def passes(api: Api, period: str) -> None:
    await api.ok("POST", "/v1/sandbox/clock", {"advance": period})


async def balance(api: Api, member: str) -> tuple[int, int, int]:
    found = await api.ok("GET", f"/v1/members/{member}/points")
    return found["active"], found["held"], found["pending"]


async def quoted(api: Api, member: str, *lines: dict[str, Any], **more: Any) -> dict[str, Any]:
    body = {"member_id": member, "sales_channel": SITE, "lines": list(lines), **more}
    return dict(await api.ok("POST", "/v1/checkout/quotes", body))


async def held(
    api: Api, member: str, points: int, *lines: dict[str, Any], key: str = "hold", **more: Any
) -> dict[str, Any]:
    ttl = more.pop("ttl_seconds", 600)
    quote = await quoted(api, member, *lines, **more)
    body = {
        "quote_id": quote["quote_id"],
        "lines": list(lines),
        "points": points,
        "ttl_seconds": ttl,
    }
    return dict(await api.ok("POST", "/v1/checkout/holds", body, key=key))


async def commit(api: Api, hold_id: str, order_id: str = "1024", **more: Any) -> Any:
    body = {"order_id": order_id, "paid_at": await now_of(api), **more}
    return await api.call("POST", f"/v1/checkout/holds/{hold_id}/commit", body)


async def ordered(
    api: Api, member: str, order_id: str, *lines: dict[str, Any], **more: Any
) -> dict[str, Any]:
    at = more.pop("paid_at", None) or await now_of(api)
    costs = sum(int(one["quantity"] * one["price_kopecks"]) for one in lines)
    body = {
        "order_id": order_id,
        "member_id": member,
        "sales_channel": SITE,
        "ordered_at": at,
        "paid_at": at,
        "lines": list(lines),
        "paid_kopecks": costs,
        **more,
    }
    return dict(await api.ok("POST", "/v1/orders", body))


def problem(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["code"]


class TestQuotes:
    async def test_say_what_points_pay_and_what_the_order_earns(self, api, anna):
        await give(api, anna, 500)
        found = await quoted(api, anna, CREAM, LIP, delivery_kopecks=30_000)
        assert (found["max_points"], found["earn_points"]) == (500, 109)
        assert (found["point_value_kopecks"], found["benefits"]) == (100, [])
        assert [one["line"] for one in found["lines"]] == [1, 2]
        assert sum(one["max_points"] for one in found["lines"]) == 500
        assert [one["earn_points"] for one in found["lines"]] == [59, 50]
        assert [one["code"] for one in found["reasons"]] == ["delivery", "balance"]

    async def test_leave_no_trace(self, api, anna):
        await give(api, anna, 500)
        before = await balance(api, anna)
        for _ in range(3):
            await quoted(api, anna, CREAM)
        assert await balance(api, anna) == before
        history = await api.ok("GET", f"/v1/members/{anna}/history")
        assert [one["kind"] for one in history["items"]] == ["accrue"]

    async def test_see_the_cap_of_the_day(self, api, anna):
        capped = {**PROGRAM["earning"], "points_per_day": 60}
        await api.ok("PUT", "/v1/program", {"document": {**PROGRAM, "earning": capped}})
        await ordered(api, anna, "1", {**LIP, "quantity": 1})
        assert (await quoted(api, anna, CREAM))["earn_points"] == 35

    async def test_say_why_a_line_takes_part_in_nothing(self, api, anna):
        unknown = {"sku": "NOT-OURS", "quantity": 1, "price_kopecks": 100}
        found = await quoted(
            api, anna, {**CREAM, "earnable": False}, {**LIP, "burnable": False}, unknown
        )
        assert found["earn_points"] == 50
        assert [(one["code"], one["line"]) for one in found["reasons"]] == [
            ("not_burnable", 2),
            ("unknown_product", 3),
            ("balance", None),
        ]

    @pytest.mark.parametrize(
        "change",
        [
            {"quantity": 0},
            {"quantity": -1},
            {"quantity": 0.0000001},
            {"price_kopecks": -1},
            {"price_kopecks": 1.5},
            {"sku": ""},
            {"colour": "red"},
        ],
    )
    async def test_refuse_what_no_line_can_be(self, api, anna, change):
        body = {"member_id": anna, "sales_channel": SITE, "lines": [{**CREAM, **change}]}
        response = await api.call("POST", "/v1/checkout/quotes", body)
        assert problem(response)[0] == 400

    async def test_refuse_unknown_people_and_channels(self, api, anna):
        body = {"member_id": anna, "sales_channel": "mars", "lines": [CREAM]}
        response = await api.call("POST", "/v1/checkout/quotes", body)
        assert problem(response) == (400, "unknown_channel")
        body = {"member_id": "mem_x", "sales_channel": SITE, "lines": [CREAM]}
        assert problem(await api.call("POST", "/v1/checkout/quotes", body)) == (404, "not_found")

    async def test_need_the_scope(self, api, anna):
        key = await api.key("members")
        body = {"member_id": anna, "sales_channel": SITE, "lines": [CREAM]}
        response = await api.call("POST", "/v1/checkout/quotes", body, headers=key)
        assert problem(response) == (403, "scope_missing")


class TestHolds:
    async def test_reserve_points_and_say_what_is_left_to_pay(self, api, anna):
        await give(api, anna, 500)
        hold = await held(api, anna, 219, CREAM, LIP, delivery_kopecks=30_000)
        assert hold["state"] == "open"
        assert (hold["points"], hold["pay_kopecks"]) == (219, 249_000 - 21_900)
        assert [one["discount_kopecks"] for one in hold["lines"]] == [11_900, 10_000]
        assert [one["pay_kopecks"] for one in hold["lines"]] == [107_100, 90_000]
        assert hold["delivery"] == {"points": 0, "discount_kopecks": 0, "pay_kopecks": 30_000}
        assert await balance(api, anna) == (281, 219, 0)
        assert await api.ok("GET", f"/v1/checkout/holds/{hold['hold_id']}") == hold

    async def test_need_an_idempotency_key_and_repeat_under_it(self, api, anna):
        await give(api, anna, 500)
        quote = await quoted(api, anna, CREAM)
        body = {"quote_id": quote["quote_id"], "lines": [CREAM], "points": 100, "ttl_seconds": 60}
        response = await api.call("POST", "/v1/checkout/holds", body)
        assert problem(response) == (400, "idempotency_key_required")
        first = await api.call("POST", "/v1/checkout/holds", body, key="h")
        again = await api.call("POST", "/v1/checkout/holds", body, key="h")
        assert first.status_code == again.status_code == 201
        assert first.content == again.content
        assert await balance(api, anna) == (400, 100, 0)
        other = await api.call("POST", "/v1/checkout/holds", {**body, "points": 99}, key="h")
        assert problem(other) == (409, "key_reused")

    async def test_of_other_lines_answer_a_fresh_quote(self, api, anna):
        await give(api, anna, 500)
        quote = await quoted(api, anna, CREAM)
        body = {"quote_id": quote["quote_id"], "lines": [LIP], "points": 100, "ttl_seconds": 60}
        response = await api.call("POST", "/v1/checkout/holds", body, key="h")
        assert problem(response) == (409, "price_changed")
        fresh = response.json()["quote"]
        body["quote_id"] = fresh["quote_id"]
        await api.ok("POST", "/v1/checkout/holds", body, key="h")

    async def test_at_another_price_answer_a_fresh_quote(self, api, anna):
        await give(api, anna, 500)
        quote = await quoted(api, anna, CREAM)
        await api.ok("PUT", "/v1/program", {"document": {**PROGRAM, "point_value_kopecks": 50}})
        body = {"quote_id": quote["quote_id"], "lines": [CREAM], "points": 100, "ttl_seconds": 60}
        response = await api.call("POST", "/v1/checkout/holds", body, key="h")
        assert problem(response) == (409, "price_changed")
        assert response.json()["quote"]["point_value_kopecks"] == 50

    async def test_under_a_new_version_of_the_same_price_are_made(self, api, anna):
        await give(api, anna, 500)
        quote = await quoted(api, anna, CREAM)
        await api.ok("PUT", "/v1/program", {"document": {**PROGRAM, "name": "Лунария"}})
        body = {"quote_id": quote["quote_id"], "lines": [CREAM], "points": 100, "ttl_seconds": 60}
        await api.ok("POST", "/v1/checkout/holds", body, key="h")

    async def test_by_an_old_or_foreign_quote_are_refused(self, api, anna):
        await give(api, anna, 500)
        quote = await quoted(api, anna, CREAM)
        await passes(api, "PT16M")
        body = {"quote_id": quote["quote_id"], "lines": [CREAM], "points": 1, "ttl_seconds": 60}
        response = await api.call("POST", "/v1/checkout/holds", body, key="h")
        assert problem(response) == (409, "quote_expired")
        assert response.json()["quote"]["max_points"] == 500
        for bad in ("quo_AAAA", "quo_", "x", quote["quote_id"][:-2] + "AA", "quo_ё"):
            response = await api.call(
                "POST", "/v1/checkout/holds", {**body, "quote_id": bad}, key="h"
            )
            assert problem(response) == (400, "bad_quote")

    async def test_beyond_the_balance_or_the_limits_are_refused(self, api, anna):
        await give(api, anna, 100)
        quote = await quoted(api, anna, CREAM)
        body = {"quote_id": quote["quote_id"], "lines": [CREAM], "ttl_seconds": 60}
        response = await api.call("POST", "/v1/checkout/holds", {**body, "points": 101}, key="a")
        assert problem(response) == (409, "insufficient_points")
        response = await api.call("POST", "/v1/checkout/holds", {**body, "points": 1_191}, key="b")
        assert problem(response) == (422, "points_not_allowed")
        assert response.json()["max_points"] == 1_190
        assert await balance(api, anna) == (100, 0, 0)

    async def test_over_the_same_points_only_one_is_made(self, api, anna):
        await give(api, anna, 100)
        quote = await quoted(api, anna, CREAM)
        body = {"quote_id": quote["quote_id"], "lines": [CREAM], "points": 60, "ttl_seconds": 60}
        answers = await asyncio.gather(
            *(api.call("POST", "/v1/checkout/holds", body, key=f"h{n}") for n in range(8))
        )
        codes = sorted(answer.status_code for answer in answers)
        assert codes == [201] + [409] * 7
        assert await balance(api, anna) == (40, 60, 0)

    async def test_are_extended_and_run_out(self, api, anna):
        await give(api, anna, 100)
        hold = await held(api, anna, 100, CREAM, ttl_seconds=60)
        path = f"/v1/checkout/holds/{hold['hold_id']}"
        longer = await api.ok("POST", f"{path}/extend", {"ttl_seconds": 3_600})
        assert longer["expires_at"] > hold["expires_at"]
        same = await api.ok("POST", f"{path}/extend", {"ttl_seconds": 1})
        assert same["expires_at"] == longer["expires_at"]
        await passes(api, "PT2H")
        assert (await api.ok("GET", path))["state"] == "expired"
        assert await balance(api, anna) == (100, 0, 0)
        response = await api.call("POST", f"{path}/extend", {"ttl_seconds": 60})
        assert problem(response) == (409, "hold_expired")

    async def test_are_not_extended_for_ever(self, api, anna):
        await give(api, anna, 100)
        hold = await held(api, anna, 100, CREAM)
        await passes(api, "PT5M")
        path = f"/v1/checkout/holds/{hold['hold_id']}/extend"
        response = await api.call("POST", path, {"ttl_seconds": 30 * 86_400})
        assert problem(response) == (422, "hold_too_long")

    async def test_cancelled_give_the_points_back_once(self, api, anna):
        await give(api, anna, 100)
        hold = await held(api, anna, 100, CREAM)
        path = f"/v1/checkout/holds/{hold['hold_id']}"
        first = await api.ok("POST", f"{path}/cancel")
        assert first["state"] == "cancelled"
        assert await api.ok("POST", f"{path}/cancel") == first
        assert await balance(api, anna) == (100, 0, 0)
        assert problem(await commit(api, hold["hold_id"])) == (409, "hold_closed")
        response = await api.call("POST", f"{path}/extend", {"ttl_seconds": 60})
        assert problem(response) == (409, "hold_closed")

    async def test_cancelled_after_their_end_are_never_committed(self, api, anna):
        await give(api, anna, 100)
        hold = await held(api, anna, 100, CREAM, ttl_seconds=60)
        await passes(api, "PT1H")
        path = f"/v1/checkout/holds/{hold['hold_id']}"
        assert (await api.ok("POST", f"{path}/cancel"))["state"] == "cancelled"
        assert problem(await commit(api, hold["hold_id"])) == (409, "hold_closed")

    async def test_of_others_are_not_found(self, api, anna, boris):
        await give(api, anna, 100)
        hold = await held(api, anna, 100, CREAM)
        member, internal = names.hold_ids(hold["hold_id"])
        other = names.hold(names.member_id(boris), internal)
        assert member != names.member_id(boris)
        response = await api.call("POST", f"/v1/checkout/holds/{other}/cancel")
        assert problem(response) == (404, "hold_missing")
        assert problem(await commit(api, "hld_x")) == (404, "not_found")


class TestCommits:
    async def test_spend_the_points_and_earn_on_the_money(self, api, anna):
        await give(api, anna, 500)
        hold = await held(api, anna, 190, CREAM)
        answer = (await commit(api, hold["hold_id"])).json()
        assert (answer["order_id"], answer["sales_channel"]) == ("1024", SITE)
        assert answer["spent_points"] == 190
        assert answer["earned"]["active"] == 50  # 5 % of 1 000 ₽, the points' part earns nothing
        assert answer["lines"][0]["pay_kopecks"] == 100_000
        assert await balance(api, anna) == (500 - 190 + 50, 0, 0)
        history = (await api.ok("GET", f"/v1/members/{anna}/history"))["items"]
        assert [one["kind"] for one in history] == ["accrue", "commit", "hold", "accrue"]
        assert history[1]["title"] == "Оплата заказа 1024"
        shown = await api.ok("GET", f"/v1/orders/{SITE}/1024")
        assert shown["status"] == "recorded"
        assert shown["hold_id"] == hold["hold_id"]

    async def test_pay_the_whole_order_to_the_last_kopeck(self, api, anna):
        await give(api, anna, 2_000)
        hold = await held(api, anna, 1_190, CREAM)
        assert hold["pay_kopecks"] == 0
        answer = (await commit(api, hold["hold_id"])).json()
        assert answer["earned"] == {"pending": 0, "active": 0, "active_at": None}
        assert answer["lines"][0] == {
            "line": 1,
            "sku": "CREAM-50",
            "quantity": 1,
            "points": 1_190,
            "discount_kopecks": 119_000,
            "pay_kopecks": 0,
            "earned_points": 0,
        }

    async def test_twice_answer_the_same(self, api, anna):
        await give(api, anna, 500)
        hold = await held(api, anna, 100, CREAM)
        at = await now_of(api)
        first = await commit(api, hold["hold_id"], paid_at=at)
        again = await commit(api, hold["hold_id"], paid_at=at, lines=[CREAM])
        assert first.status_code == again.status_code == 200
        assert first.json() == again.json()
        assert (await balance(api, anna))[0] == 400 + 54
        other = await commit(api, hold["hold_id"], "another", paid_at=at)
        assert problem(other) == (409, "hold_closed")

    async def test_in_parallel_happen_once(self, api, anna):
        await give(api, anna, 100)
        hold = await held(api, anna, 100, CREAM)
        at = await now_of(api)
        answers = await asyncio.gather(
            *(commit(api, hold["hold_id"], paid_at=at) for _ in range(6)),
            *(commit(api, hold["hold_id"], f"other-{n}", paid_at=at) for n in range(6)),
        )
        done = [one for one in answers if one.status_code == 200]
        assert len({one.content for one in done}) == 1
        assert {problem(one) for one in answers if one not in done} <= {
            (409, "hold_closed"),
            (409, "order_exists"),
        }
        assert await balance(api, anna) == (54, 0, 0)

    async def test_refuse_what_follows(self, api, anna):
        await give(api, anna, 100)
        hold = await held(api, anna, 100, CREAM)
        await commit(api, hold["hold_id"])
        path = f"/v1/checkout/holds/{hold['hold_id']}"
        response = await api.call("POST", f"{path}/cancel")
        assert problem(response) == (409, "hold_closed")
        assert response.json()["state"] == "committed"
        response = await api.call("POST", f"{path}/extend", {"ttl_seconds": 60})
        assert problem(response) == (409, "hold_closed")

    async def test_with_other_lines_answer_a_fresh_quote(self, api, anna):
        await give(api, anna, 100)
        hold = await held(api, anna, 100, CREAM)
        response = await commit(api, hold["hold_id"], lines=[LIP])
        assert problem(response) == (409, "price_changed")
        assert response.json()["quote"]["lines"][0]["line"] == 1
        assert await balance(api, anna) == (0, 100, 0)
        assert (await commit(api, hold["hold_id"], lines=[CREAM])).status_code == 200

    async def test_after_the_end_pay_if_the_points_are_still_free(self, api, anna):
        await give(api, anna, 100)
        hold = await held(api, anna, 100, CREAM, ttl_seconds=60)
        await passes(api, "PT1H")
        answer = await commit(api, hold["hold_id"])
        assert answer.status_code == 200, answer.text
        assert answer.json()["spent_points"] == 100
        assert await balance(api, anna) == (54, 0, 0)

    async def test_after_the_end_are_refused_when_the_points_are_gone(self, api, anna):
        await give(api, anna, 100)
        first = await held(api, anna, 100, CREAM, ttl_seconds=60)
        await passes(api, "PT1H")
        second = await held(api, anna, 50, CREAM, key="second")
        assert problem(await commit(api, first["hold_id"])) == (409, "hold_expired")
        assert await balance(api, anna) == (50, 50, 0)
        assert (await commit(api, second["hold_id"])).status_code == 200

    async def test_of_a_till_that_was_offline_are_refused(self, api, anna):
        await give(api, anna, 100)
        before = datetime.fromisoformat(await now_of(api)) - timedelta(hours=1)
        hold = await held(api, anna, 100, CREAM)
        response = await commit(api, hold["hold_id"], paid_at=before.isoformat())
        assert problem(response) == (422, "offline_burning")
        later = datetime.fromisoformat(await now_of(api)) + timedelta(days=2)
        response = await commit(api, hold["hold_id"], paid_at=later.isoformat())
        assert problem(response) == (422, "paid_in_future")

    async def test_of_one_number_belong_to_one_order(self, api, anna):
        await give(api, anna, 200)
        first = await held(api, anna, 100, CREAM)
        second = await held(api, anna, 100, LIP, key="second")
        assert (await commit(api, first["hold_id"])).status_code == 200
        assert problem(await commit(api, second["hold_id"])) == (409, "order_exists")
        assert await balance(api, anna) == (54, 100, 0)

    async def test_fifty_at_once_spend_a_balance_once(self, api, anna):
        await give(api, anna, 100)
        quote = await quoted(api, anna, CREAM)
        body = {"quote_id": quote["quote_id"], "lines": [CREAM], "points": 100, "ttl_seconds": 600}

        async def buy(n: int) -> int:
            made = await api.call("POST", "/v1/checkout/holds", body, key=f"h{n}")
            if made.status_code != 201:
                assert problem(made) == (409, "insufficient_points")
                return 0
            done = await commit(api, made.json()["hold_id"], f"order-{n}")
            return int(done.status_code == 200)

        assert sum(await asyncio.gather(*(buy(n) for n in range(50)))) == 1
        assert await balance(api, anna) == (54, 0, 0)

    async def test_earn_on_the_points_part_where_the_programme_says_so(self, api, anna):
        document = {**PROGRAM, "burning": {"earn_on_points": True}}
        await api.ok("PUT", "/v1/program", {"document": document})
        await give(api, anna, 500)
        hold = await held(api, anna, 190, CREAM)
        assert (await commit(api, hold["hold_id"])).json()["earned"]["active"] == 59

    async def test_keep_the_points_that_ran_out_while_they_were_held(self, api, anna):
        soon = datetime.fromisoformat(await now_of(api)) + timedelta(minutes=30)
        await give(api, anna, 100, expires_at=soon)
        hold = await held(api, anna, 100, CREAM, ttl_seconds=7_200)
        await passes(api, "PT1H")
        assert (await commit(api, hold["hold_id"])).json()["spent_points"] == 100


class TestOrders:
    async def test_earn_and_answer_the_same_twice(self, api, anna):
        at = await now_of(api)
        first = await ordered(api, anna, "7", CREAM, paid_at=at)
        assert (first["spent_points"], first["earned"]["active"]) == (0, 59)
        assert first["purchase_id"].startswith("pur_")
        assert await ordered(api, anna, "7", CREAM, paid_at=at) == first
        assert await balance(api, anna) == (59, 0, 0)
        history = (await api.ok("GET", f"/v1/members/{anna}/history"))["items"]
        assert history[0]["title"] == "Заказ 7"

    async def test_of_one_number_are_one_in_a_channel(self, api, anna, boris):
        at = await now_of(api)
        await ordered(api, anna, "7", CREAM, paid_at=at)
        body = {
            "order_id": "7",
            "member_id": boris,
            "sales_channel": SITE,
            "ordered_at": at,
            "paid_at": at,
            "lines": [CREAM],
            "paid_kopecks": 119_000,
        }
        response = await api.call("POST", "/v1/orders", body)
        assert problem(response) == (409, "order_exists")
        assert names.member_id(anna).hex not in response.text
        await api.ok("POST", "/v1/orders", {**body, "sales_channel": "own_shop"})

    async def test_in_parallel_are_recorded_once(self, api, anna):
        at = await now_of(api)
        answers = await asyncio.gather(
            *(ordered(api, anna, "7", CREAM, paid_at=at) for _ in range(8))
        )
        assert all(one == answers[0] for one in answers)
        assert await balance(api, anna) == (59, 0, 0)

    async def test_that_come_late_are_priced_by_the_programme_of_their_time(self, api, anna):
        at = await now_of(api)
        await passes(api, "P1D")
        earning = {**PROGRAM["earning"], "default_rate_bp": 1_000}
        window = {"window_days": 1, "per_day": 1}
        document = {**PROGRAM, "earning": earning, "receipts": window}
        await api.ok("PUT", "/v1/program", {"document": document})
        await passes(api, "P3D")
        late = await ordered(api, anna, "offline-1", CREAM, paid_at=at)
        assert late["earned"]["active"] == 59
        assert (await ordered(api, anna, "today-1", CREAM))["earned"]["active"] == 119
        assert (await ordered(api, anna, "today-2", CREAM))["earned"]["active"] == 119

    async def test_with_points_are_refused_with_the_way_to_go(self, api, anna):
        body = {"order_id": "7", "points": 100}
        response = await api.call("POST", "/v1/orders", body)
        assert response.status_code == 400
        assert response.json()["errors"][0]["code"] == "offline_burning"
        assert "hold" in response.json()["detail"]

    async def test_earn_on_what_was_paid(self, api, anna):
        promo = await ordered(
            api, anna, "7", CREAM, LIP, paid_kopecks=109_500 + 20_000, delivery_kopecks=20_000
        )
        assert promo["earned"]["active"] == 54  # half the price, the delivery earns nothing
        assert [one["pay_kopecks"] for one in promo["lines"]] == [59_500, 50_000]

    async def test_earn_nothing_on_what_the_shop_keeps_out(self, api, anna):
        kept = await ordered(api, anna, "7", {**CREAM, "earnable": False}, LIP)
        assert [one["earned_points"] for one in kept["lines"]] == [0, 50]

    async def test_wait_as_long_as_the_channel_holds(self, api, anna):
        earning = {**PROGRAM["earning"], "channels": {SITE: {"hold_days": 7}}}
        await api.ok("PUT", "/v1/program", {"document": {**PROGRAM, "earning": earning}})
        order = await ordered(api, anna, "7", CREAM)
        assert order["earned"]["pending"] == 59
        assert (await quoted(api, anna, LIP))["max_points"] == 0
        await passes(api, "P8D")
        assert (await api.ok("GET", f"/v1/orders/{SITE}/7"))["earned"]["active"] == 59

    @pytest.mark.parametrize("number", ["", " 7", "7 ", "a/b", "a\nb", "x" * 101])
    async def test_need_a_number_that_an_address_carries(self, api, anna, number):
        at = await now_of(api)
        body = {
            "order_id": number,
            "member_id": anna,
            "sales_channel": SITE,
            "ordered_at": at,
            "paid_at": at,
            "lines": [CREAM],
            "paid_kopecks": 119_000,
        }
        assert problem(await api.call("POST", "/v1/orders", body))[0] == 400

    async def test_nobody_recorded_are_not_found(self, api):
        response = await api.call("GET", f"/v1/orders/{SITE}/nothing")
        assert problem(response) == (404, "order_not_found")


async def give_back(
    api: Api, order_id: str, return_id: str, *lines: tuple[int, float], **more: Any
) -> Any:
    body = {
        "return_id": return_id,
        "returned_at": more.pop("returned_at", None) or await now_of(api),
        "lines": [{"line": number, "quantity": quantity} for number, quantity in lines],
        **more,
    }
    return await api.call("POST", f"/v1/orders/{SITE}/{order_id}/returns", body)


class TestReturns:
    async def test_give_back_money_and_points_line_by_line(self, api, anna):
        await give(api, anna, 500)
        hold = await held(api, anna, 219, CREAM, LIP)
        await commit(api, hold["hold_id"])
        assert (await balance(api, anna))[0] == 281 + 98
        back = (await give_back(api, "1024", "r1", (2, 1))).json()
        assert back["restored_points"] == 50
        assert back["reversed_points"] == 23  # half of 45 that the line had earned, half up
        assert back["refund_kopecks"] == 45_000
        assert (await balance(api, anna))[0] == 281 + 98 + 50 - 23
        rest = (await give_back(api, "1024", "r2", (1, 1), (2, 1))).json()
        assert rest["restored_points"] == 219 - 50
        assert rest["reversed_points"] == 98 - 23
        assert rest["refund_kopecks"] == 219_000 - 21_900 - 45_000
        assert await balance(api, anna) == (500, 0, 0)
        shown = await api.ok("GET", f"/v1/orders/{SITE}/1024")
        assert shown["status"] == "returned"
        assert [one["return_id"] for one in shown["returns"]] == ["r1", "r2"]

    async def test_of_thirds_add_up(self, api, anna):
        await give(api, anna, 100)
        three = {"sku": "LIP-01", "quantity": 3, "price_kopecks": 33_333}
        hold = await held(api, anna, 100, three)
        order = (await commit(api, hold["hold_id"])).json()
        backs = [(await give_back(api, "1024", f"r{n}", (1, 1))).json() for n in range(3)]
        assert sum(one["restored_points"] for one in backs) == 100
        assert sum(one["refund_kopecks"] for one in backs) == order["lines"][0]["pay_kopecks"]
        assert sum(one["reversed_points"] for one in backs) == order["earned"]["active"]
        assert await balance(api, anna) == (100, 0, 0)

    async def test_twice_answer_the_same(self, api, anna):
        await ordered(api, anna, "7", LIP)
        at = await now_of(api)
        first = await give_back(api, "7", "r1", (1, 1), returned_at=at)
        again = await give_back(api, "7", "r1", (1, 1), returned_at=at)
        assert first.json() == again.json()
        assert (await balance(api, anna))[0] == 25
        other = await give_back(api, "7", "r1", (1, 2), returned_at=at)
        assert problem(other) == (409, "return_exists")

    async def test_in_parallel_happen_once(self, api, anna):
        await ordered(api, anna, "7", LIP)
        at = await now_of(api)
        answers = await asyncio.gather(
            *(give_back(api, "7", "r1", (1, 1), returned_at=at) for _ in range(5)),
            *(give_back(api, "7", f"s{n}", (1, 2), returned_at=at) for n in range(5)),
        )
        assert (await balance(api, anna))[0] in {0, 25}
        back = (await api.ok("GET", f"/v1/orders/{SITE}/7"))["returns"]
        assert sum(one["lines"][0]["quantity"] for one in back) <= 2
        assert {one.status_code for one in answers} <= {200, 409}

    async def test_of_more_than_was_sold_are_refused(self, api, anna):
        await ordered(api, anna, "7", LIP)
        response = await give_back(api, "7", "r1", (1, 2.5))
        assert problem(response) == (409, "over_returned")
        assert response.json()["left"] == 2
        await give_back(api, "7", "r2", (1, 1.5))
        assert problem(await give_back(api, "7", "r3", (1, 1))) == (409, "over_returned")
        assert problem(await give_back(api, "7", "r4", (2, 1))) == (400, "line_missing")

    async def test_before_their_order_are_refused_and_may_be_sent_again(self, api, anna):
        response = await give_back(api, "7", "r1", (1, 1))
        assert problem(response) == (404, "order_not_found")
        await ordered(api, anna, "7", LIP)
        assert (await give_back(api, "7", "r1", (1, 1))).json()["reversed_points"] == 25

    async def test_take_back_at_the_rate_paid_then(self, api, anna):
        await ordered(api, anna, "7", LIP)
        earning = {**PROGRAM["earning"], "default_rate_bp": 1_000}
        await api.ok("PUT", "/v1/program", {"document": {**PROGRAM, "earning": earning}})
        assert (await give_back(api, "7", "r1", (1, 2))).json()["reversed_points"] == 50
        assert await balance(api, anna) == (0, 0, 0)

    async def test_of_points_spent_meanwhile_follow_the_policy(self, api, anna):
        await ordered(api, anna, "7", CREAM)
        hold = await held(api, anna, 59, LIP)
        await commit(api, hold["hold_id"], "8", lines=[LIP])
        earned = 47
        back = (await give_back(api, "7", "r1", (1, 1))).json()
        assert (back["reversed_points"], back["forgiven_points"]) == (59, 59 - earned)
        assert await balance(api, anna) == (0, 0, 0)

    async def test_that_make_a_debt_are_kept_or_refused_by_the_policy(self, api, anna):
        await ordered(api, anna, "7", LIP)
        hold = await held(api, anna, 50, {**LIP, "earnable": False})
        await commit(api, hold["hold_id"], "8")
        await api.ok("PUT", "/v1/program", {"document": {**PROGRAM, "returns": {"debt": "forbid"}}})
        assert problem(await give_back(api, "7", "r1", (1, 2))) == (422, "debt_forbidden")
        document = {**PROGRAM, "returns": {"debt": "debt", "debt_limit": 30}}
        await api.ok("PUT", "/v1/program", {"document": document})
        back = (await give_back(api, "7", "r1", (1, 2))).json()
        assert (back["debt_points"], back["forgiven_points"]) == (30, 20)
        assert (await api.ok("GET", f"/v1/members/{anna}/points"))["debt"] == 30

    async def test_of_points_whose_date_passed_follow_the_grace(self, api, anna):
        for order_id, grace in (("a", 0), ("b", 10)):
            document = {**PROGRAM, "returns": {"grace_days": grace}}
            await api.ok("PUT", "/v1/program", {"document": document})
            soon = datetime.fromisoformat(await now_of(api)) + timedelta(days=1)
            await give(api, anna, 100, name=order_id, expires_at=soon)
            hold = await held(api, anna, 100, {**LIP, "earnable": False}, key=order_id)
            await commit(api, hold["hold_id"], order_id)
            await passes(api, "P2D")
            back = (await give_back(api, order_id, "r", (1, 2))).json()
            assert (back["restored_points"], back["expired_points"]) == (100, 0 if grace else 100)
            assert (await balance(api, anna))[0] == (100 if grace else 0)

    async def test_give_the_delivery_back_when_told(self, api, anna):
        document = {**PROGRAM, "burning": {"delivery": True}}
        await api.ok("PUT", "/v1/program", {"document": document})
        await give(api, anna, 1_300)
        hold = await held(api, anna, 1_290, CREAM, delivery_kopecks=10_000)
        await commit(api, hold["hold_id"])
        back = (await give_back(api, "1024", "r", (1, 1))).json()
        assert (back["restored_points"], back["delivery"]) == (1_190, None)
        rest = await api.ok("POST", f"/v1/orders/{SITE}/1024/cancel")
        assert (rest["restored_points"], rest["lines"]) == (100, [])
        assert rest["delivery"] == {"restored_points": 100, "refund_kopecks": 0}
        assert await balance(api, anna) == (1_300, 0, 0)


class TestCancel:
    async def test_gives_back_all_that_is_left_once(self, api, anna):
        await give(api, anna, 500)
        hold = await held(api, anna, 219, CREAM, LIP, delivery_kopecks=30_000)
        await commit(api, hold["hold_id"])
        await give_back(api, "1024", "r1", (2, 1))
        first = await api.ok("POST", f"/v1/orders/{SITE}/1024/cancel")
        assert first["return_id"] is None
        assert first["refund_kopecks"] == 219_000 - 21_900 - 45_000 + 30_000
        assert await api.ok("POST", f"/v1/orders/{SITE}/1024/cancel") == first
        assert await balance(api, anna) == (500, 0, 0)
        assert (await api.ok("GET", f"/v1/orders/{SITE}/1024"))["status"] == "cancelled"
        assert problem(await give_back(api, "1024", "r2", (1, 1))) == (409, "over_returned")
