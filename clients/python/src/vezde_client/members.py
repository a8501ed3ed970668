"""People: enrolled, found, changed, merged, forgotten; their consents."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, TypedDict, Unpack

from vezde_client import calls, reading
from vezde_client.calls import Call


@dataclass(frozen=True)
class Identity:
    """An id of the person elsewhere: `telegram`, `crm:retail`, `card`, …"""

    kind: str
    value: str


@dataclass(frozen=True)
class GivenConsent:
    """A consent as it was given to the shop; `how` says by what means."""

    purpose: str
    document_version: str
    given_at: datetime
    how: str
    channel: str | None = None
    text_sha256: str | None = None


@dataclass(frozen=True)
class Consent:
    id: str
    purpose: str
    channel: str | None
    document_version: str
    given_at: datetime
    withdrawn_at: datetime | None


@dataclass(frozen=True)
class Member:
    """`status`: active, closed (`merged_into` is whom they became part of) or forgotten."""

    id: str
    phone: str | None
    email: str | None
    name: str | None
    birthday: date | None
    locale: str | None
    timezone: str | None
    source: str | None
    status: str
    merged_into: str | None
    level: str | None
    identities: tuple[Identity, ...]
    consents: tuple[Consent, ...]
    created_at: datetime


class Changes(TypedDict, total=False):
    """What may change; None empties it."""

    phone: str | None
    email: str | None
    name: str | None
    birthday: date | None
    locale: str | None
    timezone: str | None
    source: str | None


def enrol(
    *,
    identities: Sequence[Identity] = (),
    consents: Sequence[GivenConsent] = (),
    key: str | None = None,
    **person: Unpack[Changes],
) -> Call[Member]:
    """A new member, with at least one of phone, email, identities.

    Raises `MemberExists` with the `member_id` of whoever has one of them.
    """
    body: dict[str, Any] = {name: value for name, value in person.items() if value is not None}
    if identities:
        body["identities"] = [asdict(one) for one in identities]
    if consents:
        body["consents"] = [asdict(one) for one in consents]
    return calls.post(Member, "/v1/members", body, key=key)


def member(member_id: str) -> Call[Member]:
    """Raises `Missing`."""
    return calls.get(Member, f"/v1/members/{calls.segment(member_id)}")


def by_phone(phone: str) -> Call[Member]:
    """Raises `Missing`: nobody has it."""
    return calls.get(Member, "/v1/members", {"phone": phone})


def by_email(email: str) -> Call[Member]:
    """Raises `Missing`: nobody has it."""
    return calls.get(Member, "/v1/members", {"email": email})


def by_identity(kind: str, value: str) -> Call[Member]:
    """Raises `Missing`: nobody has it."""
    return calls.get(Member, "/v1/members", {"kind": kind, "value": value})


def change(member_id: str, **changes: Unpack[Changes]) -> Call[Member]:
    """The member with these fields changed; the others stay."""
    path = f"/v1/members/{calls.segment(member_id)}"
    return Call("PATCH", path, _member, body=dict(changes))


def give_consent(member_id: str, consent: GivenConsent, *, key: str | None = None) -> Call[Consent]:
    path = f"/v1/members/{calls.segment(member_id)}/consents"
    return calls.post(Consent, path, asdict(consent), key=key)


def withdraw_consent(
    member_id: str, consent_id: str, *, how: str = "api", key: str | None = None
) -> Call[Consent]:
    """From now on."""
    consents = f"/v1/members/{calls.segment(member_id)}/consents"
    path = f"{consents}/{calls.segment(consent_id)}/withdraw"
    return calls.post(Consent, path, {"how": how}, key=key)


def merge(member_id: str, gone: str, *, key: str | None = None) -> Call[Member]:
    """The member with all that `gone` had; `gone` is closed."""
    path = f"/v1/members/{calls.segment(member_id)}/merge"
    return calls.post(Member, path, {"gone": gone}, key=key)


def unmerge(member_id: str, gone: str, *, key: str | None = None) -> Call[Member]:
    """They were two people: `gone` is a member again, and the answer; within a term."""
    path = f"/v1/members/{calls.segment(member_id)}/unmerge"
    return calls.post(Member, path, {"gone": gone}, key=key)


def forget(member_id: str) -> Call[None]:
    """For good: what is personal is erased, the sums stay."""
    return Call("DELETE", f"/v1/members/{calls.segment(member_id)}", lambda _nothing: None)


def _member(value: Any) -> Member:
    return reading.read(Member, value)
