"""The till: operators, their sessions by cookie and by token, members found."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from api.conftest import serving
from api.test_widget import PROGRAM
from vezde.access import operations as access
from vezde.api import names
from vezde.testing.sms.fake import FakeSms

PHONE, OLGA = "+79000000001", "+79000000009"


@pytest.fixture
async def gateway():
    async with FakeSms() as made:
        yield made


@pytest.fixture
async def api(fresh, gateway):
    environ = {
        "VEZDE_SANDBOX": "1",
        "VEZDE_DATABASE_URL": fresh.app,
        "VEZDE_DATABASE_OWNER_URL": fresh.owner,
        "VEZDE_SMS_TOKEN": gateway.token,
        "VEZDE_SMS_BASE": gateway.base_url,
    }
    async with serving(fresh, environ) as made:
        await made.ok("PUT", "/v1/program", {"document": PROGRAM})
        yield made


@pytest.fixture
async def olga(api):
    return await api.ok(
        "POST", "/v1/operators", {"name": "Ольга", "role": "cashier", "phone": OLGA}
    )


async def token_of(api, operator) -> dict[str, str]:
    given = {"code": operator["code"], "bearer": True}
    answer = await api.http.post("/v1/till/sessions", json=given)
    assert answer.status_code == 201, answer.text
    assert "set-cookie" not in answer.headers
    return {"Authorization": f"Bearer {answer.json()['token']}"}


class TestOperators:
    async def test_are_taken_on_listed_and_gone(self, api, olga):
        assert (olga["role"], olga["sales_channel"], len(olga["code"])) == (
            "cashier",
            "own_shop",
            8,
        )
        again = await api.call("POST", "/v1/operators", {"name": "Ольга", "role": "cashier"})
        assert (again.status_code, again.json()["code"]) == (409, "operator_exists")
        headers = await token_of(api, olga)
        assert (await api.http.get("/v1/till/session", headers=headers)).is_success
        assert (await api.call("DELETE", f"/v1/operators/{olga['id']}")).status_code == 204
        over = await api.http.get("/v1/till/session", headers=headers)
        assert (over.status_code, over.json()["code"]) == (401, "shift_over")
        (listed,) = (await api.ok("GET", "/v1/operators"))["items"]
        assert listed["left_at"] is not None
        assert OLGA not in str(listed)

    async def test_get_a_fresh_code(self, api, olga):
        fresh = await api.ok("POST", f"/v1/operators/{olga['id']}/code")
        for code, status in ((olga["code"], 422), (fresh["code"], 201)):
            answer = await api.http.post("/v1/till/sessions", json={"code": code, "bearer": True})
            assert answer.status_code == status

    async def test_need_their_scope(self, api):
        key = await api.key("members", "receipts")
        assert (await api.http.get("/v1/operators", headers=key)).status_code == 403


class TestCookie:
    @asynccontextmanager
    async def signed_in(self, api, olga) -> AsyncIterator[httpx.AsyncClient]:
        headers = {"Origin": api.base_url}
        async with httpx.AsyncClient(base_url=api.base_url, headers=headers) as client:
            answer = await client.post("/v1/till/sessions", json={"code": olga["code"]})
            assert answer.status_code == 201, answer.text
            assert "token" not in answer.json()
            kept = answer.headers["set-cookie"].lower()
            for word in ("httponly", "samesite=strict", "path=/v1/till", "max-age=43200"):
                assert word in kept
            yield client

    async def test_is_good_for_pages_of_ours(self, api, olga):
        async with self.signed_in(api, olga) as client:
            assert (await client.get("/v1/till/session")).json()["operator"]["name"] == "Ольга"
            found = await client.post("/v1/till/members", json={"phone": PHONE})
            assert found.status_code == 404

    async def test_changes_nothing_from_elsewhere(self, api, olga):
        async with self.signed_in(api, olga) as client:
            for origin in ("https://evil.example", "null", "http://127.0.0.1"):
                answer = await client.post(
                    "/v1/till/members", json={"phone": PHONE}, headers={"Origin": origin}
                )
                assert (answer.status_code, answer.json()["code"]) == (403, "origin_refused")
            del client.headers["Origin"]
            answer = await client.post("/v1/till/members", json={"phone": PHONE})
            assert (answer.status_code, answer.json()["code"]) == (403, "origin_refused")

    async def test_is_gone_after_signing_out(self, api, olga):
        async with self.signed_in(api, olga) as client:
            kept = dict(client.cookies)
            assert (await client.delete("/v1/till/session")).status_code == 204
            assert not client.cookies
            client.cookies.update(kept)
            assert (await client.get("/v1/till/session")).status_code == 401

    async def test_is_secure_where_the_address_is(self, fresh):
        environ = {
            "VEZDE_SANDBOX": "1",
            "VEZDE_DATABASE_URL": fresh.app,
            "VEZDE_DATABASE_OWNER_URL": fresh.owner,
            "VEZDE_PUBLIC_URL": "https://club.example",
        }
        async with serving(fresh, environ) as api:
            olga = await api.ok("POST", "/v1/operators", {"name": "Ольга", "role": "cashier"})
            answer = await api.http.post("/v1/till/sessions", json={"code": olga["code"]})
            assert "secure" in answer.headers["set-cookie"].lower()


class TestCodes:
    async def test_come_by_sms_to_whom_they_belong(self, api, olga, gateway):
        asked = await api.http.post("/v1/till/codes", json={"phone": "8 (900) 000-00-09"})
        stranger = await api.http.post("/v1/till/codes", json={"phone": PHONE})
        assert (asked.status_code, sorted(asked.json())) == (202, sorted(stranger.json()))
        for _ in range(300):
            if gateway.to(OLGA):
                break
            await asyncio.sleep(0.02)
        text = gateway.to(OLGA)[0].text
        code = "".join(char for char in text if char.isdigit())
        answer = await api.http.post("/v1/till/sessions", json={"code": code})
        assert answer.status_code == 201
        assert gateway.to(PHONE) == []

    async def test_are_not_guessed(self, api, olga):
        answers = [
            await api.http.post("/v1/till/sessions", json={"code": f"{n:08}"}) for n in range(31)
        ]
        assert [one.status_code for one in answers] == [422] * 30 + [429]


class TestMembers:
    async def test_are_found_by_phone_and_the_journal_knows(self, api, olga):
        anna = await api.ok("POST", "/v1/members", {"phone": PHONE, "name": "Анна"})
        headers = await token_of(api, olga)
        found = await api.http.post("/v1/till/members", json={"phone": PHONE}, headers=headers)
        shown = found.json()
        assert (shown["member_id"], shown["name"]) == (anna["id"], "Анна")
        assert shown["points"]["active"] == 0
        assert shown["confirms_by"] == "sms"
        assert PHONE not in found.text
        about = {"member_id": anna["id"]}
        (entry,) = (await api.ok("GET", "/v1/operators/journal", params=about))["items"]
        assert (entry["what"], entry["operator_id"]) == ("member_found", olga["id"])
        every = await api.ok("GET", "/v1/operators/journal", params={"limit": 1})
        rest = await api.ok("GET", "/v1/operators/journal", params={"cursor": every["next_cursor"]})
        assert [one["what"] for one in rest["items"]] == ["signed_in"]

    async def test_are_found_by_their_card_once(self, api, olga):
        anna = await api.ok("POST", "/v1/members", {"phone": PHONE})
        headers = await token_of(api, olga)
        async with api.house.database.transaction() as db:
            code, _ = await access.make_card(
                db,
                names.member_id(anna["id"]),
                vault=api.house.vault,
                wall=api.house.clock.wall(),
            )
        for status in (200, 404):
            answer = await api.http.post("/v1/till/members", json={"card": code}, headers=headers)
            assert answer.status_code == status
        assert answer.json()["code"] == "card_unknown"

    async def test_cannot_be_looked_up_without_end(self, api, olga):
        headers = await token_of(api, olga)
        for n in range(61):
            answer = await api.http.post(
                "/v1/till/members", json={"card": f"{n:09}"}, headers=headers
            )
        assert answer.status_code == 429

    async def test_of_the_till_are_no_use_to_keys(self, api, olga):
        answer = await api.call("POST", "/v1/till/members", {"phone": PHONE})
        assert answer.status_code == 401
        headers = await token_of(api, olga)
        assert (await api.http.get("/v1/members/mem_x", headers=headers)).status_code == 401
