"""Kill -9 while people pay with points: what was answered happened once, the rest not twice."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from vezde.testing.installation import Installation

MEMBERS, ORDERS = 10, 300
SAVED, PAID = 1_000, 10
PROGRAM = {
    "timezone": "Europe/Moscow",
    "point_value_kopecks": 100,
    "rounding": "floor",
    "earning": {"default_rate_bp": 1_000},
    "receipts": {"window_days": None, "per_day": None},
}
PRODUCTS = [{"sku": "CREAM", "name": "Крем LUNARIA 50 мл", "brand": "LUNARIA", "size": "50 мл"}]
LINES = [{"sku": "CREAM", "quantity": 1, "price_kopecks": 11_000}]
EARNED = 10  # of the hundred rubles that are left to pay, ten per cent


@pytest.fixture
def vezde(tmp_path: Path):
    with Installation(tmp_path / "var", VEZDE_WORKERS="2") as running:
        running.make_key()
        running.call("PUT", "/v1/program", {"document": PROGRAM})
        running.call("PUT", "/v1/catalog/products", {"items": PRODUCTS, "mode": "merge"})
        yield running


@pytest.fixture
def members(vezde, tmp_path: Path) -> list[str]:
    phones = [f"+790000002{number:02d}" for number in range(MEMBERS)]
    table = tmp_path / "balances.csv"
    table.write_text("phone,points\n" + "".join(f"{phone},{SAVED}\n" for phone in phones))
    vezde.command("members", "import", str(table))
    return [vezde.call("GET", f"/v1/members?phone=%2B{one[1:]}")["id"] for one in phones]


def post(vezde: Installation, path: str, body: Any, key: str) -> Any:
    """The answer; None when it never came or the server was going down."""
    try:
        status, content = vezde.request(
            "POST", path, json.dumps(body).encode(), Idempotency_Key=key
        )
    except OSError:
        return None
    assert status in {200, 201, 503}, content
    return json.loads(content) if status != 503 else None


class Customer:
    """One order, paid in part with points; each step is repeated with its own key until answered."""

    def __init__(self, vezde: Installation, member: str, number: int) -> None:
        self.vezde, self.member, self.number = vezde, member, number
        self.quote: Any = None
        self.held: Any = None
        self.paid: Any = None
        self.paid_at = ""

    def go_on(self) -> bool:
        """Take the next step that was not answered yet; whether the order is paid."""
        basket = {"member_id": self.member, "sales_channel": "own_site", "lines": LINES}
        self.quote = self.quote or post(
            self.vezde, "/v1/checkout/quotes", basket, f"q{self.number}"
        )
        if self.quote and not self.held:
            asked = {"quote_id": self.quote["quote_id"], "lines": LINES}
            asked |= {"points": PAID, "ttl_seconds": 3_600}
            self.held = post(self.vezde, "/v1/checkout/holds", asked, f"h{self.number}")
        if self.held and not self.paid:
            path = f"/v1/checkout/holds/{self.held['hold_id']}/commit"
            # The same in a repeat; nobody pays before the hold is there.
            self.paid_at = self.paid_at or datetime.now(UTC).isoformat()
            order = {"order_id": f"order-{self.number}", "paid_at": self.paid_at}
            self.paid = post(self.vezde, path, order, f"c{self.number}")
        return self.paid is not None


def pay(customers: list[Customer], *, meanwhile: Any) -> None:
    """Everybody pays over eight connections; `meanwhile` happens when half of them have."""

    def until_paid(one: Customer) -> None:
        for _ in range(300):
            if one.go_on():
                return
            time.sleep(0.1)
        raise AssertionError("an order was never paid")

    with ThreadPoolExecutor(8) as pool:
        work = [pool.submit(until_paid, one) for one in customers]
        while sum(one.paid is not None for one in customers) < len(customers) // 2:
            assert not any(one.done() and one.exception() for one in work)
            time.sleep(0.005)
        meanwhile()
        for each in work:
            each.result()


def check(vezde: Installation, members: list[str], customers: list[Customer]) -> None:
    """Each order was paid once, as it was answered, and the whole ledger holds."""
    for one in customers:
        order = vezde.call("GET", f"/v1/orders/own_site/order-{one.number}")
        assert order["spent_points"] == one.paid["spent_points"] == PAID
        assert order["earned"] == one.paid["earned"]
    each = len(customers) // len(members)
    for member in members:
        points = vezde.call("GET", f"/v1/members/{member}/points")
        assert points["held"] == 0
        assert points["active"] == SAVED + each * (EARNED - PAID)
        history = vezde.call("GET", f"/v1/members/{member}/history?limit=200")["items"]
        kinds = [entry["kind"] for entry in history]
        assert kinds.count("commit") == kinds.count("accrue") == kinds.count("hold") == each
    assert "All of it holds." in vezde.command("audit")


class TestKillingEverything:
    def test_while_people_pay(self, vezde, members):
        customers = [Customer(vezde, members[n % MEMBERS], n) for n in range(ORDERS)]

        def kill() -> None:
            vezde.kill()
            vezde.start()

        pay(customers, meanwhile=kill)
        check(vezde, members, customers)


class TestKillingPostgreSQL:
    def test_while_people_pay(self, vezde, members):
        customers = [Customer(vezde, members[n % MEMBERS], n) for n in range(ORDERS)]
        pay(customers, meanwhile=vezde.kill_postgres)
        check(vezde, members, customers)
