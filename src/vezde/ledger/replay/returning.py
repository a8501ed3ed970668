"""Points taken back and given back, also of accounts that were merged into this one."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from vezde.ledger import model
from vezde.ledger.model import (
    Accrued,
    Debited,
    DebtPolicy,
    EntryKind,
    Restoration,
    Reversal,
    Source,
    Taken,
)
from vezde.ledger.replay.accounts import Account, Done, Place, begun, write

Others = Mapping[UUID, Account]


def reverse(
    account: Account, command: Reversal, *, others: Others, now: datetime, actor: str
) -> Done:
    """Points of an accrual taken back; `others` are all accounts, by member."""
    fingerprint = model.fingerprint(command, model.proof_json(command))
    account, at, done = begun(account, command.op_key, fingerprint, now=now)
    if done is not None:
        return done
    place = (command.accrual_member or command.member_id, command.accrual_seq)
    owner = account if place[0] == account.member_id else others[place[0]]
    accrued = _accrued(account, owner, place, others)
    if accrued is None:
        return Done(account, "not_returnable")
    if model.over_returned(accrued, command):
        return Done(account, "over_returned")
    shares = model.split(account.standing, accrued.own, command.points, command.debt)
    if shares.forgiven and command.debt.policy is DebtPolicy.FORBID:
        return Done(account, "debt_forbidden")
    draft = model.reversal(account.standing, accrued, command, shares)
    return write(account, command, fingerprint, [draft], at=at, actor=actor)


def restore(
    account: Account, command: Restoration, *, others: Others, now: datetime, actor: str
) -> Done:
    """Points of a debit given back; `others` are all accounts, by member."""
    fingerprint = model.fingerprint(command, model.proof_json(command))
    account, at, done = begun(account, command.op_key, fingerprint, now=now)
    if done is not None:
        return done
    place = (command.debit_member or command.member_id, command.debit_seq)
    owner = account if place[0] == account.member_id else others[place[0]]
    debited = _debited(account, owner, place, others)
    if debited is None:
        return Done(account, "not_returnable")
    if command.points > debited.points - debited.restored:
        return Done(account, "over_returned")
    if command.points > model.room(account.standing):
        return Done(account, "overflow")
    drafts = model.restoration(debited, command, at=at)
    return write(account, command, fingerprint, drafts, at=at, actor=actor)


def spent(account: Account, seq: int) -> tuple[Taken, ...]:
    """From which lots a debit took its points, in use order."""
    entry = account.entries[seq - 1]
    if entry.kind is not EntryKind.COMMIT:
        return account.taken(seq)
    assert entry.about_seq is not None, "a commit is of a hold"
    rest = account.entries[seq : seq + 1]
    came_back = rest and rest[0].kind is EntryKind.RELEASE and rest[0].about_seq == entry.about_seq
    return model.less(account.taken(entry.about_seq), account.taken(seq + 1) if came_back else ())


def _accrued(account: Account, owner: Account, place: Place, others: Others) -> Accrued | None:
    _, seq = place
    if seq > len(owner.entries) or not _leads_to(owner, account, others):
        return None
    entry = owner.entries[seq - 1]
    given = entry.kind in {EntryKind.ACCRUE, EntryKind.IMPORT, EntryKind.ADJUST}
    if not given or entry.points <= 0:
        return None
    before = [proof for *_, proof in _before(account, owner, place, others)]
    taken = [entry.points for _, entry, _ in _before(account, owner, place, others)]
    parts, _ = model.parts_of(owner.proofs[seq - 1])
    return Accrued(
        place,
        entry.points,
        sum(one.get("forgiven", 0) for one in before) - sum(taken),
        model.parts_left(parts, [model.parts_of(one)[0] for one in before]),
        tuple(lot for lot in account.lots if account.origin(lot.seq) == place),
    )


def _debited(account: Account, owner: Account, place: Place, others: Others) -> Debited | None:
    _, seq = place
    if seq > len(owner.entries) or not _leads_to(owner, account, others):
        return None
    entry = owner.entries[seq - 1]
    if entry.kind not in {EntryKind.REDEEM, EntryKind.COMMIT} and not (
        entry.kind is EntryKind.ADJUST and entry.points < 0
    ):
        return None
    back: dict[Place, int] = {}
    restored = 0
    for where, one, proof in _before(account, owner, place, others):
        restored += one.points
        if "from" in proof:
            source = (UUID(proof["from"][0]), int(proof["from"][1]))
            back[source] = back.get(source, 0) + one.points
        for taken in where.taken(one.seq):
            back[place[0], taken.lot_seq] = back.get((place[0], taken.lot_seq), 0) - taken.points
    sources = []
    for taken in spent(owner, seq):
        lot, at = owner.standing.lot(taken.lot_seq), (place[0], taken.lot_seq)
        assert lot.active_at is not None, "points that were spent had been active"
        left = taken.points - back.get(at, 0)
        here = owner is account
        origin = owner.origin(lot.seq)
        sources.append(Source(at, left, lot.active_at, lot.expires_at, here, origin))
    return Debited(place, -entry.points, restored, tuple(one for one in sources if one.points))


def _before(
    account: Account, owner: Account, place: Place, others: Others
) -> Iterator[tuple[Account, Any, Mapping[str, Any]]]:
    """What was returned of an entry before: the account it was written in, the entry, its proof."""
    for one in {**others, account.member_id: account}.values():
        for entry, proof in zip(one.entries, one.proofs, strict=True):
            if entry.kind not in {EntryKind.REVERSE, EntryKind.RESTORE}:
                continue
            here = one.member_id == owner.member_id and entry.about_seq == place[1]
            if here or proof.get("about") == [str(place[0]), place[1]]:
                yield one, entry, proof


def _leads_to(owner: Account, account: Account, others: Others) -> bool:
    """Whether the one account was closed into the other, however many times over."""
    while owner.closed_at is not None and "into" in owner.proofs[-1]:
        into = UUID(owner.proofs[-1]["into"])
        owner = account if into == account.member_id else others[into]
    return owner.member_id == account.member_id
