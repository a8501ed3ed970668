"""A receipt's details as people type them and as pages print them: any order, the usual labels.

`ФН 9960440302452937 ФД 88432 ФП 3917149204 сумма 746,00 от 27.07.2020 17:47` and its likes. Without
labels a drive is known by its 16 digits, a date by its shape, a sum by its kopecks or its rubles,
and of two numbers the longer one is the signature, if it is longer by enough. What could mean two
things is left out, and said to be missing.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from vezde.receipts.model import (
    EARLIEST_YEAR,
    LATEST_YEAR,
    MOST_KOPECKS,
    MOST_UINT32,
    QrFields,
)

MOST_CHARACTERS: Final = 20_000
Clock = tuple[int, int, int | None]  # hour, minute, second

FIELDS: Final = ("fn", "fd", "fp", "sum", "date", "time")
LONG_SIGNATURE: Final = 8  # digits that document numbers do not reach in a drive's life
MEANT: Final = 2  # fields that make a text a receipt's details

MONTHS: Final = ("янв", "фев", "мар", "апр", "ма", "июн", "июл", "авг", "сен", "окт", "ноя", "дек")
# Between a label and its value.
GAP = r"[\s:;=№#.≡*_–—-]{0,6}(?:(?:n|no|номер)\b[\s:.=]{0,4})?"
NUMBERED = r"(?:(?:номер|ном\.?|n|no|№)[\s.:]{0,3})?"
# Numbers of a receipt that are not asked for; their values must not pass for others.
OTHERS = re.compile(
    r"(?<![а-яa-z])(?:рн\s?ккт|р/н\s?ккт|зн\s?ккт|з/н\s?ккт|ккт|инн(?:\s\w+)?|смена|чек|касса|кассир"
    rf"|эккт|№\s?чека|тел(?:ефон)?|заказ){GAP}[\d ]{{1,20}}"
)
DRIVE = re.compile(
    rf"(?<![а-яa-z]){NUMBERED}(?:фн|fn|зав\w*\.?\sномер\sфн|фискальн\w+\sнакопител\w+){GAP}"
    r"((?:\d ?){16})(?!\d)"
)
DOCUMENT = re.compile(
    rf"(?<![а-яa-z]){NUMBERED}(?:фд|fd|i|номер\sдокумента|фискальн\w+\sдокумент\w*){GAP}"
    r"(\d{1,10})(?!\d)"
)
SIGNATURE = re.compile(
    rf"(?<![а-яa-z]){NUMBERED}(?:фпд?|fpd?|fs|фискальн\w+\sпризнак(?:\sдокумента)?){GAP}"
    r"(\d{1,10})(?!\d)"
)
MONEY = (
    r"(\d{1,3}(?:[ ']\d{3})+|\d{1,10})"
    r"(?:[.,](\d{1,2})(?!\d)|\s?(?:руб\w*\.?|р\.?|₽)\s?(\d{2})\s?(?:коп\w*\.?|к\.?))?"
)
TOTALS: Final = tuple(
    re.compile(rf"(?<![а-яa-z]){label}[\s:;=≡*.–—-]{{0,8}}{MONEY}(?![\d.,]*\d)")
    for label in (
        r"(?:итого?|к\sоплате|total)(?:\sпо\sчеку)?",
        r"(?:всего|на\sсумму|сумма\sчека|сумма\sпо\sчеку)",
        r"(?:сумма|sum|s)",
    )
)
RUBLES = re.compile(
    r"(?<![\d.,])(\d{1,3}(?:[ ']\d{3})+|\d{1,10})(?:[.,](\d{1,2}))?\s?(?:руб\w*\.?|р\b\.?|₽)"
    r"(?:\s?(\d{2})\s?(?:коп\w*\.?|к\b\.?))?"
)
KOPECKS = re.compile(r"(?<![\d.,])(\d{1,3}(?:[ ']\d{3})+|\d{1,10})[.,](\d{2})(?![\d.,]*\d)")
COMPACT = re.compile(r"(?<!\d)(20\d\d)(\d\d)(\d\d)[tт](\d\d)(\d\d)(\d\d)?(?!\d)")
ISO = re.compile(r"(?<!\d)(20\d\d)[-./](\d{1,2})[-./](\d{1,2})(?!\d)")
DAY_FIRST = re.compile(r"(?<![\d.,])(\d{1,2})[-./](\d{1,2})[-./](20\d\d|\d\d)(?!\d)")
IN_WORDS = re.compile(
    rf"(?<!\d)(\d{{1,2}})\s({'|'.join(MONTHS)})[а-я]*\.?\s(20\d\d)(?!\d)",
)
CLOCK = re.compile(r"(?<![\d:.,])(\d{1,2})[:](\d{2})(?::(\d{2}))?(?![\d:])")
CLOCK_LABELLED = re.compile(r"(?<![а-яa-z])время[\s:=]{0,3}(\d{1,2})[-.:\s](\d{2})(?![\d.,]*\d)")
CLOCK_AFTER_DATE = re.compile(r"[\s,в]{1,4}(\d{1,2})[-.\s](\d{2})(?![\d.,]*\d)")
# A date with its time is surer than one without: pages tell of laws and licences, too.
PAIR = re.compile(
    r"(?:(?P<iso>20\d\d[-./]\d{1,2}[-./]\d{1,2})|(?<![\d.,])(?P<day>\d{1,2}[-./]\d{1,2}[-./](?:20\d\d|\d\d))"
    rf"|(?P<words>(?<!\d)\d{{1,2}}\s(?:{'|'.join(MONTHS)})[а-я]*\.?\s20\d\d))"
    r"(?:\s?г\.?)?[\s,;|вt-]{1,6}(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2}))?"
)
OPERATIONS: Final = (
    (4, re.compile(r"возврат\sрасхода")),
    (2, re.compile(r"возврат\sприхода")),
    (3, re.compile(r"(?<![а-я])расход(?![а-я])")),
    (1, re.compile(r"(?<![а-я])приход(?![а-я])")),
)
PLAIN_NUMBER = re.compile(r"(?<![\d.,:])\d{1,10}(?![\d.,:]*\d)")
PLAIN_DRIVE = re.compile(r"(?<!\d)[1-9]\d{15}(?!\d)")


@dataclass(frozen=True, slots=True)
class Typed:
    """What was recognised; None: not there, or could mean two things."""

    fn: int | None = None
    fd: int | None = None
    fp: int | None = None
    total_kopecks: int | None = None
    wall_time: datetime | None = None
    has_time: bool = False
    has_seconds: bool = False
    operation: int | None = None
    labelled: bool = field(default=False, repr=False)

    @property
    def missing(self) -> tuple[str, ...]:
        """Which of `FIELDS` have still to be said."""
        said = {
            "fn": self.fn is not None,
            "fd": self.fd is not None,
            "fp": self.fp is not None,
            "sum": self.total_kopecks is not None,
            "date": self.wall_time is not None,
            "time": self.wall_time is None or self.has_time,
        }
        return tuple(name for name in FIELDS if not said[name])

    @property
    def is_meant(self) -> bool:
        """Whether somebody typed a receipt's details, all of them or not."""
        known = [self.fn, self.fd, self.fp, self.total_kopecks, self.wall_time]
        count = sum(one is not None for one in known)
        return count >= MEANT and (self.labelled or self.fn is not None)

    @property
    def qr(self) -> QrFields | None:
        """The fields of the receipt's code, when all are there."""
        if self.missing:
            return None
        assert self.wall_time is not None, "nothing is missing"
        assert self.total_kopecks is not None, "nothing is missing"
        assert self.fn is not None, "nothing is missing"
        assert self.fd is not None, "nothing is missing"
        assert self.fp is not None, "nothing is missing"
        return QrFields(
            wall_time=self.wall_time,
            total_kopecks=self.total_kopecks,
            fn=self.fn,
            fd=self.fd,
            fp=self.fp,
            operation=self.operation or 1,
            operation_assumed=self.operation is None,
            has_seconds=self.has_seconds,
        )


def read(text: str) -> Typed:
    """The details in a text of people or of a receipt's page; never raises."""
    rest = _plain(text[:MOST_CHARACTERS])
    operation = next((number for number, words in OPERATIONS if words.search(rest)), None)
    moments, rest = _moments(rest)
    fn, rest = _labelled(DRIVE, rest)
    fd, rest = _labelled(DOCUMENT, rest)
    fp, rest = _labelled(SIGNATURE, rest)
    labelled = any(one is not None for one in (fn, fd, fp))
    rest = OTHERS.sub(" ; ", rest)
    total, rest = _total(rest)
    if fn is None:
        fn, rest = _lone(PLAIN_DRIVE, rest)
    fd, fp, total = _unlabelled(rest, fd, fp, total)
    moment = moments if moments is not None else _Moment()
    return Typed(
        fn=fn or None,
        fd=fd if fd and fd <= MOST_UINT32 else None,
        fp=fp if fp is not None and fp <= MOST_UINT32 else None,
        total_kopecks=total if total is not None and total <= MOST_KOPECKS else None,
        wall_time=moment.at,
        has_time=moment.has_time,
        has_seconds=moment.has_seconds,
        operation=operation,
        labelled=labelled,
    )


def _plain(text: str) -> str:
    """Small letters, ё as е, one space, digits of one kind; lines stay lines by a semicolon."""
    folded = unicodedata.normalize("NFKC", text).casefold().replace("ё", "е")
    shown = "".join(letter if letter.isprintable() else "\n" for letter in folded)
    return " ; ".join(" ".join(line.split()) for line in shown.split("\n") if line.strip())


@dataclass(frozen=True, slots=True)
class _Moment:
    at: datetime | None = None
    has_time: bool = False
    has_seconds: bool = False


def _moments(text: str) -> tuple[_Moment | None, str]:
    """The one date with its time, and the text without any; two dates that differ are none."""
    days: set[tuple[int, int, int]] = set()
    clocks: set[Clock] = set()
    pairs: set[tuple[tuple[int, int, int], Clock]] = {_pair(one) for one in PAIR.finditer(text)}
    for compact in COMPACT.finditer(text):
        year, month, day, hour, minute = (int(one) for one in compact.groups()[:5])
        second = int(compact[6]) if compact[6] else None
        pairs.add(((year, month, day), (hour, minute, second)))
    text = COMPACT.sub(" ; ", text)
    for one in CLOCK_LABELLED.finditer(text):
        clocks.add((int(one[1]), int(one[2]), None))
    text = CLOCK_LABELLED.sub(" ; ", text)
    for shape in (ISO, DAY_FIRST, IN_WORDS):
        text = _without(shape, text, days, clocks)
    for match in CLOCK.finditer(text):
        clocks.add((int(match[1]), int(match[2]), int(match[3]) if match[3] else None))
    text = CLOCK.sub(" ; ", text)
    known = {one for one in pairs if one[0][0] >= EARLIEST_YEAR}
    if len({(day, clock[:2]) for day, clock in known}) == 1:
        return _moment({day for day, _ in known}, {clock for _, clock in known}), text
    return _moment({day for day in days if day[0] >= EARLIEST_YEAR}, clocks), text


def _pair(match: re.Match[str]) -> tuple[tuple[int, int, int], Clock]:
    for shape, name in ((ISO, "iso"), (DAY_FIRST, "day"), (IN_WORDS, "words")):
        if match[name] and (date := shape.match(match[name])):
            second = int(match["second"]) if match["second"] else None
            return _day(shape, date), (int(match["hour"]), int(match["minute"]), second)
    raise AssertionError("a pair has a date of one of the shapes")


def _without(
    shape: re.Pattern[str], text: str, days: set[tuple[int, int, int]], clocks: set[Clock]
) -> str:
    """The text without dates of this shape, nor the 17-47 or 17.47 behind one."""
    kept, end = [], 0
    for match in shape.finditer(text):
        days.add(_day(shape, match))
        kept += [text[end : match.start()], " ; "]
        end = match.end()
        if after := CLOCK_AFTER_DATE.match(text, end):
            clocks.add((int(after[1]), int(after[2]), None))
            end = after.end()
    return "".join(kept) + text[end:]


def _day(shape: re.Pattern[str], match: re.Match[str]) -> tuple[int, int, int]:
    if shape is ISO:
        return int(match[1]), int(match[2]), int(match[3])
    if shape is IN_WORDS:
        return int(match[3]), MONTHS.index(match[2]) + 1, int(match[1])
    year = int(match[3])
    return (year if year > 99 else 2000 + year), int(match[2]), int(match[1])


def _moment(days: set[tuple[int, int, int]], clocks: set[Clock]) -> _Moment | None:
    if len(days) != 1:
        return None
    (day,) = days
    # 17:47 and 17:47:12 are one time, told twice.
    exact = {one for one in clocks if one[2] is not None}
    minutes = {one[:2] for one in clocks}
    hour, minute = next(iter(minutes)) if len(minutes) == 1 else (0, 0)
    second = next(iter(exact))[2] if len(minutes) == 1 and len(exact) == 1 else None
    try:
        at = datetime(*day, hour, minute, second or 0)
    except ValueError:
        return None
    if not EARLIEST_YEAR <= at.year <= LATEST_YEAR:
        return None
    return _Moment(at, len(minutes) == 1, second is not None)


def _labelled(label: re.Pattern[str], text: str) -> tuple[int | None, str]:
    values = {int(match[1].replace(" ", "")) for match in label.finditer(text)}
    rest = label.sub(" ; ", text)
    return (values.pop() if len(values) == 1 else None), rest


def _lone(shape: re.Pattern[str], text: str) -> tuple[int | None, str]:
    values = {int(match[0]) for match in shape.finditer(text)}
    return (values.pop() if len(values) == 1 else None), shape.sub(" ; ", text)


def _total(text: str) -> tuple[int | None, str]:
    """The sum by the strongest label, else by its rubles, else by its kopecks, if that is one."""
    for label in TOTALS:
        if found := {_kopecks(*match.groups()) for match in label.finditer(text)}:
            return (found.pop() if len(found) == 1 else None), label.sub(" ; ", text)
    if found := {_kopecks(*match.groups()) for match in RUBLES.finditer(text)}:
        return (found.pop() if len(found) == 1 else None), RUBLES.sub(" ; ", text)
    found = {_kopecks(match[1], match[2], None) for match in KOPECKS.finditer(text)}
    return (found.pop() if len(found) == 1 else None), KOPECKS.sub(" ; ", text)


def _kopecks(rubles: str, kopecks: str | None, in_words: str | None) -> int:
    whole = int(rubles.replace(" ", "").replace("'", ""))
    return whole * 100 + int((kopecks or in_words or "0").ljust(2, "0"))


def _unlabelled(
    text: str, fd: int | None, fp: int | None, total: int | None
) -> tuple[int | None, int | None, int | None]:
    """What the numbers that are left must be, where only one thing is possible."""
    left = list(_numbers(text))
    if fd is not None and fp is None and len(left) == 1:
        return fd, int(left[0]), total
    if fp is not None and fd is None and len(left) == 1:
        return int(left[0]), fp, total
    if fd is None and fp is None and len(left) == 2:
        short, long = sorted(left, key=len)
        if len(long) >= LONG_SIGNATURE > len(short):
            return int(short), int(long), total
    if fd is not None and fp is not None and total is None and len(left) == 1:
        return fd, fp, int(left[0]) * 100 if len(left[0]) <= 7 else None
    return fd, fp, total


def _numbers(text: str) -> Iterator[str]:
    seen = set()
    for match in PLAIN_NUMBER.finditer(text):
        if match[0] not in seen:
            seen.add(match[0])
            yield match[0]
