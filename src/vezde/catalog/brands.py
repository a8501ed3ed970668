"""Finding the brand in a name however it is spelt: either alphabet, one word or several, glued.

Two spellings are one brand when they sound alike: `LUNARIA`, «Лунария», `Lunariya`.
"""

import re
from collections.abc import Iterable, Sequence

from vezde.catalog import names

# A shorter brand («ЭКО», `Ив`) is too like other words: it is found only letter by letter.
SHORTEST_SOUND = 4

CYRILLIC_SOUNDS = str.maketrans(
    {
        "а": "a", "б": "b", "в": "v", "г": "g", "д": "d", "е": "e", "ж": "zh", "з": "z",
        "и": "i", "й": "i", "к": "k", "л": "l", "м": "m", "н": "n", "о": "o", "п": "p",
        "р": "r", "с": "s", "т": "t", "у": "u", "ф": "f", "х": "h", "ц": "ts", "ч": "ch",
        "ш": "sh", "щ": "sh", "ъ": "", "ы": "i", "ь": "", "э": "e", "ю": "iu", "я": "ia",
    }
)  # fmt: skip
LATIN_SOUNDS = (
    (re.compile(r"sch|shch"), "sh"),
    (re.compile(r"tch"), "ch"),
    (re.compile(r"kh"), "h"),
    (re.compile(r"ph"), "f"),
    (re.compile(r"th"), "t"),
    (re.compile(r"ck"), "k"),
    (re.compile(r"qu"), "kv"),
    (re.compile(r"q"), "k"),
    (re.compile(r"x"), "ks"),
    (re.compile(r"w"), "v"),
    (re.compile(r"oo|ou"), "u"),
    (re.compile(r"ee"), "i"),
    (re.compile(r"[yj]"), "i"),
    (re.compile(r"c(?=[ei])"), "s"),
    (re.compile(r"c(?!h)"), "k"),
    (re.compile(r"(.)\1+"), r"\1"),
    (re.compile(r"(?<=...)e$"), ""),
)


def sound(word: str) -> str:
    """How a word of either alphabet sounds, in Latin letters: `lunariya`, «лунария» -> lunaria."""
    heard = word.translate(CYRILLIC_SOUNDS)
    for pattern, letters in LATIN_SOUNDS:
        heard = pattern.sub(letters, heard)
    return heard


class Brands:
    """The brands of one catalogue, looked for in the words of a name."""

    def __init__(self, brands: Iterable[str]) -> None:
        self._exact: set[str] = set()
        self._sounds: set[str] = set()
        self._longest = 1
        self._heard: dict[str, str] = {}
        for brand in brands:
            self._add(brand)

    def find(self, words: Sequence[str]) -> tuple[int, int] | None:
        """Where the brand first stands among the words: start and end, or None."""
        sounds = [self._sound(word) for word in words]
        for length in range(self._longest, 0, -1):
            for start in range(len(words) - length + 1):
                end = start + length
                heard = sounds[start] if length == 1 else "".join(sounds[start:end])
                if heard in self._sounds:
                    return start, end
                if self._exact and "".join(words[start:end]) in self._exact:
                    return start, end
        return None

    def strip(self, words: Sequence[str]) -> tuple[tuple[str, ...], bool]:
        """The words without the brand wherever it stands, and whether it stood there.

        Words that are nothing but the brand stay as they are.
        """
        rest, seen = tuple(words), False
        while found := self.find(rest):
            seen = True
            rest = rest[: found[0]] + rest[found[1] :]
        return (rest or tuple(words)), seen

    def _add(self, brand: str) -> None:
        folded = names.read(brand).words
        # Letters as typed, too: `COMET` folds to Cyrillic «сомет», but «комет» sounds like it.
        typed = tuple(names.TOKEN.findall(names.plain(brand)))
        for words in (folded, typed):
            if not words:
                continue
            heard = "".join(sound(word) for word in words)
            if len(heard) >= SHORTEST_SOUND:
                self._sounds.add(heard)
            self._exact.add("".join(words))
            # One more, for a brand of one word that a till prints as two.
            self._longest = max(self._longest, len(words) + 1)

    def _sound(self, word: str) -> str:
        heard = self._heard.get(word)
        if heard is None:
            if len(self._heard) > 50_000:
                self._heard.clear()
            heard = self._heard[word] = sound(word)
        return heard
