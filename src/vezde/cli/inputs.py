"""Files of receipts, read one after another: documents, texts of QR codes, pictures."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from vezde.cli import arrays, screen
from vezde.receipts import parsers
from vezde.receipts.model import FiscalDocument, Note, QrFields, Reason
from vezde.receipts.parsers import loading
from vezde.receipts.reading.model import MOST_BYTES, Findings

DOCUMENTS, LINES, TEXTS = (
    frozenset({".json"}),
    frozenset({".ndjson", ".jsonl"}),
    frozenset({".txt"}),
)
FILES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".heic", ".heif", ".pdf", ".eml", ".html"})
KNOWN = DOCUMENTS | LINES | TEXTS | FILES


class Look(Protocol):
    """Reads as every door does: a file's content, or a text that may lead to a page."""

    def file(self, data: bytes) -> Findings: ...

    def text(self, given: str) -> Findings: ...


@dataclass(frozen=True, slots=True)
class Shown:
    """What one receipt came as; `source` names the file and the place in it."""

    source: str
    document: FiscalDocument | None = None
    qr: QrFields | None = None
    unreadable: Reason | None = None
    note: Note | None = None


@dataclass(frozen=True, slots=True)
class Unread:
    """A file, or a part of one, that says nothing."""

    source: str
    why: str


def files(paths: Sequence[Path]) -> list[Path]:
    """The files of these paths; of folders those that may hold receipts, hidden ones left out."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = (one for one in path.rglob("*") if _belongs(one.relative_to(path)))
            found += sorted(one for one in inside if one.is_file())
        else:
            found.append(path)
    return list(dict.fromkeys(found))


def read(path: Path, look: Look) -> Iterator[Shown | Unread]:
    """Every receipt of a file, in its order; whatever cannot be read is named, the rest goes on."""
    source, kind = screen.near(path.absolute()), path.suffix.lower()
    try:
        if kind in TEXTS:
            yield from _texts(path, source, look)
        elif kind in LINES:
            yield from _lines(path, source)
        elif kind in DOCUMENTS:
            yield from _documents(path, source)
        elif kind in FILES:
            yield from _file(path, source, look)
        else:
            yield Unread(source, f"is none of {', '.join(sorted(KNOWN))}")
    except OSError as error:
        yield Unread(source, f"cannot be opened: {error.strerror}")


def _belongs(path: Path) -> bool:
    hidden = any(part.startswith(".") for part in path.parts)
    return not hidden and path.suffix.lower() in KNOWN


def _documents(path: Path, source: str) -> Iterator[Shown | Unread]:
    try:
        if not arrays.is_array(path):
            body = path.read_bytes()
            yield from _parsed(loading.load(body, most_bytes=parsers.LIST_BYTES), source)
            return
        number = 0
        for number, value in enumerate(arrays.elements(path), start=1):
            yield from _parsed(value, f"{source}#{number}")
        if not number:
            yield Unread(source, "The list is empty.")
    except parsers.UnreadableDocument as error:
        yield Unread(source, error.detail)


def _parsed(value: object, source: str) -> Iterator[Shown | Unread]:
    try:
        found = parsers.read(value if isinstance(value, dict | list) else [value])
    except parsers.UnreadableDocument as error:
        yield Unread(source, error.detail)
        return
    for number, document in enumerate(found, start=1):
        yield Shown(f"{source}.{number}" if len(found) > 1 else source, document=document)


def _lines(path: Path, source: str) -> Iterator[Shown | Unread]:
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            place = f"{source}:{number}"
            try:
                value = loading.load(line, most_bytes=parsers.DOCUMENT_BYTES)
            except parsers.UnreadableDocument as error:
                yield Unread(place, error.detail)
            else:
                yield from _parsed(value, place)


def _texts(path: Path, source: str, look: Look) -> Iterator[Shown | Unread]:
    empty = True
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        for number, line in enumerate(file, start=1):
            if line.strip() and not line.startswith("#"):
                empty = False
                yield from _shown(look.text(line), f"{source}:{number}")
    if empty:
        yield Unread(source, "There is no text of a QR code in it.")


def _file(path: Path, source: str, look: Look) -> Iterator[Shown | Unread]:
    if path.stat().st_size > MOST_BYTES:
        yield Unread(source, "is larger than a file we take (20 MB)")
        return
    yield from _shown(look.file(path.read_bytes()), source)


def _shown(found: Findings, source: str) -> Iterator[Shown]:
    """Codes are checked as if the member had shown them, whatever else the file says."""
    for number, one in enumerate(found.receipts, start=1):
        yield Shown(f"{source}#{number}" if len(found.receipts) > 1 else source, qr=one.qr)
    if not found.receipts:
        yield Shown(source, unreadable=found.reason, note=found.note)
