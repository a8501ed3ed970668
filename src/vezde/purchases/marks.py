"""What shops print to name an order, or one unit of it: the same in receipts and seller reports.

Wildberries prints `srid` as a code of the line (`eA9.<hex>.<position>.<unit>`), Ozon's postings are
`12345678-0123-1`. Read from text that was cut out of a PDF as well: with hard spaces, signs of no
width, and dots that are no full stops.

Any other shop may put the number of an order into the tags that are free for use (1084, 1192): a
label and a value, or a text. There tills print phones, addresses and slogans, too, so a number is
taken only under a label that says «number of an order» and nothing else, and nothing more is kept.
"""

import re
from typing import Final, Protocol

INVISIBLE: Final = dict.fromkeys(map(ord, "\u00a0\u200b\u200c\u200d\u2060\ufeff\u00ad"))
DOTS: Final = dict.fromkeys(map(ord, "·•․∙⋅"), ".")
TO_PLAIN: Final = {**INVISIBLE, **DOTS}
SRID: Final = re.compile(
    r"(?<![\w.])(?:[a-z]\w{1,4}\.[0-9a-z]{16,64}|[0-9]{14,22})\.[0-9]{1,4}\.[0-9]{1,4}(?![\w.])",
    re.IGNORECASE | re.ASCII,
)
POSTING: Final = re.compile(r"(?<![\w-])[0-9]{6,10}-[0-9]{4}-[0-9]{1,3}(?![\w-])")
LONGEST = 100

# «Номер заказа», «Интернет-заказ №», «Заказ клиента», `order_id`. What only speaks of orders
# («Телефон для заказа», «Сумма заказа», «Заказчик») names something else.
_WORD: Final = r"(?:номер|ном|№|number|num|no|n|ид|id)"
_LABEL: Final = (
    rf"(?:{_WORD}[\s._#-]*)*(?:(?:интернет|онлайн|internet|online)[\s_-]*)?(?:заказа?|zakaza?|order)"
    rf"(?:[\s._#-]*(?:{_WORD}|клиента|покупателя|на\sсайте|(?:интернет[\s-]*)?магазина)"
    r"(?![a-zа-яё]))*+"  # takes what it can and gives nothing back: no text takes long to refuse
)
_NUMBER: Final = r"[a-zа-яё]{0,3}[-_/.]?[0-9][0-9a-zа-яё]*(?:[-_/.][0-9a-zа-яё]+)*"
LABEL: Final = re.compile(rf"{_LABEL}[\s.:#№]*")
NUMBER: Final = re.compile(rf"(?:(?:№|#|no?\.?\s)\s*)?({_NUMBER})")
STATED: Final = re.compile(
    rf"{_LABEL}(?:[\s:=.#№-]++|(?=[0-9])|(?<=№))({_NUMBER})(?:\sот\s[0-9.\s/:-]+(?:г\.?)?)?"
)
APART: Final = re.compile(r"[;,|\n]")
QUOTES: Final = str.maketrans("", "", "{}[]\"'«»")
# Behind the number some tills print what kind of paper it is: «151939ПРИ» of a sale.
KIND_OF_PAPER: Final = re.compile(r"(?<=[0-9])[а-яё]{1,3}$")
NAME: Final = re.compile(r"[a-zа-яё]{4}")
OTHER_THINGS: Final = re.compile(
    r"[0-9]{1,2}([./-])[0-9]{1,2}\1[0-9]{2,4}|[0-9]{4}([./-])[0-9]{1,2}\2[0-9]{1,2}"  # days
    r"|20[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])"
    r"|[0-9]+\.[0-9]{1,2}"  # a sum
)
PHONE: Final = re.compile(r"[78][0-9]{10}|9[0-9]{9}|(?:375|380|99[0-9])[0-9]{9}")
FEWEST_DIGITS: Final = 5  # shorter ones begin anew every day
MOST_NUMBER: Final = 40
MOST_TEXT: Final = 256  # of tags 1086 and 1192, generously
PART_OF: Final = re.compile(r"[-_/.][0-9]{1,3}")


class Marked(Protocol):
    """A line that may carry the mark of its unit, and the number of its order."""

    @property
    def mark(self) -> str | None: ...
    @property
    def order_number(self) -> str | None: ...


def same_order(one: Marked, other: Marked) -> bool | None:
    """Whether two lines are of one order (of one unit of it, where both name the unit).

    A parcel's number is its order's with a figure behind. None: they do not say.
    """
    if one.mark is not None and other.mark is not None:
        return one.mark == other.mark
    ours, theirs = _order(one), _order(other)
    if ours is None or theirs is None:
        return None
    shorter, longer = sorted((ours, theirs), key=len)
    rest = longer.removeprefix(shorter)
    return not rest or (rest != longer and PART_OF.fullmatch(rest) is not None)


def _order(one: Marked) -> str | None:
    if one.order_number is None and one.mark is not None and POSTING.fullmatch(one.mark):
        return one.mark
    return one.order_number


def is_label(text: str) -> bool:
    """Whether a label says that the number of an order stands beside it, and nothing else."""
    return LABEL.fullmatch(_plain(text)) is not None


def order_number(label: str, value: str) -> str | None:
    """The order's number in a requisite of a label and a value (tags 1085, 1086); None: no number.

    In small letters, as all marks are.
    """
    if is_label(label) and (match := NUMBER.fullmatch(_plain(value))):
        return find(value) or _checked(match[1])
    return order_stated(value)


def order_stated(text: str) -> str | None:
    """The order's number that a free text (tags 1191, 1192) names as such; None: it names none."""
    if found := find(text[:MOST_TEXT]):
        return found
    for part in APART.split(text[:MOST_TEXT].translate(QUOTES)):
        if match := STATED.fullmatch(_plain(part)):
            return _checked(match[1])
    return None


def _plain(text: str) -> str:
    return " ".join(text[:MOST_TEXT].translate(TO_PLAIN).casefold().split())


def _checked(number: str) -> str | None:
    """None for what is no order's number or might be a person's: a phone, a name, a day, a sum."""
    found = KIND_OF_PAPER.sub("", number)
    digits = "".join(filter(str.isdecimal, found))
    if len(found) > MOST_NUMBER or len(digits) < FEWEST_DIGITS or len(set(digits)) == 1:
        return None
    if OTHER_THINGS.fullmatch(found) or PHONE.fullmatch(digits) or NAME.search(found):
        return None
    return found


def find(text: str | None) -> str | None:
    """The first mark in a text, in small letters; None where there is none."""
    if not text:
        return None
    plain = text.translate(TO_PLAIN)
    found = SRID.search(plain) or POSTING.search(plain)
    return found[0].lower() if found else None


def without(text: str | None) -> str | None:
    """The text without its mark: the order's number is no part of a product's name."""
    if not text:
        return text
    plain = text.translate(TO_PLAIN)
    found = SRID.search(plain) or POSTING.search(plain)
    if found is None:
        return text
    return " ".join(f"{plain[: found.start()]} {plain[found.end() :]}".split()) or None


def read(cell: str | None) -> str | None:
    """The mark that a report's cell is as a whole; what no rule knows is taken as it stands."""
    plain = (cell or "").translate(TO_PLAIN).strip().lower()
    return plain[:LONGEST] or None
