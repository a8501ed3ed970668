"""The shipped places and the order of the rules that name one."""

import pytest

from vezde.sellers import model, registry
from vezde.sellers.model import Place, Whereabouts
from vezde.sellers.registry import Label

LUNARIA, STRANGER = "7801234564", "7707083893"
OZON, TANDER = "7704217370", "2310031475"


def seen(inn=None, name="ООО «Некто»", place=None, address=None, sender=None, internet=False):
    return Whereabouts(inn, name, place, address, sender, internet)


def named(whereabouts, *, own=frozenset(), label=None):
    return registry.name_place(registry.shipped(), whereabouts, own=own, label=label, timezone=None)


class TestShipped:
    def test_holds_facts_that_agree_with_the_contract(self):
        for place in registry.shipped().places:
            assert place.sales_channel in model.SALES_CHANNELS
            assert place.inns or place.hosts
            for person in place.inns:
                assert model.is_inn(person.inn)
                assert person.evidence in ("receipt", "public")

    def test_the_place_without_a_condition_comes_last(self):
        for places in registry.shipped().by_inn.values():
            assert [place.when is None for place in places] == [False] * (len(places) - 1) + [True]

    def test_keeps_legal_persons_of_the_past(self):
        ceased = [
            person
            for place in registry.shipped().places
            for person in place.inns
            if person.until is not None
        ]
        assert [person.inn for person in ceased] == ["7704357909"]
        assert named(seen("7704357909")).sales_channel == "yandex_market"


class TestNamePlace:
    def test_own_shops_come_before_labels_and_the_registry(self):
        label = Label("Лунария на Невском", "chain", "chain")
        place = named(seen(LUNARIA), own=frozenset([LUNARIA]), label=label)
        assert (place.kind, place.sales_channel, place.known) == ("own_shop", "own_shop", True)
        assert place.name == "Лунария на Невском"

    def test_the_internet_sign_tells_the_own_site_from_the_own_shop(self):
        place = named(seen(LUNARIA, internet=True), own=frozenset([LUNARIA]))
        assert (place.kind, place.sales_channel) == ("own_site", "own_site")

    def test_a_label_comes_before_the_registry(self):
        place = named(seen(OZON, place="ozon.ru"), label=Label("Озон", "other", "ozon_express"))
        assert (place.name, place.sales_channel) == ("Озон", "ozon_express")

    def test_the_inn_comes_before_what_a_till_calls_itself(self):
        assert named(seen("9714053621", place="https://ozon.ru")).sales_channel == "wildberries"

    @pytest.mark.parametrize(
        ("place", "channel"),
        [
            ("https://goldapple.ru/", "goldapple"),
            ("www.letu.ru", "letu"),
            ("Интернет-магазин RIVEGAUCHE.RU", "rivegauche"),
            ("market.yandex.ru", "yandex_market"),
            ("https://www.wildberries.ru", "wildberries"),
        ],
    )
    def test_knows_a_site_whoever_runs_the_till(self, place, channel):
        found = named(seen(STRANGER, place=place, internet=True))
        assert (found.sales_channel, found.known) == (channel, True)

    @pytest.mark.parametrize(
        "place", ["ozon.ru.example.com", "notozon.ru", "ozon", "yandex.ru", "Аптека,a-plus.ru"]
    )
    def test_is_not_taken_in_by_lookalikes(self, place):
        assert not named(seen(STRANGER, place=place)).known

    def test_knows_the_sender_of_the_receipt(self):
        assert named(seen(sender="check@letu.ru")).sales_channel == "letu"
        assert not named(seen(sender="noreply@platformaofd.ru")).known

    @pytest.mark.parametrize("place", ["МК Азалия", "Магазин «Магнит-Косметик»", "8011 мк"])
    def test_tells_magnit_cosmetic_by_the_tills_place(self, place):
        assert named(seen(TANDER, place=place)).sales_channel == "magnit_cosmetic"

    @pytest.mark.parametrize("place", ["ММ Пятница", "мкр Горский", None])
    def test_any_other_till_of_the_same_inn_is_magnit(self, place):
        found = named(seen(TANDER, place=place))
        assert (found.name, found.sales_channel) == ("Магнит", "chain")

    def test_an_unknown_seller_is_other_under_its_printed_name(self):
        place = named(seen(STRANGER, name=" ООО «Некто» "))
        assert place == Place(STRANGER, "ООО «Некто»", "other", "other", None, known=False)

    def test_has_a_name_even_where_nothing_is_printed(self):
        assert named(seen(STRANGER, name=None)).name == STRANGER
        assert named(seen(name=None, place="Лавка")).name == "Лавка"
        assert named(seen(name=None)).name == ""
