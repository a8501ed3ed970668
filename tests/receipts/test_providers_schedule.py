"""When a receipt is asked for again."""

from datetime import timedelta

import pytest

from vezde.receipts.providers import schedule

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def ages():
    """How old the question is at each ask that follows the first."""
    age, attempt = timedelta(0), 0
    while (wait := schedule.not_yet(attempt, jitter=0)) is not None:
        age += wait
        attempt += 1
        yield age


class TestNotYet:
    def test_asks_at_five_minutes_an_hour_six_a_day_three_then_daily_to_thirty(self):
        asked = list(ages())
        assert asked[:5] == [timedelta(minutes=5), HOUR, 6 * HOUR, DAY, 3 * DAY]
        assert asked[5:] == [day * DAY for day in range(4, 31)]

    def test_gives_up_after_the_thirtieth_day(self):
        assert schedule.not_yet(31, jitter=0) == DAY
        assert schedule.not_yet(32, jitter=0) is None
        assert schedule.not_yet(33, jitter=0) is None

    def test_jitter_makes_it_at_most_a_tenth_earlier(self):
        assert schedule.not_yet(0, jitter=0.999) > timedelta(minutes=4.5)
        assert schedule.not_yet(0, jitter=0.5) < timedelta(minutes=5)


class TestUnavailable:
    def test_grows_to_an_hour_and_stays(self):
        waits = [schedule.unavailable(n, jitter=0).total_seconds() for n in range(7)]
        assert waits == [30, 120, 600, 1800, 3600, 3600, 3600]


class TestQuota:
    def test_grows_to_a_day_and_stays(self):
        waits = [schedule.quota(n, None, jitter=0) for n in range(6)]
        assert waits == [HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, DAY]

    @pytest.mark.parametrize("jitter", [0, 0.5, 0.999])
    def test_is_never_shorter_than_the_vendor_says(self, jitter):
        wait = schedule.quota(4, 60, jitter=jitter)
        assert timedelta(seconds=60) <= wait < timedelta(seconds=66)
