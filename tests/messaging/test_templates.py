from datetime import date
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vezde.kit.i18n import Locale, Plural
from vezde.messaging import catalogue, templates
from vezde.messaging.templates import BrokenTemplate, Lines, Money, Points

ANYTHING = st.text(alphabet=st.characters(), max_size=2_000)
VALUES = st.one_of(
    ANYTHING,
    st.integers(-(10**12), 10**12),
    st.builds(Points, st.integers(-(10**9), 10**9), st.booleans()),
    st.builds(Money, st.integers(-(10**12), 10**12)),
    st.builds(Lines, st.lists(ANYTHING, max_size=60).map(tuple)),
    st.dates(),
)


class Reader(HTMLParser):
    """What a messenger makes of it: tags that are open, and the tags there were."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.open.append(tag)
        self.seen.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def filled(text: str, **variables) -> str:
    return templates.fill(text, variables, locale=Locale.RU)


class TestFill:
    def test_shows_each_type_in_the_members_language(self):
        text = "{a}, {b}, {c}, {d}, {e}"
        variables = {
            "a": Points(2),
            "b": Money(830000),
            "c": date(2026, 12, 3),
            "d": 1234,
            "e": "x",
        }
        assert (
            filled(text, **variables).replace("\xa0", " ")
            == "2 балла, 8 300 ₽, 3 декабря, 1 234, x"
        )
        assert (
            templates.fill(text, variables, locale=Locale.EN)
            == "2 points, ₽8,300, 3 December, 1,234, x"
        )

    def test_uses_the_programmes_word_for_points(self):
        name = Plural(one="луна", few="луны", many="лун", other="луны")
        shown = templates.fill(
            "{p}", {"p": Points(5, signed=True)}, locale=Locale.RU, points_name=name
        )
        assert shown == "+5 лун"

    def test_escapes_what_people_are_called(self):
        assert filled("{n}", n='<b>"Анна" & co</b>') == (
            "&lt;b&gt;&quot;Анна&quot; &amp; co&lt;/b&gt;"
        )

    def test_isolates_what_is_written_from_right_to_left(self):
        assert filled("{n}!", n="שלום") == "\u2068שלום\u2069!"
        assert filled("{n}!", n="\u202eАнна\u202c") == "Анна!"

    def test_keeps_a_name_on_one_line(self):
        assert filled("{n}", n="Анна\n\n\x00 😀\u2028Б") == "Анна 😀 Б"

    def test_puts_lines_under_one_another_and_counts_the_rest(self):
        shown = filled("{l}", l=Lines(tuple(f"<{n}>" for n in range(43))))
        assert shown.splitlines()[0] == "&lt;0&gt;"
        assert shown.splitlines()[-1] == "… +3"
        assert len(shown.splitlines()) == 41

    @pytest.mark.parametrize("wrong", [None, True, 1.5, b"x", [1]])
    def test_refuses_what_cannot_be_shown(self, wrong):
        with pytest.raises(BrokenTemplate):
            filled("{n}", n=wrong)

    def test_refuses_without_a_variable(self):
        with pytest.raises(BrokenTemplate, match="brand"):
            filled("Это {brand}")

    @given(values=st.lists(VALUES, min_size=3, max_size=3), locale=st.sampled_from(Locale))
    def test_never_breaks_the_words_around(self, values, locale):
        text = '<b>{a}</b>\n<a href="https://example.ru">{b}</a> и {c} {{не переменная}}'
        shown = templates.fill(text, dict(zip("abc", values, strict=True)), locale=locale)
        reader = Reader()
        reader.feed(shown)
        reader.close()
        assert reader.seen == ["b", "a"]
        assert reader.open == []
        assert templates.length(shown) <= templates.MOST_SHOWN
        assert "{не переменная}" in shown
        assert "\0" not in shown
        shown.encode()

    @given(values=st.lists(ANYTHING, min_size=2, max_size=2), most=st.integers(100, 300))
    def test_cuts_variables_to_what_a_message_holds(self, values, most):
        text = "{a} — {b}"
        shown = templates.fill(
            text, {"a": values[0], "b": Lines((values[1],) * 50)}, locale=Locale.RU, most=most
        )
        assert templates.length(shown) <= most

    def test_never_cuts_the_words(self):
        with pytest.raises(BrokenTemplate, match="longer"):
            templates.fill("я" * 1_100, {}, locale=Locale.RU, most=1_024)


class TestVariablesIn:
    def test_names_them(self):
        assert templates.variables_in("{a} и {b}, {{c}}") == {"a", "b"}

    @pytest.mark.parametrize(
        "text", ["{", "}", "{}", "{0}", "{a.b}", "{a[0]}", "{a!r}", "{a:>9}", "{a b}"]
    )
    def test_refuses_anything_else_in_braces(self, text):
        with pytest.raises(BrokenTemplate):
            templates.variables_in(text)

    @given(ANYTHING)
    def test_knows_what_will_not_fill(self, text):
        """What passes both checks can be filled, whatever it is."""
        try:
            names = templates.variables_in(text)
            templates.check_markup(text)
        except BrokenTemplate:
            return
        filled(text, **dict.fromkeys(names, "x"))


class TestCheckMarkup:
    @pytest.mark.parametrize(
        "text",
        [
            "<b>a</b> <i>b</i> <code>c</code> <u>d</u> <s>e</s>",
            "<b><i>a</i></b>",
            '<a href="https://example.ru/?a=1&b=2">a</a>',
            '<a href="{link}">a</a>',
            "R&B, 1 > 0, &lt;3",
        ],
    )
    def test_takes_what_messengers_take(self, text):
        templates.check_markup(text)

    @pytest.mark.parametrize(
        "text",
        [
            "<b>a",
            "a</b>",
            "<b><i>a</b></i>",
            "<script>x</script>",
            "<B>a</B>",
            '<b class="x">a</b>',
            '<a href="javascript:alert(1)">a</a>',
            "<a>a</a>",
            "<a href=x>a</a>",
            "1 < 2",
            "<br/>",
            "<{tag}>a</{tag}>",
        ],
    )
    def test_refuses_the_rest(self, text):
        with pytest.raises(BrokenTemplate):
            templates.check_markup(text)


class TestShipped:
    @pytest.mark.parametrize("key", sorted(catalogue.shipped()))
    def test_is_as_sound_as_the_programmes_own_must_be(self, key):
        text = catalogue.shipped()[key]
        for locale in Locale:
            assert catalogue.fault(key, text.words[locale]) is None


class TestPlain:
    def test_is_cut_to_what_a_button_holds(self):
        assert templates.plain("<b>Дальше</b> и дальше", most=8) == "Дальше…"

    def test_is_what_one_reads(self):
        assert templates.plain('<b>a</b> &lt;3 &amp; <a href="https://x.ru">y</a>') == "a <3 & y"

    def test_length_counts_as_messengers_do(self):
        assert templates.length("<b>a&lt;</b>😀") == 4
