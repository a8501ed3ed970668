"""CSV as it is met: UTF-8 with or without a mark, UTF-16, cp1251; comma, semicolon, tab."""

import csv
import re
from collections.abc import Iterable, Iterator
from io import StringIO

from vezde.catalog.reading import columns
from vezde.catalog.reading.tables import HEADER_WITHIN, BadTable, Record

SEPARATORS = (";", "\t", ",", "|")
SNIFFED_LINES = 60
MAX_CELL = 32_767  # what Excel lets into one
# How people keep Excel from making a number of a barcode: `="460…"`, `'460…`.
KEPT_AS_TEXT = re.compile(r"""="([^"]*)"|'(\d+)""")


def records(content: bytes) -> Iterator[Record]:
    """The file's records; raises `BadTable` when it is no text."""
    text = decode(content)
    lines = list(StringIO(text, newline=""))
    offset = 0
    # Excel's own hint, which it writes above the header and does not show.
    if lines and lines[0].strip().lower().startswith("sep=") and len(lines[0].strip()) <= 5:
        offset = 1
    return _records(lines, offset, _separator(lines[offset : offset + SNIFFED_LINES]))


def decode(content: bytes) -> str:
    """The text of a file; raises `BadTable` when it is no text at all."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ["utf-16"]
    else:
        encodings = ["utf-8-sig", "cp1251"]
        if b"\x00" in content:
            raise BadTable("The file is not a table of text; send CSV or .xlsx")
    for encoding in encodings:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise BadTable("The file's encoding is not known; save it as CSV in UTF-8 and send again")


def _separator(lines: list[str]) -> str:
    """The separator under which some row names most columns; Excel's own for Russian if none."""

    def understood(separator: str) -> int:
        return max(
            (len(columns.read(cells).fields) for cells in csv.reader(lines, delimiter=separator)),
            default=0,
        )

    return max(SEPARATORS, key=understood)


def _records(lines: list[str], offset: int, separator: str) -> Iterator[Record]:
    """Records in order; a quote that is never closed spoils its own line, not those below."""
    place, number, width = offset, 0, 0
    while place < len(lines):
        taken = _Counted(lines, place)
        reader = csv.reader(taken, delimiter=separator)
        for cells in _careful(reader):
            number += 1
            used = taken.taken - place
            raw = lines[place : taken.taken]
            if used > 1 and _is_broken(raw, cells, width, separator):
                own = raw[0].rstrip("\r\n").replace('"', "").split(separator)
                yield Record(number, own, "a quote is opened and never closed; close or drop it")
                place += 1
                break  # read on from the next line with a fresh reader
            place = taken.taken
            if number <= HEADER_WITHIN:
                width = max(width, len(cells))
            yield Record(number, [_as_typed(cell) for cell in cells])
        else:
            return


def _as_typed(cell: str) -> str:
    found = KEPT_AS_TEXT.fullmatch(cell) if cell[:1] in ("=", "'") else None
    return (found[1] or found[2] or "") if found else cell


def _is_broken(raw: list[str], cells: list[str], width: int, separator: str) -> bool:
    """Whether a record over several lines is no honest cell with line breaks in it."""
    if any(len(cell) > MAX_CELL for cell in cells) or len(cells) != (width or len(cells)):
        return True
    try:
        # Strictly read, a closing quote is followed by a separator: the quote of a later row,
        # which closed this one by chance, is followed by that row's text.
        list(csv.reader(raw, delimiter=separator, strict=True))
    except csv.Error:
        return True
    return False


def _careful(reader: Iterator[list[str]]) -> Iterator[list[str]]:
    while True:
        try:
            yield next(reader)
        except StopIteration:
            return
        except csv.Error:
            # A cell over csv's own limit: a quote swallowed much of the file.
            yield ["x" * (MAX_CELL + 1)]


class _Counted(Iterable[str]):
    """Lines from `start` on, counting how many were taken."""

    def __init__(self, lines: list[str], start: int) -> None:
        self._lines = lines
        self.taken = start

    def __iter__(self) -> Iterator[str]:
        while self.taken < len(self._lines):
            self.taken += 1
            yield self._lines[self.taken - 1]
