"""Routes that are quicker than FastAPI's: they take the same, and refuse alike."""

import json
import time
from typing import Any

import httpx
import pytest
from fastapi import routing

from vezde.access import operations
from vezde.api import checkout
from vezde.api.quick import QuickRoute

QUOTE = "/v1/checkout/quotes"
LINE = {"sku": "CREAM-50", "quantity": 1, "price_kopecks": 90_000}


def basket(member: str, **more: Any) -> bytes:
    fields = {"member_id": member, "sales_channel": "own_site", "lines": [LINE]}
    return json.dumps(fields | more).encode()


async def sent(api: Any, content: Any, **headers: str) -> httpx.Response:
    headers = {"Content-Type": "application/json"} | headers
    async with httpx.AsyncClient(base_url=api.base_url) as client:
        return await client.post(QUOTE, content=content, headers={**api.headers, **headers})


class TestQuickRoute:
    def test_is_what_somebody_waits_for_at_a_till(self):
        quick = {route.path for route in checkout.quick.routes if isinstance(route, QuickRoute)}
        assert quick == {QUOTE, "/v1/checkout/holds", "/v1/checkout/holds/{hold_id}/commit"}

    async def test_says_that_somebody_waits(self, api, anna):
        waiting = api.house.waiting
        await api.ok("GET", f"/v1/members/{anna}")
        assert waiting.moment == 0
        began = time.monotonic_ns()
        await api.ok("POST", QUOTE, json.loads(basket(anna)))
        assert began < waiting.moment < time.monotonic_ns()

    async def test_reads_a_sound_request_by_itself(self, api, anna, monkeypatch):
        async def refuse(**_: Any) -> None:
            raise AssertionError("FastAPI was asked")

        monkeypatch.setattr(routing, "solve_dependencies", refuse)
        answer = await sent(api, basket(anna))
        assert answer.status_code == 200, answer.text
        assert answer.json()["max_points"] == 0

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"{",
            b"[]",
            b"\xff\xfe",
            b'{"member_id": "\\ud800"}',
            b'{"member_id": "x", "sales_channel": "own_site"}',
            b'{"member_id": "x", "sales_channel": "own_site", "lines": NaN}',
            b"[" * 10_000,
            basket("mem_x"),
            basket("\ud83d\ude00"),
            basket("x" * 5_000),
            basket("mem_x", lines=[]),
            basket("mem_x", lines=[{**LINE, "quantity": "1"}]),
            basket("mem_x", lines=[{**LINE, "quantity": 1e400}]),
            basket("mem_x", delivery_kopecks=10**30),
            basket("mem_x", delivery_kopecks=1.0),
            basket("mem_x", more=1),
        ],
    )
    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"Authorization": ""},
            {"Authorization": "Basic x"},
            {"Authorization": "Bearer"},
            {"Authorization": "bearer vezde_nobody"},
            {"Origin": "https://other.example"},
        ],
    )
    async def test_answers_as_fastapi_does(self, api, body: bytes, headers: dict[str, str]):
        quick = await sent(api, body, **headers)
        slow = await sent(
            api, body, **headers, **{"Content-Type": "application/json; charset=utf-8"}
        )
        assert (quick.status_code, quick.text) == (slow.status_code, slow.text)
        assert quick.status_code in {400, 401, 403, 404}

    async def test_asks_what_a_key_is_for(self, api, anna):
        async with api.house.database.transaction() as db:
            now = await api.house.clock.programme(db)
            text, _ = await operations.create_key(
                db, name="points", scopes=["points"], now=now, actor="test"
            )
        answer = await sent(api, basket(anna), Authorization=f"Bearer {text}")
        assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")

    async def test_takes_a_body_in_parts_and_other_media_types(self, api, anna):
        async def parts() -> Any:
            yield basket(anna)[:10]
            yield basket(anna)[10:]

        assert (await sent(api, parts())).status_code == 200
        plain = await sent(api, basket(anna), **{"Content-Type": "text/plain"})
        assert plain.status_code == 400
