"""Short codes, sign-ins, sessions: what they are, how long they live, how often they are tried."""

import hashlib
import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from vezde.kit import ids
from vezde.kit.errors import DomainError, Kind
from vezde.kit.vault import Vault

CODE_DIGITS, CARD_DIGITS, OPERATOR_DIGITS = 6, 9, 8
CODE_TTL = LINK_TTL = timedelta(minutes=10)
CARD_TTL = timedelta(minutes=15)
SESSION_TTL = timedelta(days=30)
SHIFT = timedelta(hours=12)
OPERATOR_CODE_TTL = timedelta(minutes=15)
INVITATION_TTL = timedelta(days=1)
APPROVAL_TTL = timedelta(minutes=5)
AGAIN_AFTER = timedelta(seconds=60)
MOST_ATTEMPTS = 5


@dataclass(frozen=True)
class Pace:
    """At most `most` of `what` within `per`, of each subject."""

    what: str
    most: int
    per: timedelta


@dataclass(frozen=True)
class Attempt:
    """One try, of whom: a phone, an address, an origin; kept as an HMAC."""

    pace: Pace
    subject: str = field(repr=False)


# A burst of the first number passes at once. By phone: what a person who mistypes needs, and what
# an SMS costs. By caller: a shop's till or a family behind one address. By origin: a whole shop.
CODES_OF_PHONE = Pace("codes of a phone", 5, timedelta(hours=1))
CODES_OF_CALLER = Pace("codes of a caller", 60, timedelta(hours=1))
CODES_OF_ORIGIN = Pace("codes of an origin", 600, timedelta(hours=1))
LINKS_OF_CALLER = Pace("links of a caller", 120, timedelta(hours=1))
TRIES_OF_CALLER = Pace("tries of a caller", 300, timedelta(hours=1))
SHIFTS_OF_CALLER = Pace("operators' codes of a caller", 30, timedelta(minutes=15))
# Without a name beside it a code is guessed among all that live, so all guess from one bucket: of
# 10^8 codes it has 600 a code's life.
SHIFTS = Pace("operators' codes", 600, timedelta(minutes=15))
TRIES_OF_TILL = Pace("tries of an operator", 10, timedelta(minutes=10))
CARDS_OF_TILL = Pace("cards of an operator", 60, timedelta(minutes=10))
FINDS_OF_TILL = Pace("phones of an operator", 120, timedelta(hours=1))
PAYMENTS_OF_MEMBER = Pace("payments of a member", 10, timedelta(hours=1))

TOKEN = re.compile(
    r"(?P<id>[a-z]{3}_[A-Za-z0-9_-]{22,43})\.(?P<secret>[A-Za-z0-9_-]{43})", re.ASCII
)
SESSION, TILL, CONSOLE = "ses", "tls", "csl"


class How(StrEnum):
    """By what somebody signs in: a code sent to their phone's owner, or a link into a messenger."""

    CODE = "code"
    LINK = "link"


class State(StrEnum):
    """Of a sign-in; `proved` became a session when it is `used`."""

    WAITING = "waiting"
    PROVED = "proved"
    DECLINED = "declined"
    USED = "used"
    EXPIRED = "expired"


class TooOften(DomainError):
    """Too many attempts by a phone, a caller or an origin; Retry-After says when there is room."""

    code = "too_often"
    kind = Kind.EXHAUSTED


class SignInUnknown(DomainError):
    """No such sign-in, or another page's."""

    code = "sign_in_unknown"
    kind = Kind.MISSING


class SignInOver(DomainError):
    """It expired, was declined, was used, or was tried too often; `extra["state"]` says which."""

    code = "sign_in_over"
    kind = Kind.CONFLICT


class SignInWaiting(DomainError):
    """Nobody confirmed the link yet."""

    code = "sign_in_waiting"
    kind = Kind.CONFLICT


class WrongCode(DomainError):
    """Not the code that was sent; `extra["attempts_left"]` says how often it may be tried yet."""

    code = "wrong_code"
    kind = Kind.REFUSED


class ConsentRequired(DomainError):
    """Nobody has this phone: `extra["document"]` is what to agree to before becoming a member."""

    code = "consent_required"
    kind = Kind.CONFLICT


class NotAMember(DomainError):
    """The phone is nobody's, and this key enrols nobody."""

    code = "not_a_member"
    kind = Kind.REFUSED


class SessionOver(DomainError):
    """The session ended, was revoked, or is another page's: sign in again."""

    code = "session_over"
    kind = Kind.REFUSED


class CardUnknown(DomainError):
    """No live card has this code: it is good once and for some minutes."""

    code = "card_unknown"
    kind = Kind.MISSING


class ApprovalOver(DomainError):
    """It was decided or its time is over; `extra["state"]` says which."""

    code = "approval_over"
    kind = Kind.CONFLICT


class ApprovalUnknown(DomainError):
    code = "approval_unknown"
    kind = Kind.MISSING


@dataclass(frozen=True)
class SignIn:
    """A sign-in under way; `phone` of one by code."""

    sign_in_id: UUID
    key_id: UUID
    origin: str
    how: How
    state: State
    phone: str | None = field(repr=False)
    number: int | None
    member_id: UUID | None
    expires_wall: datetime


@dataclass(frozen=True)
class Session:
    """A member signed in on a page of `origin`."""

    member_id: UUID
    session_id: UUID
    key_id: UUID
    origin: str
    how: str
    created_wall: datetime
    expires_wall: datetime
    last_used_wall: datetime


def code(digits: int) -> str:
    """A fresh code of so many digits."""
    return f"{secrets.randbelow(10**digits):0{digits}}"


def shown(code: str) -> str:
    """A code as people read it: «123 456»."""
    size = 3 if len(code) % 3 == 0 else 4
    return " ".join(code[at : at + size] for at in range(0, len(code), size))


def digits_of(text: str) -> str:
    """What a person typed without the gaps; anything but digits stays, and is wrong."""
    return re.sub(r"[\s\u2009-]+", "", text)[:40]


def code_hmac(vault: Vault, of: str, code: str) -> bytes:
    """What is kept of a code; `of` names what it is for, so equal codes differ."""
    return vault.blind(f"{of}\0{code}", purpose="access.code")


def secret() -> str:
    """256 random bits."""
    return secrets.token_urlsafe(32)


def secret_sha256(text: str) -> bytes:
    """Of a secret of 256 bits; no slow hash, there is nothing to guess from."""
    return hashlib.sha256(text.encode()).digest()


def token(prefix: str, *parts: UUID, secret: str) -> str:
    """`ses_….…`: the row's ids and the secret that is known by its hash."""
    return f"{ids.public(prefix, *parts)}.{secret}"


def read_token(text: str, prefix: str, *, parts: int) -> tuple[tuple[UUID, ...], bytes] | None:
    """The ids and the secret's hash; None for any other text."""
    found = TOKEN.fullmatch(text)
    if found is None:
        return None
    try:
        return ids.parse(prefix, found["id"], parts=parts), secret_sha256(found["secret"])
    except ids.UnknownId:
        return None
