"""Seller reports and packs over HTTP, with everything that follows from them."""

import asyncio
from typing import Any

from vezde.testing.receipts import OZON, Shape, line, receipt, render
from vezde.testing.reports import OZON_RETURNS, POSTING, sold, weekly

GTIN = "04605035006964"
CODE = f"01{GTIN}215AbCdE"
CREAM = line(f"Крем для лица LUNARIA 50 мл {POSTING}", 83_000)
MASK = {"sku": "MASK-100", "name": "Маска для волос LUNARIA 100 мл", "brand": "LUNARIA",
        "size": "100 мл", "gtin": GTIN}  # fmt: skip
BACK = f"FBO;Крем;{POSTING};CREAM-50;1;20.11.2026;Возвращён;;1;i1\n"


async def shown(api: Any, member: str, paper: Any, key: str) -> dict[str, Any]:
    body = {"member_id": member, "document": render(paper, Shape.BARE)}
    made = await api.ok("POST", "/v1/receipts", body, key=key)
    return dict(await api.settled(made["id"]))


async def load(api: Any, content: bytes, **more: Any) -> Any:
    return await api.call("POST", "/v1/seller-reports?name=x.csv", content=content, **more)


class TestReports:
    async def test_take_back_and_show_it_everywhere(self, api, anna):
        receipt_shown = await shown(api, anna, receipt(1, lines=[CREAM], seller=OZON), "r1")
        assert receipt_shown["lines"][0]["name"] == "Крем для лица LUNARIA 50 мл"
        assert receipt_shown["points"]["pending"] == 41
        answer = await load(api, (OZON_RETURNS + BACK).encode())
        assert answer.status_code == 200, answer.text
        said = answer.json()
        assert (said["kind"], said["returned"], said["lines"]) == ("ozon_returns", 1, 1)
        assert said["reversed_points"] == 41
        again = (await load(api, (OZON_RETURNS + BACK).encode())).json()
        assert (again["repeated"], again["reversed_points"]) == (1, 0)
        points = await api.ok("GET", f"/v1/members/{anna}/points")
        assert points["pending"] == points["active"] == 0
        for _ in range(200):
            now = await api.ok("GET", f"/v1/receipts/{receipt_shown['id']}")
            if now["points"]["pending"] == 0:
                break
            await asyncio.sleep(0.02)
        assert now["lines"][0]["points"] == 0
        listed = (await api.ok("GET", "/v1/seller-reports"))["items"]
        assert [one["returned"] for one in listed] == [0, 1]
        lags = await api.ok("GET", "/v1/returns/lag")
        assert lags["items"] == []

    async def test_say_which_rows_are_broken(self, api):
        said = (await load(api, weekly(sold(Srid=None), sold()))).json()
        assert (said["sold"], said["broken"]) == (1, 1)
        assert said["errors"][0]["row"] == 2

    async def test_of_another_shape_are_refused(self, api):
        answer = await load(api, b"a;b\n1;2\n")
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_report")
        assert (await load(api, b"")).status_code == 400

    async def test_are_loaded_by_keys_that_may_verify_alone(self, api):
        key = await api.key("receipts", name="weak")
        answer = await api.http.post("/v1/seller-reports", content=b"x", headers=key)
        assert answer.json()["code"] == "scope_missing"


class TestPacks:
    async def test_are_scanned_once(self, api, anna, boris):
        await api.ok("PUT", "/v1/catalog/products", {"items": [MASK], "mode": "merge"})
        own = await api.call("POST", "/v1/packs/own", content=f"{CODE}\nrubbish\n{CODE}\n".encode())
        assert own.json()["added"] == 1
        assert own.json()["errors"] == [
            {
                "row": 2,
                "error": "no marking code: 01, 14 digits with a right check digit, 21, serial",
            }
        ]
        body = {"member_id": anna, "code": CODE + "\x1d93dGVz"}
        first = await api.ok("POST", "/v1/packs/scans", body, key="s1")
        assert (first["outcome"], first["product_sku"]) == ("own", "MASK-100")
        assert await api.ok("POST", "/v1/packs/scans", body, key="s1") == first
        taken = await api.ok(
            "POST", "/v1/packs/scans", {"member_id": boris, "code": CODE}, key="s2"
        )
        assert taken["outcome"] == "taken"

    async def test_on_a_receipt_are_confirmed(self, api, anna):
        await api.ok("PUT", "/v1/catalog/products", {"items": [MASK], "mode": "merge"})
        paper = receipt(1, lines=[line("Маска", 40_000, gtin=GTIN, serial="5AbCdE")])
        made = await shown(api, anna, paper, "r1")
        body = {"member_id": anna, "code": CODE}
        found = await api.ok("POST", "/v1/packs/scans", body, key="s1")
        assert (found["outcome"], found["receipt_id"]) == ("confirmed", made["id"])

    async def test_of_what_is_no_code_say_so(self, api, anna):
        body = {"member_id": anna, "code": "hello"}
        answer = await api.call("POST", "/v1/packs/scans", body, key="s1")
        assert (answer.status_code, answer.json()["code"]) == (400, "not_a_marking_code")
