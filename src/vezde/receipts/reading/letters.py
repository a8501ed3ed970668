"""A letter as a mail program saves or forwards it (.eml): text, pages, pictures, files, letters."""

import email
import email.errors
import email.header
import email.policy
import re
from collections.abc import Iterator
from dataclasses import replace
from email.message import Message
from typing import Final

from vezde.receipts.links import model as links_model
from vezde.receipts.reading import files, model, pages
from vezde.receipts.reading.model import Excerpt, Findings

MOST_PARTS: Final = 60
MOST_SAID: Final = 100_000
MOST_LINK: Final = 600
# Links of these alone are handed on: a stranger's letter must not speak with our voice.
SHOPS: Final = (
    "ozon.ru",
    "wildberries.ru",
    "wb.ru",
    "yandex.ru",
    "megamarket.ru",
    "lamoda.ru",
    "goldapple.ru",
    "letu.ru",
)
CONFIRMS = re.compile(r"подтверд|подтвержд|верифик|код\b|confirm|verif|activat", re.IGNORECASE)
CODE = re.compile(r"\b(?:код|code|пароль)\b[^\d]{0,80}?(?<!\d)(\d{4,8})(?!\d)", re.IGNORECASE)
URL = re.compile(r"https://[^\s<>\"']{4,600}")
FILES: Final = frozenset({"application/pdf", "application/json", "application/octet-stream"})


def read(data: bytes, *, depth: int = 0) -> Findings:
    """What all parts of a letter come to; a text beside a page is the same said twice."""
    try:
        letter = email.message_from_bytes(data, policy=email.policy.compat32)
    except (ValueError, LookupError, RecursionError):
        return model.NOTHING
    found = model.together(_read(part, depth) for part in model.in_time(parts(letter)))
    return found if found.receipts else replace(found, excerpt=_excerpt(letter))


def parts(letter: Message) -> Iterator[Message]:
    """The leaves of a letter; a forwarded one within it is read as a part of this one."""
    try:
        for count, part in enumerate(letter.walk()):
            if count >= MOST_PARTS:
                return
            if not part.is_multipart():
                yield part
    except RecursionError:  # nested by the thousand: no mail program does that
        return


def _read(part: Message, depth: int) -> Findings:
    data = part.get_payload(decode=True)
    if not isinstance(data, bytes) or not data:
        return Findings()
    kind = part.get_content_type()
    if kind == "text/html":
        return pages.read(_text(part, data))
    if kind == "text/plain" and part.get_filename() is None:
        return files.text(_text(part, data))
    if kind.startswith(("image/", "text/")) or kind in FILES:
        return files.read(data, depth=depth + 1)
    # Some shops send a PDF under names of their own making.
    if data.startswith(b"%PDF-") or files.is_picture(data):
        return files.read(data, depth=depth + 1)
    return Findings()


def _excerpt(letter: Message) -> Excerpt | None:
    """Of a letter that wants its reader: to confirm an address, to open a receipt."""
    subject = _header(letter, "Subject")
    said, links = [subject], []
    for part in parts(letter):
        data = part.get_payload(decode=True)
        if not isinstance(data, bytes) or not part.get_content_type().startswith("text/"):
            continue
        text = _text(part, data)[:MOST_SAID]
        if part.get_content_type() == "text/html":
            words = pages.words(text)
            said.append(words.text)
            links += words.links
        else:
            said.append(text)
            links += URL.findall(text)
    sender = _header(letter, "From").rpartition("@")[2].strip(" >").casefold()[:60]
    behind = (one for one in links if links_model.needs_login(one) and _is_shops(one))
    if (receipt := next(behind, None)) is not None:
        return Excerpt(sender, subject[:120], link=receipt, receipt=True)
    whole = "\n".join(said)
    if not CONFIRMS.search(whole):
        return None
    code = CODE.search(whole)
    own = (one for one in links if _is_shops(one))
    link = None if code else next(own, None)
    if code is None and link is None:
        return None
    return Excerpt(sender, subject[:120], code[1] if code else None, link)


def _is_shops(link: str) -> bool:
    host = links_model.host_of(link)
    if host is None or len(link) > MOST_LINK or not link.startswith("https://"):
        return False
    return any(host == shop or host.endswith(f".{shop}") for shop in SHOPS)


def _header(letter: Message, name: str) -> str:
    try:
        shown = str(email.header.make_header(email.header.decode_header(letter.get(name) or "")))
    except (LookupError, ValueError, email.errors.HeaderParseError):
        return ""
    return "".join(one for one in shown if one.isprintable())


def _text(part: Message, data: bytes) -> str:
    charset = str(part.get_content_charset() or "")
    try:
        return data.decode(charset) if charset else files.decoded(data)
    except (LookupError, UnicodeDecodeError):  # a charset nobody knows, or not the one it says
        return files.decoded(data)
