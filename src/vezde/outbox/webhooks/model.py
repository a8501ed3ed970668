"""A webhook, a delivery, what an address may be, when to try again and when to give up."""

import ipaddress
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

from vezde.kit.errors import DomainError, FieldError, Kind
from vezde.outbox.model import FactRow

SEND = "outbox.webhooks"  # the stage
ALL_KINDS = "*"
MOST_WEBHOOKS = 50
URL_LENGTH, DESCRIPTION_LENGTH = 2_048, 200

KEEP = timedelta(days=14)
FORMER_SECRET_SIGNS = timedelta(hours=24)

# After these a delivery has failed; with the jitter that is at most 3.3 days after the first try.
BACKOFF = (
    timedelta(seconds=5),
    timedelta(seconds=30),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=24),
    timedelta(hours=24),
)
JITTER = 0.2
LONGEST_RETRY_AFTER = timedelta(hours=24)

# A webhook that fails is tried by one delivery at a time, and ever less often while it goes on.
FAILURES_BEFORE_HOLD = 5
SHORTEST_HOLD, LONGEST_HOLD = timedelta(seconds=5), timedelta(minutes=30)
PAUSED_AFTER = timedelta(days=3)


class State(StrEnum):
    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"


class Because(StrEnum):
    """Why a webhook is paused."""

    BY_HAND = "by_hand"
    FAILING = "failing"
    GONE = "gone"


class InvalidWebhook(DomainError):
    """An address, kinds or a description that no webhook can have; `errors` name each."""

    code = "invalid_webhook"
    kind = Kind.INVALID


@dataclass(frozen=True)
class Reach:
    """Where webhooks may go beside https to public addresses.

    `loopback`: this machine, over http too (a sandbox). `private`: the networks of the house as
    well (10/8, 192.168/16, fd00::/8 …), over http too. Link-local addresses, where clouds keep
    their keys, never.
    """

    loopback: bool = False
    private: bool = False

    @property
    def plain_http(self) -> bool:
        return self.loopback or self.private

    def allows(self, address: str) -> bool:
        """Whether this IP address may be called."""
        given = ipaddress.ip_address(address.partition("%")[0])
        mapped = given.ipv4_mapped if isinstance(given, ipaddress.IPv6Address) else None
        ip = mapped or given
        if ip.is_loopback:
            return self.loopback or self.private
        if ip.is_multicast or ip.is_link_local or ip.is_unspecified or ip.is_reserved:
            return False
        if any(ip in network for network in TUNNELS if network.version == ip.version):
            return False
        if any(ip in network for network in PRIVATE if network.version == ip.version):
            return self.private
        return ip.is_global


PRIVATE = tuple(
    ipaddress.ip_network(text)
    for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
)
# IPv6 addresses that carry an IPv4 one, so a gateway would take us anywhere.
TUNNELS = tuple(
    ipaddress.ip_network(text)
    for text in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")
)


@dataclass(frozen=True)
class Webhook:
    """A webhook without its secret; times by the wall."""

    webhook_id: UUID
    url: str
    kinds: list[str]
    description: str | None
    created_at: datetime
    created_by: str
    paused_at: datetime | None
    paused_by: str | None
    paused_because: str | None
    failures: int
    failing_since: datetime | None
    held_until: datetime | None
    last_failure: str | None

    @property
    def is_active(self) -> bool:
        return self.paused_at is None


@dataclass(frozen=True)
class Delivery:
    """A fact for a webhook. `next_try` is set while it waits; `last_*` tell of its last attempt."""

    webhook_id: UUID
    fact_id: UUID
    kind: str
    state: str
    queued_at: datetime
    attempts: int
    next_try: datetime | None
    last_at: datetime | None
    last_status: int | None
    last_reason: str | None


@dataclass(frozen=True)
class Message:
    """What is sent: `id` is the header webhook-id, the same at every attempt."""

    id: str
    body: bytes


@dataclass(frozen=True)
class Due:
    """A delivery under a lease, with all that sending it takes."""

    webhook_id: UUID
    url: str
    secret: bytes
    former_secret: bytes | None
    former_until: datetime | None
    attempts: int
    fact: FactRow


@dataclass(frozen=True)
class Outcome:
    """What came of an attempt. `reason`: None for taken, else a code like `http_500`, `timeout`."""

    status: int | None = None
    reason: str | None = None
    retry_after_seconds: int | None = None

    @property
    def taken(self) -> bool:
        return self.reason is None


GONE_STATUS = 410


def next_try(attempts: int, outcome: Outcome, *, wall: datetime, jitter: float) -> datetime | None:
    """When to try again after this many attempts, None: it has failed. `jitter` is in [0, 1)."""
    if attempts > len(BACKOFF):
        return None
    pause = BACKOFF[max(attempts, 1) - 1] * (1 + JITTER * jitter)
    asked = timedelta(seconds=outcome.retry_after_seconds or 0)
    return wall + max(pause, min(asked, LONGEST_RETRY_AFTER))


def hold(failures: int, failing_since: datetime, *, wall: datetime) -> datetime | None:
    """Until when a failing webhook is left alone: half as long again as it has failed so far."""
    if failures < FAILURES_BEFORE_HOLD:
        return None
    return wall + min(max((wall - failing_since) / 2, SHORTEST_HOLD), LONGEST_HOLD)


def sound_url(text: str, reach: Reach) -> str:
    """The address as it is kept, its host in ASCII; raises `InvalidWebhook`.

    Addresses that a name stands for are checked when it is called.
    """
    if not 1 <= len(text) <= URL_LENGTH or not text.isprintable() or " " in text:
        raise _invalid("url", f"An address is 1 to {URL_LENGTH} characters without spaces.")
    try:
        parts = urlsplit(text)
        host = (parts.hostname or "").encode("idna").decode()
        port = parts.port
        (parts.path + parts.query).encode("ascii")
    except ValueError as error:
        raise _invalid("url", "This is not an address; send it like https://example.org/in.") from (
            error
        )
    schemes = ("https", "http") if reach.plain_http else ("https",)
    if parts.scheme not in schemes or not host or port == 0:
        raise _invalid("url", f"An address begins with {'://, '.join(schemes)}:// and has a host.")
    if parts.username or parts.password or parts.fragment:
        raise _invalid(
            "url", "An address has no login and no #; whom it is from, the signature says."
        )
    if not _may_be_called(host, reach):
        raise _invalid("url", "This address is not public; give one that the internet reaches.")
    bare = f"[{host}]" if ":" in host else host
    netloc = bare if port is None else f"{bare}:{port}"
    return urlunsplit((parts.scheme, netloc, parts.path or "/", parts.query, ""))


def _may_be_called(host: str, reach: Reach) -> bool:
    try:
        return reach.allows(host)
    except ValueError:  # a name
        name = host.rstrip(".")
        return reach.plain_http or not (name == "localhost" or name.endswith(".localhost"))


def sound_kinds(kinds: Iterable[str], *, known: Collection[str]) -> list[str]:
    """The kinds in order, each once; raises `InvalidWebhook` for none or an unknown one."""
    wanted = sorted(set(kinds))
    if ALL_KINDS in wanted:
        return [ALL_KINDS]
    if not wanted:
        raise _invalid("kinds", "Name at least one kind, or leave kinds out for all.")
    unknown = [kind for kind in wanted if kind not in known]
    if unknown:
        raise _invalid(
            "kinds",
            f"«{unknown[0][:60]}» is not told; take * or some of {', '.join(sorted(known))}.",
        )
    return wanted


def sound_description(text: str | None) -> str | None:
    """The description trimmed, None for an empty one; raises `InvalidWebhook`."""
    trimmed = (text or "").strip()
    if len(trimmed) > DESCRIPTION_LENGTH or not (trimmed.isprintable() or not trimmed):
        raise _invalid(
            "description", f"A description is one line of {DESCRIPTION_LENGTH} characters."
        )
    return trimmed or None


def _invalid(field: str, detail: str) -> InvalidWebhook:
    return InvalidWebhook(detail, errors=(FieldError(field, "invalid", detail),))
