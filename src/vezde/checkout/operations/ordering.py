"""An order that was paid in money alone is recorded and earns; late ones as of their own time."""

from datetime import datetime
from uuid import UUID

from vezde.checkout import allocating, quoting
from vezde.checkout.model import Basket, canonical_lines, fingerprint
from vezde.checkout.operations import pricing, recording
from vezde.checkout.operations.owning import owner
from vezde.checkout.operations.recording import NewOrder
from vezde.checkout.queries import Order
from vezde.kit import ids
from vezde.kit.db import Db
from vezde.kit.vault import Vault
from vezde.members import queries as members


async def buyer(db: Db, quote_id: str, sales_channel: str, *, vault: Vault) -> UUID:
    """Whom a quote was made for, or whom they were merged into.

    An order in money alone spends nothing, so neither the quote's age nor its prices matter. Raises
    `BadQuote`, also for a quote of another channel.
    """
    token = quoting.unseal(quote_id, vault=vault)
    if token.sales_channel != sales_channel:
        raise quoting.BadQuote(
            f"The quote is of sales_channel {token.sales_channel}; send the order with that one."
        )
    return await members.surviving(db, token.member_id)


async def record(
    db: Db,
    order_id: str,
    basket: Basket,
    *,
    paid_kopecks: int,
    ordered_at: datetime,
    paid_at: datetime,
    now: datetime,
    actor: str,
) -> Order:
    """Record an order without points; the same again answers the first result.

    It is priced by the version of `paid_at`, however late it comes. Raises `OrderExists`,
    `PaidInFuture`, `UnknownChannel`, `NoProgramme`, `MemberNotFound`, `MemberMerged`,
    `MemberClosed`.
    """
    await owner(db, basket.member_id, exactly=True)
    order_ref = ids.new()
    same = fingerprint(
        "order",
        canonical_lines(basket.lines),
        basket.delivery_kopecks,
        paid_kopecks,
        ordered_at.timestamp(),
        paid_at.timestamp(),
    )
    known = await recording.known(
        db,
        basket.sales_channel,
        order_id,
        member_id=basket.member_id,
        order_ref=order_ref,
        same=same,
    )
    if known is not None:
        return known
    recording.check_paid_at(paid_at, now=now)
    found = await pricing.setting(db, basket, at=paid_at)
    shares = allocating.paid(basket, paid_kopecks)
    new = NewOrder(order_ref, order_id, basket, shares, ordered_at, paid_at, fingerprint=same)
    return await recording.keep(db, new, found, now=now, actor=actor)
