"""A person decides what the matcher was not sure of."""

import pytest

from vezde.catalog import operations as catalog
from vezde.receipts.model import Reason, Status
from vezde.receipts.operations import moderating, writing
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
