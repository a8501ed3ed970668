"""A report's file, row by row: XLSX, CSV, JSON, or a ZIP with one of them."""

import csv
import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO, StringIO
from itertools import chain, islice
from typing import Any, Final

from vezde.catalog.reading import delimited, workbook
from vezde.catalog.reading.tables import BadTable, TableTooLarge, Unreadable
from vezde.kit.errors import DomainError
from vezde.kit.errors import Kind as ErrorKind
from vezde.purchases.reports import kinds
from vezde.purchases.reports.cells import BadCell
from vezde.purchases.reports.model import Broken, Kind, Movement

MOST_BYTES: Final = 64 * 2**20
MOST_UNPACKED: Final = 256 * 2**20
HEADER_WITHIN: Final = 20
SEPARATORS: Final = (";", "\t", ",")

Cells = Sequence[Any]


class BadReport(DomainError):
    """The file is none of the reports we know; the message says which those are."""

    code = "bad_report"
    kind = ErrorKind.INVALID


@dataclass(frozen=True)
class Report:
    """A report that was recognised; `rows` are read as they are asked for."""

    kind: Kind
    rows: Iterator[Movement | Broken]


def read(content: bytes) -> Report:
    """Recognise a file by its titles; raises `BadReport`. Rows that say nothing of goods are left
    out, broken ones told.
    """
    if len(content) > MOST_BYTES:
        raise BadReport("The file is over 64 MB; load the report by shorter periods.")
    try:
        records = _records(_unpacked(content))
        above = list(islice(records, HEADER_WITHIN))
        for place, (_, cells) in enumerate(above):
            found = _recognised(cells)
            if found is not None:
                kind, places = found
                return Report(kind, _rows(kind, places, chain(above[place + 1 :], records)))
    except (BadTable, TableTooLarge) as error:
        raise BadReport(str(error)) from error
    raise BadReport(
        "No report was recognised by its titles; of a workbook the first sheet that is shown is "
        "read. Known are: the weekly report of Wildberries (with Srid), its report of marked goods "
        "(with the operation and the marking code), postings and returns of Ozon, orders of Yandex "
        "Market (united orders)."
    )


def _unpacked(content: bytes) -> bytes:
    """What is in a ZIP that is no workbook: its only, or its largest, table."""
    if not content.startswith(b"PK"):
        return content
    try:
        with zipfile.ZipFile(BytesIO(content)) as packed:
            names = packed.namelist()
            if "xl/workbook.xml" in names:
                return content
            tables = [
                one
                for one in packed.infolist()
                if one.filename.lower().endswith((".xlsx", ".csv", ".json"))
            ]
            # A Market report has a file for each sheet; the orders' own is the one that is read.
            tables.sort(key=lambda one: ("orders_and_offers" not in one.filename, -one.file_size))
            if not tables:
                raise BadReport("The archive holds no .xlsx, .csv or .json.")
            if tables[0].file_size > MOST_UNPACKED:
                raise BadReport("The archive unpacks to too much; load shorter periods.")
            return packed.read(tables[0])
    except BadReport:
        raise
    except Exception as error:  # zipfile lets through whatever its parts raise
        raise BadReport("The archive is damaged or locked by a password.") from error


def _records(content: bytes) -> Iterator[tuple[int, Cells]]:
    if content.startswith(b"PK"):
        return _workbook(content)
    if content.lstrip(b"\xef\xbb\xbf \r\n\t")[:1] in (b"{", b"["):
        return _json(content)
    return _csv(content)


def _workbook(content: bytes) -> Iterator[tuple[int, Cells]]:
    try:
        for one in workbook.records(content):
            yield one.number, one.cells
    except (BadTable, TableTooLarge) as error:  # damage shows only where it is read
        raise BadReport(str(error)) from error


def _csv(content: bytes) -> Iterator[tuple[int, Cells]]:
    text = delimited.decode(content)
    head = text[:20_000].splitlines()[:HEADER_WITHIN]
    separator = max(SEPARATORS, key=lambda sign: max([0, *(line.count(sign) for line in head)]))
    csv.field_size_limit(1_000_000)
    try:
        yield from enumerate(csv.reader(StringIO(text, newline=""), delimiter=separator), 1)
    except csv.Error as error:
        raise BadReport(f"The file is no table ({error}); load it again.") from error


def _json(content: bytes) -> Iterator[tuple[int, Cells]]:
    """Objects of a list, wherever in the answer it stands, as records under one header."""
    try:
        found = _list(json.loads(content.decode("utf-8-sig")))
    except (ValueError, RecursionError) as error:
        raise BadReport("The file is no JSON; load it again.") from error
    titles = list(dict.fromkeys(name for one in found for name in one))
    yield 0, titles
    for number, one in enumerate(found, 1):
        yield number, [one.get(name) for name in titles]


def _list(value: Any, depth: int = 0) -> list[Mapping[str, Any]]:
    if isinstance(value, list):
        return [one for one in value if isinstance(one, dict)]
    if isinstance(value, dict) and depth < 4:
        for one in value.values():
            if isinstance(one, dict | list) and (found := _list(one, depth + 1)):
                return found
    return []


def _recognised(cells: Cells) -> tuple[Kind, dict[str, int]] | None:
    """The kind of report whose titles these are, and each field's place."""
    titles: dict[str, int] = {}
    for place, cell in enumerate(cells):
        title = kinds.normalise(cell)
        # Titles of two rows are «group/title» in Market's workbooks.
        titles.setdefault(title, place)
        titles.setdefault(title.rpartition("/")[2], place)
    for kind, (fields, telling) in kinds.TELLING.items():
        places = {
            field: next(titles[name] for name in names if name in titles)
            for field, names in fields.items()
            if any(name in titles for name in names)
        }
        if all(field in places for field in telling):
            return kind, places
    return None


def _rows(
    kind: Kind, places: Mapping[str, int], records: Iterable[tuple[int, Cells]]
) -> Iterator[Movement | Broken]:
    of = kinds.ROWS[kind]
    for number, cells in records:
        if not any(cell not in (None, "") for cell in cells):
            continue

        def cell(name: str, cells: Cells = cells) -> Any:
            place = places.get(name)
            value = cells[place] if place is not None and place < len(cells) else None
            if isinstance(value, Unreadable):
                raise BadCell(value.why)
            return None if value == "" else value

        try:
            movement = of(number, cell)
        except BadCell as error:
            yield Broken(number, str(error))
        else:
            if movement is not None:
                yield movement
