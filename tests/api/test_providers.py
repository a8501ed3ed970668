"""Who is asked for documents, as an operator sees and steers them."""

import pytest

from api.conftest import serving
from vezde.testing.proverkacheka import FakeProverkacheka


@pytest.fixture
async def api(fresh):
    async with FakeProverkacheka() as fake:
        environ = {
            "VEZDE_SANDBOX": "1",
            "VEZDE_DATABASE_URL": fresh.app,
            "VEZDE_DATABASE_OWNER_URL": fresh.owner,
            "VEZDE_PROVERKACHEKA_TOKEN": fake.token,
            "VEZDE_PROVERKACHEKA_BASE": fake.base_url,
        }
        async with serving(fresh, environ) as made:
            yield made


class TestProviders:
    async def test_are_listed_before_anybody_was_asked(self, api):
        (one,) = (await api.ok("GET", "/v1/providers"))["items"]
        assert one == {
            "name": "proverkacheka",
            "status": "working",
            "paused": None,
            "place": None,
            "price_kopecks": 0,
            "asks_per_day": None,
            "budget_kopecks_per_day": None,
            "today": {"asked": 0, "found": 0, "failed": 0, "spent_kopecks": 0},
            "left": None,
            "running_out": None,
            "spared": False,
        }

    async def test_are_priced_limited_paused_and_resumed(self, api):
        limits = {"price_kopecks": 35, "asks_per_day": 1000, "budget_kopecks_per_day": 7000}
        one = await api.ok("PATCH", "/v1/providers/proverkacheka", limits)
        assert one["left"] == 200
        asked = {"status": "paused", "note": "the contract ends"}
        one = await api.ok("PATCH", "/v1/providers/proverkacheka", asked)
        assert (one["status"], one["paused"]["code"], one["paused"]["until"]) == (
            "paused", "operator", None,
        )  # fmt: skip
        assert one["paused"]["by"].startswith("key:")
        one = await api.ok("PATCH", "/v1/providers/proverkacheka", {"status": "working"})
        assert (one["status"], one["price_kopecks"]) == ("working", 35)
        one = await api.ok("PATCH", "/v1/providers/proverkacheka", {"asks_per_day": 0})
        assert (one["status"], one["paused"]["code"]) == ("paused", "asks")
        one = await api.ok("PATCH", "/v1/providers/proverkacheka", {"asks_per_day": None})
        assert one["status"] == "working"
        figures = (await api.call("GET", "/metrics")).text
        assert 'vezde_provider_state{provider="proverkacheka",state="working"} 1.0' in figures

    @pytest.mark.parametrize(
        ("name", "change", "status", "code"),
        [
            ("nobody", {"place": 1}, 404, "provider_unknown"),
            ("proverkacheka", {"place": 0}, 400, "invalid_provider"),
            ("proverkacheka", {"price_kopecks": None}, 400, "invalid_provider"),
            ("proverkacheka", {"price_kopecks": -1}, 400, "invalid_provider"),
            ("proverkacheka", {"asks_per_day": 10**12}, 400, "invalid_provider"),
            ("proverkacheka", {"status": "paused", "until": "2020-01-01T00:00:00Z"}, 400,
             "invalid_provider"),
            ("proverkacheka", {"token": "x"}, 400, "invalid"),
        ],
    )  # fmt: skip
    async def test_refuse_what_none_can_be(self, api, name, change, status, code):
        answer = await api.call("PATCH", f"/v1/providers/{name}", change)
        assert (answer.status_code, answer.json()["code"]) == (status, code)

    async def test_need_a_scope_of_their_own(self, api):
        key = await api.key("receipts", "troubles", name="other")
        assert (await api.call("GET", "/v1/providers", headers=key)).status_code == 403
