"""Programme, catalogue, sellers, sandbox, health: over HTTP."""

import asyncio

from vezde.testing.receipts import CORNER_SHOP, line, receipt, render

from .conftest import PROGRAM

CREAM = line("Крем для лица LUNARIA 50мл", 83_000)


class TestProgram:
    async def test_is_published_and_read_back(self, api):
        shown = await api.ok("GET", "/v1/program")
        assert (shown["version"], shown["document"]) == (1, PROGRAM)
        same = await api.ok("PUT", "/v1/program", {"document": PROGRAM})
        assert same["version"] == 1
        changed = {**PROGRAM, "point_value_kopecks": 50}
        response = await api.call("PUT", "/v1/program", {"document": changed})
        assert (response.status_code, response.json()["version"]) == (201, 2)

    async def test_names_every_error(self, api):
        wrong = {**PROGRAM, "timezone": "Mars/Olympus", "earning": {"default_rate": 5}}
        checked = await api.ok("POST", "/v1/program/check", {"document": wrong})
        assert {one["path"].split(".")[0] for one in checked["errors"]} == {"timezone", "earning"}
        response = await api.call("PUT", "/v1/program", {"document": wrong})
        assert response.status_code == 400
        assert response.json()["errors"]

    async def test_text_gives_lines(self, api):
        text = "timezone: Europe/Moscow\npoint_value_kopecks: 1.5\n"
        checked = await api.ok("POST", "/v1/program/check", {"document": text})
        assert any(one["line"] == 2 for one in checked["errors"])

    async def test_has_a_schema(self, api):
        schema = await api.ok("GET", "/v1/program/schema")
        assert "earning" in schema["properties"]


class TestCatalog:
    async def test_reports_each_row(self, api):
        items = [
            {"sku": "NEW", "name": "Тоник LUNARIA", "brand": "LUNARIA"},
            {"sku": "CREAM-50", "price_kopecks": 99_000},
            {"sku": "BAD", "name": "x", "brand": "LUNARIA", "gtin": "123"},
            {"name": "без артикула"},
        ]
        report = await api.ok("PUT", "/v1/catalog/products", {"items": items, "mode": "merge"})
        outcomes = [one["outcome"] for one in report["items"]]
        assert outcomes == ["created", "updated", "invalid", "invalid"]
        assert report["items"][2]["error"]
        again = await api.ok("PUT", "/v1/catalog/products", {"items": items[:2], "mode": "merge"})
        assert [one["outcome"] for one in again["items"]] == ["unchanged"] * 2
        page = await api.ok("GET", "/v1/catalog/products?limit=2")
        assert [one["sku"] for one in page["items"]] == ["CREAM-50", "LIP-01"]
        rest = await api.ok("GET", f"/v1/catalog/products?cursor={page['next_cursor']}")
        assert [one["sku"] for one in rest["items"]] == ["LIP-02", "NEW"]


class TestSellers:
    async def test_an_unknown_shop_earns_as_other_until_it_is_named(self, api, anna):
        (first,) = await api.batch(
            {"member_id": anna, "document": render(receipt(1, lines=[CREAM], seller=CORNER_SHOP))}
        )
        assert first["points"]["active"] == 41
        unknown = (await api.ok("GET", "/v1/sellers?unknown=true"))["items"]
        assert [one["inn"] for one in unknown] == [CORNER_SHOP.inn]
        label = {"name": "Уголок", "kind": "chain", "sales_channel": "chain"}
        named = await api.ok("PUT", f"/v1/sellers/{CORNER_SHOP.inn}", label)
        assert (named["name"], named["known"]) == ("Уголок", True)
        for _ in range(100):
            shown = await api.ok("GET", f"/v1/receipts/{first['id']}")
            if shown["seller"]["sales_channel"] == "chain":
                break
            await asyncio.sleep(0.05)
        assert shown["seller"]["name"] == "Уголок"
        assert shown["points"]["active"] == 41  # what was decided stays
        (second,) = await api.batch(
            {"member_id": anna, "document": render(receipt(2, lines=[CREAM], seller=CORNER_SHOP))}
        )
        assert second["points"]["active"] == 83


class TestSandbox:
    async def test_time_moves_and_pending_points_become_active(self, api, anna):
        from vezde.testing.receipts import OZON

        (held,) = await api.batch(
            {"member_id": anna, "document": render(receipt(1, lines=[CREAM], seller=OZON))}
        )
        before = await api.ok("GET", "/v1/sandbox/clock")
        assert before["offset_seconds"] == 0
        if held["points"]["pending"] == 0:  # bought over fourteen days before the wall's now
            return
        moved = await api.ok("POST", "/v1/sandbox/clock", {"advance": "P30D"})
        assert moved["offset_seconds"] >= 30 * 86_400 - 60
        points = await api.ok("GET", f"/v1/members/{anna}/points")
        assert (points["active"], points["pending"]) == (41, 0)
        kinds = [
            one["kind"] for one in (await api.ok("GET", f"/v1/members/{anna}/history"))["items"]
        ]
        assert kinds == ["activate", "accrue"]
        back = await api.call("POST", "/v1/sandbox/clock", {"set": before["now"]})
        assert (back.status_code, back.json()["code"]) == (409, "clock_backwards")

    async def test_moves_once_for_one_idempotency_key(self, api):
        first = await api.ok("POST", "/v1/sandbox/clock", {"advance": "P1D"}, key="day")
        again = await api.ok("POST", "/v1/sandbox/clock", {"advance": "P1D"}, key="day")
        assert first == again
        assert (await api.ok("GET", "/v1/sandbox/clock"))["offset_seconds"] < 2 * 86_400

    async def test_begins_anew_once_for_one_idempotency_key(self, api, anna):
        first = await api.ok("POST", "/v1/sandbox/reset", key="anew")
        assert (await api.call("GET", f"/v1/members/{anna}")).status_code == 404
        boris = (await api.ok("POST", "/v1/members", {"phone": "+79000000002"}))["id"]
        assert await api.ok("POST", "/v1/sandbox/reset", key="anew") == first
        assert (await api.call("GET", f"/v1/members/{boris}")).status_code == 200

    async def test_refuses_nonsense(self, api):
        for body in ({}, {"advance": "P1M"}, {"advance": "-P1D"}, {"set": "2026-01-01T00:00:00"}):
            assert (await api.call("POST", "/v1/sandbox/clock", body)).status_code == 400


class TestRunning:
    async def test_is_alive_and_ready(self, api):
        assert (await api.http.get("/healthz")).text == "ok"
        ready = await api.http.get("/readyz")
        assert ready.json() == {
            "ready": True,
            "database": True,
            "migrations": True,
            "workers": True,
        }

    async def test_shows_figures_without_anybody_in_them(self, api, anna):
        await api.call("GET", "/v1/members?phone=+79000000001")
        text = (await api.http.get("/metrics")).text
        assert "vezde_http_seconds" in text
        assert "/v1/members" in text
        assert "79000000001" not in text

    async def test_an_unknown_address_is_a_problem(self, api):
        response = await api.call("GET", "/v1/nothing")
        assert (response.status_code, response.json()["code"]) == (404, "not_found")
        assert response.headers["content-type"] == "application/problem+json"

    async def test_an_endless_body_is_refused(self, api):
        async def chunks():
            for _ in range(40):
                yield b"x" * 1024 * 1024

        response = await api.call("POST", "/v1/members", content=chunks())
        assert response.status_code in {400, 413}
        announced = await api.call("POST", "/v1/members", content=b"x" * 2 * 1024 * 1024)
        assert (announced.status_code, announced.json()["code"]) == (413, "too_large")

    async def test_describes_itself(self, api):
        described = (await api.http.get("/openapi.json")).json()
        assert described["openapi"].startswith("3.1")
        assert "/v1/receipts/batch" in described["paths"]
