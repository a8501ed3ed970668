"""Paying with points at a till: held, asked of the member, spent when they agree.

A payment is a hold and a question to the member (`access.operations.approving`), in one
transaction. The question has five wall minutes, the hold a little longer, so that a late tap finds
nothing to spend. The member answers by a button in the bot, or reads the cashier a code.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from vezde.access import doors
from vezde.access import operations as access
from vezde.access.operations import approving, telling
from vezde.access.operations.approving import Approval
from vezde.access.operations.telling import Channels, Message
from vezde.checkout import queries
from vezde.checkout.model import BasketLine
from vezde.checkout.operations import committing, holding
from vezde.checkout.operations.owning import owner
from vezde.checkout.queries import Order
from vezde.kit.db import Db
from vezde.kit.errors import DomainError, Kind
from vezde.kit.i18n import Locale, Plural
from vezde.kit.vault import Vault
from vezde.messaging.model import Button, View
from vezde.messaging.templates import Money, Points

HELD_FOR = doors.APPROVAL_TTL + timedelta(minutes=1)
YES, NO = "pay:yes", "pay:no"


class CannotConfirm(DomainError):
    """The member has no messenger here and no phone that an SMS could go to."""

    code = "cannot_confirm"
    kind = Kind.REFUSED


class PaymentState(StrEnum):
    """`expired`: nobody answered in time; the points are free again."""

    ASKED = "asked"
    PAID = "paid"
    DECLINED = "declined"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


STATES = {
    approving.ASKED: PaymentState.ASKED,
    approving.GIVEN: PaymentState.PAID,
    approving.DECLINED: PaymentState.DECLINED,
    approving.WITHDRAWN: PaymentState.CANCELLED,
    approving.EXPIRED: PaymentState.EXPIRED,
}


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment at a till; `order` once it is paid. `asked_by` is bot or sms."""

    member_id: UUID
    payment_id: UUID
    state: PaymentState
    points: int
    pay_kopecks: int
    asked_by: str
    order_id: str
    expires_wall: datetime
    order: Order | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a till wants paid: a quote's lines again, so many points, its own number of the order.

    `brand` is what the member is asked in the name of.
    """

    quote_id: str
    lines: Sequence[BasketLine]
    points: int
    order_id: str
    brand: str


async def ask_payment(
    db: Db,
    member_id: UUID,
    wanted: Wanted,
    *,
    channels: Channels,
    points_name: Mapping[Locale, Plural] | None = None,
    vault: Vault,
    now: datetime,
    wall: datetime,
    actor: str,
) -> Payment:
    """Hold the points and ask the member.

    Raises `CannotConfirm`, and what `holding.hold` raises.
    """
    await owner(db, member_id, exactly=True)
    way = await telling.way(db, member_id, phone=None, channels=channels, vault=vault)
    if way is None:
        raise CannotConfirm(
            "This member uses no messenger here and has no phone for an SMS, so nobody can agree. "
            "Ask them to open the bot."
        )
    held = await holding.hold(
        db,
        wanted.quote_id,
        wanted.lines,
        points=wanted.points,
        ttl=HELD_FOR,
        vault=vault,
        now=now,
        actor=actor,
    )
    asked_by = "bot" if way.channel is not None else "sms"
    details = {
        "hold_id": str(held.hold_id),
        "points": held.points,
        "pay_kopecks": held.pay_kopecks,
        "order_id": wanted.order_id,
        "asked_by": asked_by,
    }
    code, approval = await access.ask(
        db, member_id, approving.PAYMENT, details, vault=vault, wall=wall, actor=actor
    )
    off = held.points * held.point_value_kopecks
    await telling.tell(
        db,
        way,
        _question(approval, code, held.points, off, wanted.brand),
        member_id=member_id,
        channels=channels,
        points_name=points_name,
        vault=vault,
        now=now,
        wall=wall,
        actor=actor,
    )
    return _payment(approval)


async def payment(db: Db, member_id: UUID, payment_id: UUID, *, wall: datetime) -> Payment:
    """A payment as it is by now; raises `ApprovalUnknown`."""
    found = await access.approval(db, member_id, payment_id, wall=wall)
    return await _shown(db, found)


async def pay(
    db: Db,
    member_id: UUID,
    payment_id: UUID,
    *,
    how: str,
    vault: Vault,
    now: datetime,
    wall: datetime,
    actor: str,
) -> Payment:
    """The member agreed: the points are spent. Paid before, the same answer.

    Raises `ApprovalUnknown`, `ApprovalOver`, and what `committing.commit` raises.
    """
    await owner(db, member_id)
    found = await access.approval(db, member_id, payment_id, wall=wall)
    if found.state == approving.GIVEN:
        return await _shown(db, found)
    given = await access.decide(db, found, approving.GIVEN, how=how, wall=wall)
    order = await committing.commit(
        db,
        member_id,
        _hold_id(found),
        order_id=found.details["order_id"],
        paid_at=now,
        lines=None,
        vault=vault,
        now=now,
        actor=actor,
    )
    return _payment(given, order)


async def give_up(
    db: Db,
    member_id: UUID,
    payment_id: UUID,
    *,
    declined: bool,
    how: str,
    now: datetime,
    wall: datetime,
    actor: str,
) -> Payment:
    """The member said no, or the cashier took it back: the points are free.

    Over before, the same answer, whatever it was; raises `ApprovalOver` for one that is paid, and
    `ApprovalUnknown`.
    """
    await owner(db, member_id)
    found = await access.approval(db, member_id, payment_id, wall=wall)
    if found.state == approving.GIVEN:
        raise approving.over(found)
    if found.state == approving.ASKED:
        state = approving.DECLINED if declined else approving.WITHDRAWN
        found = await access.decide(db, found, state, how=how, wall=wall)
    await holding.cancel(db, member_id, _hold_id(found), now=now, actor=actor)
    return _payment(found)


def _question(approval: Approval, code: str, points: int, off: int, brand: str) -> Message:
    said = {
        "points": Points(points),
        "pays": Money(off),
        "brand": brand,
        "code": doors.shown(code),
    }
    name = approval.approval_id.hex
    rows = ((Button("button_pay_yes", f"{YES}:{name}"), Button("button_pay_no", f"{NO}:{name}")),)
    return Message(
        f"payment/{approval.approval_id}",
        View("payment_ask", said, rows),
        "payment_sms",
        useless=approval.expires_wall,
    )


async def _shown(db: Db, found: Approval) -> Payment:
    if found.state != approving.GIVEN:
        return _payment(found)
    held = await queries.shown_hold(db, found.member_id, _hold_id(found))
    order = await queries.order(db, held.member_id, held.order_ref) if held.order_ref else None
    return _payment(found, order)


def _payment(found: Approval, order: Order | None = None) -> Payment:
    return Payment(
        found.member_id,
        found.approval_id,
        STATES[found.state],
        points=found.details["points"],
        pay_kopecks=found.details["pay_kopecks"],
        asked_by=found.details["asked_by"],
        order_id=found.details["order_id"],
        expires_wall=found.expires_wall,
        order=order,
    )


def _hold_id(found: Approval) -> UUID:
    return UUID(found.details["hold_id"])
