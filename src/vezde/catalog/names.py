"""How a till, a marketplace and a catalogue write one name: read into one form and compared there.

Tills print capitals, cut words, mix Latin and Cyrillic letters that look alike, glue words and
numbers. `read` undoes what can be undone without knowing the catalogue.
"""

import re
import unicodedata
from dataclasses import dataclass
from fractions import Fraction

LATIN_TWINS = "abcehkmoptxy"
CYRILLIC_TWINS = "авсенкмортху"
TO_CYRILLIC = str.maketrans(LATIN_TWINS, CYRILLIC_TWINS)
TO_LATIN = str.maketrans(CYRILLIC_TWINS, LATIN_TWINS)

LATIN = re.compile(r"[a-z]")
LETTERS = re.compile(r"[^\W\d_]+")
SCRIPT_RUNS = re.compile(r"[a-z]+|[^a-z]+")
# Two alphabets glued where the case changes: «камерCooky», `PROSEPTготовый`.
GLUED = re.compile(
    r"(?<=[а-яё])(?=[A-Z][A-Za-z]{2})|(?<=[a-z])(?=[А-ЯЁ][А-ЯЁа-яё]{2})"
    r"|(?<=[A-Za-z][A-Za-z]{2})(?=[а-яё]{3})|(?<=[А-ЯЁ]{3})(?=[a-z]{3})"
)
APOSTROPHES = re.compile(r"['’‘`´\u00ad\u200b\ufeff]")
DECIMAL_COMMA = re.compile(r"(?<=\d),(?=\d)")
# What tills put before a name: `1:3305976 `, `240 `, `*`, `[М+]`, «без заменителя молочного жира».
JUNK = re.compile(
    r"^(?:\s|\*|~|\d+:\d{4,}\s|\d{3,8}\s+(?=[^\W\d_]{3})|\[м\+?\]|бзмж\b|псыж\b|скидка\b)+"
)
LONGEST = 300  # a till prints at most 128
LONG_CODE = 5  # digits from which a number is an article or a barcode, not a property

ABBREVIATIONS = {
    "антиперсп": "антиперспирант",
    "бальз": "бальзам",
    "восст": "восстанавливающий",
    "гиг": "гигиенический",
    "дет": "детский",
    "дезод": "дезодорант",
    "жен": "женский",
    "жидк": "жидкий",
    "конд": "кондиционер",
    "конц": "концентрат",
    "косм": "косметический",
    "муж": "мужской",
    "нап": "напиток",
    "наб": "набор",
    "очищ": "очищающий",
    "пит": "питательный",
    "сыв": "сыворотка",
    "сывор": "сыворотка",
    "туал": "туалетный",
    "увл": "увлажняющий",
    "увлажн": "увлажняющий",
    "унив": "универсальный",
    "шамп": "шампунь",
}
DOTTED = re.compile(r"(?<![^\W_])(" + "|".join(sorted(ABBREVIATIONS, key=len)[::-1]) + r")\.")
SLASHED = re.compile(r"(?<![^\W_])([дбв])/(?=\s*[^\W\d_])")
SLASHED_WORDS = {"д": "для ", "б": "без ", "в": "в "}
SREDSTVO = re.compile(r"(?<![^\W_])ср[-.]?в[оа]?(?![^\W_])\.?")

# An amount in thousandths of a millilitre or a gram: shops write «50 г» and «50 мл» of one jar.
UNITS = {
    **dict.fromkeys(("мл", "ml", "г", "гр", "g", "gr", "грамм", "грамма"), 1_000),
    **dict.fromkeys(("л", "l", "литр", "литра", "литров", "кг", "kg"), 1_000_000),
}
PIECES = ("шт", "штук", "штука", "штуки", "pcs")
_UNIT = "|".join(sorted(UNITS, key=len)[::-1])
_PIECE = "|".join(sorted(PIECES, key=len)[::-1])
_NUMBER = r"(?<![\d.:])(\d{1,6}(?:\.\d{1,3})?)"
_END = r"(?![^\W_])\.?"
AMOUNT = re.compile(rf"{_NUMBER}\s*({_UNIT}){_END}")
COUNT = re.compile(rf"{_NUMBER}\s*(?:{_PIECE}){_END}")
PACK_BEFORE = re.compile(
    rf"{_NUMBER}\s*(?:(?:{_PIECE})\.?)?\s*[*х×]\s*(?=\d+(?:\.\d+)?\s*(?:{_UNIT}){_END})"
)
PACK_AFTER = re.compile(rf"((?:{_UNIT})\.?)\s*[*х×]\s*(\d{{1,3}})(?:\s*(?:{_PIECE}))?{_END}")
TOKEN = re.compile(r"\d+(?::\d+(?:\.\d+)?)+|\d+(?:\.\d+)?|[^\W\d_]+")


@dataclass(frozen=True, slots=True)
class Name:
    """A name taken apart.

    `key` is the whole in canonical form; `words` are words and numbers in order, without measures
    and long codes;
    `amounts` are thousandths of ml or g, `pieces` the count in the pack if it is printed,
    `numbers` what may tell a shade or a strength.
    """

    key: str
    words: tuple[str, ...]
    amounts: frozenset[int]
    pieces: int | None
    numbers: frozenset[str]


def read(raw: str) -> Name:
    """The name in canonical form; reads any text, an empty one too."""
    text = fold(raw[:LONGEST])
    text = JUNK.sub("", text)
    text = DECIMAL_COMMA.sub(".", text)
    text = SREDSTVO.sub("средство ", text)
    text = SLASHED.sub(lambda found: SLASHED_WORDS[found[1]], text)
    text = DOTTED.sub(lambda found: ABBREVIATIONS[found[1]] + " ", text)
    text, pieces = _take_pieces(text)
    amounts: set[int] = set()

    def take(found: re.Match[str]) -> str:
        amounts.add(_thousandths(found[1], UNITS[found[2]]))
        return " "

    text = AMOUNT.sub(take, text)
    tokens = [_plain(token) for token in TOKEN.findall(text)]
    measures = [f"{amount}m" for amount in sorted(amounts)]
    if pieces is not None:
        measures.append(f"{pieces}x")
    words = tuple(token for token in tokens if not _is_code(token))
    return Name(
        key=" ".join((*tokens, *measures)),
        words=words,
        amounts=frozenset(amounts),
        pieces=pieces,
        numbers=frozenset(w for w in words if _tells(w)),
    )


def key(raw: str) -> str:
    """The form under which names are equal: aliases are kept and found by it."""
    return read(raw).key


def fold(raw: str) -> str:
    """One case, one ё, one alphabet a word; words glued from two alphabets are split."""
    text = plain(GLUED.sub(" ", unicodedata.normalize("NFKC", raw)))
    if LATIN.search(text):
        text = LETTERS.sub(lambda found: _one_alphabet(found[0]), text)
    return text


def plain(raw: str) -> str:
    """Small letters, one ё, no apostrophes; every letter in the alphabet it was typed in."""
    text = unicodedata.normalize("NFKC", raw).casefold().replace("ё", "е")
    return APOSTROPHES.sub("", text)


def _one_alphabet(word: str) -> str:
    latin = {letter for letter in word if letter.isascii()}
    if not latin:
        return word
    if latin.issubset(LATIN_TWINS):
        return word.translate(TO_CYRILLIC)
    other = set(word) - latin
    if not other:
        return word
    runs = SCRIPT_RUNS.findall(word)
    # A letter or two of the other alphabet were mistyped; three are a word that was glued on.
    if other.issubset(CYRILLIC_TWINS) and all(run.isascii() or len(run) < 3 for run in runs):
        return word.translate(TO_LATIN)
    return " ".join(runs)


def _take_pieces(text: str) -> tuple[str, int | None]:
    """Cut «2 шт», «3х50 мл», «50 мл*3» out; the text without them and the count."""
    seen: list[int] = []

    def take(found: re.Match[str]) -> str:
        seen.append(int(Fraction(found[1])))
        return " "

    def take_after(found: re.Match[str]) -> str:
        seen.append(int(found[2]))
        return found[1] + " "

    text = PACK_BEFORE.sub(take, text)
    text = PACK_AFTER.sub(take_after, text)
    text = COUNT.sub(take, text)
    return text, max(seen) if seen else None


def _thousandths(number: str, scale: int) -> int:
    return int(Fraction(number) * scale)


def _plain(token: str) -> str:
    return str(int(token)) if token.isdecimal() and not _is_code(token) else token


def _is_code(token: str) -> bool:
    return len(token) >= LONG_CODE and token.isdecimal()


def _tells(word: str) -> bool:
    return word[0].isdecimal() and ":" not in word
