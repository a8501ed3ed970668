"""Texts of the programme, looked at before they are published."""

import pytest

from api.conftest import PROGRAM
from vezde.kit.i18n import Locale
from vezde.messaging import catalogue


async def previewed(api, **given):
    return (await api.ok("POST", "/v1/program/texts/preview", given))["items"]


class TestPreview:
    async def test_shows_every_text_in_both_languages(self, api):
        items = await previewed(api)
        assert len(items) == len(catalogue.shipped()) * len(Locale)
        assert all(one["shown"].strip() for one in items)
        assert not any("{" in one["shown"] or one["own"] for one in items)

    async def test_shows_own_words_that_are_not_published_yet(self, api):
        texts = {"ru": {"receipt_active": "Ура, <b>{points}</b>!"}}
        document = {**PROGRAM, "texts": texts, "name": "Лунария & Ко"}
        (one,) = await previewed(api, document=document, text="receipt_active", locale="ru")
        assert (one["shown"], one["own"]) == ("Ура, <b>+83 балла</b>!", True)
        (other,) = await previewed(api, document=document, text="welcome", locale="en")
        assert "Лунария &amp; Ко" in other["shown"]
        (published,) = await previewed(api, text="receipt_active", locale="ru")
        assert not published["own"]

    @pytest.mark.parametrize("words", ["Ура, {surname}!", "Ура, {points!r}!", "<i>{points}", "{"])
    async def test_refuses_what_publishing_refuses(self, api, words):
        document = {**PROGRAM, "texts": {"ru": {"receipt_active": words}}}
        for method, path in (("POST", "/v1/program/texts/preview"), ("PUT", "/v1/program")):
            refused = await api.call(method, path, {"document": document})
            assert (refused.status_code, refused.json()["code"]) == (400, "program_invalid")
            (error,) = refused.json()["errors"]
            assert error["path"] == "texts.ru.receipt_active"

    async def test_names_a_text_that_there_is_not(self, api):
        refused = await api.call("POST", "/v1/program/texts/preview", {"text": "wellcome"})
        assert refused.status_code == 400
        assert "wellcome" in refused.json()["detail"]
