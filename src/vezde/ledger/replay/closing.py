"""Accounts closed, for good or into another one."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from vezde.ledger import model
from vezde.ledger.model import (
    CarriedDebt,
    CarriedLot,
    Closing,
    Command,
    Draft,
    EntryKind,
    Lot,
    Release,
    Taken,
)
from vezde.ledger.replay.accounts import Account, settle, write
from vezde.ledger.replay.moving import release


def merge(into: Account, gone: Account, *, now: datetime, actor: str) -> tuple[Account, Account]:
    """Both accounts, open before, after `gone` was closed and its lots opened in `into`."""
    at = max(now, into.updated_at, gone.updated_at)
    into, gone = settle(into, now=at), settle(gone, now=at)
    owed, activity = gone.standing.debt, (gone.last_activity_at, gone.standing.inactive_at)
    seq = len(gone.entries)
    closed = _closed(gone, model.closing(into.member_id, after_seq=seq), at=at, actor=actor)
    carried: list[CarriedLot | CarriedDebt] = [
        _carried(closed, taken) for debit_seq, taken in closed.allocs if debit_seq == seq + 1
    ]
    if owed:
        carried.append(CarriedDebt(gone.member_id, seq + 1, owed))
    ends = [one for one in (into.standing.inactive_at, activity[1]) if one is not None]
    into = replace(
        into,
        last_activity_at=max(into.last_activity_at, activity[0]),
        standing=replace(into.standing, inactive_at=max(ends, default=None)),
    )
    for one in carried:
        into = _opened(into, one, at=at, actor=actor)
    return settle(into, now=at, since=at), closed


def came(into: Account, gone: Account, *, parts: Collection[str]) -> list[Lot]:
    """The lots of `into` that came of `gone`, which was made of the accounts `parts`."""
    return [
        lot
        for lot in into.lots
        if into.proofs[lot.seq - 1].get("from", [""])[0] == str(gone.member_id)
        or into.proofs[lot.seq - 1].get("origin", [""])[0] in parts
    ]


def unmerge(
    into: Account, gone: Account, *, parts: Collection[str], now: datetime, actor: str
) -> tuple[Account, Account]:
    """Both accounts after `gone`, closed into `into`, was opened again with what is left of it.

    No open hold of `into` has points that `came` of `gone`.
    """
    assert gone.closed_at is not None, "the account was closed by a merge"
    close_seq = len(gone.entries)
    into = settle(into, now=max(now, gone.closed_at))
    at = max(now, gone.closed_at, into.updated_at)
    back = [lot for lot in came(into, gone, parts=parts) if lot.remaining]
    carried = into.ops.get(f"open:{gone.member_id}:{close_seq}")
    owed = min(-into.entries[carried[1] - 1].points, into.standing.debt) if carried else 0
    draft = model.parting(back, owed, gone.member_id, at=at)
    command = _command(into, f"unmerge:{gone.member_id}:{close_seq}", at, draft.title or "")
    fingerprint = model.hashed([command.op_key], draft.proof or "")
    done = write(into, command, fingerprint, [draft], at=at, actor=actor)
    assert done.seq is not None, "it was written"
    carry: list[CarriedLot | CarriedDebt] = [
        _carried(done.account, Taken(lot.seq, lot.remaining)) for lot in back
    ]
    if owed:
        carry.append(CarriedDebt(into.member_id, done.seq, owed))
    gone = replace(
        gone,
        closed_at=None,
        updated_at=max(at, gone.updated_at),
        standing=replace(gone.standing, inactive_at=into.standing.inactive_at),
    )
    for one in carry:
        gone = _opened(gone, one, at=at, actor=actor)
    return done.account, settle(gone, now=at, since=at)


def close(account: Account, *, now: datetime, actor: str) -> Account:
    """The account closed for good: holds released, nothing left in it, refusing everything."""
    account = settle(account, now=now)
    for hold in account.standing.holds:
        if hold.state is not model.State.OPEN:
            continue
        command = Release(
            member_id=account.member_id,
            op_key=f"forget:{hold.hold_id}",
            occurred_at=now,
            title="Бронь снята: счёт закрывается",
            hold_id=hold.hold_id,
        )
        account = release(account, command, now=now, actor=actor).account
    at = max(now, account.updated_at)
    closing = model.closing(None, after_seq=len(account.entries))
    return _closed(account, closing, at=at, actor=actor)


def _closed(account: Account, closing: Closing, *, at: datetime, actor: str) -> Account:
    standing = account.standing
    draft = Draft(
        *(EntryKind.CLOSE, standing.debt - standing.active - standing.pending, at),
        active=-standing.active,
        pending=-standing.pending,
        debt=-standing.debt,
        taken=tuple(Taken(lot.seq, lot.remaining) for lot in standing.lots if lot.remaining),
        title=closing.title,
        proof=closing.proof,
    )
    command = _command(account, closing.op_key, at, closing.title)
    account = write(account, command, closing.fingerprint, [draft], at=at, actor=actor).account
    return replace(account, closed_at=at, standing=replace(account.standing, inactive_at=None))


def _carried(closed: Account, taken: Taken) -> CarriedLot:
    lot = closed.standing.lot(taken.lot_seq)
    member_id, seq = closed.origin(lot.seq)
    return CarriedLot(
        from_member=closed.member_id,
        from_seq=lot.seq,
        points=taken.points,
        active_at=lot.active_at,
        expires_at=lot.expires_at,
        title=closed.entries[lot.seq - 1].title,
        origin_member=member_id,
        origin_seq=seq,
    )


def _opened(
    account: Account, carried: CarriedLot | CarriedDebt, *, at: datetime, actor: str
) -> Account:
    """Without what the entry makes due: that comes once all has come."""
    command = _command(account, carried.op_key, at, carried.title)
    draft = model.opening(carried, at=at)
    return write(
        account, command, carried.fingerprint, [draft], at=at, actor=actor, settles=False
    ).account


def _command(account: Account, op_key: str, at: datetime, title: str) -> Command:
    return Command(member_id=account.member_id, op_key=op_key, occurred_at=at, title=title)
