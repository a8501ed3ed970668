"""Which hosts show receipts, and what their addresses say of the fiscal key."""

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from vezde.receipts.model import MOST_FN, MOST_UINT32

MOST_CHARACTERS: Final = 2_000

# Operators of fiscal data, the tax service's viewer, marketplaces; with their subdomains.
HOSTS: Final = frozenset(
    {
        "1-ofd.ru",
        "ofd.ru",
        "platformaofd.ru",
        "taxcom.ru",
        "ofd.yandex.ru",
        "check.yandex.ru",
        "ofd-ya.ru",
        "cash.kontur.ru",
        "ofd-api.kontur.ru",
        "ofd-magnit.ru",
        "ofd.astralnalog.ru",
        "receipt.wb.ru",
        "lkdr.nalog.ru",
    }
)
# These show a receipt only to who bought: their members are asked for the file instead.
BEHIND_LOGIN: Final = frozenset({"ozon.ru", "wildberries.ru", "market.yandex.ru"})

ABOUT_RECEIPTS = re.compile(r"(?:check|cheque|receipt)s?(?![a-z])", re.IGNORECASE)  # no checkout

LINK = re.compile(
    r"(?:https?://)?(?:[a-z0-9-]{1,63}\.){1,5}[a-z]{2,10}(?:[:/?#][^\s<>\"'«»]{0,1500})?",
    re.IGNORECASE,
)
# How addresses name the three numbers.
NAMES: Final[Mapping[str, str]] = {
    "fn": "fn",
    "fiscaldriveid": "fn",
    "fiscaldrivenumber": "fn",
    "fnserialnumber": "fn",
    "fd": "fd",
    "i": "fd",
    "n": "fd",  # check.yandex.ru
    "fiscaldocumentnumber": "fd",
    "fp": "fp",
    "fpd": "fp",
    "fs": "fp",
    "fiscalid": "fp",
    "fiscalsign": "fp",
    "fiscalsignature": "fp",
}
# check.ofd.ru/rec/[inn/kkt/]fn/fd/fp
IN_PATH = re.compile(r"/rec/(?:\d{10,12}/\d{1,16}/)?(\d{16})/(\d{1,10})/(\d{1,10})/?$")
LIMITS: Final = {"fn": MOST_FN, "fd": MOST_UINT32, "fp": MOST_UINT32}


def found(text: str) -> tuple[str, ...]:
    """The links in a text that lead to receipts, each once, with their scheme."""
    links = []
    for match in LINK.finditer(text[: MOST_CHARACTERS * 20]):
        link = match[0].rstrip(".,;:!?)»")
        link = link if "://" in link else f"https://{link}"
        if is_known(link) or needs_login(link):
            links.append(link)
    return tuple(dict.fromkeys(links))


def is_known(link: str) -> bool:
    """Whether the link's host is one whose pages are fetched."""
    return _is_of(link, HOSTS)


def needs_login(link: str) -> bool:
    """Whether only the buyer can open the receipt that the link names."""
    return bool(ABOUT_RECEIPTS.search(link)) and _is_of(link, BEHIND_LOGIN) and not is_known(link)


def key_of(link: str) -> dict[str, int]:
    """The parts of the fiscal key (fn, fd, fp) that an address tells; few tell all three."""
    try:
        parts = urlsplit(link)
        given = {
            name.casefold(): value for name, value in parse_qsl(parts.query, max_num_fields=50)
        }
    except ValueError:
        return {}
    if match := IN_PATH.search(parts.path):
        return dict(zip(("fn", "fd", "fp"), map(int, match.groups()), strict=True))
    if "fpd" not in given:
        given.pop("n", None)  # of a receipt's code: whether it is a sale
    key: dict[str, int] = {}
    for name, value in given.items():
        what = NAMES.get(name)
        if what and re.fullmatch(r"[0-9]{1,16}", value) and int(value) <= LIMITS[what]:
            key.setdefault(what, int(value))
    return key


def host_of(link: str) -> str | None:
    """The link's host, folded; None of what is no web address."""
    try:
        parts = urlsplit(link)
        host = parts.hostname
    except ValueError:
        return None
    plain = parts.scheme in {"http", "https"} and not parts.username and not parts.password
    return host.rstrip(".") if host and plain else None


def _is_of(link: str, hosts: frozenset[str]) -> bool:
    host = host_of(link)
    return host is not None and any(host == one or host.endswith(f".{one}") for one in hosts)
