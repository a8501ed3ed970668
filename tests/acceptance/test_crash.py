"""Kill -9 in the middle of the work: each accepted receipt is finished once, none is paid twice."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from vezde.testing.installation import Installation
from vezde.testing.receipts import line, receipt, render

MEMBERS, RECEIPTS = 20, 1_000
PROGRAM = {
    "timezone": "Europe/Moscow",
    "point_value_kopecks": 100,
    "rounding": "floor",
    "earning": {"default_rate_bp": 1_000},
    "receipts": {"window_days": None, "per_day": None},
}
PRODUCTS = [{"sku": "CREAM", "name": "Крем LUNARIA 50 мл", "brand": "LUNARIA", "size": "50 мл"}]
POINTS = 10  # a hundred rubles at ten per cent
TODAY = datetime.now().replace(microsecond=0) - timedelta(hours=2)  # noqa: DTZ005


@pytest.fixture
def vezde(tmp_path: Path):
    with Installation(tmp_path / "var", VEZDE_WORKERS="2") as running:
        running.make_key()
        running.call("PUT", "/v1/program", {"document": PROGRAM})
        running.call("PUT", "/v1/catalog/products", {"items": PRODUCTS, "mode": "merge"})
        yield running


@pytest.fixture
def members(vezde):
    return [
        vezde.call("POST", "/v1/members", {"phone": f"+790000001{number:02d}"})["id"]
        for number in range(MEMBERS)
    ]


def submit(vezde, members, number: int) -> str | None:
    """The receipt's id when it was accepted; None when the answer never came."""
    paper = receipt(number, lines=[line("Крем LUNARIA 50мл", 10_000)], at=TODAY)
    body = {"member_id": members[number % MEMBERS], "document": render(paper)}
    try:
        status, content = vezde.request(
            "POST",
            "/v1/receipts",
            json.dumps(body).encode(),
            Idempotency_Key=f"receipt-{number}",
        )
    except OSError:
        return None
    assert status in {202, 503}, content
    return json.loads(content)["id"] if status == 202 else None


def settle(vezde, ids: set[str]) -> None:
    deadline = time.monotonic() + 60
    left = set(ids)
    while left and time.monotonic() < deadline:
        left = {
            one for one in left if vezde.call("GET", f"/v1/receipts/{one}")["status"] == "checking"
        }
    assert not left


def check_paid_once(vezde, members, count: int) -> None:
    balances = [vezde.call("GET", f"/v1/members/{one}/points") for one in members]
    assert sum(one["active"] + one["pending"] for one in balances) == count * POINTS
    accruals = 0
    for one in members:
        history = vezde.call("GET", f"/v1/members/{one}/history?limit=200")["items"]
        accruals += sum(entry["kind"] == "accrue" for entry in history)
    assert accruals == count


class TestKillingEverything:
    def test_in_the_middle_of_a_thousand_submissions(self, vezde, members):
        acknowledged: dict[int, str] = {}
        killed = threading.Event()

        def one(number: int) -> None:
            if not killed.is_set() and (found := submit(vezde, members, number)):
                acknowledged[number] = found

        with ThreadPoolExecutor(8) as pool:
            work = [pool.submit(one, number) for number in range(RECEIPTS)]
            while len(acknowledged) < RECEIPTS // 2:
                time.sleep(0.005)
            vezde.kill()
            killed.set()
            for each in work:
                each.result()
        assert RECEIPTS // 2 <= len(acknowledged) < RECEIPTS
        vezde.start()
        # What was acknowledged is there; what was not is sent again with the same key.
        with ThreadPoolExecutor(8) as pool:
            again = list(pool.map(lambda number: submit(vezde, members, number), range(RECEIPTS)))
        assert None not in again
        assert {number: again[number] for number in acknowledged} == acknowledged
        settle(vezde, set(again))
        check_paid_once(vezde, members, RECEIPTS)


class TestKillingPostgreSQL:
    def test_in_the_middle_of_a_thousand_submissions(self, vezde, members):
        finished: dict[int, str] = {}

        def until_taken(number: int) -> None:
            for _ in range(200):
                if found := submit(vezde, members, number):
                    finished[number] = found
                    return
                time.sleep(0.1)

        with ThreadPoolExecutor(8) as pool:
            work = [pool.submit(until_taken, number) for number in range(RECEIPTS)]
            while len(finished) < RECEIPTS // 2:
                time.sleep(0.005)
            vezde.kill_postgres()
            for each in work:
                each.result()
        assert len(finished) == len(set(finished.values())) == RECEIPTS
        settle(vezde, set(finished.values()))
        check_paid_once(vezde, members, RECEIPTS)


class TestTwoMembersOneReceipt:
    def test_in_the_same_moment_have_one_owner(self, vezde, members):
        papers = [
            receipt(50_000 + n, lines=[line("Крем LUNARIA 50мл", 10_000)], at=TODAY)
            for n in range(20)
        ]

        def show(who: int, paper) -> dict:
            body = {"member_id": members[who], "document": render(paper)}
            key = f"{who}-{paper.key.fd}"
            _status, content = vezde.request(
                "POST", "/v1/receipts", json.dumps(body).encode(), Idempotency_Key=key
            )
            return json.loads(content)

        with ThreadPoolExecutor(8) as pool:
            for paper in papers:
                shown = list(pool.map(lambda who, paper=paper: show(who, paper), range(4)))
                reasons = sorted(one["reason"]["code"] if one["reason"] else "" for one in shown)
                assert reasons == ["", "taken", "taken", "taken"]
                settle(vezde, {one["id"] for one in shown})
        check_paid_once(vezde, members, len(papers))


class TestKillingABatch:
    def test_and_sending_it_again_pays_each_line_once(self, vezde, members):
        lines = [
            {
                "member_id": members[number % MEMBERS],
                "document": render(
                    receipt(number, lines=[line("Крем LUNARIA 50мл", 10_000)], at=TODAY)
                ),
            }
            for number in range(RECEIPTS)
        ]
        body = "\n".join(map(json.dumps, lines)).encode()
        with ThreadPoolExecutor(1) as pool:
            sent = pool.submit(lambda: vezde.request("POST", "/v1/receipts/batch", body))
            time.sleep(0.3)
            vezde.kill()
            assert isinstance(sent.exception(), OSError)
        vezde.start()
        status, content = vezde.request("POST", "/v1/receipts/batch", body)
        assert status == 200
        answers = [json.loads(one) for one in content.splitlines()]
        assert {one["status"] for one in answers} == {"accepted"}
        check_paid_once(vezde, members, RECEIPTS)
