"""What marketplaces print to name one unit of an order: the same in receipts and seller reports.

Wildberries prints `srid` as a code of the line (`eA9.<hex>.<position>.<unit>`), Ozon's postings are
`12345678-0123-1`. Read from text that was cut out of a PDF as well: with hard spaces, signs of no
width, and dots that are no full stops.
"""

import re
from typing import Final

INVISIBLE: Final = dict.fromkeys(map(ord, "\u00a0\u200b\u200c\u200d\u2060\ufeff\u00ad"))
DOTS: Final = dict.fromkeys(map(ord, "·•․∙⋅"), ".")
TO_PLAIN: Final = {**INVISIBLE, **DOTS}
SRID: Final = re.compile(
    r"(?<![\w.])(?:[a-z]\w{1,4}\.[0-9a-z]{16,64}|[0-9]{14,22})\.[0-9]{1,4}\.[0-9]{1,4}(?![\w.])",
    re.IGNORECASE | re.ASCII,
)
POSTING: Final = re.compile(r"(?<![\w-])[0-9]{6,10}-[0-9]{4}-[0-9]{1,3}(?![\w-])")
LONGEST = 100


def find(text: str | None) -> str | None:
    """The first mark in a text, in small letters; None where there is none."""
    if not text:
        return None
    plain = text.translate(TO_PLAIN)
    found = SRID.search(plain) or POSTING.search(plain)
    return found[0].lower() if found else None


def without(text: str | None) -> str | None:
    """The text without its mark: the order's number is no part of a product's name."""
    if not text:
        return text
    plain = text.translate(TO_PLAIN)
    found = SRID.search(plain) or POSTING.search(plain)
    if found is None:
        return text
    return " ".join(f"{plain[: found.start()]} {plain[found.end() :]}".split()) or None


def read(cell: str | None) -> str | None:
    """The mark that a report's cell is as a whole; what no rule knows is taken as it stands."""
    plain = (cell or "").translate(TO_PLAIN).strip().lower()
    return plain[:LONGEST] or None
