"""A whole installation for a test or a benchmark: `vezde serve` in a folder of its own.

with Installation(folder) as vezde:
    vezde.call("PUT", "/v1/program", {"document": …})
    vezde.kill()      # kill -9 of every process
    vezde.start()
"""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Self

START_SECONDS = 60
SOURCE = Path(__file__).resolve().parents[2]


class Installation:
    """One `vezde serve` process tree; `key` has all scopes once `make_key` was called."""

    def __init__(self, folder: Path, **environ: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.key = ""
        self.process: subprocess.Popen[bytes] | None = None
        # The tests' own variables and nobody else's VEZDE_*.
        kept = {name: value for name, value in os.environ.items() if not name.startswith("VEZDE_")}
        self.environ = {
            **kept,
            "PYTHONPATH": str(SOURCE),
            "VEZDE_DATA_DIR": str(folder),
            "VEZDE_HTTP_PORT": str(self.port),
            "VEZDE_LOG_LEVEL": "warning",
            **environ,
        }

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start and wait until it is ready; raises RuntimeError with what it printed."""
        log = (self.folder.parent / f"{self.folder.name}.log").open("ab")
        with log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "vezde", "serve"],
                env=self.environ,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_SECONDS
        while not self.is_ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.kill()  # whoever did not get to a block to leave leaves nothing running
                raise RuntimeError(f"vezde serve is not ready:\n{self.output()}")
            time.sleep(0.05)

    def output(self) -> str:
        """What it has printed so far."""
        return (self.folder.parent / f"{self.folder.name}.log").read_text("utf-8", "replace")

    def stop(self) -> int:
        """Ask it to end, as Ctrl-C does; its exit code."""
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def kill(self) -> None:
        """Kill -9 every process of the installation at once; returns when all are gone."""
        pids = [pid for pid, _command in self.processes()]
        for pid in pids:
            signal_if_there(pid, signal.SIGKILL)
        if self.process is not None:
            self.process.wait(30)
        deadline = time.monotonic() + 30
        while any(is_alive(pid) for pid in pids):
            if time.monotonic() > deadline:
                raise RuntimeError("a killed process does not go")
            time.sleep(0.02)

    def kill_postgres(self) -> None:
        """Kill -9 the database server alone."""
        for pid, command in self.processes():
            if "/bin/postgres" in command:
                signal_if_there(pid, signal.SIGKILL)
                return
        raise RuntimeError("no PostgreSQL runs here")

    def processes(self) -> list[tuple[int, str]]:
        """(pid, command line) of the supervisor and all below it, parents first."""
        if self.process is None:
            return []
        children: dict[int, list[int]] = {}
        commands: dict[int, str] = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and (read := _read(int(entry.name))):
                parent, commands[int(entry.name)] = read
                children.setdefault(parent, []).append(int(entry.name))
        found, waiting = [], [self.process.pid]
        while waiting:
            pid = waiting.pop(0)
            if pid in commands:
                found.append((pid, commands[pid]))
            waiting += children.get(pid, [])
        return found

    def is_ready(self) -> bool:
        try:
            status, _content = self.request("GET", "/readyz")
        except OSError:
            return False
        return status == 200

    def make_key(self, name: str = "test", scopes: str = "all") -> str:
        """An API key by the command line, kept for `call`."""
        made = self.command("keys", "create", "--name", name, "--scopes", scopes)
        self.key = made.strip()
        return self.key

    def command(self, *words: str) -> str:
        """What `vezde WORDS` prints; raises CalledProcessError."""
        return subprocess.run(  # noqa: S603 -- our own command
            [sys.executable, "-m", "vezde", *words],
            env=self.environ,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        ).stdout

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """The JSON answer; raises RuntimeError for any status but 2xx."""
        content = json.dumps(body).encode() if body is not None else None
        status, answer = self.request(method, path, content, **headers)
        if status >= 300:
            raise RuntimeError(f"{method} {path}: {status} {answer[:500].decode()}")
        return json.loads(answer)

    def request(
        self, method: str, path: str, content: bytes | None = None, **headers: str
    ) -> tuple[int, bytes]:
        """(status, body) on a connection of its own; header names with `_` for `-`."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        sent = {"Content-Type": "application/json", "Authorization": f"Bearer {self.key}"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            connection.request(method, path, content, sent)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except http.client.HTTPException as error:
            raise ConnectionError("the server went away") from error
        finally:
            connection.close()


def free_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def is_alive(pid: int) -> bool:
    """Whether the process runs; one that only waits to be reaped does not."""
    read = _read(pid)
    return read is not None


def signal_if_there(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _read(pid: int) -> tuple[int, str] | None:
    """(parent, command line) of a process, None when it is gone or a zombie."""
    try:
        state, parent = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[:2]
        command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if state == "Z" else (int(parent), command)
