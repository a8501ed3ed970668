"""What time does by itself, and the balances at an instant. `ledger.advance` is the same in SQL."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from vezde.ledger.model.commands import Activation
from vezde.ledger.model.entries import (
    EXPIRED_TITLE,
    REPAID_TITLE,
    EntryKind,
    HoldState,
    Lot,
    NextExpiry,
    Points,
    State,
    Taken,
)
from vezde.ledger.model.standing import Draft, Life, Standing, applied, taking


class _Due(NamedTuple):
    """The next thing to happen by itself; at one instant they go by turn, then by seq."""

    at: datetime
    turn: int
    seq: int


_ACTIVE, _HOLD, _EXPIRY, _IDLE = 1, 2, 3, 4


def elapsed(
    standing: Standing, *, until: datetime, at: datetime, since: datetime | None = None
) -> tuple[Standing, tuple[Draft, ...]]:
    """The standing once everything due by `until` is written (recorded `at`), and those entries.

    Pending lots become active, holds end, lots expire, inactivity ends points, in the order of
    their instants; what comes back goes against a debt first. Nothing happens before `since`:
    points that came back after their date go when they came back.
    """
    drafts: list[Draft] = []
    moment = since
    while True:
        due = min(_dues(standing), default=None)
        if standing.debt and standing.active and (due is None or _after(due.at, moment)):
            assert moment is not None, "points became active at some instant"
            draft = _repaid(standing, moment)
        elif due is None or due.at > until:
            return standing, tuple(drafts)
        else:
            moment = due.at if moment is None else max(moment, due.at)
            if due.turn == _IDLE:
                standing = replace(standing, inactive_at=None)
                if not any(_is_idle(lot) for lot in standing.lots):
                    continue
            draft = _happening(standing, due, moment)
        standing = applied(standing, draft, at=at)
        drafts.append(draft)


def next_due(standing: Standing) -> datetime | None:
    """When something happens by itself; None: never."""
    return min(_dues(standing), default=_Due(None, 0, 0)).at  # type: ignore[arg-type]


def points_at(standing: Standing, at: datetime) -> Points:
    """The balances at an instant: what is written, plus what time has done since."""
    now, _ = elapsed(standing, until=at, at=at)
    return Points(
        now.active, now.pending, now.held, now.debt, next_expiry(now.lots, at, now.inactive_at)
    )


def next_expiry(
    lots: Sequence[Lot], as_of: datetime, inactive_at: datetime | None = None
) -> NextExpiry | None:
    """The earliest instant after `as_of` at which lots expire, and their points together."""
    ahead: dict[datetime, int] = {}
    for lot in lots:
        ends_at = lot.expires_at
        if ends_at is None and lot.activated_seq is not None:
            ends_at = inactive_at
        if lot.remaining and ends_at is not None and ends_at > as_of:
            ahead[ends_at] = ahead.get(ends_at, 0) + lot.remaining
    first = min(ahead, default=None)
    return None if first is None else NextExpiry(ahead[first], first)


def _after(at: datetime, moment: datetime | None) -> bool:
    return moment is None or at > moment


def _dues(standing: Standing) -> Iterator[_Due]:
    for lot in standing.lots:
        if not lot.remaining:
            continue
        if lot.activated_seq is None and lot.active_at is not None:
            yield _Due(lot.active_at, _ACTIVE, lot.seq)
        if lot.expires_at is not None:
            yield _Due(lot.expires_at, _EXPIRY, 0)
    for hold in standing.holds:
        if hold.state is State.OPEN:
            yield _Due(hold.expires_at, _HOLD, hold.seq)
    # An order under way is no inactivity.
    if standing.inactive_at is not None and not standing.held:
        yield _Due(standing.inactive_at, _IDLE, 0)


def _happening(standing: Standing, due: _Due, moment: datetime) -> Draft:
    if due.turn == _ACTIVE:
        return ripened(standing.lot(due.seq), due.at)
    if due.turn == _HOLD:
        hold = next(hold for hold in standing.holds if hold.seq == due.seq)
        return released(hold, hold.points, hold.lots, State.EXPIRED, occurred_at=hold.expires_at)
    if due.turn == _EXPIRY:
        over = [lot for lot in standing.lots if lot.expires_at and lot.expires_at <= moment]
    else:
        over = [lot for lot in standing.lots if _is_idle(lot)]
    return _expired([lot for lot in over if lot.remaining], moment)


def _is_idle(lot: Lot) -> bool:
    """Whether inactivity ends what is left of the lot."""
    return lot.remaining > 0 and lot.expires_at is None and lot.activated_seq is not None


def ripened(lot: Lot, occurred_at: datetime, expires_at: datetime | None = None) -> Draft:
    """A pending lot becomes active; `expires_at` is its end where it had none."""
    life = Life(lot.points, occurred_at, lot.expires_at or expires_at)
    return Draft(
        EntryKind.ACTIVATE,
        lot.remaining,
        occurred_at,
        active=lot.remaining,
        pending=-lot.remaining,
        ripens=(lot.seq, life),
    )


def activation(lot: Lot, command: Activation, proof: str) -> Draft:
    """An event makes a pending lot active."""
    draft = ripened(lot, command.occurred_at, command.expires_at)
    return replace(draft, title=command.title, proof=proof)


def released(
    hold: HoldState,
    points: int,
    back: Sequence[Taken],
    state: State | None,
    *,
    occurred_at: datetime,
    title: str | None = None,
    proof: str | None = None,
) -> Draft:
    """Points of a hold go back to the lots `back` that they came from (as taken, positive)."""
    return Draft(
        EntryKind.RELEASE,
        points,
        occurred_at,
        active=points,
        held=-points,
        taken=tuple(Taken(one.lot_seq, -one.points) for one in back),
        closes=None if state is None else (hold.hold_id, state),
        about_seq=hold.seq,
        title=title,
        proof=proof,
    )


def _expired(lots: Sequence[Lot], moment: datetime) -> Draft:
    active = sum(lot.remaining for lot in lots if lot.activated_seq is not None)
    pending = sum(lot.remaining for lot in lots if lot.activated_seq is None)
    return Draft(
        EntryKind.EXPIRE,
        -active - pending,
        moment,
        active=-active,
        pending=-pending,
        taken=tuple(Taken(lot.seq, lot.remaining) for lot in lots),
        title=EXPIRED_TITLE,
    )


def _repaid(standing: Standing, moment: datetime) -> Draft:
    points = min(standing.debt, standing.active)
    return Draft(
        EntryKind.REPAY,
        -points,
        moment,
        active=-points,
        debt=-points,
        taken=taking(standing.lots, points),
        title=REPAID_TITLE,
    )
