"""Fiscal documents and receipts: what a till printed, in one normal form.

Numbers in brackets are FFD tags. No buyer, cashier or other personal field is ever read.
"""

from dataclasses import MISSING, dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

CORRECTIONS: Final = frozenset({31, 41})

# What a till can print at all; whatever is outside was misread or made up.
MOST_FN: Final = 10**16 - 1  # 16 digits
MOST_UINT32: Final = 2**32 - 1  # fd and fp
MOST_KOPECKS: Final = 10**12 - 1
EARLIEST_YEAR, LATEST_YEAR = 2017, 2099  # fiscal drives came in 2017


class Status(StrEnum):
    """Where a receipt is."""

    CHECKING = "checking"
    AWAITING_SETTLEMENT = "awaiting_settlement"
    ACCEPTED = "accepted"
    IN_REVIEW = "in_review"
    REJECTED = "rejected"


class Reason(StrEnum):
    """Why a receipt is where it is; `forged` is for operators, members read `not_found`."""

    ALREADY_REGISTERED = "already_registered"
    TAKEN = "taken"
    NOT_FISCAL_QR = "not_fiscal_qr"
    BAD_QR = "bad_qr"
    UNREADABLE_IMAGE = "unreadable_image"
    WRONG_OPERATION = "wrong_operation"
    TOO_OLD = "too_old"
    FROM_FUTURE = "from_future"
    NOT_OURS = "not_ours"
    DAILY_LIMIT = "daily_limit"
    CORRECTION = "correction"
    ADVANCE = "advance"
    DOUBTFUL_MATCH = "doubtful_match"
    QUARANTINED = "quarantined"
    DECLINED = "declined"
    SELLER_BLOCKED = "seller_blocked"
    NOT_YET = "not_yet"  # of a receipt that is still being checked
    NOT_FOUND = "not_found"
    FORGED = "forged"
    WITHDRAWN = "withdrawn"
    RETURNED = "returned"
    LAPSED = "lapsed"
    MOVED = "moved"  # somebody else proved that it is theirs

    @property
    def doubts_the_document(self) -> bool:
        """Whether the paper itself is in doubt: only then its claim is released."""
        return self in DOUBTS


class Note(StrEnum):
    """What it was instead of a receipt, so that its sender is told kindly what to do."""

    EGAIS = "egais"
    SBP = "sbp"
    KAZAKHSTAN = "kz"
    BELARUS = "by"
    ABROAD = "abroad"
    BLURRED = "blurred"
    NO_CODE = "no_code"
    LOCKED = "locked"
    TOO_LARGE = "too_large"
    LOGIN = "login"
    LINK_FAILED = "link_failed"
    OTHER_FILE = "other_file"


DOUBTS: Final = frozenset({Reason.FORGED, Reason.NOT_FOUND, Reason.BAD_QR, Reason.UNREADABLE_IMAGE})


class Way(StrEnum):
    """How a receipt was shown: only some ways say that somebody had the paper or the order."""

    TEXT = "text"  # a code's text, typed details, a link
    FILE = "file"  # a picture or a file
    SLIP = "slip"  # the shop's own PDF, with its text
    LETTER = "letter"  # came to the member's own address
    DOCUMENT = "document"  # from a program that has it

    @property
    def shows_paper(self) -> bool:
        return self in {Way.FILE, Way.SLIP, Way.LETTER}


class ClaimState(StrEnum):
    """How firmly a fiscal document belongs to its receipt."""

    PROVISIONAL = "provisional"
    CONFIRMED = "confirmed"
    RELEASED = "released"


@dataclass(frozen=True, slots=True)
class FiscalKey:
    """Drive (1041), number (1040), signature (1077); (fn, fd) is unique by construction."""

    fn: int
    fd: int
    fp: int

    def __str__(self) -> str:
        return f"{self.fn:016d}/{self.fd}/{self.fp}"


@dataclass(frozen=True, slots=True)
class QrFields:
    """What a receipt's QR says. `wall_time` is the till's, naive; many tills print no seconds."""

    wall_time: datetime
    total_kopecks: int
    fn: int
    fd: int
    fp: int
    operation: int = 1
    operation_assumed: bool = False
    has_seconds: bool = False

    @property
    def key(self) -> FiscalKey:
        return FiscalKey(self.fn, self.fd, self.fp)

    def text(self) -> str:
        """The canonical text of the QR."""
        shape = "%Y%m%dT%H%M%S" if self.has_seconds else "%Y%m%dT%H%M"
        whole, rest = divmod(self.total_kopecks, 100)
        return (
            f"t={self.wall_time.strftime(shape)}&s={whole}.{rest:02d}"
            f"&fn={self.fn:016d}&i={self.fd}&fp={self.fp}&n={self.operation}"
        )


@dataclass(frozen=True, slots=True)
class FiscalLine:
    """An item (1059), `line` counted from 1; tags 1030, 1023, 1079, 1043, 1214, 1212, 1226.

    `gtin` has 14 digits; with `serial` it names one physical pack. `mark` names a unit of a
    marketplace's order, as its receipts and seller reports print it; `order_number` is the shop's
    own number of the order, where the till says it (1084, 1191, 1192).
    """

    line: int
    name: str | None
    quantity_micro: int
    price_kopecks: int
    sum_kopecks: int
    payment_type: int | None = None
    product_type: int | None = None
    provider_inn: str | None = None
    gtin: str | None = None
    serial: str | None = None
    mark: str | None = None
    order_number: str | None = None


@dataclass(frozen=True, slots=True)
class FiscalDocument:
    """A receipt in normal form; `wall_time` (1012) is the till's, naive.

    `operation` (1054): 1 sale, 2 return, 3 buying, 4 return of buying. `code`: 3 receipt, 4 strict
    form, 31 and 41 their corrections, None when the source does not say. `sender` is the shop's
    e-mail (1117), `region` the two digits of the subject of the federation. Neither the lines nor
    the payments (1031, 1081, 1215, 1216, 1217) need add up to the total: real ones do not.
    """

    key: FiscalKey
    wall_time: datetime
    operation: int
    total_kopecks: int
    lines: tuple[FiscalLine, ...] = field(repr=False)
    code: int | None = None
    seller_inn: str | None = None
    seller_name: str | None = None
    retail_place: str | None = None
    address: str | None = None
    sender: str | None = None
    kkt_reg_id: str | None = None
    internet: bool = False
    region: str | None = None
    cash_kopecks: int = 0
    ecash_kopecks: int = 0
    prepaid_kopecks: int = 0
    credit_kopecks: int = 0
    provision_kopecks: int = 0

    @property
    def correction(self) -> bool:
        return self.code in CORRECTIONS

    @property
    def qr(self) -> QrFields:
        """What the QR on this document's paper says; a till that prints seconds has them there."""
        return QrFields(
            wall_time=self.wall_time,
            total_kopecks=self.total_kopecks,
            fn=self.key.fn,
            fd=self.key.fd,
            fp=self.key.fp,
            operation=self.operation,
            has_seconds=self.wall_time.second > 0,
        )

    def to_json(self) -> dict[str, Any]:
        """Compact JSON values; what has its default is left out."""
        shown: dict[str, Any] = {
            "key": [self.key.fn, self.key.fd, self.key.fp],
            "at": self.wall_time.isoformat(),
            "op": self.operation,
            "sum": self.total_kopecks,
            "lines": [_line_json(line) for line in self.lines],
        }
        for name, default in OPTIONAL.items():
            if (value := getattr(self, name)) != default:
                shown[name] = value
        return shown

    @classmethod
    def from_json(cls, given: dict[str, Any]) -> "FiscalDocument":
        """What `to_json` made."""
        return cls(
            key=FiscalKey(*given["key"]),
            wall_time=datetime.fromisoformat(given["at"]),
            operation=given["op"],
            total_kopecks=given["sum"],
            lines=tuple(
                FiscalLine(**{LONG[short]: value for short, value in line.items()})
                for line in given["lines"]
            ),
            **{name: given[name] for name in OPTIONAL if name in given},
        )


def _line_json(line: FiscalLine) -> dict[str, Any]:
    shown = {short: getattr(line, name) for name, short in SHORT.items()}
    return {short: value for short, value in shown.items() if value is not None or short == "n"}


# Names of a line's fields in JSON: a receipt may have hundreds of lines.
SHORT: Final = {
    "line": "l",
    "name": "n",
    "quantity_micro": "q",
    "price_kopecks": "p",
    "sum_kopecks": "s",
    "payment_type": "t",
    "product_type": "k",
    "provider_inn": "i",
    "gtin": "g",
    "serial": "r",
    "mark": "m",
    "order_number": "o",
}
LONG: Final = {short: name for name, short in SHORT.items()}
OPTIONAL: Final = {
    one.name: one.default for one in fields(FiscalDocument) if one.default is not MISSING
}
