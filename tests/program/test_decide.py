from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vezde.kit.money import Rounding
from vezde.program import compiling
from vezde.program import document as documents
from vezde.program.decide import (
    decide,
    expires_after,
    inactive_after,
    misses,
    waits_for_sku,
    window_refusal,
)
from vezde.program.model import (
    BEGINNING,
    LINES_RECOGNISED,
    Activity,
    Fact,
    FactLine,
    NoProgramme,
    Programmes,
    Standing,
    Variant,
)

from .conftest import DOCUMENT, NOON

NEW = Standing()


class TestEarning:
    @pytest.mark.parametrize(
        ("kopecks", "channel", "points"),
        [
            (1_000_00, "chain", 50),
            (1_000_00, "own_site", 100),
            (1_000_00, "a_channel_nobody_knows", 50),
            (19_99, "chain", 0),  # 0.9995 of a point
            (20_00, "chain", 1),
            (39_99, "chain", 1),
            (1_299_00, "chain", 64),  # 64.95
            (999_999_99, "own_site", 99_999),
        ],
    )
    def test_pays_the_channels_rate_in_whole_points(
        self, programme, purchase, kopecks, channel, points
    ):
        rules = programme({"earning.points_per_day": None})
        decision = decide(rules, NEW, purchase(kopecks, sales_channel=channel))
        assert (decision.points, decision.wanted, decision.refusal) == (points, points, None)

    @pytest.mark.parametrize(
        ("value_kopecks", "rate_bp", "kopecks", "points"),
        [
            (100, 500, 1_000_00, 50),
            (10, 500, 1_000_00, 500),  # ten points a ruble
            (50, 300, 500_00, 30),
            (1, 1, 100_00, 1),
            (1000, 500, 1_000_00, 5),
            (100, 0, 1_000_00, 0),
            (100, 10_000, 1_234_00, 1_234),
        ],
    )
    def test_keeps_the_rate_apart_from_the_points_value(
        self, programme, purchase, value_kopecks, rate_bp, kopecks, points
    ):
        rules = programme(
            {"point_value_kopecks": value_kopecks, "earning.default_rate_bp": rate_bp}
        )
        assert decide(rules, NEW, purchase(kopecks)).points == points

    @pytest.mark.parametrize(
        ("rounding", "kopecks", "points"),
        [
            ("floor", 30_00, 1),  # 1.5
            ("half_up", 30_00, 2),
            ("ceil", 30_00, 2),
            ("half_up", 29_99, 1),
            ("ceil", 20_01, 2),
            ("ceil", 1, 1),
            ("half_up", 9_99, 0),
            ("half_up", 10_00, 1),
        ],
    )
    def test_rounds_as_the_document_says(self, programme, purchase, rounding, kopecks, points):
        assert decide(programme({"rounding": rounding}), NEW, purchase(kopecks)).points == points

    def test_rounds_the_purchase_once_and_not_its_lines(self, programme, purchase):
        # Three lines of 0.5 points each; rounded alone they would give 0 or 3.
        decision = decide(programme(), NEW, purchase(10_00, 10_00, 10_00))
        assert decision.points == 1
        assert [part.points for part in decision.parts] == [1, 0, 0]

    def test_parts_points_by_largest_remainder(self, programme, purchase):
        # 2.475, 4.98 and 7.495 points: 14.95, so 14; the rests .475, .98, .495 of a little less.
        decision = decide(programme(), NEW, purchase(49_50, 99_60, 149_90))
        assert [(part.line, part.points) for part in decision.parts] == [(1, 2), (2, 5), (3, 7)]
        assert {(part.rule, part.rate_bp) for part in decision.parts} == {("earning.default", 500)}

    def test_names_the_rule_of_the_channel(self, programme, purchase):
        decision = decide(programme(), NEW, purchase(100_00, sales_channel="own_site"))
        assert decision.parts[0].rule == "earning.channels.own_site"

    def test_gives_a_decision_without_points_to_worthless_facts(self, programme, purchase):
        decision = decide(programme(version=7), NEW, purchase(1))
        assert (decision.points, decision.parts, decision.active_at) == (0, (), None)
        assert (decision.version, decision.refusal, decision.expires_at) == (7, None, None)

    def test_takes_a_fact_without_lines(self, programme, purchase):
        assert decide(programme(), NEW, purchase()).points == 0


class TestExclusions:
    @pytest.mark.parametrize(
        "change",
        [
            {"sku": None},
            {"sku": "LN-99"},
            {"category": "Подарки"},
            {"category": "ПОДАРКИ"},
            {"tags": ("new", "gift")},
            {"tags": ("Gift",)},
            {"decided": True},
            {"sum_kopecks": 0},
            {"sum_kopecks": -50_00},
        ],
    )
    def test_leaves_such_a_line_out(self, programme, purchase, line, change):
        lines = (replace(line(1, 500_00), **change), line(2, 100_00))
        decision = decide(programme(), NEW, purchase(lines=lines))
        assert [(part.line, part.points) for part in decision.parts] == [(2, 5)]

    def test_takes_a_line_without_a_category(self, programme, purchase, line):
        decision = decide(programme(), NEW, purchase(lines=(line(1, 100_00, category=None),)))
        assert decision.points == 5


CREAMS = (Variant(("LN-50", "LN-75"), "Уход", (), "Лунный шёлк"),)
MIXED = (*CREAMS, Variant(("LN-99",), "Уход", (), "Лунный шёлк"))


def unsized(line, number: int, kopecks: int, variants=CREAMS, **changes) -> FactLine:
    return line(number, kopecks, sku=None, category=None, variants=variants, **changes)


RULE = {"earning.lines": {"лунный ШЁЛК": {"rate_bp": 1000}}}


class TestProductLines:
    def test_a_line_without_a_size_earns_as_its_products_do(self, programme, purchase, line):
        decision = decide(programme(), NEW, purchase(lines=(unsized(line, 1, 100_00),)))
        assert [(part.line, part.rule, part.points) for part in decision.parts] == [
            (1, "earning.default", 5)
        ]

    def test_a_rule_of_the_line_takes_the_place_of_the_channels(self, programme, purchase, line):
        sized = line(2, 100_00, product_line="Лунный шёлк")
        other = line(3, 100_00, product_line="Морская соль")
        lines = (unsized(line, 1, 100_00), sized, other)
        decision = decide(programme(RULE), NEW, purchase(lines=lines))
        assert [(part.line, part.rate_bp, part.points) for part in decision.parts] == [
            (1, 1000, 10),
            (2, 1000, 10),
            (3, 500, 5),
        ]
        assert decision.parts[0].rule == "earning.lines.лунный ШЁЛК"

    @pytest.mark.parametrize(
        ("variants", "rules"),
        [
            (MIXED, {}),  # one of them is excluded by its SKU
            ((*CREAMS, Variant(("LN-1",), "Подарки", (), "Лунный шёлк")), {}),
            ((*CREAMS, Variant(("LN-1",), "Уход", (), "Морская соль")), RULE),
        ],
    )
    def test_waits_where_its_products_earn_differently(
        self, programme, purchase, line, variants, rules
    ):
        one = unsized(line, 1, 100_00, variants)
        fact = purchase(lines=(one,))
        assert decide(programme(rules), NEW, fact).points == 0
        assert waits_for_sku(programme(rules), one)
        assert [miss.code for miss in misses(programme(rules), NEW, fact)] == ["sku_needed"]

    def test_earns_nothing_and_waits_for_nothing_where_all_are_excluded(
        self, programme, purchase, line
    ):
        one = unsized(line, 1, 100_00, (Variant(("LN-99",), None, ("gift",)),))
        fact = purchase(lines=(one,))
        (miss,) = misses(programme({"earning.exclude": {"skus": ["LN-99"]}}), NEW, fact)
        assert (miss.code, "LN-99" in miss.because) == ("excluded_sku", True)
        (miss,) = misses(programme({"earning.exclude": {"tags": ["gift"]}}), NEW, fact)
        assert (miss.code, "gift" in miss.because) == ("excluded_tag", True)

    def test_says_where_a_line_gives_nothing(self, programme, purchase, line):
        rules = programme({"earning.lines": {"Лунный шёлк": {"rate_bp": 0}}})
        (miss, *_) = misses(rules, NEW, purchase(lines=(unsized(line, 1, 100_00),)))
        assert (miss.code, miss.rule, miss.line) == ("rate_zero", "earning.lines.Лунный шёлк", 1)

    def test_gives_where_the_channel_gives_nothing(self, programme, purchase, line):
        rules = programme({**RULE, "earning.default_rate_bp": 0})
        fact = purchase(lines=(unsized(line, 1, 100_00), line(2, 100_00)))
        assert decide(rules, NEW, fact).points == 10


class TestCaps:
    def test_gives_what_is_left_of_the_day(self, programme, purchase):
        fact = purchase(1_000_00)
        decision = decide(programme(), Standing(earned_that_day=4_980), fact)
        assert (decision.wanted, decision.points) == (50, 20)
        assert sum(part.points for part in decision.parts) == 20

    @pytest.mark.parametrize("earned", [5_000, 6_000])
    def test_gives_nothing_when_nothing_is_left(self, programme, purchase, earned):
        # More than the cap may have been earned under an earlier version.
        decision = decide(programme(), Standing(earned_that_day=earned), purchase(1_000_00))
        assert (decision.wanted, decision.points, decision.parts) == (50, 0, ())

    def test_has_no_cap_where_the_document_says_null(self, programme, purchase):
        rules = programme({"earning.points_per_day": None})
        standing = Standing(earned_that_day=1_000_000)
        assert decide(rules, standing, purchase(1_000_000_00)).points == 50_000

    def test_refuses_the_purchase_after_the_last_of_the_day(self, programme, purchase):
        assert decide(programme(), Standing(shown_that_day=9), purchase(100_00)).refusal is None
        decision = decide(programme(), Standing(shown_that_day=10), purchase(100_00))
        assert (decision.refusal, decision.wanted, decision.points) == ("daily_limit", 0, 0)

    def test_counts_no_lines_recognised_later_as_a_purchase(self, programme, purchase):
        fact = purchase(100_00, kind=LINES_RECOGNISED)
        assert decide(programme(), Standing(shown_that_day=10), fact).points == 5

    def test_gives_nothing_for_lines_of_a_refused_purchase(self, programme, purchase):
        fact = purchase(100_00, kind=LINES_RECOGNISED)
        decision = decide(programme(), Standing(purchase_refusal="daily_limit"), fact)
        assert (decision.refusal, decision.points) == ("daily_limit", 0)

    def test_takes_any_number_where_the_document_says_null(self, programme, purchase):
        rules = programme({"receipts.per_day": None})
        assert decide(rules, Standing(shown_that_day=10_000), purchase(100_00)).points == 5


class TestWindow:
    @pytest.mark.parametrize(
        ("age", "refusal"),
        [
            (timedelta(days=30), None),
            (timedelta(days=30, microseconds=1), "too_old"),
            (timedelta(0), None),
            (timedelta(hours=-14), None),
            (timedelta(hours=-14, microseconds=-1), "from_future"),
        ],
    )
    def test_takes_30_days_back_and_14_hours_ahead(self, programme, purchase, age, refusal):
        rules, occurred_at = programme(), NOON - age
        said = window_refusal(rules, occurred_at=occurred_at, registered_at=NOON)
        assert said == refusal
        decision = decide(rules, NEW, purchase(100_00, occurred_at=occurred_at))
        assert decision.refusal == refusal

    def test_takes_any_age_where_the_document_says_null(self, programme):
        rules = programme({"receipts.window_days": None})
        long_ago = NOON - timedelta(days=5_000)
        assert window_refusal(rules, occurred_at=long_ago, registered_at=NOON) is None

    def test_counts_from_the_showing_and_not_from_the_decision(self, programme, purchase):
        fact = purchase(
            100_00, occurred_at=NOON - timedelta(days=29), recorded_at=NOON + timedelta(days=9)
        )
        assert decide(programme(), NEW, fact).refusal is None


class TestLife:
    def test_is_active_at_the_decision_without_a_hold(self, programme, purchase):
        recorded_at = NOON + timedelta(hours=1)
        fact = purchase(100_00, recorded_at=recorded_at, occurred_at=NOON - timedelta(days=3))
        assert decide(programme(), NEW, fact).active_at == recorded_at

    def test_is_active_at_the_decision_even_when_the_till_is_ahead(self, programme, purchase):
        fact = purchase(100_00, occurred_at=NOON + timedelta(hours=5))
        assert decide(programme(), NEW, fact).active_at == NOON

    def test_is_held_from_the_purchase_on(self, programme, purchase):
        bought = NOON - timedelta(days=2)
        fact = purchase(100_00, sales_channel="ozon", occurred_at=bought)
        assert decide(programme(), NEW, fact).active_at == bought + timedelta(days=14)

    def test_is_not_held_longer_when_the_hold_is_over(self, programme, purchase):
        fact = purchase(100_00, sales_channel="ozon", occurred_at=NOON - timedelta(days=20))
        assert decide(programme(), NEW, fact).active_at == NOON

    def test_holds_calendar_days(self, programme, purchase):
        rules = programme({"timezone": "Europe/Berlin", "earning.channels.ozon": {"hold_days": 1}})
        bought = datetime(2026, 3, 28, 14, tzinfo=UTC)  # 15:00, the clocks change at night
        fact = purchase(100_00, sales_channel="ozon", occurred_at=bought, registered_at=bought)
        assert decide(rules, NEW, fact).active_at == datetime(2026, 3, 29, 13, tzinfo=UTC)

    def test_takes_rate_and_hold_of_other_channels_where_they_are_left_out(
        self, programme, purchase
    ):
        rules = programme({"earning.channels.ozon": {}, "earning.default_hold_days": 3})
        decision = decide(rules, NEW, purchase(100_00, sales_channel="ozon"))
        assert (decision.points, decision.active_at) == (5, NOON + timedelta(days=3))

    def test_expires_from_the_day_it_is_active(self, programme, purchase):
        fact = purchase(100_00, sales_channel="ozon")
        decision = decide(programme(), NEW, fact)
        # Active 2 December 12:00 in Moscow, valid to the end of 2 December of the next year.
        assert decision.expires_at == datetime(2027, 12, 2, 21, tzinfo=UTC)

    def test_expires_after_days(self, programme):
        rules = programme({"expiry": {"days": 90}})
        assert expires_after(rules, NOON) == datetime(2027, 2, 16, 21, tzinfo=UTC)

    @pytest.mark.parametrize(
        ("active_at", "end_of", "ends_at"),
        [
            ("2026-11-18T12:00", {"period": "month"}, "2026-12-01"),
            ("2026-11-18T12:00", {"period": "month", "after": 2}, "2027-02-01"),
            ("2026-11-18T12:00", {"period": "quarter"}, "2027-01-01"),
            ("2026-12-31T23:59", {"period": "quarter", "after": 1}, "2027-04-01"),
            ("2026-11-18T12:00", {"period": "year"}, "2027-01-01"),
            ("2027-01-01T00:00", {"period": "year", "after": 1}, "2029-01-01"),
        ],
    )
    def test_expires_with_the_end_of_a_calendar_period(self, programme, active_at, end_of, ends_at):
        rules = programme({"expiry": {"end_of": end_of}})
        local = datetime.fromisoformat(active_at).replace(tzinfo=rules.zone)
        wanted = datetime.fromisoformat(ends_at).replace(tzinfo=rules.zone)
        assert expires_after(rules, local) == wanted

    def test_by_inactivity_has_no_date_but_an_end_that_moves(self, programme, purchase):
        rules = programme({"expiry": {"inactivity": {"months": 1, "activity": ["purchase"]}}})
        assert decide(rules, NEW, purchase(100_00)).expires_at is None
        late = datetime(2027, 1, 31, 9, tzinfo=UTC)
        end_of_february = datetime(2027, 2, 28, 21, tzinfo=UTC)
        assert inactive_after(rules, late, activity=Activity.PURCHASE) == end_of_february
        assert inactive_after(rules, late) == end_of_february
        assert inactive_after(rules, late, activity=Activity.SPEND) is None
        assert inactive_after(programme(), late, activity=Activity.PURCHASE) is None

    def test_never_expires_where_the_document_says_null(self, programme, purchase):
        assert decide(programme({"expiry": None}), NEW, purchase(100_00)).expires_at is None


class TestMisses:
    def test_tells_of_each_line_that_earned_nothing(self, programme, purchase, line):
        lines = (
            line(1, 100_00),
            line(2, 100_00, sku=None),
            line(3, 100_00, sku="LN-99"),
            line(4, 100_00, category="подарки"),
            line(5, 100_00, tags=("Gift",)),
            line(6, 100_00, decided=True),
            line(7, 0),
        )
        told = misses(programme(), NEW, purchase(lines=lines))
        assert [(miss.line, miss.code, miss.rule) for miss in told] == [
            (2, "not_ours", "earning.default"),
            (3, "excluded_sku", "earning.exclude.skus"),
            (4, "excluded_category", "earning.exclude.categories"),
            (5, "excluded_tag", "earning.exclude.tags"),
            (6, "decided_before", "earning.default"),
            (7, "nothing_paid", "earning.default"),
        ]
        assert "«Gift»" in told[3].because

    def test_tells_of_a_rate_of_nothing(self, programme, purchase):
        rules = programme({"earning.channels.ozon": {"rate_bp": 0}})
        told = misses(rules, NEW, purchase(100_00, sales_channel="ozon"))
        assert [(miss.rule, miss.code) for miss in told] == [("earning.channels.ozon", "rate_zero")]

    def test_tells_of_the_days_cap(self, programme, purchase):
        (told,) = misses(programme(), Standing(earned_that_day=4_980), purchase(1_000_00))
        assert (told.rule, told.code) == ("earning.points_per_day", "daily_points")
        assert told.because.startswith("50 points were due, 20 given")

    def test_tells_of_rounding(self, programme, purchase):
        (told,) = misses(programme(), NEW, purchase(19_00))
        assert (told.rule, told.code) == ("rounding", "rounded_to_zero")

    @pytest.mark.parametrize(
        ("change", "standing", "rule", "code"),
        [
            ({"occurred_at": NOON - timedelta(days=31)}, NEW, "receipts.window_days", "too_old"),
            ({"occurred_at": NOON + timedelta(days=1)}, NEW, "receipts.from_future", "from_future"),
            ({}, Standing(shown_that_day=10), "receipts.per_day", "daily_limit"),
        ],
    )
    def test_tells_of_a_refusal_and_of_nothing_else(
        self, programme, purchase, line, change, standing, rule, code
    ):
        fact = purchase(lines=(line(1, 100_00, sku=None),), **change)
        (told,) = misses(programme(), standing, fact)
        assert (told.rule, told.code, told.line) == (rule, code, None)

    def test_has_nothing_to_tell_when_all_was_earned(self, programme, purchase):
        assert misses(programme(), NEW, purchase(100_00)) == []


class TestProgrammes:
    def test_gives_the_version_of_the_time(self, programme):
        december = datetime(2026, 12, 1, tzinfo=UTC)
        one, two = programme(version=1), replace(programme(version=2), in_force_from=december)
        both = compiling.programmes([one, two])
        assert both.at(datetime(2001, 1, 1, tzinfo=UTC)) is one
        assert both.at(datetime(1960, 1, 1, tzinfo=UTC)) is one
        assert both.at(december - timedelta(microseconds=1)) is one
        assert both.at(december) is two
        assert both.number(2) is two

    def test_prefers_the_later_of_two_that_start_together(self, programme):
        both = compiling.programmes(
            [replace(programme(version=number), in_force_from=NOON) for number in (1, 2)]
        )
        assert both.at(NOON).version == 2

    def test_is_an_error_before_any_publication(self):
        with pytest.raises(NoProgramme, match="PUT /v1/program"):
            Programmes((), ()).at(NOON)


sums = st.lists(st.integers(0, 100_000_00), min_size=0, max_size=8)
rules_of = st.fixed_dictionaries(
    {
        "rate_bp": st.integers(0, 10_000),
        "value_kopecks": st.integers(1, 10_000),
        "rounding": st.sampled_from(list(Rounding)),
        "cap": st.none() | st.integers(1, 10_000),
        "earned": st.integers(0, 10_000),
    }
)


def priced(rules, kopecks):
    document = documents.own(
        {
            **DOCUMENT,
            "point_value_kopecks": rules["value_kopecks"],
            "rounding": rules["rounding"].value,
            "earning": {"default_rate_bp": rules["rate_bp"], "points_per_day": rules["cap"]},
        }
    )
    programme = compiling.programme(document, version=1, in_force_from=BEGINNING)
    lines = tuple(
        FactLine(number, "LN-1", None, (), 1_000_000, one, False)
        for number, one in enumerate(kopecks, 1)
    )
    fact = Fact(
        id=None,
        kind="purchase.recorded/1",
        member_id=None,
        purchase_id=None,
        occurred_at=NOON,
        wall_time=NOON.replace(tzinfo=None),
        registered_at=NOON,
        recorded_at=NOON,
        sales_channel="chain",
        lines=lines,
    )
    return decide(programme, Standing(earned_that_day=rules["earned"]), fact)


class TestAnyPurchase:
    @given(rules_of, sums)
    @settings(max_examples=200, deadline=None)
    def test_has_parts_that_add_up_within_the_cap(self, rules, kopecks):
        decision = priced(rules, kopecks)
        assert sum(part.points for part in decision.parts) == decision.points
        assert all(part.points >= 0 for part in decision.parts)
        assert 0 <= decision.points <= decision.wanted
        if rules["cap"] is not None:
            assert decision.points <= max(rules["cap"] - rules["earned"], 0)
        exact = sum(kopecks) * rules["rate_bp"] / (10_000 * rules["value_kopecks"])
        assert abs(decision.wanted - exact) < 1 + exact * 1e-12
        assert (decision.active_at is None) == (decision.points == 0)

    @given(rules_of, sums.filter(len), st.integers(1, 1_000_00))
    @settings(max_examples=100, deadline=None)
    def test_is_never_worth_less_for_more_money(self, rules, kopecks, more):
        dearer = [kopecks[0] + more, *kopecks[1:]]
        assert priced(rules, dearer).points >= priced(rules, kopecks).points

    @given(rules_of, sums)
    @settings(max_examples=50, deadline=None)
    def test_is_worth_the_same_however_it_is_split_into_lines(self, rules, kopecks):
        assert priced(rules, [sum(kopecks)]).points == priced(rules, kopecks).points
