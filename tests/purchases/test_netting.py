"""What returns, corrections and credits leave of the goods they are about."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from vezde.purchases.model import Paid
from vezde.purchases.netting import Moved, Net, net

NOON = datetime(2026, 11, 1, 9, tzinfo=UTC)
ONE = 1_000_000


def moved(
    number: int, paid: Paid, day: float = 0, *, pieces: int = 1, price: int = 119_000, **more
) -> Moved:
    return Moved(
        (UUID(int=number), 1),
        paid,
        NOON + timedelta(days=day),
        pieces * ONE,
        pieces * price,
        "7801234564",
        **more,
    )


def back(*lines: Moved) -> dict[int, int]:
    """Pieces returned, by document."""
    return {key[0].int: one.returned_micro // ONE for key, one in net(lines).items()}


SALE = moved(1, Paid.SETTLED)
RETURN = moved(2, Paid.RETURNED, 5)


class TestReturns:
    def test_take_from_the_sale_before_them(self):
        assert net([RETURN, SALE]) == {SALE.key: Net(True, ONE, (UUID(int=2),))}

    def test_take_from_the_latest_of_two(self):
        assert back(SALE, moved(3, Paid.SETTLED, 3), RETURN) == {1: 0, 3: 1}

    def test_prefer_a_sale_of_their_quantity(self):
        assert back(SALE, moved(3, Paid.SETTLED, 3, pieces=3), RETURN) == {1: 1, 3: 0}

    def test_of_one_piece_leave_the_others(self):
        assert back(moved(1, Paid.SETTLED, pieces=3), RETURN) == {1: 1}
        assert back(moved(1, Paid.SETTLED, pieces=3), RETURN, moved(4, Paid.RETURNED, 6)) == {1: 2}

    def test_of_more_than_was_sold_take_no_more(self):
        assert back(SALE, moved(2, Paid.RETURNED, 5, pieces=2)) == {1: 1}

    def test_of_another_price_supplier_or_time_are_of_another_purchase(self):
        for other in (
            replace(RETURN, sum_kopecks=99_000),
            replace(RETURN, provider_inn="7707083893"),
            replace(RETURN, occurred_at=NOON - timedelta(days=1)),
            replace(RETURN, occurred_at=NOON + timedelta(days=400)),
        ):
            assert back(SALE, other) == {1: 0}

    def test_follow_the_order_that_a_marketplace_prints(self):
        ours = moved(1, Paid.SETTLED, 0, mark="ea9.aaaaaaaaaaaaaaaa.0.0")
        later = moved(3, Paid.SETTLED, 3, mark="ea9.bbbbbbbbbbbbbbbb.0.0")
        assert back(ours, later, replace(RETURN, mark=ours.mark, sum_kopecks=1)) == {1: 1, 3: 0}

    def test_follow_the_number_of_their_order(self):
        ours = moved(1, Paid.SETTLED, 0, order_number="100001")
        later = moved(3, Paid.SETTLED, 3, order_number="100002")
        told = replace(RETURN, order_number="100001")
        assert back(ours, later, told) == {1: 1, 3: 0}
        assert back(later, told) == {3: 0}
        # Of one order the line of that price; a supplier's goods are not another's.
        dear = moved(3, Paid.SETTLED, 3, price=99_000, order_number="100001")
        assert back(ours, dear, told) == {1: 1, 3: 0}
        assert back(replace(ours, provider_inn="7707083893"), told) == {1: 0}

    def test_that_say_no_order_are_found_by_price_as_ever(self):
        assert back(moved(1, Paid.SETTLED, order_number="100001"), RETURN) == {1: 1}


class TestAnExchangeInOneMinute:
    def test_takes_from_the_sale_of_before_not_from_the_new_one(self):
        first = moved(1, Paid.SETTLED, fn=9, fd=10)
        came_back = moved(2, Paid.RETURNED, 5, fn=9, fd=20)
        anew = moved(3, Paid.SETTLED, 5, fn=9, fd=21)
        assert back(first, came_back, anew) == {1: 1, 3: 0}
        assert back(came_back, anew) == {3: 0}

    def test_a_cashiers_mistake_in_that_minute_is_taken_back(self):
        wrong = moved(1, Paid.SETTLED, fn=9, fd=10)
        assert back(wrong, moved(2, Paid.RETURNED, fn=9, fd=11)) == {1: 1}


class TestCorrections:
    STORNO = moved(2, Paid.STORNED, 2)

    def test_a_storno_takes_a_sale_back(self):
        assert back(SALE, self.STORNO) == {1: 1}

    def test_sold_anew_it_stands(self):
        assert back(SALE, self.STORNO, moved(3, Paid.CORRECTED, 2)) == {1: 0}

    def test_a_correction_does_not_undo_a_real_return(self):
        assert back(SALE, RETURN, moved(3, Paid.CORRECTED, 6)) == {1: 1}


class TestCredits:
    def test_the_hand_over_earns(self):
        lines = [
            moved(1, Paid.CREDIT_PAYMENT, 30, price=30_000),
            moved(2, Paid.ON_CREDIT, 0, price=90_000),
            moved(3, Paid.CREDIT_PAYMENT, 60, price=60_000),
        ]
        assert {key[0].int: one.earns for key, one in net(lines).items()} == {
            1: False, 2: True, 3: False,
        }  # fmt: skip

    def test_without_it_the_first_instalment_does(self):
        lines = [moved(1, Paid.CREDIT_PAYMENT, 60), moved(2, Paid.CREDIT_PAYMENT, 30)]
        assert {key[0].int: one.earns for key, one in net(lines).items()} == {1: False, 2: True}


KINDS = st.sampled_from(
    [Paid.SETTLED, Paid.RETURNED, Paid.STORNED, Paid.CORRECTED, Paid.ON_CREDIT, Paid.CREDIT_PAYMENT]
)
LINES = st.lists(
    st.builds(
        lambda paid, day, pieces, price: (paid, day, pieces, price),
        KINDS,
        st.integers(0, 40),
        st.integers(1, 4),
        st.sampled_from([100, 119_000]),
    ),
    max_size=8,
)


class TestAnyDocuments:
    @given(made=LINES, shuffle=st.randoms(use_true_random=False))
    def test_say_the_same_in_any_order_and_take_no_more_than_was_sold(self, made, shuffle):
        lines = [
            moved(number, paid, day, pieces=pieces, price=price)
            for number, (paid, day, pieces, price) in enumerate(made, 1)
        ]
        said = net(lines)
        other = lines[:]
        shuffle.shuffle(other)
        assert net(other) == said
        sold = {one.key: one for one in lines}
        assert all(0 <= one.returned_micro <= sold[key].quantity_micro for key, one in said.items())
        came_back = sum(
            one.quantity_micro for one in lines if one.paid in {Paid.RETURNED, Paid.STORNED}
        )
        assert sum(one.returned_micro for one in said.values()) <= came_back
