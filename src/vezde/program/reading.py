"""Text of a document, YAML or JSON, into plain values with the line each came from.

Only YAML's plain part is read: mappings, lists, text, numbers, true/false, null. No anchors, no
tags, no merge keys, one document: what cannot be written cannot be misused.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from vezde.kit.errors import FieldError

MAX_BYTES = 256 * 1024
MAX_DEPTH = 20
YAML_TAG = "tag:yaml.org,2002:"
# A date stays text: JSON has no dates, and no section asks for a time of day.
TEXT_TAGS = {YAML_TAG + name for name in ("str", "timestamp", "value")}
# Controls and halves of surrogate pairs: no page shows them, PostgreSQL keeps some of them not.
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
# JSON writes a character beyond U+FFFF as two escapes, which YAML reads as two halves.
SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")

Path = tuple[str | int, ...]


@dataclass
class Read:
    """`value` is what was read as far as it goes, `lines` the line of each path, from 1."""

    value: Any = None
    lines: dict[Path, int] = field(default_factory=dict)
    errors: list[FieldError] = field(default_factory=list)

    def refuse(self, path: Path, code: str, detail: str, line: int | None) -> None:
        self.errors.append(FieldError(".".join(map(str, path)), code, detail, line))


def read(source: str | bytes | Mapping[str, Any]) -> Read:
    """Plain values of YAML or JSON text, or of an object that was read already."""
    if isinstance(source, Mapping):
        return _read_object(source)
    found = Read()
    text = _decoded(source, found)
    if text is None:
        return found
    if text.lstrip().startswith("{") and SURROGATE_ESCAPE.search(text):
        return _read_json(text) or _read_yaml(text, found)
    return _read_yaml(text, found)


def _read_yaml(text: str, found: Read) -> Read:
    try:
        node = YAML(typ="safe", pure=True).compose(text)
    except (YAMLError, RecursionError, ValueError) as error:
        return _read_json(text) or _syntax_error(error)
    if node is None:
        found.refuse((), "empty", "The document is empty. Start from examples/program.yaml.", 1)
        return found
    found.value = _Walk(found).value(node, ())
    return found


def _decoded(source: str | bytes, found: Read) -> str | None:
    size = len(source) if isinstance(source, bytes) else len(source.encode("utf-8", "replace"))
    if size > MAX_BYTES:
        _too_large(found)
        return None
    if isinstance(source, str):
        return source.removeprefix("\ufeff")
    try:
        return source.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = source.count(b"\n", 0, error.start) + 1
        found.refuse((), "not_utf8", "The file is not in UTF-8. Save it as UTF-8 text.", line)
        return None


def _too_large(found: Read) -> None:
    found.refuse((), "too_large", "The document is larger than 256 KB. Shorten its lists.", None)


def _read_object(source: Mapping[str, Any]) -> Read:
    found = Read()
    try:
        text = json.dumps(source, ensure_ascii=False, allow_nan=False)
        size = len(text.encode())
    except (TypeError, ValueError, RecursionError):
        found.refuse((), "not_json", "The document has a value that JSON cannot carry.", None)
        return found
    if size > MAX_BYTES:
        _too_large(found)
        return found
    found.value = _checked(json.loads(text), (), found)
    return found


def _read_json(text: str) -> Read | None:
    """JSON that YAML cannot read (tabs, surrogate escapes); None when it is not JSON either."""
    found = Read()

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        value = dict(pairs)
        if len(value) < len(pairs):
            seen: set[str] = set()
            for key, _ in pairs:
                if key in seen:
                    _duplicate(found, (key,), None)
                seen.add(key)
        return value

    try:
        value = json.loads(text, object_pairs_hook=members, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return None
    found.value = _checked(value, (), found)
    return found


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is not a number of JSON")


def _syntax_error(error: Exception) -> Read:
    found = Read()
    line = None
    what = "it is nested too deeply"
    if isinstance(error, MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else None
        what = str(error.problem or error.context)
    elif isinstance(error, ReaderError):
        what = f"it has a character that text may not have (U+{error.character:04X})"
    elif isinstance(error, ValueError):
        what = str(error)
    found.refuse((), "syntax", f"The text is not YAML: {what}. Correct it and try again.", line)
    return found


def _checked(value: Any, path: Path, found: Read) -> Any:
    """An object's values, refused where the database could not keep them."""
    if len(path) > MAX_DEPTH:
        _too_deep(found, path, None)
        return None
    if isinstance(value, dict):
        return {key: _checked(inner, (*path, key), found) for key, inner in value.items()}
    if isinstance(value, list):
        return [_checked(inner, (*path, place), found) for place, inner in enumerate(value)]
    if isinstance(value, str):
        _check_text(value, path, found, None)
    return value


def _check_text(text: str, path: Path, found: Read, line: int | None) -> None:
    bad = CONTROL.search(text)
    if bad:
        detail = f"Remove the invisible character U+{ord(bad[0]):04X} from this text."
        found.refuse(path, "bad_text", detail, line)


def _duplicate(found: Read, path: Path, line: int | None) -> None:
    detail = f"«{path[-1]}» stands here twice. Keep one of the two."
    found.refuse(path, "duplicate_key", detail, line)


def _too_deep(found: Read, path: Path, line: int | None) -> None:
    detail = f"Nested deeper than {MAX_DEPTH} levels; no section needs that. Check the indents."
    found.refuse(path[:MAX_DEPTH], "too_deep", detail, line)


class _Walk:
    """Builds values from the composed nodes of one document, remembering lines."""

    def __init__(self, found: Read) -> None:
        self.found = found
        self.seen: set[int] = set()

    def value(self, node: Node, path: Path) -> Any:
        line = node.start_mark.line + 1
        self.found.lines.setdefault(path, line)
        if id(node) in self.seen or node.anchor:
            detail = "Write the value out: anchors (&) and aliases (*) are not read here."
            self.found.refuse(path, "alias", detail, line)
            return None
        self.seen.add(id(node))
        if len(path) > MAX_DEPTH:
            _too_deep(self.found, path, line)
            return None
        if isinstance(node, MappingNode) and node.tag == YAML_TAG + "map":
            return self._mapping(node, path)
        if isinstance(node, SequenceNode) and node.tag == YAML_TAG + "seq":
            return [self.value(inner, (*path, at)) for at, inner in enumerate(node.value)]
        if isinstance(node, ScalarNode):
            return self._scalar(node, path, line)
        return self._refuse_tag(node, path, line)

    def _mapping(self, node: MappingNode, path: Path) -> dict[str, Any]:
        value: dict[str, Any] = {}
        for key_node, inner in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, ScalarNode):
                detail = "A name before the colon must be plain text."
                self.found.refuse(path, "bad_key", detail, line)
                continue
            key = key_node.value
            inner_path = (*path, key)
            _check_text(key, path, self.found, line)
            if key in value:
                _duplicate(self.found, inner_path, line)
                continue
            self.found.lines[inner_path] = line
            value[key] = self.value(inner, inner_path)
        return value

    def _scalar(self, node: ScalarNode, path: Path, line: int) -> Any:
        if node.tag in TEXT_TAGS:
            _check_text(node.value, path, self.found, line)
            return node.value
        read_scalar = SCALARS.get(str(node.tag))
        if read_scalar is None:
            return self._refuse_tag(node, path, line)
        try:
            return read_scalar(node.value)
        except ValueError:
            detail = (
                f"«{node.value[:40]}» cannot be read. Write plain digits, true or false, or put it "
                "in quotes if it is text or a code such as an INN."
            )
            self.found.refuse(path, "bad_value", detail, line)
            return None

    def _refuse_tag(self, node: Node, path: Path, line: int) -> None:
        detail = f"Remove the tag {node.tag}: only plain values are read here."
        self.found.refuse(path, "tag", detail, line)


def _integer(text: str) -> int:
    """Plain decimal digits only: 010, 0x1F and 1_000 mean different things to different readers."""
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 18:
        raise ValueError(text)
    if digits != "0" and digits.startswith("0"):
        raise ValueError(text)
    return int(text)


def _boolean(text: str) -> bool:
    if text.lower() not in {"true", "false"}:
        raise ValueError(text)
    return text.lower() == "true"


SCALARS: dict[str, Callable[[str], Any]] = {
    YAML_TAG + "int": _integer,
    YAML_TAG + "float": float,
    YAML_TAG + "bool": _boolean,
    YAML_TAG + "null": lambda _text: None,
}
