"""How fast points are accrued: one transaction each over 8 connections, and pipelined by 100.

    python benchmarks/ledger_accrue.py --server "host=127.0.0.1 user=postgres dbname=postgres"

Prints a JSON line a figure. A database is made on the server and dropped again. Everything goes
through the product's pool and operations; each accrual has three parts and a short proof, half of
them stay pending for two weeks. `fsync` is in every line: with it off single calls mean nothing
for a real disk.
"""

import argparse
import asyncio
import json
import os
import random
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
from psycopg import conninfo, sql

from vezde.kit import ids, migrate, share
from vezde.kit.db import Database
from vezde.ledger import operations, queries
from vezde.ledger.model import Accrual, Part

NOW = datetime(2026, 11, 18, 9, tzinfo=UTC)
MEMBERS = 20_000
SIZES = """
SELECT c.relname, pg_total_relation_size(c.oid) FROM pg_class c
WHERE c.relnamespace = 'ledger'::regnamespace AND c.relkind = 'r'
"""


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--server", default=os.environ.get("VEZDE_TEST_SERVER"))
    options.add_argument("--singles", type=int, default=12_000)
    options.add_argument("--batches", type=int, default=300)
    chosen = options.parse_args()
    if not chosen.server:
        options.error("name a server: --server CONNINFO or VEZDE_TEST_SERVER")
    with database(chosen.server) as (where, facts):
        asyncio.run(measure(where, facts, chosen.singles, chosen.batches))


@contextmanager
def database(server: str) -> Iterator[tuple[str, dict[str, Any]]]:
    name = f"vezde_bench_{uuid4().hex[:8]}"
    with psycopg.connect(server, autocommit=True) as admin:
        login = admin.info.user
        facts = {
            "postgres": admin.info.parameter_status("server_version"),
            "fsync": admin.execute("SHOW fsync").fetchone()[0],
            "synchronous_commit": admin.execute("SHOW synchronous_commit").fetchone()[0],
            "cores": os.cpu_count(),
        }
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        where = conninfo.make_conninfo(server, dbname=name)
        try:
            migrate.apply(where, share.folder("migrations"), app_login=login, now=NOW)
            yield where, facts
        finally:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


async def measure(where: str, facts: dict[str, Any], singles: int, batches: int) -> None:
    async with Database(where, size=8) as db:
        members = [ids.new() for _ in range(MEMBERS)]
        async with db.transaction() as tx:
            await operations.open_accounts(tx, members, now=NOW)

        async def batch(size: int, *, pipeline: bool) -> None:
            accruals = [accrual(random.choice(members)) for _ in range(size)]
            async with db.transaction(pipeline=pipeline) as tx:
                await operations.accrue(tx, accruals, now=NOW, actor="system")

        async def balance() -> None:
            async with db.transaction() as tx:
                await queries.points(tx, random.choice(members), as_of=NOW)

        before = await sizes(db)
        tell(
            facts,
            "accrue, 1 a transaction",
            1,
            8,
            await run(singles, 8, lambda: batch(1, pipeline=False)),
        )
        for connections in (1, 2):
            tell(
                facts,
                "accrue, pipelined 100",
                100,
                connections,
                await run(batches, connections, lambda: batch(100, pipeline=True)),
            )
        tell(
            facts,
            "accrue, 100 without a pipeline around",
            100,
            1,
            await run(batches, 1, lambda: batch(100, pipeline=False)),
        )
        tell(facts, "points", 1, 8, await run(singles, 8, balance))
        made = singles + 3 * 100 * batches
        grown = {table: size - before[table] for table, size in (await sizes(db)).items()}
        print(
            json.dumps(
                {
                    "figure": "bytes an accrual, indexes included",
                    "bytes": round(sum(grown.values()) / made),
                    "by_table": {
                        table: round(size / made) for table, size in grown.items() if size
                    },
                    "accruals": made,
                    **facts,
                }
            )
        )


def accrual(member_id: UUID) -> Accrual:
    purchase = ids.new()
    parts = tuple(Part(line, "base", 500, 12 + line) for line in (1, 2, 3))
    return Accrual(
        member_id=member_id,
        op_key=f"purchase:{purchase}",
        points=sum(part.points for part in parts),
        active_at=NOW + timedelta(days=random.choice((0, 14))),
        expires_at=NOW + timedelta(days=365),
        occurred_at=NOW - timedelta(days=3),
        parts=parts,
        proof={"purchase_id": str(purchase), "program_version": 7},
        title="Покупка",
    )


async def run(
    times: int, connections: int, once: Callable[[], Coroutine[Any, Any, None]]
) -> tuple[float, list[float]]:
    """Seconds in all, and the seconds of each call, sorted."""
    left = iter(range(times))
    took: list[float] = []

    async def worker() -> None:
        for _ in left:
            started = time.perf_counter()
            await once()
            took.append(time.perf_counter() - started)

    started = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(connections)))
    return time.perf_counter() - started, sorted(took)


def tell(
    facts: dict[str, Any],
    figure: str,
    each: int,
    connections: int,
    measured: tuple[float, list[float]],
) -> None:
    seconds, took = measured
    print(
        json.dumps(
            {
                "figure": figure,
                "connections": connections,
                "per_second": round(len(took) * each / seconds),
                "p50_ms": round(took[len(took) // 2] * 1000, 2),
                "p99_ms": round(took[len(took) * 99 // 100] * 1000, 2),
                **facts,
            },
            ensure_ascii=False,
        ),
        flush=True,
    )


async def sizes(db: Database) -> dict[str, int]:
    async with db.transaction() as tx:
        return dict(await (await tx.execute(SIZES)).fetchall())


if __name__ == "__main__":
    main()
