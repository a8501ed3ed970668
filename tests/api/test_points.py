"""Points over HTTP: at an instant, explained, adjusted by two operators."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from vezde.api import names
from vezde.kit import ids
from vezde.ledger import operations as ledger
from vezde.ledger.model import Commit, Debt, DebtPolicy, Hold, Redemption, Reversal
from vezde.testing.receipts import line, receipt, render

CREAM = line("Крем для лица LUNARIA 50мл", 83_000, provider_inn="7801234564")


class TestAdjustments:
    async def test_up_to_the_limit_are_done_at_once_and_once(self, api, anna):
        body = {"points": 100, "reason": "Разбили крем в магазине"}
        path = f"/v1/members/{anna}/adjustments"
        refused = await api.call("POST", path, body)
        assert (refused.status_code, refused.json()["code"]) == (400, "idempotency_key_required")
        done = await api.ok("POST", path, body, key="one")
        assert (done["state"], done["points"], done["title"]) == (
            "done",
            100,
            "Корректировка баллов",
        )
        assert await api.ok("POST", path, body, key="one") == done
        points = await api.ok("GET", f"/v1/members/{anna}/points")
        assert points["active"] == 100
        (entry,) = (await api.ok("GET", f"/v1/members/{anna}/history"))["items"]
        assert (entry["id"], entry["kind"]) == (done["entry_id"], "adjust")
        assert "крем" not in str(await api.ok("GET", f"/v1/history/{entry['id']}/explanation"))

    async def test_above_it_wait_for_another_key(self, api, anna):
        path = f"/v1/members/{anna}/adjustments"
        asked = await api.ok("POST", path, {"points": 5000, "reason": "Конкурс"}, key="big")
        assert (asked["state"], asked["entry_id"]) == ("pending", None)
        assert (await api.ok("GET", "/v1/adjustments"))["items"] == [asked]
        approve = f"/v1/adjustments/{asked['id']}/approve"
        own = await api.call("POST", approve)
        assert (own.status_code, own.json()["code"]) == (422, "same_operator")
        other = await api.key("points", name="second")
        done = await api.ok("POST", approve, headers=other)
        assert (done["state"], done["points"]) == ("done", 5000)
        assert done["asked_by"] != done["decided_by"]
        again = await api.call("POST", approve, headers=other)
        assert (again.status_code, again.json()["code"]) == (409, "adjustment_decided")
        assert (await api.ok("GET", path))["items"] == [done]
        assert (await api.ok("GET", "/v1/adjustments"))["items"] == []
        assert (await api.ok("GET", f"/v1/members/{anna}/points"))["active"] == 5000

    async def test_are_refused_by_anybody_who_may_see_them(self, api, anna):
        path = f"/v1/members/{anna}/adjustments"
        asked = await api.ok("POST", path, {"points": -5000, "reason": "Ошибка"}, key="big")
        done = await api.ok("POST", f"/v1/adjustments/{asked['id']}/refuse")
        assert done["state"] == "refused"

    async def test_of_nonsense_change_nothing(self, api, anna):
        path = f"/v1/members/{anna}/adjustments"
        for body, status, code in (
            ({"points": 0, "reason": "а"}, 400, "bad_command"),
            ({"points": 5, "reason": " "}, 400, "invalid"),
            ({"points": 5}, 400, "invalid"),
            (
                {"points": 5, "reason": "а", "expires_at": "2020-01-01T00:00:00Z"},
                400,
                "bad_command",
            ),
            ({"points": 5, "reason": "а", "expires_at": "2099-01-01T00:00:00"}, 400, "malformed"),
            ({"points": -5, "reason": "а"}, 409, "insufficient_points"),
        ):
            answer = await api.call("POST", path, body, key=f"{len(str(body))}-{code}-{status}")
            assert (answer.status_code, answer.json()["code"]) == (status, code), body
        nobody = await api.call(
            "POST", f"/v1/members/mem_{'0' * 26}/adjustments", {"points": 5, "reason": "а"}, key="x"
        )
        assert nobody.status_code == 404
        for cursor in ("x", "MQ", "MSAy"):
            bad = await api.call("GET", f"/v1/adjustments?cursor={cursor}")
            assert bad.json()["code"] == "bad_cursor"

    async def test_end_as_the_programme_says_unless_told_otherwise(self, api, anna):
        path = f"/v1/members/{anna}/adjustments"
        body = {"points": 5, "reason": "а", "expires_at": "2099-01-01T00:00:00Z"}
        done = await api.ok("POST", path, body, key="dated")
        assert done["expires_at"] == "2099-01-01T00:00:00Z"
        never = await api.ok("POST", path, {**body, "expires_at": None}, key="never")
        assert never["expires_at"] is None


class TestAtAnInstant:
    async def test_by_event_time_counts_a_purchase_from_when_it_happened(self, api, anna):
        made = await api.ok(
            "POST", "/v1/receipts", {"member_id": anna, "document": await _document(api)}, key="a"
        )
        shown = await api.settled(made["id"])
        bought = datetime.fromisoformat(shown["purchased_at"]) + timedelta(seconds=1)
        path = f"/v1/members/{anna}/points"
        at = bought.isoformat().replace("+00:00", "Z")
        known = await api.ok("GET", path, params={"as_of": at})
        happened = await api.ok("GET", path, params={"as_of": at, "by": "occurred"})
        assert known["active"] == 0
        assert happened["active"] == shown["points"]["active"] > 0
        wrong = await api.call("GET", path, params={"by": "guessed"})
        assert (wrong.status_code, wrong.json()["code"]) == (400, "invalid")


class TestExplanation:
    async def test_of_a_debit_leads_to_the_receipts_its_points_came_from(self, api, anna):
        made = await api.ok(
            "POST", "/v1/receipts", {"member_id": anna, "document": await _document(api)}, key="a"
        )
        shown = await api.settled(made["id"])
        points = shown["points"]["active"]
        history = await api.ok("GET", f"/v1/members/{anna}/history")
        accrued = history["items"][-1]
        member_id = names.member_id(anna)
        async with api.house.database.transaction() as db:
            now = await api.house.clock.programme(db)
            head = {"member_id": member_id, "occurred_at": now, "title": "Заказ 7"}
            held = Hold(
                **head,
                op_key="hold",
                hold_id=ids.new(),
                points=points - 1,
                expires_at=now + timedelta(hours=1),
            )
            await ledger.hold(db, held, now=now, actor="key:1")
            paid = Commit(**head, op_key="commit", hold_id=held.hold_id, points=points - 2)
            await ledger.commit(db, paid, now=now, actor="key:1")
            await ledger.redeem(
                db, Redemption(**head, op_key="redeem", points=1), now=now, actor="key:1"
            )
            back = Reversal(
                **head,
                op_key="back",
                accrual_seq=1,
                points=3,
                debt=Debt(DebtPolicy.DEBT),
            )
            await ledger.reverse(db, back, now=now, actor="key:1")
        entries = (await api.ok("GET", f"/v1/members/{anna}/history"))["items"]
        told = {}
        for entry in entries:
            told[entry["kind"]] = await api.ok("GET", f"/v1/history/{entry['id']}/explanation")
        for kind, moved in (("hold", points - 1), ("commit", points - 2), ("redeem", 1)):
            (lot,) = told[kind]["lots"]
            assert (lot["entry_id"], lot["points"]) == (accrued["id"], moved)
            assert lot["receipt_id"] == made["id"]
            assert lot["rule"] == "earning.channels.chain"
            assert lot["program_version"] == 1
        assert told["release"]["lots"][0]["points"] == -1
        hold_entry = next(one for one in entries if one["kind"] == "hold")
        assert told["commit"]["about"] == told["release"]["about"] == hold_entry["id"]
        assert told["reverse"]["about"] == accrued["id"]
        assert (await api.ok("GET", f"/v1/members/{anna}/points"))["debt"] == 2


async def _document(api):
    """A receipt of three hours ago."""
    async with api.house.database.transaction() as db:
        now = await api.house.clock.programme(db)
    local = now.astimezone(ZoneInfo("Europe/Moscow")).replace(tzinfo=None, second=0, microsecond=0)
    return render(receipt(7, lines=[CREAM], at=local - timedelta(hours=3)))
