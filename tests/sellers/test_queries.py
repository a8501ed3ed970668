"""The list of sellers, page by page."""

from vezde.sellers import operations as sellers
from vezde.sellers import queries, registry
from vezde.sellers.model import Whereabouts

LUNARIA, STRANGER, TANDER = "7801234564", "7707083893", "2310031475"


async def meet(db, *inns, now):
    met = [Whereabouts(inn, "ООО «Некто»", None, None, None, internet=False) for inn in inns]
    await sellers.locate(db, met, now=now)


class TestSellers:
    async def test_unknown_ones_are_those_nobody_named(self, db, now):
        await meet(db, LUNARIA, STRANGER, "7736050003", now=now)
        await sellers.install_section(db, {"own_inns": [LUNARIA]}, version=1, valid_from=now)
        await sellers.label(
            db, STRANGER, name="Рынок", kind="chain", sales_channel="chain", now=now, actor="x"
        )
        waiting = await queries.sellers(db, unknown=True, limit=50, after_inn=None)
        assert [one.inn for one in waiting] == ["7736050003"]

    async def test_known_ones_are_own_labelled_and_registered(self, db, now):
        await meet(db, LUNARIA, "7736050003", now=now)
        await sellers.install_section(db, {"own_inns": [LUNARIA]}, version=1, valid_from=now)
        await sellers.label(
            db, STRANGER, name="Рынок", kind="chain", sales_channel="chain", now=now, actor="x"
        )
        known = {
            one.inn: one
            for one in await queries.sellers(db, unknown=False, limit=200, after_inn=None)
        }
        assert known.keys() == {LUNARIA, STRANGER} | registry.shipped().by_inn.keys()
        assert (known[LUNARIA].source, known[LUNARIA].kind) == ("own", "own_shop")
        assert (known[STRANGER].source, known[STRANGER].name) == ("label", "Рынок")
        assert (known[TANDER].source, known[TANDER].name) == (
            "registry",
            "Магнит / Магнит Косметик",
        )

    async def test_pages_join_into_the_whole_list(self, db, now):
        await meet(db, LUNARIA, STRANGER, now=now)
        whole = await queries.sellers(db, unknown=None, limit=200, after_inn=None)
        pages, after = [], None
        while page := await queries.sellers(db, unknown=None, limit=7, after_inn=after):
            pages += page
            after = page[-1].inn
        assert pages == whole
        assert [one.inn for one in whole] == sorted(one.inn for one in whole)
        assert {LUNARIA, STRANGER, TANDER} <= {one.inn for one in whole}


class TestSeller:
    async def test_finds_one_by_inn_wherever_it_is_known_from(self, db, now):
        await meet(db, STRANGER, now=now)
        await sellers.install_section(db, {"own_inns": [LUNARIA]}, version=1, valid_from=now)
        assert (await queries.seller(db, STRANGER)).source is None
        assert (await queries.seller(db, LUNARIA)).source == "own"
        assert (await queries.seller(db, TANDER)).sales_channel == "chain"
        assert await queries.seller(db, "7736050003") is None
