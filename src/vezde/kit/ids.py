"""Ids: UUIDv7 inside, opaque text outside.

A public id is `<prefix>_<base64url of the 16-byte ids>`; ids of member-owned rows carry the member
first, so that one id is enough to find the row where the member lives.
"""

import base64
import binascii
from datetime import datetime
from uuid import UUID

from uuid_utils.compat import uuid7

from vezde.kit.errors import DomainError, Kind

__all__ = ["UnknownId", "first_at", "new", "parse", "public"]


class UnknownId(DomainError):
    """The id in the request is not one of ours."""

    code = "not_found"
    kind = Kind.MISSING


def new() -> UUID:
    """A fresh UUIDv7."""
    return uuid7()


def first_at(instant: datetime) -> UUID:
    """What no id made at this instant (wall) or later is below."""
    return UUID(int=int(instant.timestamp() * 1000) << 80)


def public(prefix: str, *parts: UUID) -> str:
    """`public("rcp", member_id, receipt_id)` -> `rcp_…`."""
    raw = b"".join(part.bytes for part in parts)
    return f"{prefix}_{base64.urlsafe_b64encode(raw).rstrip(b'=').decode('ascii')}"


def parse(prefix: str, text: str, *, parts: int = 1) -> tuple[UUID, ...]:
    """The ids inside a public id; raises `UnknownId` on any other text."""
    head, _, body = text.partition("_")
    try:
        raw = base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if head != prefix or len(raw) != 16 * parts:
        shown = text[:80].encode("utf-8", "replace").decode()  # halves of surrogate pairs: «?»
        raise UnknownId(f"«{shown}» is not an id of this kind; it should start with {prefix}_")
    return tuple(UUID(bytes=raw[i : i + 16]) for i in range(0, len(raw), 16))
