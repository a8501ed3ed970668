"""What a product line is: the products whose names differ in size, count and colour alone."""

import re

from vezde.catalog import names

# The catalogue's own column for shades says the rest.
COLOUR = re.compile(
    r"(?:бел|бесцветн|бежев|бордов|бронзов|вишнев|голуб|графитов|желт|зелен|золотист|коричнев"
    r"|красн|кремов|малинов|медов|оранжев|перламутров|прозрачн|розов|рубинов|рыж|салатов|сер"
    r"|серебрист|син|сиренев|фиолетов|черн|янтарн|ореховый|шоколадн)"
    r"(?:ый|ий|ой|ая|яя|ое|ее|ые|ие|ого|его)"
    r"|бордо|бук|венге|вишня|груша|дуб|калужница|каштан|клен|лиственница|махагон|махогон|орегон"
    r"|орех|палисандр|рябина|сосна|тик|терракота|хаки|эбен|red|blue|white|black|green|gr[ae]y"
)
# Words that announce a colour, by name or by number: «цвет сосна», «RAL 7004», «тон 03».
ANNOUNCE = frozenset(("цвет", "цвета", "тон", "оттенок", "ral", "рал"))


# How it is packed, and that it needs no mixing: said of some sizes and not of others.
PACKED = frozenset(
    [
        "пэт",
        "ф",
        "п",
        "флакон",
        "банка",
        "ведро",
        "канистра",
        "бутылка",
        "туба",
        "пакет",
        "готовый",
        "готовое",
        "состав",
        "штук",
        "по",
    ]
)
STEM = 6  # from so many letters on an ending tells no lines apart: «акриловый», «акриловой»


def essence(words: tuple[str, ...]) -> frozenset[str]:
    """A name's words without those about packing."""
    return frozenset(words) - PACKED


def of(words: tuple[str, ...], shade: str | None = None) -> tuple[str, ...]:
    """A name's words (without brand and measures) without what tells colours apart, sorted.

    Sorted, as no two lines differ by the order of their words; without endings.
    """
    dropped = PACKED.union(names.read(shade).words) if shade else PACKED
    kept = set()
    announced = False
    for word in words:
        colour = COLOUR.fullmatch(word) or (announced and word[0].isdecimal())
        announced = word in ANNOUNCE
        if not (colour or announced or word in dropped):
            kept.add(word[:-2] if len(word) >= STEM and word.isalpha() else word)
    return tuple(sorted(kept)) or tuple(sorted(words))
