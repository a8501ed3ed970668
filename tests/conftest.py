"""A real PostgreSQL for every test: one server a run, a database a test, or one rolled back.

`VEZDE_TEST_SERVER` (a superuser's conninfo) uses a server that runs already; without it the
embedded one is started in a folder of its own.
"""

import os
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import conninfo, sql

from vezde.kit import db as kit_db
from vezde.kit import migrate, share
from vezde.kit.db import Database, Db

SHARED = Path(os.environ.get("VEZDE_SHARED", Path(__file__).parents[2] / "shared"))
OWNER, APP, PASSWORD = "vezde_test_owner", "vezde_test_app", "test-only"


def pytest_configure() -> None:
    """Let Ctrl-C reach what tests start: a run in a shell's background inherits SIGINT ignored."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@dataclass(frozen=True)
class Server:
    """A running PostgreSQL; conninfos by login."""

    superuser: str

    def conninfo(self, dbname: str, login: str) -> str:
        return conninfo.make_conninfo(self.superuser, dbname=dbname, user=login, password=PASSWORD)

    def run(self, *statements: sql.Composable) -> None:
        with psycopg.connect(self.superuser, autocommit=True) as db:
            for statement in statements:
                db.execute(statement)


@dataclass(frozen=True)
class TestDatabase:
    """Where a fresh, migrated database is, for the owner and for the application."""

    __test__ = False
    name: str
    owner: str
    app: str


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    given = os.environ.get("VEZDE_TEST_SERVER")
    if given:
        yield _with_logins(Server(given))
        return
    from vezde.kit import postgres

    with (
        tempfile.TemporaryDirectory(prefix="vezde-test-") as folder,
        # Every database that is dropped is looked for in all buffers there are.
        postgres.embedded(Path(folder), memory=2**30) as running,
    ):
        yield _with_logins(Server(running.superuser))


def _with_logins(server: Server) -> Server:
    with psycopg.connect(server.superuser, autocommit=True) as db, db.transaction():
        # Several runs may share a server: only one at a time makes the logins.
        db.execute("SELECT pg_advisory_xact_lock(4242)")
        for login in (OWNER, APP):
            known = db.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [login])
            if not known.fetchone():
                db.execute(
                    sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(
                        sql.Identifier(login), sql.Literal(PASSWORD)
                    )
                )
    return server


@pytest.fixture(scope="session")
def template(server: Server) -> Iterator[str]:
    """A migrated database that tests are copied from."""
    name = f"vezde_template_{uuid4().hex[:12]}"
    server.run(
        sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(name), sql.Identifier(OWNER))
    )
    migrate.apply(
        server.conninfo(name, OWNER),
        share.folder("migrations"),
        app_login=APP,
        now=datetime.now(UTC),
    )
    yield name
    server.run(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def copied(server: Server, template: str) -> Iterator[TestDatabase]:
    name = f"vezde_test_{uuid4().hex[:12]}"
    ident = sql.Identifier(name)
    server.run(
        sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {} STRATEGY file_copy").format(
            ident, sql.Identifier(template), sql.Identifier(OWNER)
        )
    )
    try:
        yield TestDatabase(name, server.conninfo(name, OWNER), server.conninfo(name, APP))
    finally:
        server.run(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(ident))


@pytest.fixture
def fresh(server: Server, template: str) -> Iterator[TestDatabase]:
    """A database of the test's own."""
    with copied(server, template) as made:
        yield made


@pytest.fixture
async def database(fresh: TestDatabase) -> AsyncIterator[Database]:
    """A pool on a database of the test's own: for concurrency, commits, crashes."""
    async with Database(fresh.app, size=12) as opened:
        yield opened


@pytest.fixture(scope="session")
def shared_copy(server: Server, template: str) -> Iterator[TestDatabase]:
    with copied(server, template) as made:
        yield made


@pytest.fixture
async def db(shared_copy: TestDatabase) -> AsyncIterator[Db]:
    """A connection whose work is rolled back when the test ends."""
    connection = await kit_db.connect(shared_copy.app)
    try:
        yield connection
    finally:
        await connection.rollback()
        await connection.close()


@pytest.fixture
def now() -> datetime:
    """Noon in Moscow on a working day."""
    return datetime(2026, 11, 18, 9, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real receipts; a test that needs it skips only when it is absent."""
    if not SHARED.is_dir():
        pytest.skip("no ../shared beside the project")
    return SHARED
