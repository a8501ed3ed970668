import pytest

from vezde.catalog import lines, names


def of(name, shade=None):
    return lines.of(names.read(name).words, shade)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Крем для рук, 75 мл", "Крем для рук, 30 мл"),
        ("Лак паркетный белый, 1 л", "Лак паркетный, орех, 3 л"),
        ("Краска резиновая серый RAL 7004 / 1 кг", "Краска резиновая Ral 9004 / 12 кг"),
        ("Гель для душа, 5 л ПЭТ", "Гель для душа 1 л"),
        ("Герметик акриловый цвет дуб", "Герметик акриловой, цвет тик"),
        ("Помада матовая тон 01", "Помада матовая, тон 12"),
    ],
)
def test_sizes_colours_and_packing_make_one_line(one, other):
    assert of(one) == of(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Шампунь для сухих волос", "Шампунь для жирных волос"),
        ("Bath Acid", "Bath Acid Plus"),
        ("Средство концентрат 1:10", "Средство готовый состав"),
        ("Крем для рук, 75 мл", "Набор: крем для рук, 75 мл"),
    ],
)
def test_other_words_make_another(one, other):
    assert of(one) != of(other)


def test_the_shades_column_is_left_out():
    assert of("Румяна кремовые персик", "персик") == of("Румяна кремовые фуксия", "фуксия")


def test_of_colours_alone_are_the_words():
    assert of("Белый") == ("белый",)
