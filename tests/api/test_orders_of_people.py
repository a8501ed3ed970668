"""Orders of members who are merged or forgotten."""

from datetime import datetime, timedelta

import pytest

from .conftest import PROGRAM
from .test_checkout import (
    CREAM,
    LIP,
    SITE,
    balance,
    commit,
    give,
    give_back,
    held,
    now_of,
    ordered,
    passes,
    problem,
    quoted,
)


class TestMerged:
    async def test_orders_come_back_to_the_one_who_is_left(self, api, anna, boris):
        await give(api, boris, 300)
        hold = await held(api, boris, 100, CREAM)
        order = (await commit(api, hold["hold_id"], "b")).json()
        await ordered(api, boris, "money", LIP)
        await api.ok("POST", f"/v1/members/{anna}/merge", {"gone": boris})
        before = (await balance(api, anna))[0]
        assert before == 200 + order["earned"]["active"] + 50
        back = (await give_back(api, "b", "r", (1, 1))).json()
        assert (back["restored_points"], back["reversed_points"]) == (100, 54)
        assert (await give_back(api, "money", "r", (1, 2))).json()["reversed_points"] == 50
        assert (await balance(api, anna)) == (300, 0, 0)
        shown = await api.ok("GET", f"/v1/orders/{SITE}/b")
        assert shown["member_id"] == anna

    async def test_in_between_two_returns(self, api, anna, boris):
        await give(api, boris, 100)
        hold = await held(api, boris, 100, LIP)
        await commit(api, hold["hold_id"], "b")
        await give_back(api, "b", "one", (1, 1))
        await api.ok("POST", f"/v1/members/{anna}/merge", {"gone": boris})
        await give_back(api, "b", "two", (1, 1))
        assert await balance(api, anna) == (100, 0, 0)

    async def test_the_same_order_again_names_whom_to_use(self, api, anna, boris):
        at = await now_of(api)
        first = await ordered(api, boris, "7", CREAM, paid_at=at)
        await api.ok("POST", f"/v1/members/{anna}/merge", {"gone": boris})
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
        assert problem(response) == (409, "member_merged")
        again = await ordered(api, response.json()["member_id"], "7", CREAM, paid_at=at)
        assert (again["member_id"], again["earned"]) == (anna, first["earned"])

    async def test_a_quote_of_the_gone_is_refused(self, api, anna, boris):
        await give(api, boris, 100)
        quote = await quoted(api, boris, CREAM)
        await api.ok("POST", f"/v1/members/{anna}/merge", {"gone": boris})
        body = {"quote_id": quote["quote_id"], "lines": [CREAM], "points": 50, "ttl_seconds": 60}
        response = await api.call("POST", "/v1/checkout/holds", body, key="h")
        assert problem(response) == (409, "member_merged")

    @pytest.mark.parametrize("end", ["commit", "cancel"])
    async def test_a_hold_that_ran_out_before_is_found_by_its_old_id(self, api, anna, boris, end):
        await give(api, boris, 100)
        hold = await held(api, boris, 100, CREAM, ttl_seconds=60)
        await passes(api, "PT1H")
        await api.ok("POST", f"/v1/members/{anna}/merge", {"gone": boris})
        path = f"/v1/checkout/holds/{hold['hold_id']}"
        assert (await api.ok("GET", path))["state"] == "expired"
        if end == "commit":
            done = (await commit(api, hold["hold_id"])).json()
            assert (done["member_id"], done["spent_points"]) == (anna, 100)
            assert await balance(api, anna) == (54, 0, 0)
        else:
            assert (await api.ok("POST", f"{path}/cancel"))["state"] == "cancelled"
            assert await balance(api, anna) == (100, 0, 0)


class TestForgotten:
    async def test_a_return_tells_the_money_and_moves_no_points(self, api, anna):
        await give(api, anna, 300)
        hold = await held(api, anna, 100, CREAM)
        await commit(api, hold["hold_id"], "a")
        await api.call("DELETE", f"/v1/members/{anna}")
        back = (await give_back(api, "a", "r", (1, 1))).json()
        assert (back["refund_kopecks"], back["restored_points"], back["reversed_points"]) == (
            109_000,
            0,
            0,
        )

    async def test_holds_end_with_the_member(self, api, anna):
        await give(api, anna, 300)
        hold = await held(api, anna, 100, CREAM)
        await api.call("DELETE", f"/v1/members/{anna}")
        shown = await api.ok("GET", f"/v1/checkout/holds/{hold['hold_id']}")
        assert shown["state"] == "cancelled"
        assert problem(await commit(api, hold["hold_id"])) == (409, "member_closed")


class TestTime:
    async def test_an_order_is_of_the_version_in_force_when_it_was_paid(self, api, anna):
        """A new version starts at a Moscow midnight; a minute decides."""
        start = datetime.fromisoformat(await now_of(api)).replace(microsecond=0) + timedelta(days=2)
        earning = {**PROGRAM["earning"], "default_rate_bp": 1_000}
        document = {**PROGRAM, "earning": earning}
        await api.ok("PUT", "/v1/program", {"document": document, "valid_from": start.isoformat()})
        await passes(api, "P3D")
        before = (start - timedelta(seconds=1)).isoformat()
        old = await ordered(api, anna, "a", CREAM, paid_at=before)
        new = await ordered(api, anna, "b", CREAM, paid_at=start.isoformat())
        assert (old["earned"]["active"], new["earned"]["active"]) == (59, 119)


class TestOfAQuote:
    async def test_earns_for_whom_the_quote_was_however_old(self, api, anna):
        quote = await quoted(api, anna, CREAM)
        await passes(api, "P2D")
        body = await _by_quote(api, quote["quote_id"], LIP)
        order = await api.ok("POST", "/v1/orders", body)
        assert order["member_id"] == anna
        assert order["earned"]["active"] > 0
        assert await api.ok("POST", "/v1/orders", body) == order

    async def test_earns_for_who_they_are_by_now(self, api, anna, boris):
        quote = await quoted(api, boris, CREAM)
        await api.ok("POST", f"/v1/members/{anna}/merge", {"gone": boris})
        order = await api.ok("POST", "/v1/orders", await _by_quote(api, quote["quote_id"], CREAM))
        assert order["member_id"] == anna

    async def test_refuses_another_channel_and_made_up_quotes(self, api, anna):
        quote = await quoted(api, anna, CREAM)
        body = await _by_quote(api, quote["quote_id"], CREAM)
        for wrong in ({"sales_channel": "own_shop"}, {"quote_id": "quo_made-up"}):
            refused = await api.call("POST", "/v1/orders", {**body, **wrong})
            assert problem(refused) == (400, "bad_quote")

    @pytest.mark.parametrize("both", [True, False])
    async def test_has_one_buyer(self, api, anna, both):
        quote = await quoted(api, anna, CREAM)
        body = await _by_quote(api, quote["quote_id"], CREAM)
        body = {**body, "member_id": anna} if both else {**body, "quote_id": None}
        refused = await api.call("POST", "/v1/orders", body)
        assert refused.status_code == 400
        assert refused.json()["errors"][0]["code"] == "one_buyer"


async def _by_quote(api, quote_id: str, *lines) -> dict:
    at = await now_of(api)
    return {
        "order_id": "q-1",
        "quote_id": quote_id,
        "sales_channel": SITE,
        "ordered_at": at,
        "paid_at": at,
        "lines": list(lines),
        "paid_kopecks": sum(one["price_kopecks"] * one["quantity"] for one in lines),
    }
