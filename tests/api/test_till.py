"""The till: operators, their sessions by cookie and by token, members found."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import httpx
import pytest

from api.conftest import serving
from api.test_widget import PROGRAM
from vezde.access import operations as access
from vezde.api import names
from vezde.testing.sms import faults
from vezde.testing.sms.fake import FakeSms

PHONE, OLGA = "+79000000001", "+79000000009"
BIG = {"points": 5_000, "reason": "Компенсация за битый флакон"}


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


class TestAdjustments:
    """Above 1,000 points two of the brand's people agree, each signed in by themselves."""

    async def test_take_two_operators(self, api):
        anna = await api.ok("POST", "/v1/members", {"phone": PHONE})
        vera, igor = await _operator(api, "Вера"), await _operator(api, "Игорь")
        path = f"/v1/till/members/{anna['id']}/adjustments"
        asked = await _post(api, path, vera, BIG, key="a")
        assert (asked["state"], asked["reason"]) == ("pending", BIG["reason"])
        assert await _post(api, path, vera, BIG, key="a") == asked
        (waiting,) = (await api.http.get("/v1/till/adjustments", headers=igor)).json()["items"]
        assert waiting == asked
        decide = f"/v1/till/adjustments/{asked['id']}"
        own = await api.http.post(f"{decide}/approve", headers=vera)
        assert (own.status_code, own.json()["code"]) == (422, "same_operator")
        done = await _post(api, f"{decide}/approve", igor)
        assert done["state"] == "done"
        assert done["asked_by"] != done["decided_by"]
        again = await api.http.post(f"{decide}/approve", headers=igor)
        assert (again.status_code, again.json()["code"]) == (409, "adjustment_decided")
        points = await api.ok("GET", f"/v1/members/{anna['id']}/points")
        assert points["active"] == 5_000
        journal = (await api.ok("GET", f"/v1/operators/journal?member_id={anna['id']}"))["items"]
        assert [(one["what"], one["details"]["state"]) for one in journal] == [
            ("adjustment_approved", "done"),
            ("adjustment_asked", "pending"),
        ]
        assert BIG["reason"] not in str(journal)
        assert {one["operator_id"] for one in journal} == {
            names_of(done[who]) for who in ("asked_by", "decided_by")
        }

    async def test_are_refused_or_taken_back(self, api):
        anna = await api.ok("POST", "/v1/members", {"phone": PHONE})
        vera = await _operator(api, "Вера")
        path = f"/v1/till/members/{anna['id']}/adjustments"
        asked = await _post(api, path, vera, BIG, key="a")
        done = await _post(api, f"/v1/till/adjustments/{asked['id']}/refuse", vera)
        assert done["state"] == "refused"
        assert (await api.ok("GET", f"/v1/members/{anna['id']}/points"))["active"] == 0

    async def test_a_small_one_is_done_at_once_with_its_reason(self, api):
        anna = await api.ok("POST", "/v1/members", {"phone": PHONE})
        vera = await _operator(api, "Вера")
        path = f"/v1/till/members/{anna['id']}/adjustments"
        small = {"points": 100, "reason": "Подарок"}
        assert (await _post(api, path, vera, small, key="a"))["state"] == "done"
        for wrong in ({"points": 100}, {"points": 100, "reason": " "}):
            refused = await api.http.post(
                path, json=wrong, headers={**vera, "Idempotency-Key": "b"}
            )
            assert refused.status_code == 400
        without_key = await api.http.post(path, json=small, headers=vera)
        assert without_key.json()["code"] == "idempotency_key_required"

    async def test_are_not_a_cashiers(self, api, olga):
        anna = await api.ok("POST", "/v1/members", {"phone": PHONE})
        headers = await token_of(api, olga)
        path = f"/v1/till/members/{anna['id']}/adjustments"
        for call in (
            api.http.post(path, json=BIG, headers={**headers, "Idempotency-Key": "a"}),
            api.http.get("/v1/till/adjustments", headers=headers),
        ):
            refused = await call
            assert (refused.status_code, refused.json()["code"]) == (403, "right_missing")

    async def test_of_a_key_and_an_operator_are_two(self, api):
        anna = await api.ok("POST", "/v1/members", {"phone": PHONE})
        vera = await _operator(api, "Вера")
        path = f"/v1/members/{anna['id']}/adjustments"
        asked = await api.ok("POST", path, BIG, key="a")
        done = await _post(api, f"/v1/till/adjustments/{asked['id']}/approve", vera)
        assert done["state"] == "done"

    async def test_of_two_who_approve_at_once_one_does(self, api):
        anna = await api.ok("POST", "/v1/members", {"phone": PHONE})
        people = [await _operator(api, name) for name in ("Вера", "Игорь", "Олег", "Нина")]
        path = f"/v1/till/members/{anna['id']}/adjustments"
        asked = await _post(api, path, people[0], BIG, key="a")
        decide = f"/v1/till/adjustments/{asked['id']}/approve"
        answers = await asyncio.gather(
            *(api.http.post(decide, headers=one) for one in people[1:] for _ in range(2))
        )
        assert sorted(one.status_code for one in answers).count(200) == 1
        assert (await api.ok("GET", f"/v1/members/{anna['id']}/points"))["active"] == 5_000


def names_of(actor: str) -> str:
    """An operator's public id."""
    return names.operator(UUID(actor.removeprefix("operator:")))


async def _operator(api, name: str) -> dict[str, str]:
    made = await api.ok("POST", "/v1/operators", {"name": name, "role": "operator"})
    return await token_of(api, made)


async def _post(api, path: str, headers, body=None, *, key: str | None = None):
    more = {"Idempotency-Key": key} if key else {}
    answer = await api.http.post(path, json=body, headers={**headers, **more})
    assert answer.is_success, answer.text
    return answer.json()


class TestMetrics:
    async def test_count_sms_of_the_day(self, api, gateway, olga):
        assert "vezde_sms_day_failed{" not in (await api.http.get("/metrics")).text
        gateway.order(faults.invalid_number())
        answer = await api.http.post("/v1/till/codes", json={"phone": OLGA})
        assert answer.status_code == 202
        text = await _until(api, 'vezde_sms_day_failed{reason="invalid_number"} 1.0')
        assert 'vezde_sms_day{state="failed"} 1.0' in text
        assert 'vezde_sms_day{state="delivered"} 0.0' in text


async def _until(api, line: str) -> str:
    for _ in range(100):
        text = (await api.http.get("/metrics")).text
        if line in text:
            return text
        await asyncio.sleep(0.05)
    raise AssertionError(f"no {line} in {text}")
