"""The programme's section `texts`, as a document is checked."""

import pytest

from vezde.kit.i18n import Locale
from vezde.messaging import catalogue, queries
from vezde.messaging.catalogue import TextsSection
from vezde.messaging.operations import install_section
from vezde.messaging.operations.reserving import own_texts
from vezde.messaging.templates import BrokenTemplate
from vezde.program import checking, document
from vezde.program.sections import Section

SECTIONS = (Section("texts", TextsSection, install_section),)


def errors(texts: dict) -> dict[str, str]:
    """Detail by place."""
    found = checking.check({"texts": texts}, sections=SECTIONS).errors
    return {one.path: one.detail for one in found if one.path.startswith("texts")}


class TestSection:
    def test_takes_words_of_texts_there_are(self):
        assert errors({"ru": {"welcome": "Привет, это {brand}!", "button_next": "Вперёд"}}) == {}

    @pytest.mark.parametrize(
        ("key", "words", "said"),
        [
            ("welcom", "Привет", "perhaps «welcome» was meant"),
            ("zzzzzzz", "Привет", "reference"),
            ("welcome", "Привет, {name}", "it may use: brand"),
            ("welcome", "Привет, {brand", "brace"),
            ("welcome", "<b>Привет", "</b>"),
            ("welcome", "<h1>Привет</h1>", "<h1>"),
            ("welcome", "  ", "1 to 3000 characters"),
            ("welcome", "я" * 3001, "1 to 3000 characters"),
            ("welcome", 12, "quotes"),
            ("welcome", None, "null"),
        ],
    )
    def test_says_what_is_wrong_and_where(self, key, words, said):
        found = errors({"ru": {"button_next": "Вперёд", key: words}})
        assert list(found) == [f"texts.ru.{key}"]
        assert said in found[f"texts.ru.{key}"]

    def test_knows_two_languages(self):
        assert "ru, en" in errors({"de": {}})["texts.de"]

    def test_is_described_for_editors(self):
        words = document.schema(SECTIONS)["$defs"]["TextsSection"]["properties"]["ru"]
        assert "welcome" in words["propertyNames"]["enum"]


class TestInstall:
    async def test_words_are_in_force_from_their_time(self, db, now):
        await install_section(db, {"ru": {"button_next": "Один"}}, version=1, valid_from=now)
        later = now.replace(hour=12)
        await install_section(db, {"ru": {"button_next": "Два"}}, version=2, valid_from=later)
        for at, shown in ((now.replace(hour=1), "Один"), (now, "Один"), (later, "Два")):
            own = await own_texts(db, now=at)
            assert catalogue.words("button_next", Locale.RU, own) == shown
            assert catalogue.words("button_next", Locale.EN, own) == "Next"

    async def test_without_a_programme_the_shipped_words_are_said(self, db, now):
        assert await own_texts(db, now=now) == {}


class TestPreview:
    def test_shows_a_text_as_a_member_reads_it(self):
        shown = queries.preview(
            "welcome", Locale.RU, variables={"brand": "Лунария", "points_pay": "100 баллов"}
        )
        assert "<b>Лунария</b>" in shown

    def test_shows_words_that_are_not_published_yet(self):
        own = {"ru": {"button_next": "Вперёд"}}
        assert queries.preview("button_next", Locale.RU, variables={}, own=own) == "Вперёд"

    def test_says_which_variable_is_missing(self):
        with pytest.raises(BrokenTemplate, match="brand"):
            queries.preview("welcome", Locale.RU, variables={})
