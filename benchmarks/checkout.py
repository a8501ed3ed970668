"""Paying with points over HTTP: quote, hold and commit at a fixed rate while receipts come in.

    python benchmarks/checkout.py                       # 1,000,000 members with ten lots each
    python benchmarks/checkout.py --members 10000

Starts `vezde serve` in a folder of its own, fills it with members by the server itself, then sends
300 requests a second for a minute: each customer asks for a quote, a second later holds, a second
later commits. Requests leave on time whether or not others were answered (open loop), and a time
runs from when a request was to leave to the last byte of its answer. Beside it a batch of 100
verified receipts is posted each second. Prints a JSON line a figure.
"""

import argparse
import asyncio
import json
import os
import random
import sys
import tempfile
import time
from collections import defaultdict
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import _accounts
import _http
import _machine
import psycopg
import uvloop

import receipts
from vezde.api import names
from vezde.kit import ids, postgres
from vezde.testing.installation import Installation

PROGRAM = {
    "name": "Лунария",
    "timezone": "Europe/Moscow",
    "point_value_kopecks": 100,
    "rounding": "floor",
    "earning": {"default_rate_bp": 500, "channels": {"own_site": {"rate_bp": 500, "hold_days": 0}}},
    "receipts": {"window_days": 30, "per_day": 1_000},
    "sellers": {"own_inns": []},
}
CONNECTIONS = 64  # of the shops, used in turn
PRODUCTS = [
    {"sku": f"LU-{number}", "name": f"Крем LUNARIA {number} мл", "brand": "LUNARIA"}
    for number in range(1, 51)
] + receipts.PRODUCTS


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--members", type=int, default=1_000_000)
    options.add_argument("--rate", type=int, default=300, help="requests a second")
    options.add_argument("--seconds", type=int, default=60)
    options.add_argument("--faces", type=int, default=2, help="processes that answer HTTP")
    options.add_argument("--receipts", type=int, default=100, help="a second, beside it; 0: none")
    chosen = options.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="vezde-bench-") as folder,
        Installation(
            Path(folder) / "var", VEZDE_WORKERS="1", VEZDE_FACES=str(chosen.faces)
        ) as server,
    ):
        server.make_key("benchmark")
        server.call("PUT", "/v1/program", {"document": PROGRAM})
        server.call("PUT", "/v1/catalog/products", {"items": PRODUCTS, "mode": "merge"})
        with (
            postgres.attach_or_start(server.folder) as access,
            psycopg.connect(access.owner, autocommit=True) as db,
        ):
            _accounts.fill(db, chosen.members, now=datetime.now(UTC) - timedelta(days=1))
            _accounts.settle(access)
        uvloop.run(Shop(server, chosen).open())


class Shop:
    """The shops' side: what was sent, how long it took, what came back."""

    def __init__(self, server: Installation, chosen: argparse.Namespace) -> None:
        self.server = server
        self.chosen = chosen
        self.took: dict[str, list[float]] = defaultdict(list)
        self.refused: dict[str, int] = defaultdict(int)
        self.late: list[float] = []
        self.committed: list[tuple[str, str]] = []
        self.receipts = 0

    async def open(self) -> None:
        headers = {"Authorization": f"Bearer {self.server.key}"}
        port = self.server.port
        async with _http.Client(port, headers, connections=CONNECTIONS) as self.http:
            bodies = self.bodies()
            await self.customers(50, seconds=6)  # caches, first plans
            await self.customers(self.chosen.rate, seconds=9)  # connections, plans of each
            self.took.clear()
            self.late.clear()
            before, began = _machine.cpu(self.server), time.perf_counter()
            receipts = asyncio.create_task(self.batches(bodies))
            await self.customers(self.chosen.rate, seconds=self.chosen.seconds)
            receipts.cancel()
            with suppress(asyncio.CancelledError):
                await receipts
            seconds = time.perf_counter() - began
            after = _machine.cpu(self.server)
            self.report({kind: after[kind] - before[kind] for kind in after}, seconds)
            await self.look()

    async def customers(self, rate: int, *, seconds: int) -> None:
        """Customers at a fixed rate, three requests each."""
        start = time.perf_counter() + 0.1
        async with asyncio.TaskGroup() as group:
            for number in range(rate * seconds // 3):
                at = start + number * 3 / rate
                await asyncio.sleep(max(at - time.perf_counter(), 0))
                group.create_task(self.customer(at))

    async def customer(self, at: float) -> None:
        member = names.member(_accounts.member(random.randint(1, self.chosen.members)))
        lines = [
            {
                "sku": f"LU-{random.randint(1, 50)}",
                "quantity": random.randint(1, 2),
                "price_kopecks": random.randrange(20_000, 200_000),
            }
            for _ in range(3)
        ]
        basket = {"member_id": member, "sales_channel": "own_site", "lines": lines}
        quote = await self.post("quote", "/v1/checkout/quotes", basket, at)
        if quote is None:
            return
        asked = {
            "quote_id": quote["quote_id"],
            "lines": lines,
            "points": min(quote["max_points"], random.randint(1, 500)),
            "ttl_seconds": 900,
        }
        held = await self.post("hold", "/v1/checkout/holds", asked, at + 1)
        if held is None:
            return
        order = {"order_id": str(ids.new()), "paid_at": datetime.now(UTC).isoformat()}
        path = f"/v1/checkout/holds/{held['hold_id']}/commit"
        if await self.post("commit", path, order, at + 2) is not None:
            self.committed.append((order["order_id"], member))

    async def post(self, kind: str, path: str, body: Any, at: float) -> Any:
        await asyncio.sleep(max(at - time.perf_counter(), 0))
        self.late.append(time.perf_counter() - at)
        status, content = await self.http.post(path, body, str(ids.new()))
        self.took[kind].append(time.perf_counter() - at)
        if status >= 300:
            self.refused[f"{kind} {status} {json.loads(content).get('code')}"] += 1
            return None
        return json.loads(content)

    def bodies(self) -> list[bytes]:
        """Batches of receipts for each second, of some members."""
        some = random.sample(range(1, self.chosen.members + 1), 500)
        return receipts.batches(
            [names.member(_accounts.member(number)) for number in some],
            count=self.chosen.receipts * self.chosen.seconds,
            size=max(self.chosen.receipts, 1),
            first=0,
        )

    async def batches(self, bodies: list[bytes]) -> None:
        """A batch of receipts each second, over a connection of its own."""
        start = time.perf_counter()
        for number, body in enumerate(bodies):
            await asyncio.sleep(max(start + number - time.perf_counter(), 0))
            _, content = await self.http.send(
                "POST", "/v1/receipts/batch", body, content_type="application/x-ndjson"
            )
            told = [json.loads(one) for one in content.splitlines()]
            self.receipts += sum(one.get("status") == "accepted" for one in told)

    def report(self, spent: dict[str, float], seconds: float) -> None:
        facts = {
            "members": self.chosen.members,
            "rate": self.chosen.rate,
            "faces": self.chosen.faces,
            "seconds": round(seconds, 1),
            "receipts_a_second": round(self.receipts / seconds, 1),
            "cores": os.cpu_count(),
        }
        for kind, took in self.took.items():
            took.sort()
            told = {f"p{part}_ms": round(at(took, part) * 1e3, 1) for part in (50, 95, 99)}
            print(json.dumps({"figure": kind, **told, "requests": len(took), **facts}))
        late = round(at(sorted(self.late), 95) * 1e3, 1)
        print(json.dumps({"figure": "errors", "value": sum(self.refused.values()), **self.refused}))
        busy = round(sum(spent.values()) / seconds, 2)
        cpu = {kind: round(one / seconds, 2) for kind, one in spent.items()}
        print(
            json.dumps(
                {"figure": "cores busy", "value": busy, **cpu, "generator_late_p95_ms": late}
            )
        )

    async def look(self) -> None:
        """What was committed is to be seen."""
        seen = 0
        chosen = random.sample(self.committed, min(100, len(self.committed)))
        for order_id, _member in chosen:
            status, content = await self.http.send("GET", f"/v1/orders/own_site/{order_id}")
            seen += status == 200 and json.loads(content)["spent_points"] > 0
        print(json.dumps({"figure": "orders to be seen by GET", "value": f"{seen}/{len(chosen)}"}))
        if seen != len(chosen):
            sys.exit("committed orders are missing")


def at(took: list[float], percent: int) -> float:
    return took[min(len(took) * percent // 100, len(took) - 1)]


if __name__ == "__main__":
    main()
