"""Holds: points reserved for a basket, extended, given up."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, LiteralString
from uuid import UUID

from psycopg.types.json import Jsonb

from vezde.checkout import allocating, events, queries, quoting
from vezde.checkout.allocating import Payable
from vezde.checkout.model import Basket, BasketLine, HoldState, Share, canonical_lines, state_at
from vezde.checkout.operations import pricing, quotes
from vezde.checkout.operations.owning import owner
from vezde.checkout.operations.quotes import PriceChanged, QuoteExpired
from vezde.checkout.queries import Hold
from vezde.kit import db as kit_db
from vezde.kit import ids
from vezde.kit.db import Db
from vezde.kit.errors import DomainError, Kind
from vezde.kit.vault import Vault
from vezde.ledger import model as ledger_model
from vezde.ledger import operations as ledger
from vezde.outbox import operations as outbox

ADD: LiteralString = """
INSERT INTO checkout.hold (member_id, hold_id, sales_channel, points, point_value_kopecks,
    pay_kopecks, lines, state, held_at, expires_at, held_by)
VALUES (%s, %s, %s, %s, %s, %s, %s, 'open', %s, %s, %s)
"""
EXTEND: LiteralString = """
UPDATE checkout.hold SET expires_at = %s WHERE member_id = %s AND hold_id = %s
"""
CANCEL: LiteralString = """
UPDATE checkout.hold SET state = 'cancelled', ended_at = %s, ended_by = %s
WHERE member_id = %s AND hold_id = %s
"""

# Held points outlive the date of their lots, so a hold may not be extended for ever.
MOST_HELD = timedelta(days=30)


class PointsNotAllowed(DomainError):
    """More, or fewer, points than the programme lets pay for this order; `extra` has both ends."""

    code = "points_not_allowed"
    kind = Kind.REFUSED


class HoldClosed(DomainError):
    """The hold was committed or cancelled before; `state` tells which."""

    code = "hold_closed"
    kind = Kind.CONFLICT


class HoldExpired(DomainError):
    """The hold's time is over and its points are not free any more."""

    code = "hold_expired"
    kind = Kind.CONFLICT


class HoldTooLong(DomainError):
    """Points are held for 30 days at most."""

    code = "hold_too_long"
    kind = Kind.REFUSED


async def hold(
    db: Db,
    quote_id: str,
    lines: Sequence[BasketLine],
    *,
    points: int,
    ttl: timedelta,
    vault: Vault,
    now: datetime,
    actor: str,
) -> Hold:
    """Reserve points for a quoted basket, sent again, and say what is left to pay of each line.

    Raises `BadQuote`, `QuoteExpired` and `PriceChanged` (with a fresh quote), `PointsNotAllowed`,
    the ledger's `InsufficientPoints`, and what `quote` raises.
    """
    token = quoting.unseal(quote_id, vault=vault)
    basket = Basket(token.member_id, token.sales_channel, tuple(lines), token.delivery_kopecks)
    _, found = await kit_db.together(
        db, owner(db, basket.member_id, exactly=True), pricing.setting(db, basket, at=now)
    )
    terms = found.terms(basket, now=now)
    same = token.lines == quoting.lines_digest(basket) and token.terms == terms.digest
    if not same or token.expires_at <= now:
        fresh = await quotes.fresh(db, basket, found, terms, vault=vault, now=now)
        raise _stale(fresh, same=same)
    _check_points(points, terms.payable)
    made = _made(basket, terms.payable, points, ttl=ttl, now=now)
    await ledger.hold(db, _ledger_hold(made), now=now, actor=actor)
    await db.execute(ADD, _row(made, actor))
    fact = events.held(
        made.member_id, made.hold_id, points=points, channel=made.sales_channel, now=now
    )
    await outbox.record(db, [fact])
    return made


async def extend(
    db: Db, member_id: UUID, hold_id: UUID, *, ttl: timedelta, now: datetime, actor: str
) -> Hold:
    """Let a hold last until `ttl` from now; one that lasts longer already stays as it is.

    Raises `HoldMissing`, `HoldClosed`, `HoldExpired`, `HoldTooLong`.
    """
    found = await locked(db, member_id, hold_id)
    check_open(found)
    if now + ttl > found.held_at + MOST_HELD:
        raise HoldTooLong("Points are held for 30 days at most; ask for a shorter time.")
    try:
        state = await ledger.extend(
            db, found.member_id, hold_id, expires_at=now + ttl, now=now, actor=actor
        )
    except (ledger.HoldClosed, ledger.HoldMissing) as error:
        raise expired(found) from error
    await db.execute(EXTEND, [state.expires_at, found.member_id, hold_id])
    return await queries.hold(db, found.member_id, hold_id)


async def cancel(db: Db, member_id: UUID, hold_id: UUID, *, now: datetime, actor: str) -> Hold:
    """Give up a hold: its points are free. Done before, or its time over: the same answer.

    Raises `HoldMissing`, and `HoldClosed` when the hold was committed.
    """
    found = await locked(db, member_id, hold_id)
    if found.state is HoldState.CANCELLED:
        return found
    check_open(found)
    release = ledger_model.Release(
        member_id=found.member_id,
        op_key=f"release:{hold_id}",
        occurred_at=now,
        title="Баллы снова свободны",
        hold_id=hold_id,
    )
    # When its time is over before, the points are free already.
    with suppress(ledger.HoldClosed, ledger.HoldMissing):
        await ledger.release(db, release, now=now, actor=actor)
        fact = events.released(found.member_id, hold_id, points=found.points, now=now)
        await outbox.record(db, [fact])
    await db.execute(CANCEL, [now, actor, found.member_id, hold_id])
    return await queries.hold(db, found.member_id, hold_id)


async def locked(db: Db, member_id: UUID, hold_id: UUID) -> Hold:
    """The hold, nobody else's to change until the transaction ends; whose it is now, too."""
    whose, mine = await kit_db.together(
        db, owner(db, member_id), queries.find_hold(db, member_id, hold_id, lock=True)
    )
    if whose == member_id and mine is not None:
        found: Hold = mine
        return found
    return await queries.hold(db, whose, hold_id, lock=True)


def check_open(found: Hold) -> None:
    """Raises `HoldClosed`; a hold whose time is over counts as open: its points may be free."""
    if found.state is not HoldState.OPEN:
        raise HoldClosed(
            f"The hold is {found.state} already; nothing was changed.",
            extra={"state": str(found.state)},
        )


def expired(found: Hold) -> HoldExpired:
    """The refusal of a hold that is over, to be raised."""
    return HoldExpired(
        f"The hold of {found.points} points is over and they are not free any more. "
        "Ask for a new quote and hold again."
    )


def shown_state(found: Hold, now: datetime) -> HoldState:
    """The state at an instant."""
    return state_at(found.state, found.expires_at, now)


def _stale(fresh: quotes.Quote, *, same: bool) -> DomainError:
    if same:
        detail = "The quote is too old. Show the customer the fresh one and hold by it."
        return QuoteExpired(detail, extra={"quote": fresh.to_json()})
    return PriceChanged(
        "The lines are not those of the quote, or points pay otherwise by now. Show the customer "
        "the fresh quote and hold by it.",
        extra={"quote": fresh.to_json()},
    )


def _check_points(points: int, payable: Payable) -> None:
    least, most = payable.min_points, payable.most_points
    if not least <= points <= most:
        said = f"{least} to {most} points" if most else "no points"
        raise PointsNotAllowed(
            f"This order can be paid with {said}, not with {points}.",
            extra={"min_points": least, "max_points": most},
        )


def _made(basket: Basket, payable: Payable, points: int, *, ttl: timedelta, now: datetime) -> Hold:
    shares = allocating.split(payable, points, basket.lines)
    return Hold(
        member_id=basket.member_id,
        hold_id=ids.new(),
        sales_channel=basket.sales_channel,
        points=points,
        point_value_kopecks=payable.value_kopecks,
        pay_kopecks=sum(share.pay_kopecks for share in shares),
        lines=basket.lines,
        delivery_kopecks=basket.delivery_kopecks,
        shares=tuple(shares),
        state=HoldState.OPEN,
        held_at=now,
        expires_at=now + ttl,
        order_ref=None,
    )


def _ledger_hold(made: Hold) -> ledger_model.Hold:
    return ledger_model.Hold(
        member_id=made.member_id,
        op_key=f"hold:{made.hold_id}",
        occurred_at=made.held_at,
        title="Баллы отложены для заказа",
        proof={"hold_id": str(made.hold_id), "sales_channel": made.sales_channel},
        hold_id=made.hold_id,
        points=made.points,
        expires_at=made.expires_at,
    )


def _row(made: Hold, actor: str) -> list[Any]:
    return [
        made.member_id,
        made.hold_id,
        made.sales_channel,
        made.points,
        made.point_value_kopecks,
        made.pay_kopecks,
        Jsonb(_lines(made)),
        made.held_at,
        made.expires_at,
        actor,
    ]


def _lines(made: Hold) -> list[list[Any]]:
    """As `queries` reads them back; the delivery is line 0."""
    delivery = [0, "", 0, made.delivery_kopecks, 0, False, False]
    plain = [*canonical_lines(made.lines), delivery]
    return [[*line, *_share(share)] for line, share in zip(plain, made.shares, strict=True)]


def _share(share: Share) -> list[int]:
    return [share.points, share.discount_kopecks, share.pay_kopecks]
