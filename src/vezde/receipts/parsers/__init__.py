"""Whatever a provider, an app or a till's operator sends, read to one `FiscalDocument`.

Shapes: the bare receipt; `document.receipt`; `ticket.document.receipt` (the FNS app's export, one
or a list of hundreds); proverkacheka's answer; `content` with epoch time (the FNS open API); and
rubles with strings and nulls («Мои чеки онлайн»). Any of them may lie in another as a text.
"""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from vezde.receipts.model import FiscalDocument, QrFields
from vezde.receipts.parsers import loading, normal, wrappers
from vezde.receipts.parsers.errors import UnreadableDocument
from vezde.receipts.parsers.loading import exact

__all__ = ["DOCUMENT_BYTES", "LIST_BYTES", "UnreadableDocument", "exact", "read", "read_each"]

DOCUMENT_BYTES = 1024 * 1024
LIST_BYTES = 16 * 1024 * 1024
MOST_DOCUMENTS = 5_000

Json = bytes | str | Mapping[str, Any] | list[Any]


def read(
    body: Json, *, expected: QrFields | None = None, most_bytes: int = DOCUMENT_BYTES
) -> list[FiscalDocument]:
    """Every receipt in `body`, JSON text or its parsed value, in its order: all or none.

    `expected` is what the QR says: it decides between rubles and kopecks, and stands in for what
    the source leaves out (fiscal key, date, operation). Raises `UnreadableDocument` when there is
    no receipt in it, when one cannot be read (its number in a list is told), or when the text is
    hostile (size, depth, encoding).
    """
    documents = []
    results = list(read_each(body, expected=expected, most_bytes=most_bytes))
    for number, one in enumerate(results, start=1):
        if isinstance(one, FiscalDocument):
            documents.append(one)
        elif len(results) == 1:
            raise one
        else:
            raise UnreadableDocument(f"Receipt {number} of {len(results)}: {one.detail}")
    if not documents:
        raise UnreadableDocument("There is no receipt in this JSON.")
    return documents


def read_each(
    body: Json, *, expected: QrFields | None = None, most_bytes: int = DOCUMENT_BYTES
) -> Iterator[FiscalDocument | UnreadableDocument]:
    """Every receipt in `body` one after another; in the place of a broken one, what is wrong.

    For lists whose good receipts are wanted whatever the others are; `expected` as for `read`.
    Raises `UnreadableDocument` when the text as a whole cannot be read.
    """
    value = loading.load(body, most_bytes=most_bytes) if isinstance(body, bytes | str) else body
    return _each(value, expected)


def _each(value: Any, expected: QrFields | None) -> Iterator[FiscalDocument | UnreadableDocument]:
    found = wrappers.receipts(value)
    for one in islice(found, MOST_DOCUMENTS):
        if isinstance(one, UnreadableDocument):
            yield one
            continue
        try:
            yield normal.document(one, expected=expected)
        except UnreadableDocument as error:
            yield error
    if next(found, None) is not None:
        yield UnreadableDocument(f"There are over {MOST_DOCUMENTS} receipts; send fewer at once.")
