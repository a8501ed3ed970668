"""Candidates for a line and what speaks for each: arrays of features, a row a product's form.

A chunk of lines is worked at once. Words are looked up once and kept; what is left a line is a few
array operations over its candidates.
"""

from collections import defaultdict
from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from vezde.catalog.brands import Brands
from vezde.catalog.forms import SET_WORDS, Form, Seen, cut_size
from vezde.catalog.vocabulary import Vocabulary

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Scalar = TypeVar("Scalar", bound=np.generic)

WORDS = 24  # of a line and of a form; what comes later hardly tells more
MEANINGS = 8
# Texts compared word by word; fewer of a catalogue where looking through all is out of question.
CANDIDATES, CANDIDATES_OF_MANY = 16, 8
MANY_TEXTS = 3_000
POSTING_BUDGET = 3_000
CHUNK_CELLS = 400_000
FORMS_A_LINE = 160

# What a row of `Ranked.features` says, in order.
FEATURES = (
    "said",  # share of the line's words, by weight, that the form explains
    "meant",  # share of the form's words that the line says
    "exact",  # share of the form's words that the line says to the letter
    "cosine",
    "worst_said",  # the weightiest word of the line that nothing explains
    "worst_meant",  # the weightiest word of the form that is not said
    "clash",  # both at once: «для сухих волос» is not «для жирных волос»
    "latin_meant",  # the form's Latin words: names of series
    "latin_said",
    "latin_clash",
    "head",  # the form's first word
    "number_missing",
    "number_clash",
    "size_agrees",
    "size_cut",  # a number without a unit at the end is this size
    "size_differs",
    "size_unknown",
    "pieces_agree",
    "pieces_differ",
    "pieces_unsaid",
    "one_word",  # the form is a word or two: easily all said
)


@dataclass(frozen=True, slots=True)
class Ranked:
    """Candidates of a chunk: rows in the lines' order, `starts[i]:starts[i + 1]` are line i's.

    `features` are as FEATURES; `forms` number the index's forms; `first` is how surely each row's
    form explains the line's first word; `brandish` says which lines have what may be a brand cut.
    """

    features: Floats
    forms: Ints
    starts: Ints
    first: Floats
    brandish: npt.NDArray[np.bool_]


class Index:
    """Forms sorted by their words, ready to be compared with lines."""

    def __init__(self, forms: Sequence[Form], *, brands: Brands, marks: Container[str]) -> None:
        self.forms = list(forms)
        self._brands = brands
        texts = list(dict.fromkeys(form.words for form in forms))
        self.vocabulary = Vocabulary(texts, marks)
        self._texts = len(texts)
        self._build_texts(texts)
        self._build_forms({words: place for place, words in enumerate(texts)})
        self._many = self._texts > MANY_TEXTS
        self._scratch = np.zeros(self._texts + 1, np.float32)
        self._forget_words()

    def chunk_lines(self) -> int:
        """How many lines are best worked at once."""
        cells = max(len(self.vocabulary.words), 0 if self._many else self._texts, 1)
        return max(8, min(256, CHUNK_CELLS // cells))

    def rank(self, lines: Sequence[Seen]) -> Ranked:
        """Candidates of each line with their features; a line without any has no rows."""
        words = self._look_up(lines)
        texts = self._candidates(words)
        matched, explained = self._align(words, texts)
        of_texts, first = self._text_features(words, texts, matched, explained)
        row_line, row_rank, forms = self._expand(texts)
        features = np.empty((len(forms), len(FEATURES)), np.float32)
        features[:, : of_texts.shape[2]] = of_texts[row_line, row_rank]
        self._measure(lines, row_line, forms, features)
        starts = np.searchsorted(row_line, np.arange(len(lines) + 1))
        return Ranked(
            features, forms, starts, first[row_line, row_rank],
            np.asarray(self._tokens_brand[words].any(axis=1)),
        )  # fmt: skip

    # -- built once ---------------------------------------------------------------------------

    def _build_texts(self, texts: Sequence[tuple[str, ...]]) -> None:
        vocabulary = self.vocabulary
        none = len(vocabulary.words)
        self._none = none
        weights = np.array([*vocabulary.weights, 0.0], np.float32)
        numbers = np.full((self._texts + 1, WORDS), none, np.int32)
        posted: dict[int, list[int]] = defaultdict(list)
        for place, words in enumerate(texts):
            known = list(dict.fromkeys(vocabulary.number[word] for word in words))[:WORDS]
            numbers[place, : len(known)] = known
            for number in known:
                posted[number].append(place)
        self._postings = [np.array(posted.get(n, ()), np.int32) for n in range(none)]
        latin = np.array([vocabulary.is_mark(word) for word in vocabulary.words] + [False])
        numeric = np.array([word[0].isdecimal() for word in vocabulary.words] + [False])
        self._text_words = numbers
        self._text_weights = weights[numbers]
        self._text_latin = self._text_weights * latin[numbers]
        self._text_numbers = numeric[numbers]
        self._text_sum = self._text_weights.sum(axis=1)
        self._text_root = np.sqrt(self._text_sum + 1.0)
        self._text_norm = np.sqrt((self._text_weights**2).sum(axis=1))
        self._text_latin_sum = self._text_latin.sum(axis=1)
        alphabetic = ~numeric[numbers] & (numbers != none)
        self._text_head = alphabetic.argmax(axis=1)
        self._text_length = (numbers != none).sum(axis=1)

    def _build_forms(self, place_of: dict[tuple[str, ...], int]) -> None:
        count = len(self.forms)
        self._form_text = np.array([place_of[form.words] for form in self.forms], np.int64)
        self._form_sizes = np.full((count + 1, 2), -1, np.int64)
        self._form_pieces = np.ones(count + 1, np.int64)
        for place, form in enumerate(self.forms):
            sizes = sorted(form.amounts)[:2]
            self._form_sizes[place, : len(sizes)] = sizes
            self._form_pieces[place] = form.pieces or 1
        self._form_start = np.searchsorted(self._form_text, np.arange(self._texts + 1))
        self._form_count = np.diff(self._form_start, append=count)
        self.form_line = np.array([form.line for form in self.forms], np.int64)
        skus = {sku: number for number, sku in enumerate(sorted({f.sku for f in self.forms}))}
        self.form_sku = np.array([skus[form.sku] for form in self.forms], np.int64)

    # -- words of lines -----------------------------------------------------------------------

    def _forget_words(self) -> None:
        self._token: dict[str, tuple[int, ...]] = {}
        self._tokens_meant = np.full((1024, MEANINGS), self._none, np.int32)
        self._tokens_sure = np.zeros((1024, MEANINGS), np.float32)
        self._tokens_weight = np.zeros(1024, np.float32)
        self._tokens_latin = np.zeros(1024, np.float32)
        self._tokens_number = np.zeros(1024, bool)
        self._tokens_unknown = np.zeros(1024, np.float32)
        self._tokens_brand = np.zeros(1024, bool)
        self._tokens_texts = np.zeros(1024, np.int64)
        self._token_texts: list[npt.NDArray[np.int32]] = []
        self._token_scores: list[Floats] = []
        self._add_token("")  # 0 stands where a line has no more words

    def _look_up(self, lines: Sequence[Seen]) -> Ints:
        """Token numbers of each line's words (lines x WORDS), 0 where there is none."""
        if len(self._token) > 60_000:
            self._forget_words()
        found = np.zeros((len(lines), WORDS), np.int64)
        token = self._token
        longest = 1
        for place, line in enumerate(lines):
            numbers: list[int] = []
            for word in line.words:
                numbers += token[word] if word in token else self._add_word(word)
            if len(numbers) > 1:
                numbers = list(dict.fromkeys(numbers))[:WORDS]
            found[place, : len(numbers)] = numbers
            longest = max(longest, len(numbers))
        return found[:, :longest]

    def _add_word(self, word: str) -> tuple[int, ...]:
        """The tokens of a word not seen before: itself, or the words it was glued from."""
        parts = self.vocabulary.parts(word) if word else ("",)
        if len(parts) > 1:
            known = tuple(
                number
                for part in parts
                for number in self._token.get(part) or (self._add_token(part),)
            )
        else:
            known = (self._add_token(word),)
        self._token[word] = known
        return known

    def _add_token(self, word: str) -> int:
        number = len(self._token_texts)
        self._token[word] = (number,)
        if number >= len(self._tokens_weight):
            self._grow()
        meant = self.vocabulary.meant(word) if word else ()
        brand = bool(word) and (not meant or meant[0][1] < 1) and self._brands.begins(word)
        weights = self.vocabulary.weights
        weight = weights[meant[0][0]] if meant else self.vocabulary.unknown
        if not word or brand:
            weight, meant = 0.0, ()
        self._tokens_meant[number, : len(meant)] = [one for one, _ in meant]
        self._tokens_sure[number, : len(meant)] = [sure for _, sure in meant]
        self._tokens_weight[number] = weight
        self._tokens_latin[number] = weight if word and self.vocabulary.is_mark(word) else 0.0
        self._tokens_number[number] = word[:1].isdecimal()
        self._tokens_unknown[number] = 0.0 if meant else weight
        self._tokens_brand[number] = brand
        self._post(meant, weight)
        self._tokens_texts[number] = len(self._token_texts[number])
        return number

    def _grow(self) -> None:
        self._tokens_meant = _twice(self._tokens_meant, self._none)
        self._tokens_sure = _twice(self._tokens_sure)
        self._tokens_weight = _twice(self._tokens_weight)
        self._tokens_latin = _twice(self._tokens_latin)
        self._tokens_number = _twice(self._tokens_number)
        self._tokens_unknown = _twice(self._tokens_unknown)
        self._tokens_brand = _twice(self._tokens_brand)
        self._tokens_texts = _twice(self._tokens_texts)

    def _post(self, meant: Sequence[tuple[int, float]], weight: float) -> None:
        """Texts with a word this token may mean, and what the best of them adds."""
        if not meant:
            self._token_texts.append(np.empty(0, np.int32))
            self._token_scores.append(np.empty(0, np.float32))
            return
        lists = [self._postings[number] for number, _ in meant]
        texts = np.concatenate(lists)
        scores = np.repeat(
            np.array([sure * weight for _, sure in meant], np.float32), [len(x) for x in lists]
        )
        if len(meant) > 1:
            texts, place = np.unique(texts, return_index=True)  # the surest comes first
            scores = scores[place]
        self._token_texts.append(texts)
        self._token_scores.append(scores)

    # -- candidates ---------------------------------------------------------------------------

    def _candidates(self, words: Ints) -> Ints:
        """The best texts of each line (lines x candidates); the last text's number + 1 is none."""
        if self._texts == 0:
            return np.zeros((len(words), 1), np.int64)
        if self._many:
            return np.stack([self._of_many(line) for line in words])
        flat = words.ravel().tolist()
        lengths = self._tokens_texts[words]
        lines = np.repeat(np.arange(len(words)) * self._texts, lengths.sum(axis=1))
        cells = lines + np.concatenate([self._token_texts[token] for token in flat])
        scores = np.concatenate([self._token_scores[token] for token in flat])
        table = np.bincount(cells, scores, len(words) * self._texts).astype(np.float32)
        table = table.reshape(len(words), self._texts)
        table /= self._text_root[:-1]
        return best_cells(table, min(CANDIDATES, self._texts))

    def _of_many(self, words: Ints) -> Ints:
        """The same for one line of a large catalogue: rare words first, within a budget."""
        tokens = sorted(
            (int(token) for token in words if len(self._token_texts[token])),
            key=lambda token: len(self._token_texts[token]),
        )
        left = POSTING_BUDGET
        taken: list[npt.NDArray[np.int32]] = []
        scratch = self._scratch
        for token in tokens:
            texts = self._token_texts[token]
            if taken and len(texts) > left:
                break
            texts = texts[:left]
            left -= len(texts)
            scratch[texts] += self._token_scores[token][: len(texts)]
            taken.append(texts)
        found = np.full(CANDIDATES_OF_MANY, self._texts, np.int64)
        if taken:
            texts = np.concatenate(taken)
            scores = scratch[texts] / self._text_root[texts]
            scratch[texts] = 0.0
            # Each text stands there once a word: the best of them hold the best texts.
            most = min(CANDIDATES_OF_MANY * len(taken), len(texts))
            best = np.argpartition(scores, len(texts) - most)[len(texts) - most :]
            best = best[np.argsort(-scores[best])]
            unique = list(dict.fromkeys(texts[best].tolist()))[:CANDIDATES_OF_MANY]
            found[: len(unique)] = unique
        return found

    # -- word by word -------------------------------------------------------------------------

    def _align(self, words: Ints, texts: Ints) -> tuple[Floats, Floats]:
        """How surely the line says each word of each text, and the text explains each of the line.

        Shapes: lines x candidates x words of the text, lines x candidates x words of the line.
        """
        count, longest = words.shape
        meant = self._tokens_meant[words]
        sure = self._tokens_sure[words]
        said = np.zeros((count, self._none + 1), np.float32)
        by = np.zeros((count, self._none + 1), np.int8)
        for place in range(int((sure > 0).any(axis=(0, 1)).sum())):
            line, token = np.nonzero(sure[:, :, place])
            number, how = meant[line, token, place], sure[line, token, place]
            better = how > said[line, number]
            line, number = line[better], number[better]
            said[line, number] = how[better]
            by[line, number] = token[better]
        width = int(self._text_length[texts].max(initial=1))
        numbers = self._text_words[:, :width][texts]
        rows = np.arange(count)[:, None, None]
        matched = said[rows, numbers]
        explained = np.zeros((*texts.shape, longest), np.float32)
        flat = explained.reshape(-1)
        cells = (
            by[rows, numbers] + (np.arange(texts.size) * longest).reshape(texts.shape)[..., None]
        )
        for place in range(width):
            cell, how = cells[:, :, place], matched[:, :, place]
            flat[cell] = np.maximum(flat[cell], how)
        return matched, explained

    def _text_features(
        self, words: Ints, texts: Ints, matched: Floats, explained: Floats
    ) -> tuple[Floats, Floats]:
        """FEATURES up to the numbers (lines x candidates x features); what explains word one."""
        width = matched.shape[2]
        weights = self._text_weights[:, :width][texts]
        said = self._tokens_weight[words][:, None, :]
        heaviest = max(self.vocabulary.unknown, 1e-6)
        text_sum = self._text_sum[texts] + 1e-6
        line_sum = said.sum(axis=2) + 1e-6
        covered = weights * matched
        share_said = (said * explained).sum(axis=2) / line_sum
        worst_said = (said * (1 - explained)).max(axis=2) / heaviest
        worst_meant = (weights - covered).max(axis=2) / heaviest
        latin = self._text_latin[:, :width][texts]
        latin_sum = self._text_latin_sum[texts]
        latin_meant = np.where(
            latin_sum > 0, (latin * matched).sum(axis=2) / np.maximum(latin_sum, 1e-6), 1.0
        )
        line_latin = self._tokens_latin[words][:, None, :]
        line_latin_sum = line_latin.sum(axis=2)
        latin_said = np.where(
            line_latin_sum > 0,
            (line_latin * explained).sum(axis=2) / np.maximum(line_latin_sum, 1e-6),
            1.0,
        )
        numbers = self._text_numbers[:, :width][texts] & (matched < 1)
        missing = numbers.any(axis=2)
        foreign = (self._tokens_number[words][:, None, :] & (explained < 1)).any(axis=2)
        norm = self._text_norm[texts] * np.sqrt((said**2).sum(axis=2)) + 1e-6
        head = np.take_along_axis(matched, self._text_head[texts][..., None], axis=2)[..., 0]
        out = np.stack(
            [
                share_said,
                covered.sum(axis=2) / text_sum,
                (weights * (matched >= 1)).sum(axis=2) / text_sum,
                np.minimum((weights * covered).sum(axis=2) / norm, 1.0),
                worst_said,
                worst_meant,
                np.minimum(worst_said, worst_meant),
                latin_meant,
                latin_said,
                (1 - latin_meant) * (1 - latin_said),
                head,
                missing,
                missing & foreign,
            ],
            axis=2,
        ).astype(np.float32)
        return out, explained[:, :, 0]

    # -- forms and their measures -------------------------------------------------------------

    def _expand(self, texts: Ints) -> tuple[Ints, Ints, Ints]:
        """Each candidate text's forms: the line, the candidate's place and the form of each row."""
        counts = np.append(self._form_count[: self._texts], 0)[texts]
        counts = np.minimum(counts, FORMS_A_LINE)
        flat = counts.ravel()
        row = np.repeat(np.arange(flat.size), flat)
        inside = np.arange(row.size) - np.repeat(np.cumsum(flat) - flat, flat)
        starts = np.append(self._form_start[: self._texts], 0)[texts].ravel()
        return row // texts.shape[1], row % texts.shape[1], starts[row] + inside

    def _measure(
        self, lines: Sequence[Seen], row_line: Ints, forms: Ints, features: Floats
    ) -> None:
        """Fill in what sizes and counts say."""
        flat: list[int] = []
        for line in lines:
            if line.amounts:
                known = sorted(line.amounts)
                flat += (known[0], known[1] if len(known) > 1 else -2, -2, -2)
            else:
                flat += (-2, -2, *sorted(cut_size(line.words)), -2, -2)[:4]
        sizes = np.array(flat, np.int64).reshape(len(lines), 4)
        pieces = np.array([line.pieces or 0 for line in lines], np.int64)
        sets = np.array([not SET_WORDS.isdisjoint(line.words) for line in lines], bool)
        mine = sizes[row_line]
        theirs = self._form_sizes[forms]
        same = (mine[:, :, None] == theirs[:, None, :]).any(axis=2)
        agrees, cut_agrees = same[:, :2].any(axis=1), same[:, 2:].any(axis=1)
        both = (mine[:, 0] >= 0) & (theirs[:, 0] >= 0)
        said, count = pieces[row_line], self._form_pieces[forms]
        at = FEATURES.index("size_agrees")
        features[:, at:] = np.stack(
            [
                agrees,
                cut_agrees,
                both & ~agrees,
                (mine[:, 0] < 0) & ~cut_agrees & (theirs[:, 0] >= 0),
                (said > 1) & (said == count),
                (said > 0) & (said != count),
                (said == 0) & (count > 1) & ~sets[row_line],
                self._text_length[self._form_text[forms]] <= 2,
            ],
            axis=1,
        )


def best_cells(table: Floats, most: int) -> Ints:
    """Places of so many best cells of each row that are not 0; the row's width where there is none.

    Of cells equal to the last that is good enough the first ones; asking for the last good value
    first is several times as fast as asking for the places of the best.
    """
    width = table.shape[1]
    enough = np.partition(table, width - most, axis=1)[:, width - most, None]
    good = (table >= enough) & (table > 0)
    crowded = np.nonzero(good.sum(axis=1) > most)[0]
    for row in crowded:
        level = np.nonzero(table[row] == enough[row])[0]
        above = np.count_nonzero(table[row] > enough[row])
        good[row, level[most - above :]] = False
    rows, places = np.nonzero(good)
    found = np.full((len(table), most), width, np.int64)
    starts = np.searchsorted(rows, np.arange(len(table)))
    found[rows, np.arange(len(rows)) - starts[rows]] = places
    return found


def _twice(one: npt.NDArray[Scalar], fill: int = 0) -> npt.NDArray[Scalar]:
    return np.concatenate([one, np.full_like(one, fill)])
