"""A row of opening balances, and what it must say."""

import re
from dataclasses import dataclass, field
from datetime import date

from vezde.kit.vault import Vault
from vezde.members import identities
from vezde.members.identities import Contact
from vezde.members.model import InvalidField

# Field -> titles of its column, English and Russian, folded.
TITLES: dict[str, tuple[str, ...]] = {
    "phone": ("phone", "телефон", "номер телефона", "мобильный"),
    "email": ("email", "e-mail", "почта", "эл. почта", "электронная почта"),
    "card": ("card", "карта", "номер карты"),
    "name": ("name", "имя", "фио", "клиент"),
    "birthday": ("birthday", "дата рождения", "день рождения"),
    "points": ("points", "баллы", "бонусы", "баланс", "остаток"),
    "expires_on": ("expires_on", "expires on", "сгорают", "действуют до", "срок", "дата сгорания"),
    "id": ("id", "номер", "код"),
}
BY_TITLE = {title: column for column, titles in TITLES.items() for title in titles}
WHO = ("phone", "email", "card")
LAST_YEAR = 2200  # dates like 31.12.9999 mean never
NEVER_WORDS = frozenset({"never", "никогда", "бессрочно"})
RUSSIAN_DATE = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})", re.ASCII)
# Thousands parted by spaces, as spreadsheets show them; an ordinary and two unbreakable ones.
SPACES = re.compile("[ \u00a0\u202f]")
WHOLE = re.compile(r"(\d{1,18})(?:[.,]0+)?", re.ASCII)


class _Never:
    """Points of this row never expire, whatever the programme says."""


NEVER = _Never()


@dataclass(frozen=True, slots=True)
class Row:
    """One person's points of one date; `line` is where the row begins in the file.

    `contacts` name the person, the phone first. `expires_on` None: as the programme has it.
    """

    line: int
    contacts: tuple[Contact, ...] = field(repr=False)
    name: str | None = field(repr=False)
    birthday: str | None = field(repr=False)
    points: int
    expires_on: "date | _Never | None"
    row_id: str | None

    def op_key(self, batch: str, vault: Vault) -> str:
        """Names the row in the ledger: the same in the next run of the same file.

        A blind index, so that no key that stays for ever tells a phone or a card.
        """
        if self.row_id is not None:
            said: tuple[str, ...] = ("id", self.row_id)
        else:
            until = "never" if self.expires_on is NEVER else str(self.expires_on)
            said = (self.contacts[0].kind, self.contacts[0].text, until)
        named = vault.blind("\x00".join((batch, *said)), purpose="members.balance")
        return f"import:{named.hex()}"


@dataclass(frozen=True, slots=True)
class Broken:
    """A row that cannot be imported, and what to correct in it."""

    line: int
    why: str


def row(line: int, cells: dict[str, str]) -> Row:
    """The row these cells say, by column; raises `InvalidField` and what `identities.read` does."""
    contacts = tuple(
        identities.read(kind, cells[kind], path=kind) for kind in WHO if cells.get(kind)
    )
    if not contacts:
        raise InvalidField("phone", "Nobody is named: give a phone, an email or a card")
    return Row(
        line,
        contacts,
        cells.get("name") or None,
        _birthday(cells.get("birthday", "")),
        _points(cells.get("points", "")),
        _expires_on(cells.get("expires_on", "")),
        cells.get("id") or None,
    )


def _points(text: str) -> int:
    found = WHOLE.fullmatch(SPACES.sub("", text))
    if found is None or int(found[1]) == 0:
        raise InvalidField("points", "Points are a whole number, 1 or more")
    return int(found[1])


def _birthday(text: str) -> str | None:
    return None if not text else _date(text, "birthday").isoformat()


def _expires_on(text: str) -> "date | _Never | None":
    if not text:
        return None
    if text.casefold() in NEVER_WORDS:
        return NEVER
    day = _date(text, "expires_on")
    if day.year > LAST_YEAR:
        raise InvalidField("expires_on", "For points that never expire write: never")
    return day


def _date(text: str, path: str) -> date:
    try:
        if russian := RUSSIAN_DATE.fullmatch(text):
            return date(int(russian[3]), int(russian[2]), int(russian[1]))
        return date.fromisoformat(text)
    except ValueError as error:
        raise InvalidField(path, "A date is written 2027-01-31 or 31.01.2027") from error
