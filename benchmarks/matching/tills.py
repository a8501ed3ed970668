"""What a till makes of a name: cut, abbreviated, glued, in two alphabets, without its size."""

import random
import re
from dataclasses import dataclass

WIDTHS = (32, 40, 40, 48, 56, 64, 64, 128, 128, 128)
VOWELS = "аеёиоуыэюяАЕЁИОУЫЭЮЯ"
TWINS = dict(zip("авсенкмортхуАВСЕНКМОРТХУ", "abcehkmoptxyABCEHKMOPTXY", strict=True))
TWINS |= {latin: cyrillic for cyrillic, latin in TWINS.items()}
SHORTER = {
    "средство": ("ср-во", "ср.", "сред-во", "с-во"),
    "для": ("д/", "д/", "д.", "для"),
    "без": ("б/",),
    "концентрат": ("конц.", "конц", "к-т"),
    "концентрированное": ("конц.", "концентр."),
    "универсальный": ("унив.", "универс."),
    "универсальное": ("унив.", "универс."),
    "бесцветный": ("б/цв", "бесцв."),
    "шампунь": ("шамп.", "шамп"),
    "антисептик": ("антисепт.", "антис."),
    "дезинфицирующее": ("дез.", "дезинф."),
    "жидкое": ("жидк.", "ж."),
    "мыло": ("мыло",),
    "крем": ("кр.", "крем"),
    "кондиционер": ("конд.", "кондиц."),
}
SIZE = re.compile(r"(\d+(?:[.,]\d+)?)\s*(мл|л|кг|г|гр)\b\.?", re.IGNORECASE)
PREFIXES = ("*", "* ", "1:{code} ", "{code} ", "[М] ")
SPELT = str.maketrans("abcdefghijklmnopqrstuvwxyz", "абцдефгхижклмнопкрстувукиз")


@dataclass(frozen=True)
class Habit:
    """How one till prints: the same habits act on the whole line."""

    shortens: float
    drops_vowels: float
    glues: float
    mistypes: float
    mixes: float
    width: int
    loses_size: float


def habit(rng: random.Random, *, hard: float) -> Habit:
    """A till's habits; `hard` 1 is a chain's till, 0.4 a marketplace's."""
    return Habit(
        shortens=rng.random() * 0.45 * hard,
        drops_vowels=rng.choice((0.0, 0.0, 0.05, 0.15)) * hard,
        glues=rng.choice((0.0, 0.0, 0.05, 0.12)) * hard,
        mistypes=rng.choice((0.0, 0.0, 0.03, 0.06)) * hard,
        mixes=rng.choice((0.0, 0.0, 0.0, 0.0, 0.3)),
        width=rng.choice(WIDTHS) if hard > 0.5 else rng.choice((40, 64, 128, 128)),
        loses_size=0.15 * hard,
    )


def line(name: str, rng: random.Random, *, brand: str, hard: float = 1.0) -> str:
    """One line a till could print for the product called `name`."""
    how = habit(rng, hard=hard)
    text = _sized(name, rng, how)
    words = re.sub(r"[«»\"()]", " ", text).split()
    words = _branded(words, rng, brand, hard)
    words = [_shorter(word, rng, how) for word in words if rng.random() > 0.03 * hard]
    words = [_mistyped(word, rng) if rng.random() < how.mistypes else word for word in words]
    printed = words[0] if words else name
    for word in words[1:]:
        slashed = printed.endswith("/")
        dotted = printed.endswith(".") and rng.random() < 0.6
        printed += ("" if slashed or dotted or rng.random() < how.glues else " ") + word
    printed = rng.choice((str.upper, str.upper, str.upper, str, str.lower))(printed)
    if how.mixes:
        printed = "".join(
            TWINS[letter] if letter in TWINS and rng.random() < how.mixes else letter
            for letter in printed
        )
    if rng.random() < 0.08 * hard:
        printed = rng.choice(PREFIXES).format(code=rng.randrange(10**6, 10**7)) + printed
    return printed[: how.width].strip() or name[:20]


def _sized(name: str, rng: random.Random, how: Habit) -> str:
    def written(found: re.Match[str]) -> str:
        number, unit = found[1].replace(",", "."), found[2]
        chance = rng.random()
        if chance < how.loses_size:
            return " "
        if chance < how.loses_size * 1.3:
            return f" {number}"
        if unit.lower() in ("л", "кг") and float(number) < 1 and chance > 0.7:
            return f" {round(float(number) * 1000)}{'мл' if unit.lower() == 'л' else 'г'}"
        mark = rng.choice((".", ","))
        gap = rng.choice(("", "", " "))
        return f" {number.replace('.', mark)}{gap}{unit}"

    return SIZE.sub(written, name)


def _branded(words: list[str], rng: random.Random, brand: str, hard: float) -> list[str]:
    there = [place for place, word in enumerate(words) if brand.lower() in word.lower()]
    if not there or rng.random() > 0.4 * hard:
        return words
    rest = [word for place, word in enumerate(words) if place not in there]
    spelt = brand.lower().translate(SPELT)
    chance = rng.random()
    if chance < 0.25:
        return rest
    if chance < 0.6:
        return [brand, *rest]
    if chance < 0.75:
        return [spelt, *rest]
    if chance < 0.9:
        return [brand[: rng.randint(4, 5)] + ".", *rest]
    return [*rest[:2], brand, *rest[2:]]


def _shorter(word: str, rng: random.Random, how: Habit) -> str:
    plain = word.lower().strip(".,")
    if plain in SHORTER and rng.random() < how.shortens + 0.2:
        return rng.choice(SHORTER[plain])
    if len(plain) < 5 or not plain.isalpha():
        return word
    if rng.random() < how.drops_vowels:
        return word[0] + "".join(letter for letter in word[1:] if letter not in VOWELS)
    if rng.random() < how.shortens:
        return word[: rng.randint(3, max(3, len(plain) - 2))] + rng.choice((".", ".", ""))
    return word


def _mistyped(word: str, rng: random.Random) -> str:
    if len(word) < 5:
        return word
    place = rng.randrange(1, len(word) - 1)
    kind = rng.randrange(3)
    if kind == 0:
        return word[:place] + word[place + 1 :]
    if kind == 1:
        return word[:place] + word[place + 1] + word[place] + word[place + 2 :]
    return word[:place] + rng.choice("аеионтсрвл") + word[place + 1 :]
