"""What benchmarks measure against knows nothing of what they measure."""

import ast
import sys
from pathlib import Path

import pytest

from architecture.reading import ROOT

CHEATING = ROOT / "benchmarks" / "cheating"


@pytest.mark.parametrize("path", sorted(CHEATING.glob("*.py")), ids=lambda path: path.name)
def test_the_population_of_cheats_imports_nothing_of_the_product(path: Path) -> None:
    imported = _roots(path.read_text("utf-8"))
    assert imported <= sys.stdlib_module_names | {"cheating"}
    assert {"importlib", "runpy"}.isdisjoint(imported)


def test_finds_a_hidden_import() -> None:
    assert _roots("def f():\n    from vezde.receipts import signals\n") == {"vezde"}
    assert len(list(CHEATING.glob("*.py"))) > 3


def _roots(source: str) -> set[str]:
    nodes = list(ast.walk(ast.parse(source)))
    plain = {name.name for node in nodes if isinstance(node, ast.Import) for name in node.names}
    given = {node.module or "." for node in nodes if isinstance(node, ast.ImportFrom)}
    return {one.split(".")[0] or "." for one in plain | given}
