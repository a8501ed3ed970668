"""Integers for money and quantities; Decimal only while parsing; no floats, ever.

Money is kopecks, points are whole, quantities are millionths, rates are basis points.
"""

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from enum import StrEnum

MILLION = 1_000_000
MAX_BIGINT = 2**63 - 1


class Rounding(StrEnum):
    FLOOR = "floor"
    HALF_UP = "half_up"
    CEIL = "ceil"


def divide(numerator: int, denominator: int, rounding: Rounding) -> int:
    """`numerator / denominator` rounded; both non-negative, the denominator not zero."""
    if numerator < 0 or denominator <= 0:
        raise ValueError(f"cannot share {numerator} by {denominator}")
    whole, rest = divmod(numerator, denominator)
    if rounding is Rounding.CEIL:
        return whole + (rest > 0)
    if rounding is Rounding.HALF_UP:
        return whole + (2 * rest >= denominator)
    return whole


def largest_remainder(total: int, weights: Sequence[int]) -> list[int]:
    """Split `total` in proportion to `weights` (Hare quota); ties go to the earlier part.

    The parts always add up to `total`. All weights zero: everything goes to the first part.
    """
    if not weights:
        raise ValueError("nothing to share between")
    whole = sum(weights)
    if whole == 0:
        return [total] + [0] * (len(weights) - 1)
    shares = [divmod(total * weight, whole) for weight in weights]
    parts = [share for share, _ in shares]
    order = sorted(range(len(weights)), key=lambda i: (-shares[i][1], i))
    for i in order[: total - sum(parts)]:
        parts[i] += 1
    return parts


def exact_decimal(text: str | float | Decimal) -> Decimal:
    """A finite Decimal from text with a dot or a comma; raises ValueError on anything else.

    A float is read by its shortest repr, so 8.20 is 8.2 and not 8.199999….
    """
    shown = repr(text) if isinstance(text, float) else str(text)
    try:
        value = Decimal(shown.strip().replace("\u00a0", "").replace(" ", "").replace(",", "."))
    except InvalidOperation as error:
        raise ValueError(f"«{shown[:40]}» is not a number") from error
    if not value.is_finite():
        raise ValueError(f"«{shown[:40]}» is not a finite number")
    return value


def kopecks(rubles: str | float | Decimal) -> int:
    """Rubles to kopecks, exactly; a fraction of a kopeck rounds half up."""
    return _scaled(rubles, 100)


def micro(quantity: str | float | Decimal) -> int:
    """A quantity to millionths; finer digits round half up."""
    return _scaled(quantity, MILLION)


def _scaled(value: str | float | Decimal, scale: int) -> int:
    exact = exact_decimal(value) * scale
    result = int(exact.to_integral_value(rounding="ROUND_HALF_UP"))
    if abs(result) > MAX_BIGINT:
        raise ValueError("the number is too large")
    return result


def quantity_number(quantity_micro: int) -> int | float:
    """Millionths as the shortest JSON number: 2_000_000 -> 2, 500_000 -> 0.5."""
    whole, rest = divmod(quantity_micro, MILLION)
    return whole if rest == 0 else float(Decimal(quantity_micro) / MILLION)


def rubles(amount_kopecks: int) -> str:
    """`123456` -> `1 234,56 ₽`, whole rubles without kopecks."""
    sign = "−" if amount_kopecks < 0 else ""
    whole, rest = divmod(abs(amount_kopecks), 100)
    shown = f"{whole:,}".replace(",", "\u00a0")
    return f"{sign}{shown}{f',{rest:02d}' if rest else ''}\u00a0₽"
