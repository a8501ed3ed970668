"""Lines that are not the brand's though they look it: rivals, spare parts, dupes."""

import random
import re
from collections.abc import Sequence

from matching import tills
from vezde.catalog.names import fold

# Two halves: a threshold is chosen with the words of one and tried with those of the other. The
# third is for training alone, so that the weights have seen neither.
CUES = (
    (
        "Чехол для {}", "Насадка для {}", "Аналог {}", "Замена для {}", "Держатель для {}",
        "Крышка к {}", "Наклейка {}", "Совместимо с {}", "Пакет {} подарочный", "{} пробник",
    ),
    (
        "Подставка под {}", "Дозатор для {}", "Вместо {}", "Подходит к {}", "Диспенсер {}",
        "Запасной блок к {}", "Этикетка {}", "По мотивам {}", "Каталог {}", "Футляр {}",
    ),
    (
        "Щётка к {}", "Сумка для {}", "Тестер {}", "Упаковка {}", "Копия {}", "Ключ для {}",
        "Коробка {}", "Альтернатива {}", "Ведро под {}", "Полка для {}", "Запчасть для {}",
    ),
)  # fmt: skip
SYLLABLES = (
    "ба", "вер", "гра", "дон", "зе", "кли", "лор", "мус", "ни", "пра", "рок", "сан", "тер",
    "фло", "хит", "цен", "шар", "эко", "юни",
)  # fmt: skip
LATIN = (
    "ba", "ver", "gra", "don", "ze", "kli", "lor", "mus", "ni", "pra", "rok", "san", "ter",
    "flo", "hit", "max", "pro", "eco", "uni", "lux",
)  # fmt: skip
WORD = re.compile(r"[^\W\d_]{3,}")


def brand(rng: random.Random) -> str:
    """A brand nobody has."""
    stock = rng.choice((SYLLABLES, LATIN))
    word = "".join(rng.choice(stock) for _ in range(rng.randint(2, 3)))
    return rng.choice((word.upper(), word.capitalize()))


def rival(title: str, own: str, rng: random.Random) -> str:
    """Another maker's product of the kind: its brand, our words, most of our series gone."""
    other = brand(rng)
    text = re.sub(re.escape(own), other, title, flags=re.IGNORECASE)
    if other not in text:
        text = f"{other} {text}" if rng.random() < 0.5 else f"{text} {other}"
    kept = []
    for word in text.split():
        if other not in word:
            latin = re.search("[A-Za-z]{3,}", word)
            if rng.random() < (0.8 if latin else 0.1):
                continue
        kept.append(word)
    return " ".join(kept)


def part(title: str, own: str, rng: random.Random, half: int) -> str:
    """Something for the product or instead of it, named after it."""
    name = title if rng.random() < 0.5 else f"{own} {' '.join(title.split()[:3])}"
    return rng.choice(CUES[half]).format(name)


def sibling(foreign: str, own: str, rng: random.Random) -> str:
    """The brand's name on something the catalogue does not have."""
    return f"{own} {foreign}" if rng.random() < 0.6 else f"{foreign} {own}"


def printed(stranger: str, title: str, own: str, rng: random.Random) -> str:
    """A stranger as a till prints it, for as long as something in it still tells it from `title`.

    Cut down to what is ours as well it is nobody's fault: then it stays as it was.
    """
    known = set(WORD.findall(fold(title + " " + own)))
    for _ in range(4):
        line = tills.line(stranger, rng, brand=own, hard=rng.choice((0.4, 1.0)))
        words = WORD.findall(fold(line))
        if any(not any(other.startswith(word[:3]) for other in known) for word in words):
            return line
    return stranger


def near(
    titles: Sequence[str], foreign: Sequence[str], own: str, rng: random.Random, *, half: int
) -> list[str]:
    """Rivals, parts and dupes of each title, the foreign names, plain and under the brand's name.

    Half of the first are as tills print them. `half` is which cue words: 0, 1, or 2 for training.
    """
    found = list(foreign)
    for title in titles:
        for stranger in (
            rival(title, own, rng),
            rival(title, own, rng),
            part(title, own, rng, half),
        ):
            plain = rng.random() < 0.5
            found.append(stranger if plain else printed(stranger, title, own, rng))
    return found + [sibling(name, own, rng) for name in foreign]
