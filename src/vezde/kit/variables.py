"""A variable of the environment: what it decides, how its text is found and read.

A secret may also come as `NAME_FILE`, the path of a file that holds it.
"""

import base64
import difflib
import os
import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vezde.kit import parsing
from vezde.kit.errors import FieldError


@dataclass(frozen=True)
class Variable:
    """A variable: what it decides, its default as one writes it ("" is none), how it is read.

    `parse` turns a text into a value, or raises ValueError whose message ends the sentence
    "NAME is …" and says what is expected; it never repeats a secret.
    """

    name: str
    what: str
    default: str
    parse: Callable[[str], Any]
    secret: bool = False


def text(variable: Variable, given: Mapping[str, str]) -> str:
    """The text set for it, "" for none; raises ValueError that ends "NAME is …"."""
    told = given.get(variable.name, "").strip()
    path = given.get(f"{variable.name}_FILE") if variable.secret else None
    if path is None:
        return told
    if told:
        raise ValueError(f"set twice, also by {variable.name}_FILE; keep one of them.")
    try:
        told = Path(path).read_text("utf-8").strip()
    except OSError as error:
        raise ValueError(
            f"to come from {path}, which cannot be read ({error.strerror}); correct "
            f"{variable.name}_FILE or the file's rights."
        ) from error
    except UnicodeDecodeError as error:
        raise ValueError(f"to come from {path}, which is not a text file.") from error
    if not told:
        raise ValueError(f"to come from {path}, which is empty.")
    return told


def unknown(
    variables: Sequence[Variable], given: Mapping[str, str], *, foreign: Collection[str]
) -> list[FieldError]:
    """What is set and is none of these, nor `foreign`, with the name it was meant to be."""
    known = {variable.name for variable in variables}
    known |= {f"{variable.name}_FILE" for variable in variables if variable.secret}
    problems = []
    for name in sorted(given.keys() - known - set(foreign)):
        near = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.75)
        advice = f"did you mean {near[0]}?" if near else "remove it or correct its name."
        problems.append(FieldError(name, "unknown", f"{name} is not a setting of Vezde; {advice}"))
    return problems


def make_secret(path: Path) -> None:
    """Write a new key to `path` for its owner alone, unless another process just did."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123 - by descriptor
            file.write(base64.b64encode(secrets.token_bytes(parsing.KEY_BYTES)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            path.hardlink_to(unfinished)  # unlike a rename never over another process's key
        except FileExistsError:
            return
    finally:
        unfinished.unlink()
