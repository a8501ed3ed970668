"""XLSX: the values of the first sheet that is shown, read row by row."""

import zipfile
from collections.abc import Iterator
from io import BytesIO
from typing import TYPE_CHECKING, Any

from vezde.catalog.reading.tables import BadTable, Record, TableTooLarge, Unreadable

if TYPE_CHECKING:
    from openpyxl.workbook import Workbook

MAX_UNPACKED = 512 * 2**20
# What cells share, texts above all, is held at once, whatever is read of the sheet.
MAX_SHARED = 192 * 2**20
SHEETS = "xl/worksheets/"
MAX_COLUMNS = 300
MAX_ROWS = 2**20  # of a sheet, in Excel; what is read leaves 130 bytes of a row behind
NOT_COUNTED = Unreadable(
    "the formula was never counted; open the file in Excel, save it and send again"
)


def records(content: bytes) -> Iterator[Record]:
    """The sheet's records; raises `BadTable` when the file cannot be opened, `TableTooLarge`."""
    has_formulas = _check(content)
    values = _rows(_open(content, values=True))
    if not has_formulas:
        return (Record(number, cells) for number, cells in enumerate(values, 1))
    # A file some program made keeps formulas without their values: those cells must not pass
    # for empty ones.
    formulas = _rows(_open(content, values=False))
    pairs = zip(values, formulas, strict=True)
    return (Record(number, _marked(*pair)) for number, pair in enumerate(pairs, 1))


def _check(content: bytes) -> bool:
    """Whether any sheet holds formulas; raises on what is no workbook, or unpacks to too much."""
    try:
        with zipfile.ZipFile(BytesIO(content)) as packed:
            parts = packed.infolist()
            shared = sum(one.file_size for one in parts if not one.filename.startswith(SHEETS))
            if shared > MAX_SHARED or sum(part.file_size for part in parts) > MAX_UNPACKED:
                raise TableTooLarge("The workbook unpacks to too much; save the table alone as CSV")
            names = [part.filename for part in parts]
            if "xl/workbook.xml" not in names:
                raise BadTable("This is no Excel workbook; send .xlsx or CSV")
            sheets = [name for name in names if name.startswith(SHEETS)]
            return any(_holds_formulas(packed, name) for name in sheets if name.endswith(".xml"))
    except (BadTable, TableTooLarge):
        raise
    except Exception as error:  # zipfile lets through whatever its parts raise
        raise BadTable("The workbook is damaged or locked by a password; save it anew") from error


def _holds_formulas(packed: zipfile.ZipFile, name: str) -> bool:
    with packed.open(name) as sheet:
        tail = b""
        while block := sheet.read(2**20):
            if b"<f>" in tail + block or b"<f " in tail + block or b"<f/" in tail + block:
                return True
            tail = block[-3:]
    return False


def _open(content: bytes, *, values: bool) -> "Workbook":
    import openpyxl

    try:
        return openpyxl.load_workbook(BytesIO(content), read_only=True, data_only=values)
    except Exception as error:  # openpyxl lets through whatever its parts raise
        raise BadTable("The workbook cannot be read; save it anew as .xlsx or CSV") from error


def _rows(book: "Workbook") -> Iterator[tuple[Any, ...]]:
    shown = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
    if not shown:
        raise BadTable("The workbook has no sheet that is shown; send one with the table")
    sheet = shown[0]
    try:
        # The size a program wrote into the file may be wrong: read what is there.
        sheet.reset_dimensions()
        for count, cells in enumerate(sheet.iter_rows(values_only=True, max_col=MAX_COLUMNS)):
            if count >= MAX_ROWS:
                raise TableTooLarge(f"The sheet has over {MAX_ROWS} rows; send the table in parts")
            yield cells
    except TableTooLarge:
        raise
    except Exception as error:  # damage shows only where it is read
        raise BadTable("The workbook is damaged; save it anew as .xlsx or CSV") from error
    finally:
        book.close()


def _marked(values: tuple[Any, ...], formulas: tuple[Any, ...]) -> list[Any]:
    return [
        NOT_COUNTED if value is None and formula is not None else value
        for value, formula in zip(values, formulas, strict=True)
    ]
