"""An account as a value, and how entries are written to it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from vezde.ledger import model
from vezde.ledger.model import Command, Draft, Entry, Lot, Points, Standing, Taken

Place = tuple[UUID, int]


@dataclass(frozen=True)
class Account:
    """All that one member has in the ledger.

    `ops` are fingerprint, first seq and number of entries by key; `allocs` what each entry (seq)
    took from its lots; `proofs` stand beside `entries`.
    """

    member_id: UUID
    updated_at: datetime
    last_activity_at: datetime
    standing: Standing = field(default_factory=Standing)
    entries: tuple[Entry, ...] = ()
    proofs: tuple[Mapping[str, Any], ...] = ()
    ops: Mapping[str, tuple[bytes, int, int]] = field(default_factory=dict)
    allocs: tuple[tuple[int, Taken], ...] = ()
    closed_at: datetime | None = None

    @property
    def lots(self) -> tuple[Lot, ...]:
        return self.standing.lots

    def origin(self, lot_seq: int) -> Place:
        """The accrual (member, seq) whose points a lot has."""
        proof = self.proofs[lot_seq - 1]
        if "origin" not in proof:
            return self.member_id, lot_seq
        return UUID(proof["origin"][0]), int(proof["origin"][1])

    def taken(self, seq: int) -> tuple[Taken, ...]:
        """What an entry took from lots, in use order."""
        found = [taken for debit_seq, taken in self.allocs if debit_seq == seq]
        return tuple(sorted(found, key=lambda one: self.standing.lot(one.lot_seq).order))


class Done(NamedTuple):
    """The account after the command, the outcome's name as the database gives it, the seq."""

    account: Account
    outcome: str
    seq: int | None = None


def opened(member_id: UUID, *, now: datetime) -> Account:
    return Account(member_id, updated_at=now, last_activity_at=now)


def settle(account: Account, *, now: datetime, since: datetime | None = None) -> Account:
    """What time has done by `now` is written, in the order of its instants."""
    if account.closed_at is not None:
        return account
    at = max(now, account.updated_at)
    standing, drafts = model.elapsed(account.standing, until=at, at=at, since=since)
    written = _written(account, drafts, at=at, actor=model.TIME, title="", op_key=None)
    return replace(written, standing=standing)


def begun(
    account: Account, op_key: str, fingerprint: bytes, *, now: datetime
) -> tuple[Account, datetime, Done | None]:
    """The account with what was due, when the command is recorded, the answer if it has one."""
    at = max(now, account.updated_at)
    known = account.ops.get(op_key)
    if known is not None:
        same = known[0] == fingerprint
        return account, at, Done(account, *(("repeated", known[1]) if same else ("conflict",)))
    if account.closed_at is not None:
        return account, at, Done(account, "closed")
    return settle(account, now=at), at, None


def write(
    account: Account,
    command: Command,
    fingerprint: bytes,
    drafts: Sequence[Draft],
    *,
    at: datetime,
    actor: str,
    settles: bool = True,
) -> Done:
    """One op: its entries, then (unless more are to come) what they make due at once."""
    seq = len(account.entries) + 1
    ops = {**account.ops, command.op_key: (fingerprint, seq, len(drafts))}
    account = _written(
        account, drafts, at=at, actor=actor, title=command.title, op_key=command.op_key
    )
    account = replace(account, ops=ops, updated_at=at)
    if settles:
        account = settle(account, now=at, since=at)
    return Done(account, "done", seq)


def points(account: Account, *, as_of: datetime) -> Points:
    """The balances as known at `as_of`, from the entries by then alone."""
    known = [entry for entry in account.entries if entry.recorded_at <= as_of]
    for entry in account.entries[len(known) :]:
        if entry.op_key is not None or entry.occurred_at > as_of:
            break
        known.append(entry)
    if not known:
        return model.NO_POINTS
    if len(known) == len(account.entries):
        return model.points_at(account.standing, as_of)
    last = known[-1]
    balances = (last.active_after, last.pending_after, last.held_after, last.debt_after)
    return Points(*balances, model.next_expiry(_lots_after(account, last.seq), as_of))


def _lots_after(account: Account, seq: int) -> list[Lot]:
    later: dict[int, int] = {}
    for debit_seq, taken in account.allocs:
        if debit_seq > seq:
            later[taken.lot_seq] = later.get(taken.lot_seq, 0) + taken.points
    return [
        replace(
            lot,
            remaining=lot.remaining + later.get(lot.seq, 0),
            activated_seq=lot.activated_seq if (lot.activated_seq or 0) <= seq else None,
        )
        for lot in account.lots
        if lot.seq <= seq
    ]


def _written(
    account: Account,
    drafts: Sequence[Draft],
    *,
    at: datetime,
    actor: str,
    title: str,
    op_key: str | None,
) -> Account:
    standing, entries, proofs = account.standing, list(account.entries), list(account.proofs)
    allocs = list(account.allocs)
    for draft in drafts:
        standing = model.applied(standing, draft, at=at)
        told = (title, actor, op_key)
        entries.append(_entry(account.member_id, standing, draft, entries, told, at=at))
        proofs.append(json.loads(draft.proof) if draft.proof else {})
        allocs += [(standing.seq, one) for one in draft.taken]
    return replace(
        account,
        standing=standing,
        entries=tuple(entries),
        proofs=tuple(proofs),
        allocs=tuple(allocs),
        updated_at=at if drafts else account.updated_at,
    )


def _entry(
    member_id: UUID,
    standing: Standing,
    draft: Draft,
    before: Sequence[Entry],
    told: tuple[str, str, str | None],
    *,
    at: datetime,
) -> Entry:
    """`told` is the command's title, its actor and its key."""
    title, actor, op_key = told
    lot_seq = draft.ripens[0] if draft.ripens else None
    if draft.title is not None:
        title = draft.title
    elif op_key is None:
        about = lot_seq or draft.about_seq
        assert about is not None, "an entry without a title is about another one"
        title = before[about - 1].title
    return Entry(
        member_id,
        standing.seq,
        draft.kind,
        draft.points,
        standing.active,
        standing.pending,
        standing.held,
        standing.debt,
        draft.occurred_at,
        at,
        title,
        actor,
        op_key,
        lot_seq,
        draft.about_seq,
    )
