"""Real connections at the same time, and real deaths of backends."""

import asyncio
import contextlib
import random
from datetime import timedelta

import psycopg
import pytest

from ledger import invariants
from ledger.making import (
    DAY,
    accrual,
    commit,
    hold,
    redemption,
    restoration,
    reversal,
)
from vezde.kit import ids
from vezde.kit.errors import Unavailable
from vezde.ledger import operations, queries
from vezde.ledger.model import Debt, DebtPolicy, State

OWED = Debt(DebtPolicy.DEBT)

WAITING = "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = %s"
COUNTS = """
SELECT (SELECT count(*) FROM ledger.entry), (SELECT count(*) FROM ledger.op),
    (SELECT count(*) FROM ledger.lot)
"""
# Of every account: the cache, the entries, the lots agree, and seq has no gap.
BROKEN = """
SELECT a.member_id FROM ledger.account a
LEFT JOIN ledger.entry last ON last.member_id = a.member_id AND last.seq = a.seq
WHERE a.seq <> (SELECT count(*) FROM ledger.entry e WHERE e.member_id = a.member_id)
    OR (a.active, a.pending) <> (coalesce(last.active_after, 0), coalesce(last.pending_after, 0))
    OR a.active <> (SELECT coalesce(sum(l.remaining), 0) FROM ledger.lot l
        WHERE l.member_id = a.member_id AND l.activated_seq IS NOT NULL)
    OR a.pending <> (SELECT coalesce(sum(l.remaining), 0) FROM ledger.lot l
        WHERE l.member_id = a.member_id AND l.activated_seq IS NULL)
"""


class TestParallel:
    async def test_the_same_key_from_eight_connections_has_one_effect(self, database, now):
        [anna] = await _enrolled(database, 1, now)
        answers = await asyncio.gather(*(_accrue(database, now, [accrual(anna)]) for _ in range(8)))
        assert answers == [[1]] * 8
        assert await _row(database, COUNTS) == (1, 1, 1)

    async def test_one_of_eight_contents_under_one_key_wins(self, database, now):
        [anna] = await _enrolled(database, 1, now)
        answers = await asyncio.gather(
            *(_accrue(database, now, [accrual(anna, points=n)]) for n in range(1, 9)),
            return_exceptions=True,
        )
        assert answers.count([1]) == 1
        assert sum(isinstance(answer, operations.OpConflict) for answer in answers) == 7
        assert await _row(database, COUNTS) == (1, 1, 1)

    async def test_shuffled_batches_and_sweeps_do_not_deadlock(self, database, now):
        members = await _enrolled(database, 20, now)
        chance = random.Random(7)

        async def accrue(worker: int) -> None:
            for round_ in range(6):
                batch = [
                    accrual(
                        member,
                        f"{worker}:{round_}",
                        active_at=now + chance.choice((0, 1, 2)) * DAY,
                    )
                    for member in chance.sample(members, len(members))
                ]
                await _accrue(database, now + chance.choice((0, 1, 2)) * DAY, batch)

        async def sweep() -> None:
            for _ in range(12):
                async with database.transaction() as db:
                    await operations.settle_due(db, now=now + DAY, limit=7)

        await asyncio.gather(*(accrue(n) for n in range(6)), sweep(), sweep(), sweep())
        assert await _row(database, BROKEN) is None
        while await _sweep(database, now + 9 * DAY):
            pass
        assert await _row(database, BROKEN) is None
        assert await _row(database, "SELECT sum(active), sum(pending) FROM ledger.account") == (
            20 * 6 * 6 * 37,
            0,
        )

    async def test_two_sweeps_activate_each_lot_once(self, database, now):
        members = await _enrolled(database, 40, now)
        await _accrue(database, now, [accrual(m, active_at=now + DAY) for m in members])
        worked = await asyncio.gather(*(_sweep(database, now + DAY, limit=15) for _ in range(6)))
        while await _sweep(database, now + DAY):
            pass
        assert max(worked) == 15
        assert await _row(database, COUNTS) == (80, 40, 40)
        assert await _row(database, BROKEN) is None


class TestSpendingAtOnce:
    async def test_of_fifty_redemptions_of_all_one_wins(self, database, now):
        [anna] = await _enrolled(database, 1, now)
        await _accrue(database, now, [accrual(anna, points=100)])
        answers = await asyncio.gather(
            *(_redeem(database, now, redemption(anna, 100)) for _ in range(50)),
            return_exceptions=True,
        )
        refused = [one for one in answers if isinstance(one, operations.InsufficientPoints)]
        assert (len(refused), len(answers) - len(refused)) == (49, 1)
        assert await _row(database, "SELECT active FROM ledger.account") == (0,)
        assert await _row(database, BROKEN) is None

    async def test_of_fifty_commits_of_the_same_points_one_wins(self, database, now):
        """Each order holds what it can get; a balance of 100 pays for one of 100."""
        [anna] = await _enrolled(database, 1, now)
        await _accrue(database, now, [accrual(anna, points=100)])

        async def pay() -> int:
            held = hold(anna, 100)
            async with database.transaction() as db:
                await operations.hold(db, held, now=now, actor="key:1")
            async with database.transaction() as db:
                return (
                    await operations.commit(db, commit(held, 100), now=now, actor="key:1")
                ).points

        answers = await asyncio.gather(*(pay() for _ in range(50)), return_exceptions=True)
        refused = [one for one in answers if isinstance(one, operations.InsufficientPoints)]
        assert sorted(map(str, answers)) == sorted(["100", *map(str, refused)])
        assert len(refused) == 49
        assert await _row(database, "SELECT active, held FROM ledger.account") == (0, 0)

    async def test_of_fifty_commits_of_one_hold_one_wins(self, database, now):
        [anna] = await _enrolled(database, 1, now)
        await _accrue(database, now, [accrual(anna, points=100)])
        held = hold(anna, 100)
        async with database.transaction() as db:
            await operations.hold(db, held, now=now, actor="key:1")
        answers = await asyncio.gather(
            *(_commit(database, now, commit(held, 100)) for _ in range(50)),
            return_exceptions=True,
        )
        closed = [one for one in answers if isinstance(one, operations.HoldClosed)]
        assert len(closed) == 49
        assert await _row(database, "SELECT active, held FROM ledger.account") == (0, 0)

    async def test_a_commit_and_the_holds_end_meet_and_one_wins(self, database, now):
        late = now + timedelta(hours=1)
        for turn in range(12):
            [anna] = await _enrolled(database, 1, now)
            await _accrue(database, now, [accrual(anna, points=10)])
            held = hold(anna, 10)
            async with database.transaction() as db:
                await operations.hold(db, held, now=now, actor="key:1")
            # The one's clock says the hold is over, the other's that it is not.
            paid, _ = await asyncio.gather(
                _commit(database, late - timedelta(seconds=1), commit(held, 10)),
                _sweep(database, late),
                return_exceptions=True,
            )
            async with database.transaction() as db:
                state = (await queries.hold(db, anna, held.hold_id)).state
                points = await queries.points(db, anna, as_of=late)
            if isinstance(paid, operations.HoldClosed):
                assert (state, points.active, points.held) == (State.EXPIRED, 10, 0), turn
            else:
                assert (state, points.active, points.held) == (State.COMMITTED, 0, 0), turn

    async def test_redemptions_beside_the_sweep_spend_what_is_left_once(self, database, now):
        members = await _enrolled(database, 10, now)
        soon = [accrual(m, "soon", 30, expires_at=now + DAY) for m in members]
        late = [accrual(m, "late", 30, expires_at=now + 9 * DAY) for m in members]
        await _accrue(database, now, [*soon, *late])
        # Half of them before the points end, half after, while two sweeps let them end.
        spending = [
            _redeem(database, now + (n % 2) * DAY, redemption(member, 20))
            for n in range(4)
            for member in members
        ]
        sweeping = [_sweep(database, now + DAY, limit=3) for _ in range(12)]
        done = await asyncio.gather(*spending, *sweeping, return_exceptions=True)
        spent = sum(20 for one in done if isinstance(one, operations.Spent))
        assert {type(one) for one in done} <= {int, operations.Spent, operations.InsufficientPoints}
        while await _sweep(database, now + DAY):
            pass
        query = """
SELECT sum(points) FILTER (WHERE kind = 'accrue'), -sum(points) FILTER (WHERE kind <> 'accrue')
FROM ledger.entry
"""
        given, gone = await _row(database, query)
        (left,) = await _row(database, "SELECT sum(active) FROM ledger.account")
        assert (given, left) == (600, 600 - gone)
        assert spent <= gone
        assert await _row(database, BROKEN) is None

    async def test_of_two_merges_into_each_other_one_happens(self, database, now):
        for _ in range(8):
            anna, boris = await _enrolled(database, 2, now)
            await _accrue(database, now, [accrual(anna, points=5), accrual(boris, points=7)])
            answers = await asyncio.gather(
                _merge(database, now, anna, boris),
                _merge(database, now, boris, anna),
                return_exceptions=True,
            )
            assert sorted(type(one).__name__ for one in answers) == ["AccountClosed", "NoneType"]
            async with database.transaction() as db:
                both = await queries.points_of(db, [anna, boris], as_of=now)
            assert sorted(one.active for one in both.values()) == [0, 12]

    async def test_everything_at_once_keeps_every_promise(self, database, now):
        """Eight tills, two sweeps, a few members: no deadlock, no point lost or made."""
        members = await _enrolled(database, 4, now)
        chance = random.Random(11)
        await _accrue(
            database,
            now,
            [accrual(m, f"{n}", 50, expires_at=now + n * DAY) for m in members for n in (1, 2, 9)],
        )

        async def till(number: int) -> None:
            for turn in range(8):
                member = chance.choice(members)
                at = now + chance.choice((0, 1, 2)) * DAY
                held = hold(member, chance.randint(1, 40), hours=60)
                with contextlib.suppress(operations.InsufficientPoints, operations.HoldClosed):
                    async with database.transaction() as db:
                        await operations.hold(db, held, now=at, actor=f"till:{number}")
                    async with database.transaction() as db:
                        paid = await operations.commit(
                            db, commit(held, max(held.points - turn, 1)), now=at, actor="till:1"
                        )
                    async with database.transaction() as db:
                        back = restoration(member, paid.seq, 1)
                        await operations.restore(db, back, now=at, actor="till:1")
                with contextlib.suppress(operations.OverReturned):
                    async with database.transaction() as db:
                        one = reversal(member, chance.choice((1, 2, 3)), 3, debt=OWED)
                        await operations.reverse(db, one, now=at, actor="till:1")

        async def sweep() -> None:
            for day in (0, 1, 1, 2, 2):
                await _sweep(database, now + day * DAY, limit=2)

        await asyncio.gather(*(till(n) for n in range(8)), sweep(), sweep())
        assert await _row(database, BROKEN) is None
        async with database.transaction() as db:
            found = await invariants.stored(db)
        assert len(found["accounts"]) == 4
        for row in found["accounts"]:
            assert min(row[1:5]) >= 0
            assert not (row[1] and row[4])


class TestKilled:
    async def test_a_backend_killed_in_mid_batch_leaves_nothing(self, database, server, now):
        members = await _enrolled(database, 40, now)
        batch = [accrual(member, active_at=now + DAY) for member in members]
        async with database.transaction() as other:
            await operations.lock(other, [sorted(members)[20]])  # the batch stops half way here
            pid = asyncio.get_running_loop().create_future()
            dying = asyncio.create_task(_accrue(database, now, batch, pid))
            await _kill_when_waiting(server, await pid)
            with pytest.raises(Unavailable):
                await dying
        assert await _row(database, COUNTS) == (0, 0, 0)
        for _ in range(2):
            assert await _accrue(database, now, batch) == [1] * 40
        assert await _row(database, COUNTS) == (40, 40, 40)
        assert await _row(database, BROKEN) is None

    async def test_retries_converge_whenever_it_is_killed(self, database, server, now):
        members = await _enrolled(database, 60, now)
        batch = [accrual(member, active_at=now + DAY) for member in members]
        for after_ms in (0, 2, 4, 6, 8, 12, 20):
            pid = asyncio.get_running_loop().create_future()
            dying = asyncio.create_task(_accrue(database, now, batch, pid))
            backend = await pid
            await asyncio.sleep(after_ms / 1000)
            _kill(server, backend)
            with contextlib.suppress(Unavailable):
                assert await dying == [1] * 60
            assert await _row(database, COUNTS) in ((0, 0, 0), (60, 60, 60))
        assert await _accrue(database, now, batch) == [1] * 60
        assert await _row(database, COUNTS) == (60, 60, 60)
        assert await _row(database, BROKEN) is None


async def _enrolled(database, count, now):
    members = [ids.new() for _ in range(count)]
    async with database.transaction() as db:
        await operations.open_accounts(db, members, now=now)
    return members


async def _accrue(database, now, batch, pid=None):
    async with database.transaction() as db:
        if pid is not None:
            pid.set_result(db.info.backend_pid)
        return await operations.accrue(db, batch, now=now, actor="system")


async def _redeem(database, now, command):
    async with database.transaction() as db:
        return await operations.redeem(db, command, now=now, actor="key:1")


async def _commit(database, now, command):
    async with database.transaction() as db:
        return await operations.commit(db, command, now=now, actor="key:1")


async def _merge(database, now, into, gone):
    async with database.transaction() as db:
        await operations.merge(db, into, gone, now=now, actor="key:1")


async def _sweep(database, now, limit=100):
    async with database.transaction() as db:
        return (await operations.settle_due(db, now=now, limit=limit))[0]


async def _row(database, query):
    async with database.transaction() as db:
        return await (await db.execute(query)).fetchone()


async def _kill_when_waiting(server, pid):
    with psycopg.connect(server.superuser, autocommit=True) as admin:
        for _ in range(500):
            if admin.execute(WAITING, [pid]).fetchone()[0]:
                break
            await asyncio.sleep(0.01)
        else:
            pytest.fail("the batch never came to wait for the locked account")
    _kill(server, pid)


def _kill(server, pid):
    with psycopg.connect(server.superuser, autocommit=True) as admin:
        admin.execute("SELECT pg_terminate_backend(%s)", [pid])
