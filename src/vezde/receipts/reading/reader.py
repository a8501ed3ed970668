"""Reads whatever people send, for every door: in cells, off the event loop, links followed."""

import asyncio
import base64
import functools
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import structlog

from vezde.kit.cells import CellFell, Cells
from vezde.kit.errors import DomainError
from vezde.receipts.links import model as links
from vezde.receipts.model import Note, Reason
from vezde.receipts.qr import grammar, typed
from vezde.receipts.reading import model
from vezde.receipts.reading.model import Findings, Key

log = structlog.get_logger(__name__)

CELL: Final = "vezde.receipts.reading.cell"
SECONDS: Final = 8.0
MEMORY_MB: Final = 1_500
LINKS_SECONDS: Final = 8.0  # with the reading of the pages

# Fetch(link) -> the address it led to and its content, or raises a DomainError.
Fetch = Callable[[str], Awaitable[tuple[str, bytes]]]


def cells() -> Cells:
    """Processes that read files; started at the first one."""
    return Cells(CELL, count=2, seconds=SECONDS, memory_mb=MEMORY_MB)


@dataclass(frozen=True)
class Reader:
    """`fetch` follows links to allowed hosts; None: none is followed."""

    fetch: Fetch | None = None
    cells: Cells = field(default_factory=cells)

    async def file(self, data: bytes, *, photos: bool = False) -> Findings:
        """What is in a file, with the receipts' `photos`; never raises for what is in it."""
        read = await self._read(data)
        if not photos or not read.receipts or all(one.document for one in read.receipts):
            return await self._followed(read)
        made = await self.photos(data, [(one.qr.fn, one.qr.fd) for one in read.receipts])
        receipts = zip(read.receipts, made, strict=True)
        return replace(read, receipts=tuple(replace(one, photo=photo) for one, photo in receipts))

    async def text(self, given: str) -> Findings:
        """What is in a message: a code, typed details, a link to a receipt's page."""
        return await self._followed(of_text(given))

    async def photos(self, data: bytes, wanted: Sequence[Key]) -> list[bytes | None]:
        """Pictures of receipts (fn, fd) in a file, small JPEGs; None where there is none."""
        head = json.dumps({"photos": wanted}).encode()
        try:
            said = json.loads(await self.cells.ask(head + b"\n" + data))
        except CellFell as fell:
            log.warning("photo_not_made", size=len(data), error=fell.detail)
            return [None] * len(wanted)
        if fault := said.get("fault"):
            log.warning("photo_not_made", size=len(data), error=fault)
        return [base64.b64decode(one) if one else None for one in said["photos"]]

    def close(self) -> None:
        self.cells.close()

    async def _read(self, data: bytes, link: str | None = None) -> Findings:
        if len(data) > model.MOST_BYTES:
            return model.TOO_LARGE
        try:
            answer = await self.cells.ask(json.dumps({"link": link}).encode() + b"\n" + data)
            said = json.loads(answer)
            if fault := said.get("fault"):
                log.warning("file_unreadable", error=fault)
            return Findings.from_json(said)
        except CellFell as fell:
            log.warning("reader_fell", size=len(data), error=fell.detail)
            return model.NOTHING

    async def _followed(self, found: Findings) -> Findings:
        """With what the links lead to, when nothing was found beside them."""
        if found.receipts or not found.links:
            return found
        try:
            async with asyncio.timeout(LINKS_SECONDS):
                parts = [await self._page(link) for link in found.links]
        except TimeoutError:
            parts = [replace(model.NOTHING, reason=Reason.NOT_FISCAL_QR, note=Note.LINK_FAILED)]
        led = model.together(parts)
        return led if led.receipts else replace(led, excerpt=found.excerpt)

    async def _page(self, link: str) -> Findings:
        failed = Findings(reason=Reason.NOT_FISCAL_QR, note=Note.LINK_FAILED)
        if links.needs_login(link):
            return replace(failed, note=Note.LOGIN)
        if self.fetch is None:
            return failed
        try:
            address, content = await self.fetch(link)
        except DomainError as error:
            log.info("link_not_followed", host=links.host_of(link), error=error.code)
            return failed
        found = await self._read(content, address)
        return found if found.receipts else failed


@functools.lru_cache(maxsize=128)  # a chat's text is looked at several times while it is answered
def of_text(given: str) -> Findings:
    """What a message says by itself; its links are named, not followed."""
    try:
        return Findings((model.Found(grammar.parse(given)),))
    except (grammar.NotFiscalQr, grammar.BadQr) as error:
        refused = model.failed(error)
    if refused.note is not None:  # a receipt of another country has details, too
        return refused
    if known := links.found(given):
        return Findings(links=known, reason=Reason.NOT_FISCAL_QR, note=Note.LINK_FAILED)
    details = typed.read(given)
    if details.qr is not None:
        return Findings((model.Found(details.qr),))
    if details.is_meant and refused.reason is not Reason.BAD_QR:
        return Findings(reason=Reason.BAD_QR, missing=details.missing)
    return refused
