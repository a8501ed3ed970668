"""A receipt that signals hold, over HTTP: shown, told of, listed, released, declined; shops judged."""

import asyncio
from typing import Any

import pytest

from api.conftest import PROGRAM, Api
from api.test_console_people import Browser, person
from vezde.testing.receipts import PYATEROCHKA, line, picture, receipt, render

JAR = line("Крем для лица LUNARIA 50мл", 83_000, gtin="04605035006964", serial="A1b2C3")
SIGNALS = {"quarantine_at": 1000, "promised_hours": 24, "pack_seen": {"score": 1000}}
QUEUE = "/v1/console/quarantine"
STANCE = f"/v1/sellers/{PYATEROCHKA.inn}/stance"


@pytest.fixture
async def vera(api: Api) -> Browser:
    return await person(api, "Вера", "operator")


@pytest.fixture(autouse=True)
async def guarded(api: Api) -> None:
    await api.ok("PUT", "/v1/program", {"document": PROGRAM | {"signals": SIGNALS}})


async def held(api: Api, owner: str, other: str, number: int = 2) -> dict[str, Any]:
    await api.batch({"member_id": owner, "document": render(receipt(1, lines=[JAR]))})
    given = {"member_id": other, "document": render(receipt(number * 1000, lines=[JAR]))}
    (answer,) = await api.batch(given)
    assert (answer["status"], answer["reason"]["code"]) == ("in_review", "quarantined")
    return answer


async def points(api: Api, member: str) -> int:
    return int((await api.ok("GET", f"/v1/members/{member}/points"))["active"])


async def figures(api: Api) -> tuple[float, float]:
    """How many are held and how old the oldest is, of Prometheus's text."""
    found = dict(
        line.rsplit(" ", 1)
        for line in (await api.call("GET", "/metrics")).text.splitlines()
        if line.startswith("vezde_receipts_held")
    )
    return float(found["vezde_receipts_held"]), float(found["vezde_receipts_held_age_seconds"])


class TestByKey:
    async def test_says_by_when_and_not_why_to_who_may_not_know(self, api, anna, boris):
        answer = await held(api, anna, boris)
        shown = await api.ok("GET", f"/v1/receipts/{answer['id']}")
        assert shown["promised_at"]
        assert "quarantine" not in str(shown).replace("quarantined", "")
        plain = await api.key("receipts", name="plain")
        refused = await api.call("GET", "/v1/quarantine", headers=plain)
        assert (refused.status_code, refused.json()["code"]) == (403, "scope_missing")

    async def test_lists_with_reasons_and_releases_once(self, api, anna, boris):
        answer = await held(api, anna, boris)
        (one,) = (await api.ok("GET", "/v1/quarantine"))["items"]
        assert (one["receipt"]["id"], one["score"], one["outcome"]) == (answer["id"], 1000, None)
        (reason,) = one["reasons"]
        assert reason["signal"] == "pack_seen"
        assert reason["text"].startswith("Упаковки")
        assert reason["text_en"].startswith("Packs")
        path = f"/v1/receipts/{answer['id']}/release"
        for key in ("one", "two"):
            released = await api.ok("POST", path, {"note": "подарок"}, key=key)
            assert (released["status"], released["reason"]) == ("accepted", None)
        assert "promised_at" not in released or released["promised_at"] is None
        assert await points(api, boris) == released["points"]["active"] > 0
        assert (await api.ok("GET", "/v1/quarantine"))["items"] == []
        late = await api.call("POST", f"/v1/receipts/{answer['id']}/decline", {"note": "поздно"})
        assert (late.status_code, late.json()["code"]) == (409, "receipt_already_released")

    async def test_pages_by_a_cursor_that_is_checked(self, api, anna, boris):
        for number in (2, 3, 4):
            await held(api, anna, boris, number)
        one = await api.ok("GET", "/v1/quarantine?limit=2")
        rest = await api.ok("GET", f"/v1/quarantine?limit=2&cursor={one['next_cursor']}")
        assert len({each["receipt"]["id"] for each in one["items"] + rest["items"]}) == 3
        wrong = await api.call("GET", "/v1/quarantine?cursor=bm9uc2Vuc2U")
        assert wrong.status_code == 400

    async def test_is_measured_with_the_age_of_the_oldest(self, api, anna, boris):
        assert await figures(api) == (0, 0)
        await held(api, anna, boris)
        await api.ok("POST", "/v1/sandbox/clock", {"advance": "PT2H"})
        answer = await held(api, anna, boris, 3)
        count, seconds = await figures(api)
        assert count == 2
        assert 7_200 <= seconds < 7_800
        for one in (await api.ok("GET", "/v1/quarantine"))["items"]:
            await api.ok(
                "POST", f"/v1/receipts/{one['receipt']['id']}/release", {}, key=one["held_at"]
            )
        assert (await api.ok("GET", f"/v1/receipts/{answer['id']}"))["status"] == "accepted"
        assert await figures(api) == (0, 0)

    async def test_of_a_receipt_that_nobody_holds_says_so(self, api, anna):
        (sound,) = await api.batch({"member_id": anna, "document": render(receipt(1, lines=[JAR]))})
        refused = await api.call("POST", f"/v1/receipts/{sound['id']}/release", {})
        assert (refused.status_code, refused.json()["code"]) == (409, "receipt_not_held")

    async def test_takes_a_mark_of_the_device_by_each_way_in(self, api, anna):
        paper = receipt(7, lines=[JAR])
        body = {"member_id": anna, "qr": paper.qr.text(), "device": "a-telephone"}
        await api.ok("POST", "/v1/receipts", body, key="qr")
        form = {"member_id": anna, "device": "a-telephone"}
        sent = await api.call(
            *("POST", "/v1/receipts"),
            files={"file": ("receipt.jpg", picture(receipt(8, lines=[JAR])))},
            data=form,
            key="file",
        )
        assert sent.status_code == 202
        await api.batch({"member_id": anna, "document": render(paper), "device": "a-telephone"})
        async with api.house.database.transaction() as db:
            rows = await (await db.execute("SELECT device FROM receipts.device")).fetchall()
        assert len(rows) == 1
        assert b"a-telephone" not in bytes(rows[0][0])
        short = await api.call("POST", "/v1/receipts", body | {"device": "short"}, key="short")
        assert short.status_code == 400


class TestSellers:
    async def test_are_judged_listed_and_taken_back(self, api, anna):
        blocked = await api.ok("PUT", STANCE, {"stance": "blocked", "note": "своя касса"})
        assert (blocked["stance"], blocked["stance_note"]) == ("blocked", "своя касса")
        (listed,) = (await api.ok("GET", "/v1/sellers?stance=blocked"))["items"]
        assert listed["inn"] == PYATEROCHKA.inn
        paper = {"member_id": anna, "document": render(receipt(1, lines=[JAR]))}
        (refused,) = await api.batch(paper)
        assert refused["reason"]["code"] == "seller_blocked"
        back = await api.ok("PUT", STANCE, {"stance": None})
        assert back["stance"] is None
        both = await api.call("GET", "/v1/sellers?stance=blocked&unknown=true")
        assert both.status_code == 400
        wrong = await api.call("PUT", "/v1/sellers/123/stance", {"stance": "blocked"})
        assert (wrong.status_code, wrong.json()["errors"][0]["path"]) == (400, "inn")


class TestConsole:
    async def test_shows_reasons_releases_and_writes_it_down(self, api, vera, anna, boris):
        answer = await held(api, anna, boris)
        shown = await vera.ok("GET", QUEUE)
        (one,) = shown["items"]
        assert (shown["waiting"], one["receipt_id"], one["late"]) == (1, answer["id"], False)
        assert one["reasons"][0]["score"] == one["score"] == 1000
        assert one["address"] == PYATEROCHKA.address
        assert [each["product_sku"] for each in one["lines"]] == ["CREAM-50"]
        done = await vera.ok("POST", f"{QUEUE}/{answer['id']}/release", {})
        assert (done["status"], done["points"]) == ("accepted", await points(api, boris))
        admin = await person(api, "Главный", "admin")
        entries = (await admin.ok("GET", "/v1/console/journal"))["items"]
        (entry,) = (each for each in entries if each["what"] == "receipt_released")
        assert (entry["who"], entry["details"]["points"]) == ("Вера", done["points"])

    async def test_is_counted_on_today(self, api, vera, anna, boris):
        path = "/v1/console/today"
        nothing = {"number": 0, "since": None, "late": False}
        assert (await vera.ok("GET", path))["held"] == nothing
        answer = await held(api, anna, boris)
        found = (await vera.ok("GET", path))["held"]
        assert (found["number"], found["late"]) == (1, False)
        await api.ok("POST", "/v1/sandbox/clock", {"advance": "PT25H"})
        assert (await vera.ok("GET", path))["held"] == found | {"late": True}
        await vera.ok("POST", f"{QUEUE}/{answer['id']}/release", {})
        assert (await vera.ok("GET", path))["held"] == nothing

    async def test_declines_with_a_note_that_the_member_does_not_read(self, api, vera, anna, boris):
        answer = await held(api, anna, boris)
        path = f"{QUEUE}/{answer['id']}/decline"
        assert await vera.refused("POST", path, {"note": ""}) == (400, "invalid")
        done = await vera.ok("POST", path, {"note": "упаковка другого участника"})
        assert (done["status"], done["reason"], done["points"]) == ("rejected", "declined", 0)
        shown = await api.ok("GET", f"/v1/receipts/{answer['id']}")
        assert "другого участника" not in str(shown)
        late = await vera.ok("POST", f"{QUEUE}/{answer['id']}/release", {})
        assert late["status"] == "accepted"

    async def test_two_operators_at_once_pay_once(self, api, vera, anna, boris):
        answer = await held(api, anna, boris)
        olga = await person(api, "Ольга", "operator")
        path = f"{QUEUE}/{answer['id']}/release"
        first, second = await asyncio.gather(vera.ok("POST", path, {}), olga.ok("POST", path, {}))
        assert first == second
        assert await points(api, boris) == first["points"]

    async def test_is_for_those_who_may(self, api):
        ivan = await person(api, "Иван", "analyst")
        assert await ivan.refused("GET", QUEUE) == (403, "right_missing")
        stance = f"/v1/console/sellers/{PYATEROCHKA.inn}/stance"
        assert await ivan.refused("PUT", stance, {"stance": "blocked"}) == (403, "right_missing")

    async def test_judges_a_shop_and_writes_it_down(self, api, vera):
        stance = f"/v1/console/sellers/{PYATEROCHKA.inn}/stance"
        await vera.ok("PUT", stance, {"stance": "watched", "note": "странные цены"})
        (listed,) = (await vera.ok("GET", "/v1/console/sellers?stance=watched"))["items"]
        assert listed["stance_note"] == "странные цены"
        admin = await person(api, "Главный", "admin")
        entries = (await admin.ok("GET", "/v1/console/journal"))["items"]
        (entry,) = (each for each in entries if each["what"] == "seller_judged")
        assert entry["details"]["after"] == {"stance": "watched"}
