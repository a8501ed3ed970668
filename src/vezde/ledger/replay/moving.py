"""Points given, spent, held: the commands that concern one account alone."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from vezde.ledger import model
from vezde.ledger.model import (
    Accrual,
    Activation,
    Adjustment,
    Command,
    Commit,
    Draft,
    EntryKind,
    Hold,
    HoldState,
    Life,
    Redemption,
    Release,
    State,
    Taken,
)
from vezde.ledger.replay.accounts import Account, Done, begun, settle, write


def accrue(account: Account, accrual: Accrual, *, now: datetime, actor: str) -> Done:
    """One accrual, already checked by `model.fault`."""
    proof = model.proof_json(accrual)
    fingerprint = model.fingerprint(accrual, proof)
    known = account.ops.get(accrual.op_key)
    room = model.room(account.standing)
    if known is None and account.closed_at is None and accrual.points > room:
        return Done(account, "overflow")
    account, at, done = begun(account, accrual.op_key, fingerprint, now=now)
    if done is not None:
        return done
    life = Life(accrual.points, accrual.active_at, accrual.expires_at)
    pending = model.is_pending(life, at)
    draft = Draft(
        *(accrual.kind, accrual.points, accrual.occurred_at),
        active=0 if pending else accrual.points,
        pending=accrual.points if pending else 0,
        makes=life,
        title=accrual.title,
        proof=proof,
    )
    ends_at = account.standing.inactive_at
    if accrual.counts_as_activity:
        account = _active(account, accrual.occurred_at, accrual.inactive_at)
    elif ends_at is None or ends_at <= at:
        standing = replace(account.standing, inactive_at=accrual.inactive_at)
        account = replace(account, standing=standing)
    command = Command(
        member_id=accrual.member_id,
        op_key=accrual.op_key,
        occurred_at=accrual.occurred_at,
        title=accrual.title,
    )
    return write(account, command, fingerprint, [draft], at=at, actor=actor)


def activate(account: Account, command: Activation, *, now: datetime, actor: str) -> Done:
    """An event makes a pending lot active."""
    proof = model.proof_json(command)
    fingerprint = model.fingerprint(command, proof)
    account, at, done = begun(account, command.op_key, fingerprint, now=now)
    if done is not None:
        return done
    for lot in account.lots:
        if lot.seq == command.accrual_seq and lot.activated_seq is None and lot.remaining:
            draft = model.activation(lot, command, proof)
            return write(account, command, fingerprint, [draft], at=at, actor=actor)
    return Done(account, "not_pending")


def redeem(account: Account, command: Redemption, *, now: datetime, actor: str) -> Done:
    """Active points spent at once."""
    done = _spend(account, command, EntryKind.REDEEM, command.points, now=now, actor=actor)
    if done.outcome != "done" or not command.counts_as_activity:
        return done
    return done._replace(account=_active(done.account, command.occurred_at, command.inactive_at))


def adjust(account: Account, command: Adjustment, *, now: datetime, actor: str) -> Done:
    """An operator gives or takes points."""
    if command.points < 0:
        return _spend(account, command, EntryKind.ADJUST, -command.points, now=now, actor=actor)
    return accrue(account, model.credit(command), now=now, actor=actor)


def hold(account: Account, command: Hold, *, now: datetime, actor: str) -> Done:
    """Active points reserved."""
    known = account.ops.get(command.op_key)
    if known is None and account.closed_at is None and account.standing.hold(command.hold_id):
        return Done(account, "hold_taken")
    return _spend(account, command, EntryKind.HOLD, command.points, now=now, actor=actor)


def extend(
    account: Account,
    hold_id: UUID,
    *,
    expires_at: datetime,
    now: datetime,
    held_outlives_lot: bool = True,
) -> Done:
    """A hold lasts longer."""
    if account.closed_at is not None:
        return Done(account, "closed")
    account = settle(account, now=now)
    held = account.standing.hold(hold_id)
    if held is None or held.state is not State.OPEN:
        return Done(account, "hold_missing" if held is None else f"hold_{held.state}")
    if not held_outlives_lot:
        expires_at = _before_lots(account, held.lots, expires_at)
    holds = tuple(
        replace(one, expires_at=max(one.expires_at, expires_at)) if one is held else one
        for one in account.standing.holds
    )
    return Done(replace(account, standing=replace(account.standing, holds=holds)), "done")


def commit(account: Account, command: Commit, *, now: datetime, actor: str) -> Done:
    """Points of a hold spent, the rest released."""
    proof = model.proof_json(command)
    fingerprint = model.fingerprint(command, proof)
    account, at, done = begun(account, command.op_key, fingerprint, now=now)
    if done is not None:
        return done
    held = account.standing.hold(command.hold_id)
    if held is None or held.state is not State.OPEN:
        return Done(account, "hold_missing" if held is None else f"hold_{held.state}")
    if command.points > held.points:
        return Done(account, "over_held")
    drafts = [
        Draft(
            *(EntryKind.COMMIT, -command.points, command.occurred_at),
            held=-command.points,
            closes=(held.hold_id, State.COMMITTED),
            about_seq=held.seq,
            proof=proof,
        )
    ]
    if rest := held.points - command.points:
        drafts.append(_released(held, rest, command, proof, state=None))
    if command.counts_as_activity:
        account = _active(account, command.occurred_at, command.inactive_at)
    return write(account, command, fingerprint, drafts, at=at, actor=actor)


def release(account: Account, command: Release, *, now: datetime, actor: str) -> Done:
    """A hold given up."""
    proof = model.proof_json(command)
    fingerprint = model.fingerprint(command, proof)
    account, at, done = begun(account, command.op_key, fingerprint, now=now)
    if done is not None:
        return done
    held = account.standing.hold(command.hold_id)
    if held is None or held.state is not State.OPEN:
        return Done(account, "hold_missing" if held is None else f"hold_{held.state}")
    draft = _released(held, held.points, command, proof, state=State.RELEASED)
    return write(account, command, fingerprint, [draft], at=at, actor=actor)


def _spend(
    account: Account,
    command: Hold | Redemption | Adjustment,
    kind: EntryKind,
    points: int,
    *,
    now: datetime,
    actor: str,
) -> Done:
    proof = model.proof_json(command)
    fingerprint = model.fingerprint(command, proof)
    account, at, done = begun(account, command.op_key, fingerprint, now=now)
    if done is not None:
        return done
    if account.standing.active < points:
        return Done(account, "insufficient")
    taken = model.taking(account.lots, points)
    opens = None
    if isinstance(command, Hold):
        opens = _opened(account, command, taken)
    draft = Draft(
        *(kind, -points, command.occurred_at),
        active=-points,
        held=points if opens else 0,
        taken=taken,
        opens=opens,
        proof=proof,
    )
    return write(account, command, fingerprint, [draft], at=at, actor=actor)


def _opened(account: Account, command: Hold, taken: tuple[Taken, ...]) -> HoldState:
    expires_at = command.expires_at
    if not command.held_outlives_lot:
        expires_at = _before_lots(account, taken, expires_at)
    seq = len(account.entries) + 1
    return HoldState(command.hold_id, seq, command.points, expires_at, State.OPEN, None, taken)


def _before_lots(account: Account, lots: tuple[Taken, ...], expires_at: datetime) -> datetime:
    ends = [account.standing.lot(one.lot_seq).expires_at for one in lots]
    return min([expires_at, *(end for end in ends if end is not None)])


def _released(
    held: HoldState, points: int, command: Command, proof: str, *, state: State | None
) -> Draft:
    back = [Taken(one.lot_seq, -one.points) for one in model.giving_back(held.lots, points)]
    return model.released(
        held,
        points,
        back,
        state,
        occurred_at=command.occurred_at,
        title=command.title,
        proof=proof,
    )


def _active(account: Account, occurred_at: datetime, inactive_at: datetime | None) -> Account:
    """The member did something then."""
    ends = [one for one in (account.standing.inactive_at, inactive_at) if one is not None]
    standing = replace(account.standing, inactive_at=max(ends, default=None))
    last = max(account.last_activity_at, occurred_at)
    return replace(account, standing=standing, last_activity_at=last)
