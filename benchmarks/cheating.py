"""How many known cheats signals hold when one honest receipt of a hundred waits for a person.

    python benchmarks/cheating.py [--people 3000] [--seeds 5] [--fit]

A generated population (`benchmarks/cheating`, which knows nothing of signals) is scored by the
product's own code, receipt after receipt, under the shipped section `signals`. The threshold that
delays 1 % of honest receipts is chosen on some seeds and tried on others, which nothing was chosen
on; `--fit` chooses the scores on the first ones, too, and prints them. Intervals are of 95 %,
drawn anew by member (for honest ones) and by kind. Prints a JSON line a figure.
"""

import argparse
import json
import random
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

sys.path.insert(0, str(Path(__file__).parent))

import _fitting as fitting
from cheating.population import population
from cheating.world import PRODUCTS, START, Showing

from vezde.catalog.model import Product
from vezde.purchases import model as purchase
from vezde.purchases.marking import Pack
from vezde.purchases.model import Paid
from vezde.receipts.model import FiscalDocument, FiscalKey, FiscalLine
from vezde.receipts.signals import scoring, seeing
from vezde.receipts.signals.model import Finding, Known, Past, Shown
from vezde.receipts.signals.section import SignalsSection
from vezde.sellers import regions, registry
from vezde.sellers.model import Whereabouts

DELAYED = 0.01  # of honest receipts
SHIPPED = 105  # `signals.quarantine_at` of the shipped programme
MOSCOW = ZoneInfo("Europe/Moscow")
CHOSEN_ON, TRIED_ON = 100, 500  # seeds begin here
CATALOGUE = {
    gtin: Product(sku=gtin, gtin=gtin, name=gtin, brand="B", price_kopecks=price)
    for gtin, price in PRODUCTS.items()
}


def main() -> int:
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--people", type=int, default=3_000)
    given.add_argument("--seeds", type=int, default=5)
    given.add_argument("--fit", action="store_true")
    options = given.parse_args()
    rules = SignalsSection(quarantine_at=1)
    chosen = gathered(rules, CHOSEN_ON, options)
    if options.fit:
        rules = fitting.fit(
            rules, [(one.showing.cheat, one.showing.kind, one.found) for one in chosen]
        )
        say("fitted", section=rules.model_dump(mode="json"))
        chosen = gathered(rules, CHOSEN_ON, options)
    threshold = at_delay(chosen, DELAYED)
    say("threshold", chosen_on_seeds=options.seeds, threshold=threshold, shipped=SHIPPED)
    tried = gathered(rules, TRIED_ON, options)
    report(tried, threshold)
    return 0


def say(figure: str, **values: object) -> None:
    print(json.dumps({"figure": figure, **values}, ensure_ascii=False), flush=True)


@dataclass(frozen=True, slots=True)
class Scored:
    """A showing of a population, and what signals said of it."""

    seed: int
    showing: Showing
    found: tuple[Finding, ...]

    @property
    def score(self) -> int:
        return sum(one.score for one in self.found)


def gathered(rules: SignalsSection, first: int, options: argparse.Namespace) -> list[Scored]:
    seeds = range(first, first + options.seeds)
    return [one for seed in seeds for one in scored(rules, seed, options.people)]


def scored(rules: SignalsSection, seed: int, people: int) -> list[Scored]:
    """Each receipt in the order of showing, with what was known by then, as the intake has it."""
    memory = Memory(timedelta(days=rules.device.within_days))
    answers = []
    for number, showing in enumerate(population(seed, people=people)):
        shown = seen(showing, number)
        memory.device(showing)
        (said,) = scoring.assess_all(rules, [shown], memory.known(shown))
        memory.keep(shown)
        answers.append(Scored(seed, showing, said.findings))
    return answers


class Memory:
    """What the database would answer: the member's receipts, sellers, packs, devices."""

    def __init__(self, device_days: timedelta) -> None:
        self.device_days = device_days
        self.past: dict[UUID, list[Past]] = defaultdict(list)
        self.sellers: dict[str, int] = defaultdict(int)
        self.packs: dict[tuple[str, str], UUID] = {}
        self.devices: dict[int, dict[int, datetime]] = defaultdict(dict)
        self.now = START
        self.last: int | None = None

    def device(self, showing: Showing) -> None:
        self.now, self.last = showing.shown_at, showing.device
        if showing.device is not None:
            self.devices[showing.device][showing.member] = showing.shown_at

    def known(self, shown: Shown) -> Known:
        on_it = self.devices[self.last].values() if self.last is not None else ()
        lately = sum(at >= self.now - self.device_days for at in on_it)
        past = {shown.member_id: self.past[shown.member_id]}
        return Known(past, self.sellers, self.packs, {shown.member_id: max(lately, 1)})

    def keep(self, shown: Shown) -> None:
        self.past[shown.member_id].append(shown.past)
        if shown.past.seller_inn:
            self.sellers[shown.past.seller_inn] += 1
        for pack in shown.packs:
            self.packs.setdefault(pack, shown.past.receipt_id)


def seen(showing: Showing, number: int) -> Shown:
    """The showing as a verified document, by the product's own reading of it."""
    subject, zone = regions.locate(showing.address)
    whereabouts = Whereabouts(
        inn=showing.inn,
        name=showing.seller,
        retail_place=showing.site or showing.seller,
        address=showing.address,
        sender=None,
        internet=showing.site is not None,
    )
    place = registry.name_place(
        registry.shipped(), whereabouts, own=frozenset(), label=None, timezone=zone
    )
    place = replace(place, subject=subject)
    fiscal = _fiscal(showing)
    sold = _sold(showing, fiscal, number, ZoneInfo(zone) if zone else MOSCOW)
    return seeing.shown(fiscal, sold, place, CATALOGUE)


def _fiscal(showing: Showing) -> FiscalDocument:
    lines = tuple(
        FiscalLine(
            line=number,
            name=line.gtin,
            quantity_micro=line.pieces * 1_000_000,
            price_kopecks=line.unit_kopecks,
            sum_kopecks=line.pieces * line.unit_kopecks,
            payment_type=4,
            gtin=line.gtin,
            serial=line.serial,
        )
        for number, line in enumerate(showing.lines, start=1)
    )
    return FiscalDocument(
        key=FiscalKey(showing.fn, showing.fd, 1),
        wall_time=showing.bought_at,
        operation=1,
        total_kopecks=sum(line.sum_kopecks for line in lines),
        lines=lines,
        seller_inn=showing.inn,
        seller_name=showing.seller,
        address=showing.address,
        internet=showing.site is not None,
    )


def _sold(
    showing: Showing, fiscal: FiscalDocument, number: int, zone: ZoneInfo
) -> purchase.Document:
    lines = tuple(
        purchase.Line(
            line=line.line,
            sku=line.gtin,
            category=None,
            tags=(),
            goods=line.name or "",
            provider_inn=None,
            quantity_micro=line.quantity_micro,
            sum_kopecks=line.sum_kopecks,
            paid=Paid.SETTLED,
            pack=Pack(line.gtin, line.serial) if line.gtin and line.serial else None,
        )
        for line in fiscal.lines
    )
    return purchase.Document(
        member_id=UUID(int=showing.member),
        receipt_id=UUID(int=2**80 + number),
        seller_inn=showing.inn,
        sales_channel="other",
        occurred_at=showing.bought_at.replace(tzinfo=zone).astimezone(UTC),
        wall_time=showing.bought_at,
        registered_at=showing.shown_at.replace(tzinfo=MOSCOW).astimezone(UTC),
        total_kopecks=fiscal.total_kopecks,
        prepaid_kopecks=0,
        lines=lines,
        fn=showing.fn,
        fd=showing.fd,
    )


def at_delay(scores: Sequence[Scored], share: float) -> int:
    """The least threshold at which no more than this share of honest receipts is held."""
    honest = sorted((one.score for one in scores if not one.showing.cheat), reverse=True)
    return honest[int(len(honest) * share)] + 1


def report(tried: Sequence[Scored], threshold: int) -> None:
    honest = [one for one in tried if not one.showing.cheat]
    say("honest_delayed", **share(honest, threshold))
    for kind, ones in by_kind(honest).items():
        say("honest_delayed_of_kind", kind=kind, **share(ones, threshold))
    caught = by_kind(one for one in tried if one.showing.cheat)
    for kind, ones in caught.items():
        say("caught", kind=kind, **share(ones, threshold), **noticed(ones, threshold))
    mean = sum(share(ones, threshold, draws=0)["share"] for ones in caught.values()) / len(caught)
    say("caught_mean_of_kinds", share=round(mean, 4), kinds=len(caught))


def by_kind(scores: Iterable[Scored]) -> dict[str, list[Scored]]:
    found: dict[str, list[Scored]] = defaultdict(list)
    for one in scores:
        found[one.showing.kind].append(one)
    return dict(sorted(found.items()))


def share(scores: Sequence[Scored], threshold: int, *, draws: int = 400) -> dict[str, Any]:
    """The share that is held, and its interval by drawing members anew."""
    members = list(_by_member(scores, lambda one: one.score >= threshold).values())
    values = sorted(_drawn(members, random.Random(7), draws))
    held, count = sum(map(sum, members)), len(scores)
    answer: dict[str, Any] = {"share": round(held / count, 4), "receipts": count}
    if values:
        low, high = values[int(draws * 0.025)], values[int(draws * 0.975)]
        answer["interval"] = [round(low, 4), round(high, 4)]
    return answer


def noticed(scores: Sequence[Scored], threshold: int) -> dict[str, Any]:
    """Members of whose receipts one at least was held."""
    members = _by_member(scores, lambda one: one.score >= threshold)
    return {"members_noticed": round(sum(map(any, members.values())) / len(members), 4)}


def _by_member(
    scores: Sequence[Scored], held: Callable[[Scored], bool]
) -> dict[tuple[int, int], list[bool]]:
    members: dict[tuple[int, int], list[bool]] = defaultdict(list)
    for one in scores:
        members[one.seed, one.showing.member].append(held(one))
    return members


def _drawn(members: Sequence[list[bool]], rng: random.Random, draws: int) -> list[float]:
    sums = [(sum(one), len(one)) for one in members]
    shares = []
    for _ in range(draws):
        drawn = rng.choices(sums, k=len(sums))
        shares.append(sum(held for held, _ in drawn) / sum(count for _, count in drawn))
    return shares


if __name__ == "__main__":
    sys.exit(main())
