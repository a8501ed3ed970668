"""A catalogue from a table file: CSV in any of the encodings and dialects met, or XLSX.

Rows keep the number a spreadsheet shows for them, columns the title they have in the file.
"""

from vezde.catalog.reading import delimited, tables, workbook
from vezde.catalog.reading.tables import BadTable, Table, TableTooLarge

__all__ = ["BadTable", "Table", "TableTooLarge", "read"]

OLD_EXCEL = b"\xd0\xcf\x11\xe0"


def read(content: bytes) -> Table:
    """The rows of a table file, ready for `operations.import_products`.

    The kind is known by the content, not by a name. Columns nobody understands are `ignored`.
    Raises `BadTable` when no row can be read at all, `TableTooLarge` over the limits.
    """
    if len(content) > tables.MAX_BYTES:
        raise TableTooLarge(
            f"The file is larger than {tables.MAX_BYTES // 2**20} MB; split it, the parts can be "
            "imported one after another with mode merge"
        )
    if content.startswith(b"PK"):
        return tables.build("xlsx", workbook.records(content))
    if content.startswith(OLD_EXCEL):
        raise BadTable("This is an old Excel file (.xls); save it as .xlsx or CSV and send again")
    if content.startswith(b"%PDF"):
        raise BadTable("This is a PDF; send the table itself as .xlsx or CSV")
    return tables.build("csv", delimited.records(content))
