from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vezde.catalog import judging, names
from vezde.catalog import matcher as matching
from vezde.catalog.assortment import Assortment
from vezde.catalog.matcher import Item, Matcher, Thresholds

INN, OTHER_INN = "7801234564", "7801234571"


@pytest.fixture(scope="module")
def small(lunaria):
    return Matcher(Assortment([*lunaria[:5], replace(lunaria[5], name="50 мл")]), {})


class TestBarcode:
    def test_decides_alone(self, lunaria, ask):
        found = ask(lunaria, "ЧТО УГОДНО", gtin=lunaria[6].gtin)
        assert (found.sku, found.method, found.score) == (lunaria[6].sku, "gtin", 1.0)

    def test_is_read_without_its_leading_zeros_and_without_a_name(self, lunaria, ask):
        assert ask(lunaria, None, gtin=lunaria[6].gtin.lstrip("0")).sku == lunaria[6].sku

    def test_is_found_inside_a_name(self, lunaria, ask):
        printed = f"{lunaria[6].gtin[1:]} КРЕМ"
        assert ask(lunaria, printed).method == "gtin"

    def test_of_another_pack_makes_a_sure_name_doubtful(self, lunaria, ask):
        found = ask(lunaria, lunaria[6].name, gtin="4600000000008")
        assert (found.sku, found.candidate_sku) == (None, lunaria[6].sku)

    def test_that_is_not_ours_says_nothing_against_a_foreign_name(self, lunaria, ask):
        assert ask(lunaria, "Молоко 1 л", gtin="4600000000008") == matching.NOT_OURS


class TestAlias:
    def test_is_one_sellers(self, lunaria, ask):
        aliases = {(INN, names.key("КР.ЛУН.75")): "LU-B-007"}
        found = ask(lunaria, "Кр.Лун.75", seller_inn=INN, aliases=aliases)
        assert (found.sku, found.method, found.score) == ("LU-B-007", "alias", 1.0)
        assert ask(lunaria, "КР.ЛУН.75", seller_inn=OTHER_INN, aliases=aliases).sku is None

    def test_says_surely_not_ours_even_of_an_exact_name(self, lunaria, ask):
        aliases = {(INN, names.key(lunaria[0].name)): None}
        found = ask(lunaria, lunaria[0].name, seller_inn=INN, aliases=aliases)
        assert (found.sku, found.candidate_sku, found.method) == (None, None, "alias")

    def test_of_an_archived_product_matches_nothing_else(self, lunaria, ask):
        aliases = {(INN, names.key(lunaria[0].name)): "ARCHIVED"}
        found = ask(lunaria, lunaria[0].name, seller_inn=INN, aliases=aliases)
        assert (found.sku, found.candidate_sku) == (None, None)

    def test_of_a_seller_unknown_is_an_alias_of_its_own(self, lunaria, ask):
        aliases = {("", names.key("КР.ЛУН.75")): "LU-B-007"}
        assert ask(lunaria, "КР.ЛУН.75", aliases=aliases).sku == "LU-B-007"
        assert ask(lunaria, "КР.ЛУН.75", seller_inn=INN, aliases=aliases).sku is None


class TestName:
    def test_is_certain_of_every_product_by_its_own_name(self, lunaria):
        asked = [Item(product.name) for product in lunaria]
        found = Matcher(Assortment(lunaria), {}).match(asked)
        assert [match.sku for match in found] == [product.sku for product in lunaria]

    def test_is_certain_of_every_alias(self, lunaria):
        asked = [(Item(alias), one.sku) for one in lunaria for alias in one.aliases]
        found = Matcher(Assortment(lunaria), {}).match([item for item, _ in asked])
        assert [match.sku for match in found] == [sku for _, sku in asked]
        assert {match.method for match in found} == {"name"}

    def test_without_the_size_is_certain_of_the_only_one(self, product, ask):
        one = product("A", "Крем для рук Морошка 75 мл")
        assert ask([one], "Крем для рук Морошка Лунария").sku == "A"
        other = product("B", "Крем для рук Морошка 30 мл")
        found = ask([one, other], "Крем для рук Морошка Лунария")
        assert (found.sku, found.candidate_sku, found.score) == (None, "A", 0.5)
        assert ask([one, other], "Крем для рук Морошка Лунария 30мл").sku == "B"

    def test_reads_the_size_from_its_own_column(self, product, ask):
        sizes = [product("A", "Крем", size="75 мл"), product("B", "Крем", size="30")]
        assert ask(sizes, "LUNARIA крем 30мл").sku == "B"
        assert ask(sizes, "LUNARIA крем 30").sku == "B"
        assert ask(sizes, "LUNARIA крем 50мл").sku is None

    def test_adds_the_shade_from_its_own_column(self, product, ask):
        shades = [product("A", "Тушь", shade="чёрная"), product("B", "Тушь", shade="синяя")]
        assert ask(shades, "LUNARIA тушь синяя").sku == "B"
        assert ask(shades, "LUNARIA тушь").sku is None

    def test_of_two_products_alike_to_the_letter_is_doubtful(self, product, ask):
        found = ask([product("A", "Крем 50 мл"), product("B", "Крем 50 мл")], "LUNARIA крем 50 мл")
        assert (found.sku, found.candidate_sku) == (None, "A")

    def test_that_says_little_needs_the_brand(self, product, ask):
        cream = [product("A", "Крем ночной")]
        assert ask(cream, "Крем ночной").sku is None
        assert ask(cream, "Крем ночной").candidate_sku == "A"
        assert ask(cream, "LUNARIA Крем ночной").sku == "A"
        assert ask(cream, "Крем ночной", own_supplier=True).sku == "A"
        assert ask([product("A", "Крем для рук 75 мл")], "Крем для рук 75 мл").sku is None
        assert ask([product("A", "Крем ночной", aliases=("КРЕМ",))], "Крем").sku == "A"
        care = [product("A", "Крем для рук питательный 75 мл")]
        assert ask(care, "КРЕМ Д/РУК ПИТАТЕЛЬНЫЙ 75МЛ").sku == "A"

    def test_written_with_the_brand_is_another_without_it(self, product, ask):
        cream = [product("A", "Крем ночной Лунария, 50 мл", aliases=("LUNARIA КРЕМ",))]
        assert ask(cream, "LUNARIA КРЕМ").sku == "A"
        assert ask(cream, "Крем").sku is None
        assert ask(cream, "Крем ночной 50 мл").sku is None
        assert ask(cream, "Крем ночной LUNARIA 50мл").sku == "A"

    def test_of_a_set_without_its_count_is_the_single_that_stands_there_too(self, product, ask):
        alone = product("A", "Антисептик невымываемый Полянка концентрат 1:10, 5 л")
        pair = product("B", "Антисептик Полянка, концентрат, 1 л, 2 шт")
        found = ask([alone, pair], "LUNARIA АНТИСЕПТИК ПОЛЯНКА КОНЦ.")
        assert (found.sku, found.line_skus, bool(found.candidate_sku)) == (None, (), True)
        assert ask([alone, pair], "LUNARIA антисептик Полянка концентрат 1л 2шт").sku == "B"

    def test_of_wipes_without_their_count_is_certain_of_the_line(self, product, ask):
        wipes = [product("A", "Салфетки влажные Росинка, 72 шт")]
        assert ask(wipes, "LUNARIA САЛФЕТКИ ВЛАЖНЫЕ РОСИНКА").line_skus == ("A",)

    def test_that_two_lines_bear_is_neither(self, product, ask):
        title = "Грунт влагоизолирующий Полянка, {}"
        blue = product("A", "Грунт Полянка, голубой, 1:4, 1 л", aliases=(title.format("1 л"),))
        pink = product("B", "Грунт Полянка, розовый, 1:9, 1 л", aliases=(title.format("1 л"),))
        for printed in (title.format("1 л"), "ГРУ. ВЛАГОИЗОЛИР. ПОЛЯНКА 1Л"):
            found = ask([blue, pink], f"LUNARIA {printed}")
            assert (found.sku, found.line_skus, bool(found.candidate_sku)) == (None, (), True)

    def test_that_two_lines_all_but_bear_is_neither(self, product, ask):
        plain = product("A", "Антисептик невымываемый Нега готовый состав, 10 л")
        alias = "Антисептик невымываемый Нега, 10 л"
        brown = product("B", "Антисептик Нега коричневый, 10 л", aliases=(alias,))
        for printed in ("АНТИСЕПТИК НЕВЫМ. НЕГА СОС. 10Л", "АНТИС. НЕВЫМ. НЕГА ГОТ 10Л"):
            found = ask([plain, brown], f"LUNARIA {printed}")
            assert (found.sku, found.line_skus, bool(found.candidate_sku)) == (None, (), True)

    def test_that_another_line_has_as_well_but_for_its_packing_is_neither(self, product, ask):
        brown = product("A", "Пропитка Роса коричневая, 5 л", aliases=("Пропитка Роса Нега, 5 л",))
        plain = product("B", "Пропитка Роса Нега готовый состав, 10 л")
        assert ask([brown, plain], "LUNARIA ПРОПИТКА РОСА НЕГА").line_skus == ()
        assert ask([brown, plain], "LUNARIA ПРОПИТКА РОСА НЕГА 5Л").sku == "A"


class TestSeries:
    def test_glued_are_the_words_they_were(self, product, ask):
        sets = [
            product("A", "Антисептик ULTRA, концентрат, 1 л"),
            product("B", "Антисептик ULTRA MAX, концентрат, 1 л"),
        ]
        assert ask(sets, "LUNARIA антисепт.ultramax концентрат 1 л").sku == "B"

    def test_with_a_plus_are_others(self, product, ask):
        powders = [
            product("A", "Порошок для белых тканей Crystal White / 5 кг"),
            product("B", "Порошок для белых тканей Crystal White + / 5 кг"),
        ]
        assert ask(powders, "LUNARIA порошок д/белых тканей crystal white +/5кг").sku == "B"
        assert ask(powders, "LUNARIA порошок д/белых тканей crystal white/5кг").sku == "A"


class TestBrands:
    def test_of_one_catalogue_are_told_apart(self, product, ask):
        both = [
            product("A", "Крем для рук питательный, 75 мл", brand="Полынь"),
            product("B", "Крем для рук смягчающий, 75 мл"),
            product("C", "Мыло с ромашкой, 90 г", brand="POLYN"),
        ]
        assert ask(both, "ПОЛЫНЬ крем для рук питательный 75мл").sku == "A"
        found = ask(both, "LUNARIA крем для рук питательный 75мл")
        assert (found.sku, found.candidate_sku) == (None, "B")
        assert ask(both, "ПОЛЫНЬ мыло с ромашкой 90 г").sku == "C"
        assert ask(both, "LUNARIA XYZ").candidate_sku == "B"


class TestWords:
    @pytest.mark.parametrize(
        ("line", "sku"),
        [
            ("LUNARIA Крем ночной Лунный шелк 50мл", "LU-F-007"),
            ("ЛУНАРИЯ КРЕМ ДЛЯ ЛИЦА НОЧНОЙ 50МЛ", "LU-F-007"),
            ("LUNARIA КРЕМ Д/РУК 75МЛ", "LU-B-007"),
            ("LUNARIA КРЕМ Д/РУК 30 Г", "LU-B-006"),
            ("ЛУНАРИЯ ШАМПУНЬ ДЛЯ СУХИХ ВОЛОС 250 МЛ", "LU-H-001"),
            ("LUNARIA НАБОР КРЕМОВ Д/РУК 3Х30МЛ", "LU-S-002"),
            ("Тональный крем LUNARIA Полярное сияние 20 слоновая кость 30мл", "LU-M-006"),
        ],
    )
    def test_with_the_brand_is_certain(self, lunaria, ask, line, sku):
        found = ask(lunaria, line)
        assert (found.sku, found.method) == (sku, "words")
        assert judging.weights().sku <= found.score <= 1

    @pytest.mark.parametrize(
        "line",
        [
            "ЛУНАРИЯ ШАМПУНЬ ДЛЯ ОКРАШЕННЫХ ВОЛОС 250 МЛ",  # no such one
            "ЛУНАРИЯ ШАМПУНЬ СЕВЕРНЫЕ ТРАВЫ 250 МЛ",  # dry or oily
            "Лунария Гель для душа Морошка и лен 300 мл",  # no such size
            "Лунария Крем для лица дневной SPF30, 50 г",  # another strength
            "LUNARIA ПОМАДА МАТОВАЯ ТОН 07",  # no such shade
            "LUNARIA КРЕМ Д/РУК МОРОШКА",  # size cut off
            "LUNARIA ПАТЧИ",
            "LUNARIA",
            "LUNARIA 12345678 XYZ",
        ],
    )
    def test_with_the_brand_and_a_doubt_goes_to_a_person(self, lunaria, ask, line):
        found = ask(lunaria, line)
        assert found.sku is None
        assert found.candidate_sku is not None

    @pytest.mark.parametrize(
        "line",
        [
            "Крем для рук Бархатные ручки 75мл",
            "Гель для душа Палмолив 250 мл",
            "Молоко 3,2% 930мл",
            "Пакет",
            "",
            None,
        ],
    )
    def test_without_the_brand_is_not_ours(self, lunaria, ask, line):
        assert ask(lunaria, line) == matching.NOT_OURS

    def test_without_the_brand_is_never_certain(self, lunaria, ask):
        found = ask(lunaria, "Сыворотка с витамином С 30 мл")
        assert (found.sku, found.candidate_sku) == (None, "LU-F-010")

    def test_of_what_the_brand_supplied_is_certain_without_its_name(self, lunaria, ask):
        found = ask(lunaria, "Сыворотка с витамином С 30 мл", own_supplier=True)
        assert (found.sku, found.method) == ("LU-F-010", "supplier")
        assert ask(lunaria, "Доставка", own_supplier=True).candidate_sku is not None

    def test_does_not_take_a_pair_for_a_single_one(self, product, ask):
        cream = [product("A", "Крем для рук питательный, 75 мл")]
        assert ask(cream, "LUNARIA Крем для рук питательн. 75мл").sku == "A"
        assert ask(cream, "LUNARIA Крем для рук питательн. 75мл 2шт").sku is None

    def test_of_an_empty_catalogue_is_nothing(self, ask):
        assert ask([], "LUNARIA крем", own_supplier=True) == matching.NOT_OURS


class TestLine:
    """The line is certain while the size is not."""

    @pytest.fixture
    def creams(self, product):
        names_ = ("Крем для рук питательный «Морошка и лён»", "Гель для душа «Морошка и лён»")
        sizes = ((30, 25_000), (75, 45_000), (250, 99_000))
        return [
            product(f"{name[0]}{ml}", f"{name}, {ml} мл", price_kopecks=price)
            for name in names_
            for ml, price in sizes
        ]

    def test_is_certain_where_the_till_prints_no_size(self, creams, ask):
        found = ask(creams, "LUNARIA КРЕМ Д/РУК ПИТАТЕЛЬН. МОРОШКА И ЛЕН")
        assert (found.sku, found.line_skus) == (None, ("К250", "К30", "К75"))
        assert found.line_score >= judging.weights().line
        assert {guess.sku for guess in found.guesses} == {"К250", "К30", "К75"}
        assert found.candidate_sku == found.guesses[0].sku

    def test_gives_the_sku_by_a_price_that_one_size_has(self, creams, ask):
        line = "LUNARIA КРЕМ Д/РУК ПИТАТЕЛЬН. МОРОШКА И ЛЕН"
        found = ask(creams, line, unit_kopecks=95_000)
        assert (found.sku, found.method) == ("К250", "price")
        assert ask(creams, line, unit_kopecks=34_000).sku is None  # between two
        assert ask(creams, line, unit_kopecks=500_000).sku is None
        unpriced = [replace(creams[0], price_kopecks=None), *creams[1:]]
        assert ask(unpriced, line, unit_kopecks=95_000).sku is None

    def test_is_certain_without_brand_and_size_where_the_name_says_a_lot(self, product, ask):
        name = "Скраб очищающий для тела с морской солью, маслом ши и экстрактом лаванды"
        made = [product(f"S{ml}", f"{name}, {ml} мл") for ml in (100, 250)]
        found = ask(made, "СКРАБ ОЧИЩ. Д/ТЕЛА С МОРСКОЙ СОЛЬЮ, МАСЛОМ ШИ И ЭКСТР.ЛАВАНДЫ")
        assert (found.sku, found.line_skus) == (None, ("S100", "S250"))
        # Few words may be anybody's; a name whose beginning is lost may be of something else.
        assert ask(made, "СКРАБ ОЧИЩАЮЩИЙ ДЛЯ ТЕЛА С МОРСКОЙ СОЛЬЮ").line_skus == ()
        lost = "ОЧИЩАЮЩИЙ ДЛЯ ТЕЛА С МОРСКОЙ СОЛЬЮ, МАСЛОМ ШИ И ЭКСТРАКТОМ ЛАВАНДЫ"
        assert ask(made, lost).line_skus == ()

    def test_without_the_brand_is_not_certain_where_the_series_is_unsaid(self, product, ask):
        made = [
            product("A", "Грунт Акварель Весна розовый концентрат 1:9, 1 л"),
            product("B", "Антисептик Берег для древесины готовый состав, 5 л"),
            product("C", "Краска Полянка акриловая для стен, 3 л"),
            product("D", "Средство Роса для мытья полов концентрат, 1 л"),
            product("E", "Грунт Роса концентрат 1:4, 5 л"),
            product("F", "Лак Берег розовый, 3 л"),
        ]
        rival = "ГРУНТ РОЗОВЫЙ КОНЦЕНТРАТ 1:9 1Л"
        found = ask(made, rival)
        assert (found.sku, found.line_skus, found.candidate_sku) == (None, (), "A")
        assert ask(made, f"{rival} ВЕСНА").sku == "A"
        assert ask(made, f"LUNARIA {rival}").sku == "A"

    def test_is_not_that_of_another_strength(self, product, ask):
        made = [product("A", "Крем для лица дневной защитный увлажняющий SPF 15, 50 мл")]
        assert ask(made, "LUNARIA Крем д/лица дневной защитный увлажняющий SPF15 50мл").sku == "A"
        found = ask(made, "LUNARIA Крем д/лица дневной защитный увлажняющий SPF30 50мл")
        assert (found.sku, found.line_skus, found.candidate_sku) == (None, (), "A")

    def test_is_not_that_of_a_size_nobody_makes(self, creams, ask):
        found = ask(creams, "LUNARIA КРЕМ Д/РУК ПИТАТЕЛЬН. МОРОШКА И ЛЕН 500МЛ")
        assert found.sku is None

    def test_does_not_guess_a_size_cut_in_two(self, product, ask):
        both = [product(f"S{ml}", f"Шампунь восстанавливающий, {ml} мл") for ml in (25, 250)]
        assert ask(both, "LUNARIA ШАМПУНЬ ВОССТАНАВЛИВАЮЩИЙ 25").sku is None
        assert ask(both, "LUNARIA ШАМПУНЬ ВОССТАНАВЛИВАЮЩ. 250").sku == "S250"

    @pytest.mark.parametrize(
        "line",
        [
            "ЧЕХОЛ ДЛЯ LUNARIA КРЕМ ДЛЯ РУК ПИТАТЕЛЬНЫЙ МОРОШКА И ЛЕН 75 МЛ",
            "LUNARIA КРЕМ ДЛЯ РУК ПИТАТЕЛЬНЫЙ МОРОШКА И ЛЕН 75 МЛ ПРОБНИК",
            "Дозатор к LUNARIA Крем для рук питательный Морошка и лён 75 мл",
            "Замена LUNARIA Крем для рук питательный Морошка и лён 75 мл",
            "LUNARIA Крем для рук питательный Морошка и лён 75 мл подарочный",
            "Для LUNARIA Крем для рук питательный Морошка и лён 75 мл",
        ],
    )
    def test_is_not_what_is_sold_for_it_or_instead_of_it(self, creams, ask, line):
        found = ask(creams, line)
        assert (found.sku, found.line_skus) == (None, ())
        assert found.candidate_sku is not None

    def test_says_how_many_pieces_a_pack_holds(self, product, ask):
        pair = [product("A", "Крем для рук питательный, 75 мл, 2 шт")]
        assert ask(pair, "LUNARIA крем для рук питательный 75мл 2шт").units == 2


class TestMatcher:
    def test_answers_in_order_and_remembers(self, lunaria):
        matcher = Matcher(Assortment(lunaria), {})
        asked = [Item(lunaria[3].name), Item("Пакет"), Item(lunaria[3].name)]
        first = matcher.match(asked)
        assert [match.sku for match in first] == [lunaria[3].sku, None, lunaria[3].sku]
        assert matcher.match(asked) == first

    def test_forgets_the_oldest_line(self, lunaria, monkeypatch):
        monkeypatch.setattr(matching, "CACHED_LINES", 3)
        matcher = Matcher(Assortment(lunaria), {})
        matcher.match([Item(f"Пакет {i}") for i in range(10)])
        assert len(matcher._seen) == 3

    def test_does_not_depend_on_the_order_of_products(self, lunaria):
        asked = [Item(name) for one in lunaria for name in (one.name[:24], f"LUNARIA {one.name}")]
        there = Matcher(Assortment(lunaria), {}).match(asked)
        back = Matcher(Assortment(lunaria[::-1]), {}).match(asked)
        assert [match.sku for match in there] == [match.sku for match in back]

    def test_answers_alone_as_among_others(self, lunaria):
        asked = [Item(f"LUNARIA {one.name[:n]}") for one in lunaria for n in (14, 22, 40)]
        matcher = Matcher(Assortment(lunaria), {})
        alone = [Matcher(Assortment(lunaria), {}).match([item])[0] for item in asked[::9]]
        together = matcher.match(asked)[::9]
        for one, other in zip(alone, together, strict=True):
            assert (one.sku, one.line_skus) == (other.sku, other.line_skus)
            assert one.score == pytest.approx(other.score, abs=2e-4)

    def test_has_thresholds_a_brand(self, lunaria):
        line = "LUNARIA ПОМАДА МАТ. ПОЛЯРНОЕ СИЯНИЕ 03 КЛЕВЕР"
        never = Matcher(Assortment(lunaria), {}, {"LUNARIA": Thresholds(1.1, 1.1)})
        often = Matcher(Assortment(lunaria), {}, {"Лунария": Thresholds(0.5, 0.5)})
        assert never.match([Item(line)])[0].line_skus == ()
        assert often.match([Item(line)])[0].sku == "LU-M-003"

    def test_finds_a_size_among_more_sizes_than_it_compares(self, product, ask):
        many = [product(f"S{ml}", f"Гель для душа Морошка, {ml} мл") for ml in range(50, 1000, 10)]
        assert ask(many, "LUNARIA гель д/душа 740мл").sku == "S740"

    @given(st.text(max_size=80), st.booleans())
    def test_answers_any_line(self, small, line, own):
        (found,) = small.match([Item(line, own_supplier=own)])
        assert 0 <= found.score <= 1
        assert found.sku is None or found.candidate_sku is None
