"""The project as text, as trees and as modules, for the tests of this folder; read once a run."""

import ast
import importlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src"
PACKAGE = SRC / "vezde"
MIGRATIONS = ROOT / "migrations"

FACES = frozenset({"api", "bot", "web", "worker"})
NO_DOMAIN = FACES | {"", "__main__", "cli", "wiring", "testing", "settings", "kit"}

SQL_VERBS = (
    "SELECT|INSERT INTO|UPDATE|DELETE FROM|WITH|VALUES|MERGE|CREATE|ALTER|DROP|TRUNCATE|GRANT|REVOKE"
    "|LOCK|LISTEN|UNLISTEN|NOTIFY|SET|RESET|COPY|CALL|DO|VACUUM|ANALYZE|COMMENT ON"
)
IS_SQL = re.compile(rf"\s*(?:--[^\n]*\s+)*(?:{SQL_VERBS})\s")
SQL_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
CONSTANT = re.compile(r"_?[A-Z][A-Z0-9_]*")


@dataclass(frozen=True)
class Source:
    """A Python file of the package."""

    path: Path
    tree: ast.Module
    lines: int

    @property
    def parts(self) -> tuple[str, ...]:
        """`("ledger", "operations")` for src/vezde/ledger/operations.py or operations/__init__.py."""
        parts = self.path.relative_to(PACKAGE).with_suffix("").parts
        return parts[:-1] if parts[-1] == "__init__" else parts

    @property
    def module(self) -> str:
        return ".".join(("vezde", *self.parts))

    @property
    def top(self) -> str:
        """The layer it belongs to: a domain, a face, "kit", "settings"; "" for the package itself."""
        return self.parts[0] if self.parts else ""

    @property
    def is_domain(self) -> bool:
        return self.top not in NO_DOMAIN

    def at(self, node: ast.AST) -> str:
        return f"{self.path.relative_to(ROOT)}:{getattr(node, 'lineno', 1)}"


@dataclass(frozen=True)
class Statement:
    """An SQL constant, under the name it is known by: `vezde.kit.clock.OFFSET`."""

    source: Source
    name: str
    line: int
    text: str

    @property
    def where(self) -> str:
        return f"{self.source.path.relative_to(ROOT)}:{self.line} {self.name.rsplit('.', 1)[1]}"


@cache
def sources() -> tuple[Source, ...]:
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        text = path.read_text("utf-8")
        found.append(Source(path, ast.parse(text), len(text.splitlines())))
    return tuple(found)


@cache
def imported() -> tuple[Mapping[str, ModuleType], Mapping[str, str]]:
    """Every module of the package but `__main__`, which is there to be run; and what failed."""
    modules: dict[str, ModuleType] = {}
    failed: dict[str, str] = {}
    for source in sources():
        if source.parts[-1:] == ("__main__",):
            continue
        try:
            modules[source.module] = importlib.import_module(source.module)
        except Exception as error:
            failed[source.module] = f"{type(error).__name__}: {error}"
    return modules, failed


@cache
def statements() -> tuple[Statement, ...]:
    """The SQL constants of every module, alone or in a tuple, list or dict."""
    modules, _ = imported()
    found = []
    for source in sources():
        if source.module not in modules:
            continue
        for name, node in module_constants(source.tree):
            value = getattr(modules[source.module], name, None)
            for key, text in _texts(value):
                if IS_SQL.match(text):
                    known_as = f"{source.module}.{name}{key}"
                    found.append(Statement(source, known_as, node.lineno, text))
    return tuple(found)


@cache
def migrations() -> Mapping[Path, str]:
    """The migrations without their comments."""
    paths = sorted(MIGRATIONS.glob("*.sql"))
    return {path: without_comments(path.read_text("utf-8")) for path in paths}


def without_comments(sql: str) -> str:
    """The same lines; what stood in comments is gone."""
    return SQL_COMMENT.sub(lambda match: "\n" * match[0].count("\n"), sql)


def module_constants(tree: ast.Module) -> Iterator[tuple[str, ast.stmt]]:
    for node in tree.body:
        targets: Sequence[ast.expr] = ()
        if isinstance(node, ast.Assign):
            targets = node.targets
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            targets = (node.target,)
        for target in targets:
            if isinstance(target, ast.Name) and CONSTANT.fullmatch(target.id):
                yield target.id, node


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def own_nodes(function: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a function without those of the functions inside it."""
    for child in ast.iter_child_nodes(function):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield child
            yield from own_nodes(child)


def called(node: ast.AST) -> str:
    """What is called, as written: "datetime.now"; "" for anything but names and attributes."""
    return dotted(node.func) if isinstance(node, ast.Call) else ""


def dotted(node: ast.AST) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return ""


def told(offences: Sequence[str]) -> str:
    """An assertion's message: one offence a line."""
    return "\n" + "\n".join(offences)


def _texts(value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield "", value
    elif isinstance(value, tuple | list):
        yield from ((f"[{i}]", text) for i, text in enumerate(value) if isinstance(text, str))
    elif isinstance(value, Mapping):
        yield from ((f"[{key}]", text) for key, text in value.items() if isinstance(text, str))
