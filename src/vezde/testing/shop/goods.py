"""What the sample shop sells, at its own prices."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from vezde_client import checkout

MOST_OF_ONE = 20


class ShopError(Exception):
    """What the shop itself refuses; its codes are its own, not Vezde's."""

    code = "refused"
    status = 422


class BadBasket(ShopError):
    """Not a basket of this shop's goods."""

    code = "bad_basket"
    status = 400


@dataclass(frozen=True)
class Good:
    sku: str
    name: str
    note: str
    price_kopecks: int
    colour: str


GOODS = (
    Good("LU-F-001", "Пенка для умывания", "«Лунный шёлк», 150 мл", 69_000, "#b9c7f2"),
    Good("LU-F-006", "Крем дневной SPF 15", "«Лунный шёлк», 50 мл", 119_000, "#f2dcb9"),
    Good("LU-F-009", "Сыворотка с гиалуроном", "«Лунный шёлк», 30 мл", 149_000, "#b9e4f2"),
    Good("LU-F-011", "Маска ночная", "«Лунный шёлк», 75 мл", 89_000, "#d9c2f0"),
)
BY_SKU = {one.sku: one for one in GOODS}


def lines(given: Any) -> Sequence[checkout.Line]:
    """`[{"sku", "quantity"}]` of a browser as lines at the shop's prices; raises `BadBasket`."""
    if not isinstance(given, list) or not 0 < len(given) <= len(GOODS):
        raise BadBasket("Send the lines of a basket.")
    found = []
    for one in given:
        good = BY_SKU.get(str(one.get("sku"))) if isinstance(one, dict) else None
        quantity = one.get("quantity") if good is not None else None
        if good is None or type(quantity) is not int or not 0 < quantity <= MOST_OF_ONE:
            raise BadBasket(f"Each line is a sku of ours and a quantity from 1 to {MOST_OF_ONE}.")
        found.append(checkout.Line(good.sku, quantity, good.price_kopecks))
    return found
