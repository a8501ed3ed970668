"""Documents that the brand's own operator of fiscal data pushes."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.conftest import PRODUCTS, PROGRAM, serving
from receipts import hostile
from vezde.testing.receipts import Shape, line, receipt, render

CREAM = line("Крем для лица LUNARIA 50мл", 83_000)
PAPER, OTHER = receipt(1, lines=[CREAM]), receipt(2, lines=[CREAM])
PUSHED = [render(PAPER, Shape.ONE_OFD), render(OTHER, Shape.OFD_RU), render(PAPER, Shape.CONTENT)]


@pytest.fixture
async def api(fresh):
    environ = {
        "VEZDE_SANDBOX": "1",
        "VEZDE_DATABASE_URL": fresh.app,
        "VEZDE_DATABASE_OWNER_URL": fresh.owner,
        "VEZDE_OFD_DOCUMENTS": "1",
    }
    async with serving(fresh, environ) as made:
        await made.ok("PUT", "/v1/program", {"document": PROGRAM})
        await made.ok("PUT", "/v1/catalog/products", {"items": PRODUCTS, "mode": "merge"})
        yield made


class TestPush:
    async def test_decides_the_receipt_that_waits(self, api):
        anna = await api.ok("POST", "/v1/members", {"phone": "+79161234567"})
        shown = await api.ok(
            "POST", "/v1/receipts", {"member_id": anna["id"], "qr": PAPER.qr.text()}, key="1"
        )
        assert shown["status"] == "checking"
        told = await api.ok("POST", "/v1/ofd/documents", render(PAPER, Shape.OFD_RU))
        assert [one["outcome"] for one in told["items"]] == ["stored"]
        settled = await api.settled(shown["id"])
        assert (settled["status"], settled["points"]["active"]) == ("accepted", 83)

    async def test_takes_lists_of_any_shape_and_goes_on_past_a_broken_one(self, api):
        body = [render(PAPER, Shape.ONE_OFD), {"receipt": {"items": []}}, render(OTHER)]
        told = await api.ok("POST", "/v1/ofd/documents", body)
        assert [one["outcome"] for one in told["items"]] == ["stored", "unreadable", "stored"]
        assert told["items"][0]["fn"] == f"{PAPER.key.fn:016d}"
        again = await api.ok("POST", "/v1/ofd/documents", body)
        assert [one["outcome"] for one in again["items"]] == ["known", "unreadable", "known"]

    @pytest.mark.parametrize(
        ("body", "status", "code"),
        [
            (b"", 400, "unreadable_document"), (b"[]", 400, "malformed"),
            (b"{", 400, "unreadable_document"), (b"[" * 90_000, 400, "unreadable_document"),
            (b" " * (4 * 1024 * 1024 + 1), 413, "too_large"),
        ],
    )  # fmt: skip
    async def test_refuses_what_holds_no_document(self, api, body, status, code):
        answer = await api.call("POST", "/v1/ofd/documents", content=body)
        assert (answer.status_code, answer.json()["code"]) == (status, code)

    @settings(
        max_examples=80,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    )
    @given(
        st.binary(max_size=300)
        | hostile.VALUES.map(hostile.text)
        | hostile.changed(PUSHED).map(hostile.text)
        | hostile.damaged(hostile.text(PUSHED))
    )
    async def test_takes_anything_for_what_it_is(self, api, body):
        answer = await api.call("POST", "/v1/ofd/documents", content=body)
        if answer.status_code == 200:
            outcomes = {one["outcome"] for one in answer.json()["items"]}
            assert outcomes <= {"stored", "known", "differs", "unreadable"}
        else:
            assert answer.status_code == 400
            assert answer.json()["code"] in {"malformed", "unreadable_document"}

    async def test_needs_the_scope_of_those_who_vouch(self, api):
        key = await api.key("receipts", name="site")
        answer = await api.call("POST", "/v1/ofd/documents", render(PAPER), headers=key)
        assert answer.status_code == 403


class TestOff:
    async def test_is_said(self, fresh):
        environ = {
            "VEZDE_SANDBOX": "1",
            "VEZDE_DATABASE_URL": fresh.app,
            "VEZDE_DATABASE_OWNER_URL": fresh.owner,
        }
        async with serving(fresh, environ) as api:
            answer = await api.call(
                "POST", "/v1/ofd/documents", content=json.dumps(render(PAPER)).encode()
            )
            assert (answer.status_code, answer.json()["code"]) == (422, "ofd_off")
