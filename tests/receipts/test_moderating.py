"""A person decides what the matcher was not sure of."""

import asyncio
from uuid import uuid4

import pytest

from vezde.catalog import operations as catalog
from vezde.receipts import looks, section
from vezde.receipts.model import Reason, Status
from vezde.receipts.operations import merging, moderating, writing
from vezde.testing.receipts import line, receipt

LIPSTICK = line("Помада LUNARIA", 50_000)


async def decide(shop, anna, receipt_id, sku, number=1):
    async with shop.database.transaction() as db:
        return await moderating.decide_line(
            db, anna, receipt_id, line=number, sku=sku, now=shop.at, actor="operator:vera"
        )


class TestDecideLine:
    async def test_prices_the_line_and_accepts_the_receipt(self, shop, anna):
        (doubt,) = await shop.take(anna, receipt(1, lines=[LIPSTICK]))
        decided = await decide(shop, anna, doubt.receipt_id, "LIP-02")
        assert decided.status is Status.ACCEPTED
        assert [(one.sku, one.method, one.points) for one in decided.matched] == [
            ("LIP-02", "moderation", 50)
        ]
        assert (await shop.points(anna)).active == 50

    async def test_is_shown_the_guesses_until_decided(self, shop, anna):
        (doubt,) = await shop.take(anna, receipt(1, lines=[LIPSTICK]))
        (shown,) = (await shop.receipt(anna, doubt.receipt_id)).matched
        assert {"LIP-01", "LIP-02"} <= {guess.sku for guess in shown.guesses}
        assert shown.candidate == shown.guesses[0].sku
        decided = await decide(shop, anna, doubt.receipt_id, "LIP-02")
        assert (decided.matched[0].guesses, decided.matched[0].line_skus) == ((), ())

    def test_reads_matches_kept_before_there_were_guesses(self):
        (one,) = writing.from_json([[1, None, "LIP-01", "ngram", 0.5, 0, None]])
        assert (one.candidate, one.guesses, one.line_skus) == ("LIP-01", (), ())
        assert writing.from_json(writing.to_json([one])) == (one,)

    async def test_said_twice_pays_once(self, shop, anna):
        (doubt,) = await shop.take(anna, receipt(1, lines=[LIPSTICK]))
        for _ in range(2):
            await decide(shop, anna, doubt.receipt_id, "LIP-02")
        assert (await shop.points(anna)).active == 50
        with pytest.raises(moderating.LineNotInDoubt):
            await decide(shop, anna, doubt.receipt_id, "LIP-01")

    async def test_none_of_ours_rejects(self, shop, anna):
        (doubt,) = await shop.take(anna, receipt(1, lines=[LIPSTICK]))
        decided = await decide(shop, anna, doubt.receipt_id, None)
        assert (decided.status, decided.reason) == (Status.REJECTED, Reason.NOT_OURS)

    async def test_teaches_the_shops_wording(self, shop, anna, boris):
        (doubt,) = await shop.take(anna, receipt(1, lines=[LIPSTICK]))
        await decide(shop, anna, doubt.receipt_id, "LIP-02")
        (sure,) = await shop.take(boris, receipt(2, lines=[LIPSTICK]))
        assert sure.status is Status.ACCEPTED
        shown = await shop.receipt(boris, sure.receipt_id)
        assert [(one.sku, one.method) for one in shown.matched] == [("LIP-02", "alias")]

    async def test_of_a_sure_line_or_an_unknown_product_is_refused(self, shop, anna):
        cream = line("Крем для лица LUNARIA 50мл", 83_000)
        (sure,) = await shop.take(anna, receipt(1, lines=[cream]))
        with pytest.raises(moderating.LineNotInDoubt):
            await decide(shop, anna, sure.receipt_id, "LIP-01")
        (doubt,) = await shop.take(anna, receipt(2, lines=[LIPSTICK]))
        with pytest.raises(catalog.UnknownProduct):
            await decide(shop, anna, doubt.receipt_id, "NOPE")
        assert (await shop.receipt(anna, doubt.receipt_id)).status is Status.IN_REVIEW


async def looked(shop, kind=None):
    async with shop.database.transaction() as db:
        return await looks.page(db, order=looks.Order.AGE, kind=kind, after=None, limit=50)


async def decided(shop, who, look, sku, decision_id=None):
    async with shop.database.transaction() as db:
        return await moderating.decide_line(
            *(db, who, look.receipt_id),
            line=look.line,
            sku=sku,
            turn=look.turn,
            decision_id=decision_id,
            now=shop.at,
            actor="operator:vera",
        )


async def undone(shop, who, look, decision_id):
    async with shop.database.transaction() as db:
        return await moderating.undo(
            *(db, who, look.receipt_id),
            line=look.line,
            decision_id=decision_id,
            now=shop.at,
            actor="operator:vera",
        )


# The words of the cream, cut as tills cut them: certain by the words.
BY_WORDS = line("LUNARIA КРЕМ Д/ЛИЦ.50МЛ", 40_000)


class TestQueue:
    async def test_has_what_is_in_doubt_and_loses_what_is_decided(self, shop, anna):
        await shop.take(anna, receipt(1, lines=[LIPSTICK]))
        (look,) = await looked(shop)
        assert (look.kind, look.printed, look.sum_kopecks, look.turn) == (
            "doubt",
            "Помада LUNARIA",
            50_000,
            0,
        )
        await decide(shop, anna, look.receipt_id, "LIP-02")
        assert await looked(shop) == []

    async def test_is_by_age_or_by_value(self, shop, anna):
        for number, kopecks in ((1, 30_000), (2, 90_000), (3, 60_000)):
            await shop.take(anna, receipt(number, lines=[line("Помада LUNARIA", kopecks)]))
            shop.passes(minutes=1)
        async with shop.database.transaction() as db:
            for order, sums in (("age", [300, 900, 600]), ("value", [900, 600, 300])):
                found, after = [], None
                while True:
                    part = await looks.page(
                        db, order=looks.Order(order), kind=None, after=after, limit=1
                    )
                    if not part:
                        break
                    found += [one.sum_kopecks // 100 for one in part]
                    one = part[-1]
                    after = looks.Place(one.since, one.sum_kopecks, one.receipt_id, one.line)
                assert found == sums

    async def test_has_the_first_twenty_names_where_the_programme_says_nothing(self, shop):
        async with shop.database.transaction() as db:
            assert (await section.in_force(db, shop.at)).first_names == 20

    async def test_has_the_first_names_of_a_catalogue_once_each(self, shop, anna):
        for number in (1, 2):
            await shop.take(anna, receipt(number, lines=[BY_WORDS]))
        (look,) = await looked(shop, "first")
        assert look.printed == "LUNARIA КРЕМ Д/ЛИЦ.50МЛ"
        assert (await shop.points(anna)).active == 80  # nobody waits for it

    @pytest.mark.parametrize(("share", "count"), [(0, 0), (10_000, 3)])
    async def test_has_a_share_of_what_was_accepted(self, shop, anna, share, count):
        await shop.publish(moderation={"first_names": 0, "audit_bp": share})
        for number in range(1, 4):
            await shop.take(anna, receipt(number, lines=[BY_WORDS]))
        assert len(await looked(shop, "audit")) == count

    async def test_counts_those_alike(self, shop, anna, boris):
        await shop.take(anna, receipt(1, lines=[LIPSTICK]), receipt(2, lines=[LIPSTICK]))
        await shop.take(boris, receipt(3, lines=[LIPSTICK]))
        waiting = await looked(shop)
        async with shop.database.transaction() as db:
            assert await looks.alike(db, waiting) == [3, 3, 3]
            assert [(one.kind, one.lines) for one in await looks.counted(db)] == [("doubt", 3)]

    async def test_follows_a_merge(self, shop, anna, boris):
        await shop.take(anna, receipt(1, lines=[LIPSTICK]))
        async with shop.database.transaction() as db:
            await merging.lock(db, anna)
            await merging.merge(db, boris, anna, now=shop.at, actor="test")
        (look,) = await looked(shop)
        assert look.member_id == boris


class TestTwoOperators:
    async def test_do_not_clash_over_a_line(self, shop, anna):
        await shop.take(anna, receipt(1, lines=[LIPSTICK]))
        (look,) = await looked(shop)
        await decided(shop, anna, look, "LIP-02")
        with pytest.raises(moderating.LineChanged) as refused:
            await decided(shop, anna, look, "LIP-01")
        assert refused.value.extra["product_sku"] == "LIP-02"
        assert refused.value.extra["decided_by"] == "operator:vera"

    async def test_at_once_decide_it_once(self, shop, anna):
        await shop.take(anna, receipt(1, lines=[LIPSTICK]))
        (look,) = await looked(shop)
        answers = await asyncio.gather(
            *(decided(shop, anna, look, sku) for sku in ("LIP-01", "LIP-02")),
            return_exceptions=True,
        )
        assert sum(isinstance(one, moderating.LineChanged) for one in answers) == 1
        assert (await shop.points(anna)).active == 50


class TestChecking:
    async def test_confirmed_keeps_the_points_and_teaches_the_name(self, shop, anna):
        await shop.take(anna, receipt(1, lines=[BY_WORDS]))
        (look,) = await looked(shop, "first")
        shown = await decided(shop, anna, look, "CREAM-50")
        assert [(one.sku, one.points) for one in shown.matched] == [("CREAM-50", 40)]
        assert (await shop.points(anna)).active == 40

    async def test_found_wrong_takes_back_and_prices_anew(self, shop, anna):
        await shop.take(anna, receipt(1, lines=[BY_WORDS]))
        (look,) = await looked(shop, "first")
        shown = await decided(shop, anna, look, "LIP-01")
        assert [(one.sku, one.method, one.points) for one in shown.matched] == [
            ("LIP-01", "moderation", 40)
        ]
        assert (await shop.points(anna)).active == 40

    async def test_found_foreign_takes_back(self, shop, anna):
        await shop.take(anna, receipt(1, lines=[BY_WORDS]))
        (look,) = await looked(shop, "first")
        await decided(shop, anna, look, None)
        assert (await shop.points(anna)).active == 0


class TestUndo:
    async def test_puts_everything_back_and_it_can_be_decided_anew(self, shop, anna, boris):
        await shop.take(anna, receipt(1, lines=[LIPSTICK]))
        (look,) = await looked(shop)
        first = uuid4()
        await decided(shop, anna, look, "LIP-02", first)
        back = await undone(shop, anna, look, first)
        assert (back.status, back.reason) == (Status.IN_REVIEW, Reason.DOUBTFUL_MATCH)
        assert (await shop.points(anna)).active == 0
        assert back.matched[0].guesses
        (again,) = await looked(shop)
        assert again.turn == 2
        (other,) = await shop.take(boris, receipt(2, lines=[LIPSTICK]))
        assert other.status is Status.IN_REVIEW  # the name is unlearned
        await decided(shop, anna, again, "LIP-01")
        assert (await shop.points(anna)).active == 50

    async def test_of_a_check_prices_what_it_was_before(self, shop, anna):
        await shop.take(anna, receipt(1, lines=[BY_WORDS]))
        (look,) = await looked(shop, "first")
        first = uuid4()
        await decided(shop, anna, look, None, first)
        back = await undone(shop, anna, look, first)
        assert [(one.sku, one.points) for one in back.matched] == [("CREAM-50", 40)]
        assert (await shop.points(anna)).active == 40

    async def test_of_another_decision_is_refused(self, shop, anna):
        await shop.take(anna, receipt(1, lines=[LIPSTICK]))
        (look,) = await looked(shop)
        first = uuid4()
        await decided(shop, anna, look, "LIP-02", first)
        await undone(shop, anna, look, first)
        with pytest.raises(moderating.NothingToUndo):
            await undone(shop, anna, look, first)
