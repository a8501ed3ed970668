"""Which clock a till keeps."""

from zoneinfo import ZoneInfo

import pytest

from vezde.sellers import regions


class TestTimezoneOf:
    @pytest.mark.parametrize(
        ("address", "zone"),
        [
            ("236006, г. Калининград, Московский пр-т, 40", "Europe/Kaliningrad"),
            ("109316, Москва, Волгоградский проспект, 42", "Europe/Moscow"),
            ("443010,Россия,Самарская область,,Самара г,,,,", "Europe/Samara"),
            ("54 - Новосибирская область, 630032, Новосибирск г, Горский мкр", "Asia/Novosibirsk"),
            ("Республика Башкортостан, 450057, г. Уфа", "Asia/Yekaterinburg"),
            ("обл. Томская, г. Томск", "Asia/Tomsk"),
            ("Чувашская Республика - Чувашия, г. Чебоксары", "Europe/Moscow"),
            ("Ханты-Мансийский Автономный округ - Югра АО", "Asia/Yekaterinburg"),
            ("Ненецкий автономный округ", "Europe/Moscow"),
            ("Еврейская автономная область", "Asia/Vladivostok"),
            ("680038, 27 - Хабаровский край, г.о. город Хабаровск", "Asia/Vladivostok"),
            ("684000, Камчатский край, г. Елизово", "Asia/Kamchatka"),
            ("Чукотский АО", "Asia/Anadyr"),
            ("г. Новый Уренгой, ТЦ «Солнечный»", "Asia/Yekaterinburg"),
            ("Г. КОРОЛЁВ", "Europe/Moscow"),
        ],
    )
    def test_reads_addresses_as_tills_print_them(self, address, zone):
        assert regions.timezone_of(address) == zone

    @pytest.mark.parametrize(
        "address",
        [
            None,
            "",
            "ТЦ «Лунный», 2 этаж",
            "улица Ленина, 5",
            "630007, Московская область",
            "г. Благовещенск",
            "ул. Омск, г. Томск",
            "000000",
            "220030, Минск",
            "Almaty 050000",
        ],
    )
    def test_answers_none_when_it_is_not_sure(self, address):
        assert regions.timezone_of(address) is None

    def test_a_street_that_bears_a_citys_name_does_not_count_beside_an_index(self):
        assert regions.timezone_of("440000, Пенза, ул. Владивосток") == "Europe/Moscow"

    def test_tells_the_parts_of_a_subject_with_several_zones(self):
        assert regions.timezone_of("677000, Респ Саха /Якутия/, г Якутск") == "Asia/Yakutsk"
        assert regions.timezone_of("678730, Оймяконский у, п Усть-Нера") == "Asia/Ust-Nera"
        assert regions.timezone_of("Республика Саха, Среднеколымск г") == "Asia/Srednekolymsk"

    def test_takes_the_tax_services_code_of_the_subject(self):
        assert regions.timezone_of(None, region="27") == "Asia/Vladivostok"
        assert regions.timezone_of("ул. Ленина, 5", region="1") == "Europe/Moscow"
        assert regions.timezone_of("630007, г. Новосибирск", region="77") is None
        assert regions.timezone_of(None, region="99") is None


class TestShipped:
    def test_every_subject_has_a_code_and_a_zone_that_exists(self):
        shipped = regions.shipped()
        codes = {f"{code:02d}" for code in range(1, 93)} - {"80", "81", "82", "84", "85", "88"}
        assert shipped.by_code.keys() == codes | {"93", "94", "95"}
        for subject in shipped.by_code.values():
            for zone in (subject.zone, *subject.parts.values()):
                assert ZoneInfo(zone).key == zone

    def test_covers_the_country_from_kaliningrad_to_kamchatka(self, now):
        zones = {subject.zone for subject in regions.shipped().by_code.values()}
        hours = {ZoneInfo(zone).utcoffset(now).total_seconds() / 3600 for zone in zones}
        assert hours == set(range(2, 13))

    def test_no_index_or_name_belongs_to_two_subjects(self):
        shipped = regions.shipped()
        assert len(shipped.by_index) == 290
        assert len(shipped.by_city) > 300
        for city in shipped.by_city:
            assert city == city.casefold().replace("ё", "е")
