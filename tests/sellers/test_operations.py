"""Locating a batch, naming the unknown, keeping the programme's section."""

import asyncio
import json
from datetime import timedelta

import pytest
from pydantic import ValidationError

from vezde.outbox import operations as outbox
from vezde.sellers import operations as sellers
from vezde.sellers import queries
from vezde.sellers.model import Whereabouts

LUNARIA, STRANGER, NEIGHBOUR = "7801234564", "7707083893", "7736050003"
OPERATOR = "operator:cli"


def seen(inn, **told):
    empty = {"name": None, "retail_place": None, "address": None, "sender": None}
    return Whereabouts(**{"inn": inn, "internet": False, **empty, **told})


async def label(db, inn, *, now, **told):
    usual = {"name": "Аптека на углу", "kind": "pharmacy", "sales_channel": "chain"}
    return await sellers.label(db, inn, now=now, actor=OPERATOR, **{**usual, **told})


async def facts(db):
    rows = await db.execute("SELECT subject, kind, data FROM outbox.fact ORDER BY id")
    return await rows.fetchall()


class TestLocate:
    async def test_answers_in_the_order_asked_and_remembers_the_unknown_once(self, db, now):
        places = await sellers.locate(
            db,
            [
                seen(STRANGER, name="ООО «Некто»", address="630007, г. Новосибирск"),
                seen("7704217370  ", retail_place="ozon.ru", internet=True),
                seen(STRANGER, name="ООО «Некто»"),
                seen(None),
            ],
            now=now,
        )
        assert [place.sales_channel for place in places] == ["other", "ozon", "other", "other"]
        assert [place.known for place in places] == [False, True, False, False]
        assert places[0].timezone == "Asia/Novosibirsk"
        [waiting] = await queries.sellers(db, unknown=True, limit=50, after_inn=None)
        assert (waiting.inn, waiting.seen_name) == (STRANGER, "ООО «Некто»")
        assert waiting.first_seen_at == now

    async def test_keeps_the_first_sight_of_an_unknown_inn(self, db, now):
        await sellers.locate(db, [seen(STRANGER, name="Первый")], now=now)
        await sellers.locate(db, [seen(STRANGER, name="Второй")], now=now + timedelta(days=1))
        [waiting] = await queries.sellers(db, unknown=True, limit=50, after_inn=None)
        assert (waiting.seen_name, waiting.first_seen_at) == ("Первый", now)

    async def test_follows_a_label_from_the_next_receipt_on(self, db, now):
        await sellers.locate(db, [seen(STRANGER)], now=now)
        await label(db, STRANGER, now=now)
        [place] = await sellers.locate(db, [seen(STRANGER)], now=now)
        assert (place.name, place.kind, place.known) == ("Аптека на углу", "pharmacy", True)

    async def test_knows_the_brands_own_inns_of_the_programme_in_force(self, db, now):
        await sellers.install_section(db, {}, version=1, valid_from=now)
        later = now + timedelta(days=7)
        await sellers.install_section(db, {"own_inns": [LUNARIA]}, version=2, valid_from=later)
        [before] = await sellers.locate(db, [seen(LUNARIA)], now=now)
        [after] = await sellers.locate(db, [seen(LUNARIA, internet=True)], now=later)
        assert (before.sales_channel, after.sales_channel) == ("other", "own_site")

    async def test_reads_the_region_of_a_shops_till_but_not_of_a_sites(self, db, now):
        shop, site = await sellers.locate(
            db, [seen(STRANGER, region="27"), seen(STRANGER, region="27", internet=True)], now=now
        )
        assert (shop.timezone, site.timezone) == ("Asia/Vladivostok", None)

    async def test_takes_an_empty_batch(self, db, now):
        assert await sellers.locate(db, [], now=now) == []

    async def test_two_batches_that_meet_the_same_newcomers_do_not_deadlock(self, database, now):
        async def batch(inns):
            async with database.transaction() as db:
                for _ in range(3):
                    await sellers.locate(db, [seen(inn) for inn in inns], now=now)

        inns = [LUNARIA, STRANGER, NEIGHBOUR]
        await asyncio.gather(*(batch(inns[::step]) for step in (1, -1, 1, -1)))
        async with database.transaction() as db:
            waiting = await queries.sellers(db, unknown=True, limit=50, after_inn=None)
        assert [one.inn for one in waiting] == sorted(inns)

    async def test_costs_two_reads_and_one_insert_for_a_hundred_receipts(self, db, now):
        counted = 0
        execute = db.execute

        async def counting(*args, **kwargs):
            nonlocal counted
            counted += 1
            return await execute(*args, **kwargs)

        db.execute = counting
        await sellers.locate(db, [seen(STRANGER), seen("7704217370")] * 50, now=now)
        assert counted == 3


class TestLabel:
    async def test_records_a_fact_about_the_inn(self, db, now):
        await outbox.subscribe(db, ["seller.labelled/1"])
        seller = await label(db, f" {STRANGER} ", now=now, name=" Аптека ")
        assert (seller.name, seller.source, seller.labelled_by) == ("Аптека", "label", OPERATOR)
        assert await facts(db) == [
            (
                STRANGER,
                "seller.labelled/1",
                {"inn": STRANGER, "kind": "pharmacy", "sales_channel": "chain"},
            )
        ]

    async def test_the_same_label_again_changes_nothing(self, db, now):
        await label(db, STRANGER, now=now)
        again = await label(db, STRANGER, now=now + timedelta(days=1))
        assert again.labelled_at == now
        assert len(await facts(db)) == 1

    async def test_another_label_takes_its_place(self, db, now):
        await label(db, STRANGER, now=now)
        later = now + timedelta(days=1)
        seller = await label(db, STRANGER, now=later, sales_channel="farmacia_2")
        assert (seller.sales_channel, seller.labelled_at) == ("farmacia_2", later)
        assert len(await facts(db)) == 2

    async def test_names_every_wrong_field(self, db, now):
        with pytest.raises(sellers.SellerInvalid) as refused:
            await label(db, "1", now=now, name=" ", kind="bazaar", sales_channel="Own Shop")
        wrong = [error.path for error in refused.value.errors]
        assert wrong == ["inn", "name", "kind", "sales_channel"]

    async def test_takes_wrong_check_digits_only_where_a_receipt_showed_them(self, db, now):
        odd = "7707083894"
        with pytest.raises(sellers.SellerInvalid, match="mistyped digit"):
            await label(db, odd, now=now)
        await sellers.locate(db, [seen(odd)], now=now)
        assert (await label(db, odd, now=now)).inn == odd

    async def test_leaves_the_brands_own_inns_to_the_programme(self, db, now):
        await sellers.install_section(db, {"own_inns": [LUNARIA]}, version=1, valid_from=now)
        with pytest.raises(sellers.OwnSeller, match="own_inns"):
            await label(db, LUNARIA, now=now)


class TestInstallSection:
    async def test_the_first_version_serves_all_earlier_time(self, db, now):
        await sellers.install_section(db, {"own_inns": [LUNARIA]}, version=1, valid_from=now)
        assert await queries.own_inns(db, now - timedelta(days=900)) == {LUNARIA}

    async def test_of_the_started_versions_the_last_published_counts(self, db, now):
        days = timedelta(days=1)
        await sellers.install_section(db, {}, version=1, valid_from=now)
        await sellers.install_section(
            db, {"own_inns": [LUNARIA]}, version=2, valid_from=now + 9 * days
        )
        await sellers.install_section(
            db, {"own_inns": [STRANGER]}, version=3, valid_from=now + days
        )
        assert await queries.own_inns(db, now) == frozenset()
        assert await queries.own_inns(db, now + days) == {STRANGER}
        assert await queries.own_inns(db, now + 9 * days) == {STRANGER}

    async def test_refuses_a_section_that_was_not_checked(self, db, now):
        with pytest.raises(ValidationError):
            await sellers.install_section(db, {"own_inns": ["1"]}, version=1, valid_from=now)

    async def test_without_a_programme_nothing_is_the_brands_own(self, db, now):
        assert await queries.own_inns(db, now) == frozenset()


# Section 3 of the facts: what each real receipt's place is, and the clock of its till.
NOVOSIBIRSK = "Asia/Novosibirsk"
EXPECTED = {
    "001": ("Пятёрочка", "chain", "Asia/Vladivostok"),
    "002": ("METRO", "chain", NOVOSIBIRSK),
    "003": (None, "other", NOVOSIBIRSK),
    "004": (None, "other", NOVOSIBIRSK),
    "005": ("Ozon", "ozon", "Europe/Moscow"),
    "006": ("METRO", "chain", NOVOSIBIRSK),
    "007": (None, "other", NOVOSIBIRSK),
    "008": ("METRO", "chain", NOVOSIBIRSK),
    "009": ("METRO", "chain", NOVOSIBIRSK),
    "010": ("Ашан", "chain", NOVOSIBIRSK),
    "011": ("Детский мир", "chain", NOVOSIBIRSK),
    "012": ("METRO", "chain", NOVOSIBIRSK),
    "013": (None, "other", NOVOSIBIRSK),
    "014": ("METRO", "chain", NOVOSIBIRSK),
    "015": ("METRO", "chain", NOVOSIBIRSK),
    "016": (None, "other", NOVOSIBIRSK),
    "017": ("METRO", "chain", NOVOSIBIRSK),
    "018": ("METRO", "chain", NOVOSIBIRSK),
    "019": ("Ozon", "ozon", "Europe/Moscow"),
    "020": ("METRO", "chain", NOVOSIBIRSK),
    "021": ("METRO", "chain", NOVOSIBIRSK),
    "022": ("Лемана ПРО", "chain", NOVOSIBIRSK),
    "023": ("Лемана ПРО", "chain", NOVOSIBIRSK),
    "024": ("Ozon", "ozon", "Europe/Moscow"),
    "025": ("Ozon", "ozon", "Europe/Moscow"),
    "026": ("Лента", "chain", NOVOSIBIRSK),
    "027": ("METRO", "chain", NOVOSIBIRSK),
    "040": (None, "other", "Europe/Moscow"),
    "041": ("SPAR", "chain", None),
    "042": ("Дикси", "chain", None),
    "043": ("Пятёрочка", "chain", "Europe/Moscow"),
    "044": (None, "other", "Europe/Moscow"),
    "045": (None, "other", None),
    "046": ("ВкусВилл", "chain", "Asia/Yekaterinburg"),
    "047": ("Яндекс.Такси", "other", "Europe/Moscow"),
}


def header(found):
    """The receipt inside whatever wraps it."""
    inside = found.values() if isinstance(found, dict) else found
    if isinstance(found, dict) and "userInn" in found:
        return found
    for value in inside:
        if isinstance(value, (dict, list)) and (receipt := header(value)):
            return receipt
    return None


class TestRealReceipts:
    async def test_every_retail_receipt_is_located(self, db, now, shared):
        names = list(EXPECTED)
        receipts = [
            header(json.loads((shared / f"data/receipts/{name}.json").read_text("utf-8")))
            for name in names
        ]
        places = await sellers.locate(
            db,
            [
                Whereabouts(
                    inn=receipt["userInn"],
                    name=receipt.get("user"),
                    retail_place=receipt.get("retailPlace"),
                    address=receipt.get("retailPlaceAddress"),
                    sender=receipt.get("sellerAddress"),
                    internet=bool(receipt.get("internetSign")),
                    region=receipt.get("region"),
                )
                for receipt in receipts
            ],
            now=now,
        )
        assert {
            name: (place.name if place.known else None, place.sales_channel, place.timezone)
            for name, place in zip(names, places, strict=True)
        } == EXPECTED
        waiting = await queries.sellers(db, unknown=True, limit=50, after_inn=None)
        assert len(waiting) == 8
