import pytest

from vezde.testing.shop import goods


class TestLines:
    def test_have_the_shops_own_prices(self) -> None:
        (line,) = goods.lines([{"sku": "LU-F-006", "quantity": 2, "price_kopecks": 1}])
        assert (line.price_kopecks, line.quantity) == (119_000, 2)

    @pytest.mark.parametrize(
        "given",
        [
            None,
            [],
            [{"sku": "LU-F-006"}],
            [{"sku": "LU-F-006", "quantity": 0}],
            [{"sku": "LU-F-006", "quantity": 21}],
            [{"sku": "LU-F-006", "quantity": True}],
            [{"sku": "LU-F-006", "quantity": 1.5}],
            [{"sku": "another", "quantity": 1}],
            [5],
            [{"sku": ["LU-F-006"], "quantity": 1}],
            [{"sku": "LU-F-006", "quantity": 1}] * 5,
        ],
    )
    def test_are_the_shops_goods(self, given: object) -> None:
        with pytest.raises(goods.BadBasket):
            goods.lines(given)
