"""From a receipt and what is known to a score with reasons: pure, no I/O and no clock."""

import bisect
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from vezde.receipts.signals.model import Assessment, Finding, Known, Past, Shown, Signal
from vezde.receipts.signals.section import Counted, Device, SignalsSection
from vezde.sellers import regions
from vezde.sellers.model import Stance

HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(days=7)
FREE_KM: Final = 300.0  # capitals stand for whole regions, and borders are near somewhere
LEAST_HOURS: Final = 0.25  # tills' clocks are minutes off
MOST: Final = 1000  # of one signal: what is beyond says nothing more


def assess_all(rules: SignalsSection, shown: Sequence[Shown], known: Known) -> list[Assessment]:
    """Each receipt as if those before it had been shown before it, which they were."""
    past = {member_id: list(rows) for member_id, rows in known.past.items()}
    sellers, packs = Counter(known.seller_receipts), dict(known.packs)
    so_far = Known(past, sellers, packs, known.sharing)
    answers = []
    for one in shown:
        answers.append(assess(rules, one, so_far))
        past.setdefault(one.member_id, []).append(one.past)
        if one.past.seller_inn is not None:
            sellers[one.past.seller_inn] += 1
        for pack in one.packs:
            packs.setdefault(pack, one.past.receipt_id)
    return answers


def assess(rules: SignalsSection, shown: Shown, known: Known) -> Assessment:
    """What signals say of a receipt; `known` may hold more than concerns it, and itself.

    A trusted seller's own signals (who it is, its prices, its tills) are left out.
    """
    others = [
        one
        for one in known.past.get(shown.member_id, ())
        if one.receipt_id != shown.past.receipt_id
    ]
    found = [*_pace(rules, shown.past, others), *_age(rules, shown.past, others)]
    found += _travel(rules, shown.past, others)
    found += _packs(rules, shown, known)
    found += _device(rules.device, known.sharing.get(shown.member_id, 1))
    if shown.stance != Stance.TRUSTED:
        found += _seller(rules, shown, others, known)
    findings = sorted((one for one in found if one.score), key=lambda one: (-one.score, one.signal))
    limit = rules.quarantine_at
    return Assessment(
        tuple(findings), limit is not None and sum(one.score for one in findings) >= limit
    )


def _pace(rules: SignalsSection, this: Past, others: Sequence[Past]) -> Iterator[Finding]:
    """How much was bought about the same time; by purchase, not by showing."""
    near = [one for one in others if abs(one.occurred_at - this.occurred_at) < WEEK]
    today = [one for one in near if one.wall_time.date() == this.wall_time.date()]
    if this.shop is not None:
        at_once = sum(
            one.shop is not None and abs(one.occurred_at - this.occurred_at) <= HOUR
            for one in today
        )
        yield from _counted(Signal.PER_HOUR, rules.per_hour, at_once + 1)
    yield from _counted(Signal.PER_DAY, rules.per_day, _purchases([this, *today]))
    week = _fullest_week(this, near, _purchases)
    yield from _counted(Signal.PER_WEEK, rules.per_week, week)


def _fullest_week(this: Past, near: Sequence[Past], count: Callable[[Sequence[Past]], int]) -> int:
    """The most of seven days that have this receipt in them."""
    ordered = sorted([this, *near], key=lambda one: one.occurred_at)
    times = [one.occurred_at for one in ordered]
    best = 0
    for first, start in enumerate(times):
        if start > this.occurred_at:
            break
        end = bisect.bisect_left(times, start + WEEK)
        if times[end - 1] >= this.occurred_at:
            best = max(best, count(ordered[first:end]))
    return best


def _purchases(receipts: Iterable[Past]) -> int:
    """Receipts of shops, and of each seller at a distance one an hour: orders print many."""
    at_shops, apart = 0, set()
    for one in receipts:
        if one.shop is not None:
            at_shops += 1
        else:
            apart.add((one.seller_inn, one.wall_time.date(), one.wall_time.hour))
    return at_shops + len(apart)


def _age(rules: SignalsSection, this: Past, others: Sequence[Past]) -> Iterator[Finding]:
    days = (this.registered_at - this.occurred_at) // DAY
    if days > rules.age.more_than_days:
        yield Finding(Signal.AGE, rules.age.score, {"days": days})
    bulk = rules.old_in_bulk
    if days < bulk.older_than_days:
        return
    old = sum(
        abs(one.registered_at - this.registered_at) < WEEK
        and (one.registered_at - one.occurred_at) // DAY >= bulk.older_than_days
        for one in others
    )
    days_said = {"older_than_days": bulk.older_than_days}
    yield from _counted(Signal.OLD_IN_BULK, bulk, old + 1, **days_said)


def _travel(rules: SignalsSection, this: Past, others: Sequence[Past]) -> Iterator[Finding]:
    """The worst pair; silent where either place is not known."""
    if this.shop is None or this.subject is None or not rules.travel.score:
        return
    worst: tuple[float, Past, float, float] | None = None
    for one in others:
        if one.shop is None or one.subject in {None, this.subject}:
            continue
        hours = max(abs(one.occurred_at - this.occurred_at) / HOUR, LEAST_HOURS)
        km = regions.kilometres(this.subject, str(one.subject))
        speed = (km - FREE_KM) / hours
        if worst is None or speed > worst[0]:
            worst = (speed, one, km, hours)
    if worst is None or worst[0] <= rules.travel.faster_than_kmh:
        return
    _, one, km, hours = worst
    saw = {"km": round(km), "minutes": round(hours * 60), "subjects": [one.subject, this.subject]}
    yield Finding(Signal.TRAVEL, rules.travel.score, saw)


def _packs(rules: SignalsSection, shown: Shown, known: Known) -> Iterator[Finding]:
    again = [
        pack
        for pack in shown.packs
        if known.packs.get(pack, shown.past.receipt_id) != shown.past.receipt_id
    ]
    if again:
        yield Finding(Signal.PACK_SEEN, rules.pack_seen.score, {"packs": len(again)})


def _device(rules: Device, members: int) -> Iterator[Finding]:
    limits = Counted(more_than=rules.more_than, score=rules.score, each_more=rules.each_more)
    yield from _counted(Signal.DEVICE, limits, members, within_days=rules.within_days)


def _seller(
    rules: SignalsSection, shown: Shown, others: Sequence[Past], known: Known
) -> Iterator[Finding]:
    """What speaks against the seller, or against who sits at its till."""
    this = shown.past
    if shown.stance == Stance.WATCHED:
        yield Finding(Signal.WATCHED_SELLER, rules.watched_seller.score, {})
    yield from _price(rules, shown)
    if not shown.named and this.seller_inn is not None:
        before = known.seller_receipts.get(this.seller_inn, 0)
        if before < rules.new_seller.first_receipts:
            yield Finding(Signal.NEW_SELLER, rules.new_seller.score, {"receipts": before + 1})
    if this.shop is None:
        return
    at_shop = [
        one
        for one in others
        if one.shop == this.shop and abs(one.occurred_at - this.occurred_at) < WEEK
    ]
    here = _fullest_week(this, at_shop, len)
    yield from _counted(Signal.PER_SHOP, rules.per_shop, here)
    run = sum(
        one.fn == this.fn and abs(one.fd - this.fd) <= rules.till_run.within for one in others
    )
    within = {"within": rules.till_run.within}
    yield from _counted(Signal.TILL_RUN, rules.till_run, run + 1, **within)
    if (night := _night(rules, this.wall_time)) is not None:
        same = sum(one.shop is not None and _night(rules, one.wall_time) == night for one in others)
        yield from _counted(Signal.NIGHT, rules.night, same + 1)


def _price(rules: SignalsSection, shown: Shown) -> Iterator[Finding]:
    far = [
        one
        for one in shown.price_percent
        if one < rules.price.below_percent or one > rules.price.above_percent
    ]
    if far:
        worst = max(far, key=lambda one: (abs(one - 100), one))
        yield Finding(Signal.PRICE, rules.price.score, {"percent": worst, "lines": len(far)})


def _night(rules: SignalsSection, wall_time: datetime) -> object:
    """Which night a till's time is of, by the day it ends on; None by day."""
    start, end = rules.night.from_hour, rules.night.to_hour
    if start <= end:
        return wall_time.date() if start <= wall_time.hour < end else None
    if wall_time.hour >= start:
        return (wall_time + DAY).date()
    return wall_time.date() if wall_time.hour < end else None


def _counted(signal: Signal, limits: Counted, number: int, **saw: Any) -> Iterator[Finding]:
    over = number - limits.more_than
    if over > 0 and limits.score:
        score = min(limits.score + (over - 1) * limits.each_more, MOST)
        yield Finding(signal, score, {"number": number, "usual": limits.more_than, **saw})
