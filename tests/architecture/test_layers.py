"""The contracts of [tool.importlinter]: kept by the code, and each able to catch its offence."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from architecture.reading import PACKAGE, ROOT, SRC, sources, told

LINT = "from importlinter.cli import lint_imports_command as lint; lint()"

# Contract -> the offences planted into a copy of the package, and the words that report each.
OFFENCES: Mapping[str, tuple[tuple[str, str, str], ...]] = {
    "Layers": (
        (
            "kit/planted_upwards.py",
            "import vezde.ledger",
            "vezde.kit.planted_upwards -> vezde.ledger",
        ),
        ("catalog/planted.py", "import vezde.sellers", "vezde.catalog.planted -> vezde.sellers"),
        ("api/planted.py", "import vezde.worker", "vezde.api.planted -> vezde.worker"),
        ("undeclared/__init__.py", "", "vezde.undeclared"),
    ),
    "Inside a domain": (
        (
            "members/model.py",
            "import vezde.members.queries",
            "vezde.members.model -> vezde.members.quer",
        ),
        (
            "members/queries.py",
            "import vezde.members.reactions",
            "members.queries -> vezde.members.reac",
        ),
        (
            "outbox/webhooks/events.py",
            "import vezde.outbox.webhooks.queries",
            "outbox.webhooks.events -> vezde.outbox.webhooks.quer",
        ),
        ("members/reactions.py", "", ""),
    ),
    "HTTP clients": (
        ("members/planted_httpx.py", "import httpx", "vezde.members.planted_httpx -> httpx"),
        (
            "receipts/planted_client.py",
            "import aiohttp",
            "vezde.receipts.planted_client -> aiohttp",
        ),
        ("api/planted_client.py", "from httpx import get", "vezde.api.planted_client -> httpx"),
    ),
    "Web frameworks": (
        ("receipts/planted_web.py", "import fastapi", "vezde.receipts.planted_web -> fastapi"),
        ("kit/planted_web.py", "import starlette.types", "vezde.kit.planted_web -> starlette"),
        ("kit/planted_server.py", "import uvicorn", "vezde.kit.planted_server -> uvicorn"),
    ),
    "Only the command line": (
        ("api/planted_typer.py", "import typer", "vezde.api.planted_typer -> typer"),
        ("kit/planted_rich.py", "from rich import print", "vezde.kit.planted_rich -> rich"),
    ),
    "A model imports no driver": (
        ("purchases/model.py", "import psycopg", "vezde.purchases.model -> psycopg"),
        (
            "access/model.py",
            "import vezde.access.planted",
            "vezde.access.model -> vezde.access.planted",
        ),
        ("access/planted.py", "import vezde.kit.db", "vezde.access.planted -> vezde.kit.db"),
    ),
    "A provider's module": (
        (
            "receipts/providers/planted.py",
            "import vezde.receipts.providers.planted_other",
            "vezde.receipts.providers.planted -> vezde.receipts.providers.planted_other",
        ),
        (
            "receipts/providers/schedule.py",
            "import vezde.receipts.providers.planted_other",
            "vezde.receipts.providers.schedule -> vezde.receipts.providers.planted_other",
        ),
        ("receipts/providers/planted_other.py", "", ""),
    ),
    "Providers are imported by wiring": (
        (
            "receipts/planted_vendor.py",
            "import vezde.receipts.providers.planted_other",
            "vezde.receipts.planted_vendor -> vezde.receipts.providers.planted_other",
        ),
        (
            "testing/planted.py",
            "import vezde.receipts.providers.planted_other",
            "vezde.testing.planted -> vezde.receipts.providers.planted_other",
        ),
        (
            "outbox/webhooks/planted.py",
            "import vezde.outbox.webhooks.delivery",
            "vezde.outbox.webhooks.planted -> vezde.outbox.webhooks.delivery",
        ),
    ),
}


def lint(src: Path) -> subprocess.CompletedProcess[str]:
    config = str(ROOT / "pyproject.toml")
    return subprocess.run(
        [sys.executable, "-c", LINT, "--no-cache", "--no-logo", "--config", config],
        cwd=src,
        env=os.environ | {"COLUMNS": "200", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """Heading -> what is said below it, for a copy that offends against every contract."""
    src = tmp_path_factory.mktemp("offending")
    shutil.copytree(PACKAGE, src / "vezde", ignore=shutil.ignore_patterns("__pycache__"))
    for offences in OFFENCES.values():
        for name, line, _ in offences:
            path = src / "vezde" / name
            path.parent.mkdir(exist_ok=True)
            path.touch()
            path.write_text(f"{path.read_text('utf-8')}\n{line}\n", "utf-8")
    said = lint(src).stdout
    assert "Broken contracts" in said, said
    below = re.split(r"\n([^\n]+)\n-{5,}\n", said.split("Broken contracts")[1])
    return dict(zip(below[1::2], below[2::2], strict=True))


class TestContracts:
    def test_are_kept(self) -> None:
        run = lint(SRC)
        assert run.returncode == 0, run.stdout + run.stderr

    @pytest.mark.parametrize("contract", OFFENCES)
    def test_catch_an_offence(self, contract: str, report: Mapping[str, str]) -> None:
        said = " ".join(text for heading, text in report.items() if heading.startswith(contract))
        unseen = [words for _, _, words in OFFENCES[contract] if words not in said]
        assert not unseen, f"not reported: {unseen}, only:\n{said}"

    def test_have_an_offence_each(self) -> None:
        text = (ROOT / "pyproject.toml").read_text("utf-8")
        names = re.findall(r'\[\[tool\.importlinter\.contracts\]\]\nid = .*\nname = "(.*)"', text)
        assert len(names) == text.count("[[tool.importlinter.contracts]]")
        assert [name for name in names if not name.startswith(tuple(OFFENCES))] == []

    def test_see_every_module(self) -> None:
        """A folder without `__init__.py` is invisible to them."""
        folders = sorted({source.path.parent for source in sources()})
        bare = [str(folder.relative_to(ROOT)) for folder in folders if not _is_package(folder)]
        assert not bare, told(bare)


def _is_package(folder: Path) -> bool:
    return (folder / "__init__.py").is_file()
