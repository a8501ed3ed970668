"""A hold becomes an order: its points are spent, what was paid in money earns."""

from collections.abc import Sequence
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from vezde.checkout.model import Basket, BasketLine, canonical_lines, fingerprint
from vezde.checkout.operations import holding, pricing, quotes, recording
from vezde.checkout.operations.quotes import PriceChanged
from vezde.checkout.operations.recording import CLOCK_SLACK, NewOrder
from vezde.checkout.queries import Hold, Order
from vezde.kit import db as kit_db
from vezde.kit import ids
from vezde.kit.db import Db
from vezde.kit.errors import DomainError, Kind
from vezde.kit.vault import Vault
from vezde.ledger import model as ledger_model
from vezde.ledger import operations as ledger
from vezde.ledger.operations import Spent
from vezde.program import decide
from vezde.program import queries as program
from vezde.program.model import Activity, Programme

COMMITTED: LiteralString = """
UPDATE checkout.hold SET state = 'committed', ended_at = %s, ended_by = %s, order_ref = %s
WHERE member_id = %s AND hold_id = %s
"""


class OfflineBurning(DomainError):
    """Points were taken for an order paid before they were held: nobody had reserved them."""

    code = "offline_burning"
    kind = Kind.REFUSED


async def commit(
    db: Db,
    member_id: UUID,
    hold_id: UUID,
    *,
    order_id: str,
    paid_at: datetime,
    lines: Sequence[BasketLine] | None,
    vault: Vault,
    now: datetime,
    actor: str,
) -> Order:
    """Record the order that a hold was made for and spend its points; the same again answers it.

    `lines` None are those of the hold. After the hold's end the same points are spent if they are
    still free, else `HoldExpired`. Raises `HoldMissing`, `HoldClosed`, `OrderExists`,
    `PriceChanged` (with a fresh quote), `OfflineBurning`, `PaidInFuture`.
    """
    held = await holding.locked(db, member_id, hold_id)
    order_ref = ids.new()
    same = fingerprint("commit", str(hold_id), paid_at.timestamp(), _lines(lines, held))
    known, programmes, products = await kit_db.together(
        db,
        recording.known(
            db,
            held.sales_channel,
            order_id,
            member_id=held.member_id,
            order_ref=order_ref,
            same=same,
        ),
        program.programmes(db),
        pricing.products_of(db, held.lines),
    )
    if known is not None:
        before: Order = known
        return before
    holding.check_open(held)
    _check_time(held, paid_at, now=now)
    basket = Basket(held.member_id, held.sales_channel, held.lines, held.delivery_kopecks)
    await _check_lines(db, lines, held, vault=vault, now=now)
    found = await pricing.met(db, basket, programmes, products, at=paid_at)
    order = await recording.keep(
        db,
        NewOrder(
            order_ref,
            order_id,
            basket,
            held.shares,
            ordered_at=held.held_at,
            paid_at=paid_at,
            fingerprint=same,
            hold_id=hold_id,
        ),
        found,
        spending=_spend(db, held, order_id, found.programme, paid_at=paid_at, now=now, actor=actor),
        now=now,
        actor=actor,
    )
    await db.execute(COMMITTED, [now, actor, order_ref, held.member_id, hold_id])
    return order


def _lines(lines: Sequence[BasketLine] | None, held: Hold) -> list[list[object]]:
    return canonical_lines(held.lines if lines is None else lines)


def _check_time(held: Hold, paid_at: datetime, *, now: datetime) -> None:
    recording.check_paid_at(paid_at, now=now)
    if paid_at < held.held_at - CLOCK_SLACK:
        raise OfflineBurning(
            "The order was paid before its points were held. A till without a connection takes "
            "money only: send such an order by POST /v1/orders, and cancel the hold."
        )


async def _check_lines(
    db: Db,
    lines: Sequence[BasketLine] | None,
    held: Hold,
    *,
    vault: Vault,
    now: datetime,
) -> None:
    """The goods must be those that the hold's discounts were made for."""
    if lines is None or tuple(lines) == held.lines:
        return
    other = Basket(held.member_id, held.sales_channel, tuple(lines), held.delivery_kopecks)
    found = await pricing.setting(db, other, at=now)
    fresh = await quotes.fresh(db, other, found, found.terms(other, now=now), vault=vault, now=now)
    raise PriceChanged(
        "The lines are not those that the points were held for. Cancel the hold, show the "
        "customer a quote of these lines and hold again.",
        extra={"quote": fresh.to_json()},
    )


async def _spend(
    db: Db,
    held: Hold,
    order_id: str,
    programme: Programme,
    *,
    paid_at: datetime,
    now: datetime,
    actor: str,
) -> Spent:
    counts = decide.counts_as_activity(programme, Activity.SPEND)
    inactive_at = decide.inactive_after(programme, max(paid_at, now), activity=Activity.SPEND)
    title = f"Оплата заказа {order_id}"
    proof = {
        "hold_id": str(held.hold_id),
        "sales_channel": held.sales_channel,
        "order_id": order_id,
    }
    command = ledger_model.Commit(
        member_id=held.member_id,
        op_key=f"commit:{held.hold_id}",
        occurred_at=paid_at,
        title=title,
        proof=proof,
        hold_id=held.hold_id,
        points=held.points,
        counts_as_activity=counts,
        inactive_at=inactive_at,
    )
    try:
        return await ledger.commit(db, command, now=now, actor=actor)
    except (ledger.HoldClosed, ledger.HoldMissing):
        # Our own row says the hold is open, so its time is over (perhaps in an account that was
        # merged since): the same points, if they are still free.
        redemption = ledger_model.Redemption(
            member_id=held.member_id,
            op_key=f"redeem:{held.hold_id}",
            occurred_at=paid_at,
            title=title,
            proof=proof,
            points=held.points,
            counts_as_activity=counts,
            inactive_at=inactive_at,
        )
    try:
        return await ledger.redeem(db, redemption, now=now, actor=actor)
    except ledger.InsufficientPoints as error:
        raise holding.expired(held) from error
