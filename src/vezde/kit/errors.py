"""Errors a person can act on: a stable code, one of six kinds, a sentence that says what to do."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar


class Kind(StrEnum):
    """What the caller may do next; each face maps a kind to its own answer."""

    MISSING = "missing"
    CONFLICT = "conflict"
    REFUSED = "refused"
    INVALID = "invalid"
    UNAVAILABLE = "unavailable"
    EXHAUSTED = "exhausted"


@dataclass(frozen=True)
class FieldError:
    """One wrong place in a request or a document: `path` like `lines.2.sku`, `line` of a file."""

    path: str
    code: str
    detail: str
    line: int | None = None


class DomainError(Exception):
    """Base of every expected failure.

    A subclass stands beside the operation that raises it and sets `code` and `kind`.
    `extra` are members the face adds to its answer (ids only, never personal data);
    `retry_after_seconds` belongs to `unavailable` and `exhausted`.
    """

    code: ClassVar[str] = "error"
    kind: ClassVar[Kind] = Kind.INVALID

    def __init__(
        self,
        detail: str,
        *,
        errors: tuple[FieldError, ...] = (),
        extra: dict[str, Any] | None = None,
        retry_after_seconds: int | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = errors
        self.extra = extra or {}
        self.retry_after_seconds = retry_after_seconds


class Unavailable(DomainError):
    """Something this installation stands on does not answer just now."""

    code = "unavailable"
    kind = Kind.UNAVAILABLE
