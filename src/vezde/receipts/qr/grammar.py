"""The text of a receipt's QR, in every form it comes in.

Canonical: `t=20200727T1747&s=746.00&fn=<16 digits>&i=<FD>&fp=<FPD>&n=1`. Found in the wild: any
order, URLs and percent-encoding around it, `&amp;`, spaces, line ends, capitals, letters of the
Russian layout, commas, a scanner that types 7 for &, and no `n` at all.
"""

import re
from datetime import datetime
from html import unescape
from typing import ClassVar
from urllib.parse import unquote

from vezde.kit import money
from vezde.kit.errors import DomainError, Kind
from vezde.receipts.model import QrFields

MOST_CHARACTERS = 2_000
MAX_UINT32 = 2**32 - 1
EARLIEST, LATEST = 2017, 2100  # fiscal drives came in 2017

# What a Russian layout types for the keys' letters, and Cyrillic letters that look Latin.
LATIN = str.maketrans(
    {
        "е": "t",
        "Е": "T",
        "т": "n",
        "Т": "T",
        "ы": "s",
        "Ы": "s",
        "а": "f",
        "А": "f",
        "ш": "i",
        "Ш": "i",
        "з": "p",
        "З": "p",
        "с": "s",
        "С": "s",
        "р": "p",
        "Р": "p",
    }
)
PAIR = re.compile(r"(?:^|[?&;\s#])\s*(t|s|fn|i|fp|n)\s*=\s*([^&;\s#]+)", re.IGNORECASE)
# A keyboard-wedge scanner on another layout: separators are typed as 7 and dots may vanish.
WEDGE = re.compile(
    r"t=(\d{8}t\d{4}(?:\d\d)?)7s=(\d+(?:[.,]\d\d?)?)7fn=(\d{16})7i=(\d{1,10})7fp=(\d{1,10})7n=([1-4])",
    re.IGNORECASE,
)
DATE = re.compile(r"(\d{8})t(\d{4})(\d\d)?(?:z)?", re.IGNORECASE | re.ASCII)
SUM = re.compile(r"\d{0,12}(?:[.,]\d{0,2})?", re.ASCII)
DIGITS = re.compile(r"\d{1,20}", re.ASCII)

OTHER_CODES = (
    ("nspk.ru", "a payment by SBP"),
    ("check.egais.ru", "an EGAIS alcohol receipt"),
    ("consumer.oofd.kz", "a receipt of Kazakhstan"),
    ("kofd.kz", "a receipt of Kazakhstan"),
    ("ch.info-center.by", "a receipt of Belarus"),
    ("skko.by", "a receipt of Belarus"),
    ("soliq.uz", "a receipt of Uzbekistan"),
)
FOREIGN = re.compile(r"(?:^|[?&])f=\d+", re.IGNORECASE)


class NotFiscalQr(DomainError):
    """Another kind of code; the detail names it when it is known."""

    code = "not_fiscal_qr"
    kind: ClassVar[Kind] = Kind.INVALID


class BadQr(DomainError):
    """A receipt's code that was not read in full, or cannot be."""

    code = "bad_qr"
    kind: ClassVar[Kind] = Kind.INVALID


def parse(text: str) -> QrFields:
    """The fields of a receipt's QR; raises `NotFiscalQr` or `BadQr`.

    The sum is in kopecks; a missing `n` is read as a sale and marked as assumed.
    """
    if len(text) > MOST_CHARACTERS:
        raise NotFiscalQr("This is not a receipt's code: it is too long for one.")
    plain = _plain(text)
    fields = _fields(plain)
    if "fn" not in fields and len(fields) < 3:
        raise _another_code(plain)
    if "fn" not in fields and FOREIGN.search(plain):
        raise NotFiscalQr("This is a receipt of another country; send one of a Russian till.")
    missing = [key for key in ("t", "s", "fn", "i", "fp") if key not in fields]
    if missing:
        raise BadQr(f"The code lacks {', '.join(missing)}; scan it again or type the details.")
    wall_time, has_seconds = _date(fields["t"])
    operation = fields.get("n")
    return QrFields(
        wall_time=wall_time,
        total_kopecks=_sum(fields["s"]),
        fn=_fn(fields["fn"]),
        fd=_number("i", fields["i"]),
        fp=_number("fp", fields["fp"]),
        operation=_operation(operation) if operation else 1,
        operation_assumed=operation is None,
        has_seconds=has_seconds,
    )


def _plain(text: str) -> str:
    plain = text.strip().lstrip("\ufeff")
    if "%3d" in plain.casefold():
        plain = unquote(plain)
    return unescape(plain)


def _fields(plain: str) -> dict[str, str]:
    wedge = WEDGE.search(plain.replace(" ", ""))
    if wedge and "&" not in plain:
        return dict(zip(("t", "s", "fn", "i", "fp", "n"), wedge.groups(), strict=True))
    found = {key.lower(): value for key, value in PAIR.findall(plain)}
    if "fn" in found or not any("а" <= letter.lower() <= "я" for letter in plain):
        return found
    return {key.lower(): value for key, value in PAIR.findall(plain.translate(LATIN))}


def _another_code(plain: str) -> NotFiscalQr:
    address = plain.casefold()
    for host, what in OTHER_CODES:
        if host in address:
            return NotFiscalQr(f"This is {what}, not a receipt; scan the code the till prints.")
    if FOREIGN.search(plain):
        return NotFiscalQr("This is a receipt of another country; send one of a Russian till.")
    return NotFiscalQr("This is not a receipt's code; scan the one the till prints.")


def _date(text: str) -> tuple[datetime, bool]:
    match = DATE.fullmatch(text.translate(LATIN))
    try:
        if match is None:
            raise ValueError("no date")
        wall_time = datetime.strptime(match[1] + match[2] + (match[3] or "00"), "%Y%m%d%H%M%S")  # noqa: DTZ007
    except ValueError as error:
        raise BadQr("The code's date cannot be read; scan it again.") from error
    if not EARLIEST <= wall_time.year < LATEST:
        raise BadQr("The code's date is not of this time; scan it again.")
    return wall_time, match[3] is not None


def _sum(text: str) -> int:
    if not SUM.fullmatch(text) or not any(letter.isdigit() for letter in text):
        raise BadQr("The code's sum cannot be read; scan it again.")
    return money.kopecks(text)


def _fn(text: str) -> int:
    if not DIGITS.fullmatch(text) or len(text) != 16:
        raise BadQr("The code's drive number (fn) has not 16 digits; scan it again.")
    return int(text)


def _number(key: str, text: str) -> int:
    if not DIGITS.fullmatch(text) or not 0 <= int(text) <= MAX_UINT32:
        raise BadQr(f"The code's {key} is not a number of a receipt; scan it again.")
    return int(text)


def _operation(text: str) -> int:
    if text not in {"1", "2", "3", "4"}:
        raise BadQr("The code's kind (n) is not 1 to 4; scan it again.")
    return int(text)
