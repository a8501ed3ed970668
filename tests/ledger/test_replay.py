"""The ledger in PostgreSQL against the ledger as a fold, after every step of a made-up life."""

import asyncio
from dataclasses import astuple
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from ledger.making import DAY, NOON, accrual
from vezde.kit import db as kit_db
from vezde.kit.money import MAX_BIGINT
from vezde.ledger import model, operations, queries, replay
from vezde.ledger.model import Accrual, EntryKind, Part

TICK = timedelta(microseconds=1)
SKEW = timedelta(hours=1)
ANNA, BORIS, VERA = MEMBERS = tuple(UUID(int=n) for n in (3, 1, 2))

LOTS = """
SELECT l.member_id, l.seq, l.points, l.remaining, l.active_at, l.expires_at, l.activated_seq,
    l.open, l.points - l.remaining = (
        SELECT coalesce(sum(a.points), 0) FROM ledger.alloc a
        WHERE a.member_id = l.member_id AND a.lot_seq = l.seq) AS accounted
FROM ledger.lot l ORDER BY l.member_id, l.seq
"""
ALLOCS = """
SELECT member_id, debit_seq, lot_seq, points FROM ledger.alloc ORDER BY member_id, debit_seq, lot_seq
"""
ACCOUNTS = """
SELECT member_id, active, pending, held, debt, seq, updated_at, last_activity_at, next_due_at,
    closed_at
FROM ledger.account ORDER BY member_id
"""
WRITTEN_ONCE = """
SELECT 'entry', e.member_id, e.seq::text, md5(e::text) FROM ledger.entry e
UNION ALL SELECT 'op', o.member_id, o.op_key, md5(o::text) FROM ledger.op o
UNION ALL SELECT 'alloc', a.member_id, a.debit_seq::text, md5(a::text) FROM ledger.alloc a
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


@st.composite
def commands(draw: st.DrawFn) -> dict[str, Any]:
    """An accrual without its instants, which depend on the machine's clock."""
    made = [*draw(parts), Part(0, "whole", 0, draw(st.sampled_from([1, 3, 500])))]
    if draw(st.integers(0, 19)) == 0:
        made.append(Part(0, "huge", 0, MAX_BIGINT // 2))
    return {
        "member_id": draw(st.sampled_from(MEMBERS)),
        "op_key": f"purchase:{draw(st.integers(1, 12))}",
        "parts": tuple(made),
        "points": sum(part.points for part in made),
        "hold_days": draw(st.sampled_from([-2, 0, 0, 1, 1, 2, 5])),
        "life_days": draw(st.sampled_from([None, 1, 8, 365])),
        "age_days": draw(st.sampled_from([0, 0, 3, 40])),
    }


class LedgerMachine(RuleBasedStateMachine):
    runner: asyncio.Runner
    db: kit_db.Db

    def __init__(self) -> None:
        super().__init__()
        self.now = NOON
        self.accounts = {member: replay.opened(member, now=NOON) for member in MEMBERS}
        self.sent: list[Accrual] = []
        self.due: set[tuple[datetime, UUID]] = set()
        self.written: dict[tuple[Any, ...], str] = {}
        self.read: dict[tuple[UUID, datetime], Any] = {}
        self.run(operations.open_accounts(self.db, MEMBERS, now=NOON))

    def teardown(self) -> None:
        self.run(self.db.rollback())

    def run(self, step: Any) -> Any:
        return self.runner.run(step)

    @rule(batch=st.lists(commands(), min_size=1, max_size=5), behind=st.sampled_from([0, 0, 1]))
    def accrue(self, batch: list[dict[str, Any]], behind: int) -> None:
        self._accrue([self._command(drawn) for drawn in batch], self.now - behind * SKEW)

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def repeat(self, data: st.DataObject) -> None:
        self._accrue(data.draw(st.lists(st.sampled_from(self.sent), max_size=4)), self.now)

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def reuse_a_key(self, data: st.DataObject) -> None:
        used = data.draw(st.sampled_from(self.sent))
        other = accrual(used.member_id, used.op_key, used.points + 1)
        self._accrue([accrual(BORIS, f"beside:{len(self.sent)}", 2), other], self.now)

    @rule(step=st.sampled_from([TICK, SKEW, DAY - TICK, DAY, 3 * DAY]))
    def let_time_pass(self, step: timedelta) -> None:
        self.now += step

    @precondition(lambda self: any(at > self.now for at, _ in self.due))
    @rule(before=st.booleans())
    def come_to_the_next_instant(self, before: bool) -> None:
        self.now = max(self.now, min(at for at, _ in self.due if at > self.now) - before * TICK)

    @rule(limit=st.integers(1, 4))
    def sweep(self, limit: int) -> None:
        claimed = sorted(row for row in self.due if row[0] <= self.now)[:limit]
        done = self.run(operations.activate_due(self.db, now=self.now, limit=limit))
        assert done == len(claimed)
        self.due -= set(claimed)
        for _, member in claimed:
            self.accounts[member] = replay.activate(self.accounts[member], now=self.now)

    @precondition(lambda self: len(self._open()) > 1)
    @rule(data=st.data(), behind=st.sampled_from([0, 0, 1]))
    def merge(self, data: st.DataObject, behind: int) -> None:
        into, gone = data.draw(st.permutations(self._open()))[:2]
        now = self.now - behind * SKEW
        before = {member: self.accounts[member] for member in (into, gone)}
        after = dict(
            zip((into, gone), replay.merge(*before.values(), now=now, actor="key:1"), strict=True)
        )
        if sum(one.active + one.pending for one in before.values()) > MAX_BIGINT:
            with pytest.raises(operations.TooManyPoints):
                self.run(self._really_merge(into, gone, now))
            return
        self.run(self._really_merge(into, gone, now))
        assert _worth(after.values()) == _worth(before.values())
        self.accounts |= after
        self.due |= {
            (lot.active_at, into)
            for lot in after[into].lots[len(before[into].lots) :]
            if lot.activated_seq is None
        }

    @precondition(lambda self: self._open())
    @rule(data=st.data())
    def forget(self, data: st.DataObject) -> None:
        if data.draw(st.integers(0, 3)) != 0:
            return  # or no account would live long
        member = data.draw(st.sampled_from(self._open()))
        closing = model.closing(None)
        self.accounts[member] = replay.close(
            self.accounts[member],
            *(closing.title, closing.op_key, closing.fingerprint),
            now=self.now,
            actor="key:1",
        )
        self.run(operations.forget(self.db, member, now=self.now, actor="key:1"))

    @precondition(lambda self: len(self._open()) < len(MEMBERS))
    @rule(data=st.data())
    def use_a_closed_account(self, data: st.DataObject) -> None:
        closed = data.draw(st.sampled_from(sorted({*MEMBERS} - {*self._open()})))
        other = data.draw(st.sampled_from([one for one in MEMBERS if one != closed]))
        for verb in (
            operations.lock(self.db, [closed]),
            operations.merge(self.db, closed, other, now=self.now, actor="key:1"),
            operations.merge(self.db, other, closed, now=self.now, actor="key:1"),
            operations.forget(self.db, closed, now=self.now, actor="key:1"),
        ):
            with pytest.raises(operations.AccountClosed):
                self.run(verb)

    @rule(member=st.sampled_from(MEMBERS), back=st.integers(-48, 240))
    def read_as_of(self, member: UUID, back: int) -> None:
        as_of = self.now - timedelta(hours=back)
        points = self.run(queries.points(self.db, member, as_of=as_of))
        assert points == replay.points(self.accounts[member], as_of=as_of)
        closed_at = self.accounts[member].closed_at
        known = [e for e in self._arrivals(member) if e[0] <= as_of]
        if closed_at is not None and closed_at <= as_of:
            known = []
        assert points.active == sum(points for _, at, points in known if at <= as_of)
        assert points.pending == sum(points for _, at, points in known if at > as_of)
        if as_of < self.now - SKEW:
            self.read[member, as_of] = points

    @precondition(lambda self: self.read)
    @rule(data=st.data())
    def read_again(self, data: st.DataObject) -> None:
        member, as_of = asked = data.draw(st.sampled_from(sorted(self.read)))
        assert self.run(queries.points(self.db, member, as_of=as_of)) == self.read[asked]

    @invariant()
    def keeps_the_same_history(self) -> None:
        for member, account in self.accounts.items():
            history = self.run(queries.history(self.db, member, limit=1000))
            assert tuple(reversed(history)) == account.entries
            assert [entry.seq for entry in history] == list(range(len(history), 0, -1))
            active = pending = 0
            for entry in account.entries:
                n = entry.points
                allowed = {
                    EntryKind.ACTIVATE: {(n, -n)},
                    EntryKind.CLOSE: {(-active, -pending)} if n == -active - pending else set(),
                }.get(entry.kind, {(n, 0), (0, n)})
                assert (entry.active_after - active, entry.pending_after - pending) in allowed
                active, pending = entry.active_after, entry.pending_after
            recorded = [entry.recorded_at for entry in account.entries]
            assert recorded == sorted(recorded)

    @invariant()
    def keeps_the_same_lots(self) -> None:
        stored = self._rows(LOTS)
        allocs = self._rows(ALLOCS)
        for member, account in self.accounts.items():
            mine = [row for row in stored if row[0] == member]
            assert [row[1:7] for row in mine] == [astuple(lot) for lot in account.lots]
            assert all(row[7] == (row[3] > 0) and row[8] for row in mine)
            assert account.active == sum(row[3] for row in mine if row[6] is not None)
            assert account.pending == sum(row[3] for row in mine if row[6] is None)
            taken = [(seq, taken.lot_seq, taken.points) for seq, taken in account.allocs]
            assert [row[1:] for row in allocs if row[0] == member] == sorted(taken)

    @invariant()
    def keeps_the_account_in_step(self) -> None:
        wanted = [
            (
                *(member, account.active, account.pending, account.held, account.debt),
                *(len(account.entries), account.updated_at, account.last_activity_at),
                min(
                    (x.active_at for x in account.lots if x.activated_seq is None and x.remaining),
                    default=None,
                ),
                account.closed_at,
            )
            for member, account in sorted(self.accounts.items())
        ]
        assert self._rows(ACCOUNTS) == wanted
        assert self.run(queries.next_due(self.db)) == min((at for at, _ in self.due), default=None)

    @invariant()
    def never_changes_what_is_written(self) -> None:
        rows = {tuple(row[:3]): row[3] for row in self._rows(WRITTEN_ONCE)}
        assert self.written.items() <= rows.items()
        self.written = rows

    def _command(self, drawn: dict[str, Any]) -> Accrual:
        hold, life, age = (drawn.pop(name) for name in ("hold_days", "life_days", "age_days"))
        active_at = self.now + hold * DAY
        return accrual(
            **drawn,
            active_at=active_at,
            expires_at=None if life is None else active_at + life * DAY,
            occurred_at=self.now - age * DAY,
            title=f"Покупка {drawn['points']}",
        )

    def _accrue(self, batch: list[Accrual], now: datetime) -> None:
        """The fold goes one by one, the database takes the batch; one refusal undoes all of it."""
        accounts, due, seqs, refused = dict(self.accounts), set(self.due), [], []
        for command in batch:
            done = replay.accrue(accounts[command.member_id], command, now=now, actor="system")
            accounts[command.member_id] = done.account
            seqs.append(done.seq)
            if done.outcome in operations.REFUSALS:
                refused.append(operations.REFUSALS[done.outcome][0])
            pending = (lot for lot in done.account.lots if lot.seq == done.seq)
            if done.outcome == "done" and next(pending).activated_seq is None:
                due.add((command.active_at, command.member_id))
        if refused:
            with pytest.raises(refused[0]):
                self.run(self._really_accrue(batch, now))
            return
        assert self.run(self._really_accrue(batch, now)) == seqs
        self.accounts, self.due = accounts, due
        self.sent += batch

    async def _really_accrue(self, batch: list[Accrual], now: datetime) -> list[int]:
        async with self.db.transaction():
            return await operations.accrue(self.db, batch, now=now, actor="system")

    def _arrivals(self, member: UUID) -> list[tuple[datetime, datetime, int]]:
        account = self.accounts[member]
        return [
            (account.entries[lot.seq - 1].recorded_at, lot.active_at, lot.points)
            for lot in account.lots
        ]

    def _open(self) -> list[UUID]:
        return [member for member, one in self.accounts.items() if one.closed_at is None]

    async def _really_merge(self, into: UUID, gone: UUID, now: datetime) -> None:
        async with self.db.transaction():
            await operations.merge(self.db, into, gone, now=now, actor="key:1")

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        async def fetch() -> list[tuple[Any, ...]]:
            return await (await self.db.execute(query)).fetchall()

        return self.run(fetch())


def _worth(accounts: Any) -> tuple[int, list[Any]]:
    """Points of both together, and the lots they lie in, without which account that is."""
    lots = [
        (lot.active_at, str(lot.expires_at), lot.remaining)
        for one in accounts
        for lot in one.lots
        if lot.remaining
    ]
    return sum(one.active + one.pending for one in accounts), sorted(lots)


class TestReplay:
    def test_gives_what_the_database_gives(self, shared_copy):
        with asyncio.Runner() as runner:
            db = runner.run(kit_db.connect(shared_copy.app))
            machine = type("Machine", (LedgerMachine,), {"runner": runner, "db": db})
            try:
                run_state_machine_as_test(
                    machine,
                    settings=settings(
                        max_examples=60,
                        stateful_step_count=25,
                        deadline=None,
                        suppress_health_check=list(HealthCheck),
                    ),
                )
            finally:
                runner.run(db.close())
