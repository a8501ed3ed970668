"""An order of the shop and receipts find each other by goods, money, place and time."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vezde.purchases.orders import Goods, Met, meet, share

NOON = datetime(2026, 11, 17, 9, tzinfo=UTC)


def goods(kopecks: int, *, of_order: bool, day: float = 0, **more: object) -> Goods:
    given_: dict[str, object] = {
        "document_id": uuid4(),
        "line": 1,
        "purchase_id": UUID(int=7),
        "of_order": of_order,
        "sales_channel": "own_site",
        "skus": frozenset({"CREAM-50"}),
        "occurred_at": NOON + timedelta(days=day),
        "sum_kopecks": kopecks,
        "free_kopecks": kopecks,
    }
    return Goods(**{**given_, **more})


def receipt(kopecks: int, **more: object) -> Goods:
    return goods(kopecks, of_order=False, **more)


def order(kopecks: int, **more: object) -> Goods:
    return goods(kopecks, of_order=True, **more)


def sums(found: list[Met]) -> list[int]:
    return [one.kopecks for one in found]


class TestMeet:
    def test_the_same_goods_meet(self):
        one, other = receipt(100), order(100)
        assert meet([one], [other]) == [Met(one, other, 100)]
        assert meet([other], [one]) == [Met(other, one, 100)]

    @pytest.mark.parametrize(
        "other",
        [
            order(100, skus=frozenset({"LIP-01"})),
            order(100, sales_channel="ozon"),
            order(100, day=4),
            order(100, day=-46),
            order(100, free_kopecks=0),
            receipt(100),
            order(90, sales_channel="own_shop"),
        ],
    )
    def test_others_do_not(self, other):
        assert meet([receipt(100)], [other]) == []

    @pytest.mark.parametrize("day", [3, -45])
    def test_the_edges_of_the_time_do(self, day):
        assert sums(meet([receipt(100)], [order(100, day=day)])) == [100]

    def test_in_the_own_shop_only_the_very_sum_does(self):
        assert sums(meet([receipt(100, sales_channel="own_shop")], [order(100)])) == [100]

    def test_parcels_share_an_order(self):
        assert sorted(sums(meet([receipt(60), receipt(40)], [order(100)]))) == [40, 60]
        assert sorted(sums(meet([order(100)], [receipt(60), receipt(40)]))) == [40, 60]

    def test_the_same_sum_comes_first_then_the_nearest(self):
        exact, near = order(100, day=-20), order(150, day=0)
        (found,) = meet([receipt(100)], [near, exact])
        assert found.other is exact
        (found,) = meet([receipt(100)], [order(100, day=-9), order(100, day=-1)])
        assert found.other.occurred_at == NOON - timedelta(days=1)

    @given(
        st.lists(st.integers(1, 1_000), max_size=6),
        st.lists(st.integers(1, 1_000), max_size=6),
    )
    def test_takes_no_money_twice_and_leaves_none_that_fits(self, mine, others):
        receipts = [receipt(one, line=n) for n, one in enumerate(mine, 1)]
        ordered = [order(one, line=n) for n, one in enumerate(others, 1)]
        found = meet(receipts, ordered)
        assert sum(sums(found)) == min(sum(mine), sum(others))
        for one in (*receipts, *ordered):
            taken = sum(met.kopecks for met in found if one in (met.mine, met.other))
            assert taken <= one.free_kopecks


class TestShare:
    @given(st.integers(0, 10_000), st.lists(st.integers(1, 500), min_size=1, max_size=9))
    def test_adds_up_to_the_lines_points(self, points, parts):
        done, given_ = 0, 0
        for part in parts:
            given_ += share(points, sum_kopecks=sum(parts), before=done, kopecks=part)
            done += part
        assert given_ == points

    def test_of_nothing_paid_is_nothing(self):
        assert share(0, sum_kopecks=0, before=0, kopecks=0) == 0
