import subprocess
import sys

import pytest

from cli.installation import SOURCES, Installation

# What a command has imported when it ends.
LOADED = """
import sys
from vezde.cli import main
sys.argv[0] = "vezde"
try:
    main()
finally:
    print(*sys.modules)
"""


def loaded_by(installation: Installation, *words: str) -> set[str]:
    ran = subprocess.run(
        [sys.executable, "-c", LOADED, *words],
        cwd=installation.folder,
        env=installation.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return set(ran.stdout.splitlines()[-1].split())


class TestMain:
    def test_shows_its_commands(self, real: Installation) -> None:
        said = real.run("--help").stdout
        for command in ("serve", "receipts", "keys", "catalog", "program", "clock", "db"):
            assert f" {command} " in said

    def test_says_its_version(self, real: Installation) -> None:
        assert real.run("--version").stdout.startswith("vezde ")

    @pytest.mark.parametrize(
        "words", [("keys",), ("nonsense",), ("serve", "--role", "cook"), ("keys", "create")]
    )
    def test_ends_with_2_when_it_is_not_understood(
        self, real: Installation, words: tuple[str, ...]
    ) -> None:
        real.run(*words, code=2)

    def test_says_an_expected_error_in_a_sentence(self, real: Installation) -> None:
        ran = real.run("clock", code=1, VEZDE_DATA_DIR="/proc/nowhere")
        assert ran.stderr.startswith("vezde: /proc/nowhere cannot be made")
        assert "VEZDE_DATA_DIR" in ran.stderr
        assert ran.stdout == ""

    def test_imports_little_for_what_must_be_quick(self, real: Installation) -> None:
        heavy = {"fastapi", "httpx", "phonenumbers", "ruamel", "uvicorn", "PIL"}
        assert not heavy & loaded_by(real, "keys", "create", "--name", "quick", "--scopes", "all")
        assert not (heavy | {"psycopg", "structlog", "asyncio"}) & loaded_by(real, "--version")


def test_sources_are_where_the_package_is() -> None:
    assert (SOURCES[0] / "vezde" / "cli").is_dir()
