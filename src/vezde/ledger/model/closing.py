"""What an account's closing carries into another one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from vezde.ledger.model.commands import canonical, hashed, instant_text
from vezde.ledger.model.entries import EntryKind, Lot, Taken
from vezde.ledger.model.standing import Draft, Life, is_pending


@dataclass(frozen=True)
class CarriedLot:
    """What was left of a lot when its account was closed into another one.

    `from_…` is the lot's entry on the closed account, `origin_…` the accrual it once was made by.
    """

    from_member: UUID
    from_seq: int
    points: int
    active_at: datetime | None
    expires_at: datetime | None
    title: str
    origin_member: UUID
    origin_seq: int

    @property
    def op_key(self) -> str:
        return f"open:{self.from_member}:{self.from_seq}"

    @property
    def proof(self) -> str:
        origin = [str(self.origin_member), self.origin_seq]
        return canonical({"from": [str(self.from_member), self.from_seq], "origin": origin})

    @property
    def fingerprint(self) -> bytes:
        instants = map(instant_text, (self.active_at, self.expires_at))
        return hashed([EntryKind.OPEN, self.points, *instants, self.title], self.proof)


@dataclass(frozen=True)
class CarriedDebt:
    """What the account owed when entry `from_seq` closed it into another one."""

    from_member: UUID
    from_seq: int
    points: int
    title: str = "Долг перешёл с объединённого счёта"

    @property
    def op_key(self) -> str:
        return f"open:{self.from_member}:{self.from_seq}"

    @property
    def proof(self) -> str:
        return canonical({"from": [str(self.from_member), self.from_seq]})

    @property
    def fingerprint(self) -> bytes:
        return hashed([EntryKind.OPEN, -self.points, self.title], self.proof)


def opening(carried: CarriedLot | CarriedDebt, *, at: datetime) -> Draft:
    """The entry by which a lot or a debt comes, recorded `at`."""
    if isinstance(carried, CarriedDebt):
        return Draft(
            *(EntryKind.OPEN, -carried.points, at),
            debt=carried.points,
            title=carried.title,
            proof=carried.proof,
        )
    life = Life(carried.points, carried.active_at, carried.expires_at)
    pending = is_pending(life, at)
    return Draft(
        *(EntryKind.OPEN, carried.points, at),
        active=0 if pending else carried.points,
        pending=carried.points if pending else 0,
        makes=life,
        title=carried.title,
        proof=carried.proof,
    )


@dataclass(frozen=True)
class Closing:
    """A command: close the account; `proof` is JSON that names the one its points went into."""

    op_key: str
    title: str
    proof: str
    fingerprint: bytes


def closing(into: UUID | None, *, after_seq: int) -> Closing:
    """The command that closes an account into another one, or (None) for good.

    `after_seq` is the account's last entry: one that was opened again may be closed again.
    """
    if into is None:
        op_key, title, proof = "forget", "Счёт закрыт", "{}"
    else:
        op_key, title = f"merge:{into}:{after_seq}", "Баллы перешли на объединённый счёт"
        proof = canonical({"into": str(into)})
    return Closing(op_key, title, proof, hashed([EntryKind.CLOSE, op_key], proof))


def parting(lots: Sequence[Lot], owed: int, into: UUID, *, at: datetime) -> Draft:
    """The entry by which lots, and what is owed, go back to the account they came from."""
    active = sum(lot.remaining for lot in lots if lot.activated_seq is not None)
    pending = sum(lot.remaining for lot in lots if lot.activated_seq is None)
    return Draft(
        *(EntryKind.CLOSE, owed - active - pending, at),
        active=-active,
        pending=-pending,
        debt=-owed,
        taken=tuple(Taken(lot.seq, lot.remaining) for lot in lots),
        title="Объединение счетов отменено",
        proof=canonical({"into": str(into)}),
    )
