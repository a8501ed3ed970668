"""A share of the points at once, the rest after the hold; a return takes from what waits first."""

from datetime import timedelta

import pytest

from vezde.program import queries as program
from vezde.program.records import given
from vezde.testing.receipts import NOON, OZON, PYATEROCHKA, line, receipt

from .conftest import Shop

CREAM = line("Крем для лица LUNARIA 50мл", 83_000)
MASK = line("Маска для волос LUNARIA 100мл", 41_700)
RULES = {
    "default_rate_bp": 1000,
    "channels": {"ozon": {"hold_days": 14, "at_once_bp": 2500}},
}


@pytest.fixture
async def generous(shop: Shop) -> Shop:
    """A quarter of Ozon's points does not wait; the clock stands after the purchases."""
    await shop.publish(earning=RULES)
    shop.passes(days=4)
    return shop


def bought(number: int, *lines, **more):
    return receipt(number, lines=lines, seller=OZON, at=NOON + timedelta(days=2), **more)


class TestAShareAtOnce:
    async def test_is_active_while_the_rest_waits(self, generous, anna):
        (result,) = await generous.take(anna, bought(1, CREAM, MASK))
        assert (result.points.active, result.points.pending) == (31, 93)
        points = await generous.points(anna)
        assert (points.active, points.pending) == (31, 93)
        generous.passes(days=14)
        points = await generous.points(anna)
        assert (points.active, points.pending) == (124, 0)
        shown = await generous.receipt(anna, result.receipt_id)
        assert shown.points(generous.at)[:2] == (0, 124)

    async def test_is_nothing_where_nothing_waits(self, generous, anna):
        paper = receipt(1, lines=[CREAM], seller=PYATEROCHKA, at=NOON + timedelta(days=2))
        await generous.take(anna, paper)
        points = await generous.points(anna)
        assert (points.active, points.pending) == (83, 0)

    async def test_a_return_takes_from_what_waits_first(self, generous, anna):
        await generous.take(anna, bought(1, CREAM, MASK))
        back = receipt(2, lines=[MASK], seller=OZON, at=NOON + timedelta(days=3), operation=2)
        await generous.take(anna, back)
        points = await generous.points(anna)
        assert points.active + points.pending == 83
        rest = receipt(3, lines=[CREAM], seller=OZON, at=NOON + timedelta(days=3), operation=2)
        await generous.take(anna, rest)
        points = await generous.points(anna)
        assert (points.active, points.pending, points.debt) == (0, 0, 0)

    async def test_parts_of_both_lots_add_up(self, generous, anna):
        (result,) = await generous.take(anna, bought(1, CREAM, MASK))
        async with generous.database.transaction() as db:
            (decided,) = await program.decisions(db, anna, fact_ids=[result.receipt_id])
        now, later = given(decided.decision)
        assert sum(part.points for part in now.parts) == decided.decision.at_once == 31
        assert sum(part.points for part in later.parts) == 93
        assert decided.decision.points == 124
