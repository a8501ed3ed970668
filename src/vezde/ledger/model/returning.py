"""Points taken back and given back: who loses and who gets how many, decided without a database."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from vezde.kit.money import MAX_BIGINT
from vezde.ledger.model.commands import (
    Debt,
    DebtPolicy,
    Restoration,
    Reversal,
    canonical,
    proof_json,
)
from vezde.ledger.model.entries import EntryKind, Lot, Part, Taken
from vezde.ledger.model.standing import Draft, Life, Standing, taking

Place = tuple[UUID, int]  # an entry or a lot: whose account, its seq


@dataclass(frozen=True)
class Accrued:
    """An accrual as it is now: what it gave, what was taken back before, where its points lie.

    `parts` are those left of it by (line, rule); empty when it had none. `own` are lots that have
    its points, here or brought here by a merge.
    """

    place: Place
    points: int
    reversed: int
    parts: Mapping[tuple[int, str], int]
    own: tuple[Lot, ...]


@dataclass(frozen=True)
class Debited:
    """A redemption or commit as it is now: what it took and what was given back of it.

    `lots` are what stays taken, in use order, each with the lot it was taken from; `here` tells
    whether that lot is of this account, `origin` which accrual the lot stems from.
    """

    place: Place
    points: int
    restored: int
    lots: tuple["Source", ...]


@dataclass(frozen=True)
class Source:
    """Points that a debit took from one lot and still has."""

    place: Place
    points: int
    active_at: datetime
    expires_at: datetime | None
    here: bool
    origin: Place


@dataclass(frozen=True)
class Split:
    """What a reversal takes from where; the four add up to its points."""

    own: tuple[Taken, ...]
    others: tuple[Taken, ...]
    debt: int
    forgiven: int


def returned_so_far(earned: int, returned: int, sold: int) -> int:
    """Points of a line to have been taken back once `returned` of `sold` came back.

    Rounded once over all returns so far, half up, so that the parts always add up:
    each return takes this less what the returns before it took.
    """
    return min((2 * earned * returned + sold) // (2 * sold), earned)


def over_returned(accrued: Accrued, command: Reversal) -> bool:
    """Whether more would be taken back than was given, of the whole or of a line."""
    if command.points > accrued.points - accrued.reversed:
        return True
    if not accrued.parts:
        return False
    asked: dict[tuple[int, str], int] = {}
    for part in command.parts:
        asked[part.line, part.rule] = asked.get((part.line, part.rule), 0) + part.points
    return any(points > accrued.parts.get(line, 0) for line, points in asked.items())


def parts_left(
    parts: Sequence[Part], before: Sequence[Sequence[Part]]
) -> dict[tuple[int, str], int]:
    """What is left of an accrual's parts after these reversals, by (line, rule)."""
    left: dict[tuple[int, str], int] = {}
    for part in parts:
        left[part.line, part.rule] = left.get((part.line, part.rule), 0) + part.points
    for one in before:
        for part in one:
            left[part.line, part.rule] = left.get((part.line, part.rule), 0) - part.points
    return left


def split(standing: Standing, own: Sequence[Lot], points: int, debt: Debt) -> Split:
    """From its own lots first, then from other active ones, then owed or forgiven.

    Held points are left alone: an order is under way.
    """
    from_own, left = [], points
    for lot in sorted(own, key=lambda lot: lot.order):
        taken = min(left, lot.remaining)
        if taken:
            from_own.append(Taken(lot.seq, taken))
            left -= taken
    mine = {lot.seq for lot in own}
    others = taking([lot for lot in standing.lots if lot.seq not in mine], left)
    left -= sum(one.points for one in others)
    owed = 0
    if debt.policy is DebtPolicy.DEBT:
        room = left if debt.limit is None else max(debt.limit - standing.debt, 0)
        owed = min(left, room)
    return Split(tuple(from_own), others, owed, left - owed)


def reversal(standing: Standing, accrued: Accrued, command: Reversal, shares: Split) -> Draft:
    """The entry of a reversal; its proof says what was forgiven, and whose accrual if not ours."""
    pending = {lot.seq for lot in standing.lots if lot.activated_seq is None}
    taken = (*shares.own, *shares.others)
    from_pending = sum(one.points for one in taken if one.lot_seq in pending)
    whole = sum(one.points for one in taken)
    told = {**json.loads(proof_json(command)), **_about(accrued.place, command.member_id)}
    if shares.forgiven:
        told["forgiven"] = shares.forgiven
    return Draft(
        EntryKind.REVERSE,
        -whole - shares.debt,
        command.occurred_at,
        active=from_pending - whole,
        pending=-from_pending,
        debt=shares.debt,
        taken=taken,
        about_seq=accrued.place[1] if accrued.place[0] == command.member_id else None,
        title=command.title,
        proof=canonical(told),
    )


def restoration(debited: Debited, command: Restoration, *, at: datetime) -> list[Draft]:
    """The entries that give points back, the last taken first.

    To the lots they came from by one entry. A lot of an account merged into this one, or one
    whose date has passed and that is granted a grace, comes as a lot of its own.
    """
    about = debited.place[1] if debited.place[0] == command.member_id else None
    told = {**command.proof, **_about(debited.place, command.member_id)}
    grace = command.grace_until if command.grace_until and command.grace_until > at else None
    left = command.points
    back: list[Taken] = []
    own: list[tuple[Source, Life]] = []
    for source in reversed(debited.lots):
        points = min(left, source.points)
        left -= points
        if not points:
            break
        over = source.expires_at is not None and source.expires_at <= at
        if source.here and not (over and grace):
            back.append(Taken(source.place[1], -points))
        else:
            ends_at = grace if over and grace else source.expires_at
            own.append((source, Life(points, min(source.active_at, at), ends_at)))
    drafts = []
    if back:
        points = -sum(one.points for one in back)
        drafts.append(
            Draft(
                *(EntryKind.RESTORE, points, command.occurred_at),
                active=points,
                taken=tuple(back),
                about_seq=about,
                title=command.title,
                proof=canonical(told),
            )
        )
    for source, life in own:
        places = {"from": _named(source.place), "origin": _named(source.origin)}
        drafts.append(
            Draft(
                *(EntryKind.RESTORE, life.points, command.occurred_at),
                active=life.points,
                makes=life,
                about_seq=about,
                title=command.title,
                proof=canonical({**told, **places}),
            )
        )
    return drafts


def room(standing: Standing) -> int:
    """How many points more the account can count."""
    return MAX_BIGINT - standing.active - standing.pending - standing.held


def _about(place: Place, member_id: UUID) -> dict[str, Any]:
    """In the proof, where `about_seq` would name another account's entry."""
    return {} if place[0] == member_id else {"about": _named(place)}


def _named(place: Place) -> list[Any]:
    return [str(place[0]), place[1]]
