from datetime import UTC, datetime, timedelta

import pytest

from vezde.kit.clock import Clock
from vezde.kit.work import failures, timetable
from vezde.kit.work.timetable import Tick

DAILY = Tick("daily", 86_400, 3 * 3600, calendar=True)


class Hands:
    def __init__(self, at):
        self.at = at
        self.clock = Clock(wall=lambda: self.at)


@pytest.fixture
def hands(now):
    return Hands(now)


async def install(database, ticks, now):
    async with database.transaction() as db:
        await timetable.install(db, ticks, now=now)


async def due(database):
    async with database.transaction() as db:
        return await timetable.due(db)


def counting(ran):
    async def tick(_db, now):
        ran.append(now)

    return tick


class TestTick:
    def test_comes_at_its_offset_of_the_period(self, now):
        assert DAILY.following(now) == datetime(2026, 11, 19, 3, tzinfo=UTC)
        assert DAILY.following(datetime(2026, 11, 19, 2, 59, 59, 999999, tzinfo=UTC)) == datetime(
            2026, 11, 19, 3, tzinfo=UTC
        )

    def test_is_always_ahead(self):
        at = datetime(2026, 11, 19, 3, tzinfo=UTC)
        assert DAILY.following(at) == at + timedelta(days=1)


class TestInstall:
    async def test_keeps_the_times_of_a_running_timetable(self, database, now):
        await install(database, [DAILY], now)
        await install(database, [DAILY], now + timedelta(days=3))
        assert await due(database) == DAILY.following(now)

    async def test_forgets_names_that_are_gone(self, database, now):
        await install(database, [DAILY], now)
        await install(database, [], now)
        assert await due(database) is None

    async def test_takes_a_clock_that_was_reset(self, database, now):
        await install(database, [DAILY], now + timedelta(days=900))
        await install(database, [DAILY], now)
        assert await due(database) == DAILY.following(now)


class TestWorkTimetable:
    async def test_runs_each_tick_once_when_due(self, database, hands, now):
        ran = []
        await install(database, [Tick("often", 60)], now)
        handlers = {"often": counting(ran)}
        assert await timetable.work_timetable(database, handlers, clock=hands.clock) == 0
        hands.at += timedelta(seconds=60)
        assert await timetable.work_timetable(database, handlers, clock=hands.clock) == 1
        assert await timetable.work_timetable(database, handlers, clock=hands.clock) == 0
        assert ran == [hands.at]

    async def test_does_not_make_up_for_missed_ticks(self, database, hands, now):
        ran = []
        await install(database, [Tick("often", 60)], now)
        hands.at += timedelta(days=7, seconds=30)
        handlers = {"often": counting(ran)}
        assert await timetable.work_timetable(database, handlers, clock=hands.clock) == 1
        assert len(ran) == 1
        hands.at += timedelta(seconds=30)
        assert await timetable.work_timetable(database, handlers, clock=hands.clock) == 1

    async def test_goes_on_trying_a_tick_that_fails(self, database, hands, now):
        async def fail(_db, _now):
            raise ValueError("anna@example.org")

        await install(database, [DAILY], now)
        hands.at = DAILY.following(now)
        for pause in (*failures.BACKOFF, failures.BACKOFF[-1]):
            assert await timetable.work_timetable(database, {"daily": fail}, clock=hands.clock) == 1
            assert await timetable.work_timetable(database, {"daily": fail}, clock=hands.clock) == 0
            hands.at += pause
        async with database.transaction() as db:
            (failing,) = await timetable.failing(db)
            assert await timetable.due(db) is None
        assert failing.attempts == 6
        assert "anna" not in failing.error
        ran = []
        handlers = {"daily": counting(ran)}
        assert await timetable.work_timetable(database, handlers, clock=hands.clock) == 1
        assert await due(database) == DAILY.following(hands.at)


class TestDue:
    async def test_leaves_out_housekeeping(self, database, now):
        await install(database, [Tick("sweep", 60)], now)
        assert await due(database) is None
