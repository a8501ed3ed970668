import pytest
from hypothesis import given
from hypothesis import strategies as st

from vezde.catalog import names


class TestKey:
    @pytest.mark.parametrize(
        ("printed", "same"),
        [
            ("КРЕМ ДЛЯ РУК 75МЛ", "Крем для рук, 75 мл."),
            ("KPEM ДЛЯ PУK 75 MЛ", "крем для рук 75мл"),  # Latin twins
            ("ШAMПУHЬ 0,5Л", "шампунь 500 мл"),
            ("Ёлка 1 кг", "елка 1000 г"),
            ("  *Крем    для рук", "Крем для рук"),
            ("1:3305976 Крем для рук", "Крем для рук"),
            ("[М+] Крем для рук", "крем для рук"),
            ("Ср-во д/посуды", "средство для посуды"),
            ("ШАМП. УВЛ. Б/ЗАПАХА", "шампунь увлажняющий без запаха"),
            ("крем SPF30", "крем spf 30"),
            ("Помада тон 02", "помада тон 2"),
            ("L'Oreal", "LOREAL"),
            ("ULTRAконцентрат", "ultra концентрат"),
            ("камерCooky Smoke", "камер cooky smoke"),
            ("ВВ крем", "BB КРЕМ"),
            ("РROSEРT", "prosept"),  # Cyrillic twins in a Latin word
            ("Крем 2х50 мл", "крем 50мл*2"),
            ("Крем 2*50мл", "Крем 50 мл 2 шт"),
        ],
    )
    def test_is_the_same_however_it_is_printed(self, printed, same):
        assert names.key(printed) == names.key(same)

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("крем 30 мл", "крем 50 мл"),
            ("помада 01", "помада 02"),
            ("концентрат 1:10", "концентрат 1:19"),
            ("крем 50 мл", "крем 50 мл 2 шт"),
            ("крем", "пена"),
        ],
    )
    def test_differs_where_the_product_does(self, one, other):
        assert names.key(one) != names.key(other)

    @pytest.mark.parametrize("printed", ["", "***", " . "])
    def test_is_empty_without_letters_and_digits(self, printed):
        assert names.key(printed) == ""


class TestRead:
    def test_takes_a_name_apart(self):
        name = names.read("Шампунь LUNARIA 2 в 1, 3 шт по 0,25 л 4600000000008")
        assert name.words == ("шампунь", "lunaria", "2", "в", "1", "по")
        assert name.amounts == {250_000}
        assert name.pieces == 3
        assert name.numbers == {"1", "2"}

    def test_counts_grams_as_millilitres(self):
        assert names.read("крем 50 г").amounts == names.read("крем 50 ml").amounts

    def test_leaves_ratios_alone(self):
        assert names.read("концентрат 1:10, 5 л").numbers == frozenset()

    @pytest.mark.parametrize(
        ("printed", "same"),
        [
            ("ГРУНТОВКАготовый состав", "грунтовка готовый состав"),
            ("Bath Acid +", "Bath Acid Plus"),
            ("Acid+ 5 л", "Acid plus 5 л"),
            ("II группа", "2-ая группа"),
            ("нар.100Г", "нар 100 г"),
        ],
    )
    def test_undoes_what_tills_and_catalogues_do(self, printed, same):
        assert names.key(printed) == names.key(same)

    @pytest.mark.parametrize(
        ("apart", "together"),
        [
            ("крем д/ рук", "крем д/рук"),
            ("крем 3 * 50 мл", "крем 3*50мл"),
            ("крем 50 мл х 2 шт", "крем 50мл х 2шт"),
            ("крем 0,5 л", "крем 0,5л"),
        ],
    )
    def test_reads_a_measure_however_it_is_spaced(self, apart, together):
        assert names.read(apart) == names.read(together)

    def test_does_not_join_a_number_and_a_unit_across_a_mark(self):
        assert names.read("тон 5, л").amounts == frozenset()

    @given(st.text(max_size=120))
    def test_folds_once_for_all(self, raw):
        once = names.fold(raw)
        assert names.fold(once) == once

    @given(st.text(max_size=400))
    def test_reads_any_text(self, raw):
        name = names.read(raw)
        assert names.key(raw) == name.key
        assert all(name.words)
