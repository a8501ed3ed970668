"""Members with lots of points, as many as asked: rows as the product's commands leave them."""

from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

import psycopg
from psycopg import sql

from vezde.kit import postgres

LOTS, LOT_POINTS = 10, 1_000
# Rows as ten accruals of each member would have left them, all active, of ten dates.
FILL = {
    "member": """
INSERT INTO members.member (member_id, status, created_at, created_by, changed_at, changed_by)
SELECT pg_temp.member(n), 'active', %(now)s, 'system', %(now)s, 'system'
FROM generate_series(%(first)s::bigint, %(last)s::bigint) n""",
    "account": """
INSERT INTO ledger.account (member_id, active, pending, held, debt, seq, opened_at, updated_at,
    last_activity_at, next_due_at)
SELECT pg_temp.member(n), %(lots)s::bigint * %(points)s::bigint, 0, 0, 0, %(lots)s, %(now)s,
    %(now)s, %(now)s, %(now)s + interval '31 days'
FROM generate_series(%(first)s::bigint, %(last)s::bigint) n""",
    "entry": """
INSERT INTO ledger.entry (member_id, seq, points, active_after, pending_after, held_after,
    debt_after, occurred_at, recorded_at, kind, op_key, actor, title, proof)
SELECT pg_temp.member(n), lot, %(points)s, lot * %(points)s::bigint, 0, 0, 0, %(now)s, %(now)s,
    'accrue', 'fact:' || pg_temp.member(n * 16 + lot), 'system', 'Покупка: Пятёрочка',
    '{"version": 7, "parts": [[1, "base", 500, 1000]]}'
FROM generate_series(%(first)s::bigint, %(last)s::bigint) n,
    generate_series(1, %(lots)s::int) lot""",
    "op": """
INSERT INTO ledger.op (member_id, op_key, fingerprint, first_seq, n_entries)
SELECT pg_temp.member(n), 'fact:' || pg_temp.member(n * 16 + lot), sha256('x'), lot, 1
FROM generate_series(%(first)s::bigint, %(last)s::bigint) n,
    generate_series(1, %(lots)s::int) lot""",
    "lot": """
INSERT INTO ledger.lot (member_id, seq, points, remaining, active_at, expires_at, use_order,
    activated_seq, open)
SELECT pg_temp.member(n), lot, %(points)s, %(points)s, %(now)s,
    %(now)s + make_interval(days => 30 + lot), %(now)s + make_interval(days => 30 + lot),
    lot, true
FROM generate_series(%(first)s::bigint, %(last)s::bigint) n,
    generate_series(1, %(lots)s::int) lot""",
    "due": """
INSERT INTO ledger.due (due_at, member_id)
SELECT %(now)s + interval '31 days', pg_temp.member(n)
FROM generate_series(%(first)s::bigint, %(last)s::bigint) n""",
}
MEMBER = """
CREATE FUNCTION pg_temp.member(n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT ('01980000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid $$
"""
AT_ONCE = 50_000


def fill(db: psycopg.Connection[Any], members: int, *, now: datetime) -> None:
    """Make members 1 to `members`, ten active lots each, all by the server; `db` is the owner's."""
    db.execute(MEMBER)
    for first in range(1, members + 1, AT_ONCE):
        given = {"first": first, "last": min(first + AT_ONCE - 1, members), "now": now}
        for statement in FILL.values():
            db.execute(statement, {**given, "lots": LOTS, "points": LOT_POINTS})
    for table in FILL:
        db.execute(f"VACUUM (ANALYZE) {'members' if table == 'member' else 'ledger'}.{table}")


# By the key, so that rows and keys come into the server's memory: a scan of the whole table passes
# them through a few of its pages.
READ: LiteralString = "SELECT count({}) FROM {} WHERE member_id > %s"
BY_KEY = "-c enable_seqscan=off -c enable_bitmapscan=off -c max_parallel_workers_per_gather=0"
READS = (
    ("members.member", "status"),
    ("ledger.op", "n_entries"),
    ("ledger.entry", "points"),
    ("ledger.lot", "points"),
    ("ledger.account", "active"),
)


def settle(access: postgres.Access) -> None:
    """As a ledger is that has been in use: what filling wrote is on disk, and what is asked for in
    memory, as far as it goes.
    """
    with psycopg.connect(access.superuser, autocommit=True) as db:
        db.execute("CHECKPOINT")
    with psycopg.connect(access.owner, autocommit=True, options=BY_KEY) as db:
        for table, column in READS:
            names = sql.Identifier(column), sql.Identifier(*table.split("."))
            db.execute(sql.SQL(READ).format(*names), [UUID(int=0)])


def member(number: int) -> UUID:
    return UUID(f"01980000-0000-7000-8000-{number:012x}")
