"""Finding the brand in a name however it is spelt: either alphabet, one word or several, glued.

Two spellings are one brand when they sound alike: `LUNARIA`, «Лунария», `Lunariya`.
"""

import re
from collections.abc import Iterable, Sequence

from vezde.catalog import names

# A shorter brand («ЭКО», `Ив`) is too like other words: it is found only letter by letter.
SHORTEST_SOUND = 4
SHORTEST_CUT = 3
REMEMBERED = 50_000  # words whose sound is kept

CYRILLIC_SOUNDS = str.maketrans(
    {
        "а": "a", "б": "b", "в": "v", "г": "g", "д": "d", "е": "e", "ж": "zh", "з": "z",
        "и": "i", "й": "i", "к": "k", "л": "l", "м": "m", "н": "n", "о": "o", "п": "p",
        "р": "r", "с": "s", "т": "t", "у": "u", "ф": "f", "х": "h", "ц": "s", "ч": "ch",
        "ш": "sh", "щ": "sh", "ъ": "", "ы": "i", "ь": "", "э": "e", "ю": "iu", "я": "ia",
    }
)  # fmt: skip
# In this order; what a pattern would do is done by plain replacing, as every new word is heard.
LATIN_SOUNDS = (
    ("shch", "sh"), ("sch", "sh"), ("tch", "ch"), ("ts", "s"), ("kh", "h"), ("ph", "f"),
    ("th", "t"), ("ck", "k"), ("qu", "kv"), ("q", "k"), ("x", "ks"), ("w", "v"), ("oo", "u"),
    ("ou", "u"), ("ee", "i"), ("y", "i"), ("j", "i"), ("ce", "se"), ("ci", "si"),
)  # fmt: skip
# Whether any of them stands there at all, as in most words none does.
SOUNDS_OTHERWISE = re.compile("[cjqwxy]|ts|kh|ph|th|oo|ou|ee")
HARD_C = re.compile(r"c(?!h)")
DOUBLED = re.compile(r"(.)\1+")
SHORTEST_BEFORE_E = 3


def sound(word: str) -> str:
    """How a word of either alphabet sounds, in Latin letters: `lunariya`, «лунария» -> lunaria."""
    heard = word.translate(CYRILLIC_SOUNDS)
    if SOUNDS_OTHERWISE.search(heard):
        for letters, sounds in LATIN_SOUNDS:
            heard = heard.replace(letters, sounds)
    if "c" in heard:
        heard = HARD_C.sub("k", heard)
    heard = DOUBLED.sub(r"\1", heard)
    return heard[:-1] if heard.endswith("e") and len(heard) > SHORTEST_BEFORE_E else heard


class Brands:
    """The brands of one catalogue, looked for in the words of a name.

    Spellings that sound alike are one brand, known by the spelling that came first.
    """

    def __init__(self, brands: Iterable[str]) -> None:
        self._exact: dict[str, str] = {}
        self._sounds: dict[str, str] = {}
        self._longest = 1
        self._heard: dict[str, str] = {}
        self._begun: dict[str, bool] = {}
        for brand in brands:
            self._add(brand)
        self._begun.clear()

    def one(self, brand: str) -> str:
        """The spelling a brand of this catalogue is known by."""
        keys = [self._key(words) for words in _spellings(brand)]
        return next((known for key in keys if (known := self._known(*key))), brand)

    def strip(self, words: Sequence[str]) -> tuple[tuple[str, ...], frozenset[str]]:
        """The words without the brands wherever they stand, and which brands stood there.

        Words that are nothing but the brand stay as they are.
        """
        rest, seen = tuple(words), set()
        begins = self._where_begun(rest)
        while begins and (found := self._find(rest, begins)):
            brand, start, end = found
            seen.add(brand)
            rest = rest[:start] + rest[end:]
            begins = [
                place if place < start else place - (end - start)
                for place in begins
                if not start <= place < end
            ]
        return (rest or tuple(words)), frozenset(seen)

    def begins(self, word: str) -> bool:
        """Whether a brand was cut to this: three letters of it at least, in either alphabet."""
        if len(word) < SHORTEST_CUT:
            return False
        return self._may_begin(word)

    def _find(self, words: Sequence[str], begins: Sequence[int]) -> tuple[str, int, int] | None:
        """The first brand among the words and where it starts and ends; it starts at a `begins`."""
        for length in range(self._longest, 0, -1) if begins else ():
            for start in begins:
                end = start + length
                if end > len(words):
                    break
                part = words[start:end]
                heard = "".join([self._sound(word) for word in part])
                brand = self._sounds.get(heard) or self._exact.get("".join(part))
                if brand is not None:
                    return brand, start, end
        return None

    def _where_begun(self, words: Sequence[str]) -> list[int]:
        begun = self._begun
        return [
            place
            for place, word in enumerate(words)
            if (begun[word] if word in begun else self._may_begin(word))
        ]

    def _may_begin(self, word: str) -> bool:
        """Whether some brand begins with this word, by letters or by ear; most words do not."""
        known = self._begun.get(word)
        if known is None:
            if len(self._begun) >= REMEMBERED:
                self._begun.clear()
            heard = self._sound(word)
            known = any(one.startswith(word) for one in self._exact) or any(
                one.startswith(heard) for one in self._sounds
            )
            self._begun[word] = known
        return known

    def _add(self, brand: str) -> None:
        known = self.one(brand)
        for words in _spellings(brand):
            whole, heard = self._key(words)
            self._exact[whole] = known
            if len(heard) >= SHORTEST_SOUND:
                self._sounds[heard] = known
            # One more, for a brand of one word that a till prints as two.
            self._longest = max(self._longest, len(words) + 1)

    def _key(self, words: Sequence[str]) -> tuple[str, str]:
        return "".join(words), "".join(self._sound(word) for word in words)

    def _known(self, whole: str, heard: str) -> str | None:
        return self._sounds.get(heard) or self._exact.get(whole)

    def _sound(self, word: str) -> str:
        heard = self._heard.get(word)
        if heard is None:
            if len(self._heard) >= REMEMBERED:
                self._heard.clear()
            heard = self._heard[word] = sound(word)
        return heard


def _spellings(brand: str) -> list[tuple[str, ...]]:
    """The brand's words with letters folded and as typed.

    `COMET` folds to Cyrillic «сомет» as it does in a line; «комет» sounds like the typed one.
    """
    both = (names.read(brand).words, tuple(names.TOKEN.findall(names.plain(brand))))
    return [words for words in both if words]
