import pytest
from hypothesis import given
from hypothesis import strategies as st

from vezde.catalog.vocabulary import EXACT, INFLECTED, Vocabulary

WORDS = [
    "крем",
    "шампунь",
    "питательный",
    "увлажняющий",
    "цитрус",
    "морошка",
    "plus",
    "волос",
    "для",
    "рук",
    "жирных",
]


@pytest.fixture(scope="module")
def vocabulary():
    return Vocabulary([(word,) for word in WORDS], marks=frozenset({"есо"}))


def said(vocabulary, word):
    return [(vocabulary.words[number], sure) for number, sure in vocabulary.meant(word)]


class TestMeant:
    def test_is_the_word_itself_surest(self, vocabulary):
        assert said(vocabulary, "крем")[0] == ("крем", EXACT)

    @pytest.mark.parametrize(
        ("printed", "meant"),
        [
            ("питат", "питательный"),  # cut
            ("пит", "питательный"),
            ("питательного", "питательный"),  # inflected
            ("шмпнь", "шампунь"),  # without vowels
            ("шамупнь", "шампунь"),  # two letters swapped
            ("шампнь", "шампунь"),  # one lost
            ("citrus", "цитрус"),  # by ear
            ("moroshka", "морошка"),
        ],
    )
    def test_is_what_a_till_made_it_from(self, vocabulary, printed, meant):
        assert said(vocabulary, printed)[0][0] == meant
        assert said(vocabulary, printed)[0][1] < EXACT

    def test_is_less_sure_the_more_was_done(self, vocabulary):
        sure = [said(vocabulary, word)[0][1] for word in ("питательного", "питат", "пита", "пит")]
        assert sure == sorted(sure, reverse=True)
        assert sure[0] == INFLECTED

    def test_is_nothing_of_a_strange_word(self, vocabulary):
        assert said(vocabulary, "велосипед") == []
        assert said(vocabulary, "740") == []

    @given(st.text(min_size=1, max_size=30))
    def test_answers_any_word(self, vocabulary, word):
        assert all(0 < sure <= 1 for _, sure in vocabulary.meant(word))


class TestParts:
    def test_are_the_words_that_were_glued(self, vocabulary):
        assert vocabulary.parts("кремдлярук") == ("крем", "для", "рук")
        assert vocabulary.parts("шампуньволос") == ("шампунь", "волос")

    def test_of_a_word_that_means_something_are_the_word(self, vocabulary):
        assert vocabulary.parts("питательн") == ("питательн",)
        assert vocabulary.parts("велосипед") == ("велосипед",)

    @given(st.text(min_size=1, max_size=40))
    def test_of_any_word_make_it_up(self, vocabulary, word):
        assert "".join(vocabulary.parts(word)) == word


class TestMark:
    def test_is_a_latin_word_a_letter_alone_or_one_typed_so(self, vocabulary):
        marks = [
            word for word in ("plus", "е", "есо", "крем", "и", "5") if vocabulary.is_mark(word)
        ]
        assert marks == ["plus", "е", "есо"]
