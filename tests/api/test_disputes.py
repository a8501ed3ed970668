"""A receipt is claimed by API, decided in the console or by API; both are told, neither of whom."""

import asyncio

import pytest

from api.conftest import Api
from api.test_console_people import Browser, person
from vezde.purchases.marking import Pack
from vezde.testing.receipts import line, picture, receipt, render

QUEUE = "/v1/console/disputes"
MASK = Pack("04605035006964", "5AbCdE")
PAPER = receipt(
    1,
    lines=[
        line("Крем для лица LUNARIA 50мл", 83_000, gtin=MASK.gtin, serial=MASK.serial),
        line("Хлеб", 40_00),
    ],
)


@pytest.fixture
async def vera(api: Api) -> Browser:
    return await person(api, "Вера", "operator")


async def has(api: Api, member: str, paper=PAPER) -> str:
    (one,) = await api.batch({"member_id": member, "document": render(paper)})
    return one["id"]


async def shows(api: Api, member: str, paper=PAPER, *, key: str = "shows") -> str:
    """A photo of what another has."""
    form = {"data": {"member_id": member}, "files": {"file": ("p.png", picture(paper))}}
    said = (await api.call("POST", "/v1/receipts", key=f"{key} {member}", **form)).json()
    assert said["reason"]["code"] == "taken", said
    return said["id"]


async def tells(api: Api, member: str, paper=PAPER) -> str:
    """The code's text of what another has."""
    body = {"member_id": member, "qr": paper.qr.text()}
    return (await api.ok("POST", "/v1/receipts", body, key=f"tells {member}"))["id"]


async def claims(api: Api, receipt_id: str, body: dict | None = None, *, key: str = "c") -> dict:
    return await api.ok(
        "POST", f"/v1/receipts/{receipt_id}/dispute", body or {}, key=f"{key} {receipt_id}"
    )


async def points(api: Api, member: str) -> int:
    found = await api.ok("GET", f"/v1/members/{member}/points")
    return found["active"] + found["pending"]


class TestClaiming:
    async def test_a_text_needs_a_proof(self, api, anna, boris):
        await has(api, anna)
        mine = await tells(api, boris)
        said = await claims(api, mine)
        assert (said["state"], said["due_at"]) == ("needs_proof", None)
        proved = await claims(api, mine, {"code": MASK.text}, key="code")
        assert proved["id"] == said["id"]
        assert proved["state"] == "waiting"
        assert proved["due_at"] is not None
        assert anna not in str(proved)

    async def test_a_photo_that_was_shown_is_one(self, api, anna, boris):
        await has(api, anna)
        assert (await claims(api, await shows(api, boris)))["state"] == "waiting"

    async def test_says_what_is_wrong(self, api, anna, boris):
        first = await has(api, anna)
        path = f"/v1/receipts/{first}/dispute"
        refused = await api.call("POST", path, {}, key="own")
        assert (refused.status_code, refused.json()["code"]) == (409, "not_disputable")
        path = f"/v1/receipts/{await tells(api, boris)}/dispute"
        other = Pack(MASK.gtin, "another").text
        refused = await api.call("POST", path, {"code": other}, key="other")
        assert (refused.status_code, refused.json()["code"]) == (400, "no_proof")
        refused = await api.call("POST", path, {"code": "no code"}, key="none")
        assert (refused.status_code, refused.json()["code"]) == (400, "not_a_marking_code")
        assert (await api.call("POST", path, {})).json()["code"] == "idempotency_key_required"

    async def test_a_photo_of_another_receipt_proves_nothing(self, api, anna, boris):
        await has(api, anna)
        mine = await tells(api, boris)
        form = {
            "data": {"member_id": boris},
            "files": {"file": ("p.png", picture(receipt(2, lines=[line("Хлеб", 100)])))},
        }
        refused = await api.call("POST", f"/v1/receipts/{mine}/dispute", key="p", **form)
        assert (refused.status_code, refused.json()["code"]) == (400, "no_proof")


class TestToday:
    async def test_counts_what_waits_of_every_kind(self, api, vera, anna, boris):
        path = "/v1/console/today"
        nothing = {"number": 0, "since": None, "late": False}
        await has(api, anna)
        assert (await vera.ok("GET", path))["disputes"] == nothing
        said = await claims(api, await shows(api, boris))
        found = (await vera.ok("GET", path))["disputes"]
        assert (found["number"], found["late"]) == (1, False)
        await api.ok("POST", "/v1/sandbox/clock", {"advance": "P3D"})
        assert (await vera.ok("GET", path))["disputes"] == found | {"late": True}
        await vera.ok("POST", f"{QUEUE}/{said['id']}/decision", {"move": False})
        assert (await vera.ok("GET", path))["disputes"] == nothing


class TestDeciding:
    async def test_moves_it_in_the_console(self, api, vera, anna, boris):
        await has(api, anna)
        before = await points(api, anna)
        mine = await tells(api, boris)
        form = {"data": {"member_id": boris}, "files": {"file": ("p.png", picture(PAPER))}}
        said = (await api.call("POST", f"/v1/receipts/{mine}/dispute", key="file", **form)).json()
        (case,) = (await vera.ok("GET", QUEUE))["items"]
        assert (case["id"], case["about"], case["verified"]) == (said["id"], "receipt", True)
        assert case["holder"]["member_id"] == anna
        assert case["holder"]["showings"][0]["came_as"] == "document"
        assert case["claimant"]["showings"][0]["came_as"] == "text"
        assert case["holder"]["points"] == before
        assert len(case["receipt"]["lines"]) == 2
        (proof,) = case["proofs"]
        assert (proof["side"], proof["kind"], proof["file"]) == ("claimant", "picture", True)
        file = await vera.request("GET", f"{QUEUE}/{case['id']}/proofs/{proof['id']}")
        assert file.headers["content-type"] == "image/png"
        assert file.content == picture(PAPER)
        decided = await vera.ok("POST", f"{QUEUE}/{case['id']}/decision", {"move": True})
        assert decided["outcome"] == "moved"
        assert (await points(api, anna), await points(api, boris)) == (0, before)
        assert (await vera.ok("GET", QUEUE))["items"] == []
        (past,) = (await vera.ok("GET", f"{QUEUE}?decided=true"))["items"]
        assert (past["holder"]["member_id"], past["claimant"]["member_id"]) == (anna, boris)
        shown = await api.ok("GET", f"/v1/receipts/{mine}")
        assert shown["status"] == "accepted"

    async def test_is_for_those_who_may(self, api, anna):
        ivan = await person(api, "Иван", "analyst")
        assert await ivan.refused("GET", QUEUE) == (403, "right_missing")

    async def test_by_api_says_the_same_twice_and_no_other(self, api, anna, boris):
        await has(api, anna)
        said = await claims(api, await shows(api, boris))
        (case,) = (await api.ok("GET", "/v1/disputes"))["items"]
        assert case["id"] == said["id"]
        path = f"/v1/disputes/{said['id']}/decision"
        for _ in range(2):
            assert (await api.ok("POST", path, {"move": False}))["outcome"] == "kept"
        refused = await api.call("POST", path, {"move": True})
        assert (refused.status_code, refused.json()["code"]) == (409, "dispute_decided")
        missing = await api.call("POST", "/v1/disputes/dsp_" + "1" * 22 + "/decision", {"move": 1})
        assert missing.status_code in {400, 404}

    async def test_goes_page_by_page(self, api, vera, anna, boris):
        for number in range(1, 4):
            paper = receipt(number, lines=[line("Крем для лица LUNARIA 50мл", 83_000)])
            await has(api, anna, paper)
            await claims(api, await shows(api, boris, paper, key=str(number)))
        one = await vera.ok("GET", f"{QUEUE}?limit=2")
        rest = await vera.ok("GET", f"{QUEUE}?limit=2&cursor={one['next_cursor']}")
        assert len({each["id"] for each in one["items"] + rest["items"]}) == 3

    async def test_two_operators_at_once_move_it_once(self, api, vera, anna, boris):
        await has(api, anna)
        before = await points(api, anna)
        said = await claims(api, await shows(api, boris))
        path = f"{QUEUE}/{said['id']}/decision"
        answers = await asyncio.gather(
            *(vera.request("POST", path, {"move": True}) for _ in range(3))
        )
        assert {one.status_code for one in answers} == {200}
        assert (await points(api, anna), await points(api, boris)) == (0, before)


class TestPacks:
    async def test_a_scan_of_anothers_jar_is_listed_and_moves(self, api, vera, anna, boris):
        await has(api, anna)
        scanned = {"member_id": boris, "code": MASK.text}
        assert (await api.ok("POST", "/v1/packs/scans", scanned, key="s"))["outcome"] == "taken"
        (case,) = (await vera.ok("GET", f"{QUEUE}?about=pack"))["items"]
        assert (case["gtin"], case["serial"]) == (MASK.gtin, MASK.serial)
        assert (case["claimant"]["member_id"], case["holder"]["member_id"]) == (boris, anna)
        path = f"{QUEUE}/{case['id']}/decision"
        assert (await vera.ok("POST", path, {"move": True}))["outcome"] == "moved"
        assert (await vera.ok("GET", f"{QUEUE}?about=pack"))["items"] == []
        again = await api.ok("POST", "/v1/packs/scans", scanned, key="s2")
        assert again["outcome"] in {"known", "own", "unknown"}
        hers = {"member_id": anna, "code": MASK.text}
        assert (await api.ok("POST", "/v1/packs/scans", hers, key="s3"))["outcome"] == "taken"
