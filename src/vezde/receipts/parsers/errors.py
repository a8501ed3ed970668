"""What every parser raises."""

from typing import ClassVar

from vezde.kit.errors import DomainError, Kind


class UnreadableDocument(DomainError):
    """The document is none of the shapes we read, or lacks what a receipt must have."""

    code = "unreadable_document"
    kind: ClassVar[Kind] = Kind.INVALID
