"""Members, consents and points over HTTP."""

import asyncio

import pytest

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
