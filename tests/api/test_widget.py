"""The widget's routes as a page calls them: CORS, keys and origins, signing in, the session."""

import asyncio
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import pytest

from api.conftest import Api, serving
from vezde.access import operations as access
from vezde.access import queries
from vezde.api import keys
from vezde.api.widget import EVEN_SECONDS
from vezde.testing.sms.fake import FakeSms

SHOP, EVIL = "https://shop.example", "https://evil.example"
PHONE, STRANGER = "+79000000001", "+79000000002"


@dataclass
class Page:
    """A page of the shop with its key; `token` once somebody is signed in."""

    api: Api
    key: str
    origin: str = SHOP
    token: str | None = None

    async def call(self, method: str, path: str, body: Any = None) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.key}", "Origin": self.origin}
        if self.token:
            headers["Vezde-Session"] = self.token
        return await self.api.http.request(method, path, json=body, headers=headers)

    async def ok(self, method: str, path: str, body: Any = None) -> Any:
        answer = await self.call(method, path, body)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None


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


PROGRAM = {
    "name": "Лунария",
    "timezone": "Europe/Moscow",
    "point_value_kopecks": 100,
    "rounding": "floor",
    "earning": {"default_rate_bp": 500},
    "bot": {"personal_data": {"url": "https://lunaria.example/consent", "version": "2026-11"}},
}


async def page_of(api: Api, *origins: str, enrols: bool = False) -> Page:
    async with api.house.database.transaction() as db:
        text, _ = await access.create_publishable_key(
            db,
            name=f"site {len(origins)} {enrols} {origins}",
            origins=origins or (SHOP,),
            sales_channel="own_site",
            enrols=enrols,
            now=api.house.clock.wall(),
            actor="operator:cli",
        )
    return Page(api, text)


@pytest.fixture
async def page(api) -> Page:
    return await page_of(api)


async def code_sent(gateway: FakeSms, phone: str, count: int = 1) -> str:
    for _ in range(300):
        if len(gateway.to(phone)) >= count:
            text = gateway.to(phone)[-1].text
            return "".join(char for char in text.partition(",")[0] if char.isdigit())
        await asyncio.sleep(0.02)
    raise AssertionError("no SMS came")


class TestOrigins:
    async def test_a_preflight_is_answered_for_known_origins_alone(self, api, page):
        asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x"}
        path = "/v1/widget/sign-ins"
        good = await api.http.options(path, headers={**asked, "Origin": SHOP})
        assert good.status_code == 204
        assert good.headers["access-control-allow-origin"] == SHOP
        assert "vezde-session" in good.headers["access-control-allow-headers"].lower()
        assert "access-control-allow-credentials" not in good.headers
        assert good.headers["vary"] == "Origin"
        bad = await api.http.options(path, headers={**asked, "Origin": EVIL})
        assert (bad.status_code, bad.json()["code"]) == (403, "origin_refused")
        assert "access-control-allow-origin" not in bad.headers
        elsewhere = await api.http.options("/v1/members", headers={**asked, "Origin": SHOP})
        assert "access-control-allow-origin" not in elsewhere.headers

    async def test_answers_are_readable_by_the_page_refusals_too(self, page):
        for answer in (
            await page.call("GET", "/v1/widget"),
            await page.call("GET", "/v1/widget/session"),
        ):
            assert answer.headers["access-control-allow-origin"] == SHOP
            assert "access-control-allow-credentials" not in answer.headers

    async def test_another_origin_is_turned_away(self, api, page):
        page.origin = EVIL
        refused = await page.call("GET", "/v1/widget")
        assert (refused.status_code, refused.json()["code"]) == (403, "origin_refused")
        assert "access-control-allow-origin" not in refused.headers
        nobody = await api.http.get("/v1/widget", headers={"Authorization": f"Bearer {page.key}"})
        assert nobody.json()["code"] == "origin_refused"
        other = await page_of(api, "https://other.example")
        other.origin = SHOP  # known, and not this key's
        refused = await other.call("GET", "/v1/widget")
        assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (403, SHOP)

    async def test_a_revoked_key_is_over_a_second_later(self, api, page):
        assert (await page.call("GET", "/v1/widget")).status_code == 200
        async with api.house.database.transaction() as db:
            key = await queries.key_by_text(db, page.key)
            await access.revoke_key(
                db, key.key_id, now=api.house.clock.wall(), actor="operator:cli"
            )
        await asyncio.sleep(keys.SECONDS)
        refused = await page.call("GET", "/v1/widget")
        assert refused.status_code == 401
        assert "access-control-allow-origin" not in refused.headers

    async def test_secret_keys_do_not_work_in_pages(self, api):
        refused = await api.call("GET", "/v1/catalog/products", headers={"Origin": SHOP})
        assert (refused.status_code, refused.json()["code"]) == (403, "origin_refused")
        own = await api.call("GET", "/v1/catalog/products", headers={"Origin": api.base_url})
        assert own.status_code == 200
        answer = await api.call("GET", "/v1/widget", headers={"Origin": SHOP})
        assert (answer.status_code, answer.json()["code"]) == (403, "publishable_key_required")

    async def test_publishable_keys_open_nothing_else(self, api, page):
        for method, path in (
            ("GET", "/v1/catalog/products"),
            ("GET", "/v1/members?phone=%2B79000000001"),
            ("POST", "/v1/receipts"),
            ("GET", "/v1/operators"),
            ("POST", "/v1/sandbox/reset"),
        ):
            headers = {"Authorization": f"Bearer {page.key}"}
            assert (await api.http.request(method, path, headers=headers)).status_code == 403

    async def test_every_route_wants_a_key_or_an_operator(self, api):
        schema = (await api.http.get("/openapi.json")).json()
        free = {"/healthz", "/readyz", "/metrics", "/v1/till/codes", "/v1/till/sessions"}
        free |= {"/v1/console/sessions"}  # signing in
        for path, methods in schema["paths"].items():
            for method, given in methods.items():
                wants = bool(given.get("security"))
                assert wants != (path in free or path.startswith("/l/")), (method, path)


class TestSigningIn:
    async def test_by_a_code_from_the_first_byte_to_the_points(self, api, page, gateway):
        await api.ok("POST", "/v1/members", {"phone": PHONE, "name": "Анна"})
        begun = await page.ok("POST", "/v1/widget/sign-ins", {"phone": "8 900 000-00-01"})
        assert (begun["how"], begun["digits"]) == ("code", 6)
        code = await code_sent(gateway, PHONE)
        path = f"/v1/widget/sign-ins/{begun['sign_in_id']}"
        assert (await page.ok("GET", path))["state"] == "waiting"
        wrong = await page.call("POST", f"{path}/session", {"code": "000000"})
        if code != "000000":
            assert (wrong.status_code, wrong.json()["code"]) == (422, "wrong_code")
            assert wrong.json()["attempts_left"] == 4
        entered = await page.ok("POST", f"{path}/session", {"code": code})
        assert entered["member"]["name"] == "Анна"
        assert entered["member"]["points"]["point_value_kopecks"] == 100
        page.token = entered["token"]
        assert (await page.ok("GET", "/v1/widget/session"))["member"] == entered["member"]
        assert (await page.ok("GET", path))["state"] == "used"
        again = await page.call("POST", f"{path}/session", {"code": code})
        assert (again.status_code, again.json()["code"]) == (409, "sign_in_over")
        await page.ok("DELETE", "/v1/widget/session")
        assert (await page.call("GET", "/v1/widget/session")).json()["code"] == "session_over"

    async def test_tells_nothing_of_whether_a_phone_is_known(self, api, page, gateway):
        await api.ok("POST", "/v1/members", {"phone": PHONE})
        shapes, took = [], []
        for phone in (PHONE, STRANGER):
            start = time.perf_counter()
            answer = await page.call("POST", "/v1/widget/sign-ins", {"phone": phone})
            took.append(time.perf_counter() - start)
            begun = answer.json()
            wrong = await page.call(
                "POST", f"/v1/widget/sign-ins/{begun['sign_in_id']}/session", {"code": "1"}
            )
            shapes.append(
                (answer.status_code, sorted(begun), len(begun["sign_in_id"]), wrong.json())
            )
        assert shapes[0] == shapes[1]
        assert min(took) >= EVEN_SECONDS
        await code_sent(gateway, PHONE)
        assert gateway.to(STRANGER) == []

    async def test_is_bounded_by_phone(self, page):
        codes = [
            (await page.call("POST", "/v1/widget/sign-ins", {"phone": PHONE})) for _ in range(6)
        ]
        assert [one.status_code for one in codes] == [202] * 5 + [429]
        assert int(codes[-1].headers["retry-after"]) > 60
        assert codes[-1].headers["access-control-expose-headers"] == "Retry-After"
        assert (await page.call("POST", "/v1/widget/sign-ins", {"phone": STRANGER})).is_success

    async def test_enrols_a_stranger_after_consent(self, api, gateway):
        page = await page_of(api, enrols=True)
        begun = await page.ok("POST", "/v1/widget/sign-ins", {"phone": STRANGER, "locale": "en"})
        code = await code_sent(gateway, STRANGER)
        assert gateway.to(STRANGER)[0].text.startswith("Code ")
        path = f"/v1/widget/sign-ins/{begun['sign_in_id']}/session"
        asked = await page.call("POST", path, {"code": code})
        assert (asked.status_code, asked.json()["code"]) == (409, "consent_required")
        assert asked.json()["document"] == (await page.ok("GET", "/v1/widget"))["consent"]
        assert (await api.call("GET", "/v1/members", params={"phone": STRANGER})).status_code == 404
        entered = await page.ok(
            "POST", path, {"code": code, "consent": {"document_version": "2026-11"}}
        )
        assert entered["member"]["points"]["active"] == 0
        made = await api.ok("GET", "/v1/members", params={"phone": STRANGER})
        assert [one["document_version"] for one in made["consents"]] == ["2026-11"]

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"phone": PHONE, "messenger": "telegram"},
            {"phone": "abc"},
            {"phone": "1" * 41},
            {"messenger": "icq"},
            {"phone": PHONE, "code": "1"},
            {"phone": "\u0000"},
        ],
    )
    async def test_refuses_what_is_neither(self, page, body):
        assert (await page.call("POST", "/v1/widget/sign-ins", body)).status_code == 400

    @pytest.mark.parametrize("handle", ["x", "sgn_x.y", "sgn_" + "A" * 22 + "." + "B" * 43, "%00"])
    async def test_knows_no_other_handle(self, page, handle):
        answer = await page.call("GET", f"/v1/widget/sign-ins/{handle}")
        assert answer.status_code == 404

    async def test_by_a_link_is_closed_without_a_messenger(self, page):
        answer = await page.call("POST", "/v1/widget/sign-ins", {"messenger": "telegram"})
        assert (answer.status_code, answer.json()["code"]) == (422, "messenger_closed")


class TestSessions:
    async def signed_in(self, api, page, gateway) -> str:
        member = await api.ok("POST", "/v1/members", {"phone": PHONE})
        begun = await page.ok("POST", "/v1/widget/sign-ins", {"phone": PHONE})
        path = f"/v1/widget/sign-ins/{begun['sign_in_id']}/session"
        page.token = (await page.ok("POST", path, {"code": await code_sent(gateway, PHONE)}))[
            "token"
        ]
        return str(member["id"])

    async def test_are_listed_and_ended_by_the_shop(self, api, page, gateway):
        member = await self.signed_in(api, page, gateway)
        (open_,) = (await api.ok("GET", f"/v1/members/{member}/sessions"))["items"]
        assert (open_["origin"], open_["how"]) == (SHOP, "code")
        assert page.token.split(".")[1] not in str(open_)
        assert (await api.call("DELETE", f"/v1/members/{member}/sessions")).status_code == 204
        assert (await page.call("GET", "/v1/widget/session")).status_code == 401

    async def test_end_when_the_member_is_forgotten(self, api, page, gateway):
        member = await self.signed_in(api, page, gateway)
        assert (await api.call("DELETE", f"/v1/members/{member}")).status_code == 204
        assert (await page.call("GET", "/v1/widget/session")).json()["code"] == "session_over"

    async def test_end_when_the_member_is_merged(self, api, page, gateway):
        member = await self.signed_in(api, page, gateway)
        other = await api.ok("POST", "/v1/members", {"phone": STRANGER})
        await api.ok("POST", f"/v1/members/{other['id']}/merge", {"gone": member})
        assert (await page.call("GET", "/v1/widget/session")).json()["code"] == "session_over"

    async def test_end_after_a_month(self, api, page, gateway):
        await self.signed_in(api, page, gateway)
        async with api.house.database.transaction() as db:
            await db.execute(
                "UPDATE access.session SET expires_wall = %s",
                [api.house.clock.wall() - timedelta(seconds=1)],
            )
        assert (await page.call("GET", "/v1/widget/session")).json()["code"] == "session_over"

    async def test_of_another_page_of_the_same_key_is_not_this_ones(self, api, gateway):
        page = await page_of(api, SHOP, "https://two.example")
        await self.signed_in(api, page, gateway)
        page.origin = "https://two.example"
        assert (await page.call("GET", "/v1/widget/session")).json()["code"] == "session_over"


class TestQuote:
    async def test_is_for_the_shops_server_to_hold_by(self, api, page, gateway):
        await api.ok("POST", "/v1/members", {"phone": PHONE})
        begun = await page.ok("POST", "/v1/widget/sign-ins", {"phone": PHONE})
        path = f"/v1/widget/sign-ins/{begun['sign_in_id']}/session"
        lines = [{"sku": "CREAM-50", "quantity": 1, "price_kopecks": 100_000}]
        assert (await page.call("POST", "/v1/widget/quotes", {"lines": lines})).status_code == 401
        code = await code_sent(gateway, PHONE)
        page.token = (await page.ok("POST", path, {"code": code}))["token"]
        quote = await page.ok("POST", "/v1/widget/quotes", {"lines": lines})
        assert quote["max_points"] == 0
        cheaper = [{"sku": "CREAM-50", "quantity": 1, "price_kopecks": 1}]
        held = {"quote_id": quote["quote_id"], "points": 1, "lines": cheaper}
        refused = await api.call("POST", "/v1/checkout/holds", held, key="hold")
        assert (refused.status_code, refused.json()["code"]) == (409, "price_changed")
        with_member = {"lines": lines, "member_id": "mem_x"}
        answer = await page.call("POST", "/v1/widget/quotes", with_member)
        assert answer.status_code == 400
