"""How a till, a marketplace and a catalogue write one name: read into one form and compared there.

Tills print capitals, cut words, mix Latin and Cyrillic letters that look alike, glue words and
numbers. `read` undoes what can be undone without knowing the catalogue.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

LATIN_TWINS = "abcehkmoptxy"
CYRILLIC_TWINS = "авсенкмортху"
TWINS = frozenset(LATIN_TWINS)
TO_CYRILLIC = str.maketrans(LATIN_TWINS, CYRILLIC_TWINS)
TO_LATIN = str.maketrans(CYRILLIC_TWINS, LATIN_TWINS)

LATIN = re.compile(r"[a-z]")
LETTERS = re.compile(r"[^\W\d_]+")
SCRIPT_RUNS = re.compile(r"[a-z]+|[^a-z]+")
# Words glued where the alphabet or the case changes: «камерCooky», `PROSEPTготовый`, «ГРУНТготов».
GLUED = re.compile(
    r"(?<=[а-яё])(?=[A-Z][A-Za-z]{2})|(?<=[a-z])(?=[А-ЯЁ][А-ЯЁа-яё]{2})"
    r"|(?<=[A-Za-z][A-Za-z]{2})(?=[а-яё]{3})|(?<=[А-ЯЁ]{3})(?=[a-z]{3})"
    r"|(?<=[А-ЯЁ]{4})(?=[а-яё]{4})|(?<=[а-яё]{4})(?=[А-ЯЁ][а-яё]{3})"
)
# Apostrophes, soft hyphens, and accents that make no letter of their own.
APOSTROPHES = re.compile(r"['’‘`´\u00ad\u200b\ufeff\u0300-\u036f]")
DIGIT = re.compile(r"\d")
DECIMAL_COMMA = re.compile(r"(?<=\d),(?=\d)")
# What tills put before a name: `1:3305976 `, `240 `, `*`, `[М+]`, «без заменителя молочного жира».
JUNK = re.compile(
    r"^(?:\s|\*|~|\d+:\d{4,}\s|\d{3,8}\s+(?=[^\W\d_]{3})|\[м\+?\]|бзмж\b|псыж\b|скидка\b)+",
    re.IGNORECASE,
)
NOTHING: frozenset[Any] = frozenset()
LONGEST = 300  # a till prints at most 128
ROMAN = {"i": "1", "ii": "2", "iii": "3"}
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
PLUS = re.compile(r"(?<=[^\W\d_])\+|^\+(?=$|/)")  # «Acid+», «Acid +», «Acid +/5 л»
ORDINAL = re.compile(r"(?<!\d)(\d)-?(?:ая|ой|ый|го|я|й)(?![^\W_])")  # «2-ая группа»
SLASHED_WORDS = {"д": "для", "б": "без", "в": "в"}
REMEDY = "средство "
SREDSTVO = re.compile(r"(?<![^\W_])ср[-.]?в[оа]?(?![^\W_])\.?")

# An amount in thousandths of a millilitre or a gram: shops write «50 г» and «50 мл» of one jar.
UNITS = {
    **dict.fromkeys(("мл", "ml", "г", "гр", "g", "gr", "грамм", "грамма"), 1_000),
    **dict.fromkeys(("л", "l", "литр", "литра", "литров", "кг", "kg"), 1_000_000),
}
PIECES = frozenset(("шт", "штук", "штука", "штуки", "pcs"))
TIMES = frozenset("*х×")
TOKEN = re.compile(r"\d+(?::\d+(?:\.\d+)?)+|\d+(?:\.\d+)?|[^\W\d_]+")
# As `TOKEN`, and every mark but the full stop, so that «5, л» is no five litres.
MARKED = re.compile(TOKEN.pattern + r"|[^\w\s.]|_")
MEASURED = re.compile(r"\d{1,6}(?:\.\d{1,3})?")
PIECES_REMEMBERED = 100_000
# Signs that Unicode writes in one way alone, but for the apostrophes: nothing to normalise there.
SIMPLE = re.compile(r"[!-&(-_a-~А-Яа-яЁё]*")


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
    text = unicodedata.normalize("NFKC", raw[:LONGEST])
    if (not text[:1].isalpha() or text[:1] in "бпсБПС") and (junk := JUNK.match(text)):
        text = text[junk.end() :]
    rest: list[str] = []
    tokens: list[str] = []
    for piece in text.split():
        all_, words_alone = _pieces.get(piece) or _remember(piece)
        if tokens or words_alone is None:
            tokens += all_
        else:
            rest += words_alone
    if not tokens:
        return Name(" ".join(rest), tuple(rest), NOTHING, None, NOTHING)
    tail, amounts, counts = _measured(tokens)
    later = [token for token in tail if len(token) < LONG_CODE or not token.isdecimal()]
    words = (*rest, *later)
    rest += tail
    pieces = max(counts) if counts else None
    rest += [f"{amount}m" for amount in sorted(amounts)]
    if pieces is not None:
        rest.append(f"{pieces}x")
    return Name(
        " ".join(rest),
        words,
        frozenset(amounts),
        pieces,
        frozenset([word for word in later if word[0].isdecimal() and ":" not in word]),
    )


def key(raw: str) -> str:
    """The form under which names are equal: aliases are kept and found by it."""
    return read(raw).key


def fold(raw: str) -> str:
    """One case, one ё, one alphabet a word; words glued from two alphabets are split."""
    text = raw if SIMPLE.fullmatch(raw) else unicodedata.normalize("NFKC", raw)
    text = plain(GLUED.sub(" ", text) if _may_be_glued(text) else text)
    if LATIN.search(text) is None:
        return text
    if text.isalpha():
        return _one_alphabet(text)
    return LETTERS.sub(lambda found: _one_alphabet(found[0]), text)


def plain(raw: str) -> str:
    """Small letters, one ё, no apostrophes; every letter in the alphabet it was typed in."""
    if SIMPLE.fullmatch(raw):
        return raw.lower().replace("ё", "е")
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", raw).casefold())
    text = unicodedata.normalize("NFKC", APOSTROPHES.sub("", text))
    return text.replace("ё", "е")


def _may_be_glued(text: str) -> bool:
    """Whether `GLUED` is worth asking: it needs a change of case, or small letters of two kinds."""
    if text.isupper():
        return False
    small = text.lower()
    return text[1:] != small[1:] or not (text.isascii() or LATIN.search(small) is None)


# What stands between two spaces: its tokens, marks among them, and those that are words; no words
# if what they mean hangs on what stands beside them.
Piece = tuple[tuple[str, ...], tuple[str, ...] | None]
_pieces: dict[str, Piece] = {}


def _remember(text: str) -> Piece:
    """A piece taken apart; tills repeat their words, so they are kept."""
    tokens = _tokens(fold(text))
    last = tokens[-2:-1] if tokens[-1:] == ("/",) else tokens[-1:]
    words = None
    if SLASHED_WORDS.keys().isdisjoint(last) and not any(map(_is_number, tokens)):
        words = tuple(_measured(tokens)[0])
    if len(_pieces) >= PIECES_REMEMBERED:
        _pieces.clear()
    _pieces[text] = tokens, words
    return tokens, words


def _is_number(token: str) -> bool:
    return token[0].isdecimal()


def _tokens(text: str) -> tuple[str, ...]:
    # Most patterns are asked only where what they begin with stands at all: asking is what costs.
    if DIGIT.search(text):
        text = ORDINAL.sub(r"\1 ", DECIMAL_COMMA.sub(".", text))
    if "+" in text:
        text = PLUS.sub(" plus ", text)
    if "ср" in text:
        text = SREDSTVO.sub(REMEDY, text)
    if "." in text:
        text = DOTTED.sub(lambda found: ABBREVIATIONS[found[1]] + " ", text)
    if text.isalpha():
        return (ROMAN.get(text, text),)
    return tuple(
        [
            str(int(token))
            if token.isdecimal() and not _is_code(token)
            else ROMAN.get(token, token)
            for token in MARKED.findall(text)
        ]
    )


def _measured(tokens: Sequence[str]) -> tuple[list[str], set[int], list[int]]:
    """Words and numbers without sizes («3х50 мл») and counts («2 шт»), and these."""
    rest: list[str] = []
    amounts: set[int] = set()
    counts: list[int] = []
    place, last = 0, len(tokens) - 1
    while place <= last:
        token = tokens[place]
        place += 1
        if token[0].isdecimal():
            if place <= last and MEASURED.fullmatch(token):
                taken = _measure(tokens, place, token, amounts, counts)
                if taken:
                    place += taken
                    continue
            rest.append(token)
        elif token in SLASHED_WORDS and place < last and tokens[place] == "/":
            rest.append(SLASHED_WORDS[token] if tokens[place + 1][0].isalpha() else token)
        elif token[0].isalpha():
            rest.append(token)
    return rest, amounts, counts


def _measure(
    tokens: Sequence[str], place: int, number: str, amounts: set[int], counts: list[int]
) -> int:
    """Read the measure that `number` begins, the next token at `place`; how many belong to it."""
    after = [*tokens[place : place + 3], "", "", ""]
    scale = UNITS.get(after[0])
    if scale is not None:
        amounts.add(_scaled(number, scale))
        if after[1] in TIMES and after[2].isdecimal() and len(after[2]) <= 3:
            beyond = tokens[place + 3] if place + 3 < len(tokens) else ""
            if beyond in UNITS:
                return 1
            counts.append(int(after[2]))
            return 4 if beyond in PIECES else 3
        return 1
    if after[0] in PIECES:
        counts.append(int(number.partition(".")[0]))
        return 2 if after[1] in TIMES and after[2][:1].isdecimal() else 1
    if after[0] in TIMES and MEASURED.fullmatch(after[1]) and after[2] in UNITS:
        counts.append(int(number.partition(".")[0]))
        return 1
    return 0


def _scaled(number: str, scale: int) -> int:
    """Thousandths: `scale` are those of a whole unit; at most three decimals."""
    whole, _, decimals = number.partition(".")
    return int(whole) * scale + int(decimals.ljust(3, "0")) * scale // 1_000


def _one_alphabet(word: str) -> str:
    if word.isascii():
        return word.translate(TO_CYRILLIC) if TWINS.issuperset(word) else word
    latin = {letter for letter in word if letter.isascii()}
    if not latin:
        return word
    if latin.issubset(LATIN_TWINS):
        return word.translate(TO_CYRILLIC)
    other = set(word) - latin
    runs = SCRIPT_RUNS.findall(word)
    # A letter or two of the other alphabet were mistyped; three are a word that was glued on.
    if other.issubset(CYRILLIC_TWINS) and all(run.isascii() or len(run) < 3 for run in runs):
        return word.translate(TO_LATIN)
    return " ".join(run.translate(TO_CYRILLIC) if set(run) <= TWINS else run for run in runs)


def _is_code(token: str) -> bool:
    return len(token) >= LONG_CODE and token.isdecimal()
