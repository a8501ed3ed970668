"""What of a member is sealed, and where each sealed value belongs.

Name and birthday are one sealed blob: they are read and written together. Every identity is sealed
by itself, so that one of them can be removed without touching another.
"""

import json
from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from vezde.kit.vault import Vault
from vezde.members.identities import Contact
from vezde.members.model import Profile


def seal_profile(vault: Vault, member_id: UUID, profile: Profile) -> bytes | None:
    """The sealed name and birthday; None when neither is known."""
    known: dict[str, str] = {}
    if profile.name is not None:
        known["name"] = profile.name
    if profile.birthday is not None:
        known["birthday"] = profile.birthday.isoformat()
    if not known:
        return None
    plain = json.dumps(known, ensure_ascii=False, separators=(",", ":")).encode()
    return vault.encrypt(plain, context=_profile_context(member_id))


def open_profile(
    vault: Vault, member_id: UUID, sealed: bytes | None
) -> tuple[str | None, date | None]:
    """Name and birthday as they were sealed."""
    if sealed is None:
        return None, None
    known = json.loads(vault.decrypt(sealed, context=_profile_context(member_id)))
    birthday = known.get("birthday")
    return known.get("name"), date.fromisoformat(birthday) if birthday else None


def seal_contact(vault: Vault, member_id: UUID, contact: Contact) -> bytes:
    return vault.encrypt(contact.value.encode(), context=_contact_context(member_id, contact.kind))


def open_contact(vault: Vault, member_id: UUID, kind: str, sealed: bytes) -> str:
    return vault.decrypt(sealed, context=_contact_context(member_id, kind)).decode()


def profile_texts(profile: Profile) -> dict[str, str | None]:
    """The profile's fields as JSON has them."""
    texts = {name: getattr(profile, name) for name in Profile.__dataclass_fields__}
    return {**texts, "birthday": profile.birthday.isoformat() if profile.birthday else None}


def profile_of(texts: Mapping[str, Any]) -> Profile:
    """What `profile_texts` made texts of."""
    birthday = texts["birthday"]
    return Profile(**{**texts, "birthday": date.fromisoformat(birthday) if birthday else None})


def _profile_context(member_id: UUID) -> bytes:
    return b"members.member " + member_id.bytes


def _contact_context(member_id: UUID, kind: str) -> bytes:
    return b"members.identity " + member_id.bytes + kind.encode()
