"""What pydantic found, in our codes and words: each error says what to write instead."""

from collections.abc import Callable, Sequence
from difflib import get_close_matches
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from vezde.program.reading import Path


def said(model: type[BaseModel], error: ErrorDetails) -> tuple[Path, str, str]:
    """One error as path, stable code and sentence.

    A section's own `PydanticCustomError` keeps its code and message, a ValueError its message.
    """
    path: Path = tuple(part for part in error["loc"] if part != "[key]")
    if error["type"] == "extra_forbidden":
        return path, "unknown_field", _unknown(str(path[-1]), _fields_at(model, path[:-1]))
    if error["type"] not in WORDS:
        return path, error["type"], error["msg"]
    code, detail = WORDS[error["type"]]
    return path, code, detail(error)


def near(name: str, known: Sequence[str]) -> str | None:
    """The known name that this one was probably meant to be."""
    return next(iter(get_close_matches(name.casefold(), known, n=1, cutoff=0.6)), None)


def _whole_number(error: ErrorDetails) -> str:
    if isinstance(error["input"], str):
        return f"Write a whole number without quotes, not the text «{error['input'][:40]}»."
    return f"Write a whole number, not {_shown(error['input'])}."


def _too_small(error: ErrorDetails) -> str:
    least = error["ctx"]["ge"]
    hint = " For no limit write null." if least == 1 and error["input"] == 0 else ""
    return f"Write {least} or more.{hint}"


def _text(error: ErrorDetails) -> str:
    value = error["input"]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f'Put the value in quotes: "{value}".'
    return f"Write text here, not {_shown(value)}."


def _list(error: ErrorDetails) -> str:
    return f"Write a list, for example [one, two], not {_shown(error['input'])}."


def _fields(error: ErrorDetails) -> str:
    return f"Write fields here (name: value), not {_shown(error['input'])}."


def _shown(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "fields"
    if isinstance(value, list):
        return "a list"
    return f"«{str(value)[:40]}»"


def _sentence(error: ErrorDetails) -> str:
    """What a section's own check raised, with its full stop."""
    return f"{error['ctx']['error']}".rstrip(".") + "."


WORDS: dict[str, tuple[str, Callable[[ErrorDetails], str]]] = {
    "missing": ("missing", lambda error: f"Add «{error['loc'][-1]}»: it has no default."),
    "int_type": ("not_an_integer", _whole_number),
    "int_from_float": ("not_an_integer", _whole_number),
    "int_parsing": ("not_an_integer", _whole_number),
    "greater_than_equal": ("too_small", _too_small),
    "less_than_equal": ("too_large", lambda error: f"Write {error['ctx']['le']} or less."),
    "string_type": ("not_text", _text),
    "string_too_short": ("empty", lambda _error: "Fill this in or take it out."),
    "too_short": ("empty", lambda _error: "Name at least one, or take the field out."),
    "string_too_long": (
        "too_long",
        lambda error: f"Write at most {error['ctx']['max_length']} characters.",
    ),
    "string_pattern_mismatch": (
        "bad_name",
        lambda error: (
            f"«{error['input']}» must begin with a letter a-z and hold 2 to 32 of a-z, 0-9, _."
        ),
    ),
    "bool_type": (
        "not_a_boolean",
        lambda error: f"Write true or false, not {_shown(error['input'])}.",
    ),
    "list_type": ("not_a_list", _list),
    "tuple_type": ("not_a_list", _list),
    "dict_type": ("not_a_mapping", _fields),
    "model_type": ("not_a_mapping", _fields),
    "enum": ("not_one_of", lambda error: f"Write one of {error['ctx']['expected']}."),
    "literal_error": ("not_one_of", lambda error: f"Write one of {error['ctx']['expected']}."),
    "value_error": ("invalid_value", _sentence),
}


def _unknown(name: str, known: Sequence[str]) -> str:
    meant = near(name, known)
    if meant is not None:
        return f"There is no field «{name}» here. Did you mean «{meant}»?"
    return f"There is no field «{name}» here. Take it out; known are: {', '.join(known)}."


def _fields_at(model: type[BaseModel], path: Path) -> list[str]:
    """The fields of the model at a place; empty where there is none."""
    kind: Any = model
    for part in path:
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            info = kind.model_fields.get(str(part))
            kind = _inner(info.annotation) if info else None
        else:
            arguments = [one for one in get_args(kind) if one is not Ellipsis]
            kind = _inner(arguments[-1]) if arguments else None
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return list(kind.model_fields)
    return []


def _inner(annotation: Any) -> Any:
    """`Model` of `Model | None`."""
    if get_origin(annotation) in {Union, UnionType}:
        return next(one for one in get_args(annotation) if one is not type(None))
    return annotation
