"""Facts about members; nothing personal in them."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from vezde.kit import ids
from vezde.members.model import Consent
from vezde.outbox.model import FactRow

ENROLLED = "member.enrolled/1"
CHANGED = "member.changed/1"
MERGED = "member.merged/1"
UNMERGED = "member.unmerged/1"
FORGOTTEN = "member.forgotten/1"
UNREACHABLE = "member.unreachable/1"
REACHABLE = "member.reachable/1"
CONSENT_GIVEN = "consent.given/1"
CONSENT_WITHDRAWN = "consent.withdrawn/1"


def enrolled(member_id: UUID, *, now: datetime) -> FactRow:
    return _fact(ENROLLED, member_id, now, {})


def changed(member_id: UUID, fields: Iterable[str], *, now: datetime) -> FactRow:
    """`fields`: names of what changed, like `phone`, never their values."""
    return _fact(CHANGED, member_id, now, {"fields": sorted(fields)})


def merged(into: UUID, gone: UUID, *, now: datetime) -> FactRow:
    """A fact of the member who stays; facts of `gone` are written no more."""
    return _fact(MERGED, into, now, {"into": str(into), "gone": str(gone)})


def unmerged(into: UUID, gone: UUID, *, now: datetime) -> FactRow:
    """A fact of the member who stayed; `gone` is a member by themselves again."""
    return _fact(UNMERGED, into, now, {"into": str(into), "gone": str(gone)})


def forgotten(member_id: UUID, *, now: datetime) -> FactRow:
    return _fact(FORGOTTEN, member_id, now, {})


def unreachable(member_id: UUID, kind: str, reason: str, *, now: datetime) -> FactRow:
    return _fact(UNREACHABLE, member_id, now, {"kind": kind, "reason": reason})


def reachable(member_id: UUID, kind: str, *, now: datetime) -> FactRow:
    """They could not be reached by this kind of identity and can again."""
    return _fact(REACHABLE, member_id, now, {"kind": kind})


def consent_given(consent: Consent, *, now: datetime) -> FactRow:
    return _fact(CONSENT_GIVEN, consent.member_id, now, {"consent_id": str(consent.consent_id)})


def consent_withdrawn(consent: Consent, *, now: datetime) -> FactRow:
    return _fact(CONSENT_WITHDRAWN, consent.member_id, now, {"consent_id": str(consent.consent_id)})


def _fact(kind: str, member_id: UUID, now: datetime, data: dict[str, Any]) -> FactRow:
    return FactRow(ids.new(), member_id, None, kind, now, now, data)
