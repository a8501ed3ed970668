"""Every SQL statement: parsed, planned and permitted on the migrated database, and of its owner."""

import ast
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import psycopg
import pytest

from architecture.reading import (
    IS_SQL,
    MIGRATIONS,
    ROOT,
    Source,
    Statement,
    called,
    functions,
    imported,
    migrations,
    module_constants,
    sources,
    statements,
    told,
    without_comments,
)
from conftest import TestDatabase

# Statement -> why it is not prepared.
NOT_PREPARED: Mapping[str, str] = {
    "vezde.kit.migrate.JOURNAL": "two DDL statements, sent as one simple query",
}
# Statement -> why the application's login may not run it; prepared as the owner.
OF_THE_OWNER: Mapping[str, str] = {
    "vezde.kit.migrate.REMEMBER": "only the owner migrates",
}
# Function -> why its SQL is composed where it runs.
COMPOSED: Mapping[str, str] = {
    "vezde.kit.emptying._empty": "TRUNCATE of the tables that are found",
    "vezde.kit.postgres._with_logins": "CREATE ROLE and CREATE DATABASE take no parameters",
}

# Rows come and go by the thousand, and at a quiet moment there is none.
QUEUES = (
    "bot.event",
    "messaging.queue",
    "outbox.retry",
    "outbox.todo",
    "receipts.verification",
)
# Statement -> why it may read a queue from its beginning.
READ_WHOLE: Mapping[str, str] = {
    "vezde.bot.inbox.DROP_CHAT": "of all bots, which are few",
    "vezde.bot.inbox.DROP_TURNS": "a daily sweep",
    "vezde.bot.inbox.NOBODYS": "a daily sweep",
    "vezde.messaging.operations.keeping.BACK[0]": "undoes a merge, by hand",
    "vezde.messaging.operations.keeping.LOCK_MOVED": "undoes a merge, by hand",
    "vezde.messaging.queries.BACKLOG": "counts it, for the metrics",
    "vezde.messaging.queries.BY_STATE": "counts it, when a person asks",
    "vezde.outbox.queries.BACKLOG": "counts it, for the metrics",
    "vezde.receipts.queries.QUEUES": "counts it, for the metrics",
}
# Indexes of what has failed for the last time, which is little.
OF_FAILURES = frozenset({"event_parked", "retry_parked", "verification_parked"})
INDEX_COLUMNS = """
SELECT index.relname, array_agg(attribute.attname ORDER BY attribute.attnum)
FROM pg_index
JOIN pg_class AS index ON index.oid = pg_index.indexrelid
JOIN pg_attribute AS attribute ON attribute.attrelid = pg_index.indexrelid
GROUP BY index.relname
"""
PLACEHOLDER = re.compile(r"%%|%[sbt]|%\((\w+)\)[sbt]")
PLANNED = re.compile(r"\s*(?:--[^\n]*\s+)*(?:SELECT|INSERT|UPDATE|DELETE|WITH|VALUES|MERGE)\b")

CLOCKS = re.compile(
    r"\b(?:now|clock_timestamp|statement_timestamp|transaction_timestamp|timeofday)\s*\("
    r"|\b(?:current_timestamp|current_date|current_time|localtimestamp|localtime)\b"
    r"|'(?:now|today|tomorrow|yesterday)'",
    re.IGNORECASE,
)
CASE_FOLDING = re.compile(r"\b(?:lower|upper|initcap)\s*\(|\bilike\b|~~\*|!?~\*", re.IGNORECASE)
NOT_HERE = re.compile(
    r"\bcreate\s+(?:extension|sequence|(?:constraint\s+|event\s+)?trigger|rule)\b"
    r"|\b(?:small|big)?serial\b|\bgenerated\s+(?:always|by\s+default)\s+as\s+identity\b",
    re.IGNORECASE,
)


@pytest.fixture(scope="module")
def application(shared_copy: TestDatabase) -> Iterator[psycopg.Connection]:
    yield from _connected(shared_copy.app)


@pytest.fixture(scope="module")
def owner(shared_copy: TestDatabase) -> Iterator[psycopg.Connection]:
    yield from _connected(shared_copy.owner)


def _connected(conninfo: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(conninfo, autocommit=True) as db:
        # One plan for any parameters: PostgreSQL plans and checks rights without values.
        db.execute("SET plan_cache_mode = force_generic_plan")
        yield db


class TestStatements:
    def test_are_found(self) -> None:
        modules, failed = imported()
        assert not failed, told(
            [f"{name} cannot be imported: {why}" for name, why in failed.items()]
        )
        assert len(modules) > 50
        assert len(statements()) > 50

    def test_run_as_the_application(self, application: psycopg.Connection) -> None:
        skipped = {*NOT_PREPARED, *OF_THE_OWNER}
        faults = [
            f"{statement.where}: {fault}"
            for statement in statements()
            if statement.name not in skipped and (fault := _fault(application, statement))
        ]
        assert not faults, told(faults)

    def test_of_the_owner_run_as_the_owner(
        self, application: psycopg.Connection, owner: psycopg.Connection
    ) -> None:
        of_owner = [one for one in statements() if one.name in OF_THE_OWNER]
        assert [one.name for one in of_owner if _fault(owner, one)] == []
        needless = [one.name for one in of_owner if not _fault(application, one)]
        assert not needless, f"the application may run {needless}: take them off OF_THE_OWNER"

    def test_exceptions_are_still_there(self) -> None:
        known = {one.name for one in statements()}
        known |= {f"{source.module}.{name}" for source, name, _ in _inline()}
        gone = {*NOT_PREPARED, *OF_THE_OWNER, *COMPOSED, *READ_WHOLE} - known
        assert not gone, f"no such statement any more: {sorted(gone)}"

    def test_stand_as_module_constants(self) -> None:
        """SQL inside a function, or composed, is seen by no test of this file."""
        stray = [
            f"{source.at(node)}: SQL is a module constant beside the function that owns it"
            for source, name, node in _inline()
            if f"{source.module}.{name}" not in COMPOSED
        ]
        assert not stray, told(stray)

    def test_cannot_be_prepared_when_wrong(self, application: psycopg.Connection) -> None:
        source = sources()[0]
        for text, fault in {
            "SELECT nothing FROM outbox.fact": "does not exist",
            "SELECT kind FROM fact": "does not exist",
            "DELETE FROM outbox.fact WHERE id = %s": "permission denied",
            "SELECT 1; SELECT 2": "multiple commands",
        }.items():
            said = _fault(application, Statement(source, "vezde.WRONG", 1, text))
            assert said is not None
            assert fault in said


class TestQueues:
    """A connection keeps its plans, also those made at night while the queues were empty."""

    def test_are_read_by_key_though_they_were_empty_when_planned(
        self, owner: psycopg.Connection, application: psycopg.Connection
    ) -> None:
        owner.execute(f"VACUUM ANALYZE {', '.join(QUEUES)}")
        indexes = dict(application.execute(INDEX_COLUMNS).fetchall())
        with application.cursor() as db:
            db.execute("SET enable_seqscan = off")
            faults = [
                f"{statement.where}: {fault}"
                for statement in statements()
                if PLANNED.match(statement.text)
                and statement.name not in {*NOT_PREPARED, *OF_THE_OWNER, *READ_WHOLE}
                for fault in _read_whole(db, statement, indexes)
            ]
            db.execute("RESET enable_seqscan")
        assert not faults, told(faults)


class TestSchemas:
    def test_are_named_by_their_domain_alone(self) -> None:
        foreign = [
            f"{statement.where}: {name} is not {statement.source.top or 'vezde'}'s to name"
            for statement in statements()
            for name in _foreign(statement.text, own=statement.source.top)
        ]
        assert not foreign, told(foreign)

    def test_are_migrated_by_their_domain_alone(self) -> None:
        foreign = [
            f"migrations/{path.name}: {name} is of another domain"
            for path, text in migrations().items()
            for name in _foreign(text, own=path.name.split("_")[1])
        ]
        assert not foreign, told(foreign)

    def test_bear_the_names_of_domains(self) -> None:
        domains = {source.top for source in sources()}
        assert not (strange := SCHEMAS - domains), f"schemas without a domain: {strange}"

    def test_of_others_are_noticed(self) -> None:
        assert _foreign("SELECT l.seq FROM ledger.lot l", own="program") == ["ledger.lot"]
        assert _foreign("SELECT l.seq FROM ledger.lot l -- kit.work", own="ledger") == []


class TestForbiddenWords:
    @pytest.mark.parametrize(
        ("words", "instead"),
        [
            (CLOCKS, "pass the time as a parameter; no SQL asks a clock"),
            (CASE_FOLDING, "fold case in Python; the database may not know Cyrillic"),
            (NOT_HERE, "no extensions, triggers, rules or sequences"),
        ],
        ids=["clock", "case", "machinery"],
    )
    def test_stand_in_no_sql(self, words: re.Pattern[str], instead: str) -> None:
        found = [
            f"{where}: «{match[0]}»: {instead}"
            for where, text in _all_sql()
            if (match := words.search(text))
        ]
        assert not found, told(found)

    @pytest.mark.parametrize(
        ("words", "sql"),
        [
            (CLOCKS, "SELECT now ()"),
            (CLOCKS, "at timestamptz DEFAULT CURRENT_TIMESTAMP"),
            (CLOCKS, "SELECT 'today'::date"),
            (CASE_FOLDING, "WHERE LOWER(name) = %s"),
            (CASE_FOLDING, "WHERE name ~* %s"),
            (NOT_HERE, "CREATE TRIGGER touch"),
            (NOT_HERE, "id bigserial"),
        ],
    )
    def test_are_noticed(self, words: re.Pattern[str], sql: str) -> None:
        assert words.search(sql)

    @pytest.mark.parametrize("sql", ["WHERE due_at <= %(now)s", "p_now timestamptz", "known(1)"])
    def test_are_not_seen_where_there_are_none(self, sql: str) -> None:
        assert not CLOCKS.search(sql)


SCHEMAS = {
    name
    for text in migrations().values()
    for name in re.findall(r"CREATE SCHEMA (?:IF NOT EXISTS )?(\w+)", text)
} | {"kit"}
QUALIFIED = re.compile(rf"\b({'|'.join(sorted(SCHEMAS))})\.[a-z_]+")


def _foreign(sql: str, *, own: str) -> list[str]:
    named = QUALIFIED.finditer(without_comments(sql))
    return sorted({match[0] for match in named if match[1] != own})


def _all_sql() -> Iterator[tuple[str, str]]:
    for statement in statements():
        yield statement.where, without_comments(statement.text)
    for path, text in migrations().items():
        yield f"{MIGRATIONS.relative_to(ROOT)}/{path.name}", text


def _read_whole(
    db: psycopg.Cursor, statement: Statement, indexes: Mapping[str, list[str]]
) -> Iterator[str]:
    """Scans of a queue in the statement's plan that do not go straight to what they want."""
    explain = f"EXPLAIN (GENERIC_PLAN, FORMAT JSON, VERBOSE) {numbered(statement.text)}"
    found = db.execute(explain.encode()).fetchone()
    assert found is not None
    for scan in _nodes(found[0][0]["Plan"]):
        table = f"{scan.get('Schema')}.{scan.get('Relation Name')}"
        index = scan.get("Index Name", "")
        if table not in QUEUES or scan["Node Type"] in {"Tid Scan", "ModifyTable"}:
            continue
        if index in OF_FAILURES:
            continue
        columns = indexes.get(index, [])
        bound = set(re.findall(r"\((?:\w+\.)?(\w+) (?:=|<|>|<=|>=) ", scan.get("Index Cond", "")))
        if not bound or bound != set(columns[: len(bound)]):
            yield f"reads {table} by {sorted(bound) or 'nothing'} of {columns or 'no index'}"


def _nodes(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from _nodes(part)


def _fault(db: psycopg.Connection, statement: Statement) -> str | None:
    """Why the login cannot run it: syntax, names, types, and (by planning it) permissions."""
    query = numbered(statement.text)
    prepared = db.pgconn.prepare(b"probe", query.encode())
    if prepared.status != psycopg.pq.ExecStatus.COMMAND_OK:
        return prepared.get_error_message()
    try:
        if PLANNED.match(query):
            count = db.pgconn.describe_prepared(b"probe").nparams
            nothing = f"({', '.join(['NULL'] * count)})" if count else ""
            db.execute(f"EXPLAIN EXECUTE probe {nothing}".encode())
    except psycopg.Error as error:
        return f"{type(error).__name__}: {error}"
    finally:
        db.execute("DEALLOCATE probe")
    return None


def numbered(query: str) -> str:
    """Psycopg's placeholders as PostgreSQL's: %s and %(name)s -> $1, $2, …; %% -> %.

    Without placeholders psycopg sends the text as it is.
    """
    names: dict[str, int] = {}

    def number(match: re.Match[str]) -> str:
        if match[0] == "%%":
            return "%"
        return f"${names.setdefault(match[1] or f'#{len(names)}', len(names) + 1)}"

    numbered = PLACEHOLDER.sub(number, query)
    return numbered if names else query


@cache
def _inline() -> tuple[tuple[Source, str, ast.AST], ...]:
    """SQL texts that are no module constant of plain text, with the function they stand in."""
    constants = {one.name.split("[")[0] for one in statements()}
    found: list[tuple[Source, str, ast.AST]] = []
    for source in sources():
        texts = [node for node in ast.walk(source.tree) if _is_sql(node)]
        if texts:
            known = _constants_and_docstrings(source, constants)
            inside = _owners(source)
            found += [(source, inside.get(node, ""), node) for node in texts if node not in known]
    return tuple(found)


def _is_sql(node: ast.AST) -> bool:
    """A text that begins like SQL, or any text that is written where it is executed."""
    if isinstance(node, ast.Call) and called(node).endswith((".execute", ".executemany")):
        return bool(node.args) and isinstance(
            node.args[0], ast.Constant | ast.JoinedStr | ast.BinOp
        )
    is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
    return is_text and bool(IS_SQL.match(node.value))


def _constants_and_docstrings(source: Source, constants: set[str]) -> set[ast.AST]:
    docstrings = {node.value for node in ast.walk(source.tree) if isinstance(node, ast.Expr)}
    return docstrings | {
        inner
        for name, node in module_constants(source.tree)
        if f"{source.module}.{name}" in constants
        for inner in ast.walk(node)
    }


def _owners(source: Source) -> dict[ast.AST, str]:
    """Node -> the function it stands in."""
    return {
        inner: function.name for function in functions(source.tree) for inner in ast.walk(function)
    }
