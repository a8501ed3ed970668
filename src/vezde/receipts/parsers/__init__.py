"""Whatever a provider, an app or a till's operator sends, read to one `FiscalDocument`.

Shapes: the bare receipt; `document.receipt`; `ticket.document.receipt` (the FNS app's export, one
or a list of hundreds); proverkacheka's answer; `content` with epoch time (the FNS open API); and
rubles with strings and nulls («Мои чеки онлайн»).
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from vezde.receipts.model import FiscalDocument, QrFields
from vezde.receipts.parsers import loading, normal, wrappers
from vezde.receipts.parsers.errors import UnreadableDocument

__all__ = ["DOCUMENT_BYTES", "LIST_BYTES", "UnreadableDocument", "exact", "read"]

DOCUMENT_BYTES = 1024 * 1024
LIST_BYTES = 16 * 1024 * 1024
MOST_DOCUMENTS = 5_000

# For json.loads(parse_float=…): sums stay as they were written.
exact = Decimal


def read(
    body: bytes | str | Mapping[str, Any] | list[Any],
    *,
    expected: QrFields | None = None,
    most_bytes: int = DOCUMENT_BYTES,
) -> list[FiscalDocument]:
    """Every receipt in `body`, JSON text or its parsed value, in its order.

    `expected` is what the QR says: it decides between rubles and kopecks, and stands in for a
    fiscal key that the source leaves out. Raises `UnreadableDocument` when there is no receipt in
    it, when one cannot be read, or when the text is hostile (size, depth, encoding).
    """
    value = loading.load(body, most_bytes=most_bytes) if isinstance(body, bytes | str) else body
    found = list(wrappers.receipts(value))
    if not found:
        raise UnreadableDocument(
            "There is no receipt in this JSON; send it as the FNS app or proverkacheka.com gave it."
        )
    if len(found) > MOST_DOCUMENTS:
        raise UnreadableDocument(f"There are over {MOST_DOCUMENTS} receipts; send fewer at once.")
    return [normal.document(one, expected=expected) for one in found]
