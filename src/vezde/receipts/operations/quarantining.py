"""A person decides a receipt that signals hold: it is released and earns, or it is declined.

Released it is decided as if it had been shown when it was, at the programme of its purchase; the
same decision again changes nothing, the other one is a conflict. What was declined may still be
released: it never gave anything.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, LiteralString, Protocol
from uuid import UUID

from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.kit.errors import DomainError, FieldError, Kind
from vezde.members import operations as members
from vezde.members import queries as member_queries
from vezde.outbox import operations as outbox
from vezde.receipts import events, queries
from vezde.receipts.model import Reason, Status
from vezde.receipts.operations import writing
from vezde.receipts.operations.settling import Item, settle
from vezde.receipts.queries import Receipt
from vezde.sellers import queries as sellers
from vezde.sellers.model import Stance

NOTE_LENGTH: Final = 500
RELEASED: Final = "released"
DECLINED: Final = "declined"
HELD_STILL: Final = frozenset({Reason.QUARANTINED, Reason.DECLINED})

LOCK: LiteralString = """
SELECT r.receipt_id FROM receipts.receipt r WHERE r.member_id = %s AND r.receipt_id = %s FOR UPDATE
"""
HELD: LiteralString = """
SELECT outcome, score FROM receipts.quarantine WHERE member_id = %s AND receipt_id = %s FOR UPDATE
"""
END: LiteralString = """
UPDATE receipts.quarantine SET outcome = %s, ended_at = %s, ended_by = %s, note = %s
WHERE member_id = %s AND receipt_id = %s
"""
DECLINE: LiteralString = """
UPDATE receipts.receipt SET status = 'rejected', reason = 'declined', decided_at = %s
WHERE member_id = %s AND receipt_id = %s
"""


class NotHeld(DomainError):
    """Signals do not hold this receipt, and never did."""

    code = "receipt_not_held"
    kind = Kind.CONFLICT


class AlreadyReleased(DomainError):
    """Somebody released the receipt, and it has earned."""

    code = "receipt_already_released"
    kind = Kind.CONFLICT


class SellerIsBlocked(DomainError):
    """Receipts of a blocked seller earn nothing, whoever looks at them."""

    code = "seller_blocked"
    kind = Kind.CONFLICT


class NoteInvalid(DomainError):
    code = "invalid"
    kind = Kind.INVALID


@dataclass(frozen=True, slots=True)
class _Held:
    outcome: str | None
    score: int


class Ending(Protocol):
    """`release` or `decline`."""

    async def __call__(
        self, db: Db, member_id: UUID, receipt_id: UUID, *, note: str, now: datetime, actor: str
    ) -> Receipt: ...


async def release(
    db: Db, member_id: UUID, receipt_id: UUID, *, note: str = "", now: datetime, actor: str
) -> Receipt:
    """The receipt is sound: it is decided as of its purchase and earns what it did then, once.

    Released before, nothing changes. Raises `NotHeld`, `SellerIsBlocked`, `MemberClosed`.
    """
    note = _sound_note(note, needed=False)
    member_id = await _present(db, member_id)
    receipt, held = await _held(db, member_id, receipt_id)
    if held.outcome == RELEASED:
        return receipt
    assert receipt.document is not None, "what signals hold is verified"
    seller = await sellers.seller(db, receipt.seller_inn) if receipt.seller_inn else None
    if seller is not None and seller.stance == Stance.BLOCKED:
        raise SellerIsBlocked(
            f"The seller {receipt.seller_inn} is blocked, so its receipts bring nothing. "
            "Unblock it first, or decline the receipt."
        )
    item = Item(member_id, receipt_id, receipt.document, receipt.registered_at)
    outcomes = await settle(db, [item], now=now, actor=actor, vouched=True)
    await writing.decide(db, outcomes, now=now)
    await db.execute(END, [RELEASED, now, actor, note or None, member_id, receipt_id])
    return await queries.receipt(db, member_id, receipt_id)


async def decline(
    db: Db, member_id: UUID, receipt_id: UUID, *, note: str, now: datetime, actor: str
) -> Receipt:
    """The receipt brings nothing; `note` says why to whoever asks later, not to the member.

    Declined before, nothing changes. Raises `NotHeld`, `AlreadyReleased`, `MemberClosed`.
    """
    note = _sound_note(note, needed=True)
    member_id = await _present(db, member_id)
    receipt, held = await _held(db, member_id, receipt_id)
    if held.outcome == RELEASED:
        raise AlreadyReleased(
            "This receipt was released and has earned; take points back by an adjustment."
        )
    if held.outcome == DECLINED:
        return receipt
    await db.execute(DECLINE, [now, member_id, receipt_id])
    await db.execute(END, [DECLINED, now, actor, note, member_id, receipt_id])
    fact = events.came_to(
        Status.REJECTED,
        member_id=member_id,
        receipt_id=receipt_id,
        occurred_at=receipt.occurred_at,
        now=now,
        reason=Reason.DECLINED,
    )
    await outbox.record(db, [fact])
    return await queries.receipt(db, member_id, receipt_id)


async def _present(db: Db, member_id: UUID) -> UUID:
    """Whose the receipt is now; they stay so until this ends."""
    owner = await member_queries.surviving(db, member_id)
    if not await members.present(db, [owner]):
        raise await member_queries.refusal(db, owner)
    return owner


async def _held(db: Db, member_id: UUID, receipt_id: UUID) -> tuple[Receipt, _Held]:
    """The receipt and how it is held, both locked."""
    if await kit_db.fetch_value(db, LOCK, [member_id, receipt_id]) is None:
        found = await queries.receipt(db, member_id, receipt_id)  # of who they were before a merge
        if found.member_id != member_id:
            return await _held(db, await _present(db, found.member_id), receipt_id)
    receipt = await queries.receipt(db, member_id, receipt_id)
    held = await kit_db.fetch_one(db, _Held, HELD, [member_id, receipt_id])
    moved_on = held and held.outcome != RELEASED and receipt.reason not in HELD_STILL
    if held is None or moved_on:  # gone to whoever proved that it is theirs, say
        raise NotHeld("This receipt is not held; look at it as it is now.")
    return receipt, held


def _sound_note(text: str, *, needed: bool) -> str:
    note = " ".join(text.split())
    detail: Any = None
    if needed and not note:
        detail = "Say why the receipt brings nothing: whoever asks later will want to know."
    if len(note) > NOTE_LENGTH or not note.isprintable():
        detail = f"Say it in up to {NOTE_LENGTH} characters."
    if detail:
        raise NoteInvalid(detail, errors=(FieldError("note", "wrong_note", detail),))
    return note
