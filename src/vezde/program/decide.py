"""What a fact is worth: one pure function, and the same rules told as reasons.

`decide` is called by the live path, the checkout quote, the preview and the backtest; `misses`
answers "why not" from the very functions `decide` uses. No I/O, no clock.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from vezde.kit import money
from vezde.ledger.model import Part
from vezde.program import days
from vezde.program.model import (
    LINES_RECOGNISED,
    ORDER_RECORDED,
    PACK_SCANNED,
    PURCHASE_RECORDED,
    Activity,
    Decision,
    Earning,
    Fact,
    FactLine,
    Miss,
    Period,
    Programme,
    Refusal,
    Standing,
)

SKU_NEEDED = "sku_needed"
BASIS_POINTS = 10_000
MONTHS_OF = {Period.MONTH: 1, Period.QUARTER: 3, Period.YEAR: 12}
# The widest gap between two zones is 26 h, between Russian ones 10 h; tills' clocks run ahead too.
CLOCKS_DIFFER_BY = timedelta(hours=14)


def decide(programme: Programme, standing: Standing, fact: Fact) -> Decision:
    """The worth of `fact` for a member who stands so, under this version.

    Points are `sum(sum_kopecks x rate_bp) / (10 000 x point_value_kopecks)` over the lines that
    earn, rounded once, cut by the day's cap, and parted among the lines by largest remainder.
    """
    refusal = _refusal(programme, standing, fact)
    if refusal is not None:
        return Decision(fact.id, programme.version, refusal, 0, 0, (), None, None)
    if fact.kind == PACK_SCANNED:
        return _bonus(programme, standing, fact)
    earning = earning_in(programme, fact.sales_channel)
    lines = [line for line in fact.lines if _why_not(programme, line) is None]
    rates = [_rate(programme, line, earning) for line in lines]
    weights = [line.sum_kopecks * bp for line, (_, bp) in zip(lines, rates, strict=True)]
    wanted = _wanted(programme, sum(weights))
    points = _capped(programme, standing, wanted)
    if points == 0:
        return Decision(fact.id, programme.version, None, wanted, 0, (), None, None)
    shares = money.largest_remainder(points, weights)
    parts = tuple(
        Part(line.line, rule, rate_bp, share)
        for line, (rule, rate_bp), share in zip(lines, rates, shares, strict=True)
    )
    active_at = _active_at(programme, earning, fact)
    return Decision(
        fact.id,
        programme.version,
        None,
        wanted,
        points,
        parts,
        active_at,
        expires_after(programme, active_at),
        _at_once(earning, fact, points, active_at),
    )


def _at_once(earning: Earning, fact: Fact, points: int, active_at: datetime) -> int:
    """Points of a receipt that do not wait, rounded down; an order of the shop has no need."""
    if fact.kind == ORDER_RECORDED or active_at <= fact.recorded_at:
        return 0
    return points * earning.at_once_bp // BASIS_POINTS


def _bonus(programme: Programme, standing: Standing, fact: Fact) -> Decision:
    """A fixed sum for a scan, inside the day's cap like all others, active at once."""
    wanted = programme.pack_bonus.points if programme.pack_bonus else 0
    points = _capped(programme, standing, wanted)
    if points == 0:
        return Decision(fact.id, programme.version, None, wanted, 0, (), None, None)
    parts = (Part(1, "earning.pack_bonus", 0, points),)
    active_at = fact.recorded_at
    expires_at = expires_after(programme, active_at)
    return Decision(fact.id, programme.version, None, wanted, points, parts, active_at, expires_at)


def earning_in(programme: Programme, sales_channel: str) -> Earning:
    """How a sales channel earns; one that the document does not list earns by the default."""
    return programme.earning.get(sales_channel, programme.default_earning)


def waits_for_sku(programme: Programme, line: FactLine) -> bool:
    """Whether what the line earns hangs on which product of its product line it is.

    Such a line is not priced before a person or a better name says it. All others are, once.
    """
    return not line.decided and _why_not(programme, line) == SKU_NEEDED


def window_refusal(
    programme: Programme, *, occurred_at: datetime, registered_at: datetime
) -> str | None:
    """`too_old`, `from_future` or None for a purchase of that time shown at that time."""
    if occurred_at > registered_at + CLOCKS_DIFFER_BY:
        return Refusal.FROM_FUTURE.value
    if programme.window_days is not None and occurred_at < days.plus_days(
        programme.zone, registered_at, -programme.window_days
    ):
        return Refusal.TOO_OLD.value
    return None


def expires_after(programme: Programme, active_at: datetime) -> datetime | None:
    """When points active from then stop being valid: the start of the day after their last.

    None where they never expire, or all together by inactivity.
    """
    expiry = programme.expiry
    if expiry is None or expiry.inactivity is not None:
        return None
    if expiry.end_of is not None:
        period, after = expiry.end_of
        months = MONTHS_OF[period]
        return days.end_of_period(programme.zone, active_at, months=months, after=after)
    return _after(programme, active_at, expiry.days, expiry.months)


def inactive_after(
    programme: Programme, at: datetime, *, activity: Activity | None = None
) -> datetime | None:
    """When inactivity from then on ends all points: the start of the day after their last.

    `activity` is what the member did then; None: nothing, points are but promised a full period.
    None where inactivity ends nothing, or this activity does not count.
    """
    idle = programme.expiry.inactivity if programme.expiry else None
    if idle is None or (activity is not None and activity not in idle.activity):
        return None
    return _after(programme, at, idle.days, idle.months)


def counts_as_activity(programme: Programme, activity: Activity) -> bool:
    """Whether this puts off the end of points; everything does where inactivity ends nothing."""
    idle = programme.expiry.inactivity if programme.expiry else None
    return idle is None or activity in idle.activity


def _after(
    programme: Programme, at: datetime, whole_days: int | None, months: int | None
) -> datetime:
    if months is not None:
        return days.end_after_months(programme.zone, at, months)
    assert whole_days is not None, "a term is either days or months"
    return days.end_after_days(programme.zone, at, whole_days)


def _refusal(programme: Programme, standing: Standing, fact: Fact) -> str | None:
    refusal = window_refusal(
        programme, occurred_at=fact.occurred_at, registered_at=fact.registered_at
    )
    if refusal == Refusal.TOO_OLD and fact.kind == ORDER_RECORDED:
        return None  # the shop's own record may come late, from a till that was offline
    if refusal is not None:
        return refusal
    if fact.kind == LINES_RECOGNISED:
        return standing.purchase_refusal
    limit = programme.receipts_per_day
    if fact.kind == PURCHASE_RECORDED and limit is not None and standing.shown_that_day >= limit:
        return Refusal.DAILY_LIMIT.value
    return None


def _why_not(programme: Programme, line: FactLine) -> str | None:
    """The code of the reason why a line earns nothing, or None when it earns."""
    if line.decided:
        return "decided_before"
    if not line.earnable:
        return "not_earnable"
    if line.sku is None and not line.variants:
        return "not_ours"
    if line.sum_kopecks <= 0:
        return "nothing_paid"
    if line.sku is not None:
        return _exclusion(programme, line.sku, line.category, line.tags)
    codes = {
        _exclusion(programme, sku, one.category, one.tags)
        for one in line.variants
        for sku in one.skus
    }
    rates = {_line_rate(programme, one.product_line) for one in line.variants}
    if len(codes) > 1 or (codes == {None} and len(rates) > 1):
        return SKU_NEEDED
    return codes.pop()


def _exclusion(
    programme: Programme, sku: str, category: str | None, tags: Sequence[str]
) -> str | None:
    if sku in programme.excluded_skus:
        return "excluded_sku"
    if category is not None and category.casefold() in programme.excluded_categories:
        return "excluded_category"
    if programme.excluded_tags and _excluded_tag(programme, tags) is not None:
        return "excluded_tag"
    return None


def _excluded_tag(programme: Programme, tags: Sequence[str]) -> str | None:
    for tag in tags:
        if tag.casefold() in programme.excluded_tags:
            return tag
    return None


def _line_rate(programme: Programme, product_line: str | None) -> tuple[str, int] | None:
    """The rule of the product line and its rate; None where the sales channel's holds."""
    if product_line is None or not programme.line_rates:
        return None
    return programme.line_rates.get(product_line.casefold())


def _rate(programme: Programme, line: FactLine, earning: Earning) -> tuple[str, int]:
    """The rule and rate of a line that earns; its variants agree on them."""
    named = line.product_line if line.sku is not None else line.variants[0].product_line
    return _line_rate(programme, named) or (earning.rule, earning.rate_bp)


def _wanted(programme: Programme, weight: int) -> int:
    return money.divide(weight, BASIS_POINTS * programme.point_value_kopecks, programme.rounding)


def _capped(programme: Programme, standing: Standing, wanted: int) -> int:
    if programme.points_per_day is None:
        return wanted
    return min(wanted, max(programme.points_per_day - standing.earned_that_day, 0))


def _active_at(programme: Programme, earning: Earning, fact: Fact) -> datetime:
    if earning.hold_days == 0:
        return fact.recorded_at
    held_until = days.plus_days(programme.zone, fact.occurred_at, earning.hold_days)
    return max(held_until, fact.recorded_at)


def misses(programme: Programme, standing: Standing, fact: Fact) -> list[Miss]:
    """The rules that gave this fact nothing, or less than they wanted, and why."""
    refusal = _refusal(programme, standing, fact)
    if refusal is not None:
        return [_refused(programme, refusal)]
    if fact.kind == PACK_SCANNED:
        return []
    earning = earning_in(programme, fact.sales_channel)
    found: list[Miss] = []
    weight = 0
    for line in fact.lines:
        code = _why_not(programme, line)
        if code is None:
            rule, rate_bp = _rate(programme, line, earning)
            weight += line.sum_kopecks * rate_bp
            if rate_bp == 0 and rule != earning.rule:
                because = f"The programme gives 0 % for the product line of line {line.line}."
                found.append(Miss(rule, "rate_zero", because, line.line))
        else:
            rule = EXCLUSION_RULES.get(code, earning.rule)
            because = REASONS[code](line, _told_tag(programme, line))
            found.append(Miss(rule, code, because, line.line))
    found.extend(_whole_misses(programme, standing, fact, earning, weight))
    return found


def _told_tag(programme: Programme, line: FactLine) -> str | None:
    some = [tag for one in line.variants for tag in one.tags]
    return _excluded_tag(programme, line.tags or some)


EXCLUSION_RULES = {
    "excluded_sku": "earning.exclude.skus",
    "excluded_category": "earning.exclude.categories",
    "excluded_tag": "earning.exclude.tags",
}
REASONS: dict[str, Callable[[FactLine, str | None], str]] = {
    "decided_before": lambda line, _tag: f"Line {line.line} was priced before.",
    "not_earnable": lambda line, _tag: f"The shop keeps line {line.line} out of the programme.",
    "not_ours": lambda line, _tag: f"Line {line.line} is not recognised as the brand's product.",
    "nothing_paid": lambda line, _tag: f"Nothing was paid for line {line.line}.",
    "excluded_sku": lambda line, _tag: (
        f"The programme excludes the product {line.sku or _one_of(line)} of line {line.line}."
    ),
    "excluded_category": lambda line, _tag: (
        f"The programme excludes the category «{_category(line)}» of line {line.line}."
    ),
    SKU_NEEDED: lambda line, _tag: (
        f"Line {line.line} is one of a product line whose products earn differently; which one is "
        "not known yet."
    ),
    "excluded_tag": lambda line, tag: (
        f"The programme excludes products with the tag «{tag}», line {line.line} has it."
    ),
}


def _one_of(line: FactLine) -> str:
    return " or ".join(sku for one in line.variants for sku in one.skus)


def _category(line: FactLine) -> str | None:
    return line.category if line.sku is not None else line.variants[0].category


def _refused(programme: Programme, refusal: str) -> Miss:
    if refusal == Refusal.FROM_FUTURE:
        because = "The purchase is dated more than 14 hours after it was shown."
        return Miss("receipts.from_future", refusal, because)
    if refusal == Refusal.TOO_OLD:
        because = f"The purchase was shown later than {programme.window_days} days after it."
        return Miss("receipts.window_days", refusal, because)
    because = f"More than {programme.receipts_per_day} purchases were shown that day."
    return Miss("receipts.per_day", refusal, because)


def _whole_misses(
    programme: Programme, standing: Standing, fact: Fact, earning: Earning, weight: int
) -> list[Miss]:
    wanted = _wanted(programme, weight)
    if earning.rate_bp == 0 and weight == 0:
        because = f"The programme gives 0 % in the sales channel {fact.sales_channel}."
        return [Miss(earning.rule, "rate_zero", because)]
    if wanted == 0 and weight > 0:
        because = "The sum is worth less than one whole point after rounding."
        return [Miss("rounding", "rounded_to_zero", because)]
    points = _capped(programme, standing, wanted)
    if points < wanted:
        because = (
            f"{wanted} points were due, {points} given: {standing.earned_that_day} were earned "
            f"that day and the programme gives at most {programme.points_per_day} a day."
        )
        return [Miss("earning.points_per_day", "daily_points", because)]
    return []
