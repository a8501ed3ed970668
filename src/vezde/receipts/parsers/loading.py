"""JSON text from outside, loaded without trusting it."""

import codecs
import json
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

from vezde.receipts.parsers.errors import UnreadableDocument


def load(body: bytes | str, *, most_bytes: int) -> Any:
    """The value of a JSON text, numbers exact; raises `UnreadableDocument`.

    UTF-8 or UTF-16 with a mark, UTF-8 without one, else cp1251, which Russian tools still write.
    """
    if len(body) > most_bytes:
        raise UnreadableDocument(
            f"The document is over {most_bytes // 1024} KB; send it in smaller parts."
        )
    text = body if isinstance(body, str) else _decoded(body)
    try:
        return json.loads(text.lstrip("\ufeff"), parse_float=exact, parse_constant=_refuse)
    except RecursionError as error:
        raise UnreadableDocument("The JSON is nested too deep for a receipt.") from error
    except ValueError as error:
        raise UnreadableDocument(f"This is not JSON: {_place(error)}.") from error


def exact(number: str) -> Decimal:
    """For `json.loads(parse_float=…)`: the number as it was written; raises ValueError."""
    try:
        return Decimal(number)
    except InvalidOperation as error:
        raise ValueError(f"«{number[:40]}» is out of all bounds") from error


def _decoded(body: bytes) -> str:
    if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return body.decode("utf-16", errors="replace")
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return body.decode("cp1251", errors="replace")


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number")


def _place(error: ValueError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"line {error.lineno}, column {error.colno}"
    return "it holds a number that is none"
