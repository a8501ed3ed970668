"""The catalogue's own words, and which of them a till's word may stand for.

A till cuts («антис.»), leaves vowels out («срдств»), inflects, mistypes, spells by ear («просепт»)
and glues («кремдлярук»). `Vocabulary.meant` answers with the words meant and how surely, 0 to 1.
"""

import math
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Container, Iterable

from vezde.catalog.brands import sound
from vezde.catalog.names import LATIN, TO_CYRILLIC, TWINS

# How surely a word is meant, by what was done to it. Chosen on made-up shelves: their order
# matters, the second digit does not.
EXACT = 1.0
INFLECTED = 0.9
CUT = {2: 0.45, 3: 0.68, 4: 0.8, 5: 0.88}
CUT_LONG = 0.92
HEARD = 0.85
MISTYPED = 0.8
NO_VOWELS = 0.8
NO_VOWELS_CUT = 0.66
HEARD_CUT = 0.7
MARK = 1.5

MOST_MEANT = 8
REMEMBERED = 50_000
SHORTEST_INFLECTED = 4
SHORTEST_MISTYPED = 5
SHORTEST_GLUED, SHORTEST_PART = 7, 3
SMALL = frozenset("ивскоуаядбп")
VOWELS = str.maketrans("", "", "аеиоуыэюяьъйaeiouy")

Meant = tuple[tuple[int, float], ...]


class Vocabulary:
    """Words numbered from 0 with their weight, ln(1 + texts / texts with the word).

    `marks` are words that name series (Latin in the catalogue): they weigh more.
    """

    def __init__(self, texts: Iterable[Iterable[str]], marks: Container[str] = ()) -> None:
        seen: dict[str, int] = defaultdict(int)
        total = 0
        for text in texts:
            total += 1
            for word in set(text):
                seen[word] += 1
        self.words = sorted(seen)
        self.number = {word: number for number, word in enumerate(self.words)}
        self.marks = marks
        self.weights = [
            math.log(1 + total / seen[word]) * (MARK if self.is_mark(word) else 1.0)
            for word in self.words
        ]
        # What a word nobody knows weighs: as a word of one product.
        self.unknown = math.log(1 + max(total, 1))
        self._bones = _sorted_by(self.words, _bones)
        self._sounds = _sorted_by(self.words, _sound)
        self._near: dict[str, list[int]] = defaultdict(list)
        for number, word in enumerate(self.words):
            if len(word) >= SHORTEST_MISTYPED and word.isalpha():
                for shape in _without_one(word):
                    self._near[shape].append(number)
        self._meant: dict[str, Meant] = {}

    def meant(self, word: str) -> Meant:
        """Numbers of the words this may stand for and how surely, the surest first."""
        known = self._meant.get(word)
        if known is None:
            if len(self._meant) >= REMEMBERED:
                self._meant.clear()
            known = self._meant[word] = self._look(word)
        return known

    def is_mark(self, word: str) -> bool:
        """Whether a word names a series: Latin letters, or a letter alone («Multipower E»)."""
        if len(word) == 1:
            return word.isalpha() and word not in SMALL
        return "a" <= word[0] <= "z" or word in self.marks

    def parts(self, word: str) -> tuple[str, ...]:
        """A word that was glued, as its words; any other as it is."""
        if len(word) < SHORTEST_GLUED or not word.isalpha() or self.meant(word):
            return (word,)
        parts = []
        rest = word
        while rest:
            for end in range(len(rest), SHORTEST_PART - 1, -1):
                part = self._spelt(rest[:end])
                if part in self.number and (len(rest) == end or len(rest) - end > 1):
                    break
            else:
                break
            parts.append(part)
            rest = rest[end:]
        if not parts or (len(parts) == 1 and len(parts[0]) < SHORTEST_INFLECTED + 1):
            return (word,)
        return (*parts, rest) if rest else tuple(parts)

    def _spelt(self, part: str) -> str:
        """Part of a Latin word as it is spelt alone: «max» of «ultramax» folds to «мах» there."""
        if part in self.number or not TWINS.issuperset(part):
            return part
        return part.translate(TO_CYRILLIC)

    def _look(self, word: str) -> Meant:
        exact = self.number.get(word)
        if not word[0].isalpha():
            return () if exact is None else ((exact, EXACT),)
        found: dict[int, float] = {}
        self._longer(word, found)
        self._inflected(word, found)
        if exact is not None:
            # The word itself stands there: others only as far as they are forms of it.
            found = {number: sure for number, sure in found.items() if sure >= INFLECTED}
            found[exact] = EXACT
        elif len(found) < MOST_MEANT:
            self._by_bones(word, found)
            self._by_sound(word, found)
            self._mistyped(word, found)
        best = sorted(found.items(), key=lambda one: (-one[1], one[0]))
        return tuple(best[:MOST_MEANT])

    def _longer(self, word: str, found: dict[int, float]) -> None:
        """Words this one is cut from: the more letters are left, the surer."""
        if len(word) < 2:
            return
        sure = CUT.get(len(word), CUT_LONG)
        words = self.words
        start = bisect_left(words, word)
        for number in range(start, min(start + 64, len(words))):
            if not words[number].startswith(word):
                break
            _keep(found, number, sure)

    def _inflected(self, word: str, found: dict[int, float]) -> None:
        if len(word) < SHORTEST_INFLECTED:
            return
        # Series have no cases: «ultra» is not «ultramax», a plural at most.
        ending = 1 if LATIN.match(word) else 3
        stem = word[: max(SHORTEST_INFLECTED, len(word) - ending)]
        words = self.words
        start = bisect_left(words, stem)
        for number in range(start, min(start + 64, len(words))):
            other = words[number]
            if not other.startswith(stem):
                break
            common = _common(word, other)
            if max(len(word), len(other)) - common <= ending and common >= 4:
                _keep(found, number, INFLECTED if common >= 5 else MISTYPED)

    def _by_bones(self, word: str, found: dict[int, float]) -> None:
        bones = _bones(word)
        if len(bones) < 3 or len(bones) < len(word) * 0.7:
            return  # it has its vowels: not shortened this way
        for number, other in _starting(self._bones, bones):
            _keep(found, number, NO_VOWELS if other == bones else NO_VOWELS_CUT)

    def _by_sound(self, word: str, found: dict[int, float]) -> None:
        heard = _sound(word)
        if len(heard) < 4:
            return
        for number, other in _starting(self._sounds, heard):
            _keep(found, number, HEARD if other == heard else HEARD_CUT)

    def _mistyped(self, word: str, found: dict[int, float]) -> None:
        if len(word) < SHORTEST_MISTYPED - 1 or not word.isalpha():
            return
        for shape in _without_one(word):
            for number in self._near.get(shape, ()):
                _keep(found, number, MISTYPED)


def _keep(found: dict[int, float], number: int, sure: float) -> None:
    if found.get(number, 0.0) < sure:
        found[number] = sure


def _common(one: str, other: str) -> int:
    shorter = min(len(one), len(other))
    place = 0
    while place < shorter and one[place] == other[place]:
        place += 1
    return place


def _bones(word: str) -> str:
    """The word as tills leave it without vowels: its first letter and consonants."""
    return word[:1] + word[1:].translate(VOWELS)


def _sound(word: str) -> str:
    return sound(word) if len(word) >= 3 else word


def _without_one(word: str) -> list[str]:
    """The word and what is left of it without any one letter: two such meet at one mistake."""
    return [word, *(word[:place] + word[place + 1 :] for place in range(1, len(word)))]


Shapes = tuple[list[str], list[int]]


def _sorted_by(words: list[str], shape: Callable[[str], str]) -> Shapes:
    pairs = sorted((shape(word), number) for number, word in enumerate(words))
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


def _starting(shapes: Shapes, start: str) -> list[tuple[int, str]]:
    keys, numbers = shapes
    place = bisect_left(keys, start)
    found: list[tuple[int, str]] = []
    while place < len(keys) and keys[place].startswith(start) and len(found) < MOST_MEANT:
        found.append((numbers[place], keys[place]))
        place += 1
    return found
