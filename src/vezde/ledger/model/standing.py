"""Where an account stands, and what one entry does to it: the core that replay and reads share."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from vezde.ledger.model.entries import EntryKind, HoldState, Lot, State, Taken


@dataclass(frozen=True)
class Standing:
    """The balances after entry `seq`, with the lots and holds they are made of.

    `inactive_at` is when inactivity ends points that have no date of their own.
    """

    seq: int = 0
    active: int = 0
    pending: int = 0
    held: int = 0
    debt: int = 0
    lots: tuple[Lot, ...] = ()
    holds: tuple[HoldState, ...] = ()
    inactive_at: datetime | None = None

    def lot(self, seq: int) -> Lot:
        return next(lot for lot in self.lots if lot.seq == seq)

    def hold(self, hold_id: UUID) -> HoldState | None:
        return next((hold for hold in self.holds if hold.hold_id == hold_id), None)


@dataclass(frozen=True)
class Life:
    """When points of a lot become active and end; the lot that an entry makes has these."""

    points: int
    active_at: datetime | None
    expires_at: datetime | None


@dataclass(frozen=True)
class Draft:
    """An entry that is decided but not yet written: what it changes.

    `taken` is by lot (negative: given back). `makes` is a lot of its own, `ripens` the pending lot
    made active with its instants from then on. `opens` and `closes` are holds. `proof` is JSON.
    `title` None: that of the entry it is about.
    """

    kind: EntryKind
    points: int
    occurred_at: datetime
    active: int = 0
    pending: int = 0
    held: int = 0
    debt: int = 0
    taken: tuple[Taken, ...] = ()
    makes: Life | None = None
    ripens: tuple[int, Life] | None = None
    opens: HoldState | None = None
    closes: tuple[UUID, State] | None = None
    about_seq: int | None = None
    title: str | None = None
    proof: str | None = None


def applied(standing: Standing, draft: Draft, *, at: datetime) -> Standing:
    """The standing after the entry, recorded `at`."""
    seq = standing.seq + 1
    lots = _taken(standing.lots, draft.taken)
    if draft.makes is not None:
        made = draft.makes
        pending = is_pending(made, at)
        lot = Lot(
            *(seq, made.points, made.points, made.active_at, made.expires_at),
            None if pending else seq,
        )
        lots = (*lots, lot)
    if draft.ripens is not None:
        lot_seq, life = draft.ripens
        lots = tuple(
            replace(lot, activated_seq=seq, active_at=life.active_at, expires_at=life.expires_at)
            if lot.seq == lot_seq
            else lot
            for lot in lots
        )
    return replace(
        standing,
        seq=seq,
        active=standing.active + draft.active,
        pending=standing.pending + draft.pending,
        held=standing.held + draft.held,
        debt=standing.debt + draft.debt,
        lots=lots,
        holds=_holds(standing.holds, draft, seq),
    )


def is_pending(life: Life, at: datetime) -> bool:
    """Whether points of this life are not active yet."""
    return life.active_at is None or life.active_at > at


def taking(lots: Iterable[Lot], points: int) -> tuple[Taken, ...]:
    """So many points out of the active ones of these lots, in use order; fewer when there are."""
    taken = []
    for lot in sorted(lots, key=lambda lot: lot.order):
        if points == 0:
            break
        if lot.activated_seq is not None and lot.remaining:
            taken.append(Taken(lot.seq, min(points, lot.remaining)))
            points -= taken[-1].points
    return tuple(taken)


def giving_back(taken: Sequence[Taken], points: int) -> tuple[Taken, ...]:
    """So many of the points taken (in use order), the last taken first; as negative amounts.

    What stays taken is what a debit of fewer points would have taken in the first place.
    """
    back = []
    for one in reversed(taken):
        if points == 0:
            break
        back.append(Taken(one.lot_seq, -min(points, one.points)))
        points += back[-1].points
    return tuple(back)


def less(taken: Sequence[Taken], back: Sequence[Taken]) -> tuple[Taken, ...]:
    """What stays taken when some of it (negative amounts) came back."""
    returned = {one.lot_seq: one.points for one in back}
    left = (Taken(one.lot_seq, one.points + returned.get(one.lot_seq, 0)) for one in taken)
    return tuple(one for one in left if one.points)


def _taken(lots: tuple[Lot, ...], taken: Sequence[Taken]) -> tuple[Lot, ...]:
    if not taken:
        return lots
    changed = {one.lot_seq: one.points for one in taken}
    return tuple(
        replace(lot, remaining=lot.remaining - changed[lot.seq]) if lot.seq in changed else lot
        for lot in lots
    )


def _holds(holds: tuple[HoldState, ...], draft: Draft, seq: int) -> tuple[HoldState, ...]:
    if draft.opens is not None:
        return (*holds, draft.opens)
    if draft.closes is None:
        return holds
    hold_id, state = draft.closes
    return tuple(
        replace(hold, state=state, closed_seq=seq) if hold.hold_id == hold_id else hold
        for hold in holds
    )
