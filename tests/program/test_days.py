from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vezde.program import days

MOSCOW, KALININGRAD, VLADIVOSTOK = (
    ZoneInfo(name) for name in ("Europe/Moscow", "Europe/Kaliningrad", "Asia/Vladivostok")
)
BERLIN, CAIRO = ZoneInfo("Europe/Berlin"), ZoneInfo("Africa/Cairo")


def moment(text: str, zone: ZoneInfo = MOSCOW) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


class TestDayOf:
    def test_is_the_local_day_not_the_utc_one(self):
        # 22:30 UTC is half past one of the next day in Moscow.
        start, end = days.day_of(MOSCOW, datetime(2026, 11, 18, 22, 30, tzinfo=UTC))
        assert start == datetime(2026, 11, 18, 21, tzinfo=UTC)
        assert end == datetime(2026, 11, 19, 21, tzinfo=UTC)

    @pytest.mark.parametrize("zone", [MOSCOW, KALININGRAD, VLADIVOSTOK, BERLIN])
    def test_holds_its_first_instant_and_not_the_next_days(self, zone):
        midnight = moment("2026-11-18T00:00", zone)
        start, end = days.day_of(zone, midnight)
        assert start == midnight
        assert days.day_of(zone, end - timedelta(microseconds=1)) == (start, end)
        assert days.day_of(zone, end)[0] == end

    def test_has_23_or_25_hours_when_the_clocks_change(self):
        start, end = days.day_of(BERLIN, moment("2026-03-29T12:00", BERLIN))
        assert end - start == timedelta(hours=23)
        start, end = days.day_of(BERLIN, moment("2026-10-25T12:00", BERLIN))
        assert end - start == timedelta(hours=25)

    def test_starts_after_a_midnight_that_is_skipped(self):
        # Cairo goes from 24 April 23:59 to 25 April 01:00.
        start, _end = days.day_of(CAIRO, moment("2026-04-24T12:00", CAIRO))
        assert start.astimezone(CAIRO).hour == 1

    @pytest.mark.parametrize("year", [1, 9999])
    def test_is_empty_at_the_ends_of_the_calendar(self, year):
        instant = datetime(year, 1, 1, tzinfo=UTC)
        assert days.day_of(MOSCOW, instant) == (instant, instant)

    @settings(deadline=None)
    @given(st.datetimes(datetime(1990, 1, 1), datetime(2060, 1, 1)))
    def test_contains_its_instant(self, naive):
        instant = naive.replace(tzinfo=UTC)
        for zone in (MOSCOW, BERLIN, CAIRO):
            start, end = days.day_of(zone, instant)
            assert start <= instant < end


class TestPlusDays:
    def test_keeps_the_local_time_over_a_clock_change(self):
        before = moment("2026-03-28T15:00", BERLIN)
        assert days.plus_days(BERLIN, before, 1) == moment("2026-03-29T15:00", BERLIN)

    def test_goes_back(self):
        assert days.plus_days(MOSCOW, moment("2026-03-01T10:00"), -1) == moment("2026-02-28T10:00")


class TestEndAfterMonths:
    @pytest.mark.parametrize(
        ("start", "months", "end"),
        [
            ("2026-01-31T10:00", 1, "2026-03-01T00:00"),  # to the end of 28 February
            ("2028-01-31T10:00", 1, "2028-03-01T00:00"),  # to the end of 29 February
            ("2026-02-28T10:00", 12, "2027-03-01T00:00"),
            ("2028-02-29T10:00", 12, "2029-03-01T00:00"),
            ("2028-02-29T10:00", 48, "2032-03-01T00:00"),
            ("2026-11-18T12:00", 12, "2027-11-19T00:00"),
            ("2026-12-31T23:59", 2, "2027-03-01T00:00"),
            ("2026-08-31T00:00", 6, "2027-03-01T00:00"),
            ("2026-11-30T12:00", 1, "2026-12-31T00:00"),
        ],
    )
    def test_is_the_end_of_that_day_of_that_month(self, start, months, end):
        assert days.end_after_months(MOSCOW, moment(start), months) == moment(end)

    def test_counts_from_the_local_date(self):
        # 30 January 22:00 UTC is 31 January in Moscow.
        instant = datetime(2026, 1, 30, 22, tzinfo=UTC)
        assert days.end_after_months(MOSCOW, instant, 1) == moment("2026-03-01T00:00")


class TestEndAfterDays:
    def test_lasts_to_the_end_of_the_last_day(self):
        assert days.end_after_days(MOSCOW, moment("2026-11-18T00:00"), 1) == moment(
            "2026-11-20T00:00"
        )
        assert days.end_after_days(MOSCOW, moment("2026-11-18T23:59"), 1) == moment(
            "2026-11-20T00:00"
        )

    @settings(deadline=None)
    @given(
        st.datetimes(datetime(2020, 1, 1), datetime(2060, 1, 1)),
        st.integers(1, 1000),
        st.sampled_from([MOSCOW, BERLIN, CAIRO]),
    )
    def test_is_later_the_later_it_starts_and_the_longer_it_lasts(self, naive, number, zone):
        instant = naive.replace(tzinfo=UTC)
        end = days.end_after_days(zone, instant, number)
        assert end > instant + timedelta(days=number) - timedelta(hours=2)
        assert days.end_after_days(zone, instant + timedelta(hours=1), number) >= end
        assert days.end_after_days(zone, instant, number + 1) > end
        assert days.end_after_months(zone, instant, number + 1) > days.end_after_months(
            zone, instant, number
        )
