"""What of a basket points can pay, and each line's share of it, exact to the kopeck. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vezde.catalog.model import Product
from vezde.checkout.model import DELIVERY, Basket, BasketLine, Limits, Reason, Rules, Share
from vezde.kit import money
from vezde.kit.money import Rounding

BASIS_POINTS = 10_000


@dataclass(frozen=True, slots=True)
class Payable:
    """How much of each line (in the basket's order, the delivery last) points could take.

    `most_points` is what the rules let pay of the whole order, whatever the member has; it is 0
    when that is less than `min_points`.
    """

    value_kopecks: int
    sums: tuple[int, ...]
    room: tuple[int, ...]
    most_points: int
    min_points: int
    reasons: tuple[Reason, ...]


def payable(
    basket: Basket, products: Mapping[str, Product], rules: Rules, *, value_kopecks: int
) -> Payable:
    """What the rules let points pay of a basket; a point is spent whole or not at all."""
    limits = rules.limits(basket.sales_channel)
    reasons: list[Reason] = []
    room = [_room(line, products.get(line.sku), rules, limits, reasons) for line in basket.lines]
    room.append(basket.delivery_kopecks if limits.delivery else 0)
    if basket.delivery_kopecks and not limits.delivery:
        reasons.append(Reason("delivery", "Points do not pay the delivery.", DELIVERY))
    most = _most(basket, limits, sum(room), value_kopecks, reasons)
    least = limits.min_points or 1
    if 0 < most < least:
        because = f"An order is paid with {least} points or more; of this one {most} could be."
        reasons.append(Reason("min_points", because))
        most = 0
    return Payable(
        value_kopecks=value_kopecks,
        sums=(*(line.sum_kopecks for line in basket.lines), basket.delivery_kopecks),
        room=tuple(room),
        most_points=most,
        min_points=least,
        reasons=tuple(reasons),
    )


def split(payable: Payable, points: int, lines: Sequence[BasketLine]) -> list[Share]:
    """Share `points` (at most `most_points`) among the lines and, last, the delivery.

    The discounts add up to points times value, and are in proportion to the room of each line by
    largest remainder, which never gives a line more than its room.
    """
    assert 0 <= points <= payable.most_points, "the rules were asked before"
    discounts = money.largest_remainder(points * payable.value_kopecks, payable.room)
    parts = money.largest_remainder(points, discounts)
    numbers = (*(line.line for line in lines), DELIVERY)
    return [
        Share(number, part, discount, whole - discount)
        for number, part, discount, whole in zip(
            numbers, parts, discounts, payable.sums, strict=True
        )
    ]


def paid(basket: Basket, paid_kopecks: int) -> list[Share]:
    """The shares of an order that no points paid: the money, by line and, last, the delivery.

    Less money than the lines cost (a promo code, a gift card) is shared in proportion to them;
    what is above them and the delivery is for something that is not in the basket.
    """
    sums = [line.sum_kopecks for line in basket.lines]
    delivery = min(basket.delivery_kopecks, paid_kopecks)
    goods = min(paid_kopecks - delivery, sum(sums))
    pays = money.largest_remainder(goods, sums) if sum(sums) else [0] * len(sums)
    shares = [Share(line.line, 0, 0, pay) for line, pay in zip(basket.lines, pays, strict=True)]
    return [*shares, Share(DELIVERY, 0, 0, delivery)]


def returned(total: int, *, part: int, whole: int) -> int:
    """How much of `total` is given back once `part` of `whole` was returned, half up.

    Cumulative: what a return gives is the difference to the one before, so the last one takes the
    rest whatever the parts were.
    """
    return total if part == whole else money.divide(total * part, whole, Rounding.HALF_UP)


def _room(
    line: BasketLine,
    product: Product | None,
    rules: Rules,
    limits: Limits,
    reasons: list[Reason],
) -> int:
    excluded = _excluded(line, product, rules)
    if excluded is not None:
        reasons.append(excluded)
        return 0
    floor = max(line.floor_kopecks, limits.line_floor_kopecks)
    room = max(line.sum_kopecks - floor, 0)
    if room == 0 and line.sum_kopecks > 0:
        because = f"Line {line.line} is sold at its least price."
        reasons.append(Reason("min_price", because, line.line))
    return room


def _excluded(line: BasketLine, product: Product | None, rules: Rules) -> Reason | None:
    number = line.line
    if not line.burnable:
        return Reason("not_burnable", f"The shop takes no points for line {number}.", number)
    if line.sku in rules.excluded_skus:
        because = f"The programme takes no points for the product {line.sku} of line {number}."
        return Reason("excluded_sku", because, number)
    if product is None:
        return None
    category = product.category
    if category is not None and category.casefold() in rules.excluded_categories:
        because = f"The programme takes no points for the category «{category}» of line {number}."
        return Reason("excluded_category", because, number)
    for tag in product.tags if rules.excluded_tags else ():
        if tag.casefold() in rules.excluded_tags:
            because = f"The programme takes no points for the tag «{tag}» of line {number}."
            return Reason("excluded_tag", because, number)
    return None


def _most(
    basket: Basket, limits: Limits, room: int, value_kopecks: int, reasons: list[Reason]
) -> int:
    whole = basket.goods_kopecks + (basket.delivery_kopecks if limits.delivery else 0)
    share = whole * limits.share_bp // BASIS_POINTS
    if share < room:
        percent = f"{limits.share_bp / 100:g}"
        reasons.append(Reason("share", f"Points pay up to {percent} % of an order."))
    most = min(room, share) // value_kopecks
    if limits.max_points is not None and limits.max_points < most:
        because = f"An order is paid with {limits.max_points} points at most."
        reasons.append(Reason("max_points", because))
        most = limits.max_points
    return most
