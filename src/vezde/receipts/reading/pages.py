"""Pages of receipts: a code in the source or in a picture, the details in the text, links on."""

import base64
import binascii
import contextlib
import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from typing import Final

from vezde.receipts.links import model as links
from vezde.receipts.model import Note, QrFields, Reason
from vezde.receipts.qr import grammar, typed
from vezde.receipts.qr.typed import Typed
from vezde.receipts.reading import model
from vezde.receipts.reading.model import Findings

MOST_CHARACTERS: Final = 4 * 1024 * 1024
MOST_PICTURES: Final = 8
MOST_CODES: Final = 50

BLOCKS: Final = frozenset(
    {"address", "article", "br", "dd", "div", "dl", "dt", "footer", "form", "header", "hr", "li"}
    | {"h1", "h2", "h3", "h4", "h5", "h6", "main", "ol", "p", "pre", "section", "table", "tbody"}
    | {"td", "th", "tr", "ul"}
)
UNSEEN: Final = frozenset({"script", "style", "template", "noscript"})
# A receipt's code wherever it is written: in a link, an attribute, a script.
CODE = re.compile(r"(?<![\w])t(?:=|%3D)20\d{6}T\d{4,6}[^\s\"'<>\\]{20,300}", re.IGNORECASE)
PICTURE = re.compile(r"data:image/(?:png|jpe?g|webp|gif);base64,([A-Za-z0-9+/=\s%]{100,2000000})")


class _Words(HTMLParser):
    """A page's visible text, a line a block, and its addresses."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.links: list[str] = []
        self._unseen = 0

    @property
    def text(self) -> str:
        return "".join(self.parts)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in BLOCKS:
            self.parts.append("\n")
        if tag in UNSEEN:
            self._unseen += 1
        self.links += [value for name, value in attrs if name in {"href", "src"} and value]

    def handle_endtag(self, tag: str) -> None:
        if tag in UNSEEN:
            self._unseen = max(self._unseen - 1, 0)
        if tag in BLOCKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.parts.append(data)


def read(page: str, *, link: str | None = None) -> Findings:
    """Receipts of a page; `link` is its own address, which may tell parts of the fiscal key."""
    page = page[:MOST_CHARACTERS]
    if codes := tuple(_codes(page)):
        return model.together([_of(one) for one in codes])
    read = words(page)
    said = read.text
    pictures = list(model.in_time(_pictures(page)))
    seen = model.together(pictures) if pictures else model.NOTHING
    if seen.receipts:
        return seen
    details = completed(typed.read(said), link)
    if details.qr is not None:
        return _of(details.qr)
    # A page asked for by its link leads no further; a letter or a saved page may.
    on = links.found("\n".join([said, *read.links])) if link is None else ()
    if on:
        return Findings(links=on, reason=Reason.NOT_FISCAL_QR, note=Note.LINK_FAILED)
    if details.is_meant:
        return Findings(reason=Reason.BAD_QR, missing=details.missing)
    return seen if link is None else replace(seen, note=Note.LINK_FAILED)


def words(page: str) -> _Words:
    """The page's words and addresses, up to where it stops being a page."""
    made = _Words()
    # The parser raises it for marked sections that are none: html.parser, _markupbase.
    with contextlib.suppress(AssertionError):
        made.feed(page[:MOST_CHARACTERS])
    return made


def completed(details: Typed, link: str | None) -> Typed:
    """The details with what the page's address tells of the key; the address is the page's name."""
    if link is None:
        return details
    key = links.key_of(link)
    return replace(
        details,
        fn=key.get("fn", details.fn),
        fd=key.get("fd", details.fd),
        fp=key.get("fp", details.fp),
    )


def _of(fields: QrFields) -> Findings:
    return Findings((model.Found(fields),))


def _codes(page: str) -> Iterator[QrFields]:
    for count, match in enumerate(CODE.finditer(page)):
        if count >= MOST_CODES:
            return
        try:
            yield grammar.parse(match[0])
        except (grammar.NotFiscalQr, grammar.BadQr):
            continue


def _pictures(page: str) -> Iterator[Findings]:
    """Pictures that the page carries in itself."""
    from vezde.receipts.reading import files

    for count, match in enumerate(PICTURE.finditer(page)):
        if count >= MOST_PICTURES:
            return
        try:
            data = base64.b64decode("".join(match[1].split()))
        except (binascii.Error, ValueError):
            continue
        if files.is_picture(data):
            yield files.picture(data)
