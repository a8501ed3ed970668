"""Where in a JSON value the receipts are, whatever it is wrapped in."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

# How deep a known wrapper goes: list, ticket, document, receipt; proverkacheka's data, json.
DEEPEST = 8
# What the document's own name says of its code (FFD «код формы»).
CODES = {"receipt": 3, "receiptCorrection": 31, "bso": 4, "bsoCorrection": 41}
WRAPPERS = ("ticket", "document", "data", "json", "content", *CODES)


@dataclass(frozen=True, slots=True)
class Found:
    """A receipt's own fields; `around` are those of the wrapper that matter (the address)."""

    fields: Mapping[str, Any]
    code: int | None = None
    address: str | None = None


def receipts(value: Any, *, depth: int = 0, code: int | None = None) -> Iterator[Found]:
    """Every receipt of the value, in order; values that are no wrapper of ours hold none."""
    if depth > DEEPEST:
        return
    if isinstance(value, list):
        for one in value:
            yield from receipts(one, depth=depth + 1)
    elif isinstance(value, Mapping):
        if isinstance(value.get("items"), list) or "totalSum" in value:
            yield Found(value, code)
            return
        for name in WRAPPERS:
            inner = value.get(name)
            if isinstance(inner, Mapping | list):
                for found in receipts(inner, depth=depth + 1, code=CODES.get(name)):
                    yield _placed(found, value) if name == "content" else found


def _placed(found: Found, around: Mapping[str, Any]) -> Found:
    address = around.get("address")
    return Found(found.fields, found.code, address if isinstance(address, str) else None)
