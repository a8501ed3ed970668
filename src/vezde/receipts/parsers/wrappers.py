"""Where in a JSON value the receipts are, whatever it is wrapped in."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from vezde.receipts.model import QrFields
from vezde.receipts.parsers import dialects, loading, values
from vezde.receipts.parsers.errors import UnreadableDocument

# How deep a known wrapper goes: list, ticket, document, receipt; proverkacheka's data, json.
DEEPEST = 8
# What a document is called (also as `subtype`), and its code of form.
FORMS = {"receipt": 3, "receiptCorrection": 31, "bso": 4, "bsoCorrection": 41}
WRAPPERS = (
    "ticket",
    "document",
    "Document",
    "data",
    "json",
    "content",
    "payload",
    "requestmessage",
    *FORMS,
)
# What else a till sends to its operator, found between receipts in the operators' exports.
NO_RECEIPTS = frozenset(
    {
        "fiscalReport",
        "fiscalReportCorrection",
        "openShift",
        "currentStateReport",
        "closeShift",
        "closeArchive",
    }
)


@dataclass(frozen=True, slots=True)
class Found:
    """A receipt's own fields, under our names; `around` are those of what it lies in as `name`.

    `qr` is what the source says the paper's QR is; `in_rubles` a source that always counts so.
    """

    fields: Mapping[str, Any]
    name: str = ""
    around: Mapping[str, Any] = field(default_factory=dict)
    qr: QrFields | None = None
    in_rubles: bool = False


def receipts(value: Any) -> Iterator[Found | UnreadableDocument]:
    """Every receipt of the value in order, one an object; what should be one and is not, as error.

    Nothing comes of an empty list and of what a till sends beside receipts.
    """
    return _receipts(value, Found({}), 0)


def _receipts(value: Any, outer: Found, depth: int) -> Iterator[Found | UnreadableDocument]:
    value = _opened(value)
    if isinstance(value, list) and depth < DEEPEST:
        for one in value:
            yield from _receipts(one, outer, depth + 1)
    elif not isinstance(value, Mapping) or depth >= DEEPEST:
        yield UnreadableDocument("There is no receipt in it.")
    elif isinstance(value.get("items"), list) or "totalSum" in value:
        yield _translated(value, outer) if dialects.foreign(value) else replace(outer, fields=value)
    elif (code := _refusal(value)) is not None:
        yield UnreadableDocument(f"The answer's code {code} says that there was no receipt.")
    elif name := next((name for name in WRAPPERS if _holds(value.get(name))), None):
        yield from _receipts(value[name], Found({}, name, value), depth + 1)
    elif dialects.ours(value) is not None:
        yield _translated(value, outer)
    elif NO_RECEIPTS.isdisjoint(value):
        yield UnreadableDocument(
            "There is no receipt in it; send it as the FNS app or proverkacheka.com gave it."
        )


def _translated(value: Mapping[str, Any], outer: Found) -> Found:
    return Found(
        fields=dialects.ours(value) or value,
        name=outer.name,
        around=outer.around,
        qr=dialects.qr(value),
        in_rubles=dialects.in_rubles(value),
    )


def _refusal(value: Mapping[str, Any]) -> int | None:
    """The code of proverkacheka's answer, when it is not 1, a receipt."""
    data = value.get("data")
    if isinstance(data, str) or (isinstance(data, Mapping) and "json" in data):
        code = values.small(value.get("code"))
        return code if code != 1 else None
    return None


def _holds(value: Any) -> bool:
    return isinstance(value, Mapping | list) or _opened(value) is not value


def _opened(value: Any) -> Any:
    """JSON kept as a text inside JSON, opened; any other value as it is."""
    if not isinstance(value, str) or not value.lstrip().startswith(("{", "[")):
        return value
    try:
        return loading.load(value, most_bytes=len(value))
    except UnreadableDocument:
        return value
