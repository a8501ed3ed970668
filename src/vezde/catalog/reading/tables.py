"""From records of cells to rows of named values, whatever file they came from."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

from vezde.catalog.model import Row
from vezde.catalog.reading import columns
from vezde.kit.errors import DomainError, Kind

MAX_BYTES = 64 * 2**20
MAX_ROWS = 200_000
HEADER_WITHIN = 20  # rows of a title may stand above the header
NOTHING = frozenset({"-", "–", "—"})  # people's way to write «there is none»


class BadTable(DomainError):
    code = "bad_table"
    kind = Kind.INVALID


class TableTooLarge(DomainError):
    code = "too_large"
    kind = Kind.INVALID


@dataclass(frozen=True)
class Record:
    """One record of a file: its number as a spreadsheet shows it; `problem` if it is broken."""

    number: int
    cells: Sequence[Any]
    problem: str | None = None


@dataclass(frozen=True)
class Unreadable:
    """A cell that is there but has no value we may use; `why` says what to do."""

    why: str


@dataclass(frozen=True)
class Table:
    """`columns` are title -> what it was understood as; `ignored` the titles it was not."""

    kind: str
    rows: list[Row]
    columns: dict[str, str]
    ignored: tuple[str, ...]


def build(kind: str, records: Iterable[Record]) -> Table:
    """Find the header among the first records and name every cell below it.

    Raises `BadTable` without a column of articles or without rows, `TableTooLarge`.
    """
    rest = iter(records)
    above = list(islice(rest, HEADER_WITHIN))
    start = next(
        (i for i, one in enumerate(above) if "sku" in columns.read(one.cells).fields), None
    )
    if start is None:
        raise BadTable(_no_header(above))
    header = columns.read(above[start].cells)
    rows = []
    for record in chain(above[start + 1 :], rest):
        if record.number - above[start].number > MAX_ROWS:
            raise TableTooLarge(
                f"The table has more than {MAX_ROWS} rows (empty ones below it count); split it, "
                "the parts can be imported one after another with mode merge"
            )
        if record.problem or any(not _is_blank(cell) for cell in record.cells):
            rows.append(_row(record, header))
    if not rows:
        raise BadTable("The table has a header and no rows below it; nothing to import")
    return Table(kind, rows, header.understood, header.ignored)


def _row(record: Record, header: columns.Header) -> Row:
    problems = [f"row {record.number}: {record.problem}"] if record.problem else []
    values: dict[str, Any] = {}
    for place, cell in enumerate(record.cells):
        if _is_blank(cell):
            continue
        if place >= header.width:
            problems.append(
                f"row {record.number} has more cells than the header; a text that holds the "
                "separator must stand in quotes"
            )
            break
        name = header.by_place.get(place)
        if name is None:
            continue
        if isinstance(cell, Unreadable):
            problems.append(f"row {record.number}, column «{header.titles[name]}»: {cell.why}")
        else:
            # A dash says «none», an empty cell says nothing.
            is_none = isinstance(cell, str) and cell.strip() in NOTHING
            values[name] = None if is_none else cell
    return Row(record.number, values, header.titles, tuple(problems))


def _is_blank(cell: Any) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


def _no_header(records: Sequence[Record]) -> str:
    first = next((one for one in records if any(not _is_blank(cell) for cell in one.cells)), None)
    if first is None:
        return "The file is empty; send a table with a header row"
    found = ", ".join(f"«{str(cell)[:30]}»" for cell in first.cells[:12] if not _is_blank(cell))
    return (
        "No column of articles was found: name one «артикул» or sku. "
        f"The first row reads {found}; if that looks garbled, save the file as UTF-8"
    )
