"""What points can pay of a basket, and each line's share: exact, whatever a point is worth."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from vezde.catalog.model import Product
from vezde.checkout import allocating, section
from vezde.checkout.allocating import Payable
from vezde.checkout.model import Basket, BasketLine, Rules
from vezde.checkout.section import BurningSection, ReturnsSection

ANNA = UUID(int=1)
NOON = datetime(2026, 11, 18, 9, tzinfo=UTC)
ONE = 1_000_000


def rules(**burning: object) -> Rules:
    return section.compiled(BurningSection.model_validate(burning), ReturnsSection())


def line(number: int, price: int, quantity: int = ONE, **more: object) -> BasketLine:
    return BasketLine(number, f"SKU-{number}", quantity, price, **more)


def basket(*lines: BasketLine, delivery: int = 0, channel: str = "own_site") -> Basket:
    return Basket(ANNA, channel, lines, delivery)


def product(sku: str, **more: object) -> Product:
    return Product(sku=sku, name=sku, brand="LUNARIA", **more)


def pays(given_basket: Basket, found: Rules | None = None, value: int = 100) -> Payable:
    return allocating.payable(given_basket, {}, found or rules(), value_kopecks=value)


def codes(found: Payable) -> list[str]:
    return [reason.code for reason in found.reasons]


class TestPayable:
    def test_is_the_whole_order_unless_the_programme_says_less(self):
        assert pays(basket(line(1, 119_000), line(2, 50_000))).most_points == 1_690

    @pytest.mark.parametrize(
        ("value", "kopecks", "most"),
        [(100, 100_000, 1_000), (1, 12_345, 12_345), (30, 100, 3), (250, 1_000, 4), (250, 999, 3)],
    )
    def test_never_takes_a_point_that_would_pay_only_in_part(self, value, kopecks, most):
        assert pays(basket(line(1, kopecks)), value=value).most_points == most

    def test_points_that_pay_no_single_line_pay_several_together(self):
        found = pays(basket(*(line(n, 100) for n in range(1, 6))), value=250)
        assert found.most_points == 2
        shares = allocating.split(found, 2, [line(n, 100) for n in range(1, 6)])
        assert sum(share.discount_kopecks for share in shares) == 500
        assert [share.pay_kopecks for share in shares] == [0] * 6

    def test_leaves_the_floor_of_each_line(self):
        floor = rules(line_floor_kopecks=1)
        found = pays(basket(line(1, 100), line(2, 100)), floor, value=1)
        assert (found.most_points, found.room) == (198, (99, 99, 0))

    def test_leaves_the_shops_least_price_of_every_unit(self):
        found = pays(basket(line(1, 1_000, 3 * ONE, min_price_kopecks=333)), value=1)
        assert found.room == (3_000 - 999, 0)
        assert pays(basket(line(1, 1_000, min_price_kopecks=5_000))).room == (0, 0)

    def test_leaves_out_what_the_shop_or_the_programme_excludes(self):
        found = allocating.payable(
            basket(line(1, 100), line(2, 100), line(3, 100, burnable=False), line(4, 100)),
            {
                "SKU-2": product("SKU-2", category="Сертификаты"),
                "SKU-4": product("SKU-4", tags=("Gift",)),
            },
            rules(exclude={"skus": ["SKU-1"], "categories": ["сертификаты"], "tags": ["gift"]}),
            value_kopecks=1,
        )
        assert (found.most_points, found.room) == (0, (0, 0, 0, 0, 0))
        assert codes(found) == ["excluded_sku", "excluded_category", "not_burnable", "excluded_tag"]
        assert [reason.line for reason in found.reasons] == [1, 2, 3, 4]

    @pytest.mark.parametrize(
        ("burning", "most", "code"),
        [
            ({"share_bp": 3_000}, 300, "share"),
            ({"share_bp": 0}, 0, "share"),
            ({"max_points": 50}, 50, "max_points"),
            ({"min_points": 1_001}, 0, "min_points"),
        ],
    )
    def test_keeps_the_limits_and_says_which(self, burning, most, code):
        found = pays(basket(line(1, 100_000)), rules(**burning))
        assert (found.most_points, codes(found)) == (most, [code])

    def test_takes_the_share_of_the_whole_order(self):
        two = basket(line(1, 60_000), line(2, 40_000, burnable=False))
        assert pays(two, rules(share_bp=5_000)).most_points == 500
        assert pays(two, rules(share_bp=7_000)).most_points == 600

    def test_pays_the_delivery_only_where_it_is_in(self):
        order = basket(line(1, 10_000), delivery=5_000)
        assert pays(order).most_points == 100
        assert codes(pays(order)) == ["delivery"]
        within = pays(order, rules(delivery=True))
        assert (within.most_points, codes(within)) == (150, [])

    def test_a_channel_changes_the_general_rule(self):
        found = rules(share_bp=5_000, max_points=700, channels={"own_shop": {"share_bp": 3_000}})
        assert found.limits("own_site") == found.general
        assert found.limits("own_shop").share_bp == 3_000
        assert found.limits("own_shop").max_points == 700

    def test_levels_are_refused_while_there_are_none(self):
        with pytest.raises(ValidationError) as refused:
            rules(levels={"gold": {"max_points": 700}})
        (error,) = refused.value.errors()
        assert error["type"] == "no_levels"
        assert rules(levels={}) == rules()


lines_of = st.lists(
    st.builds(
        lambda price, quantity, least, burnable: (price, quantity, least, burnable),
        st.integers(0, 2_000_000),
        st.one_of(st.just(ONE), st.integers(1, 20 * ONE)),
        st.one_of(st.just(0), st.integers(0, 2_000_000)),
        st.booleans(),
    ),
    min_size=1,
    max_size=12,
)
values = st.one_of(st.sampled_from([1, 30, 100, 250]), st.integers(1, 5_000))


@st.composite
def splits(draw: st.DrawFn) -> tuple[Basket, Rules, Payable, int]:
    lines = tuple(
        line(number, price, quantity, min_price_kopecks=least, burnable=burnable)
        for number, (price, quantity, least, burnable) in enumerate(draw(lines_of), 1)
    )
    order = basket(*lines, delivery=draw(st.integers(0, 100_000)))
    found = rules(
        share_bp=draw(st.one_of(st.just(10_000), st.integers(0, 10_000))),
        line_floor_kopecks=draw(st.integers(0, 1)),
        delivery=draw(st.booleans()),
    )
    payable = pays(order, found, draw(values))
    return order, found, payable, draw(st.integers(0, payable.most_points))


class TestSplit:
    @given(splits())
    def test_adds_up_and_leaves_every_floor(self, given_split):
        order, found, payable, points = given_split
        shares = allocating.split(payable, points, order.lines)
        assert sum(share.points for share in shares) == points
        discounts = sum(share.discount_kopecks for share in shares)
        assert discounts == points * payable.value_kopecks
        assert sum(share.pay_kopecks for share in shares) == order.total_kopecks - discounts
        for one, share in zip(order.lines, shares, strict=False):
            assert share.pay_kopecks + share.discount_kopecks == one.sum_kopecks
            assert min(share.points, share.discount_kopecks, share.pay_kopecks) >= 0
            if share.discount_kopecks:
                assert one.burnable
                assert share.pay_kopecks >= one.floor_kopecks
                assert share.pay_kopecks >= found.general.line_floor_kopecks
        assert shares[-1].discount_kopecks == 0 or found.general.delivery

    @given(splits())
    def test_pays_no_more_than_the_share(self, given_split):
        order, found, payable, points = given_split
        whole = order.total_kopecks if found.general.delivery else order.goods_kopecks
        assert points * payable.value_kopecks * 10_000 <= whole * found.general.share_bp

    @given(st.lists(st.integers(0, 10_000), min_size=1, max_size=10), st.sampled_from([1, 30, 250]))
    def test_leaves_nothing_to_pay_when_points_can_pay_all(self, wholes, value):
        order = basket(*(line(number, one * value) for number, one in enumerate(wholes, 1)))
        payable = pays(order, value=value)
        assert payable.most_points == sum(wholes)
        shares = allocating.split(payable, payable.most_points, order.lines)
        assert {share.pay_kopecks for share in shares} == {0}


class TestPaid:
    @pytest.mark.parametrize(
        ("paid", "by_line"),
        [
            (150, [100, 50, 0]),
            (170, [100, 50, 20]),
            (90, [47, 23, 20]),  # a promo code took the rest, off the goods
            (20, [0, 0, 20]),
            (0, [0, 0, 0]),
            (10_000, [100, 50, 20]),
        ],
    )
    def test_shares_the_money_among_the_lines(self, paid, by_line):
        delivery = 20 if paid != 150 else 0
        order = basket(line(1, 100), line(2, 50), delivery=delivery)
        assert [share.pay_kopecks for share in allocating.paid(order, paid)] == by_line


class TestReturned:
    @given(
        st.integers(0, 10**9),
        st.lists(st.integers(1, 10**6), min_size=1, max_size=20),
    )
    def test_adds_up_to_the_whole_for_any_parts(self, total, parts):
        whole = sum(parts)
        done, given_back = 0, 0
        for part in parts:
            before = given_back
            done += part
            given_back = allocating.returned(total, part=done, whole=whole)
            assert given_back >= before
        assert given_back == total
