import asyncio
from uuid import UUID

import pytest

from ledger.making import DAY, accrual, hold, redemption, restoration, reversal
from vezde.kit import ids
from vezde.kit.money import MAX_BIGINT
from vezde.ledger import operations, queries
from vezde.ledger.model import (
    NO_POINTS,
    Debt,
    DebtPolicy,
    EntryKind,
    NextExpiry,
    Release,
    State,
    Taken,
)

LOTS = """
SELECT points, remaining, active_at, expires_at, use_order, activated_seq IS NULL FROM ledger.lot
WHERE member_id = %s AND open ORDER BY seq
"""
OWED = Debt(DebtPolicy.DEBT)


class TestMerge:
    async def test_carries_each_lot_as_it_was(self, db, anna, boris, now):
        await _accrue(db, now, accrual(boris, "own", 3))
        await _accrue(
            db,
            now,
            accrual(anna, "a", 10, expires_at=now + 9 * DAY),
            accrual(anna, "b", 5, active_at=now + 2 * DAY, expires_at=None, title="Ozon"),
        )
        before = await _lots(db, anna)
        await _merge(db, boris, anna, now + DAY)
        assert (await _lots(db, boris))[1:] == before
        points = await queries.points(db, boris, as_of=now + DAY)
        assert (points.active, points.pending) == (13, 5)
        assert points.next_expiry == NextExpiry(10, now + 9 * DAY)
        newest, *_ = await queries.history(db, boris, limit=5)
        assert (newest.kind, newest.points, newest.title) == (EntryKind.OPEN, 5, "Ozon")

    async def test_leaves_nothing_in_the_other_which_refuses_everything(self, db, anna, boris, now):
        await _accrue(db, now, accrual(anna, "a", 10), accrual(anna, "b", 5, active_at=now + DAY))
        await _merge(db, boris, anna, now)
        assert await _lots(db, anna) == []
        points = await queries.points(db, anna, as_of=now)
        assert (points.active, points.pending, points.next_expiry) == (0, 0, None)
        last, *_ = await queries.history(db, anna, limit=1)
        assert (last.kind, last.points) == (EntryKind.CLOSE, -15)
        closing = await queries.entry(db, anna, last.seq)
        assert closing.lots == (Taken(1, 10), Taken(2, 5))
        assert closing.proof == {"into": str(boris)}
        for verb in (
            _accrue(db, now, accrual(anna, "c")),
            operations.lock(db, [anna]),
            _merge(db, boris, anna, now),
            _merge(db, anna, boris, now),
            operations.forget(db, anna, now=now, actor="key:1"),
        ):
            with pytest.raises(operations.AccountClosed):
                await verb

    async def test_of_an_empty_account_closes_it(self, db, anna, boris, now):
        await _merge(db, boris, anna, now)
        (last,) = await queries.history(db, anna, limit=5)
        assert (last.kind, last.points) == (EntryKind.CLOSE, 0)
        assert await queries.history(db, boris, limit=5) == []

    async def test_tells_where_a_lot_first_came_from(self, db, anna, boris, now):
        vera = ids.new()
        await operations.open_accounts(db, [vera], now=now)
        await _accrue(db, now, accrual(anna, "empty", 1), accrual(anna, "a", 10))
        await _merge(db, boris, anna, now)
        await _merge(db, vera, boris, now)
        opened = await queries.entry(db, vera, 2)
        assert opened.origin == (anna, 2)
        assert opened.proof["from"] == [str(boris), 2]
        assert (await queries.entry(db, *opened.origin)).parts[0].points == 10

    async def test_makes_what_is_due_active_once(self, db, anna, boris, now):
        await _accrue(db, now, accrual(anna, "a", 10, active_at=now + DAY))
        await _merge(db, boris, anna, now + 2 * DAY)
        kinds = [entry.kind for entry in reversed(await queries.history(db, anna, limit=9))]
        assert kinds == [EntryKind.ACCRUE, EntryKind.ACTIVATE, EntryKind.CLOSE]
        assert (await queries.points(db, boris, as_of=now + 2 * DAY)).active == 10

    async def test_of_an_account_ahead_in_time_keeps_active_what_is(self, db, anna, boris, now):
        await _accrue(db, now, accrual(anna, "a", 10, active_at=now + DAY))
        await _accrue(db, now + DAY, accrual(anna, "b", 5, active_at=now))
        await _merge(db, boris, anna, now)
        points = await queries.points(db, boris, as_of=now + DAY)
        assert (points.active, points.pending) == (15, 0)

    async def test_lets_pending_points_become_active_in_their_time(self, db, anna, boris, now):
        await _accrue(db, now, accrual(anna, "a", 10, active_at=now + 3 * DAY))
        await _merge(db, boris, anna, now)
        assert (await operations.settle_due(db, now=now + 3 * DAY, limit=9))[0] == 2
        (activated, _opened) = await queries.history(db, boris, limit=9)
        assert (activated.kind, activated.active_after) == (EntryKind.ACTIVATE, 10)
        assert await queries.next_due(db) == now + 365 * DAY

    async def test_keeps_what_was_known_before(self, db, anna, boris, now):
        await _accrue(db, now, accrual(anna, "a", 10, expires_at=now + 9 * DAY))
        asked = [await queries.points(db, who, as_of=now) for who in (anna, boris)]
        await _merge(db, boris, anna, now + DAY)
        assert [await queries.points(db, who, as_of=now) for who in (anna, boris)] == asked

    async def test_carries_when_the_member_was_last_active(self, db, anna, boris, now):
        await _accrue(db, now, accrual(anna, "a", 10, occurred_at=now + DAY))
        await _merge(db, boris, anna, now + 2 * DAY)
        cursor = await db.execute(
            "SELECT last_activity_at FROM ledger.account WHERE member_id = %s", [boris]
        )
        assert await cursor.fetchone() == (now + DAY,)

    async def test_refuses_more_than_an_account_can_count(self, db, anna, boris, now):
        await _accrue(db, now, accrual(anna, "a", MAX_BIGINT), accrual(boris, "a", 1))
        with pytest.raises(operations.TooManyPoints):
            await _merge(db, boris, anna, now)

    async def test_waits_for_what_is_held(self, db, anna, boris, now):
        await _accrue(db, now, accrual(anna, "a", 10))
        await operations.hold(db, hold(anna, 3), now=now, actor="key:1")
        with pytest.raises(operations.PointsUnsettled):
            await _merge(db, boris, anna, now)
        await _merge(db, anna, boris, now)
        assert (await queries.points(db, anna, as_of=now)).held == 3

    async def test_moves_what_is_owed_and_repays_it_from_what_both_have(self, db, anna, boris, now):
        await _accrue(db, now, accrual(anna, "a", 10), accrual(boris, "a", 4))
        await operations.redeem(db, redemption(anna, 10), now=now, actor="key:1")
        await operations.reverse(db, reversal(anna, 1, 10, debt=OWED), now=now, actor="key:1")
        await _merge(db, boris, anna, now)
        points = await queries.points(db, boris, as_of=now)
        assert (points.active, points.debt) == (0, 6)
        kinds = [one.kind for one in await queries.history(db, boris, limit=9)]
        assert kinds == [EntryKind.REPAY, EntryKind.OPEN, EntryKind.ACCRUE]
        last, *_ = await queries.history(db, anna, limit=1)
        assert (last.kind, last.points, last.debt_after) == (EntryKind.CLOSE, 10, 0)

    async def test_needs_both_accounts(self, db, anna, now):
        for pair in ((anna, ids.new()), (ids.new(), anna)):
            with pytest.raises(operations.AccountMissing):
                await _merge(db, *pair, now)

    async def test_beside_accruals_and_sweeps_loses_no_point(self, database, now):
        members = [ids.new() for _ in range(12)]
        async with database.transaction() as db:
            await operations.open_accounts(db, members, now=now)
        given = 0

        async def accrue(worker: int) -> None:
            nonlocal given
            for n in range(12):
                who = members[(worker * 5 + n) % 12]
                command = accrual(who, f"{worker}:{n}", 7, active_at=now + (n % 3) * DAY)
                try:
                    async with database.transaction() as db:
                        await _accrue(db, now, command)
                except operations.AccountClosed:
                    continue
                given += 7

        async def sweep() -> None:
            for _ in range(10):
                async with database.transaction() as db:
                    await operations.settle_due(db, now=now + DAY, limit=5)

        async def merge(into: UUID, gone: UUID) -> None:
            async with database.transaction() as db:
                await _merge(db, into, gone, now)

        pairs = [merge(into, gone) for into, gone in zip(members[:6], members[:5:-1], strict=True)]
        await asyncio.gather(*(accrue(n) for n in range(4)), sweep(), sweep(), *pairs)
        async with database.transaction() as db:
            cursor = await db.execute("SELECT sum(active + pending) FROM ledger.account")
            assert await cursor.fetchone() == (given,)


class TestUnmerge:
    async def test_gives_back_what_is_left_and_opens_the_account(self, db, anna, boris, now):
        soon, late = now + 5 * DAY, now + 9 * DAY
        await _accrue(db, now, accrual(anna, "a", 10, expires_at=soon), accrual(boris, "own", 3))
        await _accrue(db, now, accrual(anna, "b", 5, active_at=now + 2 * DAY, expires_at=late))
        before = await _lots(db, anna)
        await _merge(db, boris, anna, now)
        await operations.redeem(db, redemption(boris, 4), now=now, actor="key:1")
        await _unmerge(db, boris, anna, now + DAY)
        first, second = await _lots(db, anna)
        assert (first[1], first[2:], second) == (6, before[0][2:], before[1])
        assert [lot[1] for lot in await _lots(db, boris)] == [3]
        await _accrue(db, now + DAY, accrual(anna, "c", 1))
        # Her own redemptions and accruals are hers again, and she may be merged once more.
        back = reversal(anna, 1, 10)
        done = await operations.reverse(db, back, now=now + DAY, actor="key:1")
        assert (done.from_own_lot, done.from_other_lots) == (6, 1)
        await _merge(db, boris, anna, now + DAY)
        assert (await queries.points(db, boris, as_of=now + DAY)).pending == 5

    async def test_counts_what_was_returned_while_they_were_one(self, db, anna, boris, now):
        await _accrue(db, now, accrual(anna, "a", 10))
        await operations.redeem(db, redemption(anna, 6), now=now, actor="key:1")
        await _merge(db, boris, anna, now)
        there = restoration(boris, 2, 5, debit_member=anna)
        await operations.restore(db, there, now=now, actor="key:1")
        await _unmerge(db, boris, anna, now)
        assert (await queries.points(db, anna, as_of=now)).active == 9
        with pytest.raises(operations.OverReturned):
            await operations.restore(db, restoration(anna, 2, 2), now=now, actor="key:1")
        await operations.restore(db, restoration(anna, 2, 1), now=now, actor="key:1")
        assert (await queries.points(db, anna, as_of=now)).active == 10

    async def test_takes_the_debt_along(self, db, anna, boris, now):
        await _accrue(db, now, accrual(anna, "a", 10))
        await operations.redeem(db, redemption(anna, 10), now=now, actor="key:1")
        await operations.reverse(db, reversal(anna, 1, 7, debt=OWED), now=now, actor="key:1")
        await _merge(db, boris, anna, now)
        await _accrue(db, now, accrual(boris, "own", 3))
        await _unmerge(db, boris, anna, now)
        assert (await queries.points(db, boris, as_of=now)).debt == 0
        assert (await queries.points(db, anna, as_of=now)).debt == 4

    async def test_of_a_chain_goes_back_the_way_it_came(self, db, anna, boris, now):
        vera = UUID(int=77)
        await operations.open_accounts(db, [vera], now=now)
        await _accrue(db, now, accrual(anna, "a", 10), accrual(boris, "b", 5))
        await _accrue(db, now, accrual(vera, "c", 3))
        first = await _merge(db, boris, anna, now)
        second = await _merge(db, vera, boris, now)
        assert (first["parts"], second["parts"]) == ([str(anna)], [str(boris), str(anna)])
        await _unmerge(db, vera, boris, now, second)
        assert sum(lot[1] for lot in await _lots(db, boris)) == 15
        await _unmerge(db, boris, anna, now, first)
        for member, points in ((anna, 10), (boris, 5), (vera, 3)):
            assert [lot[1] for lot in await _lots(db, member)] == [points]

    async def test_waits_for_an_order_that_has_points_of_it_in_hand(self, db, anna, boris, now):
        await _accrue(db, now, accrual(anna, "a", 10, expires_at=now + DAY), accrual(boris, "b", 5))
        moved = await _merge(db, boris, anna, now)
        held = hold(boris, 10)
        await operations.hold(db, held, now=now, actor="key:1")
        with pytest.raises(operations.PointsUnsettled):
            await _unmerge(db, boris, anna, now, moved)
        release = Release(
            member_id=boris,
            op_key="off",
            occurred_at=now,
            title="Отмена",
            hold_id=held.hold_id,
        )
        await operations.release(db, release, now=now, actor="key:1")
        await operations.hold(db, hold(boris, 12), now=now, actor="key:1")
        with pytest.raises(operations.PointsUnsettled):
            await _unmerge(db, boris, anna, now, moved)

    async def test_is_done_once(self, db, anna, boris, now):
        with pytest.raises(operations.NotMerged):
            await _unmerge(db, boris, anna, now)
        await _merge(db, boris, anna, now)
        with pytest.raises(operations.AccountClosed):
            await _unmerge(db, anna, boris, now)
        await _unmerge(db, boris, anna, now)
        with pytest.raises(operations.NotMerged):
            await _unmerge(db, boris, anna, now)


class TestForget:
    async def test_closes_the_account_and_keeps_its_history(self, db, anna, now):
        await _accrue(db, now, accrual(anna, "a", 10), accrual(anna, "b", 5, active_at=now + DAY))
        await operations.forget(db, anna, now=now, actor="key:1")
        last, *before = await queries.history(db, anna, limit=9)
        assert (last.kind, last.points, last.active_after) == (EntryKind.CLOSE, -15, 0)
        assert [entry.points for entry in before] == [5, 10]
        assert (await operations.settle_due(db, now=now + DAY, limit=9))[0] == 1
        assert (await queries.points(db, anna, as_of=now + DAY)).active == 0

    async def test_forgives_what_is_owed(self, db, anna, now):
        await _accrue(db, now, accrual(anna, "a", 10))
        await operations.redeem(db, redemption(anna, 10), now=now, actor="key:1")
        await operations.reverse(db, reversal(anna, 1, 4, debt=OWED), now=now, actor="key:1")
        await operations.forget(db, anna, now=now, actor="key:1")
        last, *_ = await queries.history(db, anna, limit=1)
        assert (last.points, last.debt_after) == (4, 0)

    async def test_releases_what_is_held(self, db, anna, now):
        await _accrue(db, now, accrual(anna, "a", 10))
        held = hold(anna, 3)
        await operations.hold(db, held, now=now, actor="key:1")
        await operations.forget(db, anna, now=now, actor="key:1")
        assert (await queries.hold(db, anna, held.hold_id)).state is State.RELEASED
        kinds = [one.kind for one in await queries.history(db, anna, limit=2)]
        assert kinds == [EntryKind.CLOSE, EntryKind.RELEASE]
        assert (await queries.points(db, anna, as_of=now)) == NO_POINTS


async def _accrue(db, now, *accruals):
    return await operations.accrue(db, accruals, now=now, actor="system")


async def _merge(db, into, gone, now):
    return await operations.merge(db, into, gone, now=now, actor="key:1")


async def _unmerge(db, into, gone, now, moved=None):
    of = moved or {"parts": [str(gone)], "asked": []}
    await operations.unmerge(db, into, gone, moved=of, now=now, actor="key:1")


async def _lots(db, member_id):
    return await (await db.execute(LOTS, [member_id])).fetchall()
