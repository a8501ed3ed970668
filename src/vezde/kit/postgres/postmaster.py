"""The server's process: started, watched until it answers, stopped.

`Postmaster.starting()` yields pauses instead of sleeping, so that a command and an event loop
drive the same code. Start from the main thread: the server ends with the thread that started it.
"""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import structlog

from vezde.kit import bound
from vezde.kit.postgres import account as accounts
from vezde.kit.postgres import folder
from vezde.kit.postgres.cluster import ENVIRONMENT, Cluster
from vezde.kit.postgres.errors import PortTaken, ServerFailed

LOG_BYTES = 8 * 2**20
STATUS_LINE = 7  # of postmaster.pid, counted from 0: src/include/utils/pidfile.h
START_SECONDS = 600  # the recovery of a large write-ahead log is work, not a hang
RETRY_SECONDS = 15  # while backends of a killed server are still leaving
STOP_SECONDS, QUIT_SECONDS = 30, 5

log = structlog.get_logger(__name__)


class Postmaster:
    """The server of one cluster on one port; `home` is the folder with the log."""

    def __init__(self, cluster: Cluster, *, home: Path, port: int) -> None:
        self.cluster = cluster
        self.port = port
        self.log_path = home / "postgres.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None, "the server was never started"
        return self._process.pid

    def is_alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def starting(self) -> Iterator[float]:
        """Start the server and yield pauses, in seconds, until it answers.

        The caller holds the folder's lock. Raises `PortTaken`, or `ServerFailed` with the server's
        last words.
        """
        bound.require_main_thread()
        yield from seeing_out(self.cluster.pgdata)
        began = time.monotonic()
        while True:
            self.trim_log()
            words_from = self._spawn()
            yield from self._until_ready()
            if self.is_alive():
                return
            words = self._last_words(words_from)
            if not folder.is_free(self.port):
                raise PortTaken(f"Port {self.port} of {folder.HOST} is taken by another program.")
            if time.monotonic() - began > RETRY_SECONDS:
                raise ServerFailed(f"PostgreSQL does not start. Its last words: {words}")
            log.warning("postgres_start_repeated", exit_code=self._exit_code(), words=words)
            yield 0.25

    def stop(self) -> None:
        """Stop the server, bounded: a fast shutdown, then an immediate one, then the end."""
        process = self._process
        if process is None:
            return
        for number, seconds in ((signal.SIGINT, STOP_SECONDS), (signal.SIGQUIT, QUIT_SECONDS)):
            process.send_signal(number)
            with suppress(subprocess.TimeoutExpired):
                process.wait(seconds)
                return
            log.warning("postgres_slow_to_stop", pid=process.pid, after_seconds=seconds)
        process.kill()
        process.wait()

    def trim_log(self) -> None:
        """Keep the log bounded: over the limit it becomes postgres.log.1 and starts anew."""
        size = self.log_path.stat().st_size if self.log_path.exists() else 0
        if size > LOG_BYTES:
            # The server holds the file open for appending: copy its end, keep the file.
            former = self.log_path.with_name("postgres.log.1")
            former.touch(mode=0o600)
            with self.log_path.open("rb") as file:
                file.seek(size - LOG_BYTES)
                former.write_bytes(file.read(LOG_BYTES))
            os.truncate(self.log_path, 0)

    def _spawn(self) -> int:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        output = os.open(self.log_path, flags, 0o600)
        try:
            before = os.fstat(output).st_size
            with accounts.door(self.cluster.pgdata, self.cluster.account) as (name, descriptors):
                argv = [
                    *(str(self.cluster.programs / "postgres"), "-D", name),
                    *("-c", f"listen_addresses={folder.HOST}", "-c", f"port={self.port}"),
                    # Relative to the data directory, which nobody else may enter: short enough
                    # for the server wherever it lies.
                    *("-c", "unix_socket_directories=."),
                ]
                self._process = subprocess.Popen(  # noqa: S603 - our own words only
                    # Fast shutdown: sessions end, what was acknowledged is kept.
                    self.cluster.command(argv, death_signal=signal.SIGINT),
                    env=ENVIRONMENT,
                    cwd="/",
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    start_new_session=True,  # a Ctrl-C in the terminal is not for the server
                    pass_fds=descriptors,
                )
        finally:
            os.close(output)
        return before

    def _until_ready(self) -> Iterator[float]:
        deadline = time.monotonic() + START_SECONDS
        while self.is_alive() and not self._is_ready():
            if time.monotonic() > deadline:
                self.stop()
                raise ServerFailed(f"PostgreSQL does not answer after {START_SECONDS} s.")
            yield 0.005

    def _is_ready(self) -> bool:
        lines = _pid_file(self.cluster.pgdata)
        return (
            len(lines) > STATUS_LINE
            and lines[0] == str(self.pid)
            and lines[STATUS_LINE].strip() == "ready"
        )

    def _exit_code(self) -> int | None:
        return self._process.returncode if self._process else None

    def _last_words(self, since: int) -> str:
        with self.log_path.open("rb") as file:
            file.seek(since)
            return file.read()[-800:].decode("utf-8", "replace").strip()


def seeing_out(pgdata: Path) -> Iterator[float]:
    """See a former server of this cluster out, yielding pauses; the caller holds the lock.

    A parent that was killed leaves a server that is still shutting down: wait for it. A zombie, or
    a stranger who got the number since, makes PostgreSQL refuse a start: remove its note. A number
    that nobody has is left to PostgreSQL, which then also looks for backends left over.
    """
    for lock in pgdata.glob(".s.PGSQL.*.lock"):  # its number, too, may be a stranger's by now
        lock.unlink(missing_ok=True)
    lines = _pid_file(pgdata)
    pid = int(lines[0]) if lines and lines[0].isdigit() else None
    if pid is None or not Path(f"/proc/{pid}").exists():
        return
    orders = ((signal.SIGINT, STOP_SECONDS), (signal.SIGQUIT, QUIT_SECONDS), (signal.SIGKILL, 1))
    for number, seconds in orders:
        if not _serves(pid, pgdata):
            break
        log.info("postgres_former_leaving", pid=pid, signal=number.name)
        with suppress(ProcessLookupError):
            os.kill(pid, number)
        deadline = time.monotonic() + seconds
        while _serves(pid, pgdata) and time.monotonic() < deadline:
            yield 0.02
    if Path(f"/proc/{pid}").exists():
        (pgdata / "postmaster.pid").unlink(missing_ok=True)


def _serves(pid: int, pgdata: Path) -> bool:
    """Whether a living process is a server of this cluster: it stands in its data directory."""
    try:
        name = Path(f"/proc/{pid}/comm").read_text("ascii").strip()
        return name == "postgres" and Path(f"/proc/{pid}/cwd").samefile(pgdata)
    except OSError:  # gone, a zombie (which stands nowhere), or a process of another user
        return False


def _pid_file(pgdata: Path) -> list[str]:
    try:
        return (pgdata / "postmaster.pid").read_text("utf-8").splitlines()
    except FileNotFoundError:
        return []
