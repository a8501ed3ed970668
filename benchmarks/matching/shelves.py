"""Catalogues nobody sells: made of a few hundred common words, so that the matcher learns no brand.

A product has the name the maker gives it and a title a marketplace could show: the same thing
worded otherwise. Sizes, colours, strengths and shades make siblings of it.
"""

import random
from dataclasses import dataclass, field

from matching import strangers

KINDS: dict[str, dict[str, tuple[str, ...]]] = {
    "уход": {
        "что": (
            "крем", "гель", "шампунь", "бальзам", "маска", "сыворотка", "лосьон", "тоник",
            "скраб", "масло", "молочко", "пенка", "спрей", "мыло", "эмульсия", "флюид",
        ),
        "для": (
            "для лица", "для рук", "для тела", "для ног", "для волос", "для умывания",
            "для душа", "для сухих волос", "для жирных волос", "для окрашенных волос",
            "для чувствительной кожи", "для кожи вокруг глаз", "для губ", "для бритья",
        ),
        "какой": (
            "увлажняющий", "питательный", "восстанавливающий", "ночной", "дневной",
            "очищающий", "успокаивающий", "матирующий", "антивозрастной", "смягчающий",
            "освежающий", "интенсивный", "лёгкий", "термозащитный", "детский",
        ),
        "чем": (
            "с алоэ", "с гиалуроновой кислотой", "с витамином С", "с маслом ши", "с ромашкой",
            "с кератином", "с пантенолом", "с ниацинамидом", "с зелёным чаем", "с углем",
            "с лавандой", "с экстрактом овса", "с коллагеном", "без отдушки", "SPF 30", "SPF 50",
        ),
        "размер": ("30 мл", "50 мл", "75 мл", "100 мл", "150 мл", "200 мл", "250 мл", "400 мл",
                   "500 мл", "15 мл"),
        "цвет": (),
    },
    "дом": {
        "что": (
            "средство", "чистящее средство", "моющее средство", "гель", "порошок", "спрей",
            "концентрат", "кондиционер", "отбеливатель", "пятновыводитель", "полироль",
            "таблетки", "соль", "ополаскиватель", "освежитель", "очиститель", "крем-мыло",
        ),
        "для": (
            "для мытья посуды", "для стирки", "для мытья полов", "для стёкол и зеркал",
            "для сантехники", "для кухни", "для удаления жира", "для труб", "для ковров",
            "для белья", "для посудомоечных машин", "для мебели", "для ванной",
            "для удаления накипи", "для деревянных поверхностей", "для плит и духовок",
            "для удаления ржавчины", "для цветного белья", "для детского белья",
        ),
        "какой": (
            "универсальное", "усиленное", "концентрированное", "щелочное", "кислотное",
            "нейтральное", "эконом-класса", "бесфосфатное", "гипоаллергенное",
            "дезинфицирующее", "низкопенное", "готовый состав", "профессиональное",
        ),
        "чем": (
            "с ароматом лимона", "с ароматом яблока", "с ароматом лаванды", "без запаха",
            "альпийская свежесть", "морской бриз", "с антибактериальным эффектом",
            "с хлором", "с ароматом вишни", "с содой", "с ароматом апельсина", "горная роса",
        ),
        "размер": ("0,5 л", "0,75 л", "1 л", "5 л", "10 л", "500 мл", "750 мл", "1 кг", "3 кг",
                   "400 г", "0,4 л"),
        "цвет": (),
    },
    "ремонт": {
        "что": (
            "краска", "грунтовка", "лак", "антисептик", "пропитка", "герметик", "шпатлёвка",
            "эмаль", "клей", "отбеливатель", "грунт", "затирка", "масло", "огнебиозащита",
            "растворитель", "добавка", "гидроизоляция", "смывка",
        ),
        "для": (
            "для древесины", "для стен и потолков", "для бань и саун", "для камня",
            "для наружных работ", "для внутренних работ", "для полов", "для бетона",
            "для металла", "для фасадов", "для террас", "для плитки", "для кирпича", "яхтный",
            "паркетный", "для швов",
        ),
        "какой": (
            "акриловый", "алкидный", "глянцевый", "матовый", "полуматовый",
            "глубокого проникновения", "быстросохнущий", "лессирующий", "трудновымываемый",
            "морозостойкий", "силиконовый", "резиновая", "защитно-декоративный", "зимний",
        ),
        "чем": ("концентрат 1:10", "концентрат 1:5", "готовый состав", "1:4", "против плесени",
                "от жуков", "1 группа", "2 группа", "с воском", "усиленная формула"),
        "размер": ("0,9 л", "1 л", "2 л", "2,7 л", "3 л", "5 л", "9 л", "10 л", "20 л", "1 кг",
                   "3 кг", "6 кг", "12 кг", "600 мл", "310 мл"),
        "цвет": ("белый", "дуб", "сосна", "орех", "махагон", "палисандр", "бесцветный", "серый",
                 "коричневый", "вишня", "тик", "чёрный", "зелёный Ral 6005", "красный Ral 3005",
                 "синий Ral 5005", "серый Ral 7004"),
    },
    "еда": {
        "что": (
            "чай", "кофе", "шоколад", "печенье", "каша", "мюсли", "батончик", "сироп", "паста",
            "пюре", "напиток", "варенье", "соус", "хлопья", "конфеты", "корм", "лакомство",
        ),
        "для": ("", "", "", "для детей", "для кошек", "для собак", "для завтрака", "к чаю"),
        "какой": (
            "зелёный", "чёрный", "молочный", "горький", "молотый", "в зёрнах", "листовой",
            "овсяный", "безглютеновый", "без сахара", "острый", "сладкий", "сливочный",
            "растворимый", "фруктовый",
        ),
        "чем": (
            "с жасмином", "с орехами", "с клубникой", "с курицей", "с говядиной", "с мёдом",
            "с малиной", "с имбирём", "с карамелью", "с солью", "с лососем", "с бергамотом",
            "с чабрецом", "с бананом", "с вишней",
        ),
        "размер": ("50 г", "75 г", "90 г", "100 г", "200 г", "250 г", "400 г", "500 г", "1 кг",
                   "0,33 л", "0,5 л", "85 г", "25 пак"),
        "цвет": (),
    },
    "макияж": {
        "что": (
            "помада", "тушь для ресниц", "тональный крем", "пудра", "румяна", "блеск для губ",
            "карандаш для бровей", "тени для век", "лак для ногтей", "консилер", "подводка",
            "хайлайтер", "краска для волос",
        ),
        "для": ("", "", "для лица", "для губ"),
        "какой": (
            "матовая", "жидкая", "стойкая", "объёмная", "кремовые", "минеральная", "сияющий",
            "удлиняющая", "водостойкая", "компактная", "плотный",
        ),
        "чем": ("", "", "с маслом жожоба", "с витамином Е", "12 часов", "5 в 1"),
        "размер": ("4 г", "30 мл", "9 мл", "5 мл", "8 мл", "10 г", "3 г"),
        "цвет": (
            "тон 01", "тон 02", "тон 03", "тон 05", "тон 10", "тон 12", "тон 20", "чёрная",
            "коричневая", "персик", "брусника", "роза", "фарфор", "песок", "нюд", "бордо",
        ),
    },
}  # fmt: skip
SERIES = (
    "Лунный сад", "Северный ветер", "Тихая река", "Хвоя и мёд", "Белый клевер", "Утро", "Пион",
    "Snow", "Crystal", "Bath", "Cooky", "Floor", "Oxy", "Power", "Shine", "Fresh", "Soft",
    "Extra", "Acid", "Ultra", "Bio", "Neutral", "Stone", "Prime", "Aqua", "Deep", "Clean", "Max",
    "Plus", "Prof", "Expert", "Universal", "Duty", "Spray", "Sauna", "Interior", "Classic",
)  # fmt: skip
SUFFIXES = ("Plus", "Max", "E", "Soft", "Extra", "Prof", "Spray", "Gel", "Neutral", "2", "50")
SYNONYMS = {
    "средство": ("средство", "состав", "препарат"),
    "для стёкол и зеркал": ("для мытья стекол и зеркал", "для окон"),
    "для удаления жира": ("от жира", "жироудалитель"),
    "концентрат": ("концентрированное средство", "концентрат"),
    "готовый состав": ("готовое средство", "готовый раствор", ""),
    "увлажняющий": ("для увлажнения", "увлажняющий"),
    "антивозрастной": ("против морщин", "антивозрастной"),
    "чистящее средство": ("средство для чистки", "чистящее средство"),
    "моющее средство": ("средство для мытья", "моющее средство"),
    "для бань и саун": ("для бани и сауны", "для бань"),
    "универсальное": ("для всех поверхностей", "универсальное"),
    "без запаха": ("без отдушек", "без запаха", ""),
    "усиленное": ("усиленного действия", "усиленное"),
}
EXTRAS = (
    "профессиональное", "эффективный", "новинка", "в экономичной упаковке", "премиум", "Россия",
    "для дома", "натуральный", "качественный", "мощный", "с дозатором", "бережный", "домашний",
    "экономичный расход", "подарок", "1 шт", "флакон", "канистра", "банка",
)  # fmt: skip


@dataclass(frozen=True)
class Made:
    """A product made up: `line` numbers what differs in size and colour alone."""

    sku: str
    name: str
    title: str
    line: int
    spelt_brand: str
    words: tuple[str, ...] = field(default=())


def shelf(rng: random.Random, products: int) -> tuple[str, list[Made]]:
    """A brand and its products, about so many."""
    brand = strangers.brand(rng).capitalize()
    kinds = rng.sample(sorted(KINDS), rng.choice((1, 2, 2)))
    series = rng.sample(SERIES, 14) + [strangers.brand(rng).capitalize() for _ in range(8)]
    glued = rng.random() < 0.3
    made: list[Made] = []
    number = 0
    while len(made) < products:
        kind = KINDS[rng.choice(kinds)]
        base = _base(kind, series, rng)
        # Sisters share all but a word or two: «для сухих волос» and «для жирных волос».
        for parts in [
            base,
            *(_sister(base, kind, series, rng) for _ in range(rng.choice((0, 0, 1, 2)))),
        ]:
            number += 1
            made += _line(parts, kind, brand, number, rng, glued=glued)
    return brand, made


def _base(
    kind: dict[str, tuple[str, ...]], series: list[str], rng: random.Random
) -> dict[str, str]:
    own = ""
    if rng.random() < 0.75:
        own = rng.choice(series) + (f" {rng.choice(series)}" if rng.random() < 0.45 else "")
    return {
        "что": rng.choice(kind["что"]),
        "для": rng.choice(kind["для"]) if rng.random() < 0.85 else "",
        "какой": rng.choice(kind["какой"]) if rng.random() < 0.6 else "",
        "чем": rng.choice(kind["чем"]) if rng.random() < 0.45 else "",
        "серия": own,
    }


def _sister(
    base: dict[str, str], kind: dict[str, tuple[str, ...]], series: list[str], rng: random.Random
) -> dict[str, str]:
    changed = dict(base)
    for part in rng.sample(("для", "какой", "чем", "серия"), rng.choice((1, 1, 2))):
        if part != "серия":
            changed[part] = rng.choice((*kind[part], ""))
        elif base["серия"] and rng.random() < 0.6:
            changed[part] = f"{base['серия']} {rng.choice((*SUFFIXES, *series))}"
        else:
            changed[part] = rng.choice(series)
    return changed


def _line(
    parts: dict[str, str], kind: dict[str, tuple[str, ...]], brand: str, number: int,
    rng: random.Random, *, glued: bool,
) -> list[Made]:  # fmt: skip
    sizes = rng.sample(kind["размер"], rng.choice((1, 2, 2, 3)))
    colours = [""]
    if kind["цвет"] and rng.random() < 0.4:
        colours = rng.sample(kind["цвет"], rng.randint(2, min(7, len(kind["цвет"]))))
        sizes = sizes[: rng.choice((1, 1, 2))]
    style = rng.random()
    described = ""
    found: list[Made] = []
    for size in sizes:
        for colour in colours:
            words = _own(parts, brand, style)
            gap = "" if glued and rng.random() < 0.3 else " "
            name = " ".join(words[:-1]) + gap + words[-1] if len(words) > 2 else " ".join(words)
            name += (f" / {colour}" if colour else "") + rng.choice((" / ", ", ", " ")) + size
            # Sizes of one line share their description more often than not.
            tail = (f", {colour}" if colour else "") + f", {size}"
            title = (described or _title(parts, kind, brand, "{}", rng)).format(tail)
            described = title.removesuffix(tail) + "{}" if rng.random() < 0.7 else ""
            found.append(Made(f"{number}-{len(found)}", name, title, number, brand))
    if rng.random() < 0.05:
        one = found[0]
        found.append(
            Made(
                f"{number}-set",
                f"Набор {one.name}, 2 шт",
                f"Набор {one.title} 2 шт.",
                number,
                brand,
            )
        )
    return found


def _own(parts: dict[str, str], brand: str, style: float) -> list[str]:
    words = [parts["что"], parts["какой"], parts["для"]]
    own = parts["серия"]
    if style < 0.35:
        words += [brand, own, parts["чем"]]
    elif style < 0.6:
        words = [brand, own, *words, parts["чем"]]
    else:
        words += [parts["чем"], own]
    return [word for word in words if word]


def _title(
    parts: dict[str, str], kind: dict[str, tuple[str, ...]], brand: str, tail: str,
    rng: random.Random,
) -> str:  # fmt: skip
    """The product as a seller describes it: the series stays, the rest is often said otherwise."""
    said = {
        key: rng.choice(SYNONYMS.get(word, (word,))) if rng.random() < 0.5 else word
        for key, word in parts.items()
    }
    free = rng.choice((0.0, 0.1, 0.35)) if said["серия"] else 0.05
    for key in ("что", "какой", "для", "чем"):
        if rng.random() < free:
            said[key] = rng.choice((*kind[key], "", ""))
    words = [said["что"], said["какой"], said["для"], said["чем"]]
    if rng.random() < 0.3:
        words[0], words[1] = words[1], words[0]
    if rng.random() < 0.25:
        words.pop(rng.randrange(1, 4))
    for _ in range(rng.choice((0, 0, 1, 2))):
        words.insert(rng.randint(1, len(words)), rng.choice(EXTRAS))
    spelt = rng.choice((brand, brand, brand.upper()))
    own = said["серия"] if rng.random() < 0.95 else ""
    place = rng.choice((0, len(words), len(words), 1))
    words[place:place] = [spelt, own]
    if rng.random() < 0.08:
        words.remove(spelt)
    return " ".join(word for word in words if word) + tail
