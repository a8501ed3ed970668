"""What was given up on: listed from the newest, tried again, dropped."""

import asyncio
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from vezde.api import names
from vezde.kit import ids
from vezde.kit.work import jobs
from vezde.testing.receipts import line, receipt, render
from vezde.testing.webhooks import WebhookReceiver, http

CREAM = line("Крем для лица LUNARIA 50мл", 83_000)


async def run(api, statement: str, *given: Any) -> None:
    async with api.house.database.transaction() as db:
        await db.execute(statement.encode(), given)


async def value(api, query: str, *given: Any) -> Any:
    async with api.house.database.transaction() as db:
        row = await (await db.execute(query.encode(), given)).fetchone()
        return row[0] if row else None


async def park_jobs(api, count: int, *, at: datetime) -> None:
    for number in range(count):
        await run(
            api,
            "INSERT INTO kit.job (id, kind, payload, due_at, attempts, parked_at, error)"
            " VALUES (%s, 'bot.forget', '{}', %s, 6, %s, 'KeyError at work.py:1 in forget')",
            *(ids.new(), at, at + timedelta(seconds=number // 2)),
        )


async def listed(api, **asked: Any) -> list[dict[str, Any]]:
    return list((await api.ok("GET", "/v1/troubles", params=asked))["items"])


async def until_gone(api) -> None:
    for _ in range(200):
        if not await listed(api):
            return
        await asyncio.sleep(0.02)
    raise AssertionError(await listed(api))


class TestList:
    async def test_of_a_healthy_installation_is_empty(self, api):
        assert await api.ok("GET", "/v1/troubles") == {"items": [], "next_cursor": None}

    async def test_says_what_and_why_and_names_nobody(self, api, anna):
        member_id = names.member_id(anna)
        wall = api.house.clock.wall()
        await run(
            api,
            "INSERT INTO kit.job (id, kind, payload, due_at, attempts, parked_at, error) VALUES"
            " (%s, 'bot.forget', jsonb_build_object('member_id', %s::text), %s, 6, %s, 'X at y:1')",
            *(ids.new(), str(member_id), wall, wall),
        )
        (one,) = await listed(api)
        shown = {name: one[name] for name in ("kind", "about", "because", "attempts", "member_id")}
        assert shown == {
            "kind": "job",
            "about": "bot.forget",
            "because": "X at y:1",
            "attempts": 6,
            "member_id": anna,
        }
        assert one["can_retry"]
        assert one["can_drop"]

    async def test_goes_down_by_pages_across_kinds(self, api):
        wall = api.house.clock.wall()
        await park_jobs(api, 5, at=wall)
        webhook = await api.ok("POST", "/v1/webhooks", {"url": "http://127.0.0.1:9/"})
        for number in range(5):
            await run(
                api,
                "INSERT INTO outbox.delivery (webhook_id, fact_id, recorded_at, kind, state,"
                " queued_at, attempts, last_at, last_reason)"
                " VALUES (%s, %s, %s, 'receipt.accepted/1', 'failed', %s, 9, %s, 'timeout')",
                *(names.webhook_id(webhook["id"]), ids.new(), wall, wall),
                wall + timedelta(seconds=number // 2),
            )
        whole = await listed(api)
        assert len(whole) == 10
        assert [one["at"] for one in whole] == sorted((one["at"] for one in whole), reverse=True)
        paged, cursor = [], None
        for _ in range(4):
            asked = {"limit": 3} | ({"cursor": cursor} if cursor else {})
            page = await api.ok("GET", "/v1/troubles", params=asked)
            paged += page["items"]
            cursor = page["next_cursor"]
        assert cursor is None
        assert paged == whole
        assert {one["kind"] for one in await listed(api, kind="delivery")} == {"delivery"}
        metrics = (await api.call("GET", "/metrics")).text
        assert 'vezde_troubles{kind="delivery"} 5.0' in metrics

    @pytest.mark.parametrize("cursor", ["x", "MjAyNg", "MjAyNi0wMS0wMSBqb2IgMSAy"])
    async def test_refuses_a_cursor_of_another_list(self, api, cursor):
        refused = await api.call("GET", "/v1/troubles", params={"cursor": cursor})
        assert (refused.status_code, refused.json()["code"]) == (400, "bad_cursor")

    async def test_refuses_a_kind_that_is_none(self, api):
        refused = await api.call("GET", "/v1/troubles", params={"kind": "weather"})
        assert refused.status_code == 400
        assert "reaction" in refused.json()["detail"]

    async def test_needs_its_scope(self, api):
        key = await api.key("webhooks")
        refused = await api.http.get("/v1/troubles", headers=key)
        assert refused.json()["code"] == "scope_missing"


class TestRetry:
    async def test_of_a_reaction_has_it_work(self, api, anna):
        """Points that were never decided on, because deciding broke."""
        await api.batch({"member_id": anna, "document": render(receipt(1, lines=[CREAM]))})
        await run(
            api,
            "INSERT INTO outbox.retry"
            " (fact_id, reaction, recorded_at, attempts, next_try, parked_at, error)"
            " SELECT id, 'members.came_by', recorded_at, 6, recorded_at, recorded_at, 'X at y:1'"
            " FROM outbox.fact WHERE kind = 'receipt.accepted/1'",
        )
        (one,) = await listed(api)
        assert one["about"] == "members.came_by receipt.accepted/1"
        assert one["member_id"] == anna
        await api.ok("POST", f"/v1/troubles/{one['id']}/retry")
        # Such a reaction there is none of, which is a trouble again.
        for _ in range(200):
            again = await listed(api)
            if again and again[0]["because"] != "X at y:1":
                break
            await asyncio.sleep(0.02)
        assert again[0]["because"].startswith("ReactionGone")
        assert (await api.call("DELETE", f"/v1/troubles/{one['id']}")).status_code == 204
        assert await listed(api) == []

    async def test_of_a_delivery_sends_it(self, api, anna):
        async with WebhookReceiver() as receiver:
            receiver.order(http(500))
            webhook = await api.ok("POST", "/v1/webhooks", {"url": receiver.url})
            receiver.secrets.append(webhook["secret"])
            await api.batch({"member_id": anna, "document": render(receipt(1, lines=[CREAM]))})
            await receiver.wait_for(1)
            await until_answered(api)
            await run(
                api,
                "UPDATE outbox.delivery SET state = 'failed', next_try = NULL"
                " WHERE last_status = 500",
            )
            await run(api, "UPDATE outbox.webhook SET held_until = NULL")
            (one,) = await listed(api)
            assert one["kind"] == "delivery"
            done = await api.call("POST", f"/v1/troubles/{one['id']}/retry")
            assert (done.status_code, done.json()["kind"]) == (202, "delivery")
            await until_gone(api)
            assert (
                await value(api, "SELECT count(*) FROM outbox.delivery WHERE state='failed'") == 0
            )

    async def test_of_a_job_has_it_done(self, api):
        async with api.house.database.transaction() as db:
            now = await api.house.clock.programme(db)
            payload = {"member_id": str(UUID(int=1)), "receipt_id": str(UUID(int=2)), "day": 3}
            await jobs.enqueue(
                db, kind="bot.advance", payload=payload, due_at=now + timedelta(days=1)
            )
            await db.execute(
                b"UPDATE kit.job SET attempts = 6, parked_at = %s, due_at = %s, error = 'x'",
                [now, now],
            )
        (one,) = await listed(api, kind="job")
        await api.ok("POST", f"/v1/troubles/{one['id']}/retry")
        for _ in range(200):
            if not await value(api, "SELECT count(*) FROM kit.job"):
                return
            await asyncio.sleep(0.02)
        raise AssertionError("the job was not worked")

    async def test_of_a_receipt_answers_who_waits_for_it(self, api, anna):
        given = {"member_id": anna, "document": render(receipt(1, lines=[CREAM]))}
        (answer,) = await api.batch(given)
        _, receipt_id = names.receipt_ids(answer["id"])
        await run(
            api,
            "INSERT INTO receipts.verification"
            " (member_id, receipt_id, step, due_at, try_at, parked_because)"
            " SELECT member_id, receipt_id, 'settle', registered_at, registered_at, 'X'"
            " FROM receipts.receipt WHERE receipt_id = %s",
            receipt_id,
        )
        (one,) = await listed(api)
        assert not one["can_drop"]
        refused = await api.call("DELETE", f"/v1/troubles/{one['id']}")
        assert (refused.status_code, refused.json()["code"]) == (422, "not_droppable")
        await api.ok("POST", f"/v1/troubles/{one['id']}/retry")
        await until_gone(api)

    async def test_of_what_is_not_there_says_so(self, api):
        await park_jobs(api, 1, at=api.house.clock.wall())
        (one,) = await listed(api)
        await api.call("DELETE", f"/v1/troubles/{one['id']}")
        for method, path in (("POST", "/retry"), ("DELETE", "")):
            gone = await api.call(method, f"/v1/troubles/{one['id']}{path}")
            assert (gone.status_code, gone.json()["code"]) == (404, "trouble_not_found")
        odd = await api.call("DELETE", f"/v1/troubles/{names.member(UUID(int=1))}")
        assert odd.status_code == 404


async def until_answered(api) -> None:
    for _ in range(200):
        if await value(api, "SELECT count(*) FROM outbox.delivery WHERE last_status = 500"):
            return
        await asyncio.sleep(0.02)
    raise AssertionError("the receiver was not asked")
