"""What members read."""

import re

import pytest

from vezde.receipts import reasons
from vezde.receipts.model import Reason


class TestText:
    @pytest.mark.parametrize("reason", Reason)
    @pytest.mark.parametrize("locale", ["ru", "en"])
    def test_every_reason_is_told_in_a_sentence_of_the_language(self, reason, locale):
        text = reasons.text(reason, locale)
        assert re.fullmatch(r"[А-ЯA-Z].{20,200}\.", text)
        assert bool(re.search("[а-яё]", text)) is (locale == "ru")

    def test_every_text_is_told_apart(self):
        for texts in reasons.TEXTS.values():
            assert len(set(texts.values())) == len(Reason)

    def test_a_region_does_not_matter_and_other_languages_read_english(self):
        russian, english = (reasons.text(Reason.ADVANCE, one) for one in ("ru", "en"))
        assert reasons.text(Reason.ADVANCE, "ru-RU") == russian
        assert reasons.text(Reason.ADVANCE, "en-GB") == english
        assert reasons.text(Reason.ADVANCE, "kk") == english
        assert reasons.text(Reason.ADVANCE, "") == english
