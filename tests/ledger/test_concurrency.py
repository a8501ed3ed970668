"""Real connections at the same time, and real deaths of backends."""

import asyncio
import contextlib
import random

import psycopg
import pytest

from ledger.making import DAY, accrual
from vezde.kit import ids
from vezde.kit.errors import Unavailable
from vezde.ledger import operations

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
