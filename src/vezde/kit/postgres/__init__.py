"""The embedded PostgreSQL: nothing to install, nothing left behind.

A folder holds one cluster, and one process at a time runs it:

    with postgres.embedded(folder) as running:      # vezde serve, tests
        ... running.app, running.owner, running.superuser ...
    with postgres.attach_or_start(folder) as access:  # short commands beside a running serve
        ... access.app ...

The server listens on a socket in its folder and on the loopback, asks for passwords, ends with its
parent (kill -9 included) and is started again on the same port by `keep` or `Running.ensure` when
it alone dies.
Linux; elsewhere set VEZDE_DATABASE_URL. Call from the main thread: the kernel ends the server with
the thread that started it.
"""

import asyncio
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import psycopg
import structlog
from psycopg import sql

from vezde.kit.errors import Unavailable
from vezde.kit.postgres import cluster, folder
from vezde.kit.postgres.errors import AlreadyRunning, FolderRefused, PortTaken, ServerFailed
from vezde.kit.postgres.folder import APP, DATABASE, OWNER, SUPERUSER, Access, Lock
from vezde.kit.postgres.postmaster import Postmaster

__all__ = [
    "Access",
    "AlreadyRunning",
    "FolderRefused",
    "PortTaken",
    "Running",
    "ServerFailed",
    "attach_or_start",
    "embedded",
    "keep",
]

WATCH_SECONDS = 0.2
TRIM_SECONDS = 30
ATTACH_SECONDS = 60
BACKOFF_SECONDS = (1, 2, 5, 10, 30)
VISITOR = "vezde-visitor"

ROLES = "SELECT rolname FROM pg_roles WHERE rolname = ANY(%s)"
DATABASES = "SELECT 1 FROM pg_database WHERE datname = %s"
VISITORS = "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s"

Way = TypeVar("Way", bound=Access)

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Running(Access):
    """A server that this process runs."""

    postmaster: Postmaster = field(repr=False)
    lock: Lock = field(repr=False)

    @property
    def pid(self) -> int:
        """The postmaster's; another one after a restart."""
        return self.postmaster.pid

    def announce(self, *addresses: str) -> None:
        """Tell whoever starts a second time where this process answers, e.g. its URL."""
        self.lock.tell(addresses=list(addresses))

    def ensure(self) -> bool:
        """Start the server again if it died; True when that was needed. Raises `ServerFailed`."""
        if self.postmaster.is_alive():
            return False
        for pause in self.restarting():
            time.sleep(pause)
        return True

    def restarting(self) -> Iterator[float]:
        """Start the dead server again on the same port, yielding pauses until it answers."""
        log.warning("postgres_died", pid=self.pid, port=self.port)
        yield from self.postmaster.starting()
        self.lock.tell(postmaster=self.pid)
        log.info("postgres_restarted", pid=self.pid, port=self.port)


@contextmanager
def embedded(home: Path, *, memory: int | None = None) -> Iterator[Running]:
    """Run the folder's server while the block lasts; the first call makes everything.

    `memory` is how many bytes its settings are for; None: the machine's.

    Raises `AlreadyRunning` (with the holder's pid and addresses), `FolderRefused`, `ServerFailed`.
    """
    if sys.platform != "linux":
        raise FolderRefused(
            "The embedded PostgreSQL runs on Linux. Set VEZDE_DATABASE_URL and "
            "VEZDE_DATABASE_OWNER_URL to a PostgreSQL 15 or newer."
        )
    home = home.resolve()
    folder.prepare(home)
    lock = Lock(home)
    lock.take()
    try:
        running = _started(home, lock, memory)
        try:
            yield _with_logins(running, home)
        finally:
            running.postmaster.stop()
    finally:
        lock.release()


@contextmanager
def attach_or_start(home: Path) -> Iterator[Access]:
    """The folder's server for a short command: the one that runs, or one for this block.

    A server started here waits at the end, bounded, for other commands that found it meanwhile.
    Raises what `embedded` raises, but waits where it says `AlreadyRunning`; `Unavailable` when the
    running server does not answer.
    """
    with ExitStack() as stack:
        yield _entered(stack, home.resolve())


async def keep(running: Running, stop: asyncio.Event) -> None:
    """Restart the server whenever it dies, until `stop`; run it in the main thread's loop.

    A server that does not come back is tried again for ever, ever more slowly: the reason may be
    a full disk, and its end the repair.
    """
    failures = 0
    trimmed = time.monotonic()
    while not stop.is_set():
        pause = WATCH_SECONDS
        if not running.postmaster.is_alive():
            failures = 0 if await _restarted(running, stop) else failures + 1
            if failures:
                pause = BACKOFF_SECONDS[min(failures, len(BACKOFF_SECONDS)) - 1]
        elif time.monotonic() - trimmed > TRIM_SECONDS:
            running.postmaster.trim_log()
            trimmed = time.monotonic()
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), pause)


async def _restarted(running: Running, stop: asyncio.Event) -> bool:
    try:
        for pause in running.restarting():
            if stop.is_set():
                break
            await asyncio.sleep(pause)
    except (ServerFailed, OSError) as error:
        log.warning("postgres_not_restarted", reason=str(error))
        return False
    return True


def _entered(stack: ExitStack, home: Path) -> Access:
    deadline = time.monotonic() + ATTACH_SECONDS
    while True:
        try:
            running = stack.enter_context(embedded(home))
        except AlreadyRunning:
            access = _visited(stack, home)
        else:
            stack.callback(_wait_for_visitors, running)
            return running
        if access is not None:
            return access
        if time.monotonic() > deadline:
            raise Unavailable(
                f"Vezde runs on {home} but its PostgreSQL does not answer. Look at "
                f"{home / 'postgres.log'}.",
                retry_after_seconds=10,
            )
        time.sleep(0.1)


def _started(home: Path, lock: Lock, memory: int | None = None, *, attempts: int = 3) -> Running:
    passwords = folder.passwords(home)
    made = cluster.prepare(home, superuser_password=passwords[folder.SUPERUSER], memory=memory)
    port = folder.port(home)
    postmaster = Postmaster(made, home=home, port=port)
    try:
        for pause in postmaster.starting():
            time.sleep(pause)
    except PortTaken:  # since we looked, milliseconds ago
        if attempts == 1:
            raise
        return _started(home, lock, memory, attempts=attempts - 1)
    except BaseException:
        postmaster.stop()
        raise
    lock.tell(port=port, postmaster=postmaster.pid)
    return Running(folder.HOST, port, passwords, postmaster, lock)


def _with_logins(running: Running, home: Path) -> Running:
    """The server by its nearest way, with the logins and the database made if they are missing."""
    try:
        running, db = _nearest(running, home, SUPERUSER, "postgres")
    except psycopg.OperationalError as error:
        raise ServerFailed(
            "PostgreSQL runs but does not let its own superuser in; was passwords.json or "
            f"pg_hba.conf changed? Restore it from a backup. It says: {error}"
        ) from error
    with db:
        known = {row[0] for row in db.execute(ROLES, [[OWNER, APP]])}
        for login in (OWNER, APP):
            if login not in known:
                name, password = sql.Identifier(login), sql.Literal(running.passwords[login])
                db.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(name, password))
        if db.execute(DATABASES, [DATABASE]).fetchone() is None:
            names = sql.Identifier(DATABASE), sql.Identifier(OWNER)
            db.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(*names))
    return running


def _nearest(
    far: Way, home: Path, login: str, dbname: str, name: str | None = None
) -> tuple[Way, psycopg.Connection]:
    """The server by its socket, else by TCP, and a connection that showed the way to be open.

    A trip through the socket costs the server a third less and us a fifth. It is closed where the
    path is longer than a socket's may be, where this user may not enter the data directory, or
    where a person's own pg_hba.conf says nothing of it. Raises `psycopg.OperationalError` when
    neither way is open.
    """
    near = replace(far, host=str(home / "pgdata"))
    try:
        return near, _connected(near, login, dbname, name)
    except psycopg.OperationalError as error:
        log.debug("postgres_socket_closed", reason=str(error))
    return far, _connected(far, login, dbname, name)


def _connected(way: Access, login: str, dbname: str, name: str | None) -> psycopg.Connection:
    conninfo = way.conninfo(dbname, login, way.passwords[login])
    return psycopg.connect(conninfo, application_name=name, autocommit=True)


def _visited(stack: ExitStack, home: Path) -> Access | None:
    """A way into the server that runs, None while it does not answer.

    A connection stays open as long as the stack: it shows the server's starter that we are there.
    """
    facts = folder.told(home)
    if "port" not in facts:
        return None
    access = Access(folder.HOST, int(facts["port"]), folder.read_passwords(home))
    try:
        # The last thing a start makes is the database: who can enter it finds everything.
        access, visit = _nearest(access, home, APP, DATABASE, VISITOR)
    except psycopg.OperationalError:
        return None
    stack.callback(visit.close)
    return access


def _wait_for_visitors(running: Running) -> None:
    deadline = time.monotonic() + ATTACH_SECONDS
    with psycopg.connect(running.superuser, autocommit=True) as db:
        while time.monotonic() < deadline:
            row = db.execute(VISITORS, [VISITOR]).fetchone()
            if row is None or row[0] == 0:
                return
            time.sleep(0.05)
