"""A merge undone over HTTP: all that two people had is theirs again, row by row."""

from typing import Any

import psycopg
from psycopg import sql

from vezde.api import names
from vezde.ledger.operations import auditing as ledger
from vezde.testing.receipts import line, receipt, render

from .conftest import PROGRAM
from .test_forgetting import OF_MEMBERS, _life

CREAM = line("Крем для лица LUNARIA 50мл", 83_000)
# Where rows of the two may differ afterwards, and why.
OTHERWISE = {
    "ledger": "entries are never moved or taken out: compared by what each has",
    "outbox": "facts are told",
    "members.merge": "says that it was done and undone",
    "members.unreachable": "whether somebody can be reached is found out anew",
    "access.session": "both are signed out",
    "access.sign_in": "both are signed out",
    "access.card": "both are signed out",
    "receipts.dispute": "one between the two ended with the merge; it can be opened again",
    "access.answer": "answers to the merge and the undoing came",
}


class TestUnmerge:
    async def test_leaves_every_row_as_it_was(self, api, fresh):
        nastya, _ = await _life(api)
        boris = (await api.ok("GET", "/v1/members?phone=%2B79000000002"))["id"]
        both = [names.member_id(one) for one in (nastya, boris)]
        await api.ok("POST", "/v1/sandbox/clock", {"advance": "P1D"})
        with psycopg.connect(fresh.owner, autocommit=True) as db:
            before = _rows(db, both)
            told = [await _told(api, one) for one in (nastya, boris)]
            merge, undo = (f"/v1/members/{boris}/{verb}" for verb in ("merge", "unmerge"))
            await api.ok("POST", merge, {"gone": nastya})
            assert _rows(db, both) != before
            back = await api.ok("POST", undo, {"gone": nastya}, key="undo")
            assert back == told[0][0]
            assert [await _told(api, one) for one in (nastya, boris)] == told
            after = _rows(db, both)
            assert {table for table in before if before[table] != after[table]} == set()
        assert await api.ok("POST", undo, {"gone": nastya}, key="undo") == back
        assert await api.ok("POST", undo, {"gone": nastya}) == back

    async def test_goes_on_for_both_with_orders_of_before(self, api):
        await api.ok("PUT", "/v1/program", {"document": PROGRAM})
        anna, boris = [
            (await api.ok("POST", "/v1/members", {"phone": f"+7900000000{n}"}))["id"]
            for n in (1, 2)
        ]
        path = f"/v1/members/{anna}"
        asked = {"points": 500, "reason": "Подарок", "expires_at": None}
        await api.ok("POST", f"{path}/adjustments", asked, key="gift")
        order = await _order(api, anna, "А-1", points=300)
        await api.ok("POST", f"/v1/members/{boris}/merge", {"gone": anna})
        back = {"returned_at": order["paid_at"], "lines": [{"line": 1, "quantity": 1}]}
        returns = "/v1/orders/own_site/А-1/returns"
        first = await api.ok("POST", returns, {**back, "return_id": "В-1"})
        later = await _order(api, boris, "А-2", points=100)
        await api.ok("POST", f"/v1/members/{boris}/unmerge", {"gone": anna})
        assert await api.ok("POST", returns, {**back, "return_id": "В-1"}) == first
        second = await api.ok("POST", returns, {**back, "return_id": "В-2"})
        assert first["restored_points"] + second["restored_points"] == 300
        whole = await api.ok("POST", "/v1/orders/own_site/А-2/cancel")
        assert whole["restored_points"] == later["spent_points"] == 100
        points = [
            (await api.ok("GET", f"/v1/members/{one}/points"))["active"] for one in (anna, boris)
        ]
        assert sum(points) == 500
        assert min(points) >= 0
        async with api.house.database.transaction() as db:
            for one in (anna, boris):
                found = await ledger.read_account(db, names.member_id(one))
                assert ledger.examine(found, api.house.ledger_signer) == []

    async def test_says_why_not(self, api):
        await api.ok("PUT", "/v1/program", {"document": PROGRAM})
        anna, boris, vera = [
            (await api.ok("POST", "/v1/members", {"phone": f"+7900000000{n}"}))["id"]
            for n in (1, 2, 3)
        ]
        refused = await api.call("POST", f"/v1/members/{boris}/unmerge", {"gone": anna})
        assert (refused.status_code, refused.json()["code"]) == (409, "not_merged")
        await api.ok("POST", f"/v1/members/{boris}/merge", {"gone": anna})
        await api.ok("POST", f"/v1/members/{vera}/merge", {"gone": boris})
        refused = await api.call("POST", f"/v1/members/{vera}/unmerge", {"gone": anna})
        assert (refused.status_code, refused.json()["code"]) == (409, "merge_not_last")
        assert refused.json()["member_id"] == boris
        await api.ok("POST", "/v1/sandbox/clock", {"advance": "P31D"})
        refused = await api.call("POST", f"/v1/members/{vera}/unmerge", {"gone": boris})
        assert (refused.status_code, refused.json()["code"]) == (422, "merge_too_old")

    async def test_prices_what_each_shows_from_then_on(self, api):
        await api.ok("PUT", "/v1/program", {"document": PROGRAM})
        anna, boris = [
            (await api.ok("POST", "/v1/members", {"phone": f"+7900000000{n}"}))["id"]
            for n in (1, 2)
        ]
        papers = [render(receipt(n, lines=[CREAM])) for n in range(1, 4)]
        await api.batch({"member_id": anna, "document": papers[0]})
        await api.ok("POST", f"/v1/members/{boris}/merge", {"gone": anna})
        await api.batch({"member_id": boris, "document": papers[1]})
        await api.ok("POST", f"/v1/members/{boris}/unmerge", {"gone": anna})
        for who, paper, wanted in ((anna, papers[1], "taken"), (boris, papers[0], "taken")):
            (one,) = await api.batch({"member_id": who, "document": paper})
            assert one["reason"]["code"] == wanted
        (new,) = await api.batch({"member_id": anna, "document": papers[2]})
        assert new["status"] == "accepted"
        history = (await api.ok("GET", f"/v1/members/{anna}/history"))["items"]
        for one in history:
            await api.ok("GET", f"/v1/history/{one['id']}/explanation")


async def _told(api: Any, member: str) -> tuple[Any, Any]:
    path = f"/v1/members/{member}"
    return await api.ok("GET", path), await api.ok("GET", f"{path}/points")


async def _order(api: Any, member: str, order_id: str, *, points: int) -> dict[str, Any]:
    lines = [{"sku": "CREAM-50", "quantity": 2, "price_kopecks": 83_000}]
    asked = {"member_id": member, "sales_channel": "own_site", "lines": lines}
    quote = await api.ok("POST", "/v1/checkout/quotes", asked)
    held = {"quote_id": quote["quote_id"], "lines": lines, "points": points, "ttl_seconds": 600}
    hold = await api.ok("POST", "/v1/checkout/holds", held, key=f"hold {points}")
    paid_at = (await api.ok("GET", "/v1/sandbox/clock"))["now"]
    body = {"order_id": order_id, "paid_at": paid_at}
    done = await api.ok(
        "POST", f"/v1/checkout/holds/{hold['hold_id']}/commit", body, key=f"commit {points}"
    )
    return {**done, "paid_at": paid_at}


def _rows(db: psycopg.Connection, members: list[Any]) -> dict[str, list[str]]:
    """All rows of the two, by table, but for who changed them when."""
    schemas = ["access", "bot", "checkout", "ledger", "members", "messaging", "outbox"]
    schemas += ["program", "purchases", "receipts"]
    found = {}
    for schema, table, _ in db.execute(OF_MEMBERS, [schemas]).fetchall():
        if schema in OTHERWISE or f"{schema}.{table}" in OTHERWISE:
            continue
        query = sql.SQL("""
            SELECT to_jsonb(t) - '{{changed_at,changed_by,sealed}}'::text[] FROM {} AS t
            WHERE member_id = ANY(%s)
        """).format(sql.Identifier(schema, table))
        found[f"{schema}.{table}"] = sorted(str(row[0]) for row in db.execute(query, [members]))
    return found
