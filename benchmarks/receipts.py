"""Receipts a second, end to end: verified documents through `/v1/receipts/batch` to visible points.

    python benchmarks/receipts.py
    python benchmarks/receipts.py --receipts 200000 --seconds 0     # is memory flat?

Starts `vezde serve` in a folder of its own (embedded PostgreSQL at its default durability), enrols
members, sends batches over several connections, reads every answer, then sees the points by GET.
The clock runs from the first byte sent to the last answer read; making the batches is not in it.
Then single verified receipts at a fixed rate for a minute: how soon each is answered, and how soon
the points of every tenth are seen by GET.
Prints a JSON line a figure; CPU seconds are those of each kind of process while the clock ran.
"""

import argparse
import http.client
import json
import os
import random
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import _machine
import _singles
import psycopg

from vezde.api import names
from vezde.kit import postgres
from vezde.testing import people
from vezde.testing.installation import Installation
from vezde.testing.receipts import (
    CORNER_SHOP,
    OZON,
    PYATEROCHKA,
    WILDBERRIES,
    line,
    receipt,
    render,
)

SHOPS = (PYATEROCHKA, WILDBERRIES, OZON, CORNER_SHOP)
OURS = ("Крем д/лица LUNARIA 50мл", "LUNARIA Маска для волос 100 мл", "Тоник Лунария 200мл")
OTHERS = ("Хлеб бородинский", "Молоко 3,2% 930мл", "Пакет-майка", "Шоколад молочный 90г")
PROGRAM = {
    "timezone": "Europe/Moscow",
    "point_value_kopecks": 100,
    "rounding": "floor",
    "earning": {
        "default_rate_bp": 500,
        "channels": {
            "ozon": {"rate_bp": 500, "hold_days": 14},
            "wildberries": {"rate_bp": 500, "hold_days": 14},
            "chain": {"rate_bp": 1000, "hold_days": 0},
        },
        "points_per_day": 50_000,
    },
    "receipts": {"window_days": 30, "per_day": 1_000},
    "sellers": {"own_inns": []},
}
LOOKING = {"quarantine_at": 10_000, "pack_seen": {"score": 0}}
PRODUCTS = [
    {"sku": "CREAM-50", "name": "Крем для лица LUNARIA 50 мл", "brand": "LUNARIA", "size": "50 мл"},
    {"sku": "MASK", "name": "Маска для волос LUNARIA 100 мл", "brand": "LUNARIA", "size": "100 мл"},
    {"sku": "TONIC", "name": "Тоник LUNARIA 200 мл", "brand": "LUNARIA", "size": "200 мл"},
]


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--receipts", type=int, default=30_000)
    options.add_argument("--batch", type=int, default=500)
    options.add_argument("--clients", type=int, default=4)
    options.add_argument("--members", type=int, default=50_000)
    options.add_argument("--workers", type=int, default=2)
    options.add_argument("--signals", action="store_true", help="look at every receipt, hold none")
    options.add_argument("--rate", type=float, default=100, help="single receipts a second")
    options.add_argument("--seconds", type=int, default=60, help="of single receipts; 0: none")
    chosen = options.parse_args()
    with serving(chosen.workers) as server:
        server.prepare(PROGRAM | ({"signals": LOOKING} if chosen.signals else {}))
        ids = server.enrol(chosen.members)
        warm = batches(ids, count=2_000, size=chosen.batch, first=10_000_000)
        run(server, warm, chosen.clients)
        bodies = batches(ids, count=chosen.receipts, size=chosen.batch, first=0)
        before, held = _machine.cpu(server), bytes_on_disk(server)
        with _machine.watching(server) as memory:
            began = time.perf_counter()
            answers = run(server, bodies, chosen.clients)
            seconds = time.perf_counter() - began
        report(server, chosen, ids, answers, seconds, before)
        grown = (bytes_on_disk(server) - held) / len(answers)
        say("bytes_on_disk_per_receipt", round(grown), receipts=len(answers))
        share, facts = _machine.growth(memory)
        say("receipts_memory_last_to_second", round(share, 3), **facts)
        if chosen.seconds:
            singles(server, chosen, ids)


def singles(server: "Server", chosen: argparse.Namespace, ids: list[str]) -> None:
    count = int(chosen.rate * chosen.seconds)
    warm, posted = 300, _singles.Singles(server)
    made = papers(ids, count=count + warm, first=30_000_000)
    _singles.Singles(server).run(made[:warm], chosen.rate)
    before, began = _machine.cpu(server), time.perf_counter()
    posted.run(made[warm:], chosen.rate)
    seconds, after = time.perf_counter() - began, _machine.cpu(server)
    facts = {"rate": chosen.rate, "posts": count, "cores": os.cpu_count(), **posted.refused}
    for figure, took in (("answered", posted.answered), ("visible", posted.visible)):
        took.sort()
        parts = {f"p{part}_ms": at(took, part) for part in (50, 95)}
        say(f"single_receipt_{figure}_p99_ms", at(took, 99), **parts, seen=len(took), **facts)
    busy = {kind: round((after[kind] - before[kind]) / seconds, 2) for kind in after}
    late = at(sorted(posted.late), 95)
    say("single_receipts_cores_busy", sum(busy.values()), **busy, generator_late_p95_ms=late)


def at(took: list[float], percent: int) -> float:
    """Milliseconds below which so many of a hundred are."""
    return round(1e3 * took[min(len(took) * percent // 100, len(took) - 1)], 1) if took else 0.0


def bytes_on_disk(server: "Server") -> int:
    """The database's files, without the log."""
    with (
        postgres.attach_or_start(server.folder) as access,
        psycopg.connect(access.owner, autocommit=True) as db,
    ):
        (size,) = db.execute("SELECT pg_database_size(current_database())").fetchone() or (0,)
        return int(size)


def say(figure: str, value: float, **facts: Any) -> None:
    print(json.dumps({"figure": figure, "value": value, **facts}, ensure_ascii=False), flush=True)


class Server(Installation):
    """An installation with members and a programme."""

    def prepare(self, program: dict[str, Any]) -> None:
        """A key, a programme, a catalogue."""
        self.make_key("benchmark")
        self.call("PUT", "/v1/program", {"document": program})
        self.call("PUT", "/v1/catalog/products", {"items": PRODUCTS, "mode": "merge"})

    def enrol(self, count: int) -> list[str]:
        """Enrol by batches of receipts of other goods, which earn nothing; the members' ids."""
        ids: list[str] = []
        today = datetime.now() - timedelta(hours=3)  # noqa: DTZ005 -- a till's wall time
        for start in range(0, count, 1_000):
            lines = [
                {
                    "phone": people.phone(number),
                    "enrol": True,
                    "document": render(
                        receipt(20_000_000 + number, lines=[line("Пакет", 500)], at=today)
                    ),
                }
                for number in range(start, min(start + 1_000, count))
            ]
            told = run(self, [ndjson(lines)], 1)
            ids += [names.member(names.receipt_ids(one["id"])[0]) for one in told]
        return ids


@contextmanager
def serving(workers: int) -> Iterator[Server]:
    """`vezde serve` as an installation would run it, stopped and removed at the end."""
    with (
        tempfile.TemporaryDirectory(prefix="vezde-bench-") as folder,
        Server(Path(folder) / "var", VEZDE_WORKERS=str(workers)) as server,
    ):
        yield server


def batches(ids: list[str], *, count: int, size: int, first: int) -> list[bytes]:
    """Bodies of `size` lines."""
    return [
        ndjson(papers(ids, count=min(size, first + count - start), first=start))
        for start in range(first, first + count, size)
    ]


def papers(ids: list[str], *, count: int, first: int) -> list[dict[str, Any]]:
    """Three lines a receipt, one of the brand's; four kinds of shops."""
    chance = random.Random(first)
    today = datetime.now() - timedelta(hours=3)  # noqa: DTZ005 -- a till's wall time
    made = []
    for number in range(first, first + count):
        goods = [
            line(chance.choice(OURS), chance.randrange(20_000, 300_000)),
            line(chance.choice(OTHERS), chance.randrange(1_000, 30_000)),
            line(f"Товар {chance.randrange(2_000)}", chance.randrange(1_000, 30_000)),
        ]
        paper = receipt(
            number,
            lines=goods,
            seller=chance.choice(SHOPS),
            at=today - timedelta(minutes=chance.randrange(60 * 24 * 20)),
        )
        made.append({"member_id": chance.choice(ids), "document": render(paper)})
    return made


def ndjson(lines: list[dict[str, Any]]) -> bytes:
    return b"\n".join(json.dumps(one, ensure_ascii=False).encode() for one in lines)


def run(server: Server, bodies: list[bytes], clients: int) -> list[dict[str, Any]]:
    """Send all bodies over `clients` connections; every answered line."""
    waiting = list(reversed(bodies))
    answered: list[bytes] = []
    failures: list[str] = []
    lock = threading.Lock()

    def client() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=300)
        headers = {"Authorization": f"Bearer {server.key}", "Content-Type": "application/x-ndjson"}
        while True:
            with lock:
                if not waiting or failures:
                    break
                body = waiting.pop()
            connection.request("POST", "/v1/receipts/batch", body, headers)
            answer = connection.getresponse()
            content = answer.read()
            with lock:
                if answer.status != 200:
                    failures.append(f"{answer.status} {content[:300]!r}")
                answered.append(content)
        connection.close()

    threads = [threading.Thread(target=client) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise SystemExit(failures[0])
    return [json.loads(one) for content in answered for one in content.splitlines()]


def report(
    server: Server,
    chosen: argparse.Namespace,
    ids: list[str],
    answers: list[dict[str, Any]],
    seconds: float,
    before: dict[str, float],
) -> None:
    after = _machine.cpu(server)
    accepted = [one for one in answers if one.get("status") == "accepted"]
    paid = sum(one["points"]["pending"] + one["points"]["active"] for one in accepted)
    visible = seen = 0
    for member_id in random.Random(1).sample(ids, 50):
        points = server.call("GET", f"/v1/members/{member_id}/points")
        visible += points["active"] + points["pending"] > 0
        seen += 1
    say(
        "receipts_per_second",
        round(len(answers) / seconds, 1),
        accepted=len(accepted),
        errors=sum("error" in one for one in answers),
        points=paid,
        members_with_visible_points=f"{visible}/{seen}",
        receipts=len(answers),
        batch=chosen.batch,
        clients=chosen.clients,
        workers=chosen.workers,
        cores=os.cpu_count(),
    )
    spent = {kind: after[kind] - before[kind] for kind in after}
    say(
        "cpu_ms_per_receipt",
        round(1e3 * sum(spent.values()) / len(answers), 3),
        **{kind: round(1e3 * one / len(answers), 3) for kind, one in spent.items()},
        seconds=round(seconds, 2),
    )


if __name__ == "__main__":
    main()
