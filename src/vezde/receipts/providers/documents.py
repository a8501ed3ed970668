"""Documents from a folder of JSON files, of any shape the parsers read: samples, an own archive."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import structlog

from vezde.receipts import parsers
from vezde.receipts.model import FiscalDocument
from vezde.receipts.parsers import UnreadableDocument
from vezde.receipts.providers import protocol
from vezde.receipts.providers.protocol import Answer, Query, Source, Verdict

FILE_BYTES = parsers.LIST_BYTES  # an export of the tax service's app holds hundreds of receipts
log = structlog.get_logger(__name__)


class DocumentsFolder:
    """Every `*.json` under `folder`; files that come, change or go are noticed at the next ask."""

    source = Source.OWN

    def __init__(self, folder: Path, *, name: str = "documents") -> None:
        self.name = name
        self._folder = folder
        self._marks: dict[str, tuple[int, int]] = {}
        self._read: dict[str, list[FiscalDocument]] = {}
        self._index: dict[tuple[int, int], list[FiscalDocument]] = {}
        self._reading = asyncio.Lock()

    async def fetch(self, query: Query) -> Answer:
        """FOUND, FORGED when the folder has another document of that number, else NOT_FOUND."""
        try:
            async with self._reading:
                await asyncio.to_thread(self._refresh)
        except OSError as error:
            note = f"{self.name}: the folder cannot be read ({type(error).__name__})"
            return Answer(Verdict.UNAVAILABLE, note=note)
        held = self._index.get((query.qr.fn, query.qr.fd), ())
        answers = [protocol.compare(one, query.qr, name=self.name) for one in held]
        answers.sort(key=lambda answer: answer.verdict is not Verdict.FOUND)
        return answers[0] if answers else Answer(Verdict.NOT_FOUND)

    async def close(self) -> None:
        """Nothing is held open."""

    def _refresh(self) -> None:
        marks = dict(_marks(self._folder))
        if marks == self._marks:
            return
        fresh = [path for path, mark in marks.items() if self._marks.get(path) != mark]
        kept = {path: self._read[path] for path in self._read if path in marks}
        self._read = kept | {path: _documents(path) for path in fresh}
        self._index = {}
        for documents in self._read.values():
            for document in documents:
                key = (document.key.fn, document.key.fd)
                self._index.setdefault(key, []).append(document)
        self._marks = marks


def _marks(folder: Path | str) -> Iterator[tuple[str, tuple[int, int]]]:
    """Each file with its size and time of change, folders inside included."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                yield from _marks(entry.path)
            elif entry.name.endswith(".json"):
                stat = entry.stat()
                yield entry.path, (stat.st_size, stat.st_mtime_ns)


def _documents(path: str) -> list[FiscalDocument]:
    """What a file holds; a receipt or a file that cannot be read is told to operators."""
    try:
        with Path(path).open("rb") as file:
            body = file.read(FILE_BYTES + 1)
        found = list(parsers.read_each(body, most_bytes=FILE_BYTES))
    except (UnreadableDocument, OSError) as error:
        log.warning("document_unreadable", path=path, because=type(error).__name__)
        return []
    broken = sum(isinstance(one, UnreadableDocument) for one in found)
    if broken:
        log.warning("receipts_unreadable", path=path, broken=broken, read=len(found) - broken)
    return [one for one in found if isinstance(one, FiscalDocument)]
