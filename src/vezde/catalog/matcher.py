"""Which product a receipt line is: certain, doubtful, or not ours.

In order: a barcode; an alias learned for this seller; the exact name or alias of a product; the
brand in the name (or the brand itself as supplier) and likeness of the rest. Certain means points
at once, doubtful means a person looks; whoever is not sure says doubtful.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vezde.catalog import gtin, names
from vezde.catalog.assortment import Assortment, Fit, Form, Seen

# Measured on a household brand of 496 products: its 183 marketplace names; the same names with
# their product taken out of the catalogue, so that any certain answer is wrong; 1,443 foreign
# names, plain and with the brand put before them. Certain right / wrong, wrong without the
# product, foreign: from 0.65 94 / 5, 7, 0; from 0.7 93 / 5, 7, 0; from 0.75 82 / 5, 6, 0; four of
# the 5 are names whose text says the other product. With a margin of 0.05 2 more wrong, 5 more
# without the product.
CERTAIN = 0.7
MARGIN = 0.1
# Without the brand in the line likeness is only a hint: at 0.6 it sends 8 of 1,443 foreign names
# to a person, at 0.5 three times as many.
DOUBTFUL = 0.6
# An exact product name that lacks the brand must say at least so many things, the size among
# them: «крем для рук 75 мл» says three and may be anybody's.
THINGS_IN_A_NAME = 4
CACHED_LINES = 50_000

SET_WORDS = frozenset({"набор", "наборы", "комплект", "set"})
# Words whose absence tells nothing.
FILLERS = frozenset({"для", "без", "при", "под", "над", "или", "the", "and", "for", "цвет", "тон"})


@dataclass(frozen=True, slots=True)
class Item:
    """A receipt line: `gtin` from a marking code; `own_supplier` when the brand supplied it."""

    name: str | None
    gtin: str | None = None
    seller_inn: str | None = None
    own_supplier: bool = False


@dataclass(frozen=True, slots=True)
class Match:
    """`sku`: certain; only `candidate_sku`: doubtful; neither: not ours. `score` is 0..1.

    Methods: gtin, alias, name, ngram (brand and likeness), supplier (likeness of what the brand
    supplied). An alias with neither SKU is a name decided to be not ours.
    """

    sku: str | None = None
    candidate_sku: str | None = None
    method: str | None = None
    score: float = 0.0


NOT_OURS = Match()


@dataclass(frozen=True, slots=True)
class Likeness:
    """A product's best form for a line."""

    form: Form
    cosine: float
    fit: Fit


class Matcher:
    """Matches lines against one revision of the catalogue and its learned aliases.

    `aliases` maps (seller INN or "", key of the name) to a sku, or to None for «surely not ours».
    """

    def __init__(
        self, assortment: Assortment, aliases: Mapping[tuple[str, str], str | None]
    ) -> None:
        self._assortment = assortment
        self._aliases = aliases
        self._seen: dict[Item, Match] = {}

    def match(self, items: Sequence[Item]) -> list[Match]:
        """One answer an item, in the same order; a line seen before is answered from memory."""
        seen = self._seen
        answers = []
        for item in items:
            answer = seen.get(item)
            if answer is None:
                answer = self._match(item)
                if len(seen) >= CACHED_LINES:
                    del seen[next(iter(seen))]
                seen[item] = answer
            answers.append(answer)
        return answers

    def _match(self, item: Item) -> Match:
        shelf = self._assortment
        marked = gtin.read(item.gtin)
        codes = [marked] if marked else []
        codes += gtin.in_text(item.name or "")
        for code in codes:
            if code in shelf.by_gtin:
                return Match(sku=shelf.by_gtin[code], method="gtin", score=1.0)
        if not item.name:
            return NOT_OURS
        name = names.read(item.name)
        learned = self._learned(item.seller_inn, name.key)
        if learned is not None:
            return learned
        seen = shelf.see(name)
        found = self._by_name(seen, item) or self._by_likeness(seen, item)
        if found.sku and marked and shelf.gtins.get(found.sku, marked) != marked:
            # The name says one product, the code on the pack another that we do not know.
            return Match(candidate_sku=found.sku, method=found.method, score=found.score)
        return found

    def _learned(self, seller_inn: str | None, key: str) -> Match | None:
        where = (seller_inn or "", key)
        if where not in self._aliases:
            return None
        sku = self._aliases[where]
        # An alias of an archived product: known, and no longer rewarded.
        return Match(sku=sku if sku in self._assortment.skus else None, method="alias", score=1.0)

    def _by_name(self, seen: Seen, item: Item) -> Match | None:
        by_words = self._assortment.by_words
        fits = _fits(seen, by_words.get(seen.words, ()))
        if not fits and _cut_size(seen.words):
            shorter = _fits(seen, by_words.get(seen.words[:-1], ()))
            fits = [(how, form) for how, form in shorter if how is Fit.AGREES]
        best = max((how for how, _ in fits), default=Fit.DIFFERS)
        if best is Fit.DIFFERS:
            return None
        fitting = [form for how, form in fits if how is best]
        skus = sorted({form.sku for form in fitting})
        said = sum(map(_is_telling, seen.words)) + bool(seen.amounts)
        # Written with the brand it is not the same without it: «Лунария крем» and «крем».
        whole = any(
            not form.is_branded and (form.is_alias or said >= THINGS_IN_A_NAME) for form in fitting
        )
        if len(skus) == 1 and (seen.brands or item.own_supplier or whole):
            return Match(sku=skus[0], method="name", score=1.0)
        return Match(candidate_sku=skus[0], method="name", score=1.0 / len(skus))

    def _by_likeness(self, seen: Seen, item: Item) -> Match:
        ours = bool(seen.brands) or item.own_supplier
        method = "ngram" if seen.brands or not item.own_supplier else "supplier"
        ranked = self._ranked(seen)
        if not ranked:
            # Ours by the brand alone: some product must stand there for a person to look.
            some = self._assortment.first_of(seen.brands) if ours else None
            return Match(candidate_sku=some, method=method) if some else NOT_OURS
        best = ranked[0]
        score = round(best.cosine, 4)
        if ours and self._is_certain(seen, ranked):
            return Match(sku=best.form.sku, method=method, score=score)
        if ours or best.cosine >= DOUBTFUL:
            return Match(candidate_sku=best.form.sku, method=method, score=score)
        return NOT_OURS

    def _ranked(self, seen: Seen) -> list[Likeness]:
        """Products by their best form: those whose measures contradict the line come last."""
        best: dict[str, Likeness] = {}
        for form, cosine in self._assortment.alike(seen.words):
            if form.sku not in best and _of_brand(seen, form):
                best[form.sku] = Likeness(form, cosine, fit(seen, form))
        return sorted(
            best.values(),
            key=lambda like: (like.fit is Fit.DIFFERS, -round(like.cosine, 6), -like.fit),
        )

    def _is_certain(self, seen: Seen, ranked: Sequence[Likeness]) -> bool:
        best = ranked[0]
        # A pack of two does not rival the single one when the line prints no count.
        least = min(best.fit, Fit.SILENT)
        rivals = [like.cosine for like in ranked[1:] if like.fit >= least]
        if best.fit is Fit.DIFFERS or best.cosine < CERTAIN:
            return False
        if rivals and best.cosine - rivals[0] < MARGIN:
            return False
        foreign = _left_over(seen.words, best.form.words)
        missing = _left_over(best.form.words, seen.words)
        if best.fit is Fit.UNKNOWN:
            # The size is not printed: nothing else may be missing.
            return not foreign and not missing
        # Words on both sides without a like: «для сухих волос» is not «для жирных волос».
        return not (foreign and missing)


def fit(seen: Seen, form: Form) -> Fit:
    """Whether the line's numbers, size and count are the product's."""
    if seen.numbers and form.numbers and not seen.numbers & form.numbers:
        return Fit.DIFFERS
    if seen.pieces and (form.pieces or 1) != seen.pieces:
        return Fit.DIFFERS
    if not seen.pieces and (form.pieces or 1) > 1 and SET_WORDS.isdisjoint(seen.words):
        return Fit.UNKNOWN
    if seen.amounts and form.amounts:
        return Fit.AGREES if seen.amounts & form.amounts else Fit.DIFFERS
    if not form.amounts:
        return Fit.SILENT
    return Fit.AGREES if _cut_size(seen.words) & form.amounts else Fit.UNKNOWN


def _fits(seen: Seen, forms: Sequence[Form]) -> list[tuple[Fit, Form]]:
    return [(fit(seen, form), form) for form in forms if _of_brand(seen, form)]


def _of_brand(seen: Seen, form: Form) -> bool:
    """One brand's name in a line excludes the products of the catalogue's other brands."""
    return not seen.brands or form.brand in seen.brands


def _cut_size(words: Sequence[str]) -> set[int]:
    """A size at the end of a line whose unit was cut off, as ml and l: «крем 75», «шампунь 0.5».

    Small whole numbers are left alone: they are shades and «3 в 1».
    """
    last = words[-1] if words else ""
    if not last[:1].isdecimal() or ":" in last or ("." not in last and int(last) < 5):
        return set()
    return {round(float(last) * scale) for scale in (1_000, 1_000_000)}


def _left_over(words: Sequence[str], others: Sequence[str]) -> list[str]:
    """Telling words that have no like among the others."""
    return [
        word
        for word in words
        if _is_telling(word) and not any(_alike(word, other) for other in others)
    ]


def _is_telling(word: str) -> bool:
    return len(word) >= 3 and word[0].isalpha() and word not in FILLERS


def _alike(word: str, other: str) -> bool:
    """One word cut or inflected: a common beginning of four letters, endings of at most three."""
    if word == other:
        return True
    shorter = min(len(word), len(other))
    common = 0
    while common < shorter and word[common] == other[common]:
        common += 1
    return common >= 3 and (common == shorter or (common >= 4 and shorter - common <= 3))
