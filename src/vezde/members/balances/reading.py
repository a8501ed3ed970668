"""CSV of any length, a row at a time: UTF-8 or cp1251; comma, semicolon, tab."""

import csv
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from vezde.kit.errors import DomainError, Kind
from vezde.members.balances import model
from vezde.members.balances.model import Broken, Row

SEPARATORS = (";", "\t", ",", "|")
TELL_EVERY = 1_000  # rows
LONGEST_LINE = 10_000  # bytes; a row of this table has a few hundred


class BadBalances(DomainError):
    """The file is no table of opening balances."""

    code = "bad_balances"
    kind = Kind.INVALID


def read(path: Path, *, done: Callable[[int], None]) -> Iterator[Row | Broken]:
    """Every row of the file, `done` told how many bytes of it are read.

    Raises `BadBalances` when the header says not whose or how many.
    """
    with path.open("rb") as file:
        header, separator = _header(file)
        for line, text in enumerate(_lines(file), start=2):
            if line % TELL_EVERY == 0:
                done(file.tell())
            if isinstance(text, Broken):
                yield Broken(line, text.why)
            elif text.strip():
                yield _row(line, text, header, separator)


def _header(file: BinaryIO) -> tuple[Sequence[str | None], str]:
    first = file.readline(LONGEST_LINE).removeprefix(b"\xef\xbb\xbf")
    if b"\x00" in first:
        raise BadBalances("The file is not CSV; save it as CSV in UTF-8 and send that")
    text = _decode(first)
    separator = max(SEPARATORS, key=lambda one: len(_known(_cells(text, one))))
    columns = [_column(cell) for cell in _cells(text, separator)]
    known = [one for one in columns if one is not None]
    if len(set(known)) != len(known):
        raise BadBalances("Two columns have titles of the same meaning; leave one of them")
    if "points" not in known or not set(known) & set(model.WHO):
        raise BadBalances(
            "The first line names the columns: points, and one or more of phone, email, card; "
            "also name, birthday, expires_on and id. Russian titles do as well: баллы, телефон…"
        )
    return columns, separator


def _known(cells: Sequence[str]) -> list[str]:
    return [cell for cell in cells if _column(cell)]


def _column(title: str) -> str | None:
    return model.BY_TITLE.get(" ".join(title.split()).casefold())


def _lines(file: BinaryIO) -> Iterator[str | Broken]:
    while line := file.readline(LONGEST_LINE):
        if not line.endswith(b"\n") and len(line) == LONGEST_LINE:
            while (rest := file.readline(LONGEST_LINE)) and not rest.endswith(b"\n"):
                continue
            yield Broken(0, "The line is too long for a row; is a quote missing?")
        else:
            yield _decode(line)


def _decode(line: bytes) -> str:
    """A line's text; Excel in Russian saves cp1251, in which every byte is some character."""
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode("cp1251", errors="replace")


def _row(line: int, text: str, header: Sequence[str | None], separator: str) -> Row | Broken:
    try:
        cells = _cells(text, separator)
        if len(cells) > len(header) and any(cell.strip() for cell in cells[len(header) :]):
            return Broken(line, f"The row has {len(cells)} cells, the header {len(header)}")
        pairs = zip(header, cells, strict=False)
        return model.row(line, {column: cell.strip() for column, cell in pairs if column})
    except csv.Error as error:
        return Broken(line, f"The row is not CSV: {error}")
    except DomainError as error:
        return Broken(line, error.detail)


def _cells(text: str, separator: str) -> list[str]:
    found: list[str] = next(csv.reader([text], delimiter=separator, strict=True), [])
    return found
