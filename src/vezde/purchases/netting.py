"""What documents of the same goods in one shop do to each other: returns, corrections, credits.

The answer is a function of all the documents that are known, in the order in which they happened:
whatever order they were shown in, and however often, it is the same. It is computed anew whenever
one more is shown; what the points then have to follow is the difference. Pure.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from vezde.purchases import marks
from vezde.purchases.model import CREDIT_LASTS, Paid

Key = tuple[UUID, int]  # document, line

# Faults come to light within months, refunds by the shop's good will too; later it is another one.
RETURNED_WITHIN = timedelta(days=366)
# Of a line «3 for 1 000 ₽» one is returned at 333.33 or 333.34.
PRICES_DIFFER_BY = 100  # parts of a price: one per cent

# Lines that are the goods themselves.
GOODS = frozenset({Paid.SETTLED, Paid.ON_CREDIT, Paid.CREDIT_PAYMENT})
BACK = frozenset({Paid.RETURNED, Paid.STORNED})
# What makes a family of documents be looked at together at all; plain sales stand alone.
ENTANGLING = frozenset({*BACK, Paid.CORRECTED, Paid.ON_CREDIT, Paid.CREDIT_PAYMENT})


@dataclass(frozen=True, slots=True)
class Moved:
    """A line of goods sold or returned; `fn`, `fd` order what one till printed in one minute.

    `mark` is what a marketplace prints to name the order's unit, `order_number` the shop's own
    number of the order.
    """

    key: Key
    paid: Paid
    occurred_at: datetime
    quantity_micro: int
    sum_kopecks: int
    provider_inn: str | None = None
    mark: str | None = None
    fn: int | None = None
    fd: int | None = None
    order_number: str | None = None

    @property
    def turn(self) -> tuple[datetime, UUID, int]:
        return self.occurred_at, *self.key


@dataclass(frozen=True, slots=True)
class Net:
    """What is left of a line of goods: whether it is the one of its purchase that earns, how much
    of it came back, and by which documents.
    """

    earns: bool = True
    returned_micro: int = 0
    returned_by: tuple[UUID, ...] = ()


def net(lines: Iterable[Moved]) -> dict[Key, Net]:
    """Each line of goods as all known documents of its shop and name leave it.

    A correction that sells anew takes back the storno of the same goods and money before it. Of a
    credit the hand-over earns, of instalments without one the first. A return takes from the
    latest sale before it of its price and supplier, first from one of exactly its quantity.
    """
    known = sorted(lines, key=lambda one: one.turn)
    sold = [one for one in known if one.paid in GOODS]
    covered = _covered(sold)
    left = {one.key: one.quantity_micro for one in sold if one.key not in covered}
    by: dict[Key, list[UUID]] = {}
    for back in _stand(known):
        wanted = back.quantity_micro
        for sale in _sources(back, [one for one in sold if one.key in left]):
            taken = min(wanted, left[sale.key])
            if taken:
                wanted -= taken
                left[sale.key] -= taken
                by.setdefault(sale.key, []).append(back.key[0])
    return {
        one.key: Net(
            one.key not in covered,
            one.quantity_micro - left.get(one.key, one.quantity_micro),
            tuple(by.get(one.key, ())),
        )
        for one in sold
    }


def _stand(known: Sequence[Moved]) -> list[Moved]:
    """Returns, and the stornos that no correction after them has taken back."""
    anew = [one for one in known if one.paid is Paid.CORRECTED]
    found = []
    for one in known:
        if one.paid not in BACK:
            continue
        taken_back = one.paid is Paid.STORNED and next(
            (
                again
                for again in anew
                if again.occurred_at >= one.occurred_at
                and (again.quantity_micro, again.sum_kopecks)
                == (one.quantity_micro, one.sum_kopecks)
            ),
            None,
        )
        if taken_back:
            anew.remove(taken_back)
        else:
            found.append(one)
    return found


def _covered(sold: Sequence[Moved]) -> set[Key]:
    """Payments of a credit whose goods another document stands for."""
    handed_over = [one for one in sold if one.paid is Paid.ON_CREDIT]
    covered: set[Key] = set()
    first: Moved | None = None
    for one in sold:
        if one.paid is not Paid.CREDIT_PAYMENT:
            continue
        if any(_within(one, other) for other in handed_over):
            covered.add(one.key)
        elif first is None or not _within(one, first):
            first = one
        else:
            covered.add(one.key)
    return covered


def _within(one: Moved, other: Moved) -> bool:
    return abs(one.occurred_at - other.occurred_at) <= CREDIT_LASTS


def _sources(back: Moved, sold: Sequence[Moved]) -> list[Moved]:
    fitting = [one for one in sold if _fits(back, one)]
    return sorted(
        fitting,
        key=lambda one: (
            marks.same_order(one, back) is not True,
            not _costs_the_same(back, one),
            one.quantity_micro != back.quantity_micro,
            back.occurred_at - one.occurred_at,
            *one.key,
        ),
    )


def _fits(back: Moved, sale: Moved) -> bool:
    if not _before(sale, back) or back.occurred_at - sale.occurred_at > RETURNED_WITHIN:
        return False
    same = marks.same_order(back, sale)
    if same is False:
        return False
    if same and back.mark is not None and back.mark == sale.mark:  # the very unit
        return True
    if None not in {back.provider_inn, sale.provider_inn} and (
        back.provider_inn != sale.provider_inn
    ):
        return False
    return same or _costs_the_same(back, sale)


def _costs_the_same(back: Moved, sale: Moved) -> bool:
    ours, theirs = (
        back.sum_kopecks * sale.quantity_micro,
        sale.sum_kopecks * back.quantity_micro,
    )
    return PRICES_DIFFER_BY * abs(ours - theirs) <= max(ours, theirs)


def _before(sale: Moved, back: Moved) -> bool:
    """Tills print minutes: of an exchange in one minute the number says what came first."""
    if sale.occurred_at != back.occurred_at or sale.fn is None or sale.fd is None:
        return sale.occurred_at < back.occurred_at
    return sale.fn == back.fn and back.fd is not None and sale.fd < back.fd
