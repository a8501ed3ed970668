"""A made-up life of three members, in PostgreSQL and as a fold, compared after every step."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from ledger import invariants
from ledger.making import DAY, NOON, accrual
from vezde.kit import db as kit_db
from vezde.kit.money import MAX_BIGINT
from vezde.ledger import model, operations, queries, replay
from vezde.ledger.model import (
    Accrual,
    Activation,
    Adjustment,
    Commit,
    Debt,
    DebtPolicy,
    EntryKind,
    Hold,
    Part,
    Redemption,
    Release,
    Restoration,
    Reversal,
    State,
)
from vezde.ledger.queries import By

TICK = timedelta(microseconds=1)
SKEW = timedelta(hours=1)
ANNA, BORIS, VERA = MEMBERS = tuple(UUID(int=n) for n in (3, 1, 2))
ACTOR = "key:1"

ERRORS: dict[str, type[Exception]] = {
    "over_held": operations.BadCommand,
    "hold_missing": operations.HoldMissing,
    "hold_taken": operations.HoldTaken,
    "hold_committed": operations.HoldClosed,
    "hold_released": operations.HoldClosed,
    "hold_expired": operations.HoldClosed,
    "not_returnable": operations.NotReturnable,
    "over_returned": operations.OverReturned,
    "debt_forbidden": operations.DebtForbidden,
    "not_pending": operations.NotPending,
    **{outcome: error for outcome, (error, _) in operations.REFUSALS.items()},
}
DUE = """
SELECT d.due_at, d.member_id FROM ledger.due d WHERE d.due_at <= %s
ORDER BY d.due_at, d.member_id LIMIT %s
"""

parts = st.lists(
    st.builds(
        Part,
        line=st.integers(0, 3),
        rule=st.sampled_from(["base", "birthday"]),
        rate_bp=st.sampled_from([0, 500]),
        points=st.sampled_from([0, 1, 7, 40]),
    ),
    max_size=3,
)
members = st.sampled_from(MEMBERS)
amounts = st.sampled_from([1, 2, 3, 7, 20, 40, 100, 600])
behind = st.sampled_from([0, 0, 0, 1])
ends = st.sampled_from([None, None, 1, 6])


@st.composite
def accruals(draw: st.DrawFn) -> dict[str, Any]:
    """An accrual without its instants, which depend on the machine's clock."""
    made = [*draw(parts), Part(0, "whole", 0, draw(st.sampled_from([1, 3, 500])))]
    if draw(st.integers(0, 29)) == 0:
        made.append(Part(0, "huge", 0, MAX_BIGINT // 2))
    return {
        "member_id": draw(members),
        "op_key": f"purchase:{draw(st.integers(1, 25))}",
        "parts": tuple(made),
        "points": sum(part.points for part in made),
        "hold_days": draw(st.sampled_from([None, -2, 0, 0, 0, 1, 1, 2, 5])),
        "life_days": draw(st.sampled_from([None, 1, 3, 8, 365])),
        "age_days": draw(st.sampled_from([0, 0, 3, 40])),
        "idle_days": draw(ends),
        "kind": draw(st.sampled_from([EntryKind.ACCRUE, EntryKind.ACCRUE, EntryKind.IMPORT])),
    }


class LedgerMachine(RuleBasedStateMachine):
    """The database is `db`; one rule is one step of the life."""

    runner: asyncio.Runner
    db: kit_db.Db

    def __init__(self) -> None:
        super().__init__()
        self.now = NOON
        self.accounts = {member: replay.opened(member, now=NOON) for member in MEMBERS}
        self.sent: list[tuple[Any, ...]] = []
        self.answers: dict[tuple[UUID, str], Any] = {}
        self.untold: dict[UUID, int] = dict.fromkeys(MEMBERS, 0)
        self.written: dict[tuple[Any, ...], str] = {}
        self.read: dict[tuple[UUID, datetime], Any] = {}
        self.moved: dict[tuple[UUID, UUID], Any] = {}
        self.keys = 0
        self.run(operations.open_accounts(self.db, MEMBERS, now=NOON))

    def teardown(self) -> None:
        self.run(self.db.rollback())

    def run(self, step: Any) -> Any:
        return self.runner.run(step)

    # Points given

    @rule(batch=st.lists(accruals(), min_size=1, max_size=4), behind=behind)
    def accrue(self, batch: list[dict[str, Any]], behind: int) -> None:
        self._accrue([self._accrual(drawn) for drawn in batch], self.now - behind * SKEW)

    @precondition(lambda self: self.sent)
    @rule(data=st.data(), later=st.booleans())
    def repeat(self, data: st.DataObject, later: bool) -> None:
        """Whatever was done before, done again: the same answer, nothing changed."""
        verb, fold, command = data.draw(st.sampled_from(self.sent))
        if later and isinstance(command, Hold):
            command = replace(command, expires_at=command.expires_at + DAY)
        self._do(verb, fold, command, self.now)

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def reuse_a_key(self, data: st.DataObject) -> None:
        *_, used = data.draw(st.sampled_from(self.sent))
        self._accrue([accrual(BORIS, self._key(), 2), accrual(used.member_id, used.op_key, 999)])

    @rule(data=st.data(), life=st.sampled_from([None, 1]), behind=behind)
    def activate(self, data: st.DataObject, life: int | None, behind: int) -> None:
        member = data.draw(members)
        waiting = [lot.seq for lot in self.accounts[member].lots if lot.activated_seq is None]
        seq = data.draw(st.sampled_from(waiting)) if waiting else 1
        expires_at = None if life is None else self.now + life * DAY
        command = Activation(**self._command(member), accrual_seq=seq, expires_at=expires_at)
        self._do(operations.activate, replay.activate, command, self.now - behind * SKEW)

    # Points spent

    @rule(data=st.data(), behind=behind, all_of=st.integers(0, 4), idle=ends)
    def redeem(self, data: st.DataObject, behind: int, all_of: int, idle: int | None) -> None:
        member = data.draw(members)
        points = data.draw(amounts)
        if all_of < 2:
            points = max(self._active(member) + all_of, 1)
        command = Redemption(
            **self._command(member),
            points=points,
            inactive_at=self._idle(idle),
            counts_as_activity=idle != 6,
        )
        self._do(operations.redeem, replay.redeem, command, self.now - behind * SKEW)

    @rule(member=members, points=amounts, days=st.integers(1, 9), outlives=st.booleans())
    def hold(self, member: UUID, points: int, days: int, outlives: bool) -> None:
        hold_id = UUID(int=1000 + self.keys)
        if days == 9:
            hold_id = UUID(int=1000)  # perhaps another hold's
        command = Hold(
            **self._command(member),
            hold_id=hold_id,
            points=min(points, max(self._active(member), 1)),
            expires_at=self.now + days * DAY / 2,
            held_outlives_lot=outlives,
        )
        self._do(operations.hold, replay.hold, command, self.now)

    @precondition(lambda self: self._holds())
    @rule(data=st.data(), share=st.integers(1, 5), behind=behind, idle=ends)
    def commit(self, data: st.DataObject, share: int, behind: int, idle: int | None) -> None:
        member, held = data.draw(st.sampled_from(self._holds()))
        points = max(held.points * share // 4, 1)  # sometimes more than is held
        command = Commit(
            **self._command(member),
            hold_id=held.hold_id,
            points=points,
            inactive_at=self._idle(idle),
        )
        self._do(operations.commit, replay.commit, command, self.now - behind * SKEW)

    @precondition(lambda self: self._holds())
    @rule(data=st.data(), behind=behind)
    def release(self, data: st.DataObject, behind: int) -> None:
        member, held = data.draw(st.sampled_from(self._holds()))
        command = Release(**self._command(member), hold_id=held.hold_id)
        self._do(operations.release, replay.release, command, self.now - behind * SKEW)

    @precondition(lambda self: self._holds())
    @rule(data=st.data(), days=st.integers(1, 6), outlives=st.booleans())
    def extend(self, data: st.DataObject, days: int, outlives: bool) -> None:
        member, held = data.draw(st.sampled_from(self._holds()))
        given = {"expires_at": self.now + days * DAY, "held_outlives_lot": outlives}
        done = replay.extend(self.accounts[member], held.hold_id, now=self.now, **given)
        call = operations.extend(self.db, member, held.hold_id, now=self.now, actor=ACTOR, **given)
        if done.outcome != "done":
            with pytest.raises(ERRORS[done.outcome]):
                self.run(self._alone(call))
            return
        assert self.run(call) == done.account.standing.hold(held.hold_id)
        self.accounts[member] = done.account

    @rule(member=members, points=amounts, sign=st.sampled_from([1, -1, -1]), life=ends)
    def adjust(self, member: UUID, points: int, sign: int, life: int | None) -> None:
        command = Adjustment(
            **self._command(member),
            points=sign * points,
            reason="Ошибка кассы",
            expires_at=None if life is None else self.now + life * DAY,
            inactive_at=self._idle(life),
        )
        self._do(operations.adjust, replay.adjust, command, self.now)

    # Points returned

    @precondition(lambda self: self._entries(EntryKind.ACCRUE, EntryKind.IMPORT))
    @rule(data=st.data(), share=st.integers(1, 5), by_line=st.booleans(), behind=behind)
    def reverse(self, data: st.DataObject, share: int, by_line: bool, behind: int) -> None:
        owner, entry = data.draw(st.sampled_from(self._entries(EntryKind.ACCRUE, EntryKind.IMPORT)))
        member = self._now_called(owner)
        policy = data.draw(st.sampled_from(DebtPolicy))
        limit = data.draw(st.sampled_from([None, 10])) if policy is DebtPolicy.DEBT else None
        points, lost = max(entry.points * share // 4, 1), ()
        if by_line:
            of, _ = model.parts_of(self.accounts[owner].proofs[entry.seq - 1])
            lost = tuple(replace(part, points=part.points * share // 4) for part in of)
            points = sum(part.points for part in lost) or points
            lost = lost if any(part.points for part in lost) else ()
        command = Reversal(
            **self._command(member),
            accrual_seq=entry.seq,
            accrual_member=None if owner == member else owner,
            points=points,
            parts=lost,
            debt=Debt(policy, limit),
        )
        fold = self._with_others(replay.reverse)
        self._do(operations.reverse, fold, command, self.now - behind * SKEW)

    @precondition(lambda self: self._entries(EntryKind.REDEEM, EntryKind.COMMIT))
    @rule(data=st.data(), share=st.integers(1, 5), grace=st.sampled_from([None, 3]))
    def restore(self, data: st.DataObject, share: int, grace: int | None) -> None:
        owner, entry = data.draw(st.sampled_from(self._entries(EntryKind.REDEEM, EntryKind.COMMIT)))
        member = self._now_called(owner)
        command = Restoration(
            **self._command(member),
            debit_seq=entry.seq,
            debit_member=None if owner == member else owner,
            points=max(-entry.points * share // 4, 1),
            grace_until=None if grace is None else self.now + grace * DAY,
        )
        self._do(operations.restore, self._with_others(replay.restore), command, self.now)

    @rule(member=members, seq=st.integers(1, 60), other=members)
    def return_nonsense(self, member: UUID, seq: int, other: UUID) -> None:
        """Entries of other kinds, of others, of nobody."""
        restores = Restoration(**self._command(member), debit_seq=seq, debit_member=other, points=1)
        self._do(operations.restore, self._with_others(replay.restore), restores, self.now)

    # Time

    @rule(step=st.sampled_from([TICK, SKEW, DAY - TICK, DAY, 3 * DAY]))
    def let_time_pass(self, step: timedelta) -> None:
        self.now += step

    @precondition(lambda self: self._next_instant() is not None)
    @rule(before=st.booleans())
    def come_to_the_next_instant(self, before: bool) -> None:
        self.now = max(self.now, self._next_instant() - before * TICK)

    @rule(limit=st.integers(1, 4))
    def sweep(self, limit: int) -> None:
        claimed = self._rows(DUE, [self.now, limit])
        touched = {member for _, member in claimed}
        for member in touched:
            self.accounts[member] = replay.settle(self.accounts[member], now=self.now)
        worked, told = self.run(operations.settle_due(self.db, now=self.now, limit=limit))
        assert worked == len(claimed)
        wanted = []
        for member in sorted(touched):
            entries = self.accounts[member].entries
            wanted += [one for one in entries[self.untold[member] :] if one.op_key is None]
            self.untold[member] = len(entries)
        assert told == wanted

    # Accounts

    @precondition(lambda self: len(self._open()) > 1)
    @rule(data=st.data(), behind=behind)
    def merge(self, data: st.DataObject, behind: int) -> None:
        into, gone = data.draw(st.permutations(self._open()))[:2]
        now = self.now - behind * SKEW
        at = max(now, *(self.accounts[one].updated_at for one in (into, gone)))
        before = {one: replay.settle(self.accounts[one], now=at) for one in (into, gone)}
        call = operations.merge(self.db, into, gone, now=now, actor=ACTOR)
        if before[gone].standing.held:
            with pytest.raises(operations.PointsUnsettled):
                self.run(self._alone(call))
            return
        free = model.room(before[into].standing)
        if before[gone].standing.active + before[gone].standing.pending > free:
            with pytest.raises(operations.TooManyPoints):
                self.run(self._alone(call))
            return
        self.moved[into, gone] = self.run(call)
        after = replay.merge(self.accounts[into], self.accounts[gone], now=now, actor=ACTOR)
        assert invariants.worth(after) == invariants.worth(before.values())
        self.accounts |= dict(zip((into, gone), after, strict=True))

    @precondition(lambda self: self._merged())
    @rule(data=st.data(), behind=behind)
    def unmerge(self, data: st.DataObject, behind: int) -> None:
        into, gone = data.draw(st.sampled_from(self._merged()))
        now, moved = self.now - behind * SKEW, self.moved[into, gone]
        assert set(moved["parts"]) >= {str(gone)}
        call = operations.unmerge(self.db, into, gone, moved=moved, now=now, actor=ACTOR)
        closed_at = self.accounts[gone].closed_at
        assert closed_at is not None
        before = replay.settle(self.accounts[into], now=max(now, closed_at)), self.accounts[gone]
        came = {lot.seq for lot in replay.came(*before, parts=moved["parts"])}
        open_holds = [one for one in before[0].standing.holds if one.state is State.OPEN]
        if any(taken.lot_seq in came for one in open_holds for taken in one.lots):
            with pytest.raises(operations.PointsUnsettled):
                self.run(self._alone(call))
            return
        self.run(call)
        both = self.accounts[into], self.accounts[gone]
        after = replay.unmerge(*both, parts=moved["parts"], now=now, actor=ACTOR)
        assert invariants.worth(after) == invariants.worth(before)
        self.accounts |= dict(zip((into, gone), after, strict=True))

    @precondition(lambda self: self._open())
    @rule(data=st.data())
    def forget(self, data: st.DataObject) -> None:
        if data.draw(st.integers(0, 9)) != 0:
            return  # or no account would live long
        member = data.draw(st.sampled_from(self._open()))
        self.accounts[member] = replay.close(self.accounts[member], now=self.now, actor=ACTOR)
        self.run(operations.forget(self.db, member, now=self.now, actor=ACTOR))

    @precondition(lambda self: len(self._open()) < len(MEMBERS))
    @rule(data=st.data())
    def use_a_closed_account(self, data: st.DataObject) -> None:
        closed = data.draw(st.sampled_from(sorted({*MEMBERS} - {*self._open()})))
        other = data.draw(st.sampled_from([one for one in MEMBERS if one != closed]))
        for verb in (
            operations.lock(self.db, [closed]),
            operations.merge(self.db, closed, other, now=self.now, actor=ACTOR),
            operations.merge(self.db, other, closed, now=self.now, actor=ACTOR),
            operations.forget(self.db, closed, now=self.now, actor=ACTOR),
        ):
            with pytest.raises(operations.AccountClosed):
                self.run(self._alone(verb))

    # Reads

    @rule(member=members, back=st.integers(-48, 240))
    def read_as_of(self, member: UUID, back: int) -> None:
        as_of = self.now - timedelta(hours=back)
        points = self.run(queries.points(self.db, member, as_of=as_of))
        assert points == replay.points(self.accounts[member], as_of=as_of)
        many = self.run(queries.points_of(self.db, MEMBERS, as_of=as_of))
        assert many[member] == points
        if as_of < self.now - SKEW:
            self.read[member, as_of] = points

    @precondition(lambda self: self.read)
    @rule(data=st.data())
    def read_again(self, data: st.DataObject) -> None:
        member, as_of = asked = data.draw(st.sampled_from(sorted(self.read)))
        assert self.run(queries.points(self.db, member, as_of=as_of)) == self.read[asked]

    @rule(member=members, back=st.integers(-48, 240))
    def read_by_event_time(self, member: UUID, back: int) -> None:
        as_of = self.now - timedelta(hours=back)
        points = self.run(queries.points(self.db, member, as_of=as_of, by=By.OCCURRED))
        wanted = invariants.occurred_by(self.accounts[member], as_of)
        assert (points.active, points.pending, points.held, points.debt) == wanted

    @precondition(lambda self: self._entries(*EntryKind))
    @rule(data=st.data())
    def explain(self, data: st.DataObject) -> None:
        owner, entry = data.draw(st.sampled_from(self._entries(*EntryKind)))
        found = self.run(queries.entry(self.db, owner, entry.seq))
        invariants.explained(self.accounts[owner], found)

    # What always holds

    @invariant()
    def is_the_same_in_both(self) -> None:
        invariants.same(self.run(invariants.stored(self.db)), self.accounts)

    @invariant()
    def holds_what_is_promised(self) -> None:
        for account in self.accounts.values():
            invariants.check(account)
        invariants.conserved(self.accounts.values())

    @invariant()
    def never_changes_what_is_written(self) -> None:
        rows = {tuple(row[:3]): row[3] for row in self._rows(invariants.WRITTEN_ONCE)}
        assert self.written.items() <= rows.items()
        self.written = rows

    @invariant()
    def is_swept_in_time(self) -> None:
        instants = [self._due(one) for one in self._open()]
        first = min((at for at in instants if at is not None), default=None)
        due = self.run(queries.next_due(self.db))
        assert first is None or (due is not None and due <= first)

    # Helpers

    def _do(
        self,
        verb: Callable[..., Awaitable[Any]],
        fold: Callable[..., replay.Done],
        command: Any,
        now: datetime,
    ) -> None:
        """One command by both; a refusal leaves nothing behind."""
        done = fold(self.accounts[command.member_id], command, now=now, actor=ACTOR)
        call = verb(self.db, command, now=now, actor=ACTOR)
        if done.outcome not in {"done", "repeated"}:
            with pytest.raises(ERRORS[done.outcome]):
                self.run(self._alone(call))
            return
        answer = self.run(call)
        assert getattr(answer, "seq", answer) == done.seq
        key = command.member_id, command.op_key
        if done.outcome == "repeated":
            assert self._lasting(answer) == self._lasting(self.answers[key])
            # Nothing is written by a repeat but what had fallen due.
            settled = replay.settle(self.accounts[command.member_id], now=now)
            if isinstance(command, Reversal | Restoration | Activation):
                self.accounts[command.member_id] = settled
            return
        self.answers[key] = answer
        self.accounts[command.member_id] = done.account
        self.sent.append((verb, fold, command))

    def _lasting(self, answer: Any) -> Any:
        """Without what may change meanwhile: a hold may have been extended."""
        return replace(answer, expires_at=NOON) if hasattr(answer, "expires_at") else answer

    def _accrue(self, batch: list[Accrual], now: datetime | None = None) -> None:
        """The fold goes one by one, the database takes the batch; one refusal undoes all of it."""
        now = now or self.now
        accounts, seqs, refused, fresh = dict(self.accounts), [], [], []
        for command in batch:
            done = replay.accrue(accounts[command.member_id], command, now=now, actor=ACTOR)
            accounts[command.member_id] = done.account
            seqs.append(done.seq)
            if done.outcome in operations.REFUSALS:
                refused.append(operations.REFUSALS[done.outcome][0])
            if done.outcome == "done":
                fresh.append((_accrue_one, replay.accrue, command))
                self.answers[command.member_id, command.op_key] = done.seq
        call = operations.accrue(self.db, batch, now=now, actor=ACTOR)
        if refused:
            with pytest.raises(refused[0]):
                self.run(self._alone(call))
            return
        assert self.run(call) == seqs
        self.accounts = accounts
        self.sent += fresh

    async def _alone(self, call: Awaitable[Any]) -> Any:
        """What is refused leaves nothing."""
        async with self.db.transaction():
            return await call

    def _accrual(self, drawn: dict[str, Any]) -> Accrual:
        names = ("hold_days", "life_days", "age_days", "idle_days", "kind")
        hold, life, age, idle, kind = (drawn.pop(name) for name in names)
        active_at = None if hold is None else self.now + hold * DAY
        made = accrual(
            **drawn,
            active_at=active_at,
            expires_at=None if life is None else (active_at or self.now) + life * DAY,
            occurred_at=self.now - age * DAY,
            title=f"Покупка {drawn['points']}",
        )
        counts = kind is EntryKind.ACCRUE
        return replace(made, kind=kind, counts_as_activity=counts, inactive_at=self._idle(idle))

    def _command(self, member: UUID) -> dict[str, Any]:
        return {
            "member_id": member,
            "op_key": self._key(),
            "occurred_at": self.now,
            "title": "Заказ",
            "proof": {"order_id": self.keys},
        }

    def _key(self) -> str:
        self.keys += 1
        return f"key:{self.keys}"

    def _idle(self, days: int | None) -> datetime | None:
        return None if days is None else self.now + days * DAY

    def _with_others(self, fold: Callable[..., replay.Done]) -> Callable[..., replay.Done]:
        return lambda account, command, **rest: fold(account, command, others=self.accounts, **rest)

    def _active(self, member: UUID) -> int:
        return replay.settle(self.accounts[member], now=self.now).standing.active

    def _holds(self) -> list[tuple[UUID, Any]]:
        """Open holds first, so that they are drawn often."""
        found = [
            (member, hold)
            for member, account in self.accounts.items()
            for hold in account.standing.holds
        ]
        return sorted(found, key=lambda one: (one[1].state is not State.OPEN, one[1].seq))

    def _entries(self, *kinds: EntryKind) -> list[tuple[UUID, Any]]:
        return [
            (member, entry)
            for member, account in self.accounts.items()
            for entry in account.entries
            if entry.kind in kinds
        ]

    def _now_called(self, member: UUID) -> UUID:
        """The account that this one's points went into; itself when it is forgotten."""
        account = self.accounts[member]
        while account.closed_at is not None and "into" in account.proofs[-1]:
            account = self.accounts[UUID(account.proofs[-1]["into"])]
        return account.member_id

    def _open(self) -> list[UUID]:
        return [member for member, one in self.accounts.items() if one.closed_at is None]

    def _merged(self) -> list[tuple[UUID, UUID]]:
        """Accounts closed into one that is open: (that one, the closed one)."""
        found = []
        for gone, account in self.accounts.items():
            if account.closed_at is not None and "into" in account.proofs[-1]:
                into = UUID(account.proofs[-1]["into"])
                found += [(into, gone)] if self.accounts[into].closed_at is None else []
        return found

    def _due(self, member: UUID) -> datetime | None:
        return model.next_due(self.accounts[member].standing)

    def _next_instant(self) -> datetime | None:
        instants = [self._due(member) for member in self._open()]
        return min((at for at in instants if at is not None and at > self.now), default=None)

    def _rows(self, query: str, asked: Any = None) -> list[tuple[Any, ...]]:
        return self.run(invariants.rows(self.db, query, asked))


async def _accrue_one(db: kit_db.Db, command: Accrual, *, now: datetime, actor: str) -> int:
    return (await operations.accrue(db, [command], now=now, actor=actor))[0]
