"""The console's door: links, codes, roles, the journal."""

from typing import Any

import httpx
import pytest

from api.conftest import Api
from vezde.access import doors
from vezde.access import operations as access
from vezde.access.operations import staffing
from vezde.access.staff import RIGHTS, Role

PEOPLE, SESSION = "/v1/console/people", "/v1/console/session"


class Browser:
    """A page of the installation with its cookie."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.token = ""

    async def enter(self, **by: str) -> httpx.Response:
        answer = await self.request("POST", "/v1/console/sessions", by)
        self.token = answer.cookies.get("vezde_console", "")
        self.api.http.cookies.clear()
        return answer

    async def request(self, method: str, path: str, body: Any = None) -> httpx.Response:
        headers = {"Origin": self.api.base_url, "Cookie": f"vezde_console={self.token}"}
        return await self.api.http.request(method, path, json=body, headers=headers)

    async def ok(self, method: str, path: str, body: Any = None, status: int | None = None) -> Any:
        answer = await self.request(method, path, body)
        assert answer.is_success, answer.text
        assert status in {None, answer.status_code}
        return answer.json() if answer.content else None

    async def refused(self, method: str, path: str, body: Any = None) -> tuple[int, str]:
        answer = await self.request(method, path, body)
        return answer.status_code, answer.json()["code"]


async def person(api: Api, name: str, role: str) -> Browser:
    """Somebody with this role, signed in by a link."""
    async with api.house.database.transaction() as db:
        made = await access.take_on(
            db, name=name, role=role, vault=api.house.vault, now=api.house.clock.wall(), actor="t"
        )
        secret, _ = await access.invite(db, made.operator_id, wall=api.house.clock.wall())
    browser = Browser(api)
    answer = await browser.enter(link=secret)
    assert answer.status_code == 201, answer.text
    return browser


@pytest.fixture
async def vera(api: Api):
    """The administrator."""
    return await person(api, "Вера", "admin")


class TestEntering:
    async def test_by_a_link_opens_once_with_a_cookie_no_script_reads(self, api: Api, vera):
        async with api.house.database.transaction() as db:
            who = await staffing.operator_by_name(db, "Вера")
            secret, _ = await access.invite(db, who.operator_id, wall=api.house.clock.wall())
        other = Browser(api)
        answer = await other.enter(link=secret)
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert "Path=/v1/console" in cookie
        assert answer.json()["operator"]["rights"] == sorted(RIGHTS[Role.ADMIN])
        assert (await other.ok("GET", SESSION))["operator"]["name"] == "Вера"
        assert (await Browser(api).enter(link=secret)).json()["code"] == "invitation_over"

    async def test_by_a_link_that_is_old_or_was_replaced_is_refused(self, api: Api, vera):
        async with api.house.database.transaction() as db:
            who, wall = await staffing.operator_by_name(db, "Вера"), api.house.clock.wall()
            old, _ = await access.invite(db, who.operator_id, wall=wall)
            late, _ = await access.invite(db, who.operator_id, wall=wall - doors.INVITATION_TTL)
        for secret in (old, late, "x" * 43):
            assert (await Browser(api).enter(link=secret)).status_code == 422

    async def test_by_a_code_is_for_those_with_something_to_do_there(self, api: Api):
        for role, status in (("cashier", 403), ("operator", 201)):
            made = await api.ok("POST", "/v1/operators", {"name": role, "role": role})
            assert (await Browser(api).enter(code=made["code"])).status_code == status

    async def test_a_refused_cashier_still_has_their_code_for_the_till(self, api: Api):
        made = await api.ok("POST", "/v1/operators", {"name": "Ольга", "role": "cashier"})
        assert (await Browser(api).enter(code=made["code"])).status_code == 403
        till = await api.http.post("/v1/till/sessions", json={"code": made["code"]})
        assert till.status_code == 201

    async def test_guesses_are_slowed_down(self, api: Api):
        answers = [(await Browser(api).enter(link="y" * 43)).status_code for _ in range(31)]
        assert answers[0] == 422
        assert answers[-1] == 429

    async def test_a_tills_session_opens_no_console_and_the_other_way_round(self, api: Api, vera):
        made = await api.ok("POST", "/v1/operators", {"name": "Олег", "role": "admin"})
        at_till = await api.http.post(
            "/v1/till/sessions", json={"code": made["code"], "bearer": True}
        )
        bearer = {"Authorization": f"Bearer {at_till.json()['token']}"}
        assert (await api.http.get(SESSION, headers=bearer)).status_code == 401
        token = vera.token
        bearer = {"Authorization": f"Bearer {token}"}
        assert (await api.http.get("/v1/till/session", headers=bearer)).status_code == 401

    async def test_ends_when_they_sign_out(self, api: Api, vera):
        token = vera.token
        await vera.ok("DELETE", SESSION, status=204)
        bearer = {"Authorization": f"Bearer {token}"}
        assert (await api.http.get(SESSION, headers=bearer)).status_code == 401


class TestForgery:
    @pytest.mark.parametrize("origin", ["https://evil.example", "null", None])
    async def test_changes_by_the_cookie_come_from_our_pages_alone(self, api, vera, origin):
        headers = {"Cookie": f"vezde_console={vera.token}"}
        if origin:
            headers["Origin"] = origin
        given = {"name": "Мэллори", "role": "admin"}
        answer = await api.http.post(PEOPLE, json=given, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "origin_refused")

    async def test_an_api_key_is_nobody(self, api: Api):
        assert (await api.call("GET", PEOPLE)).status_code == 401


class TestRights:
    @pytest.mark.parametrize("role", ["operator", "marketer", "analyst"])
    async def test_of_people_and_journal_are_the_administrators(self, api: Api, role):
        browser = await person(api, "Кто-то", role)
        assert await browser.refused("GET", PEOPLE) == (403, "right_missing")
        given = {"name": "Я сам", "role": "admin"}
        assert await browser.refused("POST", PEOPLE, given) == (403, "right_missing")
        assert await browser.refused("GET", "/v1/console/journal") == (403, "right_missing")

    async def test_go_with_the_role_at_once(self, api: Api, vera):
        oleg = await person(api, "Олег", "analyst")
        me = (await oleg.ok("GET", SESSION))["operator"]["id"]
        await vera.ok("PUT", f"{PEOPLE}/{me}/role", {"role": "admin"})
        await oleg.ok("GET", PEOPLE)
        await vera.ok("DELETE", f"{PEOPLE}/{me}", status=204)
        assert await oleg.refused("GET", SESSION) == (401, "shift_over")

    async def test_of_ones_own_are_anothers_to_change(self, vera):
        me = (await vera.ok("GET", SESSION))["operator"]["id"]
        own = (409, "own_account")
        assert await vera.refused("PUT", f"{PEOPLE}/{me}/role", {"role": "analyst"}) == own
        assert await vera.refused("DELETE", f"{PEOPLE}/{me}") == own


class TestJournal:
    async def test_has_who_did_what_with_before_and_after(self, api: Api, vera):
        made = await vera.ok("POST", PEOPLE, {"name": "Инна", "role": "analyst"}, status=201)
        link = await vera.ok("POST", f"{PEOPLE}/{made['id']}/link", status=201)
        assert "/console#enter=" in link["link"]
        await vera.ok("PUT", f"{PEOPLE}/{made['id']}/role", {"role": "marketer"})
        entries = (await vera.ok("GET", "/v1/console/journal"))["items"]
        assert [one["what"] for one in entries] == [
            "role_changed",
            "person_invited",
            "person_taken_on",
            "signed_in",
        ]
        assert {one["who"] for one in entries} == {"Вера"}
        assert entries[0]["details"] == {
            "operator_id": made["id"],
            "before": {"role": "analyst"},
            "after": {"role": "marketer"},
        }

    async def test_is_read_page_by_page_and_of_one(self, api: Api, vera):
        for name in ("Анна", "Борис"):
            await vera.ok("POST", PEOPLE, {"name": name, "role": "analyst"})
        first = await vera.ok("GET", "/v1/console/journal?limit=2")
        rest = await vera.ok("GET", f"/v1/console/journal?limit=2&cursor={first['next_cursor']}")
        assert len(first["items"]) == 2
        assert [one["what"] for one in rest["items"]] == ["signed_in"]
        nobody = (await vera.ok("GET", PEOPLE))["items"][1]["id"]
        found = await vera.ok("GET", f"/v1/console/journal?operator_id={nobody}")
        assert found["items"] == []


class TestTroubles:
    async def test_are_for_those_who_look_after_them(self, api: Api):
        oleg = await person(api, "Олег", "operator")
        assert (await oleg.ok("GET", "/v1/console/troubles"))["items"] == []
        gone = "tjb_" + "A" * 43
        assert (await oleg.refused("DELETE", f"/v1/console/troubles/{gone}"))[0] == 404
        ivan = await person(api, "Иван", "analyst")
        assert await ivan.refused("GET", "/v1/console/troubles") == (403, "right_missing")
