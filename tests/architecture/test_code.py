"""Rules of STYLE and ARCHITECTURE that can be read off the source."""

import ast
from collections.abc import Callable, Iterator, Mapping
from functools import cache

import pytest

from architecture.reading import (
    PACKAGE,
    Source,
    called,
    dotted,
    functions,
    own_nodes,
    sources,
    told,
)

LINES_OF_A_FUNCTION = 70
LINES_OF_A_MODULE = 500
NESTING = 4

# Function -> why it takes or makes a float.
FLOATS: Mapping[str, str] = {
    "vezde.kit.money.quantity_number": "JSON shows a quantity as a number; nothing is computed of it",
    "vezde.program.wording.near": "the likeness of two words",
}
# Modules where points and money are computed.
OF_MONEY = ("ledger", "program", "purchases", "kit.money")

SPEAK_TO_VENDORS = (
    "vezde.receipts.providers.",
    "vezde.messaging.transports.",
    "vezde.connectors.",
    "vezde.outbox.webhooks.delivery",
    "vezde.testing.",
)

CLOCKS = frozenset(
    {
        "datetime.now",
        "datetime.utcnow",
        "datetime.today",
        "date.today",
        "time.time",
        "time.time_ns",
        "clock.utc_now",
        "utc_now",
    }
)
CLOCK_METHODS = frozenset({"wall", "programme"})

BLOCKS = (
    ast.If,
    ast.For,
    ast.AsyncFor,
    ast.While,
    ast.With,
    ast.AsyncWith,
    ast.Try,
    ast.TryStar,
    ast.Match,
)

Rule = Callable[[Source], Iterator[str]]


def offences(rule: Rule) -> list[str]:
    return [offence for source in sources() for offence in rule(source)]


def seen(rule: Rule, text: str, path: str) -> list[str]:
    """What the rule says of a file with this text."""
    return list(rule(Source(PACKAGE / path, ast.parse(text), len(text.splitlines()))))


def long_functions(source: Source) -> Iterator[str]:
    for function in functions(source.tree):
        lines = (function.end_lineno or 0) - function.lineno + 1
        if lines > LINES_OF_A_FUNCTION:
            yield f"{source.at(function)}: {function.name} has {lines} lines"


def long_modules(source: Source) -> Iterator[str]:
    if source.lines > LINES_OF_A_MODULE:
        yield f"{source.at(source.tree)}: {source.lines} lines; split by capability"


def deep_functions(source: Source) -> Iterator[str]:
    for function in functions(source.tree):
        if (depth := _depth(function.body)) > NESTING:
            yield f"{source.at(function)}: {function.name} is nested {depth} deep"


def silent_excepts(source: Source) -> Iterator[str]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ExceptHandler):
            if node.type is None:
                yield f"{source.at(node)}: a bare except; name what is caught"
            if all(_does_nothing(statement) for statement in node.body):
                yield f"{source.at(node)}: caught and forgotten; contextlib.suppress says it openly"


def code_in_init(source: Source) -> Iterator[str]:
    of_domain = source.path.name == "__init__.py" and source.is_domain and len(source.parts) == 1
    if of_domain and (ast.get_docstring(source.tree) is None or len(source.tree.body) != 1):
        yield f"{source.at(source.tree)}: a domain's __init__ is its docstring, nothing else"


def undocumented(source: Source) -> Iterator[str]:
    """Public functions and classes of operations and queries; an error's name and code say all."""
    if not (source.is_domain and {"operations", "queries"} & set(source.parts[1:2])):
        return
    for node in source.tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            public = not node.name.startswith("_")
            if public and not ast.get_docstring(node) and not _is_error(node):
                yield f"{source.at(node)}: {node.name} has no docstring"


def floats(source: Source) -> Iterator[str]:
    if not source.module.removeprefix("vezde.").startswith(OF_MONEY):
        return
    allowed = {
        id(inner)
        for function in functions(source.tree)
        if f"{source.module}.{function.name}" in FLOATS
        for inner in ast.walk(function)
    }
    for node in ast.walk(source.tree):
        literal = isinstance(node, ast.Constant) and isinstance(node.value, float)
        if (literal or called(node) == "float") and id(node) not in allowed:
            yield f"{source.at(node)}: a float; points, kopecks and millionths are integers"


def commits(source: Source) -> Iterator[str]:
    """Operations and queries belong to the caller's transaction."""
    if not _is_of_the_callers_transaction(source):
        return
    for node in ast.walk(source.tree):
        call = called(node)
        # A hold is committed too, but never without saying which.
        if call.endswith((".commit", ".rollback")) and not (node.args or node.keywords):
            yield f"{source.at(node)}: {call}(): the caller commits"
        if call.endswith("database.transaction"):
            yield f"{source.at(node)}: {call}(): take `db`, the caller opens the transaction"


def clocks(source: Source) -> Iterator[str]:
    if not _is_of_the_callers_transaction(source):
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Name | ast.Attribute):
            name = dotted(node)
            asks = name in CLOCKS or (
                isinstance(node, ast.Attribute)
                and node.attr in CLOCK_METHODS
                and dotted(node.value).split(".")[-1] == "clock"
            )
            if asks:
                yield f"{source.at(node)}: {name}: take `now` (or `wall`) as a parameter"


def own_http(source: Source) -> Iterator[str]:
    """The standard library's clients, which the contract on HTTP clients cannot tell from parsers."""
    if source.module.startswith(SPEAK_TO_VENDORS):
        return
    for node in ast.walk(source.tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            names = [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
        for name in names:
            if name in {"urllib.request", "http.client", "smtplib", "ftplib"}:
                yield f"{source.at(node)}: {name}: vendors are spoken to elsewhere, by httpx"


def answers_before_the_commit(source: Source) -> Iterator[str]:
    """A `yield` dependency ends, and would commit, after the answer has left."""
    if source.top not in {"api", "bot", "web"}:
        return
    generators = _generators()
    for node in ast.walk(source.tree):
        if called(node).split(".")[-1] in {"Depends", "Security"}:
            assert isinstance(node, ast.Call)
            given = node.args[0] if node.args else None
            name = called(given) if isinstance(given, ast.Call) else dotted(given or node)
            if name.split(".")[-1] in generators:
                yield f"{source.at(node)}: {name} yields; open the transaction in the handler"
    for function in functions(source.tree):
        opens = any(called(node).endswith(".transaction") for node in own_nodes(function))
        if opens and _yields(function):
            yield f"{source.at(function)}: {function.name} yields inside a transaction"


NESTED = """
def act():
    for a in b:
        with a:
            try:
                if a:
                    go()
                elif b:
                    while b:
                        go()
            finally:
                stop()
"""
RULES: tuple[tuple[Rule, str, str], ...] = (
    (long_functions, "ledger/model.py", "def act():\n" + "    go()\n" * LINES_OF_A_FUNCTION),
    (long_modules, "ledger/model.py", "go()\n" * (LINES_OF_A_MODULE + 1)),
    (
        deep_functions,
        "kit/db.py",
        NESTED,
    ),
    (silent_excepts, "kit/db.py", "try: go()\nexcept ValueError: pass"),
    (silent_excepts, "kit/db.py", "try: go()\nexcept: stop()"),
    (silent_excepts, "kit/db.py", "try: go()\nexcept* ValueError: ..."),
    (code_in_init, "ledger/__init__.py", '"""Points."""\nfrom vezde.ledger.model import Lot'),
    (code_in_init, "ledger/__init__.py", ""),
    (undocumented, "ledger/queries.py", "async def points(): ..."),
    (undocumented, "ledger/operations/holding.py", "class Hold:\n    points: int"),
    (floats, "ledger/model.py", "share = float(points)"),
    (floats, "program/decide.py", "share = points * 0.05"),
    (floats, "kit/money.py", "def kopecks(): return float(1)"),
    (commits, "members/operations/enrolling.py", "async def enrol(db): await db.commit()"),
    (commits, "members/queries.py", "async def who(desk): desk.database.transaction()"),
    (clocks, "members/operations/enrolling.py", "at = datetime.now(UTC)"),
    (clocks, "members/model.py", "def make(wall=utc_now): ..."),
    (clocks, "members/queries.py", "at = self.clock.wall()"),
    (own_http, "members/work.py", "import urllib.request"),
    (own_http, "catalog/reading.py", "from http import client"),
    (
        answers_before_the_commit,
        "api/app.py",
        "async def feed():\n    async with database.transaction() as db:\n        yield db",
    ),
)


class TestSource:
    @pytest.mark.parametrize("rule", dict.fromkeys(rule for rule, _, _ in RULES))
    def test_keeps_the_rule(self, rule: Rule) -> None:
        found = offences(rule)
        assert not found, told(found)

    @pytest.mark.parametrize(("rule", "path", "text"), RULES)
    def test_is_told_of_an_offence(self, rule: Rule, path: str, text: str) -> None:
        assert len(seen(rule, text, path)) == 1

    def test_is_told_of_a_dependency_that_yields(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(
            answers_before_the_commit.__globals__, "_generators", lambda: {"opened"}
        )
        for text in ("Depends(opened)", "fastapi.Depends(tools.opened)", "Security(opened(1))"):
            assert len(seen(answers_before_the_commit, text, "api/app.py")) == 1

    def test_with_a_nested_generator_counts_as_one(self) -> None:
        tree = ast.parse("def scope():\n    async def opened():\n        yield\n    return opened")
        assert _names_of_generators(tree) == {"scope", "opened"}

    @pytest.mark.parametrize(
        ("rule", "path", "text"),
        [
            (silent_excepts, "kit/db.py", "try: go()\nexcept ValueError: stop()"),
            (undocumented, "ledger/queries.py", "class Gone(DomainError):\n    code = 'gone'"),
            (undocumented, "ledger/model.py", "def fault(): ..."),
            (commits, "members/operations/enrolling.py", "async def enrol(db): db.transaction()"),
            (commits, "checkout/operations.py", "async def close(db): holds.commit(db, [hold])"),
            (clocks, "members/work.py", "at = clock.wall()"),
            (own_http, "receipts/qr/grammar.py", "from urllib.parse import unquote"),
            (floats, "kit/money.py", "def quantity_number(): return float(1)"),
        ],
    )
    def test_is_left_alone_where_it_may(self, rule: Rule, path: str, text: str) -> None:
        assert seen(rule, text, path) == []

    def test_still_has_the_excepted(self) -> None:
        known = {
            f"{source.module}.{function.name}"
            for source in sources()
            for function in functions(source.tree)
        }
        assert set(FLOATS) <= known


def _depth(body: list[ast.stmt]) -> int:
    return max((_depth_of(statement) for statement in body), default=0)


def _depth_of(statement: ast.stmt) -> int:
    if not isinstance(statement, BLOCKS):
        return 0  # a function inside is measured by itself
    inner = 0
    for _, value in ast.iter_fields(statement):
        for part in value if isinstance(value, list) else ():
            if isinstance(part, ast.If) and _is_elif(statement, part):
                inner = max(inner, _depth_of(part) - 1)
            elif isinstance(part, ast.stmt):
                inner = max(inner, _depth_of(part))
            elif isinstance(part, ast.ExceptHandler | ast.match_case):
                inner = max(inner, _depth(part.body))
    return 1 + inner


def _is_elif(parent: ast.stmt, part: ast.If) -> bool:
    return isinstance(parent, ast.If) and parent.orelse == [part]


def _does_nothing(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Pass) or (
        isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    )


def _is_error(node: ast.AST) -> bool:
    """A class with a stable code of its own: `code = "account_missing"`."""
    return isinstance(node, ast.ClassDef) and any(
        isinstance(line, ast.Assign) and [dotted(target) for target in line.targets] == ["code"]
        for line in node.body
    )


def _is_of_the_callers_transaction(source: Source) -> bool:
    inside = set(source.parts[1:])
    return source.is_domain and bool(
        inside & {"operations", "queries", "model", "decide", "events"}
    )


def _yields(function: ast.AST) -> bool:
    return any(isinstance(node, ast.Yield | ast.YieldFrom) for node in own_nodes(function))


@cache
def _generators() -> frozenset[str]:
    """Functions of the package that yield, and those that hold one: they may hand it out."""
    return frozenset().union(*(_names_of_generators(source.tree) for source in sources()))


def _names_of_generators(tree: ast.AST, inside: tuple[str, ...] = ()) -> set[str]:
    found: set[str] = set()
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Yield | ast.YieldFrom):
            found |= set(inside)
        named = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        found |= _names_of_generators(node, (*inside, node.name) if named else inside)
    return found
