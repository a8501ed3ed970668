from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import psycopg
import pytest

from ledger.making import DAY, accrual
from vezde.kit.money import MAX_BIGINT
from vezde.ledger import operations, queries
from vezde.ledger.model import EntryKind, Part
from vezde.ledger.operations import accruing

TICK = timedelta(microseconds=1)
ALL_ROWS = """
SELECT (SELECT count(*) FROM ledger.entry WHERE member_id = %(m)s),
    (SELECT count(*) FROM ledger.op WHERE member_id = %(m)s),
    (SELECT count(*) FROM ledger.lot WHERE member_id = %(m)s),
    (SELECT count(*) FROM ledger.due WHERE member_id = %(m)s)
"""


class TestOpenAccounts:
    async def test_keeps_an_account_that_is_there(self, db, anna, now):
        await _accrue(db, now, accrual(anna))
        await operations.open_accounts(db, [anna, anna], now=now + DAY)
        assert (await queries.points(db, anna, as_of=now)).active == 37


class TestLock:
    async def test_refuses_a_member_without_an_account(self, db, anna):
        with pytest.raises(operations.AccountMissing):
            await operations.lock(db, [anna, uuid4()])

    async def test_refuses_a_closed_account(self, db, anna, now):
        await _close(db, anna, now)
        with pytest.raises(operations.AccountClosed):
            await operations.lock(db, [anna])

    async def test_takes_accounts_in_any_order_and_twice(self, db, anna, boris):
        await operations.lock(db, [boris, anna, boris])


class TestAccrue:
    async def test_gives_points_at_once_when_nothing_holds_them(self, db, anna, now):
        assert await _accrue(db, now, accrual(anna, points=37, active_at=now)) == [1]
        points = await queries.points(db, anna, as_of=now)
        assert (points.active, points.pending) == (37, 0)
        assert points.next_expiry.points == 37

    async def test_leaves_points_pending_until_their_instant(self, db, anna, now):
        await _accrue(db, now, accrual(anna, points=37, active_at=now + DAY))
        points = await queries.points(db, anna, as_of=now)
        assert (points.active, points.pending) == (0, 37)
        assert await queries.next_due(db) == now + DAY

    async def test_answers_a_repeat_as_the_first_time(self, db, anna, now):
        first = accrual(anna, "purchase:1")
        await _accrue(db, now, first, accrual(anna, "purchase:2"))
        before = await _rows(db, anna)
        assert await _accrue(db, now + DAY, first) == [1]
        assert await _rows(db, anna) == before

    async def test_does_a_command_twice_in_a_batch_once(self, db, anna, now):
        twice = accrual(anna)
        assert await _accrue(db, now, twice, accrual(anna, "purchase:2"), twice) == [1, 2, 1]

    async def test_answers_in_the_order_given(self, db, anna, boris, now):
        first, second = sorted([anna, boris])
        await _accrue(db, now, accrual(first, "earlier"))
        answers = await _accrue(
            db, now, accrual(second, "a"), accrual(first, "a"), accrual(second, "b")
        )
        assert answers == [1, 2, 2]

    async def test_keeps_the_same_key_of_two_members_apart(self, db, anna, boris, now):
        assert await _accrue(db, now, accrual(anna, points=1), accrual(boris, points=2)) == [1, 1]

    async def test_refuses_other_content_under_the_same_key(self, db, anna, now):
        await _accrue(db, now, accrual(anna, points=37))
        before = await _rows(db, anna)
        with pytest.raises(operations.OpConflict) as refused:
            await _accrue(db, now, accrual(anna, points=38))
        assert refused.value.extra == {"member_id": str(anna), "op_key": "purchase:1"}
        assert await _rows(db, anna) == before

    async def test_names_the_first_refused_in_the_order_given(self, db, anna, boris, now):
        await _accrue(db, now, accrual(anna), accrual(boris))
        clashing = [accrual(member, points=1) for member in sorted([anna, boris], reverse=True)]
        with pytest.raises(operations.OpConflict) as refused:
            await _accrue(db, now, *clashing)
        assert refused.value.extra["member_id"] == str(clashing[0].member_id)

    @pytest.mark.parametrize("points", [0, -5, MAX_BIGINT + 1])
    async def test_refuses_an_amount_that_is_none_before_writing(self, db, anna, now, points):
        with pytest.raises(operations.BadAccrual):
            await _accrue(db, now, accrual(anna, "good"), accrual(anna, points=points))
        assert await _rows(db, anna) == (0, 0, 0, 0)

    async def test_refuses_parts_that_do_not_add_up(self, db, anna, now):
        with pytest.raises(operations.BadAccrual, match="add up to 36"):
            await _accrue(db, now, accrual(anna, parts=(Part(1, "base", 500, 36),)))

    async def test_refuses_them_in_the_database_as_well(self, db, anna, now):
        good = accruing._arguments(accrual(anna), now, "system")
        for proof in ('{"parts":[[1,"base",500,36]]}', '{"parts":[]}', "{}", None):
            cursor = await db.execute(accruing.ACCRUE, [*good[:-1], proof])
            assert await cursor.fetchone() == ("parts_differ", None)
        for points in (0, -37):
            cursor = await db.execute(accruing.ACCRUE, [*good[:4], points, *good[5:]])
            assert await cursor.fetchone() == ("not_positive", None)
        assert await _rows(db, anna) == (0, 0, 0, 0)

    async def test_refuses_more_than_an_account_can_count(self, db, anna, now):
        await _accrue(db, now, accrual(anna, "a", points=MAX_BIGINT - 1, active_at=now + DAY))
        before = await _rows(db, anna)
        with pytest.raises(operations.TooManyPoints):
            await _accrue(db, now, accrual(anna, "b", points=2))
        assert await _rows(db, anna) == before
        await _accrue(db, now, accrual(anna, "c", points=1))
        assert (await queries.points(db, anna, as_of=now + DAY)).active == MAX_BIGINT

    async def test_refuses_a_missing_account(self, db, now):
        nobody = uuid4()
        with pytest.raises(operations.AccountMissing):
            await _accrue(db, now, accrual(nobody))
        assert await _rows(db, nobody) == (0, 0, 0, 0)

    async def test_refuses_a_closed_account_but_answers_its_repeats(self, db, anna, now):
        first = accrual(anna)
        await _accrue(db, now, first)
        await _close(db, anna, now)
        with pytest.raises(operations.AccountClosed):
            await _accrue(db, now, accrual(anna, "purchase:2"))
        assert await _accrue(db, now, first) == [1]

    async def test_never_records_earlier_than_before(self, db, anna, now):
        await _accrue(db, now + DAY, accrual(anna, "a"))
        await _accrue(db, now, accrual(anna, "b", active_at=now + DAY))
        last = (await queries.history(db, anna, limit=1))[0]
        assert (last.recorded_at, last.active_after) == (now + DAY, 74)

    async def test_remembers_when_the_member_was_last_active(self, db, anna, now):
        for key, occurred_at in (("a", now + DAY), ("b", now - 30 * DAY)):
            await _accrue(db, now, accrual(anna, key, occurred_at=occurred_at))
        assert await _account(db, anna, "last_activity_at") == now + DAY

    async def test_does_nothing_for_no_accruals(self, db, now):
        assert await _accrue(db, now) == []

    async def test_goes_into_a_pipeline_with_other_writes(self, database, now):
        members = [uuid4() for _ in range(30)]
        async with database.transaction() as db:
            await operations.open_accounts(db, members, now=now)
        async with database.transaction(pipeline=True) as db:
            await operations.lock(db, members)
            await db.execute("SELECT 1")
            made = await _accrue(db, now, *(accrual(member) for member in members))
            assert made == [1] * 30
        with pytest.raises(operations.OpConflict):
            async with database.transaction(pipeline=True) as db:
                await _accrue(db, now, accrual(members[0], "new"), accrual(members[1], points=1))
        async with database.transaction() as db:
            assert await _rows(db, members[0]) == (1, 1, 1, 1)


class TestSettleDue:
    async def test_makes_active_what_is_due_and_nothing_else(self, db, anna, boris, now):
        await _accrue(
            db,
            now,
            accrual(anna, "a", 1, active_at=now + DAY),
            accrual(anna, "b", 2, active_at=now + 2 * DAY),
            accrual(boris, "a", 4, active_at=now + DAY + TICK),
        )
        assert await _sweep(db, now + DAY - TICK) == 0
        assert await _sweep(db, now + DAY) == 1
        assert await _account(db, anna, "active", "pending", "next_due_at") == (1, 2, now + 2 * DAY)
        assert await _account(db, boris, "active", "pending") == (0, 4)
        assert await _sweep(db, now + 2 * DAY) == 2
        assert await _sweep(db, now + 9 * DAY) == 0
        assert await _account(db, anna, "active", "next_due_at") == (3, now + 365 * DAY)

    async def test_writes_when_it_fell_due_and_when_it_was_written(self, db, anna, now):
        await _accrue(db, now, accrual(anna, points=9, active_at=now + DAY, title="Ozon"))
        await _sweep(db, now + 3 * DAY)
        entry = (await queries.history(db, anna, limit=1))[0]
        assert (entry.kind, entry.points, entry.lot_seq) == (EntryKind.ACTIVATE, 9, 1)
        assert (entry.occurred_at, entry.recorded_at) == (now + DAY, now + 3 * DAY)
        assert (entry.title, entry.actor, entry.op_key) == ("Ozon", "system", None)

    async def test_gives_the_entries_a_touch_would_have_given(self, db, anna, boris, now):
        for member in (anna, boris):
            await _accrue(
                db,
                now,
                accrual(member, "a", 1, active_at=now + 2 * DAY),
                accrual(member, "b", 2, active_at=now + DAY),
                accrual(member, "c", 4, active_at=now + 2 * DAY),
            )
            for day in (1, 2, 2) if member == anna else ():
                await _sweep(db, now + day * DAY)
        for member in (anna, boris):
            await _accrue(db, now + 3 * DAY, accrual(member, "d", 8))
        swept, lazy = [await queries.history(db, member, limit=20) for member in (anna, boris)]
        assert [entry.points for entry in lazy] == [8, 4, 1, 2, 4, 2, 1]
        assert [replace(e, member_id=boris, recorded_at=now) for e in swept] == [
            replace(e, recorded_at=now) for e in lazy
        ]

    async def test_works_a_bounded_batch_soonest_first(self, db, anna, now):
        days = [accrual(anna, f"{n}", active_at=now + n * DAY) for n in (3, 1, 2)]
        await _accrue(db, now, *days)
        assert await _sweep(db, now + 9 * DAY, limit=1) == 1
        assert await queries.next_due(db) == now + 3 * DAY
        assert await _account(db, anna, "active") == 3 * 37
        assert await _sweep(db, now + 9 * DAY) == 1
        assert await queries.next_due(db) == now + 365 * DAY

    async def test_leaves_a_closed_account_alone(self, db, anna, now):
        await _accrue(db, now, accrual(anna, active_at=now + DAY))
        await _close(db, anna, now)
        assert await _sweep(db, now + DAY) == 1
        assert await _account(db, anna, "active", "pending") == (0, 37)


class TestPrivileges:
    @pytest.mark.parametrize("table", ["entry", "alloc", "op"])
    @pytest.mark.parametrize(
        "change", ["UPDATE ledger.{} SET member_id = NULL", "DELETE FROM ledger.{}"]
    )
    async def test_the_application_cannot_change_what_is_written(self, db, table, change):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await db.execute(change.format(table))

    @pytest.mark.parametrize("table", ["account", "lot", "hold", "adjustment"])
    async def test_it_cannot_delete_what_may_change(self, db, table):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await db.execute(f"DELETE FROM ledger.{table}")


async def _accrue(db, now, *accruals):
    return await operations.accrue(db, accruals, now=now, actor="system")


async def _sweep(db, now, limit=100):
    return (await operations.settle_due(db, now=now, limit=limit))[0]


async def _rows(db, member_id):
    return await (await db.execute(ALL_ROWS, {"m": member_id})).fetchone()


async def _account(db, member_id, *columns):
    cursor = await db.execute(
        f"SELECT {', '.join(columns)} FROM ledger.account WHERE member_id = %s", [member_id]
    )
    row = await cursor.fetchone()
    return row if len(columns) > 1 else row[0]


async def _close(db, member_id, now):
    await db.execute(
        "UPDATE ledger.account SET closed_at = %s WHERE member_id = %s", [now, member_id]
    )
