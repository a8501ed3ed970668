"""Whereabouts in, place out; what an INN is, by its check digits."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

SALES_CHANNEL = re.compile(r"^[a-z][a-z0-9_]{1,31}$")
SALES_CHANNELS = (
    "wildberries",
    "ozon",
    "yandex_market",
    "megamarket",
    "lamoda",
    "goldapple",
    "letu",
    "rivegauche",
    "podrygka",
    "magnit_cosmetic",
    "chain",
    "own_site",
    "own_shop",
    "other",
)
OTHER = "other"


class Kind(StrEnum):
    """What sort of place it is; the sales channel says which."""

    MARKETPLACE = "marketplace"
    PERFUMERY = "perfumery"
    CHAIN = "chain"
    PHARMACY = "pharmacy"
    DELIVERY = "delivery"
    OWN_SITE = "own_site"
    OWN_SHOP = "own_shop"
    OTHER = "other"


class Source(StrEnum):
    """Who says what an INN is."""

    OWN = "own"
    LABEL = "label"
    REGISTRY = "registry"


class Stance(StrEnum):
    """What operators think of a seller: its receipts bring nothing, count against, or are sound."""

    TRUSTED = "trusted"
    WATCHED = "watched"
    BLOCKED = "blocked"


@dataclass(frozen=True)
class Whereabouts:
    """What a receipt says of its seller, as printed (FFD tags 1018, 1048, 1187, 1009, 1117, 1108).

    `region` is the tax service's code of the subject, where a provider adds it.
    """

    inn: str | None
    name: str | None
    retail_place: str | None
    address: str | None
    sender: str | None
    internet: bool
    region: str | None = None


@dataclass(frozen=True)
class Place:
    """A seller as the programme sees it; `timezone` is the till's IANA zone when that is sure.

    So is `subject`, the tax service's code of the subject of the federation that it stands in.
    """

    inn: str | None
    name: str
    kind: str
    sales_channel: str
    timezone: str | None
    known: bool
    subject: str | None = None
    stance: str | None = None


@dataclass(frozen=True)
class Seller:
    """An INN in the list operators see.

    `source` is one of `Source` or None for an unknown one, which has no name yet but what its
    first receipt said.
    """

    inn: str
    name: str | None
    kind: str
    sales_channel: str
    source: str | None
    seen_name: str | None
    seen_place: str | None
    seen_address: str | None
    first_seen_at: datetime | None
    labelled_at: datetime | None
    labelled_by: str | None
    stance: str | None = None
    stance_note: str | None = None
    stance_at: datetime | None = None
    stance_by: str | None = None

    @property
    def known(self) -> bool:
        return self.source is not None


def clean_inn(text: str | None) -> str | None:
    """The INN's digits, or None when it is not 10 or 12 of them.

    Receipts pad it with spaces (tag 1018 is 12 wide); numbers lose a leading zero.
    """
    digits = (text or "").strip()
    if not (digits.isascii() and digits.isdigit()):
        return None
    if len(digits) in (9, 11) and is_inn("0" + digits):
        return "0" + digits
    return digits if len(digits) in (10, 12) and digits.strip("0") else None


WEIGHTS_10 = (2, 4, 10, 3, 5, 9, 4, 6, 8)
WEIGHTS_11 = (7, 2, 4, 10, 3, 5, 9, 4, 6, 8)
WEIGHTS_12 = (3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8)


def is_inn(text: str) -> bool:
    """Whether the check digits fit: one of a legal person (10 digits), two of a person (12).

    Tax service order ММВ-7-6/435@ of 29.06.2012: weighted sum of the digits before, mod 11, mod 10.
    """
    if not (text.isascii() and text.isdigit()) or not text.strip("0"):
        return False
    if len(text) == 10:
        return _check_digit(text, WEIGHTS_10)
    return len(text) == 12 and _check_digit(text, WEIGHTS_11) and _check_digit(text, WEIGHTS_12)


def _check_digit(text: str, weights: tuple[int, ...]) -> bool:
    total = sum(int(digit) * weight for digit, weight in zip(text, weights, strict=False))
    return int(text[len(weights)]) == total % 11 % 10
