"""Whether a provider may be asked: rules alone, no database."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from vezde.receipts import standing
from vezde.receipts.providers.protocol import Answer, Verdict
from vezde.receipts.standing import Limit, Pause, Standing, Tally

NOW = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)
WORKS = Standing("fns")
DOWN = Answer(Verdict.UNAVAILABLE, note="fns: ConnectError")
FULL = Answer(Verdict.QUOTA, note="fns: HTTP 429")


def failing(times: int) -> Tally:
    return Tally(failed=times, failures=times, last=DOWN)


def after(one: Standing, tally: Tally, *, minutes: float = 0) -> Standing:
    return standing.after(one, tally, wall=NOW + timedelta(minutes=minutes), jitter=0)


class TestAnOutage:
    def test_begins_with_three_failures_in_a_row(self):
        twice = after(after(WORKS, failing(1)), failing(1))
        assert standing.allowed(twice, 8, wall=NOW) == 8
        down = after(twice, failing(1))
        assert (down.paused_because, down.until_wall) == (Pause.OUTAGE, NOW + timedelta(seconds=30))
        assert standing.allowed(down, 8, wall=NOW) == 0

    def test_of_many_asks_at_once_is_one(self):
        assert after(WORKS, failing(8)).until_wall == NOW + timedelta(seconds=30)

    def test_is_forgotten_when_it_answers_between(self):
        assert after(after(WORKS, failing(2)), Tally(answered=True)).failures == 0
        assert after(after(WORKS, failing(2)), Tally(answered=True, failures=1, last=DOWN)) == (
            replace(WORKS, failures=1)
        )

    def test_is_probed_by_one_ask_and_lasts_longer_when_that_fails(self):
        down = after(WORKS, failing(3))
        waits = []
        for _ in range(6):
            at = down.until_wall
            assert standing.allowed(down, 8, wall=at) == 1
            assert standing.status(down, wall=at) == "probing"
            probing = replace(down, probed_until_wall=at + standing.PROBE)
            assert standing.allowed(probing, 8, wall=at) == 0
            assert standing.allowed(probing, 8, wall=at + standing.PROBE) == 1
            down = standing.after(probing, failing(1), wall=at, jitter=0)
            waits.append((down.until_wall - at) / timedelta(minutes=1))
        assert waits == [2, 10, 30, 60, 60, 60]

    def test_ends_when_the_probe_is_answered(self):
        down = after(WORKS, failing(3))
        assert after(down, Tally(answered=True, found=1), minutes=1) == WORKS

    def test_noticed_by_two_workers_counts_once(self):
        down = after(WORKS, failing(3))
        assert after(down, failing(3)) == down

    def test_keeps_when_it_began(self):
        down = after(WORKS, failing(3))
        assert after(down, failing(1), minutes=1).paused_wall == NOW


class TestAQuota:
    def test_ends_when_the_vendor_says(self):
        told = Answer(Verdict.QUOTA, retry_after_seconds=900)
        full = after(WORKS, Tally(failed=1, trouble=told))
        assert full.until_wall == NOW + timedelta(minutes=15)

    def test_does_not_end_by_an_answer_that_was_on_its_way(self):
        full = after(WORKS, Tally(failed=1, trouble=FULL))
        assert after(full, Tally(answered=True, found=1), minutes=1).paused_because == Pause.QUOTA
        assert after(full, failing(3), minutes=1) == full

    def test_is_asked_about_ever_more_rarely(self):
        full, at, waits = WORKS, NOW, []
        for _ in range(5):
            full = standing.after(full, Tally(failed=1, trouble=FULL), wall=at, jitter=0)
            waits.append((full.until_wall - at) / timedelta(hours=1))
            at = full.until_wall
        assert waits == [1, 3, 6, 12, 24]


class TestDistrust:
    WRONG = Tally(failed=1, trouble=Answer(Verdict.WRONG, note="fns: another receipt"))

    def test_lasts_until_an_operator_looks(self):
        liar = after(WORKS, self.WRONG)
        assert (liar.paused_because, liar.until_wall) == (Pause.DISTRUSTED, None)
        year = NOW + timedelta(days=365)
        assert standing.allowed(liar, 1, wall=year) == 0
        assert standing.asks_again(liar, wall=year) is None
        assert after(liar, Tally(answered=True, found=1)) == liar

    def test_outweighs_an_outage_but_not_the_operator(self):
        assert after(after(WORKS, failing(3)), self.WRONG).paused_because == Pause.DISTRUSTED
        by_hand = standing.paused(
            WORKS, Pause.OPERATOR, note="", by="operator:cli", wall=NOW, until=None
        )
        assert after(by_hand, self.WRONG) == by_hand


class TestADay:
    def test_ends_by_number_or_by_money_whichever_is_first(self):
        one = Standing("fns", asks_per_day=10, asked=7, price_kopecks=50)
        assert (one.left, one.used_up) == (3, None)
        poor = replace(one, budget_kopecks_per_day=420, spent_kopecks=350)
        assert (poor.left, poor.running_out) == (1, Limit.BUDGET)
        assert standing.allowed(poor, 8, wall=NOW) == 1
        assert replace(poor, spent_kopecks=400).used_up is Limit.BUDGET
        assert replace(one, asked=10).used_up is Limit.ASKS

    def test_begins_anew_at_midnight_in_moscow(self):
        assert standing.next_day(NOW) == datetime(2026, 11, 18, 21, 0, tzinfo=UTC)
        late = datetime(2026, 11, 18, 22, 0, tzinfo=UTC)
        assert standing.day(late).day == 19

    def test_without_limits_never_ends(self):
        one = Standing("fns", asked=10**6, price_kopecks=50, spent_kopecks=10**9)
        assert (one.left, one.used_up, one.running_out) == (None, None, None)

    def test_warns_at_four_fifths(self):
        assert Standing("fns", asks_per_day=100, asked=79, found=60).running_out is None
        assert Standing("fns", asks_per_day=100, asked=80, found=60).running_out is Limit.ASKS

    @given(
        st.integers(0, 500), st.integers(0, 500), st.integers(0, 90), st.integers(0, 9000),
        st.integers(0, 9000), st.integers(0, 50),
    )  # fmt: skip
    def test_is_never_overdrawn(self, most, asked, price, budget, spent, wanted):
        one = Standing(
            "fns", asks_per_day=most, asked=asked, price_kopecks=price,
            budget_kopecks_per_day=budget, spent_kopecks=spent,
        )  # fmt: skip
        number = standing.allowed(one, wanted, wall=NOW)
        assert 0 <= number <= wanted
        if number:
            assert asked + number <= most
            assert not price or spent + number * price <= budget


class TestSpared:
    FLOOD = Standing("fns", asks_per_day=100, asked=60, found=10, failed=5)

    def test_is_the_rest_of_a_day_that_half_went_for_nothing(self):
        assert self.FLOOD.spared
        assert self.FLOOD.running_out is Limit.ASKS
        by_money = replace(
            self.FLOOD,
            asks_per_day=None,
            price_kopecks=30,
            budget_kopecks_per_day=3_000,
            spent_kopecks=1_800,
        )
        assert (by_money.spared, by_money.running_out) == (True, Limit.BUDGET)

    def test_is_not_a_day_of_which_most_was_found_or_failed(self):
        assert not replace(self.FLOOD, found=30).spared
        assert not replace(self.FLOOD, failed=30).spared

    def test_is_not_the_first_half_nor_a_few_late_documents(self):
        assert not replace(self.FLOOD, asks_per_day=120).spared
        assert not Standing("fns", asks_per_day=50, asked=29).spared
        assert Standing("fns", asks_per_day=50, asked=30).spared

    def test_is_nothing_without_a_limit(self):
        assert not replace(self.FLOOD, asks_per_day=None).spared
