"""The text of a receipt's QR, in every form it comes in.

Canonical: `t=20200727T1747&s=746.00&fn=<16 digits>&i=<FD>&fp=<FPD>&n=1`. Found in the wild: any
order, addresses and percent-encoding around it, `&amp;`, spaces, line ends, capitals, commas, no
`n` at all, Cyrillic letters that look Latin, the same keys pressed on a Russian layout, and a
scanner that types 7 for &. What could mean two things is refused.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from html import unescape
from itertools import zip_longest
from typing import ClassVar
from urllib.parse import unquote

from vezde.kit.errors import DomainError, Kind
from vezde.receipts.model import (
    EARLIEST_YEAR,
    LATEST_YEAR,
    MOST_KOPECKS,
    MOST_UINT32,
    Note,
    QrFields,
)

MOST_CHARACTERS = 2_000
REQUIRED = ("t", "s", "fn", "i", "fp")
TWICE = "said twice"  # no value at all, whatever is expected

Fields = dict[str, str]

# A letter before the name makes it another name; = and all other signs may stand before it.
NAME = re.compile(r"(?<![\w.-])(fn|fp|t|s|i|n) ?= ?", re.IGNORECASE)
SEPARATOR = re.compile(r"[&;#\n]")
# A value ends where no letter or digit follows, not even a digit after a dot or a space.
END = r"(?!\w| ?[.,]?[0-9OoОо])"
NUMBER = re.compile(r"[0-9OoОо]+(?: [0-9OoОо]+)*" + END)
MONEY = re.compile(r"([0-9]{1,3}(?: [0-9]{3})+|[0-9]*)(?:[.,]([0-9]{0,2}))?" + END)
TIME = re.compile(r"([0-9]{8}) ?[TtТтЕе] ?([0-9]{4})([0-9]{2})?[Zz]?" + END)
ZEROS = str.maketrans("OoОо", "0000")

# A keyboard-wedge scanner that loses Shift types 7 for &, a worse one nothing. As t, s and fn have
# known lengths, they tell which of the two it is; a sum without its dot would not.
WEDGE = re.compile(
    r"t=(?P<t>\d{8}t\d{4}(?:\d\d)?)(?P<gap>7?)s=(?P<s>\d+[.,]\d\d)(?P=gap)fn=(?P<fn>\d{16})(?P=gap)"
    r"i=(?P<i>\d{1,10})(?P=gap)fp=(?P<fp>\d{1,10})(?:(?P=gap)n=(?P<n>[1-4]))?(?!\w)",
    re.IGNORECASE | re.ASCII,
)

# How Cyrillic letters got into the names: typed for the Latin ones they resemble, or by pressing
# the Latin ones' keys on a Russian layout, where . gives ю. The two disagree on т and Т.
LOOKALIKES = str.maketrans("тТрРсСѕЅіІп", "ttppssssiin")
LAYOUT = str.maketrans("еЕыЫаАтТшШзЗюЮ", "ttssffnniipp..")

OTHER_CODES = {
    "nspk.ru": (Note.SBP, "a payment by SBP"),
    "check.egais.ru": (Note.EGAIS, "a receipt of EGAIS for alcohol"),
    "kz": (Note.KAZAKHSTAN, "a receipt of Kazakhstan"),
    "by": (Note.BELARUS, "a receipt of Belarus"),
    "uz": (Note.ABROAD, "a receipt of Uzbekistan"),
    "kg": (Note.ABROAD, "a receipt of Kyrgyzstan"),
    "am": (Note.ABROAD, "a receipt of Armenia"),
}
HOST = re.compile(r"(?:^|https?://)([a-z0-9-]+(?:\.[a-z0-9-]+)+)(?=[/:?#]|$)")
# Tills of Kazakhstan write f where ours write fn.
KAZAKH_DRIVE = re.compile(r"(?<!\w)f=\d", re.IGNORECASE)


class NotFiscalQr(DomainError):
    """Another kind of code; the detail and `note` name it when it is known."""

    code = "not_fiscal_qr"
    kind: ClassVar[Kind] = Kind.INVALID

    def __init__(self, detail: str, *, note: Note | None = None) -> None:
        super().__init__(detail)
        self.note = note


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
    fields = _best(_readings(plain))
    if missing := _missing(fields):
        raise _failure(plain, missing)
    wall_time, has_seconds = _time(fields["t"])
    return QrFields(
        wall_time=wall_time,
        total_kopecks=_kopecks(fields["s"]),
        fn=_drive(fields["fn"]),
        fd=_number("i", fields["i"], least=1),
        fp=_number("fp", fields["fp"]),
        operation=_operation(fields["n"]) if "n" in fields else 1,
        operation_assumed="n" not in fields,
        has_seconds=has_seconds,
    )


def _plain(text: str) -> str:
    """The text itself, out of addresses in addresses and HTML, spaces single."""
    for _ in range(3):
        text = unescape(unquote(text))
    if not text.isprintable():
        text = "".join(letter for letter in text if letter.isprintable() or letter.isspace())
    return "\n".join(" ".join(line.split()) for line in text.splitlines())


def _best(readings: Iterator[Fields]) -> Fields:
    """The first complete reading, else the first of those that lack the least."""
    best: Fields = {}
    for fields in readings:
        if len(_missing(fields)) < len(_missing(best)):
            best = fields
        if not _missing(best):
            break
    return best


def _missing(fields: Fields) -> list[str]:
    return [name for name in REQUIRED if name not in fields]


def _readings(plain: str) -> Iterator[Fields]:
    """What the names stand for, in the ways to read the letters, the plainest first."""
    for letters in ({}, LOOKALIKES, LAYOUT):
        written = plain.translate(letters)
        yield _named(written)
        if wedge := WEDGE.search(written.replace(" ", "")):
            named = wedge.groupdict()
            yield {name: named[name] for name in (*REQUIRED, "n") if named[name]}


def _named(written: str) -> Fields:
    """What follows each name, up to the next one; a name with nothing after it is left out."""
    names = list(NAME.finditer(written))
    fields: Fields = {}
    for name, following in zip_longest(names, names[1:]):
        rest = written[name.end() : following.start() if following else None]
        value = SEPARATOR.split(rest, maxsplit=1)[0].rstrip(" ,?")
        if value and fields.setdefault(name[1].lower(), value) != value:
            fields[name[1].lower()] = TWICE
    return fields


def _failure(plain: str, missing: list[str]) -> DomainError:
    """Why these fields are no receipt of a Russian till."""
    for host in HOST.findall(plain.casefold()):
        for ending, (note, what) in OTHER_CODES.items():
            if f".{host}".endswith(f".{ending}"):
                return NotFiscalQr(
                    f"This is {what}; scan the code that a Russian till printed.", note=note
                )
    if "fn" in missing and KAZAKH_DRIVE.search(plain):
        return NotFiscalQr(
            "This is a receipt of Kazakhstan; send one that a Russian till printed.",
            note=Note.KAZAKHSTAN,
        )
    if "fn" not in missing or len(missing) < 3:
        return BadQr(f"The code lacks {', '.join(missing)}; scan it again or type the details.")
    return NotFiscalQr("This is not a receipt's code; scan the one the till prints.")


def _time(text: str) -> tuple[datetime, bool]:
    match = TIME.match(text)
    if match is None:
        raise BadQr("The code's date (t) cannot be read; scan it again.")
    day, hour_minute, second = match.groups(default="00")
    try:
        at = datetime.strptime(day + hour_minute + second, "%Y%m%d%H%M%S")  # noqa: DTZ007
    except ValueError as error:
        raise BadQr("The code's date (t) is not in the calendar; scan it again.") from error
    if not EARLIEST_YEAR <= at.year <= LATEST_YEAR:
        raise BadQr("The code's date (t) is not of this time; scan it again.")
    return at, match[3] is not None


def _kopecks(text: str) -> int:
    match = MONEY.match(text)
    rubles, kopecks = match.groups(default="") if match else ("", "")
    if not rubles and not kopecks:
        raise BadQr("The code's sum (s) cannot be read; scan it again.")
    sum_kopecks = int(rubles.replace(" ", "") or "0") * 100 + int(kopecks.ljust(2, "0"))
    if sum_kopecks > MOST_KOPECKS:
        raise BadQr("The code's sum (s) is more than a till can print; scan it again.")
    return sum_kopecks


def _drive(text: str) -> int:
    digits = _digits(text)
    if len(digits) != 16 or int(digits) == 0:
        raise BadQr("The code's drive number (fn) has not 16 digits; scan it again.")
    return int(digits)


def _number(name: str, text: str, *, least: int = 0) -> int:
    digits = _digits(text)
    if not 0 < len(digits) <= 20 or not least <= int(digits) <= MOST_UINT32:
        raise BadQr(f"The code's {name} is not a number of a receipt; scan it again.")
    return int(digits)


def _operation(text: str) -> int:
    digits = _digits(text)
    if digits not in {"1", "2", "3", "4"}:
        raise BadQr("The code's kind (n) is not 1 to 4; scan it again.")
    return int(digits)


def _digits(text: str) -> str:
    """The digits at the beginning, typed in groups perhaps and with the letter O for zero."""
    match = NUMBER.match(text)
    return match[0].replace(" ", "").translate(ZEROS) if match else ""
