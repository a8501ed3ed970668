"""The supervisor, with real processes and real signals."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from vezde.kit import supervise
from vezde.kit.supervise import Child

SUPERVISOR = """
import asyncio, sys
from vezde.kit import supervise
from vezde.kit.supervise import Child
python, grace, *scripts = sys.argv[1:]
children = [Child(f"c{n}", (python, "-c", s), {}) for n, s in enumerate(scripts)]
sys.exit(asyncio.run(supervise.run(children, grace_seconds=float(grace))))
"""
GOOD = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: (os.write(1, b"bye\\n"), os._exit(0)))
print("up", os.getpid(), flush=True)
while True: time.sleep(60)
"""
STUBBORN = GOOD.replace('lambda *_: (os.write(1, b"bye\\n"), os._exit(0))', "signal.SIG_IGN")
PARENT_OF_A_CHILD = STUBBORN.replace(
    'print("up"',
    'import subprocess; p = subprocess.Popen(["sleep", "60"]); print("up", p.pid);print("up"',
)
SHORT = 'import os; print("up", os.getpid(), flush=True); os._exit(3)'
HOPELESS = "import os; os._exit(78)"


class Supervisor:
    """A supervisor as a process of its own, as `vezde serve` is one."""

    def __init__(self, *scripts: str, grace: float = 10) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-u", "-c", SUPERVISOR, sys.executable, str(grace), *scripts],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(Path(supervise.__file__).parents[2])},
            start_new_session=True,
        )

    def pid_of_next(self) -> int:
        """The pid that a child says next."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith("up "):
                return int(line.split()[1])
        raise AssertionError("no child came up")

    def ctrl_c(self) -> None:
        os.killpg(self.process.pid, signal.SIGINT)

    def rest(self) -> str:
        return self.process.communicate(timeout=20)[0]


@pytest.fixture
def supervisors() -> Iterator[list[Supervisor]]:
    started: list[Supervisor] = []
    yield started
    for one in started:
        with one.process:
            one.process.kill()


def is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def wait_until(true: Callable[[], bool], seconds: float = 5) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


class TestStop:
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_is_clean_and_quick(
        self, supervisors: list[Supervisor], number: signal.Signals
    ) -> None:
        supervisors.append(one := Supervisor(GOOD, GOOD))
        pids = [one.pid_of_next(), one.pid_of_next()]
        began = time.monotonic()
        os.killpg(one.process.pid, number)
        said = one.rest()
        assert one.process.returncode == 0
        assert time.monotonic() - began < 8
        assert said.count("bye") == 2
        assert all(is_gone(pid) for pid in pids)

    def test_kills_a_stubborn_child_when_its_time_is_up(
        self, supervisors: list[Supervisor]
    ) -> None:
        supervisors.append(one := Supervisor(STUBBORN, grace=0.5))
        pid = one.pid_of_next()
        one.ctrl_c()
        began = time.monotonic()
        assert "child_killed" in one.rest()
        assert one.process.returncode == 0
        assert 0.4 < time.monotonic() - began < 8
        assert is_gone(pid)

    def test_kills_at_once_on_a_second_ctrl_c_with_what_the_child_started(
        self, supervisors: list[Supervisor]
    ) -> None:
        supervisors.append(one := Supervisor(PARENT_OF_A_CHILD, grace=30))
        pids = [one.pid_of_next(), one.pid_of_next()]
        one.ctrl_c()
        time.sleep(0.2)
        assert one.process.poll() is None
        one.ctrl_c()
        began = time.monotonic()
        one.rest()
        assert time.monotonic() - began < 8
        wait_until(lambda: all(is_gone(pid) for pid in pids))

    def test_waits_on_when_sigterm_comes_twice(self, supervisors: list[Supervisor]) -> None:
        slow = GOOD.replace("(os.write", "(time.sleep(0.5), os.write")
        supervisors.append(one := Supervisor(slow))
        one.pid_of_next()
        for _ in range(2):
            one.process.send_signal(signal.SIGTERM)
            time.sleep(0.1)
        assert "bye" in one.rest()
        assert one.process.returncode == 0

    def test_does_not_wait_for_a_restart_that_is_due(self, supervisors: list[Supervisor]) -> None:
        supervisors.append(one := Supervisor(SHORT))
        for _ in range(3):
            one.pid_of_next()
        time.sleep(0.2)
        began = time.monotonic()
        one.ctrl_c()
        one.rest()
        assert (one.process.returncode, time.monotonic() - began < 8) == (0, True)


class TestKill:
    def test_of_the_supervisor_ends_the_children(self, supervisors: list[Supervisor]) -> None:
        supervisors.append(one := Supervisor(GOOD, STUBBORN))
        pids = [one.pid_of_next(), one.pid_of_next()]
        one.process.kill()
        wait_until(lambda: all(is_gone(pid) for pid in pids))

    def test_of_a_child_starts_it_again_and_says_so(self, supervisors: list[Supervisor]) -> None:
        supervisors.append(one := Supervisor(GOOD))
        first = one.pid_of_next()
        os.kill(first, signal.SIGKILL)
        assert one.pid_of_next() != first
        one.ctrl_c()
        one.rest()
        assert one.process.returncode == 0


class TestDelay:
    def test_doubles_up_to_a_limit(self) -> None:
        delays = [supervise.delay_seconds(n) for n in range(10)]
        assert delays[:4] == [0.5, 1, 2, 4]
        assert delays[-1] == supervise.delay_seconds(10_000) == 30

    def test_starts_anew_after_a_long_life(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(supervise, "HEALTHY_SECONDS", 0.0)
        monkeypatch.setattr(supervise, "FIRST_DELAY_SECONDS", 0.01)
        lives = asyncio.run(self.lives_within(1.5, tmp_path))
        assert lives > 5

    def test_grows_for_one_that_dies_at_once(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(supervise, "FIRST_DELAY_SECONDS", 0.15)
        lives = asyncio.run(self.lives_within(0.6, tmp_path))
        assert 1 <= lives <= 3

    async def lives_within(self, seconds: float, folder: Path) -> int:
        script = f"echo . >> {folder / 'lives'}"

        async def end_it(_stop: asyncio.Event) -> None:
            await asyncio.sleep(seconds)
            os.kill(os.getpid(), signal.SIGINT)

        child = Child("brief", ("/bin/sh", "-c", script), {})
        assert await supervise.run([child], beside=[end_it]) == 0
        return len((folder / "lives").read_text().split())


class TestRun:
    def test_ends_with_the_exit_code_of_a_child_that_gave_up(
        self, supervisors: list[Supervisor]
    ) -> None:
        supervisors.append(one := Supervisor(GOOD, HOPELESS))
        said = one.rest()
        assert one.process.returncode == supervise.FINAL_EXIT
        assert "child_gave_up" in said

    def test_gives_a_child_nothing_but_its_own_environment(self, tmp_path: Path) -> None:
        told = tmp_path / "env"
        script = f"/usr/bin/env > {told}; exit 78"
        child = Child("env", ("/bin/sh", "-c", script), {"VEZDE_ROLE": "worker"})
        assert asyncio.run(supervise.run([child])) == supervise.FINAL_EXIT
        names = {line.partition("=")[0] for line in told.read_text().splitlines()}
        assert names <= {"VEZDE_ROLE", "PWD", "SHLVL", "_", "OLDPWD", "LC_CTYPE"}
        assert "VEZDE_ROLE" in names
        assert "worker" not in repr(child)

    def test_raises_an_error_beside_the_children_after_they_ended(self) -> None:
        async def fail(_stop: asyncio.Event) -> None:
            await asyncio.sleep(0.1)
            raise LookupError("beside")

        child = Child("sleeper", ("/bin/sleep", "60"), {})
        began = time.monotonic()
        with pytest.raises(LookupError, match="beside"):
            asyncio.run(supervise.run([child], beside=[fail]))
        assert time.monotonic() - began < 8
