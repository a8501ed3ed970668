"""Links and what may be said of them; codes; who opens a link without being a person."""

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from vezde.kit.errors import DomainError, Kind
from vezde.members.model import InvalidField

# Neither 0 and o nor 1, i and l: people read codes aloud and type them off paper. A code holds no
# dash, so that other kinds of start payloads can.
ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
CODE = re.compile(rf"[{ALPHABET}]{{4,16}}", re.ASCII)
CODE_LENGTH = 8  # 31^8: nobody meets a code by chance
MARK_LENGTH, NOTE_LENGTH = 100, 500

# Who looks at a link before, or without, a person: crawlers, and messengers that draw a preview.
# «bot» ends the name of nearly every one of them, and of the CUBOT telephones.
PREVIEWS = re.compile(
    r"(?<!cu)bot\b|crawl|spider|preview|externalhit|facebookcatalog|vkshare|whatsapp/|slurp"
    r"|mediapartners|inspectiontool|embedly|unfurl|headless",
    re.IGNORECASE,
)


class Door(StrEnum):
    TELEGRAM = "telegram"
    MAX = "max"
    VK = "vk"
    WEB = "web"


class Step(StrEnum):
    """What a member does after coming, in this order."""

    CONSENTED = "consented"
    RECEIPT = "receipt"
    ACCEPTED = "accepted"


class LinkNotFound(DomainError):
    code = "link_not_found"
    kind = Kind.MISSING


class NoCodeLeft(DomainError):
    code = "unavailable"
    kind = Kind.UNAVAILABLE


@dataclass(frozen=True)
class NewLink:
    """A link to make; texts as typed."""

    source: str
    campaign: str | None = None
    medium: str | None = None
    door: str = Door.TELEGRAM
    note: str | None = None


@dataclass(frozen=True)
class Link:
    code: str
    source: str
    campaign: str | None
    medium: str | None
    door: str
    note: str | None
    created_at: datetime
    created_by: str
    archived_at: datetime | None
    archived_by: str | None


@dataclass(frozen=True)
class CountedLink(Link):
    """A link with how often people opened it, and previews beside."""

    scans: int
    previews: int


@dataclass(frozen=True)
class Touch:
    """A member came by a link: `first` of all their links, or at least `new` among them."""

    link: Link
    first: bool
    new: bool


@dataclass(frozen=True)
class Arrived:
    """Somebody who becomes a member: where from, by which link, and whether they agreed already."""

    source: str | None
    link: Link | None
    consented: bool


@dataclass(frozen=True)
class Funnel:
    """What came of a source and campaign: openings, members who came, and how many went how far.

    Each step counts members who took it after they came; `points` are what all of them accrued
    since.
    """

    source: str
    campaign: str | None
    scans: int
    starts: int
    enrolled: int
    consented: int
    first_receipts: int
    accepted: int
    points: int


@dataclass(frozen=True)
class Period:
    """Days of the programme, `first` to `last`, with the instants they begin and end at.

    None is no limit; `until` is the first instant after the last day.
    """

    first: date | None = None
    last: date | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class Doors:
    """Where links lead: this installation's own address, and what is behind each door.

    `target(door, code)` is the address that opens the door with the code, None while it is closed.
    """

    public_url: str
    target: Callable[[str, str], str | None]

    def url(self, code: str) -> str:
        """The link itself, as it is posted and printed."""
        return f"{self.public_url}/l/{code}"


def new_code() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))


def code_in(text: str | None) -> str | None:
    """The code that a start's payload, an address or a source may be; None for other text."""
    code = (text or "").strip().casefold()
    return code if CODE.fullmatch(code) else None


def sound(link: NewLink) -> NewLink:
    """The link in its normal form; raises `InvalidField`."""
    if link.door not in set(Door):
        raise InvalidField("door", f"A door is one of {', '.join(Door)}")
    return replace(
        link,
        source=_line("source", link.source, MARK_LENGTH),
        campaign=link.campaign and _line("campaign", link.campaign, MARK_LENGTH),
        medium=link.medium and _line("medium", link.medium, MARK_LENGTH),
        note=link.note and _line("note", link.note, NOTE_LENGTH),
    )


def is_preview(user_agent: str | None, *, purpose: str | None = None) -> bool:
    """Whether a program opened the link, as far as it says so itself.

    `purpose` is the header of that name or Sec-Purpose: a browser that fetches ahead says
    «prefetch».
    """
    return "prefetch" in (purpose or "") or bool(PREVIEWS.search(user_agent or ""))


def no_such_link() -> LinkNotFound:
    return LinkNotFound("There is no link of this code; list the links for their codes")


def _line(path: str, value: str, longest: int) -> str:
    text = " ".join(value.split())
    if not 1 <= len(text) <= longest or not text.isprintable():
        raise InvalidField(path, f"The {path} takes 1 to {longest} printable characters")
    return text
