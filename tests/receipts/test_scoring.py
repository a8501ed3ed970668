"""The pure part of signals: what each sees, that more of it never weighs less, in any order."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from vezde.kit import share
from vezde.receipts.signals import scoring, words
from vezde.receipts.signals.model import Finding, Known, Past, Shown, Signal, findings
from vezde.receipts.signals.section import SignalsSection

# Limits of the tests' own: the shipped ones are tuned by measurement.
RULES = SignalsSection.model_validate(
    {
        "quarantine_at": 100,
        "per_hour": {"more_than": 3, "score": 30, "each_more": 30},
        "per_day": {"more_than": 4, "score": 30, "each_more": 20},
        "per_week": {"more_than": 9, "score": 20, "each_more": 15},
        "per_shop": {"more_than": 4, "score": 20, "each_more": 20},
        "old_in_bulk": {"older_than_days": 7, "more_than": 8, "score": 40, "each_more": 20},
        "till_run": {"within": 60, "more_than": 2, "score": 50, "each_more": 30},
        "night": {"from_hour": 0, "to_hour": 5, "more_than": 3, "score": 60, "each_more": 30},
        "device": {"more_than": 5, "within_days": 30, "score": 60, "each_more": 20},
    }
)
ANNA = UUID(int=1)
DAY = datetime(2026, 11, 17, 12, 0, tzinfo=UTC)
MOSCOW, VLADIVOSTOK, REGION = "77", "25", "50"


def past(number: int, *, minutes: float = 0, **changes: Any) -> Past:
    at = DAY + timedelta(minutes=minutes)
    told: dict[str, Any] = {
        "receipt_id": UUID(int=1000 + number),
        "registered_at": at + timedelta(hours=1),
        "occurred_at": at,
        "wall_time": at.replace(tzinfo=None) + timedelta(hours=3),
        "seller_inn": "7825706086",
        "shop": number,
        "subject": MOSCOW,
        "fn": number,
        "fd": 1,
    }
    return Past(**(told | changes))


def said(
    this: Past,
    *others: Past,
    rules: SignalsSection = RULES,
    known: Known | None = None,
    **shown: Any,
) -> dict[Signal, Finding]:
    known = known or Known({ANNA: others})
    shown = {"named": True} | shown
    return {
        one.signal: one for one in scoring.assess(rules, Shown(ANNA, this, **shown), known).findings
    }


class TestPace:
    def test_counts_by_purchase_and_names_what_is_usual(self):
        others = [past(n, minutes=10 * n) for n in range(1, 4)]
        found = said(past(0), *others)[Signal.PER_HOUR]
        assert (found.score, found.saw) == (30, {"number": 4, "usual": 3})

    def test_showing_a_month_at_once_is_not_a_burst(self):
        others = [past(n, minutes=-60 * 24 * 3 * n, registered_at=DAY) for n in range(1, 9)]
        assert not said(past(0), *others).keys() & {
            Signal.PER_HOUR,
            Signal.PER_DAY,
            Signal.PER_WEEK,
        }

    def test_an_order_at_a_distance_is_one_purchase_however_many_it_prints(self):
        others = [past(n, shop=None, fn=7, fd=n) for n in range(1, 40)]
        assert said(past(0, shop=None, fn=7, fd=0), *others) == {}

    def test_one_shop_of_a_week(self):
        others = [past(n, minutes=-60 * 24 * n / 2, shop=0) for n in range(1, 6)]
        assert said(past(0), *others)[Signal.PER_SHOP].saw == {"number": 6, "usual": 4}


class TestTill:
    def test_numbers_side_by_side(self):
        others = [past(n, minutes=-60 * 24 * 8 * n, fn=0, fd=5 * n) for n in range(1, 4)]
        found = said(past(0), *others)[Signal.TILL_RUN]
        assert found.saw == {"number": 4, "usual": 2, "within": 60}

    def test_a_marketplaces_till_says_nothing(self):
        others = [past(n, minutes=-60 * 24 * 8 * n, fn=0, fd=n, shop=None) for n in range(1, 9)]
        assert Signal.TILL_RUN not in said(past(0, shop=None), *others)

    def test_a_night_over_midnight(self):
        rules = RULES.model_copy(update={"night": RULES.night.model_copy(update={"from_hour": 22})})
        wall = datetime(2026, 11, 17, 23, 50)
        others = [
            past(n, minutes=5 * n, wall_time=wall + timedelta(minutes=9 * n)) for n in range(1, 4)
        ]
        this = past(0, wall_time=wall)
        assert said(this, *others, rules=rules)[Signal.NIGHT].saw == {"number": 4, "usual": 3}
        assert Signal.NIGHT not in said(this, *others)  # by the shipped night it is evening still


class TestTravel:
    def test_two_ends_of_the_country_in_an_hour(self):
        found = said(past(0), past(1, minutes=60, subject=VLADIVOSTOK))[Signal.TRAVEL]
        assert found.saw["minutes"] == 60
        assert 6000 < found.saw["km"] < 7000
        assert found.saw["subjects"] == [VLADIVOSTOK, MOSCOW]

    @pytest.mark.parametrize(
        "other",
        [
            past(1, minutes=10, subject=REGION),
            past(1, minutes=60 * 11, subject=VLADIVOSTOK),
            past(1, minutes=10, subject=None),
            past(1, minutes=10, subject=VLADIVOSTOK, shop=None),
            past(1, minutes=10, subject="no such"),
        ],
    )
    def test_is_silent_about_neighbours_flights_and_what_is_not_known(self, other):
        assert Signal.TRAVEL not in said(past(0), other)


class TestOthers:
    def test_prices_far_from_the_recommended(self):
        assert said(past(0), price_percent=[100, 400])[Signal.PRICE].saw == {
            "percent": 400,
            "lines": 1,
        }
        assert said(past(0), price_percent=[10])[Signal.PRICE].saw["percent"] == 10
        assert said(past(0), price_percent=[35, 160]) == {}

    def test_the_first_receipts_of_an_unknown_seller(self):
        known = Known({}, {"7825706086": 3})
        assert said(past(0), known=known, named=False)[Signal.NEW_SELLER].saw == {"receipts": 4}
        grown = Known({}, {"7825706086": 20})
        assert said(past(0), known=grown, named=False) == {}

    def test_a_pack_of_this_very_receipt_is_no_news(self):
        pack = ("04605035006964", "A1")
        mine, other = Known(packs={pack: past(0).receipt_id}), Known(packs={pack: UUID(int=5)})
        assert said(past(0), known=mine, packs=[pack]) == {}
        assert said(past(0), known=other, packs=[pack])[Signal.PACK_SEEN].saw == {"packs": 1}

    def test_a_family_on_one_device_and_a_farm(self):
        assert said(past(0), known=Known(sharing={ANNA: 5})) == {}
        found = said(past(0), known=Known(sharing={ANNA: 8}))[Signal.DEVICE]
        assert (found.score, found.saw["number"]) == (100, 8)

    def test_old_receipts_in_bulk(self):
        others = [past(n, minutes=-60 * 24 * (8 + n), registered_at=DAY) for n in range(1, 10)]
        this = past(0, minutes=-60 * 24 * 8, registered_at=DAY)
        assert said(this, *others)[Signal.OLD_IN_BULK].saw == {
            "number": 10, "usual": 8, "older_than_days": 7
        }  # fmt: skip

    def test_trusting_a_seller_lifts_what_is_about_it(self):
        others = [past(n, minutes=n, fn=0, fd=n, shop=0) for n in range(1, 9)]
        found = said(past(0), *others, stance="trusted", named=False, price_percent=[900])
        assert found.keys() == {Signal.PER_HOUR, Signal.PER_DAY}

    def test_a_score_of_nothing_switches_a_signal_off(self):
        quiet = RULES.model_copy(
            update={"per_hour": RULES.per_hour.model_copy(update={"score": 0})}
        )
        others = [past(n, minutes=n) for n in range(1, 4)]
        assert Signal.PER_HOUR not in said(past(0), *others, rules=quiet)


class TestShipped:
    def test_the_programme_that_is_shipped_has_the_measured_scores(self):
        text = (share.folder("examples") / "program.yaml").read_text("utf-8")
        given = YAML(typ="safe", pure=True).load(text)["signals"]
        section = SignalsSection.model_validate(given)
        assert section == SignalsSection(quarantine_at=section.quarantine_at)
        assert section.quarantine_at is not None
        assert given.keys() == SignalsSection.model_fields.keys()


class TestWords:
    @pytest.mark.parametrize("locale", ["ru", "en"])
    def test_says_each_finding_as_it_was_kept(self, locale):
        saw: Mapping[str, Any] = {
            "number": 7, "usual": 2, "within": 60, "days": 25, "older_than_days": 7, "receipts": 3,
            "packs": 1, "km": 900, "minutes": 20, "subjects": ["77", "25"], "percent": 300,
            "lines": 2, "within_days": 30,
        }  # fmt: skip
        for one in findings([[signal, 5, saw] for signal in Signal]):
            text = words.text(one, locale)
            assert text
            assert "{" not in text

    def test_knows_every_signal_in_both_languages(self):
        assert words.RU.keys() == words.EN.keys() == set(Signal)
        assert {one.value for one in Signal} <= SignalsSection.model_fields.keys()


PASTS = st.builds(
    past,
    st.integers(1, 10_000),
    minutes=st.floats(-20_000, 20_000),
    shop=st.none() | st.integers(0, 3),
    subject=st.sampled_from([None, MOSCOW, VLADIVOSTOK, REGION]),
    fn=st.integers(0, 3),
    fd=st.integers(0, 200),
)
LISTS = st.lists(PASTS, max_size=14, unique_by=lambda one: one.receipt_id)


class TestAnyPast:
    @given(this=PASTS, others=LISTS, seed=st.randoms(use_true_random=False))
    @settings(deadline=None)
    def test_its_order_does_not_matter(self, this, others, seed):
        shuffled = list(others)
        seed.shuffle(shuffled)
        first, second = said(this, *others), said(this, *shuffled)
        assert {one: first[one].score for one in first} == {
            one: second[one].score for one in second
        }

    @given(this=PASTS, others=LISTS, more=PASTS)
    @settings(deadline=None)
    def test_more_of_it_never_weighs_less(self, this, others, more):
        before, after = said(this, *others), said(this, *others, more)
        assert all(after[one].score >= before[one].score for one in before)

    @given(papers=LISTS)
    @settings(deadline=None)
    def test_together_they_weigh_what_they_weigh_one_after_another(self, papers):
        shown = [Shown(ANNA, one, named=False, packs=[("1", str(one.fd))]) for one in papers]
        together = scoring.assess_all(RULES, shown, Known())
        sellers: dict[str, int] = {}
        packs: dict[tuple[str, str], UUID] = {}
        for number, one in enumerate(shown):
            known = Known({ANNA: papers[:number]}, dict(sellers), dict(packs))
            assert scoring.assess_all(RULES, [one], known) == [together[number]]
            sellers["7825706086"] = number + 1
            packs.setdefault(one.packs[0], one.past.receipt_id)
