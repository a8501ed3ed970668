"""Several processes that answer HTTP at one port."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from vezde.testing.installation import Installation

FACE = re.compile(r'vezde_http_seconds_count{face="(\d)"')
LONG = 60


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    folder = tmp_path_factory.mktemp("faces")
    with Installation(folder / "var", VEZDE_FACES="2", VEZDE_WORKERS="1") as running:
        yield running


def faces(running: Installation) -> list[int]:
    """Their pids, in the order of their numbers."""
    found = [(command, pid) for pid, command in running.processes() if "--role web" in command]
    return [pid for _, pid in sorted(found)]


def answering(running: Installation) -> set[str]:
    """The numbers of those that answered some fifty connections."""
    seen = set()
    for _ in range(50):
        try:
            status, said = running.request("GET", "/metrics")
        except OSError:  # of a connection dealt to one that was killed just then
            continue
        assert status == 200
        seen |= set(FACE.findall(said.decode()))
    return seen


def refusal(running: Installation, folder: Path, **environ: str) -> str:
    """What a second installation says that is set up like this one, in another folder."""
    ran = subprocess.run(
        [sys.executable, "-m", "vezde", "serve"],
        env={**running.environ, "VEZDE_DATA_DIR": str(folder), **environ},
        capture_output=True,
        text=True,
        timeout=LONG,
        check=False,
    )
    assert ran.returncode == 1
    return ran.stderr


class TestFaces:
    def test_answer_at_one_port(self, served: Installation) -> None:
        assert len(faces(served)) == 2
        assert answering(served) == {"1", "2"}

    def test_the_others_answer_while_one_is_away(self, served: Installation) -> None:
        first, second = faces(served)
        os.kill(first, signal.SIGKILL)
        until = time.monotonic() + LONG
        while first in faces(served):
            assert time.monotonic() < until
        assert "2" in answering(served)
        while len(faces(served)) < 2 or answering(served) != {"1", "2"}:
            assert time.monotonic() < until
        assert second in faces(served)

    def test_keep_the_port_from_another_installation(
        self, served: Installation, tmp_path: Path
    ) -> None:
        said = refusal(served, tmp_path / "other")
        assert f"Port {served.port} of 127.0.0.1 is taken" in said

    def test_are_refused_to_a_sandbox(self, served: Installation, tmp_path: Path) -> None:
        said = refusal(served, tmp_path / "other", VEZDE_SANDBOX="1")
        assert "Unset VEZDE_FACES, or set VEZDE_SANDBOX to 0" in said
