from datetime import UTC, datetime

from ledger.making import DAY, NOON, accrual
from vezde.ledger import operations, queries
from vezde.ledger.model import EntryKind, NextExpiry

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


class TestInactivity:
    async def test_ends_points_without_a_date_and_no_others(self, db, anna, now):
        await _accrue(db, now, anna, "a", 10, idle=5)
        dated = accrual(anna, "b", 3, expires_at=now + 9 * DAY)
        await operations.accrue(db, [dated], now=now, actor="system")
        points = await queries.points(db, anna, as_of=now)
        assert points.next_expiry == NextExpiry(10, now + 5 * DAY)
        assert (await queries.points(db, anna, as_of=now + 5 * DAY)).active == 3
        _, told = await operations.settle_due(db, now=now + 6 * DAY, limit=9)
        assert [(one.kind, one.points, one.occurred_at) for one in told] == [
            (EntryKind.EXPIRE, -10, now + 5 * DAY)
        ]

    async def test_is_put_off_by_what_the_member_does(self, db, anna, now):
        await _accrue(db, now, anna, "a", 10, idle=5)
        await _accrue(db, now + 4 * DAY, anna, "b", 1, idle=9)
        assert (await operations.settle_due(db, now=now + 8 * DAY, limit=9))[1] == []
        assert (await queries.points(db, anna, as_of=now + 8 * DAY)).active == 11
        assert (await queries.points(db, anna, as_of=now + 9 * DAY)).active == 0

    async def test_of_a_rule_that_begins_grants_everybody_a_full_period(self, db, anna, boris, now):
        await _accrue(db, now, anna, "a", 10)
        await _accrue(db, now, boris, "a", 10, idle=2)
        begins = now + DAY
        await _rule(db, begins, "30 days", begins + 30 * DAY)
        assert await queries.next_rule(db) == begins
        assert await operations.tell_accounts(db, now=now, limit=1) == 0
        while await operations.tell_accounts(db, now=begins, limit=1):
            pass
        assert await queries.next_rule(db) is None
        for member in (anna, boris):
            points = await queries.points(db, member, as_of=now + 9 * DAY)
            assert points.next_expiry == NextExpiry(10, begins + 30 * DAY)
            late = await queries.points(db, member, as_of=begins + 30 * DAY)
            assert late.active == 0
        await operations.settle_due(db, now=begins + 30 * DAY, limit=99)
        (expired, *_) = await queries.history(db, anna, limit=1)
        assert (expired.kind, expired.points) == (EntryKind.EXPIRE, -10)

    async def test_spares_who_was_not_told_in_time(self, db, anna, now):
        await _accrue(db, now, anna, "a", 10, idle=2)
        await _rule(db, now + DAY, "30 days", now + 31 * DAY)
        # Nobody told her account; the sweep asks the rule itself.
        await operations.settle_due(db, now=now + 2 * DAY, limit=9)
        points = await queries.points(db, anna, as_of=now + 2 * DAY)
        assert points.next_expiry == NextExpiry(10, now + 31 * DAY)

    async def test_ends_nothing_once_the_rule_has_ended(self, db, anna, now):
        await _rule(db, BEGINNING, "5 days", now + 5 * DAY)
        await _accrue(db, now, anna, "a", 10, idle=5)
        await _rule(db, now + DAY, None, None)
        assert (await queries.points(db, anna, as_of=now + 9 * DAY)).active == 10
        await operations.settle_due(db, now=now + 9 * DAY, limit=9)
        assert (await queries.points(db, anna, as_of=now + 9 * DAY)).next_expiry is None
        while await operations.tell_accounts(db, now=now + 9 * DAY, limit=9):
            pass

    async def test_of_the_same_rule_again_changes_nothing(self, db, now):
        await _rule(db, BEGINNING, "5 days", now + 5 * DAY)
        await _rule(db, now, "5 days", now + 5 * DAY)
        cursor = await db.execute("SELECT from_at FROM ledger.inactivity")
        assert await cursor.fetchall() == [(BEGINNING,)]


async def _accrue(db, now, member, key, points, idle=None):
    one = accrual(member, key, points, expires_at=None)
    ends_at = None if idle is None else NOON + idle * DAY
    given = {**vars(one), "inactive_at": ends_at}
    await operations.accrue(db, [type(one)(**given)], now=now, actor="system")


async def _rule(db, from_at, rule, inactive_at):
    await operations.set_inactivity(db, from_at=from_at, rule=rule, inactive_at=inactive_at)
