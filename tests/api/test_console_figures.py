"""Figures by day, the letter of the week, the precision of a brand."""

import pytest

from api.conftest import Api
from api.test_console_moderation import decision, first, shown
from api.test_console_people import Browser, person
from vezde.catalog import queries as catalog
from vezde.insights import operations as insights
from vezde.testing.receipts import line, receipt, render

BY_WORDS = "LUNARIA КРЕМ Д/ЛИЦ.50МЛ"


@pytest.fixture
async def vera(api: Api) -> Browser:
    return await person(api, "Вера", "admin")


class TestToday:
    async def test_has_what_happened_and_what_waits(self, api, vera, anna):
        await shown(api, anna, 1)
        await shown(api, anna, 2, name="Крем для лица LUNARIA 50 мл")
        found = await vera.ok("GET", "/v1/console/today?days=7")
        assert len(found["days"]) == 7
        last = found["days"][-1]
        assert (last["members"], last["receipts"]) == (1, {"accepted": 1, "in_review": 1})
        assert last["accrued"] > 0
        assert sum(one["receipts"] for one in found["channels"]) == 2
        assert found["shops"][0]["total_kopecks"] == 100_000
        assert (found["waiting"]["lines"], found["waiting"]["late"]) == (1, False)

    async def test_of_days_gone_by_is_counted_once_and_reads_the_same(self, api, vera, anna):
        await shown(api, anna, 1, 2)
        await api.ok("POST", "/v1/sandbox/clock", {"advance": "P1D"})
        before = (await vera.ok("GET", "/v1/console/today?days=7"))["days"][-2]
        async with api.house.database.transaction() as db:
            now = await api.house.clock.programme(db)
            for _ in range(2):  # and again: nothing is counted double
                await insights.tally(db, now)
        after = (await vera.ok("GET", "/v1/console/today?days=7"))["days"][-2]
        assert after["receipts"] == {"in_review": 2}
        assert before["receipts"] in ({}, after["receipts"])

    async def test_is_late_when_the_promise_is_broken(self, api, vera, anna):
        await shown(api, anna, 1)
        await api.ok("POST", "/v1/sandbox/clock", {"advance": "P2D"})
        assert (await vera.ok("GET", "/v1/console/today"))["waiting"]["late"]
        assert (await vera.ok("GET", "/v1/console/moderation"))["items"][0]["late"]

    async def test_is_for_analysts_and_not_for_cashiers(self, api):
        ivan = await person(api, "Иван", "analyst")
        await ivan.ok("GET", "/v1/console/today")


class TestLetter:
    @pytest.mark.parametrize(("locale", "words"), [("ru", "Чеков: 2"), ("en", "Receipts: 2")])
    async def test_tells_of_the_last_whole_week(self, api, vera, anna, locale, words):
        await shown(api, anna, 1, 2)
        await api.ok("POST", "/v1/sandbox/clock", {"advance": "P7D"})
        async with api.house.database.transaction() as db:
            await insights.tally(db, await api.house.clock.programme(db))
        made = await vera.ok("GET", f"/v1/console/letter?locale={locale}")
        assert words in made["text"]
        assert "<script" not in made["html"]
        page = await vera.request("GET", f"/v1/console/letter.html?locale={locale}")
        assert page.headers["content-security-policy"].endswith("sandbox")


class TestQuality:
    async def test_is_measured_by_what_people_find(self, api, vera, anna):
        paper = receipt(1, lines=[line(BY_WORDS, 40_000)])
        await api.batch({"member_id": anna, "document": render(paper)})
        (brand,) = (await vera.ok("GET", "/v1/console/quality"))["items"]
        assert (brand["checked"], brand["stage"], brand["needed"]) == (0, "start", 299)
        look = await first(vera)
        assert (look["kind"], look["accepted_sku"]) == ("first", "CREAM-50")
        given = {"turn": look["turn"], "product_sku": "CREAM-50"}
        done = await vera.ok("POST", decision(look), given)
        (brand,) = (await vera.ok("GET", "/v1/console/quality"))["items"]
        assert (brand["checked"], brand["wrong"], brand["precision"]) == (1, 0, 1.0)
        assert (brand["low"], brand["high"]) == (pytest.approx(0.025), 1.0)
        await vera.ok("POST", f"/v1/console/decisions/{done['decision_id']}/undo")
        (brand,) = (await vera.ok("GET", "/v1/console/quality"))["items"]
        assert brand["checked"] == 0

    async def test_thresholds_of_a_brand_count_at_once(self, api, vera, anna):
        path = "/v1/console/quality/LUNARIA/thresholds"
        await vera.ok("PUT", path, {"line": 1.0, "sku": 1.0})
        paper = receipt(1, lines=[line(BY_WORDS, 40_000)])
        (doubt,) = await api.batch({"member_id": anna, "document": render(paper)})
        assert doubt["status"] == "in_review"
        back = await vera.ok("PUT", path, {"line": None, "sku": None})
        assert not back["own"]
        paper = receipt(2, lines=[line(BY_WORDS, 40_000)])
        (sure,) = await api.batch({"member_id": anna, "document": render(paper)})
        assert sure["status"] == "accepted"
        entry = (await vera.ok("GET", "/v1/console/journal"))["items"][0]
        assert entry["details"]["before"] == {"line": 1.0, "sku": 1.0}
        async with api.house.database.transaction() as db:
            assert [one.own for one in await catalog.thresholds(db)] == [None]

    @pytest.mark.parametrize("scores", [{"line": 0.2, "sku": 0.9}, {"line": None, "sku": 0.9}])
    async def test_refuses_scores_that_are_none(self, vera, scores):
        answer = await vera.request("PUT", "/v1/console/quality/LUNARIA/thresholds", scores)
        assert answer.status_code == 400

    async def test_is_tuned_by_those_who_may(self, api):
        ivan = await person(api, "Иван", "operator")
        await ivan.ok("GET", "/v1/console/quality")
        given = {"line": 0.9, "sku": 0.9}
        refused = await ivan.refused("PUT", "/v1/console/quality/LUNARIA/thresholds", given)
        assert refused == (403, "right_missing")
