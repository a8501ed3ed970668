"""How well a brand's lines are recognised, measured by what people found; and thresholds by it.

Of lines accepted by themselves people check a sample: that is where the precision comes from, with
the exact interval of Clopper and Pearson (Biometrika 26, 1934), which needs no large numbers.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

CONFIDENCE = 0.95
# A threshold is lowered only to where this is shown, and raised to where it holds again.
TARGET = 0.998
PROMISED_LINES = 3_000
LOWEST = 0.5
STEPS = 60  # of bisection: far below any digit that is shown


class Stage(StrEnum):
    """What a brand may be promised: by the lower end of what is shown at 95 %, one-sided.

    0.999 takes 3,000 accepted lines without an error.
    """

    START = "start"
    SHOWN_99 = "shown_99"
    SHOWN_998 = "shown_998"
    PROMISED_999 = "promised_999"


BOUNDS = ((0.998, Stage.SHOWN_998), (0.99, Stage.SHOWN_99))


class Because(StrEnum):
    """Why another threshold is suggested."""

    SAFE_LOWER = "safe_lower"
    WRONG_ABOVE = "wrong_above"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a person found a line's first guess to be."""

    accepted: bool
    line_score: float
    sku_score: float
    right_line: bool
    right_sku: bool


@dataclass(frozen=True, slots=True)
class Measured:
    """Accepted lines that were checked, the wrong ones, and the 95 % interval of the precision.

    `precision` and the interval are None while nothing was checked. `needed`: so many more checked
    lines without an error to the next stage; None where errors stand in the way, or none is left.
    Of lines in doubt: how many were decided, how often the first guess was right.
    """

    checked: int
    wrong: int
    precision: float | None
    low: float | None
    high: float | None
    stage: Stage
    needed: int | None
    decided: int
    first_right: int


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A threshold for SKUs, why, and on how many looked-at lines that stands."""

    sku: float
    because: Because
    lines: int


def measure(verdicts: Sequence[Verdict]) -> Measured:
    """What these verdicts come to."""
    checked = [one for one in verdicts if one.accepted]
    doubts = [one for one in verdicts if not one.accepted]
    count, wrong = len(checked), sum(not one.right_sku for one in checked)
    low, high = interval(wrong, count) if count else (None, None)
    return Measured(
        checked=count,
        wrong=wrong,
        precision=(count - wrong) / count if count else None,
        low=low,
        high=high,
        stage=stage(wrong, count),
        needed=_needed(wrong, count),
        decided=len(doubts),
        first_right=sum(one.right_sku for one in doubts),
    )


def stage(wrong: int, count: int) -> Stage:
    """What is shown by `wrong` of `count` checked lines."""
    if wrong == 0 and count >= PROMISED_LINES:
        return Stage.PROMISED_999
    shown = at_least(wrong, count)
    return next((name for bound, name in BOUNDS if shown >= bound), Stage.START)


def at_least(wrong: int, count: int) -> float:
    """The precision that is shown at 95 %, one-sided: 0 of 299 shows 0.99."""
    return 1 - _upper(wrong, count, 1 - CONFIDENCE) if count else 0.0


def interval(wrong: int, count: int) -> tuple[float, float]:
    """Lower and upper end of the precision at 95 %, two-sided (Clopper, Pearson)."""
    tail = (1 - CONFIDENCE) / 2
    return 1 - _upper(wrong, count, tail), 1 - _lower(wrong, count, tail)


def suggest(verdicts: Sequence[Verdict], current: float) -> Suggestion | None:
    """Another threshold for SKUs; None: the one there is will do, or too little is known.

    Lower only where enough lines above it, all looked at, show the target at 95 %; higher where
    accepted lines that were wrong stand above the current one.
    """
    by_score = sorted(verdicts, key=lambda one: -one.sku_score)
    above = [one for one in by_score if one.sku_score >= current and one.accepted]
    wrong = sum(not one.right_sku for one in above)
    if wrong and 1 - wrong / len(above) < TARGET:
        return _higher(above)
    best, seen, errors = None, 0, 0
    for place, one in enumerate(by_score):
        seen, errors = seen + 1, errors + (not one.right_sku)
        last = place + 1 == len(by_score) or by_score[place + 1].sku_score < one.sku_score
        if one.sku_score < LOWEST:
            break
        if last and one.sku_score < current and at_least(errors, seen) >= TARGET:
            best = Suggestion(_down(one.sku_score), Because.SAFE_LOWER, seen)
    return best


def _higher(above: Sequence[Verdict]) -> Suggestion:
    """The lowest score from which on the target holds; above all of them where it never does."""
    seen, errors, best = 0, 0, None
    for one in above:
        seen, errors = seen + 1, errors + (not one.right_sku)
        if errors / seen <= 1 - TARGET:
            best = Suggestion(_down(one.sku_score), Because.WRONG_ABOVE, seen)
    return best or Suggestion(1.0, Because.WRONG_ABOVE, len(above))


def _down(score: float) -> float:
    return math.floor(score * 10_000) / 10_000


def _needed(wrong: int, count: int) -> int | None:
    now = stage(wrong, count)
    if now is Stage.PROMISED_999:
        return None
    if now is Stage.SHOWN_998:
        return PROMISED_LINES - count if wrong == 0 else None
    bound = 0.998 if now is Stage.SHOWN_99 else 0.99
    more, step = 0, 4_096
    while step:
        if at_least(wrong, count + more + step) < bound:
            more += step
            if more > PROMISED_LINES * 4:
                return None
        else:
            step //= 2
    return more + 1


def _upper(wrong: int, count: int, tail: float) -> float:
    """The largest share of errors under which so few are not rarer than `tail`."""
    if wrong >= count:
        return 1.0
    return _bisect(lambda share: _at_most(wrong, count, share) > tail)


def _lower(wrong: int, count: int, tail: float) -> float:
    if wrong == 0:
        return 0.0
    return _bisect(lambda share: 1 - _at_most(wrong - 1, count, share) < tail)


def _bisect(holds_below: Callable[[float], bool]) -> float:
    low, high = 0.0, 1.0
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if holds_below(middle) else (low, middle)
    return (low + high) / 2


def _at_most(wrong: int, count: int, share: float) -> float:
    """The chance of at most so many errors (binomial)."""
    if share <= 0:
        return 1.0
    if share >= 1:
        return float(wrong >= count)
    logs = math.log(share), math.log1p(-share)
    whole = math.lgamma(count + 1)
    return min(
        1.0,
        math.fsum(
            math.exp(
                whole
                - math.lgamma(k + 1)
                - math.lgamma(count - k + 1)
                + k * logs[0]
                + (count - k) * logs[1]
            )
            for k in range(wrong + 1)
        ),
    )
