"""Links and sources over HTTP: made, printed, opened; the funnel they lead into."""

import asyncio
from datetime import date

import pytest

from vezde.api import names, scans
from vezde.kit.errors import Unavailable
from vezde.members import operations as members
from vezde.receipts.qr import images
from vezde.testing.receipts import PYATEROCHKA, line, receipt, render

from .conftest import serving

CREAM = line("Крем для лица LUNARIA 50мл", 83_000)
BREAD = line("Хлеб бородинский", 6_000)
PHONE = {"User-Agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) Safari/604.1"}


async def made(api, source="blogger-17", **more):
    return await api.ok("POST", "/v1/links", {"source": source, **more})


async def opened(api, code, method="GET", **headers):
    """As a browser: without a key."""
    return await api.http.request(method, f"/l/{code}", headers={**PHONE, **headers})


async def source(api, name="blogger-17", query=""):
    items = (await api.ok("GET", f"/v1/sources{query}"))["items"]
    (found,) = [one for one in items if one["source"] == name]
    return found


async def until(api, **steps):
    """The source when reactions have counted these steps."""
    for _ in range(200):
        found = await source(api)
        if steps.items() <= found.items():
            return found
        await asyncio.sleep(0.02)
    raise AssertionError(f"{steps} never came: {found}")


class TestLinks:
    async def test_are_made_with_an_address_to_print(self, api):
        link = await made(api, campaign="autumn", medium="story", note="Маша")
        assert link["url"] == f"http://127.0.0.1:8000/l/{link['code']}"
        assert (link["door"], link["scans"], link["archived_at"]) == ("telegram", 0, None)
        assert await api.ok("GET", f"/v1/links/{link['code']}") == link

    async def test_are_made_once_by_key(self, api):
        first = await api.ok("POST", "/v1/links", {"source": "box"}, key="once")
        assert await api.ok("POST", "/v1/links", {"source": "box"}, key="once") == first
        assert len((await api.ok("GET", "/v1/links"))["items"]) == 1

    async def test_are_listed_the_newest_first(self, api):
        codes = [(await made(api, f"s{n}"))["code"] for n in range(3)]
        first = await api.ok("GET", "/v1/links?limit=2")
        rest = await api.ok("GET", f"/v1/links?limit=2&cursor={first['next_cursor']}")
        shown = [one["code"] for one in first["items"] + rest["items"]]
        assert shown == codes[::-1]
        assert rest["next_cursor"] is None

    async def test_are_put_away_and_go_on_to_work(self, api):
        link = await made(api)
        away = await api.ok("POST", f"/v1/links/{link['code']}/archive")
        assert away["archived_at"]
        assert (await api.ok("GET", "/v1/links"))["items"] == []
        assert (await api.ok("GET", "/v1/links?archived=true"))["items"] == [away]
        assert (await opened(api, link["code"])).status_code == 302

    @pytest.mark.parametrize(
        ("body", "path"),
        [
            ({"source": " "}, "source"),
            ({"source": "x", "door": "fax"}, "door"),
            ({"source": "x", "colour": "red"}, "colour"),
            ({}, "source"),
        ],
    )
    async def test_with_a_wrong_field_are_refused_by_its_name(self, api, body, path):
        response = await api.call("POST", "/v1/links", body)
        assert response.status_code == 400
        assert [one["path"] for one in response.json()["errors"]] == [path]

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("GET", "/v1/links/nothere2"),
            ("GET", "/v1/links/nothere2/qr.png"),
            ("POST", "/v1/links/nothere2/archive"),
        ],
    )
    async def test_that_are_not_there_are_missing(self, api, method, path):
        response = await api.call(method, path)
        assert (response.status_code, response.json()["code"]) == (404, "link_not_found")

    @pytest.mark.parametrize("path", ["/v1/links", "/v1/sources"])
    @pytest.mark.parametrize("cursor", ["bm9wZQ", "Ww", "MTI", "%00"])
    async def test_a_cursor_of_others_is_refused(self, api, path, cursor):
        response = await api.call("GET", f"{path}?cursor={cursor}")
        assert (response.status_code, response.json()["code"]) == (400, "bad_cursor")

    @pytest.mark.parametrize(
        "path", ["/v1/links", "/v1/links/nothere2", "/v1/links/nothere2/qr.svg", "/v1/sources"]
    )
    async def test_need_the_scope_members(self, api, path):
        other = await api.key("receipts", name="till")
        assert (await api.http.get(path, headers=other)).status_code == 403
        assert (await api.http.get(path)).status_code == 401


class TestQr:
    async def test_png_reads_back_as_the_address(self, api):
        link = await made(api)
        response = await api.call("GET", f"/v1/links/{link['code']}/qr.png")
        assert response.headers["content-type"] == "image/png"
        assert images.decode(response.content) == [link["url"]]

    async def test_svg_is_one(self, api):
        link = await made(api)
        response = await api.call("GET", f"/v1/links/{link['code']}/qr.svg")
        assert response.headers["content-type"] == "image/svg+xml"
        assert response.text.startswith("<svg ")


class TestOpening:
    async def test_leads_to_the_playground_and_is_counted(self, api):
        link = await made(api)
        response = await opened(api, link["code"])
        assert response.status_code == 302
        assert response.headers["location"] == f"/playground?start={link['code']}"
        assert response.headers["cache-control"] == "no-store"
        assert (await source(api))["scans"] == 1

    async def test_typed_off_paper_in_capitals_is_the_same(self, api):
        link = await made(api)
        assert (await opened(api, link["code"].upper())).status_code == 302

    async def test_by_a_program_that_previews_is_counted_apart(self, api):
        link = await made(api)
        for headers in ({"User-Agent": "TelegramBot (like TwitterBot)"}, {"Purpose": "prefetch"}):
            assert (await opened(api, link["code"], **headers)).status_code == 302
        assert (await opened(api, link["code"], "HEAD")).status_code == 302
        shown = await api.ok("GET", f"/v1/links/{link['code']}")
        assert (shown["scans"], shown["previews"]) == (0, 3)

    @pytest.mark.parametrize("code", ["nothere2", "%D1%8B", "a" * 300, "%00"])
    async def test_of_an_unknown_code_says_so_in_words(self, api, code):
        response = await opened(api, code)
        assert response.status_code == 404
        assert response.headers["content-type"].startswith("text/html")
        assert "Такой ссылки нет" in response.text
        assert '<html lang="ru">' in response.text

    async def test_keeps_nothing_of_who_opened_it(self, api):
        link = await made(api)
        await opened(api, link["code"], **{"X-Forwarded-For": "203.0.113.7"})
        columns = """
        SELECT string_agg(column_name, ' ' ORDER BY ordinal_position)
        FROM information_schema.columns WHERE table_schema = 'members' AND table_name = 'scan'
        """
        async with api.house.database.transaction() as db:
            (row,) = await (await db.execute(columns)).fetchall()
        assert row[0] == "code day slot people previews"

    async def test_without_a_database_asks_to_come_again(self, api, monkeypatch):
        async def busy(*_args, **_named):
            raise Unavailable("The database does not answer")

        monkeypatch.setattr(scans.operations, "scan_link", busy)
        response = await opened(api, "abcd2345")
        assert (response.status_code, response.headers["retry-after"]) == (503, "60")
        assert "через минуту" in response.text


class TestDoors:
    async def test_of_a_real_bot_lead_to_telegram(self, fresh):
        environ = {"VEZDE_TELEGRAM_BOT": "lunaria_bot", "VEZDE_PUBLIC_URL": "https://club.example"}
        async with serving(fresh, environ) as api:
            link = await made(api)
            assert link["url"] == f"https://club.example/l/{link['code']}"
            response = await opened(api, link["code"])
            address = f"https://t.me/lunaria_bot?start={link['code']}"
            assert response.headers["location"] == address
            assert link["leads_to"] == address

    async def test_that_are_closed_ask_to_come_later(self, fresh):
        async with serving(fresh, {}) as api:
            link = await made(api, door="max")
            response = await opened(api, link["code"])
        assert link["leads_to"] is None
        assert response.status_code == 503
        assert "Загляните чуть позже" in response.text


class TestSources:
    async def test_follow_a_scan_to_the_first_points(self, api):
        link = await made(api, campaign="autumn")
        await opened(api, link["code"])
        member = await api.ok("POST", "/v1/members", {"phone": "+79000000011"})
        async with api.house.database.transaction() as db:
            now = await api.house.clock.programme(db)
            member_id = names.member_id(member["id"])
            touch = await members.came_by(db, member_id, link["code"], now=now)
        assert touch
        assert touch.first
        assert (await api.ok("GET", f"/v1/members/{member['id']}"))["source"] == "blogger-17"
        bread, cream = (
            {
                "member_id": member["id"],
                "document": render(receipt(n, lines=[of], seller=PYATEROCHKA)),
            }
            for n, of in enumerate((BREAD, CREAM))
        )
        await api.batch(bread)
        rejected = await until(api, first_receipts=1)
        assert (rejected["accepted"], rejected["points"]) == (0, 0)
        (earned,) = await api.batch(cream)
        found = await until(api, accepted=1, points=earned["points"]["active"])
        assert found == {
            "source": "blogger-17",
            "campaign": "autumn",
            "scans": 1,
            "starts": 1,
            "enrolled": 1,
            "consented": 0,
            "first_receipts": 1,
            "accepted": 1,
            "points": 83,
        }

    async def test_count_who_is_enrolled_by_a_code(self, api):
        link = await made(api)
        anna = {
            "phone": "+79000000012",
            "source": link["code"],
            "consents": [
                {
                    "purpose": "processing",
                    "document_version": "v1",
                    "given_at": "2026-11-18T09:00:00Z",
                    "how": "site_form",
                }
            ],
        }
        member = await api.ok("POST", "/v1/members", anna)
        assert member["source"] == "blogger-17"
        await api.batch(
            {"phone": "+79000000013", "enrol": True, "document": render(receipt(3, lines=[CREAM]))}
        )
        found = await source(api)
        assert (found["starts"], found["enrolled"], found["consented"]) == (1, 1, 1)

    async def test_of_days_are_those_of_the_programme(self, api):
        link = await made(api)
        async with api.house.database.transaction() as db:
            for day in (date(2026, 11, 1), date(2026, 11, 2), date(2026, 11, 2)):
                await members.scan_link(db, link["code"], day=day, preview=False)
        query = "?since=2026-11-02&until=2026-11-02"
        assert (await source(api, query=query))["scans"] == 2
        assert (await source(api, query="?until=2026-11-01"))["scans"] == 1
        assert (await source(api, query="?until=2999-12-31"))["scans"] == 3
        response = await api.call("GET", "/v1/sources?since=yesterday")
        assert response.status_code == 400

    async def test_page_by_name(self, api):
        for name in ("в", "а", "б"):
            await made(api, name)
        first = await api.ok("GET", "/v1/sources?limit=2")
        rest = await api.ok("GET", f"/v1/sources?limit=2&cursor={first['next_cursor']}")
        assert [one["source"] for one in first["items"] + rest["items"]] == ["а", "б", "в"]
