"""A long JSON list, an element at a time: an export of years fits into no memory."""

import codecs
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, TextIO

from vezde.receipts.parsers import DOCUMENT_BYTES, UnreadableDocument

CHUNK = 256 * 1024
SPACE = " \t\r\n"
DECODER = json.JSONDecoder(parse_float=Decimal)


def is_array(path: Path) -> bool:
    """Whether the file's JSON begins as a list."""
    with path.open("rb") as file:
        begin = file.read(CHUNK).removeprefix(codecs.BOM_UTF8).lstrip()
    return begin.startswith(b"[")


def elements(path: Path) -> Iterator[Any]:
    """The list's elements, numbers exact; raises `UnreadableDocument` where it breaks off."""
    with path.open(encoding=_encoding(path)) as file:
        rest = file.read(CHUNK).lstrip(SPACE).removeprefix("[")
        number = 0
        while True:
            rest = _until_something(rest, file)
            if rest.startswith("]"):
                return
            if number:
                if not rest.startswith(","):
                    raise UnreadableDocument(f"This is not JSON after element {number}.")
                rest = rest[1:]
            number += 1
            value, rest = _element(rest, file, number)
            yield value


def _element(rest: str, file: TextIO, number: int) -> tuple[Any, str]:
    """The element that `rest` begins with, reading on as long as it is incomplete."""
    while True:
        rest = _until_something(rest, file)
        try:
            value, end = DECODER.raw_decode(rest)
        except (ValueError, RecursionError) as error:
            more = file.read(CHUNK)
            if not more or len(rest) > DOCUMENT_BYTES:
                raise UnreadableDocument(f"This is not JSON at element {number}.") from error
            rest += more
        else:
            return value, rest[end:]


def _until_something(rest: str, file: TextIO) -> str:
    """`rest` without the space it begins with; empty at the end of the file."""
    rest = rest.lstrip(SPACE)
    while not rest and (more := file.read(CHUNK)):
        rest = more.lstrip(SPACE)
    return rest


def _encoding(path: Path) -> str:
    """UTF-8 with or without a mark, else cp1251, which Russian tools still write."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as file:
        try:
            while chunk := file.read(CHUNK):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "cp1251"
    return "utf-8-sig"
