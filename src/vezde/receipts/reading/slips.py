"""Text layers of the e-receipts that Wildberries and Ozon give out as PDF.

They say more than the code does: the lines, and on Wildberries each unit's order mark, the `srid`
of the seller's own reports. They prove nothing. A slip whose lines do not add up to its total is
refused: its layout is not the one that is known here.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from vezde.kit import money

MOST_LINES: Final = 500
MOST_NAME: Final = 128  # tag 1030

INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\ufeff\u00ad"))
SPACES = str.maketrans("\u00a0\u202f\u2009", "   ")
DOTS = str.maketrans("·•․", "...")

# One unit of an order: kind, hash or number, position, unit.
MARK = re.compile(
    r"^([a-z0-9]\w{0,4}\.[0-9a-z]{16,64}\.\d{1,4}\.\d{1,4}|\d{14,22}\.\d{1,4}\.\d{1,4})$",
    re.IGNORECASE,
)
FOOTER = re.compile(
    r"receipt\.wb\.ru|^\s*(?:стр\.?|страница)?\s*\d+\s*(?:/|из)\s*\d+\s*$", re.IGNORECASE
)
NUMBERS = re.compile(r"^[\d\s.,]+$")
WB_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d)")
WB_TOTAL = re.compile(r"^Итого\s*([\d ]+[.,]\d\d)", re.IGNORECASE)
WB_SELLER = re.compile(r"^ИНН продавца\s*(\d{10}|\d{12})\b", re.IGNORECASE)
OZON_DATE = re.compile(r"(\d\d)\.(\d\d)\.(\d{4}|\d\d) (\d\d):(\d\d)")
OZON_ITEM = re.compile(r"^(\d{1,3})\.(?:\s+(.*)|\s*)$")
OZON_SUM = re.compile(r"(?:^|\s)[≡=]\s*([\d ]+[.,]\d\d)\s*$")
OZON_TIMES = re.compile(r"(\d+(?:[.,]\d{1,3})?)\s*[xх*×]\s*([\d ]+[.,]\d\d)", re.IGNORECASE)
OZON_TOTAL = re.compile(
    r"^(?:ИТОГО?|ВСЕГО|СУММА ПО ЧЕКУ)\s*[≡=]?\s*([\d ]+[.,]\d\d)", re.IGNORECASE
)
HEAD_CHARACTERS: Final = 400  # where the kind of an Ozon receipt stands
PAID_AHEAD = re.compile(r"предоплат|аванс", re.IGNORECASE)
RETURN = re.compile(r"возврат\s+прихода", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SlipLine:
    """A line: its name, sum, and the order mark and seller that the marketplace prints."""

    name: str
    sum_kopecks: int
    quantity_micro: int = money.MILLION
    mark: str | None = None
    seller_inn: str | None = None


@dataclass(frozen=True, slots=True)
class Slip:
    """An e-receipt as its text layer says; `place` is `wildberries` or `ozon`."""

    place: str
    operation: int
    total_kopecks: int
    wall_time: datetime | None = None
    paid_ahead: bool = False
    lines: tuple[SlipLine, ...] = field(default=(), repr=False)

    def to_json(self) -> dict[str, Any]:
        return {
            "place": self.place,
            "op": self.operation,
            "sum": self.total_kopecks,
            "at": self.wall_time.isoformat() if self.wall_time else None,
            "ahead": self.paid_ahead,
            "lines": [
                [one.name, one.sum_kopecks, one.quantity_micro, one.mark, one.seller_inn]
                for one in self.lines
            ],
        }

    @classmethod
    def from_json(cls, given: dict[str, Any]) -> "Slip":
        """What `to_json` made."""
        return cls(
            place=given["place"],
            operation=given["op"],
            total_kopecks=given["sum"],
            wall_time=datetime.fromisoformat(given["at"]) if given["at"] else None,
            paid_ahead=given["ahead"],
            lines=tuple(SlipLine(*one) for one in given["lines"]),
        )


def read(text: str) -> Slip | None:
    """The slip in a text layer; None: neither layout, or its lines do not add up."""
    lines = list(_lines(text))
    slip = _wildberries(lines) or _ozon(lines)
    if slip is None or not slip.lines or len(slip.lines) > MOST_LINES:
        return None
    return slip if sum(one.sum_kopecks for one in slip.lines) == slip.total_kopecks else None


def _lines(text: str) -> Iterator[str]:
    """Without what no eye sees and without the pages' footers, which fall between the lines."""
    plain = text.translate(INVISIBLE).translate(SPACES)
    for line in plain.splitlines():
        cleaned = " ".join(line.split())
        if cleaned and not FOOTER.search(cleaned):
            yield cleaned


def _wildberries(lines: list[str]) -> Slip | None:
    """Name, mark, price+quantity+sum in one, tax, kind, agent, seller; each unit by itself."""
    total = next((found for one in lines if (found := WB_TOTAL.match(one))), None)
    if total is None or not any(MARK.match(one.translate(DOTS)) for one in lines):
        return None
    start = next((n for n, one in enumerate(lines, 1) if "Сумма" in one), 0)
    items: list[SlipLine] = []
    name: list[str] = []
    mark: str | None = None
    for line in lines[start:]:
        if WB_TOTAL.match(line):
            break
        if MARK.match(line.translate(DOTS)):
            mark = line.translate(DOTS).lower()
        elif mark is not None and NUMBERS.match(line) and (split := _split(line)):
            quantity, sum_kopecks = split
            items.append(SlipLine(_name(name, len(items) + 1), sum_kopecks, quantity, mark))
            name, mark = [], None
        elif items and (seller := WB_SELLER.match(line)):
            last = items[-1]
            items[-1] = SlipLine(
                last.name, last.sum_kopecks, last.quantity_micro, last.mark, seller[1]
            )
            name = []
        elif mark is None:
            name.append(line)
    head = "\n".join(lines[:start] or lines)
    return Slip(
        place="wildberries",
        operation=2 if RETURN.search(head) else 1,
        total_kopecks=_kopecks(total[1]),
        wall_time=_at(WB_DATE.search(head), year_first=True),
        lines=tuple(items),
    )


def _name(parts: list[str], number: int) -> str:
    """The lines before a mark, from the one that begins with the item's number glued to it."""
    first = next((n for n, one in enumerate(parts) if one.startswith(str(number))), None)
    own = parts[first:] if first is not None else parts[-1:]
    joined = " ".join(own)
    return (joined.removeprefix(str(number)) if first is not None else joined).strip()[:MOST_NAME]


def _split(glued: str) -> tuple[int, int] | None:
    """(quantity in millionths, sum) of `590.001590.00`: price, quantity and sum run together.

    The cut is where price times quantity is the sum.
    """
    digits = glued.replace(" ", "").replace(",", ".")
    if len(digits) > 40:
        return None
    first = digits.find(".")
    if first < 1 or not re.fullmatch(r"\d+\.\d\d[\d.]*\.\d\d", digits):
        return None
    price, rest = Decimal(digits[: first + 3]), digits[first + 3 :]
    for cut in range(1, len(rest) - 3):
        try:
            quantity, total = Decimal(rest[:cut]), Decimal(rest[cut:])
        except ArithmeticError:
            continue
        exact = rest[cut] != "0" or rest[cut : cut + 2] == "0."
        if exact and quantity > 0 and price * quantity == total:
            return int(quantity * money.MILLION), int(total * 100)
    return None


def _ozon(lines: list[str]) -> Slip | None:
    """Numbered names, a sum behind the sign that stands for =, a total."""
    head = "\n".join(lines)[:HEAD_CHARACTERS]
    total = next((found for one in lines if (found := OZON_TOTAL.match(one))), None)
    if total is None or "кассовый чек" not in head.casefold():
        return None
    items: list[SlipLine] = []
    name: list[str] | None = None
    quantity = money.MILLION
    for line in lines:
        if OZON_TOTAL.match(line):
            break
        item = OZON_ITEM.match(line)
        if item and int(item[1]) == len(items) + 1 and name is None:
            name, quantity = [item[2] or ""], money.MILLION
            continue
        if name is None:
            continue
        if times := OZON_TIMES.search(line):
            quantity = int(Decimal(times[1].replace(",", ".")) * money.MILLION)
        if found := OZON_SUM.search(line):
            items.append(SlipLine(" ".join(name).strip()[:MOST_NAME], _kopecks(found[1]), quantity))
            name = None
        elif not times:
            name.append(line)
    return Slip(
        place="ozon",
        operation=2 if RETURN.search(head) else 1,
        total_kopecks=_kopecks(total[1]),
        wall_time=_at(OZON_DATE.search(head), year_first=False),
        paid_ahead=bool(PAID_AHEAD.search(head)),
        lines=tuple(items),
    )


def _kopecks(text: str) -> int:
    return int(Decimal(text.replace(" ", "").replace(",", ".")) * 100)


def _at(match: re.Match[str] | None, *, year_first: bool) -> datetime | None:
    if match is None:
        return None
    one, two, three, hour, minute = (int(part) for part in match.groups())
    year, month, day = (one, two, three) if year_first else (three, two, one)
    try:
        return datetime(year if year > 99 else 2000 + year, month, day, hour, minute)
    except ValueError:
        return None
