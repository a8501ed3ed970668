"""Any file, told by its first bytes, whatever it calls itself."""

import codecs
import re
from dataclasses import replace
from typing import Final

from vezde.receipts import parsers
from vezde.receipts.links import model as links
from vezde.receipts.model import FiscalDocument, Note, QrFields, Reason
from vezde.receipts.qr import grammar, images, packs, typed
from vezde.receipts.reading import model
from vezde.receipts.reading.model import MOST_RECEIPTS, Findings, Found

PDF_WITHIN: Final = 1_024  # bytes before a PDF's mark that readers forgive
MOST_TEXT: Final = 200_000
MOST_CODES: Final = 500  # lines of a text that are tried as codes
LETTER = re.compile(
    rb"\A(?:From |(?:Received|Return-Path|Delivered-To|X-[\w-]+|DKIM-Signature|ARC-[\w-]+|From|To"
    rb"|Subject|Date|Message-I[Dd]|MIME-Version|Authentication-Results|Content-Type):)",
    re.IGNORECASE,
)
PAGE = re.compile(
    rb"\A\s*(?:<!doctype html|<html|<head|<body|<div|<table|<h\d|<!--)", re.IGNORECASE
)
ARCHIVES: Final = (
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"\x1f\x8b",
    b"Rar!",
    b"7z\xbc\xaf",
    b"BZh",
    b"\xfd7z",
)
PICTURES: Final = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")
HEIF_BRANDS: Final = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1"})


def read(data: bytes, *, link: str | None = None, depth: int = 0) -> Findings:
    """What is in a file; `link` is the address of the page it came from, `depth` its nesting.

    CPU work of some seconds at most; a hostile file may take more, or all memory there is: it is
    run in a cell.
    """
    if len(data) > model.MOST_BYTES:
        return model.TOO_LARGE
    if is_picture(data):
        return picture(data)
    if is_pdf(data):
        from vezde.receipts.reading import pdfs

        return pdfs.read(data, link=link)
    if data.startswith(ARCHIVES):
        return model.NOTHING
    if LETTER.match(data) and depth < 3:
        from vezde.receipts.reading import letters

        return letters.read(data, depth=depth)
    if PAGE.match(data):
        from vezde.receipts.reading import pages

        return pages.read(decoded(data), link=link)
    if data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in {b"{", b"["} or data[:2] in {
        codecs.BOM_UTF16_LE,
        codecs.BOM_UTF16_BE,
    }:
        return export(data)
    return text(decoded(data)) if _is_text(data) else model.NOTHING


def is_picture(data: bytes) -> bool:
    if data.startswith(PICTURES) or (data[:4] == b"RIFF" and data[8:12] == b"WEBP"):
        return True
    return data[4:8] == b"ftyp" and data[8:12] in HEIF_BRANDS


def is_pdf(data: bytes) -> bool:
    return b"%PDF-" in data[:PDF_WITHIN]


def picture(data: bytes) -> Findings:
    """Every receipt in a picture; without any, the marking codes of jars in it."""
    try:
        seen = images.look(data)
    except images.UnreadableImage as error:
        return model.failed(error)
    if not seen.receipts:
        jars = packs.find(images.opened(data))
        return replace(model.failed(seen.failure), packs=tuple(one.text for one in jars))
    return of_codes(seen.receipts)


def of_codes(codes: tuple[QrFields, ...]) -> Findings:
    return Findings(tuple(Found(one) for one in codes))


def export(data: bytes) -> Findings:
    """Receipts as JSON, of any shape that the parsers know, hundreds of them."""
    found: list[Found] = []
    unread = 0
    try:
        for one in parsers.read_each(data, most_bytes=model.MOST_BYTES):
            if isinstance(one, FiscalDocument) and len(found) < MOST_RECEIPTS:
                found.append(Found(one.qr, one))
            else:
                unread += 1
    except parsers.UnreadableDocument:
        return model.NOTHING
    if not found:
        return replace(model.NOTHING, unread=unread)
    return replace(model.together([Findings(tuple(found))]), unread=unread)


def text(given: str) -> Findings:
    """A code a line, or a receipt's details in any order, or links to receipts' pages."""
    given = given[:MOST_TEXT]
    parts = [_code(line) for line in given.splitlines()[:MOST_CODES] if _may_be_code(line)]
    if any(one.receipts for one in parts):
        return model.together(parts)
    details = typed.read(given)
    if details.qr is not None:
        return of_codes((details.qr,))
    named = model.together(parts) if parts else None
    if named is not None and named.note is not None:
        return named
    if known := links.found(given):
        return Findings(links=known, reason=Reason.NOT_FISCAL_QR, note=Note.LINK_FAILED)
    if details.is_meant:
        return Findings(reason=Reason.BAD_QR, missing=details.missing)
    return named or model.failed(grammar.NotFiscalQr("There is no receipt in this text."))


def _code(line: str) -> Findings:
    try:
        return of_codes((grammar.parse(line),))
    except (grammar.NotFiscalQr, grammar.BadQr) as error:
        return model.failed(error)


def _may_be_code(line: str) -> bool:
    return 0 < len(line.strip()) <= grammar.MOST_CHARACTERS


def decoded(data: bytes) -> str:
    """UTF-8, UTF-16 with a mark, else windows-1251, which Russian mail and pages still write."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1251", errors="replace")


def _is_text(data: bytes) -> bool:
    head = data[:4_096]
    return bool(head) and b"\0" not in head and sum(one < 9 for one in head) == 0
