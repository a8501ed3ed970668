"""The same ledger as a pure fold: the same commands give the same entries, without a database.

The backtest runs on it, and the tests hold the real one against it after every step. An account
is a value; every command answers the next one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from vezde.kit.money import MAX_BIGINT
from vezde.ledger import model
from vezde.ledger.model import Accrual, CarriedLot, Entry, EntryKind, Lot, Points, Taken


@dataclass(frozen=True)
class Account:
    """All that one member has in the ledger.

    `ops` are fingerprint and first seq by key; `allocs` what each debit (seq) took from its lots;
    `origins` the accrual of another account that a lot (seq) once was.
    """

    member_id: UUID
    updated_at: datetime
    last_activity_at: datetime
    entries: tuple[Entry, ...] = ()
    lots: tuple[Lot, ...] = ()
    ops: Mapping[str, tuple[bytes, int]] = field(default_factory=dict)
    active: int = 0
    pending: int = 0
    held: int = 0
    debt: int = 0
    closed_at: datetime | None = None
    allocs: tuple[tuple[int, Taken], ...] = ()
    origins: Mapping[int, tuple[UUID, int]] = field(default_factory=dict)


class Accrued(NamedTuple):
    """The account after the command, the outcome's name as the database gives it, the seq."""

    account: Account
    outcome: str
    seq: int | None


def opened(member_id: UUID, *, now: datetime) -> Account:
    return Account(member_id, updated_at=now, last_activity_at=now)


def accrue(account: Account, accrual: Accrual, *, now: datetime, actor: str) -> Accrued:
    """One accrual, already checked by `model.fault`."""
    fingerprint = model.fingerprint(accrual, model.proof_json(accrual))
    if known := account.ops.get(accrual.op_key):
        same = known[0] == fingerprint
        return (
            Accrued(account, "repeated", known[1]) if same else Accrued(account, "conflict", None)
        )
    if account.closed_at is not None:
        return Accrued(account, "closed", None)
    if accrual.points > MAX_BIGINT - account.active - account.pending - account.held:
        return Accrued(account, "overflow", None)
    at = max(now, account.updated_at)
    account = activate(account, now=at)
    pending = accrual.active_at > at
    seq = len(account.entries) + 1
    lot = Lot(
        seq,
        accrual.points,
        accrual.points,
        accrual.active_at,
        accrual.expires_at,
        None if pending else seq,
    )
    account = replace(
        account,
        active=account.active + (0 if pending else accrual.points),
        pending=account.pending + (accrual.points if pending else 0),
        lots=(*account.lots, lot),
        ops={**account.ops, accrual.op_key: (fingerprint, seq)},
        last_activity_at=max(account.last_activity_at, accrual.occurred_at),
    )
    account = _written(
        account,
        EntryKind.ACCRUE,
        accrual.points,
        occurred_at=accrual.occurred_at,
        recorded_at=at,
        title=accrual.title,
        actor=actor,
        op_key=accrual.op_key,
    )
    return Accrued(account, "done", seq)


def activate(account: Account, *, now: datetime) -> Account:
    """Make active what is due by `now`, soonest first."""
    at = max(now, account.updated_at)
    ripe = [
        lot
        for lot in account.lots
        if lot.remaining and lot.activated_seq is None and lot.active_at <= at
    ]
    for lot in sorted(ripe, key=lambda lot: (lot.active_at, lot.seq)):
        account = _activated(account, lot, at)
    return account


def merge(into: Account, gone: Account, *, now: datetime, actor: str) -> tuple[Account, Account]:
    """Both accounts, open before, after `gone` was closed and its lots opened in `into`."""
    at = max(now, into.updated_at, gone.updated_at)
    command = model.closing(into.member_id)
    closed = close(gone, command.title, command.op_key, command.fingerprint, now=at, actor=actor)
    into = activate(into, now=at)
    for seq, taken in closed.allocs:
        if seq == len(closed.entries):
            into = _open_lot(into, _carried(closed, taken), at=at, actor=actor)
    last = max(into.last_activity_at, closed.last_activity_at)
    return replace(into, last_activity_at=last), closed


def close(
    account: Account, title: str, op_key: str, fingerprint: bytes, *, now: datetime, actor: str
) -> Account:
    """The account with nothing left in it, refusing everything from now on."""
    at = max(now, account.updated_at)
    account = activate(account, now=at)
    seq = len(account.entries) + 1
    left = tuple((seq, Taken(lot.seq, lot.remaining)) for lot in account.lots if lot.remaining)
    points = account.debt - account.active - account.pending
    account = replace(
        account,
        active=0,
        pending=0,
        debt=0,
        lots=tuple(replace(lot, remaining=0) for lot in account.lots),
        ops={**account.ops, op_key: (fingerprint, seq)},
        allocs=(*account.allocs, *left),
        closed_at=at,
    )
    return _written(
        account,
        EntryKind.CLOSE,
        points,
        occurred_at=at,
        recorded_at=at,
        title=title,
        actor=actor,
        op_key=op_key,
    )


def points(account: Account, *, as_of: datetime) -> Points:
    """The balances as known at `as_of`, from the entries by then alone."""
    known = [entry for entry in account.entries if entry.recorded_at <= as_of]
    seq = len(known)
    later: dict[int, int] = {}
    for debit_seq, taken in account.allocs:
        if debit_seq > seq:
            later[taken.lot_seq] = later.get(taken.lot_seq, 0) + taken.points
    lots = [
        replace(
            lot,
            remaining=lot.remaining + later.get(lot.seq, 0),
            activated_seq=lot.activated_seq if (lot.activated_seq or 0) <= seq else None,
        )
        for lot in account.lots
        if lot.seq <= seq
    ]
    return model.points_at(known[-1] if known else None, lots, as_of)


def _carried(closed: Account, taken: Taken) -> CarriedLot:
    lot = closed.lots[[each.seq for each in closed.lots].index(taken.lot_seq)]
    member_id, seq = closed.origins.get(lot.seq, (closed.member_id, lot.seq))
    return CarriedLot(
        from_member=closed.member_id,
        from_seq=lot.seq,
        points=taken.points,
        active_at=lot.active_at,
        expires_at=lot.expires_at,
        use_order=lot.expires_at or model.NEVER,
        title=closed.entries[lot.seq - 1].title,
        origin_member=member_id,
        origin_seq=seq,
    )


def _open_lot(account: Account, carried: CarriedLot, *, at: datetime, actor: str) -> Account:
    pending = carried.active_at > at
    seq = len(account.entries) + 1
    lot = Lot(
        seq,
        carried.points,
        carried.points,
        carried.active_at,
        carried.expires_at,
        None if pending else seq,
    )
    account = replace(
        account,
        active=account.active + (0 if pending else carried.points),
        pending=account.pending + (carried.points if pending else 0),
        lots=(*account.lots, lot),
        ops={**account.ops, carried.op_key: (carried.fingerprint, seq)},
        origins={**account.origins, seq: (carried.origin_member, carried.origin_seq)},
    )
    return _written(
        account,
        EntryKind.OPEN,
        carried.points,
        occurred_at=at,
        recorded_at=at,
        title=carried.title,
        actor=actor,
        op_key=carried.op_key,
    )


def _activated(account: Account, lot: Lot, at: datetime) -> Account:
    seq = len(account.entries) + 1
    account = replace(
        account,
        active=account.active + lot.remaining,
        pending=account.pending - lot.remaining,
        lots=tuple(
            replace(each, activated_seq=seq) if each.seq == lot.seq else each
            for each in account.lots
        ),
    )
    return _written(
        account,
        EntryKind.ACTIVATE,
        lot.remaining,
        occurred_at=lot.active_at,
        recorded_at=at,
        title=account.entries[lot.seq - 1].title,
        actor="system",
        lot_seq=lot.seq,
    )


def _written(
    account: Account,
    kind: EntryKind,
    points: int,
    *,
    occurred_at: datetime,
    recorded_at: datetime,
    title: str,
    actor: str,
    op_key: str | None = None,
    lot_seq: int | None = None,
) -> Account:
    entry = Entry(
        account.member_id,
        len(account.entries) + 1,
        kind,
        points,
        account.active,
        account.pending,
        account.held,
        account.debt,
        occurred_at,
        recorded_at,
        title,
        actor,
        op_key,
        lot_seq,
    )
    return replace(account, entries=(*account.entries, entry), updated_at=recorded_at)
