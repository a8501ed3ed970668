"""Webhooks over HTTP: made, told what happened, tested, paused, replayed."""

import asyncio
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from vezde.api import facts, names
from vezde.kit import ids
from vezde.outbox.model import FactRow
from vezde.receipts.events import came_to
from vezde.receipts.model import Status
from vezde.testing.receipts import OZON, line, receipt, render
from vezde.testing.webhooks import WebhookReceiver, http

CREAM = line("Крем для лица LUNARIA 50мл", 83_000)
ANNA = UUID("01930000-0000-7000-8000-0000000000a1")
QUIET = ["member.merged/1"]  # else it may be told of the programme that was published just before


@pytest.fixture
async def receiver():
    async with WebhookReceiver() as made:
        yield made


async def made(api, receiver, **more):
    answer = await api.ok("POST", "/v1/webhooks", {"url": receiver.url, **more})
    receiver.secrets.append(answer["secret"])
    return answer


async def until(api, path, wanted):
    """What a GET answers once `wanted` says so."""
    for _ in range(300):
        shown = await api.ok("GET", path)
        if wanted(shown):
            return shown
        await asyncio.sleep(0.02)
    raise AssertionError(f"never came to be: {shown}")


class TestStory:
    async def test_points_that_become_active_are_told_once_an_instant(self, api, receiver, anna):
        await made(api, receiver, kinds=["points.activated/1"])
        two = [receipt(number, lines=[CREAM], seller=OZON) for number in (1, 2)]
        await api.batch(*({"member_id": anna, "document": render(one)} for one in two))
        await api.ok("POST", "/v1/sandbox/clock", {"advance": "P40D"})
        (told,) = await receiver.wait_for(1)
        assert told.valid
        assert (told.type, told.data) == ("points.activated", {"member_id": anna, "points": 82})
        await api.ok("GET", f"/v1/members/{anna}/points")
        await api.ok("POST", "/v1/sandbox/clock", {"advance": "P1D"})
        assert len(await receiver.wait_for(1)) == 1

    async def test_a_receipt_is_told_with_public_ids(self, api, receiver, anna):
        webhook = await made(api, receiver, kinds=["receipt.accepted/1", "points.accrued/1"])
        (answer,) = await api.batch(
            {"member_id": anna, "document": render(receipt(1, lines=[CREAM]))}
        )
        received = await receiver.wait_for(2)
        assert all(one.valid for one in received)
        told = {one.type: one for one in received}
        accepted = told["receipt.accepted"].data
        assert accepted["member_id"] == anna
        assert accepted["receipt_id"] == answer["id"]
        shown = await api.ok("GET", f"/v1/receipts/{answer['id']}")
        assert accepted["purchase_id"] == shown["purchase_id"]
        assert told["points.accrued"].data["points"] == answer["points"]["active"]
        path = f"/v1/webhooks/{webhook['id']}/deliveries?state=delivered"
        page = await until(api, path, lambda page: len(page["items"]) == 2)
        assert {one["id"] for one in page["items"]} == {one.id for one in received}

    async def test_a_wrong_secret_is_noticed_by_the_receiver(self, api, receiver, anna):
        webhook = await api.ok("POST", "/v1/webhooks", {"url": receiver.url, "kinds": QUIET})
        receiver.secrets = ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]
        await api.ok("POST", f"/v1/webhooks/{webhook['id']}/test")
        (got,) = await receiver.wait_for(1)
        assert not got.valid
        shown = await until(
            api, f"/v1/webhooks/{webhook['id']}", lambda shown: shown["failing_since"]
        )
        assert (shown["status"], shown["last_failure"]) == ("active", "http_401")


class TestEndpoints:
    async def test_show_the_secret_once(self, api, receiver):
        webhook = await made(api, receiver, description="CRM")
        assert webhook["secret"].startswith("whsec_")
        assert webhook["kinds"] == ["*"]
        shown = await api.ok("GET", f"/v1/webhooks/{webhook['id']}")
        assert shown == {key: value for key, value in webhook.items() if key != "secret"}
        assert shown["status"] == "active"
        rotated = await api.ok("POST", f"/v1/webhooks/{webhook['id']}/secret")
        assert rotated["secret"] != webhook["secret"]

    async def test_give_a_repeated_request_the_same_answer(self, api, receiver):
        body = {"url": receiver.url}
        first = await api.ok("POST", "/v1/webhooks", body, key="make-it-once")
        again = await api.ok("POST", "/v1/webhooks", body, key="make-it-once")
        assert first == again
        assert len((await api.ok("GET", "/v1/webhooks"))["items"]) == 1

    async def test_are_listed_by_pages(self, api, receiver):
        given = [(await made(api, receiver))["id"] for _ in range(3)]
        page = await api.ok("GET", "/v1/webhooks?limit=2")
        rest = await api.ok("GET", f"/v1/webhooks?limit=2&cursor={page['next_cursor']}")
        assert [one["id"] for one in page["items"] + rest["items"]] == given
        response = await api.call("GET", "/v1/webhooks?cursor=bm9uc2Vuc2U")
        assert (response.status_code, response.json()["code"]) == (400, "bad_cursor")

    async def test_are_changed_by_a_merge_patch(self, api, receiver):
        path = f"/v1/webhooks/{(await made(api, receiver, description='CRM'))['id']}"
        changed = await api.ok("PATCH", path, {"kinds": ["member.enrolled/1"], "description": None})
        assert (changed["kinds"], changed["description"]) == (["member.enrolled/1"], None)
        assert changed["url"] == receiver.url
        for wrong in ({"url": None}, {"status": "gone"}, {"secret": "x"}, {"kinds": []}):
            assert (await api.call("PATCH", path, wrong)).status_code == 400

    @pytest.mark.parametrize(
        ("body", "path"),
        [
            ({"url": "http://example.org/in"}, None),
            ({"url": "http://10.0.0.5/in"}, "url"),
            ({"url": "https://169.254.169.254/"}, "url"),
            ({"url": "https://example.org/in", "kinds": ["access.key_created/1"]}, "kinds"),
            ({"url": "https://example.org/in", "description": "x" * 201}, "description"),
        ],
    )
    async def test_are_refused_with_the_wrong_field(self, api, body, path):
        response = await api.call("POST", "/v1/webhooks", body)
        if path is None:  # a sandbox takes http
            assert response.status_code == 201
            return
        assert response.status_code == 400
        assert response.json()["errors"][0]["path"] == path

    async def test_take_their_own_scope(self, api):
        key = await api.key("members", "receipts", name="site")
        response = await api.call("GET", "/v1/webhooks", headers=key)
        assert (response.status_code, response.json()["code"]) == (403, "scope_missing")

    async def test_are_gone_once_deleted(self, api, receiver):
        path = f"/v1/webhooks/{(await made(api, receiver))['id']}"
        assert (await api.call("DELETE", path)).status_code == 204
        for method, rest in (
            ("GET", ""),
            ("DELETE", ""),
            ("POST", "/test"),
            ("POST", "/secret"),
            ("GET", "/deliveries"),
        ):
            response = await api.call(method, path + rest)
            assert (response.status_code, response.json()["code"]) == (404, "webhook_not_found")


class TestSending:
    async def test_is_tested_by_a_ping(self, api, receiver):
        webhook = await made(api, receiver, kinds=QUIET)
        pinged = await api.ok("POST", f"/v1/webhooks/{webhook['id']}/test")
        (got,) = await receiver.wait_for(1)
        assert (got.id, got.type) == (pinged["id"], "webhook.pinged")
        assert got.data == {"webhook_id": webhook["id"]}
        path = f"/v1/webhooks/{webhook['id']}/deliveries/{pinged['id']}"
        done = await until(api, path, lambda shown: shown["state"] == "delivered")
        assert (done["attempts"], done["last_status"], done["next_try"]) == (1, 204, None)

    async def test_of_a_gone_one_is_paused_with_a_reason_until_resumed(self, api, receiver):
        webhook = await made(api, receiver, kinds=["member.enrolled/1"])
        path = f"/v1/webhooks/{webhook['id']}"
        receiver.order(http(410))
        await api.ok("POST", f"{path}/test")
        shown = await until(api, path, lambda shown: shown["status"] == "paused")
        assert shown["paused"]["code"] == "gone"
        assert "410" in shown["paused"]["text"]
        refused = await api.call("POST", f"{path}/test")
        assert (refused.status_code, refused.json()["code"]) == (409, "webhook_paused")
        metrics = (await api.call("GET", "/metrics")).text
        assert 'vezde_webhooks{state="paused"} 1.0' in metrics
        assert "vezde_webhook_deliveries_waiting 1.0" in metrics
        resumed = await api.ok("PATCH", path, {"status": "active"})
        assert (resumed["status"], resumed["paused"]) == ("active", None)
        await receiver.wait_for(2)

    async def test_again_is_by_delivery_or_by_time(self, api, receiver, anna):
        webhook = await made(api, receiver, kinds=["member.enrolled/1"])
        path = f"/v1/webhooks/{webhook['id']}"
        at = datetime.fromisoformat((await api.ok("GET", "/v1/sandbox/clock"))["now"])
        since = {"since": (at - timedelta(hours=1)).isoformat()}
        replayed = await api.ok("POST", f"{path}/replay", since)
        assert replayed == {"replayed": 1, "next_since": None}
        (got,) = await receiver.wait_for(1)
        assert got.data == {"member_id": anna}
        delivered = f"{path}/deliveries/{got.id}"
        await until(api, delivered, lambda shown: shown["state"] == "delivered")
        assert (await api.ok("POST", f"{path}/replay", since))["replayed"] == 0
        await api.ok("POST", f"{delivered}/replay")
        _, again = await receiver.wait_for(2)
        assert again.id == got.id

    async def test_again_of_long_ago_is_refused(self, api, receiver):
        path = f"/v1/webhooks/{(await made(api, receiver))['id']}/replay"
        for since in ("2020-01-01T00:00:00Z", "2026-12-01T00:00:00"):
            assert (await api.call("POST", path, {"since": since})).status_code == 400


# Kind -> why others are not told of it.
UNTOLD = {
    "access.key_created/1": "who holds keys is the installation's business",
    "access.key_revoked/1": "who holds keys is the installation's business",
    "seller.judged/1": "whom the installation trusts is its own business",
    "catalog.name_learned/1": "how names are matched is the installation's business",
}
KIND = re.compile(r'^[A-Z_]+ = "([a-z_.]+/[0-9]+)"', re.MULTILINE)


class TestKinds:
    def test_are_told_or_have_a_reason(self):
        """A new kind of fact: into `api.facts.TOLD` with its fields, or here with the reason."""
        package = Path(facts.__file__).parents[1]
        recorded = {
            kind
            for path in package.rglob("events.py")
            if path.parent.name != "webhooks"
            for kind in KIND.findall(path.read_text("utf-8"))
        }
        assert len(recorded) > 10
        assert recorded - facts.KINDS == set(UNTOLD)

    def test_of_receipts_are_a_registration_its_statuses_and_disputes(self):
        of_receipts = {kind for kind in facts.KINDS if kind.startswith("receipt.")}
        beside = {"delayed", "disputed", "questioned", "dispute_resolved", "withheld", "rechecked"}
        assert of_receipts == {
            came_to(
                one, member_id=ANNA, receipt_id=ANNA, occurred_at=None, now=datetime.now(UTC)
            ).kind
            for one in Status
        } | {f"receipt.{what}/1" for what in beside}


class TestMessage:
    def test_of_a_merge_names_both(self, now):
        other = ids.new()
        data = {"into": str(ANNA), "gone": str(other)}
        fact = FactRow(ids.new(), ANNA, None, "member.merged/1", now, now, data)
        told = json.loads(facts.message(fact).body)["data"]
        assert told == {"member_id": names.member(ANNA), "gone": names.member(other)}

    def test_never_says_that_a_receipt_is_forged(self, now):
        data = {"receipt_id": str(ids.new()), "reason": "forged"}
        fact = FactRow(ids.new(), ANNA, None, "receipt.rejected/1", now, now, data)
        assert b"forged" not in facts.message(fact).body
        assert b'"reason":"not_found"' in facts.message(fact).body

    def test_is_the_same_each_time(self, now):
        fact = FactRow(ids.new(), ANNA, None, "member.enrolled/1", now, now, {})
        assert facts.message(fact) == facts.message(fact)
        assert facts.message(fact).id == names.event(fact.id)

    def test_tells_no_field_that_was_not_promised(self, now):
        data = {"fields": ["phone"], "internal": str(ids.new())}
        fact = FactRow(ids.new(), ANNA, None, "member.changed/1", now, now, data)
        assert b"internal" not in facts.message(fact).body

    async def test_holds_no_internal_id(self, api, receiver, anna):
        """Every fact of a receipt's life, as it is really recorded."""
        await made(api, receiver)
        await api.batch({"member_id": anna, "document": render(receipt(1, lines=[CREAM]))})
        received = await receiver.wait_for(3)
        internal = names.member_id(anna)
        for one in received:
            text = one.body.decode()
            assert str(internal) not in text
            assert not _uuids(one.data), text


def _uuids(data):
    found = []
    for value in data.values():
        try:
            found.append(UUID(str(value)))
        except ValueError:
            continue
    return found
