"""The brand's people: who they are, what they may, what they did."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from vezde.kit.errors import DomainError, Kind

NAME_LENGTH = 100


class Role(StrEnum):
    """A cashier serves members at a till, the others may that too; what else: `RIGHTS`."""

    CASHIER = "cashier"
    OPERATOR = "operator"
    MARKETER = "marketer"
    ANALYST = "analyst"
    ADMIN = "admin"


class Right(StrEnum):
    """What may be done in the console, and of it at the till."""

    TODAY = "today"  # figures of the whole, nobody's in particular
    QUALITY = "quality"  # how well lines are recognised
    TUNE = "tune"  # from which scores on a line is certain
    MODERATE = "moderate"  # receipts in doubt, names of shops and goods
    TROUBLES = "troubles"
    ADJUST = "adjust"  # points given and taken by hand
    PEOPLE = "people"  # who works here
    JOURNAL = "journal"


RIGHTS: Mapping[Role, frozenset[Right]] = {
    Role.CASHIER: frozenset(),
    Role.OPERATOR: frozenset(
        {Right.TODAY, Right.QUALITY, Right.MODERATE, Right.TROUBLES, Right.ADJUST}
    ),
    Role.MARKETER: frozenset({Right.TODAY, Right.QUALITY, Right.TUNE}),
    Role.ANALYST: frozenset({Right.TODAY, Right.QUALITY}),
    Role.ADMIN: frozenset(Right),
}


class Door(StrEnum):
    """Where an operator signs in."""

    TILL = "till"
    CONSOLE = "console"


class InvalidOperator(DomainError):
    """A name, a role or a contact that no operator can have."""

    code = "invalid_operator"
    kind = Kind.INVALID


class OperatorExists(DomainError):
    """An operator who is there has this name or phone."""

    code = "operator_exists"
    kind = Kind.CONFLICT


class OperatorNotFound(DomainError):
    code = "operator_not_found"
    kind = Kind.MISSING


class ShiftOver(DomainError):
    """Nobody is signed in at this till, or not any more."""

    code = "shift_over"
    kind = Kind.REFUSED

    def __init__(self) -> None:
        super().__init__("Nobody is signed in here; sign in with a fresh code")


class OperatorCodeWrong(DomainError):
    """Not an operator's live code: it is good once, for a quarter of an hour."""

    code = "operator_code_wrong"
    kind = Kind.REFUSED

    def __init__(self) -> None:
        super().__init__("This code is not good (any more); ask for a fresh one")


class InvitationOver(DomainError):
    """Not a live link: it is good once, for a day, until another takes its place."""

    code = "invitation_over"
    kind = Kind.REFUSED

    def __init__(self) -> None:
        super().__init__("This link was used, or its time is over; ask for a fresh one")


class RightMissing(DomainError):
    """The operator's role does not include this."""

    code = "right_missing"
    kind = Kind.REFUSED


class OwnAccount(DomainError):
    """Nobody takes their own role or place away: there would be nobody left to give it back."""

    code = "own_account"
    kind = Kind.CONFLICT


@dataclass(frozen=True)
class Contact:
    """How an operator gets their codes."""

    phone: str | None = field(default=None, repr=False)
    telegram: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Operator:
    """One of the brand's people; sales at their till are of `sales_channel`."""

    operator_id: UUID
    name: str
    role: Role
    sales_channel: str
    created_at: datetime
    created_by: str
    left_at: datetime | None = None
    left_by: str | None = None

    @property
    def actor(self) -> str:
        return f"operator:{self.operator_id}"

    @property
    def rights(self) -> frozenset[Right]:
        return RIGHTS[self.role]

    def require(self, right: Right) -> None:
        """Raises `RightMissing`."""
        if right not in self.rights:
            raise RightMissing(
                f"A {self.role} may not do this ({right}); ask an administrator for another role"
            )


@dataclass(frozen=True)
class Shift:
    """An operator signed in at a till or in the console until `expires_wall`."""

    session_id: UUID
    operator: Operator
    expires_wall: datetime


@dataclass(frozen=True)
class JournalEntry:
    """What an operator did, about which member; `details` hold ids and numbers."""

    entry_id: UUID
    operator_id: UUID
    what: str
    member_id: UUID | None
    details: dict[str, Any]
    at: datetime


def sound_name(text: str) -> str:
    """An operator's name, trimmed; raises `InvalidOperator`."""
    name = text.strip()
    if not 1 <= len(name) <= NAME_LENGTH or not name.isprintable():
        raise InvalidOperator(f"An operator's name is 1 to {NAME_LENGTH} characters on one line")
    return name


def sound_role(word: str) -> Role:
    """Raises `InvalidOperator`."""
    if word not in set(Role):
        raise InvalidOperator(f"«{word[:40]}» is no role; take one of {', '.join(Role)}")
    return Role(word)


def console_link(address: str, secret: str) -> str:
    """Where an invitation leads; what stands after # never leaves the browser."""
    return f"{address.rstrip('/')}/console#enter={secret}"
