"""What the reference says is what the code does."""

import re
from pathlib import Path

import pytest

from docs import generate
from docs.generate import COMMAND, REFERENCE, ROOT
from vezde.access.model import Scope
from vezde.api import app
from vezde.receipts.model import Status
from vezde.sellers.model import SALES_CHANNELS, Kind

ROUTE = re.compile(r"^\| `(GET|POST|PUT|PATCH|DELETE) (/[^`?]*)` \|", re.MULTILINE)
PLANNED = "### Not there yet"


class TestMadeFromCode:
    @pytest.mark.parametrize("page", list(generate.pages()), ids=lambda path: path.name)
    def test_is_fresh(self, page: Path) -> None:
        text = page.read_text("utf-8")
        assert generate.fresh(text) == text, f"made anew by: {COMMAND}"

    def test_is_everything_there_is_to_make(self) -> None:
        found = {name for page in generate.pages() for name in _blocks(page)}
        assert found == set(generate.BLOCKS)

    def test_staleness_is_noticed(self) -> None:
        page = (REFERENCE / "settings.md").read_text("utf-8")
        assert generate.fresh(page.replace("VEZDE_WORKERS", "VEZDE_WORKMEN")) != page.replace(
            "VEZDE_WORKERS", "VEZDE_WORKMEN"
        )


class TestContract:
    def test_has_the_routes_there_are(self) -> None:
        text = (REFERENCE / "contract.md").read_text("utf-8")
        built, planned = _routes(text)
        assert built == _served()
        assert built & planned == set()

    def test_has_the_scopes_statuses_and_channels(self) -> None:
        text = (REFERENCE / "contract.md").read_text("utf-8")
        keys = (ROOT / "docs/howto/keys-and-scopes.md").read_text("utf-8")
        statuses = (REFERENCE / "statuses.md").read_text("utf-8")
        assert [one for one in Scope if one not in text or f"`{one}`" not in keys] == []
        assert [one for one in Status if f"`{one}`" not in statuses] == []
        assert ", ".join(SALES_CHANNELS) in text

    def test_has_the_kinds_of_shops(self) -> None:
        for name in ("name-a-shop.md", "name-a-shop.ru.md"):
            page = (ROOT / "docs" / "howto" / name).read_text("utf-8")
            assert ", ".join(Kind) in page


class TestProgram:
    def test_has_every_field_in_both_languages(self) -> None:
        fields = [path for path, *_ in generate.program_fields()]
        for name in ("program.md", "program.ru.md"):
            page = (REFERENCE / name).read_text("utf-8")
            told = re.findall(r"^\| `([^`]+)` \|", page, re.MULTILINE)
            assert told == fields


class TestMetrics:
    def test_that_are_explained_exist(self) -> None:
        page = (REFERENCE / "metrics.md").read_text("utf-8")
        made = generate.metrics()
        assert [name for name in re.findall(r"`(vezde_\w+)", page) if name not in made] == []


def _blocks(page: Path) -> list[str]:
    return [found["name"] for found in generate.BLOCK.finditer(page.read_text("utf-8"))]


def _routes(text: str) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    """(built, planned): method and path, whatever its parameters are called."""
    built: set[tuple[str, str]] = set()
    planned: set[tuple[str, str]] = set()
    for section in re.split(r"(?m)^(?=#{2,3} )", text):
        found = {(method, _plain(path)) for method, path in ROUTE.findall(section)}
        (planned if section.startswith(PLANNED) else built).update(found)
    return built, planned


def _served() -> set[tuple[str, str]]:
    paths = app.create(None).openapi()["paths"]
    return {(method.upper(), _plain(path)) for path, given in paths.items() for method in given}


def _plain(path: str) -> str:
    return re.sub(r"\{\w+\}", "{}", path)
