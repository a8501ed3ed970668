"""Members, consents and points over HTTP."""

import asyncio
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from vezde.testing.receipts import line, receipt, render

PERSON = {
    "phone": "8 (900) 000-00-05",
    "email": "Vera@Example.com",
    "name": "Вера <b>Ким</b>",
    "birthday": "1990-02-28",
    "locale": "ru",
    "timezone": "Asia/Yekaterinburg",
    "source": "blogger-17",
    "identities": [{"kind": "external", "value": "crm-42"}],
    "consents": [
        {
            "purpose": "personal_data",
            "document_version": "2026-01",
            "given_at": "2026-11-01T10:00:00+03:00",
            "how": "site_form",
        }
    ],
}


class TestEnrol:
    async def test_shows_the_member_as_given(self, api):
        member = await api.ok("POST", "/v1/members", PERSON)
        assert member["phone"] == "+79000000005"
        assert member["name"] == PERSON["name"]
        assert member["birthday"] == "1990-02-28"
        assert member["level"] is None
        assert member["status"] == "active"
        assert {one["kind"] for one in member["identities"]} == {"phone", "email", "external"}
        (consent,) = member["consents"]
        assert consent["given_at"] == "2026-11-01T07:00:00Z"
        assert consent["withdrawn_at"] is None
        assert await api.ok("GET", f"/v1/members/{member['id']}") == member

    async def test_of_somebody_known_names_the_member(self, api, anna):
        response = await api.call("POST", "/v1/members", {"phone": "89000000001"})
        assert response.status_code == 409
        assert response.json()["code"] == "member_exists"
        assert response.json()["member_id"] == anna

    async def test_twice_at_once_makes_one_member(self, api):
        answers = await asyncio.gather(
            *(api.call("POST", "/v1/members", {"phone": "+79000000044"}) for _ in range(6))
        )
        assert sorted(one.status_code for one in answers) == [201] + [409] * 5

    @pytest.mark.parametrize(
        ("body", "code"),
        [
            ({}, "identity_required"),
            ({"phone": "12"}, "invalid_phone"),
            ({"email": "no"}, "invalid_email"),
            ({"phone": "+79000000009", "level": "gold"}, "invalid"),
            ({"phone": "+79000000009", "birthday": "31.02.1990"}, "invalid_field"),
        ],
    )
    async def test_refuses_with_the_place(self, api, body, code):
        response = await api.call("POST", "/v1/members", body)
        assert response.status_code == 400
        assert response.json()["code"] == code
        assert response.json()["detail"]


class TestFind:
    async def test_by_phone_email_and_identity(self, api):
        member = await api.ok("POST", "/v1/members", PERSON)
        for query in (
            "phone=+79000000005",  # the plus reads as a space
            "phone=%2B79000000005",
            "email=vera@example.com",
            "kind=external&value=crm-42",
        ):
            found = await api.ok("GET", f"/v1/members?{query}")
            assert found["id"] == member["id"], query
        missing = await api.call("GET", "/v1/members?phone=+79000000066")
        assert missing.status_code == 404
        unclear = await api.call("GET", "/v1/members")
        assert unclear.status_code == 400


class TestChange:
    async def test_patches_plain_fields(self, api, anna):
        changed = await api.ok("PATCH", f"/v1/members/{anna}", {"name": None, "locale": "en"})
        assert (changed["name"], changed["locale"]) == (None, "en")
        for patch in ({"status": "closed"}, {"phone": None}):
            assert (await api.call("PATCH", f"/v1/members/{anna}", patch)).status_code == 400


class TestConsents:
    async def test_are_given_and_withdrawn(self, api, anna):
        consent = await api.ok("POST", f"/v1/members/{anna}/consents", PERSON["consents"][0])
        path = f"/v1/members/{anna}/consents/{consent['id']}/withdraw"
        withdrawn = await api.ok("POST", path)
        assert withdrawn["withdrawn_at"] is not None
        assert await api.ok("POST", path, {"how": "stop_word"}) == withdrawn
        (shown,) = (await api.ok("GET", f"/v1/members/{anna}"))["consents"]
        assert shown["withdrawn_at"] == withdrawn["withdrawn_at"]


class TestPoints:
    async def test_of_a_newcomer_are_none(self, api, anna):
        assert await api.ok("GET", f"/v1/members/{anna}/points") == {
            "active": 0,
            "pending": 0,
            "held": 0,
            "debt": 0,
            "next_expiry": None,
            "point_value_kopecks": 100,
        }
        assert (await api.ok("GET", f"/v1/members/{anna}/history"))["items"] == []

    async def test_of_nobody_are_missing(self, api):
        response = await api.call("GET", "/v1/members/mem_AAAAAAAAAAAAAAAAAAAAAA/points")
        assert response.status_code == 404


class TestKeys:
    async def test_without_one_nobody_gets_in(self, api, anna):
        for headers in ({}, {"Authorization": "Bearer vezde_x"}, {"Authorization": "Basic eA=="}):
            response = await api.http.get(f"/v1/members/{anna}", headers=headers)
            assert (response.status_code, response.json()["code"]) == (401, "unauthenticated")

    async def test_need_the_scope(self, api, anna):
        plain = await api.key("receipts", name="plain")
        response = await api.http.get(f"/v1/members/{anna}", headers=plain)
        assert (response.status_code, response.json()["code"]) == (403, "scope_missing")


CREAM = line("Крем для лица LUNARIA 50мл", 83_000)
MARKETING = {
    "purpose": "promo",
    "channel": "email",
    "document_version": "2026-01",
    "given_at": "2026-11-01T10:00:00+03:00",
    "how": "site_form",
}


def paper(number: int) -> dict:
    """A receipt of this hour, as the till prints it."""
    at = datetime.now(ZoneInfo("Europe/Moscow")).replace(tzinfo=None, microsecond=0)
    return render(receipt(number, lines=[CREAM], at=at - timedelta(hours=1)))


class TestMerge:
    async def test_makes_one_member_with_all_that_both_had(self, api, anna, boris):
        await api.batch({"member_id": anna, "document": paper(1)})
        (shown,) = await api.batch({"member_id": boris, "document": paper(2)})
        merged = await api.ok("POST", f"/v1/members/{anna}/merge", {"gone": boris})
        assert (merged["id"], merged["phone"]) == (anna, "+79000000001")
        assert {one["value"] for one in merged["identities"]} == {"+79000000001", "+79000000002"}
        found = await api.ok("GET", "/v1/members?phone=+79000000002")
        assert found == merged
        points = await api.ok("GET", f"/v1/members/{anna}/points")
        assert points["active"] == 166
        old = await api.ok("GET", f"/v1/receipts/{shown['id']}")
        assert old["member_id"] == anna
        assert await api.ok("GET", f"/v1/receipts/{old['id']}") == old
        listed = await api.ok("GET", f"/v1/receipts?member_id={boris}")
        assert len(listed["items"]) == 2

    async def test_explains_points_by_what_they_were_earned_for(self, api, anna, boris):
        (shown,) = await api.batch({"member_id": boris, "document": paper(1)})
        earned, *_ = (await api.ok("GET", f"/v1/members/{boris}/history"))["items"]
        before = await api.ok("GET", f"/v1/history/{earned['id']}/explanation?misses=true")
        await api.ok("POST", f"/v1/members/{anna}/merge", {"gone": boris})
        opened, *_ = (await api.ok("GET", f"/v1/members/{anna}/history"))["items"]
        assert (opened["kind"], opened["points"]) == ("open", 83)
        why = await api.ok("GET", f"/v1/history/{opened['id']}/explanation?misses=true")
        assert [(one["entry_id"], one["points"]) for one in why["lots"]] == [(earned["id"], 83)]
        for field in ("rule", "program_version", "lines", "fiscal", "seller", "misses"):
            assert why[field] == before[field], field
        assert (await api.ok("GET", f"/v1/receipts/{shown['id']}"))["id"] == why["receipt_id"]
        again = await api.ok("GET", f"/v1/history/{earned['id']}/explanation?misses=true")
        assert again == before | {"receipt_id": why["receipt_id"]}
        closed, *_ = (await api.ok("GET", f"/v1/members/{boris}/history"))["items"]
        assert (closed["kind"], closed["points"], closed["active_after"]) == ("close", -83, 0)

    async def test_shows_the_gone_one_as_a_shell_that_names_the_member(self, api, anna, boris):
        await api.ok("POST", f"/v1/members/{anna}/merge", {"gone": boris})
        shell = await api.ok("GET", f"/v1/members/{boris}")
        assert (shell["status"], shell["merged_into"]) == ("closed", anna)
        assert (shell["phone"], shell["identities"]) == (None, [])
        for method, path, body in (
            ("PATCH", f"/v1/members/{boris}", {"name": "x"}),
            ("POST", f"/v1/members/{boris}/consents", MARKETING),
            ("POST", f"/v1/members/{boris}/merge", {"gone": anna}),
            ("POST", "/v1/receipts", {"member_id": boris, "document": paper(3)}),
            ("DELETE", f"/v1/members/{boris}", None),
        ):
            refused = await api.call(method, path, body, key=f"{method} {path}")
            assert refused.status_code == 409, path
            assert refused.json()["code"] == "member_merged"
            assert refused.json()["member_id"] == anna
        (line_,) = await api.batch({"member_id": boris, "document": paper(3)})
        assert (line_["error"]["code"], line_["error"]["member_id"]) == ("member_merged", anna)

    async def test_again_answers_the_same(self, api, anna, boris):
        merged = await api.ok("POST", f"/v1/members/{anna}/merge", {"gone": boris}, key="k1")
        for key in ("k1", "k2"):
            again = await api.ok("POST", f"/v1/members/{anna}/merge", {"gone": boris}, key=key)
            assert again == merged

    async def test_with_itself_is_refused_with_the_place(self, api, anna):
        refused = await api.call("POST", f"/v1/members/{anna}/merge", {"gone": anna})
        assert (refused.status_code, refused.json()["code"]) == (400, "merge_with_itself")
        assert refused.json()["errors"][0]["path"] == "gone"

    async def test_leaves_a_consents_old_address_good_for_withdrawing(self, api, anna, boris):
        consent = await api.ok("POST", f"/v1/members/{boris}/consents", MARKETING)
        await api.ok("POST", f"/v1/members/{anna}/merge", {"gone": boris})
        path = f"/v1/members/{boris}/consents/{consent['id']}/withdraw"
        withdrawn = await api.ok("POST", path)
        (shown,) = (await api.ok("GET", f"/v1/members/{anna}"))["consents"]
        assert shown == withdrawn
        assert shown["withdrawn_at"] is not None


class TestForget:
    async def test_erases_the_person_and_stays_done(self, api, anna):
        for _ in range(2):
            answer = await api.call("DELETE", f"/v1/members/{anna}")
            assert (answer.status_code, answer.content) == (204, b"")
        shell = await api.ok("GET", f"/v1/members/{anna}")
        assert (shell["status"], shell["phone"], shell["name"]) == ("forgotten", None, None)
        missing = await api.call("GET", "/v1/members?phone=+79000000001")
        assert missing.status_code == 404
        refused = await api.call("PATCH", f"/v1/members/{anna}", {"name": "Анна"})
        assert (refused.status_code, refused.json()["code"]) == (409, "member_closed")
        assert (
            await api.call("DELETE", "/v1/members/mem_AAAAAAAAAAAAAAAAAAAAAA")
        ).status_code == 404

    async def test_keeps_a_paid_receipt_taken(self, api, anna, boris):
        await api.batch({"member_id": anna, "document": paper(1)})
        await api.call("DELETE", f"/v1/members/{anna}")
        (again,) = await api.batch({"member_id": boris, "document": paper(1)})
        assert again["reason"]["code"] == "taken"
        newcomer = await api.ok("POST", "/v1/members", {"phone": "+79000000001"})
        (again,) = await api.batch({"member_id": newcomer["id"], "document": paper(1)})
        assert again["reason"]["code"] == "taken"

    async def test_forgets_stored_answers_too(self, api):
        first = await api.ok("POST", "/v1/members", {"phone": "+79000000077"}, key="enrol")
        await api.call("DELETE", f"/v1/members/{first['id']}")
        anew = await api.ok("POST", "/v1/members", {"phone": "+79000000077"}, key="enrol")
        assert anew["id"] != first["id"]

    async def test_needs_the_scope(self, api, anna):
        plain = await api.key("receipts", name="plain")
        response = await api.http.delete(f"/v1/members/{anna}", headers=plain)
        assert (response.status_code, response.json()["code"]) == (403, "scope_missing")
