"""Points given, spent and read, with as many accounts as a national programme has.

    python benchmarks/ledger.py                      # 1,000,000 members, 10 lots each
    python benchmarks/ledger.py --members 10000      # a minute

Runs the embedded PostgreSQL at its default durability in a folder of its own, fills the ledger by
the server itself (rows as commands would have left them; the audit at the end goes through a part
of them), then two processes call the product's operations. A JSON line a figure; `client_cpu` is
how many cores they took, the server has the rest of the machine.

After a checkpoint each page is logged whole when it is first written, one of 15 minutes or so. The
ledger is used for a minute before the clock runs, as most minutes are later ones; what the first
seconds were like is printed, too.
"""

import argparse
import asyncio
import json
import os
import random
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Any, LiteralString
from uuid import UUID

import _accounts
import psycopg
import uvloop

from vezde.kit import ids, migrate, postgres, share
from vezde.kit.db import Database
from vezde.kit.vault import Vault
from vezde.ledger import operations, queries
from vezde.ledger.model import Accrual, Part, Redemption
from vezde.ledger.operations import auditing

NOW = datetime(2026, 11, 18, 9, tzinfo=UTC)
CLIENTS = 2
ROW: LiteralString = "INSERT INTO ledger.row_of_bench (id, said) VALUES (%s, %s)"
SIZES = """
SELECT c.relname, pg_total_relation_size(c.oid) FROM pg_class c
WHERE c.relnamespace = 'ledger'::regnamespace AND c.relkind = 'r'
"""


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--members", type=int, default=1_000_000)
    options.add_argument("--small", type=int, default=10_000, help="what times are compared with")
    options.add_argument("--seconds", type=float, default=15, help="of each figure")
    options.add_argument("--warm", type=float, default=60, help="seconds of use before the first")
    chosen = options.parse_args()
    figures = []
    for members in sorted({chosen.small, chosen.members}):
        with filled(members) as where:
            found = []
            for one in measured(where, members, chosen.seconds, chosen.warm):
                tell(one, members)
                found.append(one)
            tell(asyncio.run(after(where, members)), members)
        figures.append(found)
    for small, large in zip(figures[0], figures[-1], strict=True):
        if small is not large and "per_second" in small:
            ratio = round(large["per_second"] / small["per_second"], 2)
            named = f"{small['figure']}, against {chosen.small} members"
            tell({"figure": named, "ratio": ratio}, chosen.members)


@contextmanager
def filled(members: int) -> Iterator[str]:
    """The application's conninfo of a ledger with so many members."""
    with (
        tempfile.TemporaryDirectory(prefix="vezde-bench-") as folder,
        postgres.embedded(Path(folder)) as running,
    ):
        migrate.apply(running.owner, share.folder("migrations"), app_login="vezde_app", now=NOW)
        began = time.perf_counter()
        with psycopg.connect(running.owner, autocommit=True) as db:
            _accounts.fill(db, members, now=NOW)
            sizes = dict(db.execute(SIZES).fetchall())
            db.execute("CREATE TABLE ledger.row_of_bench (id uuid PRIMARY KEY, said jsonb)")
            db.execute("GRANT INSERT ON ledger.row_of_bench TO vezde_app")
        _accounts.settle(running)
        tell(
            {
                "figure": "bytes on disk a member with ten lots",
                "value": round(sum(sizes.values()) / members),
                "a_lot": round(sum(sizes.values()) / members / _accounts.LOTS),
                "filled_in_seconds": round(time.perf_counter() - began),
            },
            members,
        )
        yield running.app


PLANS_SECONDS = 3
FIRST = "accruals, one a transaction, from a checkpoint on"
USED = "used before the clock runs: accruals and redemptions in turn"
# Figure, connections in all, movements or balances a call, what is called.
FIGURES = (
    ("a row and nothing else, one a transaction", 8, 1, "row"),
    ("accruals, one a transaction", 8, 1, "accrue"),
    ("redemptions, one a transaction", 8, 1, "redeem"),
    ("accruals, 100 pipelined", 4, 100, "accrue_many"),
    ("balances, 100 a read", 4, 100, "balances"),
    ("balances, one a read", 8, 1, "balance"),
)


def measured(where: str, members: int, seconds: float, warm: float) -> Iterator[dict[str, Any]]:
    """Each figure, its connections shared by two processes: a client's Python fills a core."""
    with ProcessPoolExecutor(CLIENTS, mp_context=get_context("spawn")) as clients:
        for figure, connections, each, call, lasts in (
            (FIRST, 8, 1, "accrue", seconds),
            (USED, 8, 1, "use", warm),
            *((*figure, seconds) for figure in FIGURES),
        ):
            asked = (where, members, lasts, call, connections // CLIENTS)
            shares = [clients.submit(load, *asked) for _ in range(CLIENTS)]
            took = sorted(one for share in shares for one in share.result()[0])
            yield {
                "figure": figure,
                "per_second": round(len(took) * each / lasts),
                "connections": connections,
                "p50_ms": round(took[len(took) // 2] * 1e3, 2),
                "p95_ms": round(took[len(took) * 95 // 100] * 1e3, 2),
                "p99_ms": round(took[len(took) * 99 // 100] * 1e3, 2),
                "client_cpu": round(sum(share.result()[1] for share in shares) / lasts, 2),
            }


def load(
    where: str, members: int, seconds: float, call: str, connections: int
) -> tuple[list[float], float]:
    """One client process, its loop the product's: the seconds of each call, CPU seconds of all."""
    return uvloop.run(Bench(where, members).load(seconds, call, connections))


async def after(where: str, members: int) -> dict[str, Any]:
    """What was measured is audited; what a movement takes on disk."""
    async with Database(where, size=2) as db:
        bench = Bench(where, members)
        bench.db = db
        await bench.audit()
        return await bench.movement()


class Bench:
    """Calls of the product's operations, over a pool of its own."""

    db: Database

    def __init__(self, where: str, members: int) -> None:
        self.where = where
        self.members = members

    async def load(self, seconds: float, call: str, connections: int) -> tuple[list[float], float]:
        once: Callable[[], Coroutine[Any, Any, None]] = getattr(self, call)
        async with Database(self.where, size=connections, planned_once=True) as self.db:
            await _repeated(once, connections, PLANS_SECONDS)
            cpu = time.process_time()
            took = await _repeated(once, connections, seconds)
            return took, time.process_time() - cpu

    def somebody(self) -> UUID:
        return _accounts.member(random.randint(1, self.members))

    # A command of the ledger is one statement, which is a transaction by itself.

    async def row(self) -> None:
        """What the cheapest durable command costs here, to compare the others with."""
        async with self.db.glance() as tx:
            await tx.execute(ROW, [ids.new(), '{"points": 41}'])

    async def accrue(self) -> None:
        async with self.db.glance() as tx:
            await operations.accrue(tx, [accrual(self.somebody())], now=NOW, actor="system")

    async def accrue_many(self) -> None:
        async with self.db.transaction(pipeline=True) as tx:
            given = [accrual(self.somebody()) for _ in range(100)]
            await operations.accrue(tx, given, now=NOW, actor="system")

    async def redeem(self) -> None:
        async with self.db.glance() as tx:
            await operations.redeem(tx, redemption(self.somebody()), now=NOW, actor="system")

    async def use(self) -> None:
        await self.accrue()
        await self.redeem()

    async def balance(self) -> None:
        async with self.db.glance() as tx:
            await queries.points(tx, self.somebody(), as_of=NOW)

    async def balances(self) -> None:
        async with self.db.glance() as tx:
            await queries.points_of(tx, [self.somebody() for _ in range(100)], as_of=NOW)

    async def movement(self) -> dict[str, Any]:
        """What an accrual and a redemption grow the ledger by, indexes included."""
        before = await self.sizes()
        for _ in range(20):
            await self.accrue_many()
        between = await self.sizes()
        for _ in range(2_000):
            await self.redeem()
        after = await self.sizes()
        return {
            "figure": "bytes on disk a movement",
            "accrual": round((between - before) / 2_000),
            "redemption": round((after - between) / 2_000),
        }

    async def sizes(self) -> int:
        async with self.db.transaction() as tx:
            return sum(dict(await (await tx.execute(SIZES)).fetchall()).values())

    async def audit(self) -> None:
        """Some accounts are gone through: what was measured must also be right."""
        vault = Vault(bytes(32))
        after, wrong, accounts = None, 0, 0
        while accounts < 2_000:
            async with self.db.transaction() as tx:
                part = await auditing.read_slice(tx, after)
            wrong += len(auditing.examine(part, lambda text: vault.blind(text, purpose="seal")))
            accounts, after = accounts + len(part.accounts), part.walked_to
            if after is None:
                break
        if wrong:
            raise SystemExit(f"{wrong} violations in {accounts} accounts")


async def _repeated(
    once: Callable[[], Coroutine[Any, Any, None]], connections: int, seconds: float
) -> list[float]:
    """One call after the other by each connection; the seconds of each."""
    took: list[float] = []
    ends = time.perf_counter() + seconds

    async def worker() -> None:
        while (started := time.perf_counter()) < ends:
            await once()
            took.append(time.perf_counter() - started)

    await asyncio.gather(*(worker() for _ in range(connections)))
    return took


def accrual(member_id: UUID) -> Accrual:
    parts = tuple(Part(line, "base", 500, 12 + line) for line in (1, 2, 3))
    return Accrual(
        member_id=member_id,
        op_key=f"fact:{ids.new()}",
        points=sum(part.points for part in parts),
        active_at=NOW + timedelta(days=random.choice((0, 14))),
        expires_at=NOW + timedelta(days=365),
        occurred_at=NOW - timedelta(days=3),
        parts=parts,
        proof={"purchase_id": str(ids.new()), "program_version": 7},
        title="Покупка: Пятёрочка",
    )


def redemption(member_id: UUID) -> Redemption:
    return Redemption(
        member_id=member_id,
        op_key=f"order:{ids.new()}",
        points=random.choice((1, 20, 150)),
        occurred_at=NOW,
        title="Оплата заказа",
        proof={"order": str(ids.new())},
    )


def tell(figure: dict[str, Any], members: int) -> None:
    facts = {
        "members": members,
        "lots_each": _accounts.LOTS,
        "cores": os.cpu_count(),
        "durability": "default",
    }
    print(json.dumps({**figure, **facts}, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main()
