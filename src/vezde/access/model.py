"""Keys, scopes, stored answers, and the rules about them that need no database."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from vezde.kit.errors import DomainError, Kind
from vezde.kit.vault import Vault

NAME_LENGTH = 100
ANSWER_TTL = timedelta(hours=48)
IDEMPOTENCY_KEY_LENGTH = 255
KEY_TEXT = re.compile(
    r"vezde_(?P<publishable>pub_)?(?P<id>[0-9a-f]{32})_(?P<secret>[A-Za-z0-9_-]{43})", re.ASCII
)
MOST_ORIGINS = 20


class Scope(StrEnum):
    MEMBERS = "members"
    RECEIPTS = "receipts"
    RECEIPTS_VERIFIED = "receipts:verified"
    POINTS = "points"
    CHECKOUT = "checkout"
    CATALOG = "catalog"
    SELLERS = "sellers"
    PROGRAM = "program"
    WEBHOOKS = "webhooks"
    TROUBLES = "troubles"
    PROVIDERS = "providers"
    OPERATORS = "operators"
    SANDBOX = "sandbox"
    ALL = "all"
    WIDGET = "widget"  # of publishable keys, and they have no other


class Unauthenticated(DomainError):
    """No key, or none of ours, or a revoked one; which of them is nobody's business."""

    code = "unauthenticated"
    kind = Kind.REFUSED

    def __init__(self) -> None:
        super().__init__("Send a valid API key: Authorization: Bearer vezde_…")


class ScopeMissing(DomainError):
    code = "scope_missing"
    kind = Kind.REFUSED

    def __init__(self, scope: Scope) -> None:
        super().__init__(f"This API key lacks the scope {scope}; use or make a key that has it")


class InvalidKeyRequest(DomainError):
    """A name or a set of scopes that no key can have."""

    code = "invalid_key"
    kind = Kind.INVALID


class KeyNameTaken(DomainError):
    code = "key_name_taken"
    kind = Kind.CONFLICT


class KeyNotFound(DomainError):
    code = "key_not_found"
    kind = Kind.MISSING


class IdempotencyKeyRequired(DomainError):
    code = "idempotency_key_required"
    kind = Kind.INVALID

    def __init__(self) -> None:
        super().__init__(
            "Send an Idempotency-Key header, a fresh UUID for each new request and the same one "
            "when you repeat it"
        )


class InvalidIdempotencyKey(DomainError):
    code = "invalid_idempotency_key"
    kind = Kind.INVALID


class KeyReused(DomainError):
    """The same Idempotency-Key came with other content."""

    code = "key_reused"
    kind = Kind.CONFLICT


class OriginRefused(DomainError):
    """A page of this origin may not ask for this."""

    code = "origin_refused"
    kind = Kind.REFUSED


class PublishableOnly(DomainError):
    """The widget's routes are for pages, so they take a publishable key alone."""

    code = "publishable_key_required"
    kind = Kind.REFUSED


@dataclass(frozen=True)
class Page:
    """What a publishable key is good for: pages of these origins.

    Orders from there are of `sales_channel`; `enrols`: whoever proves a phone that nobody has
    becomes a member, after consent.
    """

    origins: tuple[str, ...]
    sales_channel: str
    enrols: bool = False


@dataclass(frozen=True)
class Key:
    """An API key without its secret; `page` of a publishable one."""

    key_id: UUID
    name: str
    scopes: frozenset[Scope]
    created_at: datetime
    created_by: str
    revoked_at: datetime | None = None
    revoked_by: str | None = None
    last_used_wall: datetime | None = None
    page: Page | None = None

    @property
    def actor(self) -> str:
        return f"key:{self.key_id}"

    def has(self, scope: Scope) -> bool:
        return scope in self.scopes or (Scope.ALL in self.scopes and scope is not Scope.WIDGET)

    def require(self, scope: Scope) -> None:
        """Raises `ScopeMissing`."""
        if not self.has(scope):
            raise ScopeMissing(scope)


@dataclass(frozen=True)
class Stored:
    """An answer given before, to be given again as it was."""

    status: int
    media_type: str
    body: bytes = field(repr=False)
    member_id: UUID | None


def sound_name(text: str) -> str:
    """A key's name, trimmed; raises `InvalidKeyRequest`."""
    name = text.strip()
    if not 1 <= len(name) <= NAME_LENGTH or not name.isprintable():
        raise InvalidKeyRequest(f"A key's name is 1 to {NAME_LENGTH} characters on one line")
    return name


def sound_scopes(words: Iterable[str]) -> frozenset[Scope]:
    """The scopes of these words; raises `InvalidKeyRequest` for none or an unknown one."""
    given, known = set(words), set(Scope) - {Scope.WIDGET}
    unknown = given - known
    if unknown or not given:
        named = f"«{min(unknown)[:40]}» is no scope" if unknown else "A key needs a scope"
        raise InvalidKeyRequest(
            f"{named}; take some of {', '.join(one for one in Scope if one in known)}"
        )
    return frozenset(Scope(word) for word in given)


def sound_page(origins: Iterable[str], *, sales_channel: str, enrols: bool) -> Page:
    """What a publishable key is to be good for; raises `InvalidKeyRequest`.

    An origin is as browsers write it (RFC 6454): `https://shop.example`, a port where it is not
    the scheme's own; `http` only of this machine, for trying.
    """
    found = tuple(dict.fromkeys(_sound_origin(one) for one in origins))
    if not 1 <= len(found) <= MOST_ORIGINS:
        raise InvalidKeyRequest(f"A publishable key has 1 to {MOST_ORIGINS} origins")
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", sales_channel, re.ASCII):
        raise InvalidKeyRequest("A sales channel is a word like own_site")
    return Page(found, sales_channel, enrols)


def _sound_origin(text: str) -> str:
    parts = urlsplit(text.strip())
    try:
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise InvalidKeyRequest(f"The port of «{text[:80]}» is none") from error
    local = host in {"127.0.0.1", "localhost", "::1"}
    if parts.scheme not in {"https", "http"} or not host or parts.username is not None:
        raise InvalidKeyRequest(f"«{text[:80]}» is no origin; write it like https://shop.example")
    if parts.scheme == "http" and not local:
        raise InvalidKeyRequest(f"«{text[:80]}» must be https: anybody on the way could change it")
    if parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise InvalidKeyRequest(f"«{text[:80]}» has more than an origin; leave out what follows /")
    try:
        named = host if ":" in host else host.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise InvalidKeyRequest(f"«{host[:80]}» is no host name") from error
    shown = f"[{named}]" if ":" in named else named
    own = port in {None, 443 if parts.scheme == "https" else 80}
    return f"{parts.scheme}://{shown}" + ("" if own else f":{port}")


def key_text(key_id: UUID, secret: str, *, publishable: bool = False) -> str:
    return f"vezde_{'pub_' if publishable else ''}{key_id.hex}_{secret}"


def secret_hash(secret: str) -> bytes:
    """SHA-256, no slow hash: the secret is 256 random bits, so there is nothing to guess from."""
    return hashlib.sha256(secret.encode()).digest()


def sound_idempotency_key(text: str) -> str:
    """The header's value; raises `InvalidIdempotencyKey`."""
    if (
        not 1 <= len(text) <= IDEMPOTENCY_KEY_LENGTH
        or not (text.isascii() and text.isprintable())
        or text.isspace()
    ):
        raise InvalidIdempotencyKey(
            f"An Idempotency-Key is 1 to {IDEMPOTENCY_KEY_LENGTH} printable ASCII characters, "
            "such as a UUID"
        )
    return text


def fingerprint(fields: Mapping[str, Any], files: Sequence[bytes] = (), *, vault: Vault) -> bytes:
    """32 bytes that are equal for requests of equal content.

    `fields`: all that was parsed, parameters of the path and the query included; numbers and
    instants of the same value are equal however they were written. `files`: their bytes, in order.
    SHA-256 under the vault's HMAC, because a request of a phone alone could be guessed from a bare
    hash.
    """
    content = json.dumps(
        fields, default=_plain, ensure_ascii=False, sort_keys=True, separators=(",", ":")
    )
    # JSON may escape half of a surrogate pair; whether that text will do is for its field to say.
    digest = hashlib.sha256(content.encode("utf-8", "surrogatepass"))
    for file in files:
        digest.update(hashlib.sha256(file).digest())
    return vault.blind(digest.hexdigest(), purpose="access.fingerprint")


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        # 1, 1.0 and 1e0 are one number; floats and ints of JSON never come here.
        return f"{value.normalize():f}"
    if isinstance(value, datetime) and value.utcoffset() is not None:
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):  # a datetime without a zone too
        return value.isoformat()
    if isinstance(value, UUID):
        return value.hex
    raise TypeError(f"a {type(value).__name__} has no place in a request's fields")
