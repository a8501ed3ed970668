"""An installation in a folder of its own, driven as a person does: by real processes."""

import http.client
import json
import os
import pwd
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

import vezde
import vezde_client
from vezde.kit.postgres import account

ROOT = os.geteuid() == 0
SOURCES = tuple(Path(one.__file__).parents[1] for one in (vezde, vezde_client, psycopg))
SECONDS = 60

Ran = subprocess.CompletedProcess[str]


class Installation:
    """A data folder, a port, and the environment that names them."""

    def __init__(self, folder: Path, *, python: str = sys.executable, **variables: str) -> None:
        self.folder = folder
        self.data = folder / "var"
        self.port = free_port()
        self.python = python
        own = {name: text for name, text in os.environ.items() if not name.startswith("VEZDE_")}
        self.environment = own | {
            "PYTHONPATH": os.pathsep.join(map(str, SOURCES)),
            "VEZDE_HTTP_PORT": str(self.port),
            "VEZDE_LOG_LEVEL": "warning",
            **variables,
        }

    def run(self, *words: object, code: int | None = 0, **variables: str) -> Ran:
        """Run a command to its end; `code` is the exit code it must have."""
        ran = subprocess.run(
            [self.python, "-m", "vezde", *map(str, words)],
            cwd=self.folder,
            env=self.environment | variables,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert code is None or ran.returncode == code, ran.stdout + ran.stderr
        return ran

    @contextmanager
    def serving(self, *words: str, user: int | None = None, **variables: str) -> Iterator["Served"]:
        """`vezde serve`, ready; stopped, whatever happened, when the block ends."""
        served = self.start(*words, user=user, **variables)
        try:
            served.wait_ready()
            yield served
        finally:
            served.end()

    def start(self, *words: str, user: int | None = None, **variables: str) -> "Served":
        return Served(self, words, user, self.environment | variables)

    def ask(self, method: str, path: str, body: Any = None, *, key: str = "") -> tuple[int, Any]:
        """An HTTP request: the status and the JSON (or text) of the answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        text = None
        if body is not None:
            text = json.dumps(body)
            headers |= {"Content-Type": "application/json", "Idempotency-Key": str(time.time_ns())}
        try:
            connection.request(method, path, text, headers)
            answer = connection.getresponse()
            said = answer.read().decode()
        finally:
            connection.close()
        return answer.status, json.loads(said) if said[:1] in "[{" else said

    @property
    def key(self) -> str:
        return (self.data / "api.key").read_text().strip()

    def postgres_pid(self) -> int:
        return int(json.loads((self.data / "lock").read_text())["postmaster"])


class Served:
    """A running `vezde serve`, in a session of its own as a terminal's job is."""

    def __init__(
        self,
        of: Installation,
        words: tuple[str, ...],
        user: int | None,
        environment: dict[str, str],
    ) -> None:
        self.log = of.folder / "serve.log"
        self.installation = of
        self.said = ""
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [of.python, "-m", "vezde", "serve", *words],
                cwd=of.folder,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
                user=user,
                group=user,
                extra_groups=None if user is None else [],
            )

    def wait_ready(self) -> None:
        """Read what it says until the welcome is whole."""
        assert self.process.stdout is not None
        too_late = threading.Timer(SECONDS, self.process.kill)
        too_late.start()
        try:
            for line in self.process.stdout:
                self.said += line
                if line.startswith("Stop with"):
                    return
        finally:
            too_late.cancel()
        raise AssertionError(f"it ended with {self.process.wait(SECONDS)}: {self.log.read_text()}")

    def pids(self) -> set[int]:
        """This process and all below it, the database included."""
        found = {self.process.pid}
        parents = {pid: parent_of(pid) for pid in running_pids()}
        while more := {pid for pid, parent in parents.items() if parent in found} - found:
            found |= more
        return found

    def ctrl_c(self) -> float:
        """As a terminal does it: to the whole group; how many seconds it took to end."""
        began = time.monotonic()
        os.killpg(self.process.pid, signal.SIGINT)
        self.process.wait(SECONDS)
        return time.monotonic() - began

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


@contextmanager
def open_folder() -> Iterator[Path]:
    """A temporary folder that everybody may enter; pytest's own are closed."""
    with tempfile.TemporaryDirectory(prefix="vezde-cli-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(true: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def running_pids() -> set[int]:
    """Of all processes but zombies: those wait for nobody but their parent."""
    return {int(one.name) for one in Path("/proc").glob("[0-9]*") if state_of(int(one.name)) != "Z"}


def state_of(pid: int) -> str:
    fields = _stat(pid)
    return fields[0] if fields else "Z"


def parent_of(pid: int) -> int | None:
    fields = _stat(pid)
    return int(fields[1]) if fields else None


def words_of(pid: int) -> list[str]:
    """The command line."""
    return Path(f"/proc/{pid}/cmdline").read_text().split("\0")


def _stat(pid: int) -> list[str] | None:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def interpreter_for(user: pwd.struct_passwd) -> str:
    """A Python of our version that this user may run; the suite's own may lie in root's home."""
    somebody = account.Account(user.pw_uid, user.pw_gid, switch=True)
    name = f"python3.{sys.version_info.minor}"
    for place in (Path(sys.executable).parent, *map(Path, os.get_exec_path())):
        program = (place / name).resolve()
        if not program.is_file() or program.read_bytes()[:4] != b"\x7fELF":  # a shim
            continue
        if somebody.may_enter(program.parent):
            return str(program)
    pytest.skip(f"no {name} that user {user.pw_name} may run")
