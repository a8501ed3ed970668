"""Which product a receipt line is, and which product line: certain, doubtful, or not ours.

In order: a barcode; what a person decided for this seller's wording; an exact name; then the words
compared one by one (`ranking`), judged (`judging`). Two answers, each with its own score: the
product line (what differs in size and colour alone) and the SKU. Certain means points at once,
doubtful means a person looks; whoever is not sure says doubtful.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from vezde.catalog import gtin, judging, lines, names
from vezde.catalog.assortment import Assortment
from vezde.catalog.forms import Fit, Form, Seen, cut_size, fit, of_brand
from vezde.catalog.judging import Judged
from vezde.catalog.ranking import FEATURES, Ranked

# From this on (score of the line) a line without the brand goes to a person; below it is not ours:
# of 1,443 foreign names and product nouns 16 reach 0.8, 52 reach 0.5.
DOUBTFUL = 0.85
# An exact product name that lacks the brand must say at least so many things, the size among
# them: «крем для рук 75 мл» says three and may be anybody's.
THINGS_IN_A_NAME = 4
# A line without the brand says so much, too, its size among it. A till that prints no size has to
# say more: on invented catalogues six words without a size were wrong no oftener than four things
# with one (1 of 102 to 21 of 1,144), four and five were (6 of 176).
WORDS_WITHOUT_SIZE = 6
# … and so much of the product's name, by weight: a rival's product is ours without the series. Of
# invented lines that were certain and said less 27 of 219 were wrong, of all one in 56.
MEANT_WITHOUT_BRAND = 0.65
CACHED_LINES = 50_000
GUESSES = 3

# Words whose absence tells nothing.
FILLERS = frozenset({"для", "без", "при", "под", "над", "или", "the", "and", "for", "цвет", "тон"})
# What is sold for a product, instead of it, or as a taste of it bears its name and is not it.
BESIDE = (
    "аналог", "вместо", "держател", "диспенсер", "дозатор", "замен", "запасн", "запчаст",
    "копия", "крышка", "наклейка", "насадка", "подставка", "подходит", "пробник", "реплика",
    "подарочн", "сменн", "совместим", "тестер", "футляр", "чехол",
)  # fmt: skip
# A line that begins so names what it is for: «для антисептика», its first word lost.
BESIDE_FIRST = frozenset({"для", "к", "под"})
SHORTEST_BESIDE = 4

# A till's price a piece that is the catalogue's, with what promotions and mark-ups do to it; and
# from where on another size's price is surely another.
SAME_PRICE = (0.65, 1.4)
OTHER_PRICE = (0.5, 1.8)

# How far behind the best name that of another line must be, in the ranker's measure: as near as
# this either may be meant (of invented lines that were certain with less, 17 of 65 were wrong); and
# as near as that a set's name without its count may be the name of the one thing that stands there
# too.
TIED = 2.0
TIED_WITH_A_SET = 4.0

MEANT = FEATURES.index("meant")
HEAD = FEATURES.index("head")
NUMBER_CLASH = FEATURES.index("number_clash")
SIZE_CUT = FEATURES.index("size_cut")
SIZE_UNSAID = FEATURES.index("size_unknown")
PIECES_UNSAID = FEATURES.index("pieces_unsaid")
SIZE_WRONG = [FEATURES.index(one) for one in ("size_differs", "pieces_differ", "pieces_unsaid")]


@dataclass(frozen=True, slots=True)
class Item:
    """A receipt line: `gtin` from a marking code; `own_supplier` when the brand supplied it.

    `unit_kopecks` is the price of one piece as paid.
    """

    name: str | None
    gtin: str | None = None
    seller_inn: str | None = None
    own_supplier: bool = False
    unit_kopecks: int | None = None


@dataclass(frozen=True, slots=True)
class Guess:
    """A product a line may be: `score` is 0..1, of the guesses of one line the best comes first."""

    sku: str
    score: float


@dataclass(frozen=True, slots=True)
class Match:
    """`sku`: certain; only `line_skus`: the product line is certain, the SKU one of these;
    neither, but `candidate_sku`: doubtful; nothing: not ours.

    `score` is of the SKU while `line_score` is of the line, 0..1. `guesses` are the best three
    where the SKU is not certain, `candidate_sku` the first of them. `units` is how many pieces
    one pack of the SKU holds.

    Methods: gtin, alias, name, words (brand and words), supplier (words of what the brand
    supplied), price (the line by its words, the size by its price). An alias with neither SKU is
    a name decided to be not ours.
    """

    sku: str | None = None
    candidate_sku: str | None = None
    method: str | None = None
    score: float = 0.0
    line_skus: tuple[str, ...] = ()
    line_score: float = 0.0
    guesses: tuple[Guess, ...] = ()
    units: int = 1


NOT_OURS = Match()


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Scores from which a line and a SKU are certain."""

    line: float
    sku: float


class Matcher:
    """Matches lines against one revision of the catalogue and its learned aliases.

    `aliases` maps (seller INN or "", key of the name) to a sku, or to None for «surely not ours»;
    `thresholds` are by brand as the catalogue spells it, where a brand has its own.
    """

    def __init__(
        self,
        assortment: Assortment,
        aliases: Mapping[tuple[str, str], str | None],
        thresholds: Mapping[str, Thresholds] | None = None,
    ) -> None:
        self._assortment = assortment
        self._aliases = aliases
        self._anywhere = _agreed(aliases)
        self._weights = judging.weights()
        self._default = Thresholds(self._weights.line, self._weights.sku)
        self._thresholds = {
            assortment.brands.one(brand): one for brand, one in (thresholds or {}).items()
        }
        self._seen: dict[tuple[str | None, str | None, str | None, bool], Match] = {}

    def match(self, items: Sequence[Item]) -> list[Match]:
        """One answer an item, in the same order; a line seen before is answered from memory."""
        seen = self._seen
        keys = [(item.name, item.gtin, item.seller_inn, item.own_supplier) for item in items]
        news: dict[tuple[str | None, str | None, str | None, bool], Item] = {
            key: item for key, item in zip(keys, items, strict=True) if key not in seen
        }
        fresh = dict(zip(news, self._match(list(news.values())), strict=True)) if news else {}
        answers = [fresh[key] if key in fresh else seen[key] for key in keys]
        for key, answer in fresh.items():
            if len(seen) >= CACHED_LINES:
                del seen[next(iter(seen))]
            seen[key] = answer
        return [
            self._by_price(answer, item.unit_kopecks) if item.unit_kopecks else answer
            for answer, item in zip(answers, items, strict=True)
        ]

    @property
    def default(self) -> Thresholds:
        """What a brand without thresholds of its own has."""
        return self._default

    def same_line(self, one: str, other: str) -> bool:
        """Whether both SKUs are of one product line."""
        line_of = self._assortment.line_of
        return one in line_of and line_of[one] == line_of.get(other)

    def guesses(self, names_printed: Sequence[str]) -> list[tuple[Guess, ...]]:
        """The three products most like each name, whether or not the line is ours at all."""
        seen = [self._assortment.see(names.read(one)) for one in names_printed]
        step = self._assortment.index.chunk_lines()
        found: list[tuple[Guess, ...]] = []
        for start in range(0, len(seen), step):
            part = seen[start : start + step]
            ranked, judged = self._judge(part, [False] * len(part))
            found += [
                () if one.row is None else self._guesses(ranked, one, line)
                for one, line in zip(judged, part, strict=True)
            ]
        return found

    def _match(self, items: Sequence[Item]) -> list[Match]:
        answers: list[Match] = []
        unknown: list[tuple[int, Item, Seen]] = []
        for place, item in enumerate(items):
            found = self._at_once(item)
            if isinstance(found, Match):
                answers.append(found)
            else:
                answers.append(NOT_OURS)
                unknown.append((place, item, found))
        step = self._assortment.index.chunk_lines()
        for start in range(0, len(unknown), step):
            chunk = unknown[start : start + step]
            for (place, item, _), answer in zip(chunk, self._by_words(chunk), strict=True):
                answers[place] = self._checked(answer, item)
        return answers

    def _at_once(self, item: Item) -> Match | Seen:
        """The answer by code, alias or exact name, else the line as it is to be compared."""
        shelf = self._assortment
        marked = gtin.read(item.gtin)
        codes = [marked] if marked else []
        codes += gtin.in_text(item.name or "")
        for code in codes:
            if code in shelf.by_gtin:
                return self._certain(shelf.by_gtin[code], "gtin")
        if not item.name:
            return NOT_OURS
        name = names.read(item.name)
        learned = self._learned(item.seller_inn, name.key)
        if learned is not None:
            return learned
        seen = shelf.see(name)
        elsewhere = self._anywhere.get(name.key)
        if elsewhere in shelf.skus and (seen.brands or _things(seen) >= THINGS_IN_A_NAME):
            return self._checked(self._certain(str(elsewhere), "name"), item)
        exact = self._by_name(seen, item)
        return self._checked(exact, item) if exact else seen

    def _checked(self, found: Match, item: Item) -> Match:
        """A name says one product, the code on the pack another that we do not know: doubt."""
        marked = gtin.read(item.gtin)
        gtins = self._assortment.gtins
        if not marked or not (found.sku or found.line_skus):
            return found
        if found.sku and gtins.get(found.sku, marked) == marked:
            return found
        if not found.sku and any(gtins.get(sku, marked) == marked for sku in found.line_skus):
            return found
        first = found.sku or found.candidate_sku
        guesses = found.guesses or (Guess(str(first), found.score),)
        return replace(found, sku=None, candidate_sku=first, line_skus=(), guesses=guesses)

    def _certain(self, sku: str, method: str, score: float = 1.0, line: float = 1.0) -> Match:
        shelf = self._assortment
        return Match(
            sku=sku,
            method=method,
            score=score,
            line_skus=shelf.lines[shelf.line_of[sku]],
            line_score=line,
            units=shelf.units[sku],
        )

    def _learned(self, seller_inn: str | None, key: str) -> Match | None:
        where = (seller_inn or "", key)
        if where not in self._aliases:
            return None
        sku = self._aliases[where]
        if sku in self._assortment.skus:
            return self._certain(str(sku), "alias")
        # An alias of an archived product: known, and no longer rewarded.
        return Match(method="alias", score=1.0)

    def _by_name(self, seen: Seen, item: Item) -> Match | None:
        by_words = self._assortment.by_words
        fits = _fits(seen, by_words.get(seen.words, ()))
        if not fits and cut_size(seen.words):
            shorter = _fits(seen, by_words.get(seen.words[:-1], ()))
            fits = [(how, form) for how, form in shorter if how is Fit.AGREES]
        best = max((how for how, _ in fits), default=Fit.DIFFERS)
        if best is Fit.DIFFERS:
            return None
        fitting = [form for how, form in fits if how is best]
        cut = best is Fit.UNKNOWN and all(form.is_sized for form in fitting)
        if cut and (all((form.pieces or 1) > 1 for form in fitting) or self._is_shared(seen)):
            # Without its size or count it may be the beginning of another name: words tell.
            return None
        if best is Fit.AGREES and not seen.amounts:
            sizes = self._assortment.sizes
            if any(_cut_short(seen, sizes[form.line]) for form in fitting):
                return None
        skus = sorted({form.sku for form in fitting})
        line = fitting[0].line
        # Written with the brand it is not the same without it: «Лунария крем» and «крем».
        whole = any(
            not form.is_branded and (form.is_alias or _things(seen) >= THINGS_IN_A_NAME)
            for form in fitting
        )
        sure = bool(seen.brands) or item.own_supplier or whole
        if len(skus) == 1 and sure and not (cut and len(self._assortment.sizes[line]) > 1):
            return self._certain(skus[0], "name")
        guesses = tuple(Guess(sku, round(1 / len(skus), 3)) for sku in skus[:GUESSES])
        one_line = len({form.line for form in fitting}) == 1
        return Match(
            candidate_sku=skus[0],
            method="name",
            score=1 / len(skus),
            line_skus=self._assortment.lines[line] if sure and one_line else (),
            line_score=1.0 if one_line else 1 / len(skus),
            guesses=guesses,
        )

    def _by_words(self, chunk: Sequence[tuple[int, Item, Seen]]) -> list[Match]:
        lines = [seen for _, _, seen in chunk]
        ours = [item.own_supplier for _, item, _ in chunk]
        ranked, judged = self._judge(lines, ours)
        return [
            self._answer(ranked, one, seen, own=own)
            for one, seen, own in zip(judged, lines, ours, strict=True)
        ]

    def _judge(self, lines: Sequence[Seen], ours: Sequence[bool]) -> tuple[Ranked, list[Judged]]:
        return judging.judge(self._assortment.index, lines, ours=ours, by=self._weights)

    def _answer(self, ranked: Ranked, judged: Judged, seen: Seen, *, own: bool) -> Match:
        ours = bool(seen.brands) or own
        method = "words" if seen.brands or not own else "supplier"
        if judged.row is None:
            # Ours by the brand alone: some product must stand there for a person to look.
            some = self._assortment.first_of(seen.brands) if ours else None
            return Match(candidate_sku=some, method=method) if some else NOT_OURS
        if not ours and judged.line < DOUBTFUL:
            return NOT_OURS
        form = self._assortment.index.forms[ranked.forms[judged.row]]
        sure = self._thresholds.get(form.brand, self._default)
        features = judged.features
        line, sku = round(judged.line, 4), round(judged.sku, 4)
        may = (
            (line >= sure.line or sku >= sure.sku)
            and of_brand(seen, form)
            and (ours or features[MEANT] >= MEANT_WITHOUT_BRAND)
            and (ours or _tells(seen, begun=bool(features[HEAD] and ranked.first[judged.row])))
            and not _beside(seen, form)
            and not features[NUMBER_CLASH]
            and self._stands_alone(ranked, judged, form)
        )
        if may and sku >= sure.sku and self._is_sized(features, seen, form):
            return self._certain(form.sku, method, sku, max(line, sku))
        certain = self._assortment.lines[form.line] if may and line >= sure.line else ()
        if len(certain) == 1 and not any(features[one] for one in SIZE_WRONG):
            return self._certain(form.sku, method, line, line)
        guesses = self._guesses(ranked, judged, seen)
        return Match(
            candidate_sku=guesses[0].sku,
            method=method,
            score=sku,
            line_skus=certain,
            line_score=line,
            guesses=guesses,
        )

    def _is_shared(self, seen: Seen) -> bool:
        """Whether products of several lines are called this but for how they are packed."""
        return len(self._assortment.lines_by_essence.get(lines.essence(seen.words), ())) > 1

    def _stands_alone(self, ranked: Ranked, judged: Judged, form: Form) -> bool:
        """Whether no product of another line may have been meant as well."""
        forms = self._assortment.index.forms
        unsaid = judged.features[PIECES_UNSAID] > 0
        for row, behind in zip(judged.rows.tolist(), judged.behind.tolist(), strict=True):
            if behind >= (TIED_WITH_A_SET if unsaid else TIED):
                break
            other = forms[ranked.forms[row]]
            single = unsaid and (other.pieces or 1) == 1
            if other.line != form.line and (behind < TIED or single):
                return False
        return True

    def _is_sized(self, features: Sequence[float], seen: Seen, form: Form) -> bool:
        """Whether the line prints the product's size and count, and no other's of the line.

        A size that all shades share need not be printed.
        """
        sizes = self._assortment.sizes[form.line]
        if any(features[one] for one in SIZE_WRONG) or (features[SIZE_UNSAID] and len(sizes) > 1):
            return False
        return not features[SIZE_CUT] or not _cut_short(seen, sizes)

    def _guesses(self, ranked: Ranked, judged: Judged, seen: Seen) -> tuple[Guess, ...]:
        """The three best products; scores fall by half, the first has the judge's."""
        forms = self._assortment.index.forms
        found: dict[str, None] = {}
        for row in judged.rows.tolist():
            form = forms[ranked.forms[row]]
            if of_brand(seen, form):
                found[form.sku] = None
            if len(found) == GUESSES:
                break
        skus = list(found) or [forms[ranked.forms[judged.row]].sku]
        return tuple(Guess(sku, round(judged.sku / 2**place, 4)) for place, sku in enumerate(skus))

    def _by_price(self, found: Match, unit_kopecks: int) -> Match:
        """The one size of a certain line whose price is this, when no other's is near."""
        if found.sku or len(found.line_skus) < 2:
            return found
        prices = self._assortment.prices
        near, apart = [], True
        for sku in found.line_skus:
            if sku not in prices:
                return found
            ratio = unit_kopecks / prices[sku]
            if SAME_PRICE[0] <= ratio <= SAME_PRICE[1]:
                near.append(sku)
            elif OTHER_PRICE[0] < ratio < OTHER_PRICE[1]:
                apart = False
        if len(near) != 1 or not apart:
            return found
        return self._certain(near[0], "price", found.line_score, found.line_score)


def _agreed(aliases: Mapping[tuple[str, str], str | None]) -> dict[str, str]:
    """Names that every seller they were decided for prints for one product."""
    meant: dict[str, set[str | None]] = {}
    for (_, key), sku in aliases.items():
        meant.setdefault(key, set()).add(sku)
    return {
        key: sku for key, skus in meant.items() if len(skus) == 1 and (sku := min(skus, key=str))
    }


def _fits(seen: Seen, forms: Sequence[Form]) -> list[tuple[Fit, Form]]:
    return [(fit(seen, form), form) for form in forms if of_brand(seen, form)]


def _things(seen: Seen) -> int:
    """How many things a name says: telling words, and the size."""
    return sum(map(_is_telling, seen.words)) + bool(seen.amounts)


def _is_telling(word: str) -> bool:
    return len(word) >= 3 and word[0].isalpha() and word not in FILLERS


def _tells(seen: Seen, *, begun: bool) -> bool:
    """Without the brand a name must say a lot, its size too.

    Without a size it must say more, and begin as the product's name does (`begun`): a line that
    begins otherwise is of something else, or its beginning is lost.
    """
    if seen.amounts:
        return _things(seen) >= THINGS_IN_A_NAME
    return begun and _things(seen) >= WORDS_WITHOUT_SIZE


def _beside(seen: Seen, form: Form) -> bool:
    """Whether a word of the line says it is for the product or instead of it."""
    if seen.words[0] in BESIDE_FIRST and form.words[0] != seen.words[0]:
        return True
    return any(_is_beside(word) and word not in form.words for word in seen.words)


@lru_cache(maxsize=50_000)
def _is_beside(word: str) -> bool:
    return word.startswith(BESIDE) or (
        len(word) >= SHORTEST_BESIDE and any(one.startswith(word) for one in BESIDE)
    )


def _cut_short(seen: Seen, sizes: Iterable[int]) -> bool:
    """Whether the number at the end may begin several sizes: «5» of 5 l and of 500 ml."""
    last = seen.words[-1]
    if len(last) == 1:
        return True
    begun = {
        size
        for size in sizes
        for scale in (1_000, 1_000_000)
        if f"{size / scale:g}".startswith(last)
    }
    return len(begun) > 1
