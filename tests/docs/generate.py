"""The parts of docs/reference that are made from the code.

python tests/docs/generate.py            writes them anew
"""

import importlib
import pkgutil
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from inspect import Parameter, signature
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin, get_type_hints

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "docs" / "reference"
COMMAND = "python tests/docs/generate.py"
BLOCK = re.compile(
    r"(<!-- begin (?P<name>\w+): made by tests/docs/generate\.py -->\n).*?(<!-- end (?P=name) -->)",
    re.DOTALL,
)


def fresh(text: str) -> str:
    """A page's text with every block as the code makes it now."""
    return BLOCK.sub(lambda found: f"{found[1]}{BLOCKS[found['name']]()}{found[3]}", text)


def pages() -> Iterator[Path]:
    """Pages with blocks."""
    for path in sorted(REFERENCE.glob("*.md")):
        if BLOCK.search(path.read_text("utf-8")):
            yield path


def settings() -> str:
    from vezde.settings import VARIABLES

    rows = [
        (
            f"`{one.name}`" + (", `…_FILE`" if one.secret else ""),
            f"`{one.default}`" if one.default else "",
            one.what,
        )
        for one in VARIABLES
    ]
    return table(("variable", "default", "what it decides"), rows)


def program() -> str:
    return table(
        ("field", "values", "default", "what it decides"),
        [(f"`{path}`", values, default, what) for path, values, default, what in program_fields()],
    )


def program_fields() -> list[tuple[str, str, str, str]]:
    """(path, values, default or "needed", description) of every field, as the schema has them."""
    from vezde import wiring
    from vezde.program import document

    schema = document.schema(wiring.SECTIONS)
    return list(_fields(schema, schema, ""))


def _fields(
    schema: Mapping[str, Any], node: Mapping[str, Any], before: str
) -> Iterator[tuple[str, str, str, str]]:
    needed = node.get("required", ())
    for name, given in node.get("properties", {}).items():
        field = _resolved(schema, given)
        default = "needed" if name in needed else _shown_default(given)
        what = given.get("description") or field.get("description", "")
        yield f"{before}{name}", _values(field), default, what
        yield from _fields(schema, field, f"{before}{name}.")
        if isinstance(field.get("additionalProperties"), dict):
            inner = _resolved(schema, field["additionalProperties"])
            key = {"lines": "line"}.get(name, "sales_channel")
            yield from _fields(schema, inner, f"{before}{name}.<{key}>.")


def _resolved(schema: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The field without `$ref` and without the null of an optional one."""
    field = dict(given)
    options = [one for one in field.pop("anyOf", ()) if one.get("type") != "null"]
    if options:
        field = {**options[0], **field, "nullable": True}
    if "$ref" in field:
        field = {**schema["$defs"][field["$ref"].rsplit("/", 1)[1]], **field}
    return field


KINDS = {
    "integer": "whole number",
    "string": "text",
    "boolean": "`true` or `false`",
    "array": "list",
    "object": "fields",
}


def _values(field: Mapping[str, Any]) -> str:
    if "enum" in field:
        return ", ".join(field["enum"])
    kind = KINDS[field["type"]]
    if "minimum" in field:
        kind += f" {field['minimum']} to {field['maximum']}"
    return kind + (" or null" if field.get("nullable") else "")


def _shown_default(given: Mapping[str, Any]) -> str:
    default = given.get("default")
    if default is None:
        return "`null`" if "default" in given else ""
    return f"`{default}`" if isinstance(default, int | str) else ""


def texts() -> str:
    from vezde.kit.i18n import Locale
    from vezde.messaging import catalogue

    rows = [
        (
            f"`{key}`",
            ", ".join(f"`{{{name}}}`" for name in sorted(text.variables)),
            *(_cell(text.words[locale]) for locale in (Locale.RU, Locale.EN)),
        )
        for key, text in catalogue.shipped().items()
    ]
    return table(("text", "variables", "по-русски", "English"), rows)


def _cell(text: str) -> str:
    """Words as they are written, in one line."""
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", "<br>")


def reasons() -> str:
    from vezde.receipts.model import Reason
    from vezde.receipts.reasons import TEXTS

    rows = [
        (
            f"`{reason}`",
            "yes" if reason.doubts_the_document else "",
            TEXTS["ru"][reason],
            TEXTS["en"][reason],
        )
        for reason in Reason
    ]
    return table(("reason", "frees", "по-русски", "English"), rows)


# What no caller of the API meets: starts, files, codes that become reasons of a receipt.
INSIDE = ("vezde.cli", "vezde.kit.postgres", "vezde.kit.migrate", "vezde.kit.files")
INSIDE += ("vezde.kit.vault", "vezde.settings", "vezde.receipts.qr", "vezde.members.operations")


def errors() -> str:
    """Every error a caller may be answered, by code."""
    from vezde.api import problems
    from vezde.kit.errors import DomainError

    _import_all()
    told: dict[tuple[str, int], tuple[set[str], list[str]]] = {}
    for kind in _subclasses(DomainError):
        if kind.__module__.startswith(INSIDE) or kind.code == "error":
            continue
        key = kind.code, problems.status_of(kind.__new__(kind))
        places, said = told.setdefault(key, (set(), []))
        places.add(kind.__module__.split(".")[1])
        if what := (kind.__dict__.get("__doc__") or "").strip():
            said.append(re.split(r"(?<=[.;])\s", what, maxsplit=1)[0].rstrip(".;") + ".")
    rows = [
        (f"`{code}`", str(status), ", ".join(sorted(places)), " ".join(dict.fromkeys(said)))
        for (code, status), (places, said) in sorted(told.items(), key=lambda one: one[0])
    ]
    return table(("code", "status", "from", "meaning"), rows)


def _import_all() -> None:
    import vezde

    for found in pkgutil.walk_packages(vezde.__path__, "vezde."):
        if not found.name.startswith(("vezde.testing", "vezde.cli", "vezde.__main__")):
            importlib.import_module(found.name)


def _subclasses(kind: type) -> Iterator[type]:
    for one in kind.__subclasses__():
        if one.__module__.startswith("vezde.") and one.__name__ != "RaisedByHandler":
            yield one
            yield from _subclasses(one)


def metrics() -> str:
    from vezde.api.running import REGISTRY

    rows = []
    for family in REGISTRY.collect():
        kind = getattr(family, "type", "")
        name = family.name + ("_total" if kind == "counter" else "")
        rows.append((f"`{name}`", kind, family.documentation))
    return table(("metric", "kind", "what it counts"), sorted(rows))


def cli() -> str:
    from vezde.cli.app import app

    return "\n".join(_commands(app, "vezde"))


def _commands(app: Any, name: str) -> Iterator[str]:
    """A section a command, as typer has them registered."""
    if app.registered_callback and app.registered_callback.invoke_without_command is True:
        yield from _command(app.registered_callback.callback, name)
    for one in app.registered_commands:
        if not one.hidden:
            word = one.name or one.callback.__name__
            yield from _command(one.callback, f"{name} {word}")
    for group in app.registered_groups:
        yield from _commands(group.typer_instance, f"{name} {group.name}")


def _command(callback: Callable[..., object], name: str) -> Iterator[str]:
    yield f"## `{name}`\n"
    yield " ".join((callback.__doc__ or "").split()) + "\n"
    hints = get_type_hints(callback, include_extras=True)
    rows = [
        _parameter(parameter, *get_args(hints[parameter.name]))
        for parameter in signature(callback).parameters.values()
        if get_origin(hints[parameter.name]) is Annotated
        and not get_args(hints[parameter.name])[1].hidden
    ]
    if rows:
        yield table(("parameter", "default", "what it decides"), rows)


def _parameter(parameter: Parameter, kind: Any, info: Any) -> tuple[str, str, str]:
    needed = parameter.default is Parameter.empty
    if type(info).__name__ == "ArgumentInfo":
        shown = parameter.name.upper()
    else:
        shown = next(iter(info.param_decls or ()), f"--{parameter.name.replace('_', '-')}")
    if isinstance(kind, type) and issubclass(kind, Enum):
        shown += " " + "|".join(str(one.value) for one in kind)
    elif kind is not bool and shown.startswith("--"):
        shown += " …"
    if needed:
        default = "needed"
    elif parameter.default in (None, False):
        default = ""
    else:
        default = f"`{getattr(parameter.default, 'value', parameter.default)}`"
    return f"`{shown}`", default, " ".join((info.help or "").split())


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    cells = [[_cell(text) for text in line] for line in lines]
    return "".join(f"| {' | '.join(line)} |\n" for line in cells)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


BLOCKS: Mapping[str, Callable[[], str]] = {
    "settings": settings,
    "program": program,
    "reasons": reasons,
    "texts": texts,
    "errors": errors,
    "metrics": metrics,
    "cli": cli,
}


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT / "src"))
    for page in pages():
        text = page.read_text("utf-8")
        if (made := fresh(text)) != text:
            page.write_text(made, "utf-8")
            sys.stdout.write(f"{page.relative_to(ROOT)}\n")
