"""Texts as Telegram parses them; refusals in its own words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vezde.testing.telegram import formatting
from vezde.testing.telegram.model import ApiError


def parsed(text):
    read = formatting.parse_html(text)
    return read.text, [(one["type"], one["offset"], one["length"]) for one in read.entities]


class TestParseHtml:
    @pytest.mark.parametrize(
        ("html", "text", "entities"),
        [
            ("<b>да</b>", "да", [("bold", 0, 2)]),
            ("<B>да</ b >".replace("</ b", "</b"), "да", [("bold", 0, 2)]),
            ("🦊<i>я</i>", "🦊я", [("italic", 2, 1)]),
            ("<b><i>x</i>y</b>", "xy", [("bold", 0, 2), ("italic", 0, 1)]),
            ("<b></b>x", "x", []),
            ("&lt;b&gt; &amp; &quot;&#1070;&#x44F;", '<b> & "Юя', []),
            ("&nbsp;&copy;", "&nbsp;&copy;", []),
            ('<a href="https://example.com/?a=1&amp;b=2">тут</a>', "тут", [("text_link", 0, 3)]),
            ("<a>example.com</a>", "example.com", [("text_link", 0, 11)]),
            ('<a href="нет">x</a>', "x", []),
            ('<a href="tg://user?id=42">Анна</a>', "Анна", [("text_mention", 0, 4)]),
            ("<span class='tg-spoiler'>x</span>", "x", [("spoiler", 0, 1)]),
            ("<tg-spoiler>x</tg-spoiler>", "x", [("spoiler", 0, 1)]),
            ("<blockquote expandable>x</blockquote>", "x", [("expandable_blockquote", 0, 1)]),
            ("<blockquote>x</blockquote>", "x", [("blockquote", 0, 1)]),
            ('<pre><code class="language-python">x</code></pre>', "x", [("pre", 0, 1)]),
            ("<pre>x</pre><code>y</code>", "xy", [("pre", 0, 1), ("code", 1, 1)]),
            ('<tg-emoji emoji-id="5368">👍</tg-emoji>', "👍", [("custom_emoji", 0, 2)]),
            (
                "<s>a</s><u>b</u><ins>c</ins>",
                "abc",
                [("strikethrough", 0, 1), ("underline", 1, 1), ("underline", 2, 1)],
            ),
        ],
    )
    def test_keeps_text_and_entities_apart(self, html, text, entities):
        assert parsed(html) == (text, entities)

    def test_keeps_the_language_of_code(self):
        [entity] = formatting.parse_html('<pre><code class="language-sql">x</code></pre>').entities
        assert entity == {"type": "pre", "offset": 0, "length": 1, "language": "sql"}

    @pytest.mark.parametrize(
        ("html", "said"),
        [
            ("<b>x", 'Can\'t find end tag corresponding to start tag "b"'),
            ("яя<h1>x</h1>", 'Unsupported start tag "h1" at byte offset 4'),
            ("<br>", 'Unsupported start tag "br" at byte offset 0'),
            ("</b>", "Unexpected end tag at byte offset 0"),
            (
                "<b><i>x</b></i>",
                'Unmatched end tag at byte offset 7, expected "</i>", found "</b>"',
            ),
            ("a < b", 'Unsupported start tag "" at byte offset 2'),
            ("1 <2> 3", 'Unsupported start tag "2" at byte offset 2'),
            ("<b", "Unclosed start tag at byte offset 0"),
            ("<a href=", 'Unclosed start tag "a" at byte offset 0'),
            ("<b>x</b", "Unclosed end tag at byte offset 4"),
            ("<a =1>x</a>", 'Empty attribute name in the tag "a" at byte offset 0'),
            ("<a href=a/b>x</a>", "Unexpected end of name token at byte offset 8"),
            ("<span>x</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
            ("<tg-emoji>x</tg-emoji>", "Invalid custom emoji identifier specified"),
        ],
    )
    def test_refuses_in_telegrams_words(self, html, said):
        with pytest.raises(ApiError) as caught:
            formatting.parse_html(html)
        assert caught.value.description == f"Bad Request: can't parse entities: {said}"

    @given(st.text(alphabet="<>/b &;=\"'аi🦊#x1\n", max_size=40))
    def test_parses_or_refuses_anything(self, html):
        try:
            read = formatting.read(html, parse_mode="HTML")
        except ApiError:
            return
        length = formatting.utf16(read.text)
        assert read.text == read.text.strip()
        assert all(
            0 <= one["offset"] < one["offset"] + one["length"] <= length for one in read.entities
        )


class TestRead:
    def test_trims_and_moves_entities(self):
        read = formatting.read("\n  <b> да </b>  ", parse_mode="HTML")
        assert read.text == "да"
        assert read.entities == [{"type": "bold", "offset": 0, "length": 2}]

    def test_finds_commands_addresses_mentions_and_hashtags(self):
        read = formatting.read("/start@lunaria_bot смотри https://example.com/a?b=1. @anna #баллы")
        assert [one["type"] for one in read.entities] == [
            "bot_command",
            "url",
            "mention",
            "hashtag",
        ]
        assert read.entities[1]["length"] == len("https://example.com/a?b=1")

    def test_finds_no_command_inside_a_path_or_code(self):
        assert formatting.read("и/или 1/2").entities == []
        read = formatting.read("<code>/start</code>", parse_mode="HTML")
        assert [one["type"] for one in read.entities] == ["code"]

    def test_takes_entities_as_given(self):
        bold = {"type": "bold", "offset": 0, "length": 2}
        assert formatting.read("да", entities=[bold]).fields("caption") == {
            "caption": "да",
            "caption_entities": [bold],
        }
