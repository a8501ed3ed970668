"""Members, their consents, and what may be said of them; personal fields stay out of every repr."""

import re
import unicodedata
import zoneinfo
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import Any
from uuid import UUID

from vezde.kit.errors import DomainError, FieldError, Kind

SOURCE_LENGTH = NAME_LENGTH = HOW_LENGTH = 200
VERSION_LENGTH = 100
EARLIEST_BIRTHDAY = date(1900, 1, 1)
# Clocks of other systems go wrong by a time zone, not by more.
GIVEN_SINCE = 1970  # a year; nobody's programme is older
GIVEN_AHEAD = timedelta(days=1)

LOCALE = re.compile(r"([a-z]{2,3})(?:[-_]([a-z]{2}))?", re.ASCII | re.IGNORECASE)
WORD = re.compile(r"[a-z][a-z0-9_]{0,39}", re.ASCII)
SHA256_HEX = re.compile(r"[0-9a-f]{64}", re.ASCII)


class Status(StrEnum):
    """`closed`: became part of another member; `forgotten`: erased, a shell of ids is left."""

    ACTIVE = "active"
    CLOSED = "closed"
    FORGOTTEN = "forgotten"


class InvalidField(DomainError):
    """A field of a member or a consent cannot be kept as given; `path` names it."""

    code = "invalid_field"
    kind = Kind.INVALID

    def __init__(self, path: str, detail: str) -> None:
        super().__init__(detail, errors=(FieldError(path, self.code, detail),))


class IdentityRequired(DomainError):
    code = "identity_required"
    kind = Kind.INVALID


class MemberExists(DomainError):
    """Somebody has this phone, e-mail or id already; `extra["member_id"]` says who (a UUID)."""

    code = "member_exists"
    kind = Kind.CONFLICT


class MemberNotFound(DomainError):
    code = "member_not_found"
    kind = Kind.MISSING


class MemberClosed(DomainError):
    code = "member_closed"
    kind = Kind.CONFLICT


class MemberMerged(MemberClosed):
    """The member became part of another one; `extra["member_id"]` says of whom (a UUID)."""

    code = "member_merged"


class MergeNotLast(DomainError):
    """A later merge has to be undone before; `extra["member_id"]` is who went by it (a UUID)."""

    code = "merge_not_last"
    kind = Kind.CONFLICT


class MergeTooOld(DomainError):
    """The term in which the merge could be undone is over."""

    code = "merge_too_old"
    kind = Kind.REFUSED


class MergeWithItself(DomainError):
    """A member cannot become part of themselves."""

    code = "merge_with_itself"
    kind = Kind.INVALID


class ConsentNotFound(DomainError):
    code = "consent_not_found"
    kind = Kind.MISSING


class WrongIndexKey(DomainError):
    code = "vault_index_key"
    kind = Kind.REFUSED


@dataclass(frozen=True)
class NewIdentity:
    """An identity as a door gives it: `kind` as in `identities.read`, `value` in any usual form."""

    kind: str
    value: str = field(repr=False)


@dataclass(frozen=True)
class NewConsent:
    """A consent as it was given; `how` says by what means (`site_form`, `bot_button`)."""

    purpose: str
    document_version: str
    given_at: datetime
    how: str
    channel: str | None = None
    text_sha256: str | None = None


@dataclass(frozen=True)
class NewMember:
    """A person to enrol: at least one of phone, e-mail, identities; texts in any usual form."""

    phone: str | None = field(default=None, repr=False)
    email: str | None = field(default=None, repr=False)
    name: str | None = field(default=None, repr=False)
    birthday: date | str | None = field(default=None, repr=False)
    locale: str | None = None
    timezone: str | None = None
    source: str | None = None
    identities: tuple[NewIdentity, ...] = ()
    consents: tuple[NewConsent, ...] = ()


@dataclass(frozen=True)
class Profile:
    """The plain fields of a member that identify nobody by themselves."""

    name: str | None = field(default=None, repr=False)
    birthday: date | None = field(default=None, repr=False)
    locale: str | None = None
    timezone: str | None = None
    source: str | None = None


@dataclass(frozen=True)
class Identity:
    """`main`: the one of its kind that is shown as the member's phone or e-mail."""

    kind: str
    value: str = field(repr=False)
    main: bool


@dataclass(frozen=True)
class Consent:
    member_id: UUID
    consent_id: UUID
    purpose: str
    channel: str | None
    document_version: str
    text_sha256: str | None
    given_at: datetime
    how: str
    recorded_at: datetime
    recorded_by: str
    withdrawn_at: datetime | None = None
    withdrawn_how: str | None = None
    withdrawn_by: str | None = None


@dataclass(frozen=True)
class Member:
    """A member with the personal fields unsealed; identities and consents in order of arrival.

    `merged_into` is the member that this one became part of.
    """

    member_id: UUID
    status: Status
    profile: Profile
    identities: tuple[Identity, ...]
    consents: tuple[Consent, ...]
    created_at: datetime
    created_by: str
    merged_into: UUID | None = None

    @property
    def phone(self) -> str | None:
        return self._main("phone")

    @property
    def email(self) -> str | None:
        return self._main("email")

    @property
    def name(self) -> str | None:
        return self.profile.name

    @property
    def birthday(self) -> date | None:
        return self.profile.birthday

    @property
    def locale(self) -> str | None:
        return self.profile.locale

    @property
    def timezone(self) -> str | None:
        return self.profile.timezone

    @property
    def source(self) -> str | None:
        return self.profile.source

    def _main(self, kind: str) -> str | None:
        return next((i.value for i in self.identities if i.main and i.kind == kind), None)


def profile(given: Mapping[str, Any], *, now: datetime) -> dict[str, Any]:
    """The given plain fields checked and in normal form, None staying None.

    Takes any of name, birthday, locale, timezone, source; raises `InvalidField`.
    """
    readers: dict[str, Callable[[Any], Any]] = {
        "name": _name,
        "birthday": lambda value: _birthday(value, now),
        "locale": _locale,
        "timezone": _timezone,
        "source": lambda value: _line("source", value, SOURCE_LENGTH),
    }
    return {
        key: None if value is None else readers[key](value)
        for key, value in given.items()
        if key in readers
    }


def sound_consent(consent: NewConsent, *, now: datetime, path: str = "") -> NewConsent:
    """The consent in its normal form; raises `InvalidField` at `path` + field."""
    for key, word in (("purpose", consent.purpose), ("channel", consent.channel)):
        if word is not None and not WORD.fullmatch(word):
            raise InvalidField(
                path + key, f"A {key} is one word in lower case, like promo or email"
            )
    sha256 = consent.text_sha256.lower() if consent.text_sha256 else None
    if sha256 and not SHA256_HEX.fullmatch(sha256):
        raise InvalidField(path + "text_sha256", "A SHA-256 is 64 hexadecimal digits")
    if consent.given_at.utcoffset() is None:
        raise InvalidField(path + "given_at", "Give the time with its zone, like 2026-11-18T12:00Z")
    if consent.given_at.year < GIVEN_SINCE:
        raise InvalidField(path + "given_at", "Give the time the consent was given, with its year")
    if consent.given_at > now + GIVEN_AHEAD:
        raise InvalidField(path + "given_at", "A consent cannot be given in the future")
    return NewConsent(
        purpose=consent.purpose,
        document_version=_line(path + "document_version", consent.document_version, VERSION_LENGTH),
        given_at=consent.given_at.astimezone(UTC),
        how=_line(path + "how", consent.how, HOW_LENGTH),
        channel=consent.channel,
        text_sha256=sha256,
    )


def no_such_member() -> MemberNotFound:
    return MemberNotFound("There is no such member; look them up by phone, or enrol them")


def means(text: str) -> str:
    """How a consent was withdrawn, trimmed; raises `InvalidField`."""
    return _line("how", text, HOW_LENGTH)


def _line(path: str, value: str, longest: int) -> str:
    text = value.strip()
    if not 1 <= len(text) <= longest or not text.isprintable():
        raise InvalidField(path, f"Give 1 to {longest} characters on one line, or leave it out")
    return text


def _name(value: str) -> str:
    return _line("name", " ".join(unicodedata.normalize("NFC", value).split()), NAME_LENGTH)


def _birthday(value: date | str, now: datetime) -> date:
    if isinstance(value, str):
        try:
            value = date.fromisoformat(value)
        except ValueError:
            raise InvalidField("birthday", "Write the birthday as 1990-12-31") from None
    # A day ahead of UTC it may already be tomorrow for the newborn's parents.
    if not EARLIEST_BIRTHDAY <= value <= (now + timedelta(days=1)).date():
        raise InvalidField("birthday", "A birthday lies between 1900-01-01 and today")
    return value


def _locale(value: str) -> str:
    match = LOCALE.fullmatch(value.strip())
    if not match:
        raise InvalidField("locale", "A locale is a language code like ru or en, or ru-RU")
    language, region = match[1].lower(), match[2]
    return f"{language}-{region.upper()}" if region else language


def _timezone(value: str) -> str:
    if value not in _timezones():
        raise InvalidField("timezone", "A time zone is an IANA name like Europe/Moscow")
    return value


@cache
def _timezones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())
