from dataclasses import replace
from datetime import timedelta, timezone
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.making import DAY, NOON, accrual
from vezde.kit.money import MAX_BIGINT
from vezde.ledger import model
from vezde.ledger.model import (
    Debt,
    DebtPolicy,
    Lot,
    NextExpiry,
    Part,
    Points,
    Standing,
    Taken,
)

ANNA = UUID(int=1)
TICK = timedelta(microseconds=1)


class TestFault:
    def test_finds_none_in_an_ordinary_accrual(self):
        assert model.fault(accrual(ANNA)) is None
        assert model.fault(accrual(ANNA, expires_at=None)) is None

    @pytest.mark.parametrize("points", [0, -1, MAX_BIGINT + 1])
    def test_refuses_an_amount_that_is_none(self, points):
        assert "one point or more" in model.fault(accrual(ANNA, points=points))

    def test_refuses_parts_that_do_not_add_up(self):
        parts = (Part(1, "base", 500, 20), Part(2, "base", 500, 16))
        assert "add up to 36" in model.fault(accrual(ANNA, points=37, parts=parts))
        assert "add up to 0" in model.fault(accrual(ANNA, points=37, parts=()))

    def test_refuses_a_negative_part_though_the_sum_is_right(self):
        parts = (Part(1, "base", 500, 40), Part(2, "base", 500, -3))
        assert "negative" in model.fault(accrual(ANNA, points=37, parts=parts))

    def test_refuses_an_instant_without_an_offset(self):
        assert "offset" in model.fault(accrual(ANNA, active_at=NOON.replace(tzinfo=None)))

    def test_refuses_points_that_expire_before_they_are_active(self):
        assert "expires_at later" in model.fault(accrual(ANNA, active_at=NOON, expires_at=NOON))

    @pytest.mark.parametrize("op_key", ["", "k" * 201])
    def test_refuses_a_key_of_a_wrong_length(self, op_key):
        assert "1 to 200" in model.fault(accrual(ANNA, op_key))

    def test_keeps_the_name_parts_in_a_proof_for_itself(self):
        assert "«parts»" in model.fault(accrual(ANNA, proof={"parts": []}))


class TestFingerprint:
    def test_is_the_same_for_the_same_command_however_written(self):
        one = accrual(ANNA, proof={"a": 1, "b": 2}, active_at=NOON)
        moscow = NOON.astimezone(timezone(timedelta(hours=3)))
        other = accrual(ANNA, proof={"b": 2, "a": 1}, active_at=moscow)
        assert _fingerprint(one) == _fingerprint(other)

    @pytest.mark.parametrize(
        "change",
        [
            {"points": 38, "parts": (Part(1, "base", 500, 38),)},
            {"active_at": NOON + TICK},
            {"expires_at": None},
            {"occurred_at": NOON},
            {"parts": (Part(2, "base", 500, 37),)},
            {"proof": {"program_version": 2}},
            {"title": "Другая"},
        ],
    )
    def test_differs_when_any_of_the_content_does(self, change):
        one = accrual(ANNA)
        assert _fingerprint(one) != _fingerprint(replace(one, **change))


class TestProof:
    def test_comes_back_as_it_was_given(self):
        parts = (Part(1, "base", 500, 30), Part(0, "birthday", 0, 7))
        stored = model.proof_json(accrual(ANNA, parts=parts, proof={"purchase_id": "p"}))
        assert stored == '{"parts":[[1,"base",500,30],[0,"birthday",0,7]],"purchase_id":"p"}'

    def test_has_no_place_for_a_number_that_is_none(self):
        with pytest.raises(ValueError):
            model.proof_json(accrual(ANNA, proof={"score": float("nan")}))


class TestPointsAt:
    def test_become_active_at_the_very_instant(self):
        standing = Standing(1, pending=10, lots=(_lot(1, 10, active_at=NOON),))
        assert model.points_at(standing, NOON - TICK).pending == 10
        at = model.points_at(standing, NOON)
        assert (at.active, at.pending) == (10, 0)

    def test_count_an_activated_lot_once(self):
        standing = Standing(2, active=10, lots=(_lot(1, 10, activated_seq=2),))
        at = model.points_at(standing, NOON)
        assert (at.active, at.pending) == (10, 0)

    def test_end_at_the_very_instant(self):
        lot = _lot(1, 10, expires_at=NOON + DAY, activated_seq=1)
        standing = Standing(1, active=10, lots=(lot,))
        assert model.points_at(standing, NOON + DAY - TICK).active == 10
        assert model.points_at(standing, NOON + DAY) == Points(0, 0, 0, 0, None)

    def test_without_a_date_end_by_inactivity(self):
        lots = (
            _lot(1, 10, activated_seq=1),
            _lot(2, 5, expires_at=NOON + 9 * DAY, activated_seq=2),
        )
        standing = Standing(2, active=15, lots=lots, inactive_at=NOON + DAY)
        before = model.points_at(standing, NOON)
        assert before == Points(15, 0, 0, 0, NextExpiry(10, NOON + DAY))
        assert model.points_at(standing, NOON + DAY).active == 5


class TestReturnedSoFar:
    @given(
        earned=st.integers(0, 10**6),
        returns=st.lists(st.integers(1, 50), min_size=1, max_size=9),
        order=st.randoms(use_true_random=False),
    )
    def test_adds_up_to_all_that_was_earned_however_it_is_split(self, earned, returns, order):
        sold = sum(returns)
        order.shuffle(returns)
        returned = taken = 0
        for quantity in returns:
            returned += quantity
            step = model.returned_so_far(earned, returned, sold) - taken
            assert step >= 0
            taken += step
        assert taken == earned


class TestTaking:
    def test_is_by_the_end_then_by_age_and_last_from_what_never_ends(self):
        lots = (
            _lot(1, 5, activated_seq=1),
            _lot(2, 5, expires_at=NOON + 2 * DAY, activated_seq=2),
            _lot(3, 5, expires_at=NOON + DAY, activated_seq=3),
            _lot(4, 5, expires_at=NOON + DAY),
            _lot(5, 5, expires_at=NOON + DAY, activated_seq=5),
        )
        assert model.taking(lots, 17) == (Taken(3, 5), Taken(5, 5), Taken(2, 5), Taken(1, 2))

    def test_is_what_a_smaller_debit_would_have_taken_when_some_came_back(self):
        taken = (Taken(3, 5), Taken(5, 5), Taken(2, 2))
        back = model.giving_back(taken, 4)
        assert back == (Taken(2, -2), Taken(5, -2))
        assert model.less(taken, back) == (Taken(3, 5), Taken(5, 3))


class TestSplit:
    OWN = (Lot(1, 10, 4, NOON, None, 1),)
    STANDING = Standing(2, active=7, lots=(*OWN, Lot(2, 3, 3, NOON, None, 2)))

    @pytest.mark.parametrize(
        ("debt", "owed", "forgiven"),
        [
            (Debt(DebtPolicy.FORGIVE), 0, 3),
            (Debt(DebtPolicy.FORBID), 0, 3),
            (Debt(DebtPolicy.DEBT), 3, 0),
            (Debt(DebtPolicy.DEBT, 2), 2, 1),
        ],
    )
    def test_is_own_lots_then_others_then_the_policy(self, debt, owed, forgiven):
        split = model.split(self.STANDING, self.OWN, 10, debt)
        assert (split.own, split.others) == ((Taken(1, 4),), (Taken(2, 3),))
        assert (split.debt, split.forgiven) == (owed, forgiven)


class TestNextExpiry:
    def test_adds_up_the_lots_of_the_earliest_instant(self):
        soon, late = NOON + DAY, NOON + 2 * DAY
        lots = [
            _lot(1, 5, expires_at=late),
            _lot(2, 7, expires_at=soon),
            _lot(3, 9, expires_at=soon),
            _lot(4, 1),
        ]
        assert model.next_expiry(lots, NOON) == NextExpiry(16, soon)

    def test_looks_ahead_only(self):
        lots = [_lot(1, 5, expires_at=NOON), _lot(2, 7, expires_at=NOON + TICK)]
        assert model.next_expiry(lots, NOON) == NextExpiry(7, NOON + TICK)
        assert model.next_expiry(lots, NOON + TICK) is None


def _fingerprint(command):
    return model.fingerprint(command, model.proof_json(command))


def _lot(seq, points, *, active_at=NOON, expires_at=None, activated_seq=None):
    return Lot(seq, points, points, active_at, expires_at, activated_seq)
