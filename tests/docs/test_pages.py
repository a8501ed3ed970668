"""The pages as pages: links lead somewhere, languages say the same, nothing stale is named."""

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from docs.generate import ROOT

LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```\w*\n(.*?)^```$", re.DOTALL | re.MULTILINE)
HEADING = re.compile(r"^(#{1,6}) (.+)$", re.MULTILINE)
PATHS_IN_CODE = re.compile(
    r"`((?:clients|tests|src|benchmarks|examples|migrations|requirements)/[\w./*-]+)`"
)
# Words of how the pages came about, and of what lies outside the project.
STRANGE = re.compile(
    r"(?:[Ii]n each issue|[Ii]ssue \d|[Tt]his issue|[Tt]he brief|[Ll]orem|reference/platform|CONTRACT\.md|/work/)"
)
SECTIONS = ("Context", "Decision", "Consequences", "Alternatives", "Enforced by")
MOST_LINES = 170
TABLES = {"cli.md", "errors.md", "contract.md", "texts.md", "program.md", "program.ru.md"}


@cache
def pages() -> tuple[Path, ...]:
    return (
        *sorted(ROOT.glob("*.md")),
        *sorted((ROOT / "docs").rglob("*.md")),
        *sorted((ROOT / "clients").rglob("*.md")),
    )


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def russian() -> list[Path]:
    return [path for path in pages() if path.name.endswith(".ru.md")]


def decisions() -> list[Path]:
    return sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))


class TestLinks:
    @pytest.mark.parametrize("page", pages(), ids=named)
    def test_lead_somewhere(self, page: Path) -> None:
        assert list(_broken(page)) == []

    def test_reach_every_page(self) -> None:
        reached = {ROOT / "README.md"}
        fresh = set(reached)
        while fresh:
            fresh = {target for page in fresh for target, _ in _targets(page)} - reached
            fresh = {page for page in fresh if page.suffix == ".md"}
            reached |= fresh
        assert [named(page) for page in pages() if page not in reached] == []

    def test_broken_ones_are_noticed(self, tmp_path: Path) -> None:
        page = tmp_path / "page.md"
        page.write_text("# One\n[a](other.md) [b](#two) [c](#one) [d](https://example.org)\n")
        assert list(_broken(page)) == ["other.md", "#two"]


class TestCode:
    @pytest.mark.parametrize("page", pages(), ids=named)
    def test_is_where_the_page_says(self, page: Path) -> None:
        gone = [path for path in PATHS_IN_CODE.findall(_prose(page)) if not _is_there(path)]
        assert gone == []


class TestLanguages:
    @pytest.mark.parametrize("page", russian(), ids=named)
    def test_have_the_same_headings_and_commands(self, page: Path) -> None:
        other = page.with_name(page.name.replace(".ru.md", ".md"))
        texts = page.read_text("utf-8"), other.read_text("utf-8")
        ranks = [[mark for mark, _ in HEADING.findall(FENCE.sub("", text))] for text in texts]
        assert ranks[0] == ranks[1]
        assert FENCE.findall(texts[0]) == FENCE.findall(texts[1])

    @pytest.mark.parametrize("page", russian(), ids=named)
    def test_have_tables_of_the_same_size(self, page: Path) -> None:
        other = page.with_name(page.name.replace(".ru.md", ".md"))
        rows = [
            sum(line.startswith("|") for line in each.read_text("utf-8").splitlines())
            for each in (page, other)
        ]
        assert rows[0] == rows[1]

    @pytest.mark.parametrize("page", russian(), ids=named)
    def test_name_each_other(self, page: Path) -> None:
        other = page.with_name(page.name.replace(".ru.md", ".md"))
        assert f"({other.name})" in page.read_text("utf-8")
        assert f"({page.name})" in other.read_text("utf-8")


class TestDecisions:
    @pytest.mark.parametrize("page", decisions(), ids=lambda path: path.stem)
    def test_have_their_sections(self, page: Path) -> None:
        text = page.read_text("utf-8")
        assert tuple(title for mark, title in HEADING.findall(text) if mark == "##") == SECTIONS
        assert re.match(rf"# {page.name[:4]}\. .+\n\n20\d\d-\d\d-\d\d, accepted\n", text)

    def test_are_listed_and_numbered(self) -> None:
        index = (ROOT / "docs" / "decisions" / "README.md").read_text("utf-8")
        numbers = [int(page.name[:4]) for page in decisions()]
        assert numbers == list(range(1, len(numbers) + 1))
        assert [page.name for page in decisions() if f"({page.name})" not in index] == []


class TestWords:
    @pytest.mark.parametrize("page", pages(), ids=named)
    def test_are_of_the_product(self, page: Path) -> None:
        assert [found[0] for found in STRANGE.finditer(page.read_text("utf-8"))] == []

    @pytest.mark.parametrize("page", pages(), ids=named)
    def test_are_a_screen_or_two(self, page: Path) -> None:
        lines = len(page.read_text("utf-8").splitlines())
        assert lines <= MOST_LINES or page.name in TABLES


class TestArchitecture:
    def test_has_the_layers_that_are_checked(self) -> None:
        config = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
        contracts = config["tool"]["importlinter"]["contracts"]
        checked = next(one for one in contracts if one["id"] == "layers")["layers"]
        blocks = FENCE.findall((ROOT / "ARCHITECTURE.md").read_text("utf-8"))
        shown = next(block for block in blocks if block.startswith("cli\n")).splitlines()
        plain = [re.sub(r"[() ]", "", layer).split("|") for layer in checked]
        assert [re.sub(r" ", "", layer).split("|") for layer in shown] == [
            layer for layer in plain if layer != ["__main__"]
        ]


class TestDependencies:
    def test_have_a_reason_each(self) -> None:
        page = (ROOT / "docs" / "explain" / "dependencies.md").read_text("utf-8")
        told = set(re.findall(r"^\| ([a-z][\w.-]*) \|", page, re.MULTILINE)) - {"package"}
        wanted = set()
        for name in ("run.in", "dev.in", "nightly.in"):
            for line in (ROOT / "requirements" / name).read_text("utf-8").splitlines():
                if line and not line.startswith(("#", "-")):
                    wanted.add(re.match(r"[\w.-]+", line)[0])
        assert told == wanted


def _prose(page: Path) -> str:
    return FENCE.sub("", page.read_text("utf-8"))


def _targets(page: Path) -> Iterator[tuple[Path, str]]:
    for link in LINK.findall(_prose(page)):
        if "://" not in link:
            path, _, anchor = link.partition("#")
            yield ((page.parent / path).resolve() if path else page.resolve()), anchor


def _broken(page: Path) -> Iterator[str]:
    for link in LINK.findall(_prose(page)):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in _anchors(target)):
            yield link


def _anchors(page: Path) -> set[str]:
    """As code hostings make them: small letters, no signs, spaces to hyphens."""
    return {
        re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-")
        for _, title in HEADING.findall(_prose(page))
    }


def _is_there(path: str) -> bool:
    return any(ROOT.glob(path)) if "*" in path else (ROOT / path).exists()
