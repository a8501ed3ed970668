"""Receipts in doubt, decided in the console: one, all alike, undone; names and shops."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from api.conftest import PRODUCTS, PROGRAM, Api, serving
from api.test_console_people import Browser, person
from vezde.testing.receipts import Shop, line, picture, receipt, render

QUEUE = "/v1/console/moderation"


@pytest.fixture
async def vera(api: Api) -> Browser:
    return await person(api, "Вера", "operator")


async def shown(api: Api, member: str, *numbers: int, name: str = "Помада LUNARIA") -> list[str]:
    """Receipts of this member with a lipstick of whatever shade."""
    documents = [receipt(number, lines=[line(name, 50_000)]) for number in numbers]
    lines = [{"member_id": member, "document": render(one)} for one in documents]
    return [one["id"] for one in await api.batch(*lines)]


async def first(vera: Browser) -> dict:
    return (await vera.ok("GET", QUEUE))["items"][0]


def decision(look: dict) -> str:
    return f"{QUEUE}/{look['receipt_id']}/lines/{look['line']}/decision"


class TestQueue:
    async def test_shows_a_line_with_its_receipt_and_three_guesses(self, api, vera, anna):
        await shown(api, anna, 1)
        answer = await vera.ok("GET", QUEUE)
        (look,) = answer["items"]
        assert (look["printed"], look["kind"], look["alike"]) == ("Помада LUNARIA", "doubt", 1)
        assert [one["product_sku"] for one in look["guesses"]][:2] == ["LIP-01", "LIP-02"]
        assert "помада" in look["guesses"][0]["agrees"]
        assert look["receipt"]["lines"][0]["in_doubt"]
        assert not look["late"]
        assert answer["waiting"][0]["lines"] == 1

    async def test_is_for_those_who_may(self, api, vera):
        ivan = await person(api, "Иван", "analyst")
        assert await ivan.refused("GET", QUEUE) == (403, "right_missing")

    async def test_goes_page_by_page(self, api, vera, anna):
        await shown(api, anna, 1, 2, 3)
        for order in ("age", "value"):
            one = await vera.ok("GET", f"{QUEUE}?order={order}&limit=2")
            rest = await vera.ok(
                "GET", f"{QUEUE}?order={order}&limit=2&cursor={one['next_cursor']}"
            )
            found = [each["receipt_id"] for each in one["items"] + rest["items"]]
            assert len(set(found)) == 3


class TestDeciding:
    async def test_pays_and_is_in_the_journal_and_is_undone(self, api, vera, anna):
        await shown(api, anna, 1)
        look = await first(vera)
        given = {"turn": look["turn"], "product_sku": "LIP-02"}
        done = await vera.ok("POST", decision(look), given)
        assert (done["lines"], done["left"]) == (1, False)
        assert (await api.ok("GET", f"/v1/members/{anna}/points"))["active"] > 0
        admin = await person(api, "Главный", "admin")
        entry = (await admin.ok("GET", "/v1/console/journal"))["items"][1]
        assert (entry["who"], entry["what"]) == ("Вера", "line_decided")
        assert entry["details"]["after"] == {"product_sku": "LIP-02"}
        back = await vera.ok("POST", f"/v1/console/decisions/{done['decision_id']}/undo")
        assert back["lines"] == 1
        assert (await api.ok("GET", f"/v1/members/{anna}/points"))["active"] == 0
        assert (await first(vera))["turn"] == 2

    async def test_of_a_line_that_a_colleague_decided_says_who_and_what(self, api, vera, anna):
        await shown(api, anna, 1)
        look = await first(vera)
        given = {"turn": look["turn"], "product_sku": "LIP-02"}
        await vera.ok("POST", decision(look), given)
        ivan = await person(api, "Иван", "operator")
        answer = await ivan.request("POST", decision(look), {**given, "product_sku": None})
        assert (answer.status_code, answer.json()["code"]) == (409, "line_changed")
        assert (answer.json()["decided_by"], answer.json()["product_sku"]) == ("Вера", "LIP-02")

    async def test_of_all_alike_at_once_and_back(self, api, vera, anna, boris):
        await shown(api, anna, 1, 2)
        await shown(api, boris, 3)
        await shown(api, boris, 4, name="Помада LUNARIA другая")
        look = await first(vera)
        assert look["alike"] == 3
        given = {"turn": look["turn"], "product_sku": "LIP-02", "alike": True}
        done = await vera.ok("POST", decision(look), given)
        path = f"/v1/console/decisions/{done['decision_id']}"
        # A worker matches past lines by the name just learned, so some may be gone before.
        alike = await vera.ok("POST", f"{path}/alike")
        assert alike["lines"] <= 2
        for _ in range(100):
            if len((await vera.ok("GET", QUEUE))["items"]) == 1:
                break
            await asyncio.sleep(0.05)
        assert len((await vera.ok("GET", QUEUE))["items"]) == 1
        undone = await vera.ok("POST", f"{path}/undo")
        assert undone["lines"] == 1 + alike["lines"]

    async def test_by_a_searched_product(self, vera):
        found = (await vera.ok("GET", "/v1/console/products?q=помада 02"))["items"]
        assert [one["sku"] for one in found] == ["LIP-02"]


class TestAliases:
    async def test_are_found_and_taken_back_with_what_they_paid(self, api, vera, anna, boris):
        await shown(api, anna, 1)
        look = await first(vera)
        await vera.ok("POST", decision(look), {"turn": 0, "product_sku": "LIP-02"})
        (paid,) = await shown(api, boris, 2)
        assert (await api.ok("GET", f"/v1/receipts/{paid}"))["status"] == "accepted"
        for q in ("", "LIP-02", "помада"):
            (alias,) = (await vera.ok("GET", f"/v1/console/aliases?q={q}"))["items"]
            assert (alias["printed"], alias["learned_by"]) == ("Помада LUNARIA", "Вера")
        given = {"seller_inn": alias["seller_inn"], "name": alias["name"]}
        gone = await vera.ok("POST", "/v1/console/aliases/withdraw", given)
        assert (gone["lines"], gone["next"]) == (2, None)
        for member in (anna, boris):
            assert (await api.ok("GET", f"/v1/members/{member}/points"))["active"] == 0
        assert (await vera.ok("GET", "/v1/console/aliases"))["items"] == []
        assert len((await vera.ok("GET", QUEUE))["items"]) == 2
        again = await vera.refused("POST", "/v1/console/aliases/withdraw", given)
        assert again == (404, "alias_unknown")


class TestSellers:
    async def test_are_named_with_an_entry_in_the_journal(self, api, vera, anna):
        stall = Shop("7707083893", "ООО ЛАВКА", "Лавка 1", "101000, Москва")
        paper = receipt(1, lines=[line("Помада LUNARIA", 50_000)], seller=stall)
        await api.batch({"member_id": anna, "document": render(paper)})
        (unknown,) = (await vera.ok("GET", "/v1/console/sellers?unknown=true"))["items"]
        choices = await vera.ok("GET", "/v1/console/choices")
        assert "chain" in choices["kinds"]
        given = {"name": "Лавка", "kind": "chain", "sales_channel": "chain"}
        named = await vera.ok("PUT", f"/v1/console/sellers/{unknown['inn']}", given)
        assert named["name"] == "Лавка"
        assert (await vera.ok("GET", "/v1/console/sellers?unknown=true"))["items"] == []


class TestPhoto:
    @pytest.fixture
    async def api(self, fresh, tmp_path) -> AsyncIterator[Api]:
        """Where the tax service knows a receipt with a lipstick."""
        paper = receipt(9, lines=[line("Помада LUNARIA", 50_000)])
        path = tmp_path / f"{paper.key.fn}-{paper.key.fd}.json"
        path.write_text(json.dumps(render(paper)), "utf-8")
        environ = {
            "VEZDE_SANDBOX": "1",
            "VEZDE_DATABASE_URL": fresh.app,
            "VEZDE_DATABASE_OWNER_URL": fresh.owner,
            "VEZDE_DOCUMENTS_DIR": str(tmp_path),
        }
        async with serving(fresh, environ) as made:
            await made.ok("PUT", "/v1/program", {"document": PROGRAM})
            await made.ok("PUT", "/v1/catalog/products", {"items": PRODUCTS, "mode": "merge"})
            yield made

    async def test_is_beside_a_line_in_doubt_and_every_look_is_in_the_journal(
        self, api, vera, anna
    ):
        paper = receipt(9, lines=[line("Помада LUNARIA", 50_000)])
        sent = (
            await api.call(
                *("POST", "/v1/receipts"),
                key="photo",
                data={"member_id": anna},
                files={"file": ("photo.png", picture(paper))},
            )
        ).json()
        for _ in range(100):
            if items := (await vera.ok("GET", QUEUE))["items"]:
                break
            await asyncio.sleep(0.05)
        assert (items[0]["receipt_id"], items[0]["photo"]) == (sent["id"], "kept")
        answer = await vera.request("GET", f"{QUEUE}/{sent['id']}/photo")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.content.startswith(b"\xff\xd8\xff")
        admin = await person(api, "Главный", "admin")
        entries = (await admin.ok("GET", "/v1/console/journal"))["items"]
        assert ("Вера", "photo_seen", anna) in [
            (one["who"], one["what"], one["member_id"]) for one in entries
        ]

    async def test_is_for_those_who_moderate_and_there_is_none_of_others(self, api, vera, anna):
        (code_only,) = await shown(api, anna, 1)
        assert (await first(vera))["photo"] == "none"
        path = f"{QUEUE}/{code_only}/photo"
        assert await vera.refused("GET", path) == (404, "photo_not_kept")
        ivan = await person(api, "Иван", "analyst")
        assert await ivan.refused("GET", path) == (403, "right_missing")
        assert (await api.http.get(path)).status_code == 401
